"""How fast messages may go out: to one customer, and from one business number.

Meta's limits (about-the-platform, throughput): 80 messages a second from a number; one in six
seconds to the same customer, of which 45 may be sent at once. What waits is not known here.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.domain.ids import CustomerKey, TenantId

PAIR_SECONDS: Final = 6.0
PAIR_BURST: Final = 45
PAIR_MEMORY: Final = PAIR_BURST * PAIR_SECONDS
"""Seconds after which nothing of a burst is left to be paid back."""
NUMBER_PER_SECOND: Final = 80.0
CUSTOMERS: Final = 20_000
"""Buckets that are kept; one that was not used for so long is full again."""
BACK_OFF: Final = 0.5
"""What is left of a number's speed after Meta said that it is too fast."""
RECOVERY_SECONDS: Final = 60.0


@dataclass(slots=True)
class Bucket:
    """Tokens that come at a rate, up to a number.

    Args:
        size: tokens it can hold.
        rate: tokens per second.
        at: seconds, when `tokens` was right.
    """

    size: float
    rate: float
    tokens: float
    at: float

    def take(self, now: float) -> float:
        """Take a token; give the seconds until there is one if there is none."""
        self._fill(now)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.rate

    def give_back(self) -> None:
        """Give a token back that was not used."""
        self.tokens = min(self.tokens + 1, self.size)

    def _fill(self, now: float) -> None:
        self.tokens = min(self.tokens + (now - self.at) * self.rate, self.size)
        self.at = now


class Pace:
    """Tells when the next message may go out.

    Args:
        share: gives this process's part of all sending; the others take theirs.
        ticks: gives seconds that only go forward.
        per_second: messages of one number, over all processes.
    """

    def __init__(
        self,
        *,
        share: Callable[[], float],
        ticks: Callable[[], float] = time.monotonic,
        per_second: float = NUMBER_PER_SECOND,
    ) -> None:
        self._share = share
        self._ticks = ticks
        self._per_second = per_second
        self._pairs: OrderedDict[tuple[TenantId, CustomerKey], Bucket] = OrderedDict()
        self._numbers: dict[str, Bucket] = {}
        self._slowed: dict[str, float] = {}

    def knows(self, tenant: TenantId, customer: CustomerKey) -> bool:
        """Tell whether it has counted what was sent to a customer."""
        return (tenant, customer) in self._pairs

    def learn(
        self, tenant: TenantId, customer: CustomerKey, sent: Sequence[datetime], now: datetime
    ) -> None:
        """Count what was sent to a customer before this process did.

        Args:
            sent: when messages went out, the oldest first.
        """
        ticks = self._ticks()
        bucket = Bucket(PAIR_BURST, 1 / PAIR_SECONDS, PAIR_BURST, ticks - PAIR_MEMORY)
        for at in sent:
            bucket.take(ticks - max((now - at).total_seconds(), 0.0))
        self._pairs[tenant, customer] = bucket

    def for_customer(self, tenant: TenantId, customer: CustomerKey) -> float:
        """Take the right to write to a customer; give the seconds to wait if there is none."""
        key, now = (tenant, customer), self._ticks()
        bucket = self._pairs.setdefault(key, Bucket(PAIR_BURST, 1 / PAIR_SECONDS, PAIR_BURST, now))
        self._pairs.move_to_end(key)
        if len(self._pairs) > CUSTOMERS:
            self._pairs.popitem(last=False)
        return bucket.take(now)

    def for_number(self, phone_number_id: str) -> float:
        """Take the right to send from a number; give the seconds to wait if there is none."""
        now = self._ticks()
        rate = max(self._per_second * self._share(), 1.0)
        slowed = self._slowed.get(phone_number_id)
        if slowed is not None and now - slowed < RECOVERY_SECONDS:
            rate *= BACK_OFF
        bucket = self._numbers.get(phone_number_id)
        if bucket is None:
            bucket = self._numbers[phone_number_id] = Bucket(rate, rate, rate, now)
        # The share changes as processes come and go.
        bucket.size = bucket.rate = rate
        return bucket.take(now)

    def give_back(self, tenant: TenantId, customer: CustomerKey) -> None:
        """Take back that a customer was written to."""
        if bucket := self._pairs.get((tenant, customer)):
            bucket.give_back()

    def slow_down(self, phone_number_id: str) -> None:
        """Send more slowly from a number for a while: Meta said that it is too fast."""
        self._slowed[phone_number_id] = self._ticks()
