"""What the sync asks of Meta: its calls as a protocol, and the values they give; no HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.sync.ports import ItemId

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """What Meta said to a batch of items.

    Args:
        handles: empty when nothing of it was taken.
        faults: by item, why it was not taken.
        usage: percent of the rate limit that is used up; 0 when Meta does not say.
        wait: seconds until calls are taken again; 0 when Meta does not say.
    """

    handles: tuple[str, ...]
    faults: Mapping[ItemId, str] = field(default_factory=dict)
    usage: int = 0
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """How far Meta is with a handle.

    Args:
        faults: by item, why it was not saved.
        is_lost: Meta has given it up; what of it was saved is not known.
    """

    is_finished: bool
    faults: Mapping[ItemId, str] = field(default_factory=dict)
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class MetaCatalog:
    """A catalogue of a business."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class MetaItem:
    """An item as Meta has it: field names and texts as the Graph API gives them."""

    item: ItemId
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MetaSet:
    """A product set of a catalogue.

    Args:
        retailer_id: our id of it; empty of one that was made by hand.
    """

    id: str
    name: str
    retailer_id: str = ""


@dataclass(frozen=True, slots=True)
class CommerceSettings:
    """What customers see of a catalogue on a number."""

    is_cart_enabled: bool
    is_catalog_visible: bool


class CatalogCalls(Protocol):
    """The Graph API's calls for catalogues, with one access token.

    Each raises GraphRetryable when Meta does not answer or says later, with `wait` if Meta says
    how long, and GraphTerminal when it refuses for good.
    """

    async def catalogs(self, business_id: str) -> tuple[MetaCatalog, ...]:
        """Give the catalogues a business owns."""
        ...

    async def create_catalog(self, business_id: str, name: str) -> str:
        """Make a catalogue and give its id."""
        ...

    async def send(self, catalog_id: str, requests: Sequence[Json]) -> Taken:
        """Give Meta a batch of items: `{"method", "data"}` each, at most 3,000."""
        ...

    async def status(self, catalog_id: str, handle: str) -> BatchStatus:
        """Ask how far a handle is."""
        ...

    async def items(
        self, catalog_id: str, *, after: str | None = None
    ) -> tuple[tuple[MetaItem, ...], str | None]:
        """Give a page of a catalogue's items, and where the next one begins."""
        ...

    async def item(self, catalog_id: str, item: ItemId) -> MetaItem | None:
        """Give one item of a catalogue."""
        ...

    async def sets(self, catalog_id: str) -> tuple[MetaSet, ...]:
        """Give a catalogue's product sets."""
        ...

    async def create_set(self, catalog_id: str, *, name: str, retailer_id: str, rule: Json) -> str:
        """Make a product set and give its id."""
        ...

    async def rename_set(self, set_id: str, name: str) -> None:
        """Give a product set another name."""
        ...

    async def delete_set(self, set_id: str) -> None:
        """Delete a product set; that one is gone already is no error."""
        ...

    async def connected(self, waba_id: str) -> tuple[MetaCatalog, ...]:
        """Give the catalogues connected to a WhatsApp account."""
        ...

    async def connect(self, waba_id: str, catalog_id: str) -> None:
        """Connect a catalogue to a WhatsApp account."""
        ...

    async def commerce_settings(self, phone_number_id: str) -> CommerceSettings | None:
        """Tell what customers see on a number; None if Meta does not tell."""
        ...

    async def show_catalog(self, phone_number_id: str) -> None:
        """Show the catalogue and the cart on a number."""
        ...
