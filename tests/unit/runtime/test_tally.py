"""What committed turns count: once, and only when they are committed."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Answered, Conflict, Unavailable
from engine.metrics import REGISTRY, TENANTS
from engine.runtime import tally
from engine.runtime.tally import Tally
from engine.verbs import all_verbs
from engine.whatsapp.content import Tap, Text
from tests.unit.runtime.flow_shop import ANA, EVA, Shop

WANTED = (
    "comanda_orders_total", "comanda_conversion_steps_total", "comanda_turns_total",
    "comanda_turn_conflicts_total", "comanda_turn_seconds_count",
)  # fmt: skip


def read() -> Counter[str]:
    """Read the counters, by their name and the values of their labels."""
    found: Counter[str] = Counter()
    for family in REGISTRY.collect():
        for sample in family.samples:
            if sample.name in WANTED:
                short = sample.name.removeprefix("comanda_").removesuffix("_total")
                found[" ".join((short, *sample.labels.values()))] += int(sample.value)
    return found


class Counted:
    """What was counted since it was asked last."""

    def __init__(self) -> None:
        self._before = read()

    def __call__(self, *names: str) -> dict[str, int]:
        after = read()
        news = {key: n for key, n in (after - self._before).items() if key.startswith(names)}
        self._before = after
        return news


@pytest.fixture
def counted():
    TENANTS.admit("la-tavola")
    return Counted()


@pytest.fixture
def shop():
    """A shop that asks everything in the chat."""
    shop = Shop()
    for tenant, business in shop.businesses.held.items():
        shop.businesses.held[tenant] = replace(business, flow_mapping={})
    return shop


def tap(choice):
    return Tap(choice, "", "button")


async def order(shop, who=ANA):
    """Take a customer from the menu to an order."""
    for said in (
        "hi", "menu", tap("cat:pizza"), tap("prod:focaccia"), tap("add_to_cart:prod:focaccia"),
        tap("prod:focaccia"), "add 4 focaccia", "checkout", tap("delivery"),
        "12 Mulberry Street, apartment 3", tap("pay:cash"), "confirm",
    ):  # fmt: skip
        await shop.chat(Text(said) if isinstance(said, str) else said, who=who)
    assert [o.customer for o in shop.store.placed][-1] == who


async def test_an_order_counts_every_step_once_and_itself(shop, counted):
    await order(shop)
    assert counted("orders", "conversion") == {
        "orders la-tavola delivery cash": 1,
        **{f"conversion_steps la-tavola {step}": 1
           for step in ("menu", "product", "cart", "checkout", "order")},
    }  # fmt: skip


async def test_after_an_order_the_steps_count_again_and_others_count_alone(shop, counted):
    await order(shop)
    await order(shop, EVA)
    counted()
    await shop.chat(Text("menu"))
    assert counted("conversion") == {"conversion_steps la-tavola menu": 1}
    await shop.chat(Text("menu"))
    assert counted("conversion") == {}
    shop.clock.move(timedelta(days=1, seconds=1))
    await shop.chat(Text("menu"))
    assert counted("conversion") == {"conversion_steps la-tavola menu": 1}


async def test_what_is_forgotten_counts_again(shop, counted):
    shop.turns._tally = Tally(most=1)
    for who in (ANA, EVA, ANA):
        await shop.chat(Text("menu"), who=who)
    assert counted("conversion") == {"conversion_steps la-tavola menu": 3}


async def test_a_turn_that_is_taken_again_counts_once(shop, counted, monkeypatch):
    errors = [Conflict("another one was faster"), Conflict("another one was faster")]
    commit = shop.store.commit

    async def faster(record):
        if errors:
            raise errors.pop()
        await commit(record)

    monkeypatch.setattr(shop.store, "commit", faster)
    await shop.chat(Text("menu"))
    assert counted("turn", "conversion") == {
        "turns done": 1, "turn_seconds_count": 1, "turn_conflicts": 2,
        "conversion_steps la-tavola menu": 1,
    }  # fmt: skip


async def test_a_turn_that_is_not_committed_does_not_count(shop, counted, monkeypatch):
    async def away(record):
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(shop.store, "commit", away)
    with pytest.raises(Unavailable):
        await shop.chat(Text("menu"))
    assert counted("turn", "conversion") == {}


async def test_a_message_that_was_answered_counts_as_such(shop, counted, monkeypatch):
    async def answered(record):
        raise Answered("the message was answered already")

    monkeypatch.setattr(shop.store, "commit", answered)
    assert await shop.chat(Text("menu")) == ()
    assert counted("turn", "conversion") == {"turns answered": 1}


async def test_a_refused_action_is_no_step(shop, counted):
    await shop.chat(Text("hi"))
    counted()
    await shop.chat(tap("prod:nothing-like-this"))
    assert counted("conversion") == {"conversion_steps la-tavola menu": 1}  # it shows the menu


def test_the_actions_that_count_exist():
    verbs = all_verbs()
    assert set(tally._BY_ACTION) <= set(verbs.actions)
