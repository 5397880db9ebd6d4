"""Where a customer stands with each of two versions, and what of that is worth a new try."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.rehearsal.compare.acts import Match
from engine.rehearsal.compare.side import Version
from engine.rehearsal.moment import Moment
from engine.spec.chart import Chart


@dataclass(frozen=True, slots=True)
class Pair:
    """A moment with each version, come to by the same acts.

    Args:
        offers: what the newest messages offer.
        said: their names.
        past: what was offered on the way, by the event it raises.
        is_loose: the two were answered otherwise: only what is said alike is compared.
    """

    before: Moment
    after: Moment
    offers: tuple[Match, ...] = ()
    said: tuple[str, ...] = ()
    past: Mapping[str, Match] = field(default_factory=dict)
    trail: tuple[str, ...] = ()
    is_loose: bool = False

    @property
    def place(self) -> tuple[str | None, str | None]:
        """Name the two states."""
        return self.before.state, self.after.state

    @property
    def language(self) -> str | None:
        """Name the language that is spoken; None before the first message."""
        talk = self.after.conversation
        return talk.language if talk else None

    @property
    def has_cart(self) -> bool:
        """Tell whether there is something in the cart."""
        return self.after.cart is not None and self.before.cart is not None


class Situations:
    """Names the situations of two versions: what is tried in one is not tried in it again."""

    def __init__(self, before: Version, after: Version) -> None:
        self._versions = before, after
        self._asked: dict[tuple[int, str], frozenset[str]] = {}

    def of(self, pair: Pair, since: Pair) -> Hashable:
        """Name what the next act builds on, as far as it is worth trying everything again."""
        words = frozenset(
            offer.choice.id.partition(":")[0].partition("#")[0]
            for match in pair.offers
            for offer in match
            if offer
        )
        before = self._standing(0, pair.before, since.before)
        return pair.said, words, before, self._standing(1, pair.after, since.after)

    def _standing(self, place: int, moment: Moment, since: Moment) -> Hashable:
        """Name where a customer stands, what he has, and what he has just changed."""
        talk = moment.conversation
        if talk is None or talk.position is None:
            return None
        leaf = talk.position.leaf
        if (place, leaf) not in self._asked:
            self._asked[place, leaf] = _asked(self._versions[place].bundle.chart, leaf)
        held = since.conversation.variables if since.conversation else {}
        noted = sorted(
            (name, _shape(value))
            for name, value in talk.variables.items()
            if value is not None and (name in self._asked[place, leaf] or value != held.get(name))
        )
        cart = moment.cart
        is_over = bool(cart and cart.expires_at and cart.expires_at <= moment.now)
        return leaf, bool(cart), is_over, tuple(noted)


def _asked(chart: Chart, leaf: str) -> frozenset[str]:
    """Name the variables that the guards of a state ask for, and of those around it."""
    branches = (
        branch
        for state in chart.path(leaf)
        for _, branches in chart.states[state].branches()
        for branch in branches
    )
    return frozenset(name for b in branches if b.condition for name in b.condition.names)


def _shape(value: Any) -> str:
    """Tell of a noted value what guards are likely to ask: `delivery`, but not which product."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value if len(value) <= 12 and value.isalpha() else "text"
    if isinstance(value, dict):
        return ",".join(f"{key} {_size(part)}" for key, part in value.items() if part)
    return f"{type(value).__name__} {bool(value)}"


def _size(value: Any) -> int:
    return len(value) if isinstance(value, (list, dict)) else 1
