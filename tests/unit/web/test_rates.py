"""How often somebody may come: in bursts, in the long run, and in bounded memory."""

import pytest

from engine.web.rates import MOST_KEYS, Rates, Tries


class Seconds:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


def test_a_burst_then_one_at_a_time(seconds):
    rates = Rates(2.0, 3, tell=seconds)
    assert [rates.take("a") for _ in range(3)] == [0, 0, 0]
    assert rates.take("a") == pytest.approx(0.5)
    seconds.now += 0.25
    assert rates.take("a") == pytest.approx(0.25)
    seconds.now += 0.25
    assert rates.take("a") == 0
    assert rates.take("a") > 0


def test_nobody_pays_for_another(seconds):
    rates = Rates(1.0, 1, tell=seconds)
    assert rates.take("a") == 0
    assert rates.take("a") > 0
    assert rates.take("b") == 0


def test_no_more_than_a_burst_is_ever_saved_up(seconds):
    rates = Rates(5.0, 2, tell=seconds)
    seconds.now += 3600
    assert [rates.take("a") == 0 for _ in range(3)] == [True, True, False]


def test_what_is_given_back_can_be_taken_again(seconds):
    rates = Rates(1.0, 1, tell=seconds)
    rates.take("a")
    rates.give_back("a")
    rates.give_back("a")
    rates.give_back("never seen")
    assert rates.take("a") == 0
    assert rates.take("a") > 0
    assert rates.take("never seen") == 0


def test_memory_is_bounded_and_whoever_keeps_coming_is_remembered(seconds):
    rates = Rates(0.001, 1, tell=seconds)
    rates.take("persistent")
    for number in range(3 * MOST_KEYS):
        rates.take(str(number))
        assert rates.take("persistent") > 0
    assert len(rates) == MOST_KEYS


def tries(seconds, *, own=3, most=5):
    return Tries(Rates(0.001, own, tell=seconds), Rates(0.001, most, tell=seconds), tell=seconds)


def test_a_client_may_be_wrong_a_few_times(seconds):
    guarded = tries(seconds)
    assert [guarded.take("a") == 0 for _ in range(4)] == [True, True, True, False]


def test_tries_at_once_are_all_counted_before_one_is_judged(seconds):
    guarded = tries(seconds)
    begun = [guarded.take("a") == 0 for _ in range(10)]
    assert begun.count(True) == 3


def test_being_right_costs_nothing(seconds):
    guarded = tries(seconds)
    for _ in range(100):
        assert guarded.take("a") == 0
        guarded.was_right("a")


def test_all_together_are_bounded_but_whoever_was_right_comes_in(seconds):
    guarded = tries(seconds)
    guarded.take("operator")
    guarded.was_right("operator")
    let_in = [guarded.take(f"bot {number}") == 0 for number in range(50)]
    assert let_in.count(True) == 5
    assert guarded.take("operator") == 0
    guarded.was_right("operator")
    assert guarded.take("another operator") > 0


def test_whoever_was_right_long_ago_is_one_of_all(seconds):
    guarded = tries(seconds, most=2)
    guarded.take("operator")
    guarded.was_right("operator")
    seconds.now += 3601
    for number in range(20):
        guarded.take(f"bot {number}")
    assert guarded.take("operator") > 0


def test_being_right_is_remembered_of_so_many(seconds):
    guarded = tries(seconds)
    for number in range(2 * MOST_KEYS):
        guarded.take(str(number))
        guarded.was_right(str(number))
    assert len(guarded._right) == MOST_KEYS
