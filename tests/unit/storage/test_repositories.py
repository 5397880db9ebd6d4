"""The database as one tenant sees it."""

import pytest

from engine.box_ports import Inbox, Outbox
from engine.domain.ids import TenantId
from engine.flow_ports import FlowKeys
from engine.ports import BusinessRepository, TenantStore
from engine.storage.businesses import MongoBusinesses
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.inbox import MongoInbox
from engine.storage.outbox import MongoOutbox
from engine.storage.repositories import MongoTenantStore
from tests.memory import MemoryBusinesses, MemoryFlowKeys, MemoryStore
from tests.unit.storage.builders import (
    ANA,
    BAKERY,
    COKE,
    MARGHERITA,
    USD,
    cart,
    conversation,
    inbox_row,
    turn,
)


def the_type_checker_agrees(
    store: MongoTenantStore,
    inbox: MongoInbox,
    outbox: MongoOutbox,
    businesses: MongoBusinesses,
    keys: MongoFlowKeys,
) -> tuple[TenantStore, Inbox, Outbox, BusinessRepository, FlowKeys]:
    return store, inbox, outbox, businesses, keys


def it_agrees_with_the_ones_in_memory(
    store: MemoryStore, keys: MemoryFlowKeys, businesses: MemoryBusinesses
) -> tuple[TenantStore, FlowKeys, BusinessRepository]:
    return store, keys, businesses


async def test_one_customer_at_two_tenants_is_two_conversations(store, bakery, inbox):
    await inbox.accept([inbox_row("w1"), inbox_row("w2", tenant=BAKERY)])
    await store.commit(turn("w1", conversation(place="pizzeria"), cart=cart(MARGHERITA)))
    await bakery.commit(turn("w2", conversation(tenant=BAKERY, place="bakery"), cart=cart(COKE)))
    assert (await store.conversations.get(ANA)).variables == {"place": "pizzeria"}
    assert (await bakery.conversations.get(ANA)).variables == {"place": "bakery"}
    assert await store.carts.get(ANA) == cart(MARGHERITA)
    assert await bakery.carts.get(ANA) == cart(COKE)
    await inbox.accept([inbox_row("w3")])
    await store.commit(turn("w3", conversation(2), cart=cart(expires_at=None)))
    assert await bakery.carts.get(ANA) == cart(COKE)


@pytest.mark.parametrize("name", ["", "a:b"])
def test_a_tenant_whose_conversations_could_be_another_tenants_is_refused(database, name):
    with pytest.raises(ValueError, match="cannot name a tenant"):
        MongoTenantStore(database, tenant=TenantId(name), currency=USD)
