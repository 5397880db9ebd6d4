"""Catalogues, their items, sets and batches, as Meta keeps them; nothing here speaks HTTP.

What may become of them is decided in the modules with their routes.
"""

from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Literal

from engine.sandbox.envelope import JsonObject

BatchState = Literal["started", "finished", "canceled", "error"]
CatalogFaultKind = Literal["refuse", "drop", "drop_after"]


@dataclass(frozen=True, slots=True)
class Item:
    """What a catalogue has of a product: Meta's id, and the fields as a batch gave them."""

    id: str
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class ItemRequest:
    """What a batch wants done with one item; `line` is its place in the call."""

    line: int
    method: str
    item: str
    fields: JsonObject


@dataclass(frozen=True, slots=True)
class ItemRemark:
    """An error or a warning about a request of a batch."""

    line: int
    id: str
    message: str


@dataclass(slots=True)
class Batch:
    """What one call of `items_batch` brought, worked off later."""

    handle: str
    requests: tuple[ItemRequest, ...]
    status: BatchState = "started"
    errors: list[ItemRemark] = field(default_factory=list)
    warnings: list[ItemRemark] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Tell whether it is still to be worked off."""
        return self.status == "started"


@dataclass(slots=True)
class ProductSet:
    """Some items of a catalogue, named by a rule; without one all of them."""

    id: str
    catalog_id: str
    name: str
    rule: JsonObject = field(default_factory=dict)
    retailer_id: str | None = None


@dataclass(slots=True)
class Catalog:
    """A catalogue of a business.

    Args:
        items: by the business's own id of each.
        batches: by handle, the oldest first.
        taken: when calls of `items_batch` were taken, the latest minute of them.
        apps: which are told of it.
    """

    id: str
    business_id: str
    name: str
    vertical: str = "commerce"
    items: dict[str, Item] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    taken: deque[datetime] = field(default_factory=deque)
    apps: list[str] = field(default_factory=list)

    def open_batches(self) -> list[Batch]:
        """Return what is to be worked off, the oldest first."""
        return [batch for batch in self.batches.values() if batch.is_open]


@dataclass(slots=True)
class CommerceSettings:
    """What customers see on a phone number; at Meta the cart is on and the catalogue hidden."""

    is_cart_enabled: bool = True
    is_catalog_visible: bool = False


@dataclass(slots=True)
class CatalogCall:
    """A Graph call about catalogues.

    Args:
        at: as ISO 8601.
        requests: how many items a call of `items_batch` was about.
        code: 0 when it was taken, else of the refusal; None while it lasts or when it was cut off.
    """

    n: int
    route: str
    method: str
    path: str
    at: str
    requests: int = 0
    code: int | None = None


@dataclass(frozen=True, slots=True)
class CatalogFault:
    """Something that goes wrong with the next calls about catalogues.

    Args:
        kind: `refuse` answers with the code; `drop` cuts the connection and does nothing;
            `drop_after` does it and then cuts the connection.
        route: only calls of this route; of all when it is `any`.
        times: how many calls it meets.
        code: the Graph error code of `refuse`.
        http_status: of `refuse`; the usual one of the code when absent.
    """

    kind: CatalogFaultKind
    route: str = "any"
    times: int = 1
    code: int = 2
    http_status: int | None = None


@dataclass(frozen=True, slots=True)
class ItemFault:
    """An item that fails when its batch is worked off, so many times."""

    item: str
    message: str
    times: int = 1


class Trade:
    """Everything the sandbox knows of catalogues.

    Args:
        holds_batches: batches wait until they are released.
    """

    def __init__(self, *, holds_batches: bool = False) -> None:
        self.holds_batches = holds_batches
        self.catalogs: dict[str, Catalog] = {}
        self.sets: dict[str, ProductSet] = {}
        self.connections: dict[str, str] = {}
        self.settings: dict[str, CommerceSettings] = {}
        self.calls: list[CatalogCall] = []
        self.faults: list[CatalogFault] = []
        self.item_faults: list[ItemFault] = []
        self._catalog_ids = count(2 * 10**15 + 1)
        self._set_ids = count(3 * 10**15 + 1)
        self._item_ids = count(4 * 10**15 + 1)
        self._handles = count(1)

    def new_catalog_id(self) -> str:
        """Return an id that no catalogue has or had."""
        return str(next(self._catalog_ids))

    def new_set_id(self) -> str:
        """Return an id that no product set has or had."""
        return str(next(self._set_ids))

    def new_item_id(self) -> str:
        """Return an id that no item has or had."""
        return str(next(self._item_ids))

    def new_handle(self) -> str:
        """Return a handle that no batch has or had."""
        return f"Acz-sandbox-{next(self._handles)}"

    def catalogs_of(self, business_id: str) -> list[Catalog]:
        """Return the catalogues of a business, the oldest first."""
        return [one for one in self.catalogs.values() if one.business_id == business_id]

    def sets_of(self, catalog_id: str) -> list[ProductSet]:
        """Return the product sets of a catalogue, the oldest first."""
        return [one for one in self.sets.values() if one.catalog_id == catalog_id]

    def connected(self, waba_id: str) -> Catalog | None:
        """Return the catalogue that is connected to a WhatsApp account."""
        return self.catalogs.get(self.connections.get(waba_id, ""))

    def settings_of(self, phone_number_id: str) -> CommerceSettings:
        """Return what customers see on a phone number."""
        return self.settings.setdefault(phone_number_id, CommerceSettings())

    def forget_catalog(self, catalog_id: str) -> None:
        """Delete a catalogue with all that hangs on it."""
        del self.catalogs[catalog_id]
        self.sets = {n: one for n, one in self.sets.items() if one.catalog_id != catalog_id}
        self.connections = {w: c for w, c in self.connections.items() if c != catalog_id}

    def put_item(self, catalog: Catalog, item: str, fields: JsonObject) -> None:
        """Write the fields of an item; it keeps Meta's id."""
        known = catalog.items.get(item)
        item_id = self.new_item_id() if known is None else known.id
        catalog.items[item] = Item(item_id, fields)

    def calls_by_route(self) -> dict[str, int]:
        """Count the calls about catalogues by route."""
        return dict(Counter(call.route for call in self.calls))

    def take_fault(self, route: str) -> CatalogFault | None:
        """Use up one time of the first fault that meets this call."""
        for index, fault in enumerate(self.faults):
            if fault.route in ("any", route):
                left = replace(fault, times=fault.times - 1)
                self.faults[index : index + 1] = [left] if left.times > 0 else []
                return fault
        return None

    def take_item_fault(self, item: str) -> ItemFault | None:
        """Use up one time of the first fault that meets this item."""
        for index, fault in enumerate(self.item_faults):
            if fault.item == item:
                left = replace(fault, times=fault.times - 1)
                self.item_faults[index : index + 1] = [left] if left.times > 0 else []
                return fault
        return None
