"""Hand-offs as turns see them: what is counted, and who is muted under which key."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count

import pytest
from structlog.testing import capture_logs

from engine.box_ports import InboxRow
from engine.charts.timers import ENTRY, HANDED_BACK
from engine.domain.ids import CustomerKey
from engine.domain.tenant import Staff
from engine.metrics import REGISTRY, TENANTS
from engine.runtime import handoff_counts, handoffs
from engine.runtime.handoffs import handed_back
from engine.whatsapp.content import Content, Raised, Reaction, Sender, Text
from engine.whatsapp.inbound import InboundMessage, raised, restore_message
from tests.unit.actions.shop import bundle, la_tavola
from tests.unit.runtime.flow_shop import ANA, NUMBER, TENANT, Shop

PHONE = "12125550100"
BY_PHONE = CustomerKey(PHONE)


@pytest.fixture
def shop():
    return Shop()


@pytest.fixture
def numbers():
    return count(1)


@pytest.fixture
def counted():
    TENANTS.admit(TENANT)
    return Counted()


class Counted:
    """What was counted since it was asked last."""

    def __init__(self) -> None:
        self._before = Counter(dict(_read()))

    def __call__(self) -> dict[str, int]:
        after = Counter(dict(_read()))
        news, self._before = after - self._before, after
        return dict(news)


def _read() -> Iterator[tuple[str, int]]:
    for family in REGISTRY.collect():
        for sample in family.samples:
            if sample.name == "comanda_handoffs_total":
                yield sample.labels["by"], int(sample.value)
            elif sample.name == "comanda_handoffs_untold_total":
                yield f"untold {sample.labels['tenant']}", int(sample.value)


class Events:
    """What happens in conversations."""

    def __init__(self, shop: Shop, numbers: Iterator[int]) -> None:
        self._shop, self._numbers = shop, numbers

    async def staff_types(self, who: CustomerKey = ANA) -> str:
        return await self._ours(raised(Raised("staff_wrote", {}), phone_number_id=NUMBER), who)

    async def given_back(self, by: str, who: CustomerKey = ANA) -> str:
        return await self._ours(handed_back(by, phone_number_id=NUMBER), who)

    async def time_is_up(self, entry: int, who: CustomerKey = ANA) -> str:
        event = Raised(HANDED_BACK, {ENTRY: entry})
        return await self._ours(raised(event, phone_number_id=NUMBER), who)

    async def writes(
        self, content: Content, who: CustomerKey = ANA, phone: str | None = PHONE
    ) -> list[str]:
        sender = Sender(user_id=who, phone=phone, name="Ana")
        name = f"wamid.p{next(self._numbers)}"
        message = InboundMessage(name, NUMBER, sender, 0, content, None, {})
        row = InboxRow(f"{NUMBER}:{name}", TENANT, who, 0, self._shop.clock.now(), {})
        said = await self._shop.turns.take(row, message)
        return [entry.id for entry in said if entry.said]

    async def _ours(self, raw: Mapping[str, object], who: CustomerKey) -> str:
        name = f"ours.{next(self._numbers)}"
        row = InboxRow(name, TENANT, who, 0, self._shop.clock.now(), raw)
        await self._shop.turns.take(row, restore_message(raw))
        return name


@pytest.fixture
def events(shop, numbers):
    return Events(shop, numbers)


# What is counted -------------------------------------------------------------------------------


async def test_who_gives_a_conversation_to_a_person_is_counted(shop, events, counted):
    await shop.chat(Text("human"))
    assert counted() == {"customer": 1}
    await shop.chat(Text("human"))  # he is with one already
    await shop.chat(Text("are you there?"))
    await events.staff_types()
    assert counted() == {}
    await shop.chat(Text("menu"))
    assert counted() == {"given_back_by_customer": 1}
    await events.staff_types()
    assert counted() == {"staff": 1}


@pytest.mark.parametrize("by", ["staff", "operator"])
async def test_who_gives_it_back_is_counted_once(shop, events, counted, by):
    await shop.chat(Text("human"))
    counted()
    for _ in range(2):
        await events.given_back(by)
    assert counted() == {f"given_back_by_{by}": 1}


async def test_only_the_timer_that_is_not_stale_counts(shop, events, counted):
    await shop.chat(Text("human"))
    stale = shop.store.committed[-1].conversation.entry
    await shop.chat(Text("hello?"))
    counted()
    await events.time_is_up(stale)
    assert counted() == {}
    await events.time_is_up(stale + 1)
    assert counted() == {"given_back_by_timer": 1}


async def test_what_the_chart_decides_by_itself_is_its_own(shop, events, counted):
    await shop.chat(Text("hello"))
    record = shop.store.committed[-1]
    went = replace(record, log=replace(record.log, source="menu", target="human"))
    ours = restore_message(raised(Raised("order_moved", {}), phone_number_id=NUMBER))
    handoff_counts.count(bundle(), went, ours)
    assert counted() == {"chart": 1}
    broke = replace(went, log=replace(went.log, outcome="failed"))
    handoff_counts.count(bundle(), broke, ours)
    assert counted() == {}


# Nobody to tell --------------------------------------------------------------------------------


async def test_an_operator_is_told_when_nobody_is(shop, events, counted):
    shop.serve(replace(bundle(), tenant=la_tavola(staff=Staff())))
    with capture_logs() as logs:
        await events.writes(Text("human"))
        await events.writes(Text("human"))
    assert counted() == {"customer": 1, f"untold {TENANT}": 1}
    told = [line for line in logs if line["event"] == "handoff.nobody_to_tell"]
    told_of = {"event": "handoff.nobody_to_tell", "log_level": "warning", "tenant": TENANT}
    assert told == [told_of]
    assert PHONE not in str(logs)
    assert ANA not in str(told)


async def test_staff_who_typed_themselves_need_not_be_told(shop, events, counted):
    shop.serve(replace(bundle(), tenant=la_tavola(staff=Staff())))
    with capture_logs() as logs:
        await events.staff_types()
    assert counted() == {"staff": 1}
    assert not [line for line in logs if line["event"] == "handoff.nobody_to_tell"]


async def test_where_somebody_is_told_nothing_is_wrong(shop, counted):
    with capture_logs() as logs:
        await shop.chat(Text("human"))
    assert counted() == {"customer": 1}
    assert not [line for line in logs if line["event"] == "handoff.nobody_to_tell"]


# Two keys of one customer ----------------------------------------------------------------------


async def test_who_was_written_to_first_is_muted_when_he_writes(shop, events, counted):
    await events.staff_types(BY_PHONE)
    for _ in range(2):
        assert await events.writes(Text("hello")) == []
    assert await shop.state(ANA) == "human"
    assert await shop.store.conversations.get(BY_PHONE) is None
    assert counted() == {"staff": 1}
    assert [r.succeeds and r.succeeds.customer for r in shop.store.committed] == [
        None, BY_PHONE, None,
    ]  # fmt: skip
    await events.given_back("operator")
    assert await shop.state(ANA) == "back_again"
    assert await events.writes(Text("menu"))


async def test_a_cart_of_the_other_key_is_no_cart_of_his(shop, events):
    await events.staff_types(BY_PHONE)
    begun = await shop.store.conversations.get(BY_PHONE)
    went = handoffs.gone_on(replace(begun, cart_expires_at=shop.clock.now()), ANA)
    assert (went.customer, went.version, went.cart_expires_at) == (ANA, 0, None)
    assert (went.phone, went.position) == (PHONE, begun.position)


async def test_what_needs_no_answer_mutes_him_as_well(shop, events):
    await events.staff_types(BY_PHONE)
    assert await events.writes(Reaction("wamid.e", "👍")) == []
    assert await shop.state(ANA) == "human"
    assert await events.writes(Text("hello")) == []


@pytest.mark.parametrize("phone", [None, "12125550999"], ids=["none is told", "another one"])
async def test_who_has_not_that_number_is_answered(shop, events, phone):
    await events.staff_types(BY_PHONE)
    assert await events.writes(Text("hello"), phone=phone)
    assert await shop.state(BY_PHONE) == "human"


async def test_who_was_given_back_meanwhile_is_answered(shop, events):
    await events.staff_types(BY_PHONE)
    await events.given_back("operator", BY_PHONE)
    assert await events.writes(Text("hello"))
    assert shop.store.committed[-1].succeeds is None


async def test_an_echo_that_comes_after_his_first_message_mutes_him_too(shop, events):
    assert await events.writes(Text("hello"))
    shop.store.called.keys[PHONE] = ANA
    name = await events.staff_types(BY_PHONE)
    record = shop.store.committed[-1]
    (row,) = record.passed_on
    assert record.log.outcome == "ignored"
    assert (row.id, row.tenant, row.customer) == (f"{name}:peer", TENANT, ANA)
    await shop.turns.take(row, restore_message(row.raw))
    assert await shop.state(ANA) == "human"
    # One more is not taken for the first word to a stranger.
    await events.staff_types(BY_PHONE)
    assert shop.store.committed[-1].passed_on


async def test_an_echo_to_a_stranger_stays_where_it_is(shop, events):
    await events.staff_types(BY_PHONE)
    assert shop.store.committed[-1].passed_on == ()
    shop.store.called.keys[PHONE] = BY_PHONE
    await events.staff_types(BY_PHONE)
    assert shop.store.committed[-1].passed_on == ()
    assert await shop.state(BY_PHONE) == "human"
