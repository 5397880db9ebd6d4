"""Exchanges: only the customer's own Flow goes on, and its outcome is taken once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.domain.catalog import Presentation
from engine.domain.ids import PresentationId, TenantId
from engine.errors import Conflict, TurnError, Unavailable
from engine.whatsapp.flow_exchange import FlowAnswer, FlowRequest
from tests.unit.actions.shop import alter, bundle, money
from tests.unit.runtime.flow_shop import (
    ANA,
    CHECKOUT,
    EVA,
    FLOW,
    LARGE,
    OTHER,
    PIZZA,
    SMALL,
    TENANT,
    Meeting,
    Shop,
    opened_by,
    texts,
)

ADDED = '✅ Added to cart!\n2× Margherita Pizza, Large (16")\n+ Stuffed\n+ Smoked bacon\n$46.00'
CHOSEN = {
    "product": PIZZA, "presentation": LARGE, "modifiers": ["mod:stuffed-crust", "mod:bacon"],
    "quantity": 2,
}  # fmt: skip
LAST: dict[str, Any] = {"screen": "ORDER_SUMMARY", "seen": "$46.00"}


def said(name: str) -> str:
    words: str = bundle().vocabulary("en").terms["flow"][name]
    return words


def params(answer: FlowAnswer) -> Any:
    """Give what the end of the Flow gives."""
    assert (answer.status, answer.body["screen"]) == (200, "SUCCESS")
    return answer.body["data"]["extension_message_response"]["params"]


async def opened(steps: int | None = None) -> Shop:
    """Give a shop whose customer has opened the Flow and filled in so many screens."""
    shop = Shop()
    await shop.open()
    if steps is not None:
        await shop.go(steps)
    return shop


# Going through ----------------------------------------------------------------------------------


async def test_a_customer_goes_through_the_flow_and_the_line_is_in_his_cart():
    shop = await opened()
    for steps, screen in ((0, "SIZE_SELECTION"), (1, "MODIFIERS_SELECTION"), (2, "ORDER_SUMMARY")):
        answer = await shop.go(steps)
        assert (answer.status, answer.body["screen"], answer.body["version"]) == (
            200, screen, "4.0",
        )  # fmt: skip
        assert (shop.session.trail[-1], shop.session.state) == (screen, "open")
        assert await shop.lines() == ()
    assert answer.body["data"]["total_price"] == money("46.00")
    answer = await shop.ask("data_exchange", **LAST)
    assert params(answer) == CHOSEN | {"flow_token": shop.token}
    (line,) = await shop.lines()
    assert (line.total, line.presentation_id) == (money("46.00"), LARGE)
    assert texts(shop.sent) == [ADDED]
    assert (shop.session.state, shop.session.params) == ("done", CHOSEN)
    assert await shop.state() == "added"


async def test_the_outcome_is_taken_in_one_turn_without_an_inbox_row():
    shop = await opened(3)
    record = shop.store.committed[-1]
    assert (record.inbox_id, record.has_inbox_row) == (f"flow:{shop.session.id}", False)
    assert (record.flow_done, record.log.event) == (shop.session, f"flow.{FLOW}")
    assert [entry.id for entry in shop.sent] == [f"flow:{shop.session.id}:1"]
    assert len(shop.store.committed) == 2


async def test_a_product_of_a_flow_of_its_own_is_asked_at_its_own_address():
    shop = await opened()
    answer = await shop.ask("INIT", flow=None, product=PIZZA)
    assert (answer.status, answer.body["screen"]) == (200, "SIZE_SELECTION")


async def test_what_is_refused_is_shown_and_only_news_are_saved():
    shop = await opened(1)
    before = shop.written()
    answer = await shop.ask("data_exchange", "MODIFIERS_SELECTION", modifiers_1_one="mod:x")
    assert answer.body["screen"] == "MODIFIERS_SELECTION"
    assert answer.body["data"]["error_message"] == said("not_offered")
    assert shop.written() == before


async def test_checkout_goes_to_the_summary_in_the_chat():
    shop = await opened(3)
    (*_, message) = await shop.tap("checkout")
    shop.token = opened_by(message)["flow_token"]
    door: dict[str, Any] = {"flow": CHECKOUT}
    await shop.ask("INIT", **door)
    await shop.ask("data_exchange", "RECEIVING", type="delivery", **door)
    await shop.ask("data_exchange", "ADDRESS", address="148 Carmine Street", **door)
    answer = await shop.ask("data_exchange", "PAYMENT", payment="card", notes="Ring", **door)
    assert params(answer)["address"] == "148 Carmine Street"
    assert await shop.state() == "summary"
    (*_, summary) = texts(shop.sent)
    assert "🚚 148 Carmine Street" in summary
    assert "📝 Ring" in summary


async def test_a_ping_and_a_clients_error_need_no_session():
    shop = Shop()
    pong = await shop.ask("ping", token="")
    assert pong.body == {"data": {"status": "active"}}
    request = FlowRequest("error", "4.0", "A", {"error": "x"}, None, "invalid-screen-transition")
    told = await shop.exchanges.take(TENANT, request, flow=FLOW, product=None)
    assert told.body == {"data": {"acknowledged": True}}
    assert shop.written() == Shop().written()


# Refused ----------------------------------------------------------------------------------------

Change = Callable[[Shop], dict[str, Any]]


def late(shop: Shop) -> dict[str, Any]:
    shop.clock.set(shop.session.expires_at)
    return {}


def retired(shop: Shop) -> dict[str, Any]:
    """Let the tenant have no such Flow any more."""
    session = replace(shop.session, flow="retired")
    shop.store.flow_sessions.held[session.id] = session  # type: ignore[attr-defined]
    shop.token = shop.tokens.sign(session)
    return {"flow": "retired"}


def forged(shop: Shop) -> dict[str, Any]:
    name, expiry, mac = shop.token.split(".")
    return {"token": f"{name}.{expiry}.{mac[::-1]}"}


def longer(shop: Shop) -> dict[str, Any]:
    name, expiry, mac = shop.token.split(".")
    return {"token": f"{name}.{int(expiry) + 99}.{mac}"}


def of_nobody(shop: Shop) -> dict[str, Any]:
    return {"token": shop.tokens.sign(replace(shop.session, id="f" * 32))}


REFUSED: dict[str, Change] = {
    "another tenant's": lambda shop: {"tenant": OTHER},
    "another product's": lambda shop: {"flow": None, "product": "prod:gelato"},
    "another Flow's": lambda shop: {"flow": CHECKOUT},
    "no Flow's": lambda shop: {"flow": None},
    "forged": forged,
    "of another time": longer,
    "of no session": of_nobody,
    "unused": lambda shop: {"token": "unused"},
    "missing": lambda shop: {"token": ""},
    "expired": late,
    "of a Flow that is gone": retired,
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize(
    ("action", "screen"),
    [("INIT", None), ("data_exchange", "ORDER_SUMMARY"), ("BACK", "ORDER_SUMMARY")],
)
async def test_a_token_that_does_not_fit_is_gone_and_nothing_is_written(case, action, screen):
    shop = await opened(2)
    changed = REFUSED[case](shop)
    before = shop.written()
    sent: dict[str, Any] = {"seen": "$46.00", **changed}
    answer = await shop.ask(action, screen, **sent)
    words = "es" if changed.get("tenant") == OTHER else "en"
    expired = bundle().vocabulary(words).terms["flow"]["expired"]
    assert (answer.status, answer.body) == (427, {"error_msg": expired})
    assert shop.written() == before
    assert (await shop.lines(), shop.sent) == ((), [])


async def test_what_is_sold_out_meanwhile_is_gone_and_told():
    shop = await opened(1)
    before = shop.written()
    alter(shop.store.catalog, PIZZA, {"is_available": False})
    answer = await shop.ask("data_exchange", "MODIFIERS_SELECTION")
    assert (answer.status, answer.body) == (427, {"error_msg": said("sold_out")})
    assert shop.written() == before


async def test_a_screen_that_was_not_shown_is_gone():
    shop = await opened(1)
    before = shop.written()
    answer = await shop.ask("data_exchange", **LAST)
    assert (answer.status, answer.body) == (427, {"error_msg": said("expired")})
    assert shop.written() == before


async def test_a_tenant_that_is_not_served_has_no_answer():
    with pytest.raises(Unavailable, match="nobody"):
        await Shop().ask("INIT", token="x", tenant=TenantId("nobody"))


# Once -------------------------------------------------------------------------------------------


async def test_a_repeated_exchange_has_the_same_answer_and_writes_nothing():
    shop = await opened(2)
    before = shop.written()
    sent: dict[str, Any] = {
        "modifiers_1_one": "mod:stuffed-crust", "modifiers_2_many": ["mod:bacon"],
    }  # fmt: skip
    first = await shop.ask("data_exchange", "MODIFIERS_SELECTION", **sent)
    assert (first.body["screen"], first.body["data"]["total_text"]) == ("ORDER_SUMMARY", "$46.00")
    again = await shop.ask("data_exchange", "MODIFIERS_SELECTION", **sent)
    assert again == first
    assert shop.written() == before


@pytest.mark.parametrize("minutes", [0, 60 * 48])
async def test_a_repeated_end_has_the_same_answer_and_writes_nothing(minutes):
    shop = await opened(2)
    first = await shop.ask("data_exchange", **LAST)
    shop.clock.move(timedelta(minutes=minutes))
    before, sent = shop.written(), list(shop.sent)
    for _ in range(2):
        assert await shop.ask("data_exchange", **LAST) == first
    assert (shop.written(), shop.sent) == (before, sent)
    assert [line.quantity for line in await shop.lines()] == [2]


@pytest.mark.parametrize(
    ("action", "screen"),
    [
        ("INIT", None),
        ("BACK", "ORDER_SUMMARY"),
        ("data_exchange", "SIZE_SELECTION"),
        ("data_exchange", "SUCCESS"),
    ],
)
async def test_a_flow_that_is_done_is_gone(action, screen):
    shop = await opened(3)
    before = shop.written()
    answer = await shop.ask(action, screen, selected_size=LARGE, quantity="1")
    assert (answer.status, answer.body) == (427, {"error_msg": said("expired")})
    assert shop.written() == before


async def test_two_flows_of_one_product_are_two_lines_of_the_cart():
    shop = await opened(3)
    await shop.open()
    await shop.go(3)
    assert [line.quantity for line in await shop.lines()] == [4]


Signal = Callable[[Shop], Awaitable[Any]]


async def by_exchange(shop: Shop) -> Any:
    return params(await shop.ask("data_exchange", **LAST))


async def by_reply(shop: Shop) -> Any:
    await shop.reply(CHOSEN | {"flow_token": shop.token})
    return None


async def by_reply_of_ios(shop: Shop) -> Any:
    await shop.reply(CHOSEN, answers="wamid.flow")
    return None


SIGNALS: list[list[Signal]] = [
    [by_exchange],
    [by_reply],
    [by_reply_of_ios],
    [by_exchange, by_reply],
    [by_reply, by_exchange],
    [by_exchange, by_reply_of_ios, by_exchange, by_reply],
    [by_reply_of_ios, by_exchange, by_reply],
]


@pytest.mark.parametrize("signals", SIGNALS, ids=lambda all_: " ".join(s.__name__ for s in all_))
async def test_one_of_the_two_signals_changes_the_cart_whichever_comes(signals):
    shop = await opened(2)
    for signal in signals:
        found = await signal(shop)
        assert found in (None, CHOSEN | {"flow_token": shop.token})
    (line,) = await shop.lines()
    assert (line.quantity, line.total) == (2, money("46.00"))
    assert shop.session.state == "done"
    told = [t for record in shop.store.committed for t in texts(record.outbox)]
    assert told.count(ADDED) == 1
    assert await shop.state() == "added"


@pytest.mark.parametrize(
    "signals",
    [[by_exchange, by_exchange], [by_exchange, by_reply], [by_reply, by_exchange],
     [by_reply, by_reply_of_ios]],
    ids=lambda both: " and ".join(s.__name__ for s in both),
)  # fmt: skip
async def test_two_signals_at_once_are_one_line(signals):
    shop = await opened(2)
    shop.store.flow_sessions = Meeting(shop.store.flow_sessions)
    found = await asyncio.gather(*(signal(shop) for signal in signals))
    expected = CHOSEN | {"flow_token": shop.token}
    assert [answer for answer in found if answer is not None] == [
        expected for signal in signals if signal is by_exchange
    ]
    (line,) = await shop.lines()
    assert line.quantity == 2
    told = [t for record in shop.store.committed for t in texts(record.outbox)]
    assert told.count(ADDED) == 1


async def test_two_exchanges_at_once_are_one_after_the_other():
    shop = await opened(1)
    version = shop.session.version
    shop.store.flow_sessions = Meeting(shop.store.flow_sessions)
    answers = await asyncio.gather(
        shop.ask("data_exchange", "MODIFIERS_SELECTION", modifiers_1_one="mod:thin-crust"),
        shop.ask("data_exchange", "SIZE_SELECTION", selected_size=SMALL, quantity="1"),
    )
    assert {answer.status for answer in answers} <= {200, 427}
    assert shop.session.version == version + 2


@pytest.mark.parametrize("token", [None, "forged", "unused"])
async def test_a_completion_that_is_nobodys_changes_no_cart(token):
    shop = await opened(2)
    response = CHOSEN | ({"flow_token": forged(shop)["token"] if token == "forged" else token}
                         if token else {})  # fmt: skip
    await shop.reply(response)
    assert (await shop.lines(), shop.session.state) == ((), "open")


async def test_a_completion_with_another_customers_token_changes_no_cart():
    shop = await opened(2)
    mine = shop.token
    await shop.open(who=EVA)
    for response, answers in (({"flow_token": mine}, None), ({"flow_token": shop.token}, None)):
        who = EVA if response["flow_token"] == mine else ANA
        await shop.reply(CHOSEN | response, who=who, answers=answers)
    assert (await shop.lines(ANA), await shop.lines(EVA)) == ((), ())
    assert shop.session.state == "open"


@pytest.mark.parametrize(
    "response",
    [
        {"quantity": -5},
        {"quantity": 10**9},
        {"quantity": "x" * 1_000_000},
        {"modifiers": ["mod:gone"]},
        {"modifiers": "mod:bacon"},
        {"modifiers": ["mod:bacon"] * 300},
        {"presentation": "pres:gone"},
        {"presentation": {"id": LARGE}},
    ],
)
async def test_a_completion_alone_gives_nothing_that_the_shop_does_not_sell(response):
    shop = await opened()
    await shop.reply(CHOSEN | response | {"flow_token": shop.token})
    assert await shop.lines() == ()
    assert shop.session.state == "done"
    assert shop.store.committed[-1].log.error is None


async def test_a_price_is_never_taken_from_a_completion():
    shop = await opened()
    cheap = {"total_price": 0, "unit_price": "0.01", "price": 0, "base_price": 0}
    await shop.reply(CHOSEN | cheap | {"flow_token": shop.token})
    (line,) = await shop.lines()
    assert line.total == money("46.00")


async def test_the_product_is_the_one_the_flow_was_opened_with_whatever_its_end_says():
    shop = await opened(2)
    flow = bundle().flows[FLOW]
    end = replace(flow.screens["SUCCESS"], params={"product": "prod:coke", "quantity": 1})
    changed = replace(flow, screens={**flow.screens, "SUCCESS": end}, digest="changed")
    shop.serve(replace(bundle(), flows={FLOW: changed}))
    assert params(await shop.ask("data_exchange", **LAST))["product"] == PIZZA
    assert shop.session.params == {"product": PIZZA, "quantity": 1}


async def test_what_is_sold_out_at_the_end_is_told_there():
    shop = await opened(2)
    alter(shop.store.catalog, PIZZA, {"stock": 1})
    answer = await shop.ask("data_exchange", **LAST)
    assert (answer.status, answer.body) == (427, {"error_msg": "Sorry, we have only 1 left."})
    assert (await shop.lines(), shop.session.state) == ((), "open")


async def test_what_is_sold_out_when_the_completion_comes_is_told_in_the_chat():
    shop = await opened(2)
    alter(shop.store.catalog, PIZZA, {"stock": 1})
    (told, *_) = texts(await shop.reply(CHOSEN | {"flow_token": shop.token}))
    assert "Margherita Pizza" in told
    assert (await shop.lines(), shop.session.state) == ((), "done")


# When something fails ---------------------------------------------------------------------------


class Failing:
    """Flow sessions of which a call fails.

    Args:
        times: how often.
    """

    def __init__(self, inner: Any, name: str, error: Exception, times: int = 10**6) -> None:
        self._inner, self._name, self._error, self._left = inner, name, error, times

    def __getattr__(self, name: str) -> Any:
        if name == self._name and self._left > 0:
            self._left -= 1
            raise self._error
        return getattr(self._inner, name)


async def test_an_exchange_that_another_was_faster_than_is_taken_again():
    shop = await opened(0)
    shop.store.flow_sessions = Failing(shop.store.flow_sessions, "save", Conflict("faster"), 2)
    answer = await shop.ask("data_exchange", "SIZE_SELECTION", selected_size=LARGE, quantity="1")
    assert answer.body["screen"] == "MODIFIERS_SELECTION"
    assert shop.session.trail == ("SIZE_SELECTION", "MODIFIERS_SELECTION")


async def test_conflicts_that_never_end_are_an_error(monkeypatch):
    monkeypatch.setattr("engine.runtime.exchanges.MAX_CONFLICTS", 2)
    shop = await opened(0)
    shop.store.flow_sessions = Failing(shop.store.flow_sessions, "save", Conflict("faster"))
    with pytest.raises(TurnError, match="2 conflicts"):
        await shop.ask("data_exchange", "SIZE_SELECTION", selected_size=LARGE, quantity="1")


@pytest.mark.parametrize("call", ["get", "save"])
async def test_a_database_that_is_away_is_told(call):
    shop = await opened(0)
    before = shop.written()
    sessions = shop.store.flow_sessions
    shop.store.flow_sessions = Failing(sessions, call, Unavailable("away"))
    with pytest.raises(Unavailable):
        await shop.ask("data_exchange", "SIZE_SELECTION", selected_size=LARGE, quantity="1")
    shop.store.flow_sessions = sessions
    assert shop.written() == before


async def test_a_mistake_of_the_author_is_an_error_and_nothing_is_written():
    shop = await opened(1)
    before = shop.written()
    odd = Presentation(PresentationId("pres:odd"), "Odd", "no price")  # type: ignore[arg-type]
    alter(shop.store.catalog, PIZZA, {"presentations": (odd,)})
    with pytest.raises(TurnError, match=rf"^{FLOW}: flows/{FLOW}\.yaml:"):
        await shop.ask("BACK", "MODIFIERS_SELECTION")
    assert shop.written() == before


async def test_an_end_that_the_chat_cannot_take_is_taken_all_the_same_and_told():
    """Taken again it would fail again: the customer is told, and may choose in the chat."""
    shop = await opened(2)
    odd = bundle().chart.anywhere[f"flow.{FLOW}"][0]
    broken = replace(odd, say=("no_such_message",), go=None)
    chart = replace(bundle().chart, digest="broken", anywhere={
        **bundle().chart.anywhere, f"flow.{FLOW}": (broken,),
    })  # fmt: skip
    shop.serve(replace(bundle(), chart=chart))
    answer = await shop.ask("data_exchange", **LAST)
    assert params(answer)["quantity"] == 2
    assert (await shop.lines(), shop.session.state) == ((), "done")
    assert shop.store.committed[-1].log.outcome == "failed"
    assert len(texts(shop.sent)) == 1
    before = shop.written()
    assert await shop.ask("data_exchange", **LAST) == answer
    assert shop.written() == before
