"""Conversations on disk."""

from dataclasses import replace
from datetime import timedelta

from engine.domain.conversation import Conversation, Position
from engine.storage.conversations import conversation_id
from engine.storage.records import ConversationDocument
from tests.unit.storage.builders import (
    ANA,
    BEN,
    NOW,
    PIZZERIA,
    conversation,
    inbox_row,
    turn,
)


async def test_a_conversation_survives_the_disk(store, inbox):
    await inbox.accept([inbox_row()])
    noted = {"page": 2, "a.b": {"$c": [1.5, None, True]}, "draft": {"lines": []}, "": "empty"}
    talk = replace(
        conversation(**noted),
        user_id="PE.1",
        misses=1,
        entries={"aside": 7, "a.b": 8},
        spoke_at=NOW - timedelta(hours=1),
        cart_expires_at=NOW + timedelta(hours=24),
        position=Position("storefront", 3, "9f", "help", ("aside", "help"), resume="menu"),
    )
    await store.commit(turn(talk=talk))
    assert await store.conversations.get(ANA) == talk
    assert await store.conversations.get(BEN) is None


async def test_a_conversation_that_stands_nowhere_survives_too(store, inbox):
    await inbox.accept([inbox_row()])
    bare = Conversation(tenant=PIZZERIA, customer=ANA, language="en", version=1)
    await store.commit(turn(talk=bare))
    assert await store.conversations.get(ANA) == bare


async def test_one_of_an_earlier_version_can_be_read(store, inbox, database):
    await inbox.accept([inbox_row()])
    await store.commit(turn())
    new = {"entries": "", "spokeAt": "", "phoneNumberId": ""}
    await database.collection(ConversationDocument).update_one({}, {"$unset": new})
    bare = replace(conversation(), entries={}, spoke_at=None, phone_number_id="")
    assert await store.conversations.get(ANA) == bare


def test_its_name_has_the_tenant_first():
    assert conversation_id(PIZZERIA, ANA) == "pizzeria:51999111222"
