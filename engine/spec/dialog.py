"""A scripted conversation as authored in `dialogs/*.yaml`: what a customer does, step by step."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class DialogPart(BaseModel):
    """A part of a dialog: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(DialogPart):
    """A place a customer shares."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: str = ""
    address: str = ""


class Expectation(DialogPart):
    """What must hold at this point of the dialog."""

    state: str | None = Field(default=None, description="The state the conversation is in.")
    order: dict[
        Literal["total", "subtotal", "tax", "deliveryFee", "type", "paymentMethod", "status"], Any
    ] = Field(default_factory=dict, description="Fields of the customer's newest order.")
    orders: int | None = Field(default=None, description="How many orders the customer has.")
    cart: int | None = Field(default=None, description="Units in the cart.")


class Change(DialogPart):
    """What the back end changes in the meantime."""

    product: str
    price: Decimal | None = None
    available: bool | None = None


class OrderedItem(DialogPart):
    """An item of a cart filled in WhatsApp's own catalogue."""

    item: str = Field(
        description="Meta's id of it: a product's id, or `<product>|<presentation>`."
    )
    quantity: Annotated[int, Field(ge=1)] = 1
    price: Annotated[Decimal, Field(ge=0)] = Field(description="Of one unit, as he saw it there.")
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = Field(
        default=None, description="Without it the tenant's."
    )


class NativeCart(DialogPart):
    """A cart that the customer filled in WhatsApp's own catalogue."""

    items: Annotated[tuple[OrderedItem, ...], Field(min_length=1)]
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
    send: (
        Literal["voice", "image", "sticker", "reaction", "contacts", "unknown", "empty"] | None
    ) = Field(default=None, description="He sends something that is no text.")
    wait: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}[smhd]$")] | None = Field(
        default=None, description="Time passes, such as 25h; he sees what comes meanwhile."
    )
    change: Change | None = Field(default=None, description="The back end changes a product.")
    expect: Expectation | None = Field(default=None, description="Something must hold now.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a step has exactly one key")
        return self


class Dialog(DialogPart):
    """A scripted conversation."""

    about: str = Field(description="What it shows, in a sentence.")
    customer: str = Field(default="Ana", description="The customer's name.")
    at: datetime | None = Field(
        default=datetime(2030, 6, 14, 19, 30),  # noqa: DTZ001 - in the tenant's time zone
        description="When it begins, in the tenant's time zone.",
    )
    flows: bool = Field(default=False, description="The tenant's Flows are deployed.")
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
