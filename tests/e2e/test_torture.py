"""Customers order while processes and the database are killed; and the ledger sees what is wrong.

`make torture` does the same for minutes (tests/torture).
"""

from collections import Counter
from random import Random

import pytest

from engine.sandbox.state import Received
from tests.torture.crowd import Patron
from tests.torture.customers import Ordered, Script
from tests.torture.facts import Facts, Json
from tests.torture.ledger import ledger
from tests.torture.plans import brief
from tests.torture.processes import Life, Place
from tests.torture.scenario import play
from tests.torture.shops import PLENTY

ROW = "106540352242922:wamid.in"
WORKER = Place("worker1", "worker")


async def test_nothing_is_lost_or_done_twice_whatever_is_killed(tmp_path):
    drawn = ledger(await play(brief(seed=5), tmp_path))
    print(drawn)
    assert drawn.is_clean, f"\n{drawn}\nlogs: {tmp_path / 'logs'}"


def clean() -> Facts:
    """Facts of one customer who has ordered one thing, as they should be."""
    script = Script(Random(1), orders=[Ordered("K7M2QX", Counter({("prod:knots", "", ()): 2}))])
    patron = Patron(
        "15551", "US.1", "la-tavola", "106540352242922", script, 1.0, said=["wamid.in"]
    )
    patron.done = 1.0
    opaque = f"{ROW}:1"
    payload = {
        "type": "text",
        "text": {"body": "*Order #K7M2QX* confirmed!"},
        "biz_opaque_callback_data": opaque,
    }
    message = {"n": 1, "wamid": "wamid.out", "payload": payload}
    send = {"label": "worker1.1", "opaque": opaque, "taken": 5.0, "answered": 5.1}
    item: Json = {
        "productId": "prod:knots",
        "presentationId": None,
        "modifiers": [],
        "quantity": 2,
    }
    order = {
        "orderNumber": "K7M2QX",
        "subDomain": "la-tavola",
        "conversationId": "la-tavola:US.1",
        "items": [item],
    }
    product = {"subDomain": "la-tavola", "rId": "prod:knots", "stock": PLENTY - 2}
    said = {"state": "thanks"}
    sent = {"_id": opaque, "sequence": 1, "state": "sent", "said": said}
    rows: dict[str, list[Json]] = {
        "orders": [order],
        "products": [product],
        "inbox": [{"_id": ROW, "state": "done"}],
        "outbox": [sent],
        "carts": [],
        "flowSessions": [],
        "timers": [],
        "slots": [{"members": {}}],
    }
    return Facts(
        scenario="one order",
        lives=[Life("worker1.1", WORKER, 0.0)],
        fallen=[],
        unwilling=[],
        away=[],
        patrons=[patron],
        sends=[send],
        chats={"US.1": [message]},
        rows=rows,
    )


def test_the_ledger_of_an_order_that_went_well_is_clean():
    assert [line.name for line in ledger(clean()).lines if line.is_bad] == []


def order_lost(facts):
    facts.rows["orders"].clear()


def order_of_something_else(facts):
    facts.rows["orders"][0]["items"][0]["presentationId"] = "pres:large"


def stock_taken_twice(facts):
    facts.rows["products"][0]["stock"] -= 2


def confirmed_twice(facts):
    (first,) = facts.chats["US.1"]
    again = dict(first["payload"]) | {"biz_opaque_callback_data": f"{ROW}:2"}
    facts.chats["US.1"].append(first | {"payload": again})
    facts.rows["outbox"].append(facts.rows["outbox"][0] | {"_id": f"{ROW}:2", "sequence": 2})


def out_of_order(facts):
    confirmed_twice(facts)
    facts.chats["US.1"].reverse()


def never_sent(facts):
    facts.chats["US.1"].clear()


def of_no_turn(facts):
    facts.rows["outbox"].clear()


def never_answered(facts):
    facts.patrons[0].said.append("wamid.unheard")


def sent_twice(facts):
    facts.sends.append(facts.sends[0] | {"taken": 9.0, "answered": 9.1})


def not_finished(facts):
    facts.rows["inbox"].append({"_id": "other", "state": "new"})


def not_settled(facts):
    facts.rows["outbox"][0]["state"] = "queued"


def stuck(facts):
    facts.patrons[0].done = None


def cart_left(facts):
    facts.rows["carts"].append({"_id": 1})


def lease_left(facts):
    facts.rows["slots"][0]["members"]["a"] = {}


def fell(facts):
    facts.fallen.append(facts.lives[0])


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (order_lost, "orders placed = confirmed to customers"),
        (order_of_something_else, "orders that are not what the customer chose"),
        (stock_taken_twice, "stock moved = quantities ordered"),
        (confirmed_twice, "orders without exactly one confirmation"),
        (out_of_order, "messages out of order"),
        (never_sent, "lost: messages to customers that never arrived"),
        (of_no_turn, "messages at customers that no turn wrote"),
        (never_answered, "lost: messages of customers that were never answered"),
        (sent_twice, "doubled: the same message at a customer twice"),
        (not_finished, "inbox rows not finished"),
        (not_settled, "outbox rows not finished"),
        (stuck, "conversations stuck"),
        (cart_left, "carts left over"),
        (lease_left, "leases left over"),
        (fell, "processes that ended by themselves"),
    ],
)
def test_the_ledger_sees_what_is_wrong(spoil, line):
    facts = clean()
    spoil(facts)
    drawn = ledger(facts)
    assert not drawn.is_clean
    assert line in [each.name for each in drawn.lines if each.is_bad]


@pytest.mark.parametrize(
    ("answered", "killed", "away"),
    [(None, None, []), (5.1, 5.05, []), (5.1, 6.9, []), (5.1, None, [(4.0, 5.5)])],
    ids=["cut", "killed before the answer", "killed before the note", "no database for the note"],
)
def test_a_message_whose_acceptance_could_not_be_known_may_be_sent_again(answered, killed, away):
    facts = clean()
    facts.sends[0]["answered"] = answered
    facts.lives[0].killed = killed
    facts.away.extend(away)
    facts.sends.append(facts.sends[0] | {"label": "worker1.2", "taken": 14.0, "answered": 14.1})
    drawn = ledger(facts)
    assert drawn.is_clean
    assert "1 messages" in [line.value for line in drawn.lines]


def test_a_customer_answers_what_he_is_shown_and_nothing_else():
    script = Script(Random(1))
    assert script.begin()["text"] == {"body": "hi"}
    assert script.hear(buttons("checkout", "view_cart", "browse_catalog"), is_over=False) is None
    answer = script.hear(buttons("browse_catalog", "help"), is_over=False)
    assert answer is not None
    assert answer["interactive"]["button_reply"]["id"] == "browse_catalog"
    assert script.awaiting == {"categories"}


def buttons(*ids):
    shown = [{"type": "reply", "reply": {"id": each, "title": each}} for each in ids]
    interactive = {"type": "button", "body": {"text": "?"}, "action": {"buttons": shown}}
    return Received(1, "wamid.out", "1", {"type": "interactive", "interactive": interactive})
