"""Meta is asked again for what is not settled: a lost webhook holds nothing back for ever."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine.errors import EngineError, Unavailable
from engine.graph.templates import GraphTemplates
from engine.message_templates import watch as watch_module
from engine.message_templates.ports import KnownTemplate
from engine.message_templates.watch import ASK_EVERY
from tests.unit.message_templates.scene import READY
from tests.unit.storage.builders import BAKERY, PIZZERIA
from tests.unit.sync.scene import until

SOON = timedelta(minutes=1)


@pytest.fixture
def watch(office):
    return office.watch()


async def test_a_lost_approval_lets_what_waits_go(office, watch):
    await office.sync()
    entry = await office.put()
    await office.relay()
    assert (await office.row(entry))["state"] == "held"
    office.is_deaf = True
    await office.decide("APPROVED")
    await watch.look()
    assert office.listed == 0  # it was told of just now
    office.clock.move(ASK_EVERY + SOON)
    with capture_logs() as logs:
        await watch.look()
    assert await office.status() == "APPROVED"
    assert [(log["event"], log["status"]) for log in logs] == [("template.noted", "APPROVED")]
    await office.relay()
    assert (await office.row(entry))["state"] == "sent"


async def test_meta_is_asked_once_in_a_while_and_not_when_all_is_settled(office, watch):
    await office.sync(READY, replace(READY, name="order_late"))
    for _ in range(60):
        office.clock.move(SOON)
        await watch.look()
    # An hour has passed: both in one call.
    assert office.listed == 3
    await office.decide("APPROVED")
    await office.decide("APPROVED", "order_late")
    for _ in range(60):
        office.clock.move(SOON)
        await watch.look()
    assert office.listed == 3


@pytest.mark.parametrize("status", ["REJECTED", "DISABLED"])
async def test_what_was_decided_is_asked_for_only_while_something_waits(office, watch, status):
    await office.sync()
    await office.decide(status)
    office.clock.move(ASK_EVERY + SOON)
    await watch.look()
    assert office.listed == 0
    await office.put()
    await office.relay()
    await watch.look()
    assert office.listed == 1
    # What is no news any more is waited for no longer.
    office.clock.move(timedelta(hours=24))
    await watch.look()
    assert office.listed == 1


async def test_a_pause_that_meta_ended_is_seen(office, watch):
    await office.sync()
    await office.decide("PAUSED")
    office.is_deaf = True
    await office.decide("APPROVED")
    office.clock.move(ASK_EVERY + SOON)
    await watch.look()
    assert await office.status() == "APPROVED"


async def test_one_that_meta_has_not_is_missing_until_it_is_made(office, watch):
    entry = await office.put()
    await office.relay()
    assert (await office.row(entry))["state"] == "held"
    with capture_logs() as logs:
        await watch.look()
    assert await office.status() == "MISSING"
    assert [(log["log_level"], log["status"]) for log in logs] == [("warning", "MISSING")]
    # Meta is not troubled with the next one.
    other = await office.put(2)
    await office.relay()
    assert (await office.row(other))["error"] == "the template 'order_ready' is missing"
    (step,) = await office.sync()
    assert step.verb == "created"
    await office.decide("APPROVED")
    await office.relay()
    assert await office.states() == ["sent", "sent"]


async def test_who_has_not_the_slot_does_not_ask(office):
    await office.sync()
    office.clock.move(ASK_EVERY + SOON)
    await office.watch(is_mine=False).look()
    assert office.listed == 0


async def test_a_tenant_without_an_account_is_passed_over(office, watch):
    await office.sync()
    office.clock.move(ASK_EVERY + SOON)
    for lacking in ({"waba_id": None}, {"access_token": ""}):
        office.business = replace(office.business, **lacking)
        await office.watch().look()
    office.served = [BAKERY]
    await office.watch().look()
    assert office.listed == 0


async def test_a_meta_that_does_not_tell_is_asked_later(office, watch):
    await office.sync()
    office.is_deaf = True
    await office.decide("APPROVED")
    office.clock.move(ASK_EVERY + SOON)
    right, office.calls = office.calls, GraphTemplates(office.graph, "a token of nobody")
    with capture_logs() as logs:
        await watch.look()
        office.clock.move(SOON)
        await watch.look()
    assert [(log["event"], log["code"]) for log in logs] == [("template.not_told", 190)]
    assert office.listed == 1
    office.calls = right
    office.clock.move(ASK_EVERY)
    await watch.look()
    assert await office.status() == "APPROVED"


async def test_a_token_that_cannot_be_opened_keeps_nobody_else_waiting(office, monkeypatch):
    await office.sync()
    await office.known.note(
        KnownTemplate(BAKERY, "bread_ready", "en_US", "PENDING", office.clock.now())
    )
    office.served = [BAKERY, PIZZERIA]
    office.clock.move(ASK_EVERY + SOON)
    opened = office.by_tenant

    async def sealed(tenant):
        if tenant == BAKERY:
            raise EngineError("it cannot be opened")
        return await opened(tenant)

    monkeypatch.setattr(office, "by_tenant", sealed)
    with capture_logs() as logs:
        await office.watch().look()
    assert [(log["event"], log["tenant"]) for log in logs] == [("template.not_told", BAKERY)]
    assert office.listed == 1


async def test_it_looks_until_it_is_stopped_whether_the_database_is_there_or_not(
    office, monkeypatch
):
    unsettled, away = office.known.unsettled, [Unavailable("away")]

    async def sometimes(*arguments, **more):
        if away:
            raise away.pop()
        return await unsettled(*arguments, **more)

    monkeypatch.setattr(office.known, "unsettled", sometimes)
    monkeypatch.setattr(watch_module, "LOOK_SECONDS", 0.01)
    watch = office.watch()
    await office.sync()
    office.clock.move(ASK_EVERY + SOON)
    running = asyncio.create_task(watch.run())
    await until(lambda: office.listed)
    watch.stop()
    await running
    assert away == []
