"""What a customer may send, as typed values, and who he is; nothing is read or checked here.

What is not known, or not as it should be, has values too: `Unknown` and `Unsupported`. Wire
shapes: Meta's pages webhooks/reference/messages/* and business-scoped-user-ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote a message; at least one of user id and phone is there.

    Args:
        user_id: the business-scoped user id; old payloads have none.
        phone: digits with country code, no "+"; one with a username need not share it.
        name: what the user calls himself.
        username: the adopted username.
    """

    user_id: str | None
    phone: str | None
    name: str | None = None
    username: str | None = None

    @property
    def key(self) -> str:
        """The customer key: the user id when WhatsApp gives one, else the phone number."""
        return self.user_id or self.phone or ""


@dataclass(frozen=True, slots=True)
class Text:
    """A typed text."""

    body: str


@dataclass(frozen=True, slots=True)
class Tap:
    """A choice among what we offered: a list row, a reply button or a template's quick reply."""

    id: str
    title: str
    source: Literal["list", "button", "template"]


@dataclass(frozen=True, slots=True)
class FlowReply:
    """The completion of a Flow.

    Args:
        response: its parameters; empty when they could not be read.
        token: the `flow_token` among them; iOS is known to leave it out.
    """

    response: Mapping[str, Any]
    token: str | None


@dataclass(frozen=True, slots=True)
class AddressReply:
    """The answer to an address message (India); empty when it could not be read."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CallPermission:
    """The answer to a call permission request: "accept" or "reject"."""

    response: str


@dataclass(frozen=True, slots=True)
class Location:
    """A place, in degrees; the user's own when it answers a location request."""

    latitude: float
    longitude: float
    name: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class NativeOrderItem:
    """A line of a native cart.

    Args:
        product_id: our id of the product, Meta's `product_retailer_id`.
        quantity: units, at least 1.
        item_price: the price of one unit in major units, as Meta's catalogue had it.
        currency: ISO 4217 code.
    """

    product_id: str
    quantity: int
    item_price: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class NativeOrder:
    """A cart that the customer filled in WhatsApp's own catalogue and sent.

    Args:
        catalog_id: Meta's id of the catalogue.
        text: the note that came with it.
        items: at least one; an order with an unreadable line is `Unknown`, never a shorter one.
    """

    catalog_id: str
    text: str | None
    items: tuple[NativeOrderItem, ...]


MediaKind: TypeAlias = Literal["image", "video", "audio", "document", "sticker"]


@dataclass(frozen=True, slots=True)
class Media:
    """A file; `media_id` fetches it, `voice` marks a recorded voice message."""

    kind: MediaKind
    media_id: str
    mime_type: str | None = None
    caption: str | None = None
    voice: bool = False


@dataclass(frozen=True, slots=True)
class Contacts:
    """Address book entries, in Meta's own form.

    Args:
        contacts: at least one entry.
        is_contact_request: they answer our request for the customer's phone number.
    """

    contacts: tuple[Mapping[str, Any], ...]
    is_contact_request: bool


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji put on a message, or taken away when there is none."""

    message_id: str
    emoji: str | None


@dataclass(frozen=True, slots=True)
class SystemChange:
    """A change of the customer's identity, told by WhatsApp.

    Args:
        kind: `user_changed_number`, `user_changed_user_id` or `customer_identity_changed`.
        wa_id: the new phone number.
        user_id: the new user id.
        previous_user_id: the one he had.
    """

    kind: str
    wa_id: str | None
    user_id: str | None
    previous_user_id: str | None


@dataclass(frozen=True, slots=True)
class Welcome:
    """The customer opened the chat for the first time; Meta does not always send it."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The customer changed a message he had sent."""

    original_id: str


@dataclass(frozen=True, slots=True)
class Revoked:
    """The customer deleted a message he had sent."""

    original_id: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A message that WhatsApp does not hand to businesses; the code says why (such as 131051)."""

    code: int | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a kind or shape not known here, such as "poll" or "interactive.poll"."""

    type: str


@dataclass(frozen=True, slots=True)
class Raised:
    """Something that became of a message of ours; it comes from us, through the same inbox.

    Args:
        event: its name for the chart, such as `flow_refused`.
        data: plain values the chart reads as `event.<key>`.
    """

    event: str
    data: Mapping[str, Any]


Content: TypeAlias = (
    Text
    | Raised
    | Tap
    | FlowReply
    | AddressReply
    | CallPermission
    | Location
    | NativeOrder
    | Media
    | Contacts
    | Reaction
    | SystemChange
    | Welcome
    | Edited
    | Revoked
    | Unsupported
    | Unknown
)
