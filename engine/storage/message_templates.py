"""What Meta has told of message templates, on disk, and the messages that wait for one."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from pymongo.errors import DuplicateKeyError

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.message_templates.ports import APPROVED, UNDECIDED, KnownTemplate
from engine.storage.connection import Database, Json, reachable
from engine.storage.meta_records import MessageTemplateDocument
from engine.storage.outbox import waits_again
from engine.storage.records import OutboxDocument

WORTH: Final = timedelta(hours=24)
"""How long a message is worth being sent whose template was not approved yet."""


class MongoMessageTemplates:
    """The templates of all tenants: `engine.message_templates.ports.TemplateRepository`."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._rows = database.collection(MessageTemplateDocument)
        self._outbox = database.collection(OutboxDocument)
        self._clock = clock

    async def all(self, tenant: TenantId) -> tuple[KnownTemplate, ...]:
        """Give a tenant's templates by name and language."""
        with reachable():
            found = self._rows.find({"tenant": tenant}).sort([("name", 1), ("language", 1)])
            return tuple(_template(document) for document in await found.to_list())

    async def status_of(self, tenant: TenantId, name: str, language: str) -> str | None:
        """Give a template's status; None if nothing is known of it."""
        mine = {"_id": _key(tenant, name, language), "tenant": tenant}
        with reachable():
            found = await self._rows.find_one(mine, {"status": 1})
        return found["status"] if found else None

    async def note(self, template: KnownTemplate) -> None:
        """Note what Meta says of a template; one that is approved lets what waits for it go."""
        key = _key(template.tenant, template.name, template.language)
        told: Json = {
            "status": template.status,
            "reason": template.reason,
            "updatedAt": template.updated_at,
        }
        for name, value in (("category", template.category), ("metaId", template.meta_id)):
            if value:
                told[name] = value
        if template.created_at:
            told["createdAt"] = template.created_at
        if template.edited_at:
            told["editedAt"] = list(template.edited_at)
        new = {"name": template.name, "language": template.language}
        change = {"$set": told, "$setOnInsert": new}
        with reachable():
            try:
                await self._rows.update_one(
                    {"_id": key, "tenant": template.tenant}, change, upsert=True
                )
            except DuplicateKeyError:  # another process was faster
                await self._rows.update_one({"_id": key}, {"$set": told})
        if template.status == APPROVED:
            await self.release(template.tenant, template.name, template.language)

    async def unsettled(
        self, tenants: Collection[TenantId], *, before: datetime
    ) -> Mapping[TenantId, frozenset[tuple[str, str]]]:
        """Name templates that may have another status by now, and by language."""
        if not tenants:
            return {}
        with reachable():
            known = await self._rows.find(
                {
                    "tenant": {"$in": sorted(tenants)},
                    "$or": [
                        {"status": {"$in": list(UNDECIDED)}},
                        {"updatedAt": {"$gte": before}},
                    ],
                }
            ).to_list()
            waited_for = await self._waited_for(tenants)
        lately = {each["_id"] for each in known if each["updatedAt"] >= before}
        undecided = (each for each in known if each["status"] in UNDECIDED)
        asked_for = waited_for | {(e["tenant"], e["name"], e["language"]) for e in undecided}
        found: dict[TenantId, set[tuple[str, str]]] = {}
        for tenant, name, language in sorted(asked_for):
            if _key(tenant, name, language) not in lately:
                found.setdefault(TenantId(tenant), set()).add((name, language))
        return {tenant: frozenset(names) for tenant, names in found.items()}

    async def _waited_for(self, tenants: Collection[TenantId]) -> set[tuple[str, str, str]]:
        """Name the templates that messages wait for which are still worth being sent."""
        waiting = {
            "tenant": {"$in": sorted(tenants)},
            "state": "held",
            "createdAt": {"$gt": self._clock.now() - WORTH},
            "heldFor": {"$gt": ""},
        }
        by_template = {"_id": {"tenant": "$tenant", "template": "$heldFor"}}
        cursor = await self._outbox.aggregate([{"$match": waiting}, {"$group": by_template}])
        groups = [row["_id"] for row in await cursor.to_list()]
        return {(each["tenant"], *_named(each["template"])) for each in groups}

    async def release(self, tenant: TenantId, name: str, language: str) -> int:
        """Let the messages go that wait for a template, but those that are no news any more."""
        now = self._clock.now()
        waiting = {
            "tenant": tenant,
            "state": "held",
            "heldFor": f"{name}:{language}",
            "createdAt": {"$gt": now - WORTH},
        }
        with reachable():
            done = await self._outbox.update_many(waiting, waits_again(now, {"heldFor": None}))
        return done.modified_count


def _key(tenant: str, name: str, language: str) -> str:
    return f"{tenant}:{name}:{language}"


def _named(held_for: str) -> tuple[str, str]:
    name, _, language = held_for.rpartition(":")
    return name, language


def _template(document: Json) -> KnownTemplate:
    return KnownTemplate(
        tenant=TenantId(document["tenant"]),
        name=document["name"],
        language=document["language"],
        status=document["status"],
        updated_at=document["updatedAt"],
        category=document.get("category") or "",
        reason=document.get("reason") or "",
        meta_id=document.get("metaId") or "",
        created_at=document.get("createdAt"),
        edited_at=tuple(document.get("editedAt") or ()),
    )
