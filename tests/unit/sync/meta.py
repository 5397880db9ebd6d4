"""Meta in memory, for tests that take too many steps for the sandbox; its HTTP is not here."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from engine.clock import Clock
from engine.errors import GraphRetryable, GraphTerminal
from engine.sync.calls import (
    BatchStatus,
    CommerceSettings,
    Json,
    MetaCatalog,
    MetaItem,
    MetaSet,
    Taken,
)
from engine.sync.ports import ItemId

CALLS = 8
MINUTE = timedelta(minutes=1)
NAMES = {"title": "name", "link": "url", "item_group_id": "retailer_product_group_id"}

Fault = Literal["away", "limited", "refused", "drop_after", "die_before", "die_after"]


class Died(BaseException):
    """The process is gone at this point."""


@dataclass
class Catalogue:
    """A catalogue, and what Meta has not worked off yet."""

    name: str
    items: dict[ItemId, Json] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, Sequence[Json]] = field(default_factory=dict)
    faults: dict[str, dict[ItemId, str]] = field(default_factory=dict)
    taken: list[datetime] = field(default_factory=list)


@dataclass(eq=False)
class MemoryMeta:
    """The Graph API's calls: `engine.sync.calls.CatalogCalls`.

    Args:
        faults: what becomes of the next batches.
        bad: items that are not saved, and why.
        exceeded: how many batches came too soon.
    """

    clock: Clock
    held: dict[str, Catalogue] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)
    faults: deque[Fault] = field(default_factory=deque)
    bad: dict[ItemId, str] = field(default_factory=dict)
    exceeded: int = 0
    sent: list[tuple[str, Sequence[Json]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def work_off(self) -> None:
        """Save what was taken, in its order."""
        for catalogue in self.held.values():
            for handle, requests in catalogue.waiting.items():
                catalogue.faults[handle] = self._saved(catalogue, requests)
            catalogue.waiting.clear()

    def _saved(self, catalogue: Catalogue, requests: Sequence[Json]) -> dict[ItemId, str]:
        faults = {}
        for request in requests:
            item = ItemId(request["data"]["id"])
            if item in self.bad:
                faults[item] = self.bad[item]
            elif request["method"] == "DELETE":
                catalogue.items.pop(item, None)
            else:
                catalogue.items[item] = request["data"]
        return faults

    async def catalogs(self, business_id: str) -> tuple[MetaCatalog, ...]:
        self.asked.append("catalogs")
        return tuple(MetaCatalog(id_, each.name) for id_, each in self.held.items())

    async def create_catalog(self, business_id: str, name: str) -> str:
        self.asked.append("create_catalog")
        made = f"c{len(self.held)}"
        self.held[made] = Catalogue(name)
        return made

    async def send(self, catalog_id: str, requests: Sequence[Json]) -> Taken:
        catalogue = self._catalogue(catalog_id)
        fault = self.faults.popleft() if self.faults else None
        if fault == "away":
            raise GraphRetryable("an unknown error occurred", code=2)
        if fault == "limited":
            raise GraphRetryable("too many calls", code=80014)
        if fault == "refused":
            raise GraphTerminal("invalid parameter", code=100)
        if fault == "die_before":
            raise Died
        now = self.clock.now()
        if sum(at > now - MINUTE for at in catalogue.taken) >= CALLS:
            self.exceeded += 1
            raise GraphRetryable("too many calls", code=80014)
        catalogue.taken.append(now)
        self.sent.append((catalog_id, requests))
        handle = f"h{len(self.sent)}"
        catalogue.waiting[handle] = requests
        if fault == "drop_after":
            raise GraphRetryable("no answer")
        if fault == "die_after":
            raise Died
        return Taken((handle,))

    async def status(self, catalog_id: str, handle: str) -> BatchStatus:
        self.asked.append("status")
        catalogue = self._catalogue(catalog_id)
        return BatchStatus(handle not in catalogue.waiting, catalogue.faults.get(handle, {}))

    async def items(
        self, catalog_id: str, *, after: str | None = None
    ) -> tuple[tuple[MetaItem, ...], str | None]:
        self.asked.append("items")
        catalogue = self._catalogue(catalog_id)
        return tuple(_shown(item, data) for item, data in catalogue.items.items()), None

    async def item(self, catalog_id: str, item: ItemId) -> MetaItem | None:
        self.asked.append("item")
        data = self._catalogue(catalog_id).items.get(item)
        return None if data is None else _shown(item, data)

    async def sets(self, catalog_id: str) -> tuple[MetaSet, ...]:
        found = self._catalogue(catalog_id).sets
        return tuple(MetaSet(id_, name, id_.partition("/")[2]) for id_, name in found.items())

    async def create_set(self, catalog_id: str, *, name: str, retailer_id: str, rule: Json) -> str:
        made = f"{catalog_id}/{retailer_id}"
        self._catalogue(catalog_id).sets[made] = name
        return made

    async def rename_set(self, set_id: str, name: str) -> None:
        self._catalogue(set_id.partition("/")[0]).sets[set_id] = name

    async def delete_set(self, set_id: str) -> None:
        self._catalogue(set_id.partition("/")[0]).sets.pop(set_id, None)

    async def connected(self, waba_id: str) -> tuple[MetaCatalog, ...]:
        connected = self.connections.get(waba_id)
        return () if connected is None else (MetaCatalog(connected, self.held[connected].name),)

    async def connect(self, waba_id: str, catalog_id: str) -> None:
        self.connections[waba_id] = catalog_id

    async def commerce_settings(self, phone_number_id: str) -> CommerceSettings | None:
        is_shown = phone_number_id in self.shown
        return CommerceSettings(is_cart_enabled=is_shown, is_catalog_visible=is_shown)

    async def show_catalog(self, phone_number_id: str) -> None:
        self.shown.add(phone_number_id)

    def _catalogue(self, catalog_id: str) -> Catalogue:
        if catalog_id not in self.held:
            raise GraphTerminal("the object does not exist", code=100)
        return self.held[catalog_id]


def _shown(item: ItemId, data: Json) -> MetaItem:
    fields = {NAMES.get(name, name): text for name, text in data.items() if isinstance(text, str)}
    return MetaItem(item, fields | {"currency": data["price"].split()[-1]})
