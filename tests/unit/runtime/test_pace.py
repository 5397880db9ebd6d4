"""Nobody gets more messages than Meta lets through, and nobody waits for somebody else."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.domain.ids import CustomerKey, TenantId
from engine.runtime.pace import CUSTOMERS, PAIR_BURST, PAIR_SECONDS, RECOVERY_SECONDS, Pace

ANA = TenantId("t"), CustomerKey("ana")
BEN = TenantId("t"), CustomerKey("ben")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Watch:
    """Seconds that a test lets pass, and the pace that goes by them."""

    def __init__(self, *, share: float = 1.0, per_second: float = 80.0) -> None:
        self.now, self.share = 50.0, share
        self.pace = Pace(share=lambda: self.share, ticks=lambda: self.now, per_second=per_second)

    def burst(self, who=ANA) -> int:
        """Tell how many messages may go to a customer now."""
        count = 0
        while not self.pace.for_customer(*who):
            count += 1
        return count

    def volley(self, number: str = "1") -> int:
        """Tell how many messages may go out from a number now."""
        count = 0
        while not self.pace.for_number(number):
            count += 1
        return count


def test_a_customer_gets_a_burst_and_then_one_in_six_seconds():
    watch = Watch()
    assert watch.burst() == PAIR_BURST
    assert watch.pace.for_customer(*ANA) == pytest.approx(PAIR_SECONDS)
    watch.now += PAIR_SECONDS
    assert watch.burst() == 1
    watch.now += 60
    assert watch.burst() == 10
    watch.now += 3600
    assert watch.burst() == PAIR_BURST


def test_another_customer_does_not_wait():
    watch = Watch()
    watch.burst()
    assert watch.burst(BEN) == PAIR_BURST


def test_what_was_not_sent_does_not_count():
    watch = Watch()
    watch.burst()
    watch.pace.give_back(*ANA)
    assert watch.burst() == 1
    watch.pace.give_back(*BEN)
    assert watch.burst(BEN) == PAIR_BURST


def test_what_another_process_has_sent_counts():
    watch = Watch()
    assert not watch.pace.knows(*ANA)
    sent = [NOW - timedelta(seconds=30)] * 20 + [NOW] * 10
    watch.pace.learn(*ANA, sent, NOW)
    assert watch.pace.knows(*ANA)
    assert watch.burst() == PAIR_BURST - 30 + 5


def test_a_number_has_its_throughput():
    watch = Watch()
    assert watch.volley() == 80
    assert watch.volley("2") == 80
    watch.now += 0.5
    assert watch.volley() == 40


def test_a_process_takes_its_share_of_a_number():
    watch = Watch(share=0.25)
    assert watch.volley() == 20
    watch.share = 0.5
    watch.now += 1
    assert watch.volley() == 40
    watch.share = 0.0  # it is about to get some
    watch.now += 1
    assert watch.volley() >= 1


def test_a_number_that_is_too_fast_slows_down_for_a_while():
    watch = Watch()
    watch.volley()
    watch.pace.slow_down("1")
    watch.now += 1
    assert watch.volley() == 40
    watch.now += RECOVERY_SECONDS
    assert watch.volley() == 80


def test_only_so_many_customers_are_remembered():
    watch = Watch()
    watch.burst()
    for n in range(CUSTOMERS):
        watch.pace.for_customer(TenantId("t"), CustomerKey(str(n)))
    assert len(watch.pace._pairs) == CUSTOMERS
    assert not watch.pace.knows(*ANA)
