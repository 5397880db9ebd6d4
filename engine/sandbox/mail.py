"""Trouble with the webhooks of messages and statuses: how often, how late, in which order.

The courier carries them; what is in them is not looked at here.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random  # noqa: TID251
from typing import Literal

Order = Literal["customer", "messages", "none"]

FIRST_PAUSES = (0.2, 0.5, 1.0)
FURTHER_PAUSE = 2.0
# How long a customer's message is repeated when nothing else is said.
USUAL_REPEATS = 60.0


@dataclass(frozen=True, slots=True)
class Mail:
    """How webhooks travel.

    Args:
        seed: of all chance in it.
        copies: how often each update is delivered; the further ones start with the first.
        order: `customer` keeps it for all that concerns a customer, `messages` for what he says
            while statuses overtake it, `none` for nothing.
        longest_delay: an update waits so many seconds, or shorter.
        batch: so many updates of a number are put in one POST, at most...
        batch_wait: ...when they come within so many seconds.
        repeat_for: what the engine does not take is repeated for so many seconds; when it is 0,
            statuses are repeated as the options say, customers' messages for a minute.
    """

    seed: int = 0
    copies: int = 1
    order: Order = "customer"
    longest_delay: float = 0.0
    batch: int = 1
    batch_wait: float = 0.05
    repeat_for: float = 0.0

    def lane(self, phone_number_id: str, phone: str, kind: str) -> Hashable | None:
        """Return what keeps its order together with an update, if it keeps any."""
        if self.order == "none" or (self.order == "messages" and kind != "message"):
            return None
        return phone_number_id, phone


@dataclass(slots=True)
class PostOffice:
    """The mail as it is now, its chance, and what was done."""

    mail: Mail
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("updates", "posts", "attempts", "given_up", "under_way"), 0
        )
    )
    dice: Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = Random(self.mail.seed)

    def become(self, mail: Mail) -> None:
        """Change how webhooks travel from now on."""
        self.mail = mail
        self.dice = Random(mail.seed)

    def delay(self) -> float:
        """Return how long the next update waits."""
        return self.dice.uniform(0.0, self.mail.longest_delay)


@lru_cache
def pauses(seconds: float) -> tuple[float, ...]:
    """Return the pauses before each further attempt: they grow, and end when the time is over."""

    def growing() -> Iterator[float]:
        yield from FIRST_PAUSES
        while True:
            yield FURTHER_PAUSE

    kept: list[float] = []
    left = seconds
    for pause in growing():
        left -= pause
        if left < 0:
            break
        kept.append(pause)
    return tuple(kept)
