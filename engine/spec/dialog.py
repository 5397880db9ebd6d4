"""A scripted conversation as authored in `dialogs/*.yaml`: what a customer does, step by step."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.functional_validators import AfterValidator

Sent = Literal["voice", "image", "sticker", "reaction", "contacts", "unknown", "empty"]
"""What a customer can send that is no text."""
EVENING: Final = datetime(2030, 6, 14, 19, 30)  # noqa: DTZ001 - in the tenant's time zone
"""When a dialog begins that does not say when: a Friday evening."""
FIRST_YEAR, LAST_YEAR = 2000, 2100
LONGEST_NAME = 60
"""Of a step; the rest of a long text is left out."""


class DialogPart(BaseModel):
    """A part of a dialog: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(DialogPart):
    """A place a customer shares."""

    latitude: Annotated[float, Field(ge=-90, le=90, description="Degrees north.")]
    longitude: Annotated[float, Field(ge=-180, le=180, description="Degrees east.")]
    name: str = Field(default="", description="What WhatsApp calls the place.")
    address: str = Field(default="", description="Its address, if WhatsApp knows it.")


class Expectation(DialogPart):
    """What must hold at this point of the dialog; the transcript does not show it."""

    state: str | None = Field(default=None, description="The state the conversation is in.")
    order: dict[
        Literal["total", "subtotal", "tax", "deliveryFee", "type", "paymentMethod", "status"], Any
    ] = Field(default_factory=dict, description="Fields of the customer's newest order.")
    orders: int | None = Field(default=None, description="How many orders the customer has.")
    cart: int | None = Field(default=None, description="Units in the cart.")
    staff: int | None = Field(
        default=None, description="How many messages the staff has got in this dialog."
    )

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("nothing is expected here")
        return self


class Change(DialogPart):
    """What the back end changes in the meantime."""

    product: str = Field(description="Id of a product of `catalog.yaml`.")
    price: Decimal | None = Field(default=None, description="Its price from now on.")
    available: bool | None = Field(default=None, description="Whether it can be had from now on.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.price is None and self.available is None:
            raise ValueError("nothing is changed: write a `price` or `available`")
        return self


class Move(DialogPart):
    """The shop moves the customer's newest order."""

    status: Literal[
        "confirmed", "preparing", "ready", "on_the_way", "delivered", "cancelled", "rejected"
    ] = Field(description="The status it gives it; what is not legal is not told.")
    reason: str = Field(default="", description="Why, for one that is cancelled or rejected.")


class StaffActs(DialogPart):
    """What the shop's people do: one of these."""

    types: str | None = Field(
        default=None, description="They type this to the customer on the business phone."
    )
    writes: str | None = Field(
        default=None, description="They write this to the shop from the number of `staff.phone`."
    )
    taps: str | None = Field(
        default=None, description="They tap the newest button with this title there."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [v for v in (self.types, self.writes, self.taps) if v is not None]
        if len(given) != 1 or not given[0].strip():
            raise ValueError("write one of `types`, `writes` and `taps`, with a text")
        return self


class OrderedItem(DialogPart):
    """An item of a cart filled in WhatsApp's own catalogue."""

    item: str = Field(
        description="Meta's id of it: a product's id, or `<product>|<presentation>`."
    )
    quantity: Annotated[int, Field(ge=1)] = Field(default=1, description="How many of it.")
    price: Annotated[Decimal, Field(ge=0)] = Field(description="Of one unit, as he saw it there.")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="Without it the tenant's."
    )


class NativeCart(DialogPart):
    """A cart that the customer filled in WhatsApp's own catalogue."""

    items: Annotated[tuple[OrderedItem, ...], Field(min_length=1)] = Field(
        description="What is in it."
    )
    note: str = Field(default="", description="What he wrote to it.")


class Step(DialogPart):
    """One thing that happens; a step has exactly one of these keys."""

    say: str | None = Field(default=None, description="The customer writes this.")
    tap: str | None = Field(
        default=None,
        description="He taps the newest row or button with this title, or this wire id.",
    )
    tap_old: str | None = Field(
        default=None, description="He taps the oldest row or button with this title or wire id."
    )
    flow: tuple[dict[str, Any] | str, ...] | None = Field(
        default=None,
        description="He opens the newest Flow: for every screen what he fills in, by the input's "
        "label or name, before he taps its button; or `back`, or `close`.",
    )
    order: NativeCart | None = Field(
        default=None, description="He sends a cart that he filled in WhatsApp's own catalogue."
    )
    location: Place | None = Field(default=None, description="He shares a place.")
    send: Sent | None = Field(default=None, description="He sends something that is no text.")
    wait: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}[smhd]$")] | None = Field(
        default=None, description="Time passes, such as 25h; he sees what comes meanwhile."
    )
    change: Change | None = Field(default=None, description="The back end changes a product.")
    move: Move | None = Field(default=None, description="The shop moves his newest order.")
    staff: StaffActs | None = Field(
        default=None,
        description="The shop's people do something. What the number of `staff.phone` gets is in "
        "the transcript after every step.",
    )
    expect: Expectation | None = Field(default=None, description="Something must hold now.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a step has exactly one key")
        if getattr(self, self.kind) is None:
            raise ValueError(f"'{self.kind}' says nothing")
        return self

    @property
    def kind(self) -> str:
        """Name its key."""
        return next(iter(self.model_fields_set))

    def __str__(self) -> str:
        """Write it as an author would name it: `tap: Checkout`."""
        value = getattr(self, self.kind)
        if not isinstance(value, str):
            return self.kind
        said = " ".join(value.split())
        return (
            f"{self.kind}: {said if len(said) <= LONGEST_NAME else said[: LONGEST_NAME - 1] + '…'}"
        )


def _local(at: datetime) -> datetime:
    if at.tzinfo is not None:
        raise ValueError("it is in the tenant's time zone: leave the offset out")
    if not FIRST_YEAR <= at.year < LAST_YEAR:
        raise ValueError(f"it is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return at


class Opening(DialogPart):
    """How a scripted conversation begins."""

    about: str = Field(description="What it shows, in a sentence; its transcript begins with it.")
    customer: str = Field(default="Ana", description="The customer's name.")
    at: Annotated[datetime, AfterValidator(_local)] | None = Field(
        default=EVENING,
        description="When it begins, in the tenant's time zone, such as 2030-06-14T19:30:00.",
    )
    flows: bool = Field(default=False, description="The tenant's Flows are deployed.")


class Dialog(Opening):
    """A scripted conversation.

    `comanda test` plays it and compares what the customer saw with its transcript in
    `dialogs/snapshots/`.
    """

    steps: Annotated[tuple[Step, ...], Field(min_length=1)] = Field(
        description="What happens, in order."
    )
