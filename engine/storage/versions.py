"""Published versions on disk; what is in them is not known here."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import orjson
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from engine.domain.conversation import Position
from engine.domain.ids import TenantId
from engine.errors import Conflict, EngineError
from engine.storage.connection import TAKEN, Database, Json, reachable
from engine.storage.records import ConversationDocument
from engine.storage.transactions import commit, transaction
from engine.storage.version_records import ContentDocument, LiveDocument, VersionDocument
from engine.version_ports import FOLDER, MOST_FILES, Live, Standing, Version

AT_ONCE: Final = 100
"""Texts that are written or read in one operation: each has up to 2 MiB."""
EPOCH: Final = datetime.fromtimestamp(0, UTC)


class MongoVersions:
    """What was published of all tenants: `engine.version_ports.Versions`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._contents = database.collection(ContentDocument)
        self._versions = database.collection(VersionDocument)
        self._live = database.collection(LiveDocument)
        self._conversations = database.collection(ConversationDocument)

    async def live(self) -> Mapping[TenantId, Live]:
        """Tell which versions are to be served."""
        with reachable():
            found = await self._live.find({}).to_list()
        return {TenantId(row["_id"]): _live_from_disk(row) for row in found if _is_whole(row)}

    async def live_of(self, tenant: TenantId) -> Live | None:
        """Tell which version of a tenant is to be served; None if nothing was ever published."""
        with reachable():
            found = await self._live.find_one({"_id": tenant})
        return None if found is None else _live_from_disk(found)

    async def get(self, tenant: TenantId, number: int) -> Version | None:
        """Give a version that was published.

        Raises:
            EngineError: what is stored of it is damaged.
        """
        with reachable():
            found = await self._versions.find_one({"_id": f"{tenant}:{number}"})
        return None if found is None else version_from_disk(found)

    async def list(self, tenant: TenantId, *, limit: int) -> Sequence[Version]:
        """Give the versions that were published, the newest first; damaged ones without files."""
        published = {"tenant": tenant, "number": {"$gt": FOLDER}}
        with reachable():
            found = await self._versions.find(published).sort("number", -1).to_list(limit)
        return tuple(_listed(row) for row in found)

    async def texts(self, hashes: Collection[str]) -> Mapping[str, str]:
        """Give stored texts by hash, as they are stored: nothing is verified."""
        wanted, found = sorted(hashes), dict[str, str]()
        for start in range(0, len(wanted), AT_ONCE):
            some = {"_id": {"$in": wanted[start : start + AT_ONCE]}}
            with reachable():
                rows = await self._contents.find(some).to_list()
            found |= {row["_id"]: str(row.get("text", "")) for row in rows}
        return found

    async def publish(
        self, version: Version, texts: Mapping[str, str], *, instead_of: Live | None
    ) -> Version:
        """Store a version under the next number, and let it be served.

        Raises:
            Conflict: something else is live by now; nothing is changed.
            EngineError: it has too many files.
        """
        if len(version.files) > MOST_FILES:
            raise EngineError(
                f"'{version.tenant}' has {len(version.files)} files: {MOST_FILES} fit in a version"
            )
        # What nobody points at is no part of anything: it need not be undone.
        await self._store(texts)
        number = await self._last(version.tenant) + 1
        replaces = instead_of.number if instead_of else FOLDER
        numbered = replace(version, number=number, replaces=replaces)
        live = _live_to_disk(numbered.tenant, numbered.number, instead_of, version.at)
        async with transaction(self._database) as session:
            await self._versions.insert_one(version_to_disk(numbered), session=session)
            if instead_of is None:
                await self._live.insert_one(live, session=session)
            else:
                before = {"_id": version.tenant, "moves": instead_of.moves}
                done = await self._live.replace_one(before, live, session=session)
                if not done.matched_count:
                    raise Conflict("another version became live")
            await commit(session)
        return numbered

    async def move(self, tenant: TenantId, number: int, *, instead_of: Live, at: datetime) -> None:
        """Let another version be served.

        Raises:
            Conflict: something else is live by now; nothing is changed.
        """
        before = {"_id": tenant, "moves": instead_of.moves}
        with reachable():
            done = await self._live.replace_one(
                before, _live_to_disk(tenant, number, instead_of, at)
            )
        if not done.matched_count:
            raise Conflict("another version became live")

    async def keep(self, versions: Sequence[Version], texts: Mapping[str, str]) -> None:
        """Store what is served without having been published, unless it is stored already."""
        await self._store(texts)
        rows = [version_to_disk(version) for version in versions]
        await _make(self._versions, [(row["_id"], row) for row in rows])

    async def kept(self, versions: Sequence[Version]) -> frozenset[tuple[TenantId, str]]:
        """Tell what is stored already of what is served without having been published."""
        keys = [_key(version) for version in versions]
        fields = {"tenant": 1, "digest": 1}
        with reachable():
            found = await self._versions.find({"_id": {"$in": keys}}, fields).to_list()
        return frozenset((TenantId(row["tenant"]), row["digest"]) for row in found)

    async def standing(self, tenant: TenantId) -> Sequence[Standing]:
        """Tell where the tenant's conversations stand."""
        part = {name: f"$position.{name}" for name in ("chart", "leaf", "path", "resume")}
        with reachable():
            cursor = await self._conversations.aggregate(
                [
                    {"$match": {"position": {"$ne": None}, "tenant": tenant}},
                    {"$group": {"_id": part, "count": {"$sum": 1}}},
                ]
            )
            found = await cursor.to_list()
        return tuple(_standing(row["_id"], row["count"]) for row in found)

    async def _last(self, tenant: TenantId) -> int:
        newest = await self.list(tenant, limit=1)
        return newest[0].number if newest else FOLDER

    async def _store(self, texts: Mapping[str, str]) -> None:
        """Store texts by hash; one that was damaged is repaired."""
        rows = list(texts.items())
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            await _make(self._contents, [(key, {"text": text}) for key, text in some], repair=True)


async def _make(
    rows: AsyncCollection[Json], wanted: Sequence[tuple[str, Json]], *, repair: bool = False
) -> None:
    """Make rows that are not there; several processes may make the same."""
    how = "$set" if repair else "$setOnInsert"
    changes = [
        UpdateOne({"_id": key}, {how: {k: v for k, v in row.items() if k != "_id"}}, upsert=True)
        for key, row in wanted
    ]
    if not changes:
        return
    with reachable():
        try:
            await rows.bulk_write(changes, ordered=False)
        except BulkWriteError as exc:
            codes = {error["code"] for error in (exc.details or {}).get("writeErrors", ())}
            if codes != {TAKEN}:
                raise


def version_to_disk(version: Version) -> Json:
    """Write a version."""
    return {
        "_id": _key(version),
        "tenant": version.tenant,
        "number": version.number,
        "digest": version.digest,
        "manifest": _manifest(version.files),
        "files": [{"path": path, "hash": known} for path, known in version.files.items()],
        "at": version.at,
        "note": version.note,
        "replaces": version.replaces,
    }


def version_from_disk(row: Json) -> Version:
    """Read a version back.

    Raises:
        EngineError: it is damaged.
    """
    try:
        parts = row["files"]
        files = {str(part["path"]): str(part["hash"]) for part in parts[:MOST_FILES]}
        if len(parts) == len(files) and _manifest(files) == row["manifest"]:
            return replace(_listed(row), files=files)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise _damaged(row) from error
    raise _damaged(row)


def _damaged(row: Json) -> EngineError:
    return EngineError(
        f"version {row.get('number')} of '{row.get('tenant')}' is damaged: "
        "its list of files is not the one that was published"
    )


def _listed(row: Json) -> Version:
    """Read what a version is called, without looking at its files."""
    return Version(
        tenant=TenantId(row["tenant"]),
        number=row["number"],
        digest=row["digest"],
        files={},
        at=row["at"],
        note=row.get("note") or "",
        replaces=row.get("replaces") or FOLDER,
    )


def _key(version: Version) -> str:
    name = version.number if version.number != FOLDER else f"folder:{version.digest}"
    return f"{version.tenant}:{name}"


def _manifest(files: Mapping[str, str]) -> str:
    """Name a list of files by its content."""
    packed = orjson.dumps(dict(files), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(packed).hexdigest()


def _live_to_disk(tenant: TenantId, number: int, before: Live | None, at: datetime) -> Json:
    moves = before.moves + 1 if before else 1
    return {"_id": tenant, "number": number, "moves": moves, "at": at}


def _is_whole(row: Json) -> bool:
    """Tell whether a row says what is live; one that does not must not stop a process."""
    return isinstance(row.get("number"), int) and isinstance(row.get("moves"), int)


def _live_from_disk(row: Json) -> Live:
    return Live(number=row["number"], moves=row["moves"], at=row.get("at", EPOCH))


def _standing(part: Json, count: int) -> Standing:
    position = Position(
        chart=part.get("chart") or "",
        version=0,
        structure="",
        leaf=part["leaf"],
        path=tuple(part["path"]),
        resume=part.get("resume"),
    )
    return Standing(position, count)
