"""Carts on disk."""

from datetime import timedelta

from engine.storage.documents import CartDocument
from tests.unit.storage.builders import (
    ANA,
    BEN,
    COKE,
    MARGHERITA,
    NOW,
    cart,
    conversation,
    inbox_row,
    turn,
)


async def test_there_is_no_cart_at_first(store):
    assert await store.carts.get(ANA) is None


async def test_a_cart_is_kept_replaced_and_deleted(store, inbox, database):
    await inbox.accept([inbox_row("w1"), inbox_row("w2"), inbox_row("w3"), inbox_row("w4")])
    await store.commit(turn("w1", cart=cart(MARGHERITA)))
    assert await store.carts.get(ANA) == cart(MARGHERITA)
    assert await store.carts.get(BEN) is None
    await store.commit(turn("w2", conversation(2), cart=cart(MARGHERITA, COKE)))
    assert await store.carts.get(ANA) == cart(MARGHERITA, COKE)
    await store.commit(turn("w3", conversation(3)))
    assert await store.carts.get(ANA) == cart(MARGHERITA, COKE)
    assert await database.collection(CartDocument).count_documents({}) == 1
    await store.commit(turn("w4", conversation(4), cart=cart(expires_at=None)))
    assert await store.carts.get(ANA) is None


async def test_an_expired_cart_is_given_as_it_is(store, inbox):
    await inbox.accept([inbox_row()])
    old = cart(COKE, expires_at=NOW - timedelta(hours=1))
    await store.commit(turn(cart=old))
    assert await store.carts.get(ANA) == old


async def test_a_cart_that_another_program_made_is_taken_over(store, inbox, database):
    made = {"sessionId": ANA, "subDomain": "pizzeria", "items": [], "subtotal": 0}
    await database.collection(CartDocument).insert_one(dict(made))
    await inbox.accept([inbox_row()])
    await store.commit(turn(cart=cart(COKE)))
    assert await store.carts.get(ANA) == cart(COKE)
