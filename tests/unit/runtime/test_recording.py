"""What a turn notes of what it was decided from."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from engine.box_ports import InboxRow
from engine.clock import SeededIds
from engine.ports import Reading, Recording
from engine.runtime import recording as asked
from engine.runtime.catalog import TurnCatalog
from engine.runtime.recording import RecordedCatalog, RecordedIds, RecordedTokens, Recorder
from engine.whatsapp.content import Sender, Tap, Text
from engine.whatsapp.inbound import InboundMessage
from tests.memory import MemoryCatalog
from tests.unit.actions.shop import menu
from tests.unit.runtime.flow_shop import ANA, NUMBER, PIZZA, TENANT, Shop


def written(shop: Shop) -> Recording:
    record: Any = shop.store.committed[-1]
    assert record.log.recording is not None
    made: Recording = record.log.recording
    return made


def calls(recording: Recording) -> list[tuple[object, ...]]:
    return [(reading.call, *reading.arguments) for reading in recording.readings]


async def test_a_first_turn_notes_that_there_was_nothing():
    shop = Shop()
    await shop.chat(Text("hi"))
    assert (written(shop).conversation, written(shop).cart) == (None, None)


async def test_the_conversation_and_the_cart_are_noted_as_they_were_before():
    shop = Shop()
    await shop.tap("add_to_cart:prod:coke")
    held = await shop.store.conversations.get(ANA)
    cart = await shop.store.carts.get(ANA)
    await shop.tap("view_cart")
    assert (written(shop).conversation, written(shop).cart) == (held, cart)
    assert cart is not None
    assert cart.count == 1


async def test_what_was_read_is_noted_with_what_was_asked():
    shop = Shop()
    await shop.tap("prod:margherita")
    (reading,) = (r for r in written(shop).readings if r.call == asked.PRODUCT)
    assert reading.arguments == ("prod:margherita",)
    assert reading.value == await shop.store.catalog.get_product_by_id(PIZZA)


async def test_a_product_of_a_page_is_not_noted_again():
    recorder = Recorder()
    catalog = TurnCatalog(RecordedCatalog(MemoryCatalog(menu(TENANT)), recorder))
    page = await catalog.get_products_by_category("cat:pizza")
    assert await catalog.get_product_by_id(page[0].id) == page[0]
    assert calls(recorder.recording(None)) == [(asked.PRODUCTS, "cat:pizza", 200)]


async def test_who_asks_again_is_told_the_same_whatever_has_changed():
    class Changing(MemoryCatalog):
        async def get_categories(self):
            found = await super().get_categories()
            self.products = {}
            return found

    recorder = Recorder()
    catalog = RecordedCatalog(Changing(menu(TENANT)), recorder)
    first = await catalog.get_categories()
    assert first
    assert await catalog.get_categories() == first
    assert calls(recorder.recording(None)) == [(asked.CATEGORIES,)]


async def test_a_presentation_is_read_with_its_product():
    recorder = Recorder()
    catalog = RecordedCatalog(MemoryCatalog(menu(TENANT)), recorder)
    sold = await catalog.get_product_by_id(PIZZA)
    assert sold is not None
    assert await catalog.get_presentations_for_product(PIZZA) == sold.presentations
    assert await catalog.get_modifiers_for_product(PIZZA) == sold.groups
    assert await catalog.get_modifiers_for_product("prod:none") == ()
    assert calls(recorder.recording(None)) == [
        (asked.PRODUCT, PIZZA),
        (asked.PRODUCT, "prod:none"),
    ]


async def test_a_flow_that_is_sent_notes_what_the_desk_had_and_gave():
    shop = Shop()
    session = await shop.open()
    recording = written(shop)
    told = {reading.call: reading for reading in recording.readings}
    assert told[asked.MAPPING].value == shop.businesses.held[TENANT].flow_mapping
    assert told[asked.DEPLOYMENTS].value == ()
    assert told[asked.TOKEN] == Reading(asked.TOKEN, (session.id,), shop.token)
    assert recording.drawn == ((asked.TOKEN_DRAWN, session.id),)


async def test_nothing_secret_of_the_tenant_is_noted():
    shop = Shop()
    held = shop.businesses.held
    held[TENANT] = replace(held[TENANT], access_token="the-key-to-the-account")
    await shop.open()
    assert "the-key-to-the-account" not in str(written(shop))


async def test_the_end_of_a_flow_notes_its_session_and_what_the_exchange_had_read():
    shop = Shop()
    await shop.open()
    await shop.go()
    recording = written(shop)
    assert recording.session is not None
    assert recording.session.params is not None
    assert recording.session.params["quantity"] == 2
    assert (asked.PRODUCT, PIZZA) in calls(recording)


async def test_a_completion_notes_whose_it_is():
    shop = Shop()
    session = await shop.open()
    await shop.reply({"flow_token": shop.token})
    (reading,) = (r for r in written(shop).readings if r.call == asked.SESSION)
    assert reading.value == session
    await shop.reply({"flow_token": "forged"})
    (reading,) = (r for r in written(shop).readings if r.call == asked.SESSION)
    assert reading.value is None


async def test_a_tap_on_an_old_message_notes_who_said_it():
    shop = Shop()
    (*_, said) = await shop.tap("cat:pizza")
    shop.store.sent["wamid.old"] = said
    await shop.tap("checkout")
    await shop.chat(Tap("nothing:here", "", "button"), answers="wamid.old")
    (reading,) = (r for r in written(shop).readings if r.call == asked.SAID)
    assert (reading.arguments, reading.value) == (("wamid.old",), said.said)


async def test_a_message_that_is_given_up_notes_the_conversation():
    shop = Shop()
    await shop.chat(Text("hi"))
    held = await shop.store.conversations.get(ANA)
    message = InboundMessage("w9", NUMBER, Sender(ANA, None), 0, Text("x"), None, {})
    row = InboxRow(f"{NUMBER}:w9", TENANT, ANA, 0, shop.clock.now(), {})
    await shop.turns.give_up(row, message, error="stuck")
    assert written(shop).conversation == held


def test_ids_are_noted_in_their_order_and_waits_are_not():
    recorder = Recorder()
    ids, plain = RecordedIds(SeededIds(3), recorder), SeededIds(3)
    made = [ids.order_number(), ids.token(), ids.order_number()]
    assert made == [plain.order_number(), plain.token(), plain.order_number()]
    assert ids.jitter() == 1.0
    kinds = (asked.NUMBER_DRAWN, asked.TOKEN_DRAWN, asked.NUMBER_DRAWN)
    assert recorder.recording(None).drawn == tuple(zip(kinds, made, strict=True))


async def test_a_turn_has_one_time():
    class Running:
        def __init__(self, clock):
            self.clock = clock

        def now(self):
            self.clock.move(by)
            return self.clock.now()

    by = timedelta(seconds=1)
    shop = Shop()
    shop.turns._decisions._clock = Running(shop.clock)
    before = shop.clock.now()
    await shop.chat(Text("hi"))
    record: Any = shop.store.committed[-1]
    assert record.at == before + by
    assert record.conversation.updated_at == record.at
    assert {entry.created_at for entry in record.outbox} == {record.at}


async def test_a_token_is_read_as_before():
    shop = Shop()
    session = await shop.open()
    tokens = RecordedTokens(shop.tokens, Recorder())
    assert await tokens.session(shop.token, shop.store.flow_sessions) == session
