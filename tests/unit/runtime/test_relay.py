"""Messages go out in the order they were written, at Meta's pace, and none twice without need."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.box_ports import StatusNews
from engine.domain.ids import CustomerKey
from engine.errors import EngineError, GraphNoAnswer, GraphRetryable, GraphTerminal, Unavailable
from engine.runtime import sender as sending
from engine.runtime.pace import PAIR_BURST
from engine.runtime.relay import LONG_TALK
from engine.runtime.sender import ACCOUNT_WAIT, ANSWER_WAIT, MAX_ATTEMPTS, STOP
from tests.unit.actions.shop import OPEN
from tests.unit.runtime.boxes_scene import Post, entry
from tests.unit.runtime.flow_shop import ANA, EVA, OTHER, TENANT

HOUR = timedelta(hours=1)
RECEIPT = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.in"}
TEMPLATE = {
    "type": "template",
    "template": {"name": "come_back", "language": {"code": "en_US"}},
}
IMAGE = {"type": "image", "image": {"link": "https://example.org/pizza.jpg"}}


@pytest.fixture
def post():
    return Post()


async def test_what_was_stored_goes_out_in_its_order(post):
    first, second, third = entry(1), entry(2), entry(3)
    post.put(third, first, second)
    await post.look()
    assert post.meta.texts() == ["1", "2", "3"]
    assert post.state(second) == ("sent", 0)
    assert post.boxes.outbox_rows[second.id].wamid == "wamid.out.2"
    await post.look(HOUR)
    assert len(post.meta.taken) == 3


async def test_what_was_offered_is_sent_at_once_and_only_once(post):
    post.put(entry(1), entry(2))
    post.relay.offer([entry(1), entry(2)], 1)
    await post.look()
    assert post.meta.texts() == ["1", "2"]


@pytest.mark.parametrize("term", [None, 2])
async def test_who_has_not_the_slot_any_more_sends_nothing(post, term):
    post.put(entry(1))
    post.claims.held = term
    post.relay.offer([entry(1)], 1)
    await post.relay.idle()
    assert post.meta.taken == []


async def test_a_slot_that_is_lost_before_a_message_is_sent_leaves_it_to_others(post):
    post.put(entry(1), entry(2))

    async def lose(where):
        if where == "outbox.sent":
            post.claims.held = 7

    post.boxes.strike = lose
    post.relay.offer([entry(1), entry(2)], 1)
    await post.relay.idle()
    assert post.meta.texts() == ["1"]
    await post.look()
    assert post.meta.texts() == ["1", "2"]


async def test_what_is_tried_again_holds_back_the_customers_later_messages_and_nobody_elses(post):
    one, two, other = entry(1), entry(2), entry(1, who=EVA)
    post.put(one, two, other)
    post.meta.errors.append(GraphRetryable("busy", code=131000))
    await post.look()
    assert post.state(one) == ("queued", 1)
    assert post.meta.texts() == ["1"]
    assert post.state(other) == ("sent", 0)
    post.relay.offer([two], 1)  # also what is offered waits
    await post.relay.idle()
    assert post.state(two) == ("queued", 0)
    await post.look(timedelta(seconds=2))
    assert post.meta.texts() == ["1", "1", "2"]


async def test_waits_get_longer_and_end(post):
    one, two = entry(1), entry(2)
    post.put(one, two)
    waits = []
    for _ in range(MAX_ATTEMPTS):
        post.meta.errors.append(GraphRetryable("busy", code=131016))
        await post.look()
        waits.append(post.wait(one))
        post.clock.move(timedelta(seconds=max(waits[-1], 0)))
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) <= sending.LONGEST_WAIT
    assert post.state(one)[0] == "dead"
    assert post.refused == [(one.id, 131016)]
    await post.look()
    assert post.meta.texts() == ["2"]


async def test_an_unknown_error_of_meta_is_tried_few_times(post):
    post.put(entry(1))
    for _ in range(3):
        post.meta.errors.append(GraphRetryable("unknown", code=1))
        await post.look(HOUR)
    assert post.state(entry(1))[0] == "dead"


async def test_a_refusal_for_good_lets_the_next_one_go(post):
    post.put(entry(1), entry(2))
    post.meta.errors.append(GraphTerminal("not on WhatsApp", code=131026))
    await post.look()
    assert post.state(entry(1)) == ("dead", 0)
    assert post.boxes.outbox_rows[entry(1).id].error == "131026: not on WhatsApp"
    assert post.refused == [(entry(1).id, 131026)]
    assert post.meta.texts() == ["2"]


# No answer --------------------------------------------------------------------------------------


async def test_a_send_without_an_answer_waits_for_a_status_that_settles_it(post):
    one, two = entry(1), entry(2)
    post.put(one, two)
    post.meta.errors.append(GraphNoAnswer("no answer: ReadTimeout"))
    await post.look()
    assert post.state(one) == ("queued", 1)
    assert post.boxes.outbox_rows[one.id].row.is_unknown
    assert post.wait(one) == ANSWER_WAIT.total_seconds()
    news = StatusNews("wamid.x", one.id, "sent", OPEN)
    await post.boxes.outbox.note_statuses(TENANT, [news])
    await post.look()
    assert post.state(one)[0] == "sent"
    assert post.boxes.outbox_rows[one.id].wamid == "wamid.x"
    assert post.meta.texts() == ["2"]


async def test_a_send_without_an_answer_and_without_a_status_is_repeated(post):
    post.put(entry(1), entry(2))
    post.meta.errors.append(GraphNoAnswer("no answer: ReadTimeout"))
    await post.look()
    await post.look(ANSWER_WAIT - timedelta(seconds=1))
    assert post.meta.taken == []
    await post.look(timedelta(seconds=1))
    assert post.meta.texts() == ["1", "2"]


async def test_a_status_that_comes_while_it_waits_to_be_repeated_is_heeded(post):
    one = entry(1)
    post.put(one)
    post.meta.errors.append(GraphNoAnswer("no answer"))
    await post.look()

    async def settle(where):
        if where == "outbox.status_of":
            post.boxes.outbox_rows[one.id].status = "sent"

    post.boxes.strike = settle
    await post.look(ANSWER_WAIT)
    assert post.meta.taken == []


async def test_what_meta_took_is_noted_when_the_database_comes_back(post, monkeypatch):
    monkeypatch.setattr(sending, "NOTE_SECONDS", 0.001)
    post.put(entry(1), entry(2))
    left = [3]

    async def away(where):
        if where == "outbox.sent" and left[0]:
            left[0] -= 1
            raise Unavailable("away")

    post.boxes.strike = away
    await post.look()
    assert post.meta.texts() == ["1", "2"]
    assert post.state(entry(1)) == ("sent", 0)


async def test_a_read_receipt_that_fails_is_let_go(post):
    receipt = entry(1, payload=RECEIPT, said=None)
    post.put(receipt, entry(2))
    post.meta.errors.append(GraphRetryable("busy", code=131000))
    await post.look()
    assert post.state(receipt)[0] == "discarded"
    assert post.meta.texts() == ["2"]


async def test_the_first_answer_takes_the_read_receipt_along(post):
    post.put(entry(1, reads="wamid.in"), entry(2))
    await post.look()
    assert [one.get("message_id") for _, one in post.meta.taken] == ["wamid.in", None, None]
    assert post.meta.taken[0][1]["typing_indicator"] == {"type": "text"}
    assert post.meta.texts() == ["1", "2"]


async def test_a_receipt_that_fails_keeps_no_answer_back(post):
    post.put(entry(1, reads="wamid.in"))
    post.meta.errors.append(GraphNoAnswer("cut"))
    await post.look()
    assert post.meta.texts() == ["1"]
    assert post.state(entry(1)) == ("sent", 0)


async def test_an_answer_that_is_tried_again_takes_no_receipt_along(post):
    post.put(entry(1, reads="wamid.in"))
    post.meta.errors += [GraphRetryable("busy", code=131000)] * 2
    await post.look()
    await post.look(HOUR)
    assert [one.get("status") for _, one in post.meta.taken] == [None]


# Pace -------------------------------------------------------------------------------------------


async def test_more_than_a_burst_waits_and_others_do_not(post):
    post.put(*(entry(n) for n in range(1, PAIR_BURST + 3)), entry(1, who=EVA))
    await post.look()
    assert len(post.meta.taken) == PAIR_BURST + 1
    waiting = entry(PAIR_BURST + 1)
    assert post.state(waiting) == ("queued", 0)
    assert 5 < post.wait(waiting) <= 6
    await post.look(timedelta(seconds=6))
    assert len(post.meta.taken) == PAIR_BURST + 2


async def test_receipts_are_no_messages(post):
    post.put(*(entry(n, payload=RECEIPT, said=None) for n in range(1, 2 * PAIR_BURST)))
    await post.look()
    assert len(post.meta.taken) == 2 * PAIR_BURST - 1


async def test_what_an_earlier_process_sent_counts_for_a_long_talk(post):
    turns = LONG_TALK // 100
    for n in range(PAIR_BURST):
        old = entry(n + 1)
        post.put(old)
        held = post.boxes.outbox_rows[old.id]
        held.state, held.sent_at = "sent", OPEN
    post.put(entry(turns + 100))
    await post.look()
    assert post.meta.taken == []
    assert 5 < post.wait(entry(turns + 100)) <= 6


@pytest.mark.parametrize(("attempts", "wait"), [(0, 1), (1, 4), (3, 64), (8, 4096)])
async def test_a_customer_who_got_too_many_is_waited_for_longer_each_time(post, attempts, wait):
    one = entry(1, attempts=attempts)
    post.put(one, entry(1, who=EVA))
    post.meta.errors.append(GraphRetryable("pair", code=131056))
    await post.look()
    waits = {post.wait(each) for each in (one, entry(1, who=EVA)) if post.state(each)[0] != "sent"}
    assert waits <= {wait, 1.0}
    assert len(post.meta.taken) == 1


async def test_a_number_that_is_too_fast_slows_down(post):
    post.put(entry(1))
    post.meta.errors.append(GraphRetryable("throughput", code=130429))
    await post.look()
    assert post.state(entry(1)) == ("queued", 1)
    assert sum(post.pace.for_number("101") == 0 for _ in range(100)) < 80


# Pictures ---------------------------------------------------------------------------------------


async def test_what_follows_a_picture_waits_until_the_picture_is_on_its_way(post):
    picture = entry(1, payload=IMAGE)
    post.put(picture, entry(2), entry(1, who=EVA))
    asked = []

    async def see(where):
        if where == "outbox.status_of":
            asked.append(post.meta.texts())
            if len(asked) == 2:
                post.boxes.outbox_rows[picture.id].status = "sent"

    post.boxes.strike = see
    await post.look()
    assert len(asked) == 2
    assert sorted(post.meta.texts()) == ["1", "2"]
    assert "2" not in asked[-1]


async def test_a_picture_without_a_status_is_not_waited_for_for_ever(post, monkeypatch):
    monkeypatch.setattr("engine.runtime.relay.MEDIA_POLL", 0.001)
    monkeypatch.setattr("engine.runtime.relay.MEDIA_WAIT", 0.01)
    headed = {"type": "interactive", "interactive": {"header": {"type": "image"}}}
    post.put(entry(1, payload=headed), entry(2))
    await post.look()
    assert post.meta.texts() == ["2"]


# The account ------------------------------------------------------------------------------------


async def test_a_bad_token_stops_the_tenant_until_it_has_another_one(post):
    post.put(entry(1), entry(1, who=EVA), entry(2))
    post.meta.errors += [GraphTerminal("expired", code=190)] * 5
    await post.look()
    tried = len(post.meta.tokens)
    assert tried <= 2  # those that were under way
    assert {post.wait(each) for each in (entry(1), entry(1, who=EVA))} == {STOP.total_seconds()}
    late = entry(1, who=CustomerKey("US.3"), at=post.clock.now())
    post.put(late)
    await post.look()
    assert len(post.meta.tokens) == tried
    assert post.state(late) == ("queued", 0)
    post.meta.errors.clear()
    post.change_business(access_token="new")
    again = entry(1, who=CustomerKey("US.4"))
    post.put(again)
    await post.look()
    assert post.state(again) == ("sent", 0)
    await post.look(STOP)
    assert post.state(entry(1)) == post.state(entry(2)) == ("sent", 0)


async def test_an_account_that_is_too_busy_waits_as_long_as_meta_says(post):
    post.put(entry(1))
    post.meta.errors.append(GraphRetryable("account", code=80007, wait=600))
    await post.look()
    assert post.wait(entry(1)) == 600
    assert post.state(entry(1)) == ("queued", 0)


async def test_another_tenant_is_not_stopped(post):
    other = replace(entry(5), id="x:1", tenant=OTHER, customer=CustomerKey("PE.1"))
    post.put(entry(1), other)
    post.meta.errors.append(GraphTerminal("expired", code=190))
    await post.look()
    states = [post.state(each)[0] for each in (entry(1), other)]
    assert sorted(states) == ["queued", "sent"]


async def test_a_token_that_cannot_be_opened_costs_no_call(post):
    post.put(entry(1))

    async def sealed(tenant):
        raise EngineError("cannot be opened")

    post.businesses.by_tenant = sealed
    await post.look()
    assert post.wait(entry(1)) == ACCOUNT_WAIT.total_seconds()
    assert post.meta.tokens == []


# The 24-hour window -----------------------------------------------------------------------------


@pytest.mark.parametrize("spoke", [True, False])
async def test_a_closed_window_holds_a_message_back_with_a_reason(post, spoke):
    one, two = entry(1), entry(2, window_ends=OPEN + 48 * HOUR)
    post.put(one, two)
    post.spoke = OPEN if spoke else None
    await post.look(24 * HOUR)
    assert post.state(one)[0] == "held"
    assert "24 hours" in (post.boxes.outbox_rows[one.id].error or "")
    assert post.meta.texts() == ["2"]


async def test_a_window_that_he_has_opened_again_is_open(post):
    post.put(entry(1))
    post.spoke = OPEN + 23 * HOUR
    await post.look(24 * HOUR)
    assert post.meta.texts() == ["1"]


async def test_a_declared_template_goes_out_in_place_of_a_message(post):
    post.put(entry(1, template=TEMPLATE), entry(2, template=TEMPLATE))
    await post.look(24 * HOUR)
    await post.look()
    await post.look()
    assert [payload for _, payload in post.meta.taken] == [TEMPLATE, TEMPLATE]


async def test_one_template_stands_for_all_parts_of_a_message(post):
    post.put(entry(1, template=TEMPLATE), entry(2, template={}), entry(3, template=TEMPLATE))
    await post.look(24 * HOUR)
    for _ in range(3):
        await post.look()
    assert [payload for _, payload in post.meta.taken] == [TEMPLATE, TEMPLATE]
    assert post.state(entry(2))[0] == "discarded"


@pytest.mark.parametrize(("template", "state"), [(TEMPLATE, "sent"), (None, "held")])
async def test_what_meta_says_of_the_window_counts_more_than_our_clock(post, template, state):
    post.put(entry(1, template=template))
    post.meta.errors.append(GraphTerminal("re-engagement", code=131047))
    await post.look()
    await post.look()
    assert post.state(entry(1))[0] == state


async def test_a_template_that_is_refused_for_the_window_is_not_tried_for_ever(post):
    post.put(entry(1, template=TEMPLATE))
    post.meta.errors += [GraphTerminal("window", code=131047)] * 2
    await post.look()
    await post.look()
    assert post.state(entry(1))[0] == "held"


# The end ----------------------------------------------------------------------------------------


async def test_an_end_sends_what_is_queued_if_that_is_soon(post):
    post.put(entry(1), entry(2))
    post.relay.offer([entry(1), entry(2)], 1)
    await post.relay.end(within=5)
    assert post.meta.texts() == ["1", "2"]


async def test_an_end_does_not_wait_for_what_takes_long(post):
    begun, gate = asyncio.Event(), asyncio.Event()

    async def slow(*args, **options):
        begun.set()
        await gate.wait()
        return "wamid.slow"

    post.meta.send = slow
    post.put(entry(1), entry(2))
    post.relay.offer([entry(1), entry(2)], 1)
    await begun.wait()
    ending = asyncio.create_task(post.relay.end(within=0.01))
    await asyncio.sleep(0.05)
    assert not ending.done()  # what is under way is finished
    gate.set()
    await ending
    assert post.state(entry(1)) == ("sent", 0)
    assert post.state(entry(2)) == ("queued", 0)


async def test_without_the_database_a_look_does_nothing(post):
    async def away(where):
        raise Unavailable("away")

    post.put(entry(1))
    post.boxes.strike = away
    await post.look()
    assert post.meta.taken == []
    assert entry(1).customer == ANA


async def test_an_end_does_not_wait_for_what_the_numbers_throughput_holds_back(post):
    post.pace.for_number = lambda number: 1.0  # never
    crowd = [entry(1, who=CustomerKey(f"c{n}")) for n in range(5)]
    post.put(*crowd)
    await post.relay.look()
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.01)

    beating = asyncio.create_task(beat())
    async with asyncio.timeout(5):
        await post.relay.end(within=0.1)
    beating.cancel()
    assert turns > 5  # others had their time meanwhile
    assert post.meta.taken == []
    assert [post.state(each) for each in crowd] == [("queued", 0)] * 5


# Others' work -----------------------------------------------------------------------------------


async def test_what_is_offered_does_not_overtake_what_another_process_had_left(post):
    post.put(entry(4))  # by another one, that is gone
    post.put(entry(5))
    post.relay.offer([entry(5)], 1)
    await post.relay.idle()
    assert post.meta.texts() == []
    await post.look()
    assert post.meta.texts() == ["4", "5"]
    post.put(entry(6))
    post.relay.offer([entry(6)], 1)  # now it knows all there is
    await post.relay.idle()
    assert post.meta.texts() == ["4", "5", "6"]
    post.claims.held = 2  # another had the slot for a while
    post.put(entry(7))
    post.relay.offer([entry(7)], 2)
    await post.relay.idle()
    assert post.meta.texts() == ["4", "5", "6"]
    await post.look()
    assert post.meta.texts() == ["4", "5", "6", "7"]


async def test_what_a_look_has_found_before_its_turn_was_told_so_goes_out_once(post):
    one, two = entry(1), entry(2)
    post.put(one)
    await post.look()
    post.relay.offer([one], 1)  # the answer to its commit came late
    await post.relay.idle()
    post.put(two)
    await post.look()
    post.relay.offer([two], 1)
    await post.relay.idle()
    assert post.meta.texts() == ["1", "2"]


async def test_what_is_offered_does_not_overtake_a_turn_that_another_process_has_taken(post):
    post.put(entry(1))
    post.relay.offer([entry(1)], 1)
    await post.relay.idle()
    post.put(entry(2), entry(3))  # the first by a Flow's exchange
    post.relay.offer([entry(3)], 1)
    await post.relay.idle()
    assert post.meta.texts() == ["1"]
    await post.look()
    assert post.meta.texts() == ["1", "2", "3"]


# What is broken ----------------------------------------------------------------------------------


async def test_without_a_token_everything_waits_and_nothing_is_given_up(post):
    post.change_business(access_token="")
    post.put(entry(1), entry(2))
    for _ in range(MAX_ATTEMPTS + 1):
        await post.look(STOP)
    assert post.meta.tokens == []
    assert post.state(entry(1)) == ("queued", 0)
    post.change_business(access_token="token")
    await post.look(STOP)
    assert post.meta.texts() == ["1", "2"]


async def test_an_entry_that_breaks_the_sending_is_given_up_at_last_and_others_go_on(post):
    broken, other = entry(1), entry(1, who=EVA)
    post.put(broken, entry(2), other)
    real = post.meta.send

    async def send(number, *, token, payload):
        if payload is broken.payload:
            raise ValueError("odd")
        return await real(number, token=token, payload=payload)

    post.meta.send = send
    await post.look()
    assert post.state(other) == ("sent", 0)
    assert post.state(broken) == ("queued", 1)
    for _ in range(MAX_ATTEMPTS):
        await post.look(HOUR)
    assert post.state(broken)[0] == "dead"
    assert post.state(entry(2))[0] == "sent"


async def test_sends_without_an_answer_are_tried_for_minutes_before_they_are_given_up(post):
    post.put(entry(1))
    waited = 0.0
    while post.state(entry(1))[0] == "queued":
        post.meta.errors.append(GraphNoAnswer("no answer"))
        await post.look()
        wait = post.wait(entry(1))
        if post.state(entry(1))[0] == "queued":
            waited += wait
            post.clock.move(timedelta(seconds=wait))
    assert waited > 8 * 60


async def test_what_meta_took_is_noted_even_if_the_database_refuses_it_at_first(post, monkeypatch):
    monkeypatch.setattr(sending, "NOTE_SECONDS", 0.001)
    refusals = [EngineError("refused"), Unavailable("away")]

    async def refuse(where):
        if where == "outbox.sent" and refusals:
            raise refusals.pop()

    post.boxes.strike = refuse
    post.put(entry(1))
    await post.look()
    assert post.state(entry(1)) == ("sent", 0)
    assert post.meta.texts() == ["1"]


async def test_a_refusal_of_the_database_keeps_one_entry_and_not_the_whole_tenant(post):
    old, other = entry(1, window_ends=OPEN), entry(1, who=EVA)
    post.put(old, other)
    post.spoke = None

    async def refuse(where):
        if where == "outbox.held":
            raise EngineError("refused")

    post.boxes.strike = refuse
    await post.look()
    assert post.state(old) == ("queued", 1)
    assert post.state(other) == ("sent", 0)
    assert post.wait(old) <= 2
