"""Meta's limits on how fast messages may be sent, and who has used up how much of them."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from engine.sandbox.envelope import Complaint

THROUGHPUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that are kept; those that are 0 are not.

    Args:
        pair_interval: seconds between two messages to the same customer, on average.
        pair_burst: so many messages to him may come at once; they borrow from the future.
        pair_pause: once `pair_interval` seconds have passed since a burst began, nothing is taken
            until all that was borrowed is paid back, as Meta's example has it.
        throughput: messages of a number in any second, those of its customers among them.
    """

    pair_interval: float = 0.0
    pair_burst: int = 45
    pair_pause: bool = False
    throughput: int = 0


META_LIMITS = Limits(pair_interval=6.0, throughput=80)


@dataclass(slots=True)
class _Pair:
    """What was sent to a customer: when the burst began, and until when it is paid back."""

    began: float
    paid_back: float


class Meter:
    """Measures what is sent against the limits."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self.limits = limits
        self.counts = {"pair": 0, "throughput": 0}
        self._now = now
        self._pairs: dict[tuple[str, str], _Pair] = {}
        self._recent: dict[str, deque[float]] = {}

    def become(self, limits: Limits) -> None:
        """Change the limits; what was used up of the old ones is forgotten."""
        self.limits = limits
        self._pairs.clear()
        self._recent.clear()

    def hear(self, phone_number_id: str) -> None:
        """Count a message of a customer; it is never refused."""
        if self.limits.throughput:
            self._lately(phone_number_id).append(self._now())

    def take(self, phone_number_id: str, phone: str) -> Complaint | None:
        """Count a send, or tell which limit it would exceed and do not count it."""
        if self._is_too_much(phone_number_id):
            self.counts["throughput"] += 1
            return Complaint(130429, "Message failed to send because of the number's throughput")
        if not self._take_pair(phone_number_id, phone):
            self.counts["pair"] += 1
            details = "Too many messages sent from this phone number to the same phone number"
            return Complaint(131056, details)
        self.hear(phone_number_id)
        return None

    def _is_too_much(self, phone_number_id: str) -> bool:
        limit = self.limits.throughput
        return bool(limit) and len(self._lately(phone_number_id)) >= limit

    def _lately(self, phone_number_id: str) -> deque[float]:
        recent = self._recent.setdefault(phone_number_id, deque())
        while recent and recent[0] <= self._now() - THROUGHPUT_SECONDS:
            recent.popleft()
        return recent

    def _take_pair(self, phone_number_id: str, phone: str) -> bool:
        interval = self.limits.pair_interval
        if not interval:
            return True
        now, key = self._now(), (phone_number_id, phone)
        pair = self._pairs.get(key)
        if pair is None or pair.paid_back <= now:
            self._pairs[key] = _Pair(now, now + interval)
            return True
        if self.limits.pair_pause and now >= pair.began + interval:
            return False
        if pair.paid_back + interval > now + self.limits.pair_burst * interval:
            return False
        pair.paid_back += interval
        return True
