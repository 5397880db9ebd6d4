"""What Meta has told of message templates, on disk, and the messages that wait for one."""

from datetime import timedelta
from typing import Final

from pymongo.errors import DuplicateKeyError

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.message_templates.ports import APPROVED, KnownTemplate
from engine.storage.connection import Database, Json, reachable
from engine.storage.outbox import waits_again
from engine.storage.records import MessageTemplateDocument, OutboxDocument

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


def _key(tenant: TenantId, name: str, language: str) -> str:
    return f"{tenant}:{name}:{language}"


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
    )
