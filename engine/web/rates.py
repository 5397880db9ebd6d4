"""How often each of many may do something; what it is, is not known here.

Memory is bounded: of those who come, the ones seen last are remembered. Time is the process's own,
and so are the counts: two processes allow twice as much.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST_KEYS: Final = 4096
"""Of how many it is remembered what they did; whoever is forgotten may begin anew."""


class Rates:
    """Gives everybody a number of tries at once, and more of them as time passes.

    Args:
        rate: tries a second that come back.
        burst: tries at once.
        most: of how many it is remembered.
        tell: gives seconds that only grow.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        most: int = MOST_KEYS,
        tell: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._most = most
        self._tell = tell
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Tell of how many it is remembered what they did."""
        return len(self._left)

    def take(self, key: str) -> float:
        """Take a try; give the seconds to wait for the next one if there is none, else 0."""
        now = self._tell()
        left = self._now(key, now)
        if left < 1.0:
            self._left.move_to_end(key)
            return (1.0 - left) / self._rate
        self._note(key, left - 1.0, now)
        return 0.0

    def give_back(self, key: str) -> None:
        """Undo a try that was taken."""
        now = self._tell()
        if key in self._left:
            self._note(key, min(self._now(key, now) + 1.0, self._burst), now)

    def _now(self, key: str, now: float) -> float:
        left, at = self._left.get(key, (self._burst, now))
        return min(left + (now - at) * self._rate, self._burst)

    def _note(self, key: str, left: float, now: float) -> None:
        self._left[key] = (left, now)
        self._left.move_to_end(key)
        if len(self._left) > self._most:
            self._left.popitem(last=False)


class Tries:
    """Bounds how often secrets are guessed: by each client, and by all together.

    A client that was right is not held up by the tries of others, only by his own.

    Args:
        own: what each client may get wrong.
        all: what clients that were not right lately may try together.
        trusted_for: seconds for which a client that was right is not counted with the others.
    """

    def __init__(
        self,
        own: Rates,
        all: Rates,  # noqa: A002 - the word for it
        *,
        trusted_for: float = 3600.0,
        tell: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._all = all
        self._trusted_for = trusted_for
        self._tell = tell
        self._right: OrderedDict[str, float] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a try before it is known whether it is right; as `Rates.take`.

        It is taken first, so that tries at once are counted, and given back if it was right.
        """
        wait = self._own.take(client)
        if wait or self._is_trusted(client):
            return wait
        wait = self._all.take("")
        if wait:
            self._own.give_back(client)
        return wait

    def was_right(self, client: str) -> None:
        """Note that the last try was right."""
        self._own.give_back(client)
        if not self._is_trusted(client):
            self._all.give_back("")
        self._right[client] = self._tell() + self._trusted_for
        self._right.move_to_end(client)
        if len(self._right) > MOST_KEYS:
            self._right.popitem(last=False)

    def _is_trusted(self, client: str) -> bool:
        return self._right.get(client, 0.0) > self._tell()
