"""The cache of businesses."""

from datetime import timedelta

from engine.clock import ManualClock
from engine.storage.cache import ExpiringCache
from tests.unit.storage.builders import NOW

MINUTE = timedelta(minutes=1)


def cache(size=2):
    clock = ManualClock(NOW)
    return ExpiringCache(size, clock), clock


def test_a_value_is_believed_until_its_time_is_up():
    held, clock = cache()
    held.put("a", 1, ttl=MINUTE)
    clock.move(timedelta(seconds=59))
    assert held.get("a") == (1,)
    clock.move(timedelta(seconds=1))
    assert held.get("a") is None


def test_nothing_is_a_value_too():
    held, _ = cache()
    held.put("a", None, ttl=MINUTE)
    assert held.get("a") == (None,)
    assert held.get("b") is None


def test_the_least_recently_used_goes_first():
    held, _ = cache()
    held.put("a", 1, ttl=MINUTE)
    held.put("b", 2, ttl=MINUTE)
    held.get("a")
    held.put("c", 3, ttl=MINUTE)
    assert (held.get("a"), held.get("b"), held.get("c")) == ((1,), None, (3,))


def test_a_purge_forgets_what_is_outdated_and_is_counted():
    held, _ = cache()
    held.put("a", 1, ttl=MINUTE)
    held.put("b", 2, ttl=MINUTE)
    held.purge(lambda key, value: value == 1)
    assert (held.get("a"), held.get("b"), held.generation) == (None, (2,), 1)
