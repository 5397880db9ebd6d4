"""What a turn writes beside what the chart says: windows, templates, timers, and giving up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.box_ports import InboxRow
from engine.charts.run import Said as SaidMessage
from engine.charts.timers import ENTRY
from engine.errors import Answered, Conflict
from engine.runtime.turn_record import AHEAD, CART_EXPIRED, WINDOW
from engine.spec.chart import Branch
from engine.whatsapp.content import Raised, Sender, Text
from engine.whatsapp.inbound import InboundMessage
from engine.whatsapp.outbound import TemplateMessage, TextMessage
from tests.unit.actions.shop import OPEN, bundle
from tests.unit.runtime.flow_shop import ANA, NUMBER, TENANT, Shop, texts

COKE = "add_to_cart:prod:coke"


def written(shop: Shop) -> Any:
    return shop.store.committed[-1]


def reacting(shop: Shop, event: str, *branches: Branch) -> None:
    """Let the chart react to an event everywhere."""
    made = bundle()
    anywhere = {**made.chart.anywhere, event: branches}
    chart = replace(made.chart, anywhere=anywhere, digest=f"with {event}")
    shop.serve(replace(made, chart=chart))


async def say(shop: Shop, text: str, *, at: int = 0, name: str = "wamid.x") -> None:
    """Write at a time of WhatsApp's."""
    message = InboundMessage(name, NUMBER, Sender(ANA, None), at, Text(text), None, {})
    row = InboxRow(f"{NUMBER}:{name}", TENANT, ANA, at, shop.clock.now(), {})
    await shop.turns.take(row, message)


async def fire(shop: Shop, event: str, entry: int | None, *, name: str = "timer:1") -> Any:
    """Take the turn of a timer that has fired, and give its record."""
    content = Raised(event, {ENTRY: entry})
    message = InboundMessage("", NUMBER, Sender(None, None), 0, content, None, {})
    await shop.turns.take(InboxRow(name, TENANT, ANA, 0, shop.clock.now(), {}), message)
    return written(shop)


# The 24-hour window -----------------------------------------------------------------------------


async def test_what_is_said_may_be_sent_for_a_day_after_he_wrote():
    shop, wrote = Shop(), int((OPEN - timedelta(hours=2)).timestamp())
    await say(shop, "hello", at=wrote)
    said = written(shop).outbox
    assert [each.reads for each in said] == ["wamid.x", *([None] * (len(said) - 1))]
    assert {each.window_ends for each in said} == {datetime.fromtimestamp(wrote, UTC) + WINDOW}
    assert written(shop).conversation.phone_number_id == NUMBER


@pytest.mark.parametrize(
    ("at", "spoke"),
    [(0, OPEN), (int((OPEN + timedelta(days=300)).timestamp()), OPEN + AHEAD)],
)
async def test_a_time_that_cannot_be_is_not_believed(at, spoke):
    shop = Shop()
    await say(shop, "hello", at=at)
    assert written(shop).conversation.spoke_at == spoke


async def test_an_older_message_that_comes_later_does_not_close_the_window():
    shop = Shop()
    await say(shop, "hello", at=int(OPEN.timestamp()))
    await say(shop, "menu", at=int((OPEN - timedelta(hours=5)).timestamp()), name="wamid.y")
    assert written(shop).conversation.spoke_at == OPEN


async def test_a_timer_is_not_the_customer_speaking():
    shop = Shop()
    await say(shop, "hello", at=int(OPEN.timestamp()))
    reacting(shop, CART_EXPIRED, Branch("x", say=("help",)))
    shop.clock.move(timedelta(hours=20))
    record = await fire(shop, CART_EXPIRED, None)
    assert record.conversation.spoke_at == OPEN
    assert {each.window_ends for each in record.outbox} == {OPEN + WINDOW}
    assert not any(each.payload.get("status") for each in record.outbox)


async def test_a_declared_template_goes_along_and_stands_for_all_parts(monkeypatch):
    shop, first = Shop(), TemplateMessage("come_back", "en_US")
    result = await asked(shop, monkeypatch, [(first, 0), (None, 1), (None, 0), (first, 0)])
    names = [each.template and each.template["template"]["name"] for each in result]
    assert names == ["come_back", {}, None, "come_back"]
    assert result[0].template["biz_opaque_callback_data"] == result[0].id


async def asked(shop: Shop, monkeypatch: Any, said: list[tuple[Any, int]]) -> Any:
    """Give what is written when a turn says texts with these templates and parts."""
    real = shop.turns._decisions._runner.run

    async def run(*args: Any, **options: Any) -> Any:
        result = await real(*args, **options)
        result.said[:] = [SaidMessage(TextMessage("x"), None, made, part) for made, part in said]
        return result

    monkeypatch.setattr(shop.turns._decisions._runner, "run", run)
    await say(shop, "hello")
    return [each for each in written(shop).outbox if each.said]


# Timers -----------------------------------------------------------------------------------------


async def test_a_cart_gets_a_timer_if_the_chart_wants_to_know():
    shop = Shop()
    await shop.tap(COKE)
    assert written(shop).timers == ()
    reacting(shop, CART_EXPIRED, Branch("x"))
    await shop.tap(COKE)
    (timer,) = written(shop).timers
    assert (timer.event, timer.entry) == (CART_EXPIRED, None)
    assert timer.due == written(shop).cart.expires_at
    await shop.tap("clear_cart")
    assert written(shop).timers == ()
    assert written(shop).timers_dropped == (timer.id,)


async def test_a_timer_of_a_state_he_has_left_is_nothing():
    shop = Shop()
    await say(shop, "hello")
    before = written(shop).conversation
    record = await fire(shop, "after.menu.1m", before.entry - 1)
    assert (record.log.outcome, record.outbox) == ("ignored", ())
    assert record.conversation.position == before.position


async def test_a_timer_that_cannot_be_taken_tells_nobody():
    shop = Shop()
    await say(shop, "hello")
    content = Raised("after.menu.1m", {ENTRY: 1})
    message = InboundMessage("", NUMBER, Sender(None, None), 0, content, None, {})
    row = InboxRow("timer:1", TENANT, ANA, 0, shop.clock.now(), {})
    assert await shop.turns.give_up(row, message, error="it broke") == ()
    assert written(shop).given_up == "it broke"


# Giving up --------------------------------------------------------------------------------------


async def given_up(shop: Shop, name: str = "wamid.bad") -> Any:
    message = InboundMessage(name, NUMBER, Sender(ANA, None), 0, Text("x"), None, {})
    row = InboxRow(f"{NUMBER}:{name}", TENANT, ANA, 0, shop.clock.now(), {})
    return await shop.turns.give_up(row, message, error="it broke")


async def test_who_sent_what_cannot_be_answered_is_told_once_and_stays_where_he_is():
    shop = Shop()
    await shop.tap(COKE)
    before = written(shop).conversation
    said = await given_up(shop)
    assert any("went wrong" in text.lower() for text in texts(said))
    record = written(shop)
    assert (record.given_up, record.log.outcome) == ("it broke", "failed")
    assert record.conversation.position == before.position
    assert record.conversation.version == before.version + 1
    assert (record.cart, record.orders) == (None, ())


@pytest.mark.parametrize(("error", "said"), [(Answered("done"), ()), (None, None)])
async def test_what_was_answered_meanwhile_is_not_told(error, said):
    shop = Shop()

    async def commit(record: Any) -> None:
        if error:
            raise error

    shop.store.commit = commit  # type: ignore[method-assign]
    assert (await given_up(shop) == ()) is (said == ())


async def test_a_message_that_was_answered_already_says_nothing():
    shop = Shop()

    async def commit(record: Any) -> None:
        raise Answered("done")

    shop.store.commit = commit  # type: ignore[method-assign]
    assert await shop.tap(COKE) == ()


async def test_conflicts_that_do_not_end_are_a_conflict():
    shop, tries = Shop(), []

    async def commit(record: Any) -> None:
        tries.append(record)
        raise Conflict("faster")

    shop.store.commit = commit  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        await shop.tap(COKE)
    assert len(tries) == 8


# Versions ---------------------------------------------------------------------------------------


async def test_a_conversation_knows_the_bundle_of_its_last_turn():
    shop = Shop()
    await say(shop, "hello")
    first = bundle().digest
    assert written(shop).conversation.bundle == written(shop).log.bundle == first
    shop.serve(replace(bundle(), digest="newer"))
    await say(shop, "hello", name="wamid.y")
    assert written(shop).conversation.bundle == "newer"
    assert (await fire(shop, "nobody", None)).conversation.bundle == "newer"
