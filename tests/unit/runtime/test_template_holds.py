"""A message waits until its template is approved, and somebody is told that it does."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine import metrics
from tests.unit.message_templates.scene import office as an_office
from tests.unit.storage.builders import PIZZERIA


@pytest.fixture
async def office(database):
    """The pizzeria and Meta."""
    async with an_office(database) as made:
        yield made


def held(code):
    return metrics.sends.labels(kind="template", outcome="held", code=str(code))._value.get()


async def sends(office):
    """Tell how many messages Meta was asked to send, taken or not."""
    refused = (await office.meta.get("/sandbox/refusals")).json()
    taken = [state for state in await office.states() if state == "sent"]
    return len(taken) + sum(each["path"].endswith("/messages") for each in refused)


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL"])
async def test_it_waits_while_the_template_is_not_approved_and_goes_when_it_is(office, status):
    await office.sync()
    await office.decide("APPROVED" if status == "IN_APPEAL" else status)
    if status == "IN_APPEAL":
        told = {"message_template_name": "order_ready", "message_template_language": "en_US"}
        await office.news.take(PIZZERIA, {**told, "event": status})
    entries = [await office.put(n) for n in (1, 2)]
    await office.relay()
    await office.relay()
    assert await office.states() == ["held", "held"]
    assert await sends(office) == 0  # Meta is not asked what is known
    row = await office.row(entries[0])
    assert row["error"] == f"the template 'order_ready' is {status.lower()}"
    assert row["heldFor"] == "order_ready:en_US"
    await office.decide("APPROVED")
    assert await office.states() == ["queued", "queued"]
    await office.relay()
    assert await office.states() == ["sent", "sent"]
    assert office.refused == []


async def test_the_approval_of_another_one_lets_nothing_go(office):
    await office.sync()
    await office.put()
    await office.relay()
    for name, language in (("order_ready", "es"), ("order_read", "en_US")):
        told = {"message_template_name": name, "message_template_language": language}
        await office.news.take(PIZZERIA, {**told, "event": "APPROVED"})
    assert await office.states() == ["held"]


async def test_what_waited_for_a_day_is_no_news_any_more(office):
    await office.sync()
    old = await office.put(1)
    await office.relay()
    office.clock.move(timedelta(hours=24))
    fresh = await office.put(2)
    await office.relay()
    await office.decide("APPROVED")
    assert (await office.row(old))["state"] == "held"
    assert (await office.row(fresh))["state"] == "queued"


async def test_an_approval_between_the_look_and_the_hold_is_not_lost(office, monkeypatch):
    await office.sync()
    await office.put()
    hold = office.outbox.hold

    async def slow(*arguments, **more):
        await office.decide("APPROVED")
        await hold(*arguments, **more)

    monkeypatch.setattr(office.outbox, "hold", slow)
    await office.relay()
    assert await office.states() == ["queued"]


async def test_132001_holds_it_back_and_says_which_template_is_missing(office):
    """Nothing is known of it here: only Meta knows that it is not there in this language."""
    await office.sync()
    await office.decide("APPROVED")
    entry, before = await office.put(language="es"), held(132001)
    with capture_logs() as logs:
        await office.relay()
    row = await office.row(entry)
    assert (row["state"], row["heldFor"]) == ("held", "order_ready:es")
    assert row["error"] == (
        "Meta does not send the template 'order_ready' in es now: 132001: (#132001) Template does "
        "not exist template name (order_ready) does not exist in es"
    )
    assert held(132001) == before + 1
    told = [log for log in logs if log["event"] == "relay.held"]
    assert [(log["template"], log["language"], log["code"]) for log in told] == [
        ("order_ready", "es", 132001)
    ]
    # It is neither lost nor tried again and again.
    await office.relay()
    assert await sends(office) == 1
    assert office.refused == []


async def test_132015_holds_it_back_until_the_pause_is_over(office):
    """The webhook that told of the pause was lost."""
    await office.sync()
    await office.decide("APPROVED")
    office.is_deaf = True
    await office.decide("PAUSED")
    entry, before = await office.put(), held(132015)
    with capture_logs() as logs:
        await office.relay()
    row = await office.row(entry)
    assert (row["state"], row["heldFor"]) == ("held", "order_ready:en_US")
    assert row["error"] == (
        "Meta does not send the template 'order_ready' in en_US now: 132015: (#132015) Template "
        "is paused The template is paused due to low quality"
    )
    assert held(132015) == before + 1
    assert [log["code"] for log in logs if log["event"] == "relay.held"] == [132015]
    # Meta is asked, and the next one is held back without a call.
    office.clock.move(timedelta(minutes=16))
    watch = office.watch()
    await watch.look()
    assert await office.status() == "PAUSED"
    next_one = await office.put(2)
    await office.relay()
    assert (await office.row(next_one))["error"] == "the template 'order_ready' is paused"
    assert await sends(office) == 1
    # The pause is over, and that webhook is lost, too.
    await office.decide("APPROVED")
    office.clock.move(timedelta(minutes=16))
    await watch.look()
    await office.relay()
    assert await office.states() == ["sent", "sent"]


async def test_132016_is_given_up(office):
    await office.sync()
    office.is_deaf = True
    await office.decide("DISABLED")
    await office.forget()
    entry = await office.put()
    await office.relay()
    row = await office.row(entry)
    assert (row["state"], office.refused) == ("dead", [132016])
    assert row["error"].startswith("132016: ")


async def test_free_texts_wait_for_no_template(office):
    await office.sync()
    entry = await office.put()
    text = {"messaging_product": "whatsapp", "to": "1", "type": "text", "text": {"body": "Hi"}}
    await office.rows.update_one({"_id": entry.id}, {"$set": {"payload": text}})
    await office.relay()
    assert (await office.row(entry))["state"] == "sent"
