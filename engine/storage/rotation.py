"""Seals what is stored again after ENCRYPTION_SECRET changed.

Which secrets there are is the vault's business; running processes need not know of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from pymongo.asynchronous.collection import AsyncCollection

from engine.errors import EngineError
from engine.storage.connection import Database, Json, reachable
from engine.storage.documents import BusinessDocument, Row
from engine.storage.meta_records import FlowKeyDocument
from engine.storage.secrets import Vault, is_sealed

PAGE: Final = 200
"""Documents fetched at once: the server closes a cursor that is not asked for ten minutes."""


@dataclass(slots=True)
class Rotated:
    """What became of the texts of one collection; tenants are named, texts never.

    Args:
        collection: its name on disk.
        current: texts that were as they should be.
        resealed: texts that were sealed with another secret, or in an older form.
        sealed: tenants whose plain text was sealed.
        plain: tenants whose text is not sealed.
        unopened: why a tenant's text cannot be opened.
    """

    collection: str
    current: int = 0
    resealed: int = 0
    sealed: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    unopened: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rotation:
    """Seals every stored text with the vault's first secret; repeated, it goes on where it ended.

    Args:
        vault: opens what is to be sealed again.
        is_sealing_plain: texts that were never sealed are sealed, too.
        is_dry: nothing is written.
    """

    database: Database
    vault: Vault
    is_sealing_plain: bool = False
    is_dry: bool = False

    async def run(self) -> Sequence[Rotated]:
        """Look at every text, and tell what became of them by collection.

        Raises:
            Unavailable: the database went away; what was done stays done.
        """
        return [await self._collection(place) for place in PLACES]

    async def _collection(self, place: "_Place") -> Rotated:
        rows = self.database.collection(place.document)
        done = Rotated(rows.name)
        with reachable():
            found = rows.find(place.written(), place.fields()).sort("_id", 1).batch_size(PAGE)
            async for row in found:
                await self._document(place, rows, row, done)
        return done

    async def _document(
        self, place: "_Place", rows: AsyncCollection[Json], row: Json, done: Rotated
    ) -> None:
        found: Json | None = row
        while found is not None:
            verdict = self._judge(found[place.text])
            if self.is_dry or verdict.text is None or await _replaced(place, rows, found, verdict):
                _note(done, str(found.get(place.tenant) or found["_id"]), verdict)
                return
            # Somebody stored another one meanwhile: that one stays, and is looked at.
            found = await rows.find_one(place.written(found["_id"]), place.fields())

    def _judge(self, text: object) -> "_Verdict":
        if not isinstance(text, str):
            return _Verdict("unopened", reason="it is no text")
        if not is_sealed(text):
            return self._judge_plain(text)
        if self.vault.is_current(text):
            return _Verdict("current")
        try:
            return _Verdict("resealed", self.vault.seal(self.vault.open(text)))
        except EngineError as error:
            return _Verdict("unopened", reason=str(error))

    def _judge_plain(self, text: str) -> "_Verdict":
        if self.is_sealing_plain:
            return _Verdict("sealed", self.vault.seal(text))
        return _Verdict("plain")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where sealed texts lie."""

    document: type[Row]
    text: str
    tenant: str

    def fields(self) -> Json:
        return {self.text: 1, self.tenant: 1}

    def written(self, name: object = None) -> Json:
        """Describe the documents that have a text, or the one with an id if it has."""
        has_text: Json = {self.text: {"$nin": [None, ""]}}
        return has_text if name is None else {"_id": name, **has_text}


PLACES: Final = (
    _Place(BusinessDocument, text="accessToken", tenant="subDomain"),
    _Place(FlowKeyDocument, text="privateKey", tenant="_id"),
)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What is to become of a text: another one, or nothing."""

    kind: Literal["current", "resealed", "sealed", "plain", "unopened"]
    text: str | None = None
    reason: str = ""


async def _replaced(
    place: _Place, rows: AsyncCollection[Json], found: Json, verdict: _Verdict
) -> bool:
    """Write a text if the one it was made of is still there."""
    old = {"_id": found["_id"], place.text: found[place.text]}
    done = await rows.update_one(old, {"$set": {place.text: verdict.text}})
    return bool(done.matched_count)


def _note(done: Rotated, tenant: str, verdict: _Verdict) -> None:
    match verdict.kind:
        case "current":
            done.current += 1
        case "resealed":
            done.resealed += 1
        case "sealed":
            done.sealed.append(tenant)
        case "plain":
            done.plain.append(tenant)
        case "unopened":
            done.unopened[tenant] = verdict.reason
