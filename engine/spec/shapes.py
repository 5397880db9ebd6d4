"""Shapes: which parts the values have that texts and guards read, and which words they may be.

They say what `rendering.views`, the actions and a turn's events give; a test holds them against
all that made-up customers hear. A value without a shape may be anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, get_args

from engine.domain.native import Difference
from engine.domain.order import OrderStatus, OrderType
from engine.domain.tenant import WEEKDAYS
from engine.templating.reading import EACH
from engine.turn import EVENT_KEYS
from engine.whatsapp.content import MediaKind


@dataclass(frozen=True, slots=True)
class Words:
    """A value that is one of some words."""

    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Record:
    """A value with parts by name, and no others."""

    parts: Mapping[str, "Shape"]

    def with_parts(self, parts: Mapping[str, "Shape"]) -> "Record":
        """Give one with more parts."""
        return Record({**self.parts, **parts})


@dataclass(frozen=True, slots=True)
class Many:
    """A list; `of` is the shape of each element."""

    of: "Shape"


Shape: TypeAlias = Words | Record | Many | None
"""None: it may be anything."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """A part that a value does not have.

    Args:
        of: the path of the value.
        name: of the part.
        known: the parts it has.
    """

    of: str
    name: str
    known: frozenset[str]


def shape_at(path: str, shapes: Mapping[str, Shape]) -> Shape | Lacking:
    """Find the shape of a value by its path, or the first part of it that there is not."""
    root, *steps = path.split(".")
    shape = shapes.get(root)
    for place, step in enumerate(steps):
        if isinstance(shape, Many) and (step == EACH or step.isdecimal()):
            shape = shape.of
        elif isinstance(shape, Record):
            if step not in shape.parts:
                before = shown((root, *steps[:place]))
                return Lacking(before, step, frozenset(shape.parts))
            shape = shape.parts[step]
        else:
            return None
    return shape


def shown(path: str | Iterable[str]) -> str:
    """Write a path as authors do."""
    steps = path.split(".") if isinstance(path, str) else path
    return ".".join(step for step in steps if step != EACH)


def _record(*names: str, **shapes: Shape) -> Record:
    return Record({**dict.fromkeys(names), **shapes})


def _words(words: Iterable[str]) -> Words:
    return Words(frozenset(words))


_TYPE: Final = _words(OrderType)
_MINUTES: Final = _record("minimum", "maximum")
_PRICED: Final = Many(_record("name", "price"))
_LINE: Final = _record(
    "id", "product", "name", "presentation", "quantity", "unit_price", "total", modifiers=_PRICED
)
_CATEGORY: Final = _record("id", "name", "products")
_GROUP: Final = _record(
    "id", "name", "minimum", "maximum", "chosen",
    modifiers=Many(_record("id", "name", "price", "is_available", "is_chosen")),
)  # fmt: skip
_PRODUCT: Final = _record(
    "id", "name", "description", "price", "is_from_price", "image", "is_available",
    "is_customizable",
    category=_record("id", "name"),
    presentations=Many(_record("id", "name", "price", "is_available")),
    groups=Many(_GROUP),
)  # fmt: skip
_QUOTE: Final = _record(
    "subtotal", "delivery_fee", "tax", "tax_rate", "is_tax_included", "total", "fingerprint",
    lines=Many(_LINE),
)  # fmt: skip
_DIFFERENCES: Final = Many(
    _record(
        "name", "product", "presentation", "seen", "now", "maximum", "quantity",
        kind=_words(Difference),
    )
)  # fmt: skip

KINDS: Final = (
    "text", "tap", "media", "location", "contacts", "native_order", "flow_reply", "unsupported",
    "empty", "welcome", "typed", "from_staff",
)  # fmt: skip
"""The events of what a customer can send, by its kind."""
EVENT: Final = _record(
    *EVENT_KEYS,
    "page",
    "order",
    "meaning",
    "reason",  # of a refusal one of a few words, of an order's move whatever somebody wrote
    status=_words(OrderStatus),
    type=_TYPE,
    kind=_words((*get_args(MediaKind), "voice", "unknown", *KINDS)),
    items=Many(_record("product", "presentation", "quantity", "price", "currency")),
)
"""What an event has; the end of a Flow has what the Flow gives."""

SHAPES: Final[Mapping[str, Shape]] = {
    # What every turn knows.
    "event": EVENT,
    "cart": _record("count", "subtotal", "is_expired", lines=Many(_LINE)),
    "customer": _record("name", "phone", "has_written"),
    "tenant": _record(
        "name", "phone", "address", "currency", "time_zone", "languages", "tax_rate",
        hours=Many(_record("spans", day=_words(WEEKDAYS))),
        delivery=_record("fee", "free_from", "minimum_order", minutes=_MINUTES),
        pickup=_record(minutes=_MINUTES),
        receiving=Many(_record("fee", id=_TYPE, minutes=_MINUTES)),
        payment_methods=Many(_record("id", "name")),
    ),
    # What actions note or load.
    "added": _LINE,
    "address": _record("text", "latitude", "longitude"),
    "categories": Many(_CATEGORY),
    "category": _record("id", "name"),
    "changes": Many(_record("name", "is_gone", "before", "now")),
    "draft": _record("product", "presentation", "modifiers", "done", "quantity"),
    "flow": _record("id", "token"),
    "group": _GROUP,
    "native": _record(
        "catalog", sections=Many(_record("title", "items")), others=Many(_PRODUCT)
    ),
    "native_cart": _record(
        taken=Many(_LINE), differences=_DIFFERENCES, to_customize=_DIFFERENCES
    ),
    "order": _QUOTE.with_parts(
        {
            **dict.fromkeys(
                ("number", "address", "notes", "payment", "instructions", "created_at")
            ),
            "status": _words(OrderStatus),
            "type": _TYPE,
            "minutes": _MINUTES,
        }
    ),
    "order_type": _TYPE,
    "priced": _LINE.with_parts(
        {
            "modifiers": Many(_record("name", "quantity", "price")),
            "modifiers_total": None,
            "base": None,
        }
    ),
    "product": _PRODUCT,
    "products": Many(_PRODUCT),
    "quote": _QUOTE,
}  # fmt: skip
"""By name, the shapes of variables."""
