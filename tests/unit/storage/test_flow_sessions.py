"""Flow sessions on disk, and the ones in memory that other tests rely on."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.storage.records import FlowSessionDocument
from tests.unit.storage.builders import (
    BAKERY,
    NOW,
    conversation,
    flow_end,
    flow_message,
    flow_session,
    inbox_row,
    outbox_entry,
    turn,
)

DAY = timedelta(days=1)


async def send(store, *sessions, **writes):
    """Let a turn send Flows."""
    talk = conversation(tenant=sessions[0].tenant)
    await store.commit(turn(talk=talk, has_inbox_row=False, flow_sessions=sessions, **writes))


@pytest.fixture
def row(database):
    async def read(session):
        return await database.collection(FlowSessionDocument).find_one({"_id": session.id})

    return read


async def test_a_session_comes_back_as_it_was(either):
    noted = {"size": None, "a.b": {"$c": [1.5, True]}, "": "empty", "lines": [{"n": 2**62}]}
    session = flow_session(input={"product": "prod:a.b"}, variables=noted, trail=("SIZE",))
    await send(either, session)
    assert await either.flow_sessions.get(session.id) == session
    assert await either.flow_sessions.get("none") is None
    moved = replace(session, version=1, trail=("SIZE", "SUM"), variables={"$d": {"e.f": "g"}})
    await either.flow_sessions.save(moved)
    assert await either.flow_sessions.get(session.id) == moved
    done = replace(moved, version=2, state="done", params={"x.y": [1], "$z": None})
    await either.flow_sessions.save(done)
    assert await either.flow_sessions.get(session.id) == done


@pytest.mark.parametrize("version", [0, 1, 3, -1])
async def test_only_the_next_version_of_a_session_is_saved(either, version):
    await send(either, flow_session())
    held = flow_session(1, trail=("SIZE",))
    await either.flow_sessions.save(held)
    with pytest.raises(Conflict):
        await either.flow_sessions.save(flow_session(version, trail=("SIZE", "SUM")))
    assert await either.flow_sessions.get(held.id) == held


async def test_nothing_more_is_saved_of_a_session_that_is_done(either):
    await send(either, flow_session())
    done = flow_session(1, params={"quantity": 1})
    await either.commit(flow_end(done, conversation(2)))
    with pytest.raises(Conflict):
        await either.flow_sessions.save(flow_session(2, trail=("SIZE",)))
    assert await either.flow_sessions.get(done.id) == replace(done, state="done")


async def test_a_session_that_was_never_sent_is_not_saved(either):
    with pytest.raises(Conflict):
        await either.flow_sessions.save(flow_session(1))
    assert await either.flow_sessions.get(flow_session().id) is None


async def test_a_session_of_another_tenant_is_not_there(store, bakery):
    foreign = flow_session(tenant=BAKERY)
    await send(bakery, foreign)
    assert await store.flow_sessions.get(foreign.id) is None
    for session in (flow_session(1), replace(foreign, version=1)):
        with pytest.raises(Conflict):
            await store.flow_sessions.save(session)
    assert await bakery.flow_sessions.get(foreign.id) == foreign


async def test_of_two_exchanges_from_one_version_exactly_one_is_saved(store):
    await send(store, flow_session())
    for version in range(1, 21):
        left, right = (flow_session(version, trail=(side,)) for side in ("LEFT", "RIGHT"))
        outcomes = await asyncio.gather(
            store.flow_sessions.save(left), store.flow_sessions.save(right), return_exceptions=True
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
        winner = left if outcomes[0] is None else right
        assert await store.flow_sessions.get(left.id) == winner


async def test_a_session_is_kept_until_no_webhook_can_name_it(store, row):
    kept = 9 * DAY
    session = flow_session(expires_at=NOW + DAY)
    await send(store, session)
    assert (await row(session))["expireAt"] == NOW + kept
    await store.flow_sessions.save(replace(session, version=1))
    assert (await row(session))["expireAt"] == NOW + kept
    await store.commit(flow_end(replace(session, version=2), conversation(2)))
    assert (await row(session))["expireAt"] == NOW + kept


PAYLOADS = {
    "a Flow": (flow_message("5e55.1.mac"), "5e55.1.mac"),
    "a text": ({"type": "text", "text": {"body": "Hello"}}, None),
    "a list": ({"interactive": {"type": "list", "action": {"sections": []}}}, None),
    "a link": ({"interactive": {"action": {"parameters": {"url": "https://a.b"}}}}, None),
    "something else": (flow_message({"text": "t"}), None),
    "a template": ({"interactive": {"action": {"parameters": [{"flow_token": "t"}]}}}, None),
}


@pytest.mark.parametrize("kind", PAYLOADS)
async def test_the_token_is_found_by_what_meta_calls_the_message(
    store, bakery, memory, inbox, outbox, kind
):
    payload, token = PAYLOADS[kind]
    entry = replace(outbox_entry(), payload=payload)
    await inbox.accept([inbox_row()])
    await store.commit(turn(outbox=(entry,)))
    assert await store.flow_sessions.token_of("wamid.1") is None
    await outbox.sent(entry, wamid="wamid.1", at=NOW)
    memory.sent["wamid.1"] = entry
    for either in (store, memory):
        assert await either.flow_sessions.token_of("wamid.1") == token
        assert await either.flow_sessions.token_of("wamid.2") is None
    assert await bakery.flow_sessions.token_of("wamid.1") is None
