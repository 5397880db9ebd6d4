"""Random trouble for sends: what a send meets by chance; `ordeal` lets it be suffered."""

from dataclasses import dataclass, field
from random import Random  # noqa: TID251
from typing import Literal, get_args

Blow = Literal["throttled", "pair", "error", "gateway", "cut_before", "cut_after"]
BLOWS: tuple[Blow, ...] = get_args(Blow)


@dataclass(frozen=True, slots=True)
class Weather:
    """How likely it is that something goes wrong with a send; all of it is a probability.

    A send is delayed or not, and then meets at most one of the others.

    Args:
        seed: with the same one the nth send to a customer has the same luck.
        delay: it waits before anything else, for as long as...
        longest_delay: ...so many seconds, or shorter.
        throttled: refused with 130429 and status 429.
        pair: refused with 131056.
        error: refused with 131000 or 131016.
        gateway: a web page with status 502 or 504 comes back, Meta never saw it.
        cut_before: the connection is cut before it is taken.
        cut_after: it is taken and the connection is cut.
        streak: after so many blows in a row for one customer the next send is spared; 0: never.
    """

    seed: int = 0
    delay: float = 0.0
    longest_delay: float = 0.0
    throttled: float = 0.0
    pair: float = 0.0
    error: float = 0.0
    gateway: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    streak: int = 0

    def __post_init__(self) -> None:
        total = sum(getattr(self, blow) for blow in BLOWS)
        # A sum such as 0.7 + 0.2 + 0.1 is not exact.
        if total > 1.000001:
            raise ValueError(f"{', '.join(BLOWS)} add up to {total:g}, which is more than 1")


@dataclass(frozen=True, slots=True)
class Spell:
    """What one send meets: seconds to wait, a blow, and the answer if Meta or a gateway gives one.

    Args:
        code: of an `error`.
        http_status: of a `gateway`.
    """

    delay: float
    blow: Blow | None
    code: int
    http_status: int


@dataclass(slots=True)
class _Luck:
    dice: Random
    in_a_row: int = 0


@dataclass(slots=True)
class Sky:
    """The weather as it is now, and what it did."""

    weather: Weather
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("sends", "delay", *BLOWS), 0)
    )
    _lucks: dict[tuple[str, str], _Luck] = field(default_factory=dict, init=False)

    def become(self, weather: Weather) -> None:
        """Change the weather; its luck begins anew."""
        self.weather = weather
        self._lucks.clear()

    def spell(self, phone_number_id: str, phone: str) -> Spell:
        """Return what the next send from this number to this customer meets."""
        self.counts["sends"] += 1
        luck = self._lucks.get((phone_number_id, phone))
        if luck is None:
            luck = _Luck(Random(f"{self.weather.seed}/{phone_number_id}/{phone}"))
            self._lucks[phone_number_id, phone] = luck
        # Always the same number of throws, so that the next send's luck hangs on nothing else.
        waits, how_long, which, variant = (luck.dice.random() for _ in range(4))
        delay = how_long * self.weather.longest_delay if waits < self.weather.delay else 0.0
        blow = self._blow(which)
        if self.weather.streak and luck.in_a_row >= self.weather.streak:
            blow = None
        luck.in_a_row = 0 if blow is None else luck.in_a_row + 1
        self.counts["delay"] += delay > 0
        if blow is not None:
            self.counts[blow] += 1
        first = variant < 0.5
        return Spell(delay, blow, 131000 if first else 131016, 502 if first else 504)

    def _blow(self, thrown: float) -> Blow | None:
        for blow in BLOWS:
            thrown -= getattr(self.weather, blow)
            if thrown < 0:
                return blow
        return None
