"""A customer as a script: what he taps when he sees a message, and what he thinks he ordered.

He does no input or output. He taps what he is shown, by its wire id, and is patient: a message he
does not wait for changes nothing.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from engine.sandbox.choices import Choice, choices
from engine.sandbox.state import Received

NUMBER = re.compile(r"#([0-9A-Z]{6})\*? confirm")
"""The order number in a confirmation, in both languages."""
ADDRESS = "12 Mulberry Street, apartment 3"
PLACE = {"latitude": -12.1502, "longitude": -77.0221, "address": "Jr. Colina 318, Barranco"}
Wire = Mapping[str, Any]
Item = tuple[str, str, tuple[str, ...]]
"""What was chosen: product, presentation or nothing, and modifiers."""

LINES = (1, 1, 1, 2, 2, 3)
"""How many products somebody puts in his cart."""
_ENDINGS = frozenset({"choices", "quantity", "added"})


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order as its customer knows it."""

    number: str
    items: Counter[Item]


@dataclass(slots=True)
class _Draft:
    """The product he chooses just now."""

    product: str = ""
    presentation: str = ""
    modifiers: set[str] = field(default_factory=set)
    quantity: int = 1


@dataclass
class Script:
    """What one customer does.

    Args:
        greeting: what he begins with.
        favourite: a product without choices, which he taps on an old message to begin with; who
            has none looks around first.
        orders: what he has ordered, in order.
        awaiting: the kinds of messages he waits for; none before he begins and when he is done.
        surprises: messages he did not wait for.
    """

    chance: Random
    greeting: str = "hi"
    favourite: str = ""
    orders: list[Ordered] = field(default_factory=list)
    confirmations: list[str] = field(default_factory=list)
    awaiting: frozenset[str] = frozenset()
    surprises: list[str] = field(default_factory=list)
    _cart: Counter[Item] = field(default_factory=Counter)
    _draft: _Draft = field(default_factory=_Draft)
    _argument: str = ""
    _wanted: int = 0

    def begin(self) -> Wire:
        """Give what he says first."""
        self._start()
        if self.favourite:
            return self._again()
        self.awaiting = frozenset({"menu"})
        return {"type": "text", "text": {"body": self.greeting}}

    def _again(self) -> Wire:
        self._draft, self.awaiting = _Draft(product=self.favourite), frozenset({"added"})
        reply = {"id": f"add_to_cart:{self.favourite}", "title": "Add"}
        interactive = {"type": "button_reply", "button_reply": reply}
        return {"type": "interactive", "interactive": interactive}

    def hear(self, message: Received, *, is_over: bool) -> Wire | None:
        """Give what he answers to a message; None if nothing.

        Args:
            is_over: he orders nothing more once he has his confirmation.
        """
        kind, offered = kind_of(message), tuple(choices(message))
        if kind == "confirmation":
            # Waited for or not: a second one is what must not be.
            self.confirmations.append(_text(message))
        if kind not in self.awaiting:
            self.surprises.append(kind)
            return None
        if kind == "confirmation":
            return self._confirmed(offered, message, is_over=is_over)
        answer: Callable[[tuple[Choice, ...]], Wire] = getattr(self, f"_{kind}")
        return answer(offered)

    def _start(self) -> None:
        self._cart = Counter()
        self._wanted = self.chance.choice(LINES)

    def _tap(self, offered: tuple[Choice, ...], start: str, *then: str) -> Wire:
        found = [choice for choice in offered if re.match(rf"{re.escape(start)}(:|$)", choice.id)]
        self.awaiting = frozenset(then)
        tapped = self.chance.choice(found)
        self._argument = tapped.id.partition("|")[2].partition("#")[0]
        return tapped.reply()

    def _menu(self, offered: tuple[Choice, ...]) -> Wire:
        return self._tap(offered, "browse_catalog", "categories")

    def _categories(self, offered: tuple[Choice, ...]) -> Wire:
        return self._tap(offered, "cat", "products")

    def _products(self, offered: tuple[Choice, ...]) -> Wire:
        return self._tap(offered, "prod", "product", "unavailable")

    def _unavailable(self, offered: tuple[Choice, ...]) -> Wire:
        return self._menu(offered)

    def _product(self, offered: tuple[Choice, ...]) -> Wire:
        way = next(c.id for c in offered if c.id.startswith(("customize:", "add_to_cart:")))
        verb, self._draft = way.split(":")[0], _Draft(product=way.split(":", 1)[1])
        endings = _ENDINGS | {"size"} if verb == "customize" else {"added"}
        return self._tap(offered, verb, *endings)

    def _size(self, offered: tuple[Choice, ...]) -> Wire:
        reply = self._tap(offered, "size", *_ENDINGS)
        self._draft.presentation = self._argument
        return reply

    def _choices(self, offered: tuple[Choice, ...]) -> Wire:
        chosen = sum(choice.title.startswith("✅") for choice in offered)
        can_end = any(choice.id.startswith("choose_done:") for choice in offered)
        if can_end and (chosen or self.chance.random() < 0.5):
            return self._tap(offered, "choose_done", *_ENDINGS)
        free = tuple(choice for choice in offered if not choice.title.startswith("✅"))
        reply = self._tap(free, "choose", *_ENDINGS)
        self._draft.modifiers.add(self._argument)
        return reply

    def _quantity(self, offered: tuple[Choice, ...]) -> Wire:
        reply = self._tap(offered, "quantity", "added")
        self._draft.quantity = int(self._argument)
        return reply

    def _added(self, offered: tuple[Choice, ...]) -> Wire:
        draft = self._draft
        item = (draft.product, draft.presentation, tuple(sorted(draft.modifiers)))
        self._cart[item] += draft.quantity
        self._wanted -= 1
        if self._wanted > 0:
            return self._menu(offered)
        return self._tap(offered, "checkout", "receiving")

    def _receiving(self, offered: tuple[Choice, ...]) -> Wire:
        if self.chance.random() < 0.5:
            return self._tap(offered, "pickup", "payment")
        return self._tap(offered, "delivery", "address", "below_minimum")

    def _below_minimum(self, offered: tuple[Choice, ...]) -> Wire:
        return self._tap(offered, "pickup", "payment")

    def _address(self, _: tuple[Choice, ...]) -> Wire:
        self.awaiting = frozenset({"payment"})
        if self.chance.random() < 0.5:
            return {"type": "location", "location": PLACE}
        return {"type": "text", "text": {"body": ADDRESS}}

    def _payment(self, offered: tuple[Choice, ...]) -> Wire:
        return self._tap(offered, "pay", "summary")

    def _summary(self, offered: tuple[Choice, ...]) -> Wire:
        return self._tap(offered, "confirm", "confirmation")

    def _confirmed(
        self, offered: tuple[Choice, ...], message: Received, *, is_over: bool
    ) -> Wire | None:
        found = NUMBER.search(_text(message))
        self.orders.append(Ordered(found[1] if found else "", self._cart))
        self._start()
        if is_over:
            self.awaiting = frozenset()
            return None
        return self._again() if self.favourite else self._menu(offered)


def kind_of(message: Received) -> str:
    """Name what a message is, by what it offers; `other` if it is nothing of a purchase."""
    if message.payload.get("interactive", {}).get("type") == "location_request_message":
        return "address"
    if NUMBER.search(_text(message)):
        return "confirmation"
    events = {choice.id.split(":")[0] for choice in choices(message)}
    is_list = message.payload.get("interactive", {}).get("type") == "list"
    for kind, marks, needs_list in _KINDS:
        if events >= marks and needs_list in (None, is_list):
            return kind
    return "other"


# The first that fits: which events a message offers, and whether they are in a list.
_KINDS: tuple[tuple[str, frozenset[str], bool | None], ...] = (
    ("product", frozenset({"customize"}), False),
    ("product", frozenset({"add_to_cart"}), False),
    ("unavailable", frozenset({"cat", "browse_catalog"}), False),
    ("products", frozenset({"prod"}), True),
    ("categories", frozenset({"cat"}), True),
    ("size", frozenset({"size"}), True),
    ("choices", frozenset({"choose"}), True),
    ("quantity", frozenset({"quantity"}), False),
    ("added", frozenset({"view_cart", "checkout", "browse_catalog"}), False),
    ("receiving", frozenset({"delivery", "pickup"}), False),
    ("below_minimum", frozenset({"pickup", "browse_catalog"}), False),
    ("payment", frozenset({"pay"}), None),
    ("summary", frozenset({"confirm"}), False),
    ("menu", frozenset({"browse_catalog"}), False),
)


def _text(message: Received) -> str:
    payload = message.payload
    if payload["type"] == "interactive":
        return str(payload["interactive"].get("body", {}).get("text", ""))
    return str(payload.get("text", {}).get("body", ""))
