"""A cache whose entries end: bounded in size and in time; it loads nothing itself."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from engine.clock import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class ExpiringCache(Generic[K, V]):
    """Values that are believed for a while; the least recently used go first.

    Args:
        size: most entries.
        generation: counts the purges; a value read before one must not be put after it.
    """

    size: int
    clock: Clock
    generation: int = 0
    _held: OrderedDict[K, tuple[datetime, V]] = field(default_factory=OrderedDict)

    def get(self, key: K) -> tuple[V] | None:
        """Give the value of a key in a tuple of its own, as the value itself may be None."""
        found = self._held.get(key)
        if found is None:
            return None
        until, value = found
        if self.clock.now() >= until:
            del self._held[key]
            return None
        self._held.move_to_end(key)
        return (value,)

    def put(self, key: K, value: V, *, ttl: timedelta) -> None:
        """Believe a value for a while."""
        self._held[key] = (self.clock.now() + ttl, value)
        self._held.move_to_end(key)
        while len(self._held) > self.size:
            self._held.popitem(last=False)

    def purge(self, outdated: Callable[[K, V], bool]) -> None:
        """Forget the entries that are outdated."""
        self.generation += 1
        for key in [key for key, (_, value) in self._held.items() if outdated(key, value)]:
            del self._held[key]
