"""WhatsApp Flows from the tap to the order: real encryption, the engine, a database, no luck."""

import asyncio
import importlib
import io
import json
import logging
import pkgutil
from datetime import timedelta

import pytest
import structlog

import engine
from engine.storage.documents import ModifierDocument, PresentationDocument
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.records import OutboxDocument
from engine.transcript import choices as offered
from engine.whatsapp.flow_crypto import FlowKey
from tests.e2e.flow_scene import (
    ADD_ONS,
    ADDED,
    ADMIN_TOKEN,
    EVENING,
    NUMBERS,
    OTHER,
    PIZZA,
    SALAD,
    SHOP,
    SIZE,
    Door,
    Guest,
    change,
    choices,
    client,
    dump,
    exchange,
    flow_ground,
    heal,
    is_flow,
    meta_status,
    offer,
    outcome,
    seen,
    settled,
    submit,
    text_of,
)

# What the pizza of SIZE and ADD_ONS is when a phone sends it.
CHOSEN = {
    "product": PIZZA,
    "presentation": "pres:margherita-large",
    "modifiers": ["mod:thin-crust", "mod:extra-cheese", "mod:pepperoni"],
    "quantity": 2,
}


@pytest.fixture(scope="module")
async def ground(mongodb_uri):
    async with flow_ground(mongodb_uri, "flows") as running:
        yield running


@pytest.fixture
async def healed(ground):
    """After the test Meta holds no Flow, and it is the same evening again."""
    yield
    await heal(ground)


async def confirmed(guest, lines=1):
    """He has the pizza in his cart once, and was told so once."""
    await settled(guest.ground)
    cart = await guest.cart()
    assert [line.quantity for line in cart.lines] == [2] * lines
    assert str(cart.subtotal) == "45.00"
    assert [text for text in await guest.texts() if text == ADDED] == [ADDED]
    assert await guest.added() == 1


# From the tap to the order -------------------------------------------------------------------


async def test_a_product_is_made_his_own_and_is_in_the_cart(ground, guest):
    refusals = (await ground.sandbox.get("/sandbox/refusals")).json()
    invited = await guest.invited()
    parameters = invited.parameters
    assert parameters["flow_message_version"] == "3"
    assert parameters["flow_id"] == ground.deployed[SHOP]["product_customization:en"]
    assert parameters["flow_action"] == "data_exchange"
    assert 0 < len(parameters["flow_cta"]) <= 20
    flow = await invited.at_summary()
    assert "│ *Total: $45.00*" in flow.lines
    await flow.submit()
    assert (flow.state, flow.status, flow.reply["status"]) == ("finished", 200, 200)
    assert flow.reply["response"] == CHOSEN | {"flow_token": invited.token}
    await confirmed(guest)
    titles = [choice.title for choice in offered((await guest.newest()).payload)]
    assert titles == ["View cart (2)", "Checkout", "Continue shopping"]
    assert (await invited.session()).state == "done"
    assert (await ground.sandbox.get("/sandbox/refusals")).json() == refusals
    errors = (await ground.sandbox.get("/sandbox/flow-errors")).json()
    assert [error for error in errors if error["phone"] == guest.phone] == []


async def test_the_answers_have_the_keys_of_the_requirements(guest, door):
    token = (await guest.invited()).token
    status, first = await door.ask(exchange(token, action="INIT"))
    assert (status, first["version"], first["screen"]) == (200, "4.0", "SIZE_SELECTION")
    data = first["data"]
    assert data["product_name"] == "Margherita Pizza"
    assert data["product_image"] == "https://images.example.com/la-tavola/margherita.jpg"
    assert data["size_options"][2] == {
        "id": "pres:margherita-large", "title": 'Large (16")', "description": "$18.00",
    }  # fmt: skip
    assert [len(option) for option in data["size_options"]] == [3, 3, 3]
    assert data["selected_size"] == "pres:margherita-small"
    _, second = await door.ask(exchange(token, "SIZE_SELECTION", submit(SIZE)))
    assert second["screen"] == "MODIFIERS_SELECTION"
    _, third = await door.ask(exchange(token, "MODIFIERS_SELECTION", submit(ADD_ONS)))
    assert third["screen"] == "ORDER_SUMMARY"
    data = third["data"]
    assert data["product_name"] == "Margherita Pizza"
    assert (data["base_price"], data["modifiers_total"], data["total_price"]) == (18, 4.5, 45)
    assert data["modifier_summary"] == [
        {"name": "Thin", "quantity": 1, "price": 0},
        {"name": "Extra cheese", "quantity": 1, "price": 2},
        {"name": "Pepperoni", "quantity": 1, "price": 2.5},
    ]
    seen_total = submit(seen=data["total_text"])
    _, last = await door.ask(exchange(token, "ORDER_SUMMARY", seen_total))
    assert outcome(last) == CHOSEN | {"flow_token": token}
    await confirmed(guest)


async def test_a_size_chosen_before_is_shown_after_going_back(guest, door):
    token = (await guest.invited()).token
    await door.ask(exchange(token, action="INIT"))
    await door.ask(exchange(token, "SIZE_SELECTION", submit(SIZE)))
    status, answer = await door.ask(exchange(token, "MODIFIERS_SELECTION", action="BACK"))
    assert (status, answer["screen"]) == (200, "SIZE_SELECTION")
    assert answer["data"]["selected_size"] == "pres:margherita-large"
    assert answer["data"]["selected_quantity"] == "2"


async def test_a_customer_who_hides_his_phone_number(guest):
    guest.customer.hide_phone = True
    invited = await guest.invited()
    assert invited.message.payload["recipient"] == guest.key
    assert "to" not in invited.message.payload
    flow = await invited.at_summary()
    await flow.submit()
    await confirmed(guest)


async def test_a_checkout_with_delivery_to_a_placed_order(guest):
    await guest.say("add 2 panna cotta")
    invited = await guest.invited_to_pay("add panna cotta")
    flow = await invited.opened()
    assert seen(flow) == "RECEIVING"
    await flow.submit({"type": "delivery"})
    assert seen(flow) == "ADDRESS"
    await flow.submit({"address": "148 Carmine Street, Apt. 5, New York"})
    assert seen(flow) == "PAYMENT"
    await flow.submit({"payment": "card", "notes": "Ring twice, please."})
    assert flow.state == "finished"
    await settled(guest.ground)
    summary = await guest.newest()
    assert "148 Carmine Street, Apt. 5, New York" in text_of(summary)
    assert "Ring twice, please." in text_of(summary)
    assert await guest.order() is None
    confirm = next(c for c in offered(summary.payload) if c.title == "Confirm order")
    await guest.tap(confirm.id)
    order = await guest.order()
    assert order.type.value == "delivery"
    assert order.payment_kind == "card"
    assert order.notes == "Ring twice, please."
    assert order.address.text == "148 Carmine Street, Apt. 5, New York"
    assert [line.quantity for line in order.quote.lines] == [3]
    assert (await guest.cart()).count == 0


async def test_a_checkout_with_pickup_asks_for_no_address(guest):
    flow = await (await guest.invited_to_pay()).opened()
    await flow.submit({"type": "pickup"})
    assert seen(flow) == "PAYMENT"
    await flow.submit({"payment": "cash"})
    await settled(guest.ground)
    await guest.tap(next(c.id for c in offered((await guest.newest()).payload)))
    order = await guest.order()
    assert (order.type.value, order.payment_kind, order.address) == ("pickup", "cash", None)


@pytest.mark.parametrize(
    ("words", "language", "screen"),
    [("hello", "en", "Select size"), ("hola", "es", "Elige el tamaño")],
)
async def test_the_language_of_the_customer_decides_which_flow(guest, words, language, screen):
    await guest.say(words)
    invited = await guest.invited()
    deployed = guest.ground.deployed[SHOP]
    assert invited.parameters["flow_id"] == deployed[f"product_customization:{language}"]
    assert (await invited.session()).language == language
    flow = await invited.opened()
    assert flow.screen["title"] == screen


async def test_a_checkout_left_open_is_over_once_he_has_ordered_in_the_chat(ground, guest):
    flow = await (await guest.invited_to_pay()).opened()
    await flow.submit({"type": "pickup"})
    await guest.say("pickup")
    await guest.say("cash")
    await guest.tap(next(c.id for c in offered((await guest.newest()).payload)))
    order = await guest.order()
    assert order is not None
    await flow.submit({"payment": "card"})
    await settled(ground)
    assert text_of(await guest.newest()).startswith("🛒 Your cart is empty.")
    assert await guest.order() == order


# Statuses ------------------------------------------------------------------------------------


async def test_a_ping_needs_no_session(door):
    assert await door.ask({"version": "3.0", "action": "ping"}) == (
        200, {"data": {"status": "active"}},
    )  # fmt: skip


async def test_an_unknown_tenant_is_404(ground, guest, door):
    token = (await guest.invited()).token
    phone = await door.phone()
    body = json.dumps(phone.ask(exchange(token, action="INIT"))).encode()
    lost = Door(ground, tenant="nobody")
    before = await dump(ground)
    answer = await lost.post(body)
    assert answer.status_code == 404
    assert await dump(ground) == before


async def test_a_body_over_one_megabyte_is_413(ground, door):
    before = await dump(ground)
    assert (await door.post(b" " * (1024 * 1024 + 1))).status_code == 413
    assert await dump(ground) == before


@pytest.mark.parametrize("signed", ["", "sha256=" + "0" * 64, "sha256=zz", "sha1=abc"])
async def test_a_wrong_signature_is_432(ground, guest, door, signed):
    token = (await guest.invited()).token
    phone = await door.phone()
    body = json.dumps(phone.ask(exchange(token, action="INIT"))).encode()
    before = await dump(ground)
    assert (await door.post(body, signed=signed)).status_code == 432
    other = door.signature(body + b" ")
    assert (await door.post(body, signed=other)).status_code == 432
    assert await dump(ground) == before


async def test_after_a_new_key_the_phone_gets_it_and_goes_on(ground, guest, door):
    invited = await guest.invited()
    flow = await invited.opened()
    old = await door.phone()
    parts = ground.engine.parts
    await parts.flow_keys.save(SHOP, await asyncio.to_thread(FlowKey.generate))
    body = json.dumps(old.ask({"version": "3.0", "action": "ping"})).encode()
    assert (await door.post(body)).status_code == 421
    # What the operator does after it; until then no phone can know the new key.
    report = await parts.deployer.deploy(SHOP)
    assert (report.steps[0].key, report.steps[0].verb) == (NUMBERS[SHOP], "register")
    assert (await door.post(body)).status_code == 421
    await flow.submit(SIZE)
    assert (flow.state, seen(flow)) == ("open", "MODIFIERS_SELECTION")
    assert (await door.ask({"version": "3.0", "action": "ping"}))[0] == 200


async def test_a_key_that_another_process_made_is_read_when_it_is_needed(ground, guest, door):
    invited = await guest.invited()
    flow = await invited.opened()
    engine = ground.engine
    other = MongoFlowKeys(engine.database, vault=engine.vault, clock=engine.clock)
    key = await asyncio.to_thread(FlowKey.generate)
    await other.save(SHOP, key)
    registered = await ground.sandbox.post(
        f"/v26.0/{NUMBERS[SHOP]}/whatsapp_business_encryption",
        data={"business_public_key": key.public_pem},
        headers={"Authorization": f"Bearer {ground.token}"},
    )
    assert registered.json() == {"success": True}
    # This process believes its old key still, and the phone its old one: both learn.
    assert (await door.ask(exchange(invited.token, action="INIT")))[0] == 200
    await flow.submit(SIZE)
    assert (flow.state, seen(flow)) == ("open", "MODIFIERS_SELECTION")


@pytest.mark.usefixtures("healed")
async def test_an_expired_flow_is_427_and_its_button_is_switched_off(ground, guest, door):
    invited = await guest.invited()
    flow = await invited.at_add_ons()
    ground.engine.clock.move(timedelta(hours=25))
    before = await dump(ground)
    status, answer = await door.ask(exchange(invited.token, action="INIT"))
    assert (status, set(answer)) == (427, {"error_msg"})
    await flow.submit(ADD_ONS)
    assert (flow.state, flow.status) == ("failed", 427)
    assert flow.error["shown"] == "This has expired. Please start again from the chat."
    await flow.open()
    assert (flow.state, flow.error["key"]) == ("failed", "flow-token-invalid")
    assert await dump(ground) == before


async def test_a_flow_that_is_done_is_427(ground, guest, door):
    invited = await guest.invited()
    flow = await invited.at_summary()
    await flow.submit()
    before = await dump(ground)
    for asked in (
        exchange(invited.token, action="INIT"),
        exchange(invited.token, "SIZE_SELECTION", submit(SIZE)),
        exchange(invited.token, "ORDER_SUMMARY", action="BACK"),
    ):
        status, answer = await door.ask(asked)
        assert (status, set(answer)) == (427, {"error_msg"})
    assert await dump(ground) == before
    again = await guest.customer.open_flow(invited.wamid)
    assert (again.state, again.error["key"]) == ("failed", "flow-token-invalid")
    await confirmed(guest)


@pytest.mark.parametrize(
    "wrong",
    [{"product": SALAD}, {"flow": "checkout"}, {"flow": "no_such_flow"}, {"tenant": OTHER}],
)
async def test_the_door_of_something_else_is_427(ground, guest, door, wrong):
    token = (await guest.invited()).token
    before = await dump(ground)
    status, answer = await Door(ground, **wrong).ask(exchange(token, action="INIT"))
    assert (status, set(answer)) == (427, {"error_msg"})
    assert await dump(ground) == before
    assert (await door.ask(exchange(token, action="INIT")))[0] == 200


# The door of a product, and deploying ---------------------------------------------------------


async def test_a_flow_for_one_product_has_a_door_of_its_own(ground, guest):
    product = await offer(ground)
    report = await ground.engine.parts.deployer.deploy(SHOP, product=product)
    assert not report.has_failed
    invited = await guest.invited(product)
    assert invited.parameters["flow_id"] == report.flows[product]
    flows = {f["id"]: f for f in (await ground.sandbox.get("/sandbox/flows")).json()}
    own = flows[report.flows[product]]
    assert own["endpoint_uri"] == f"{ground.engine_url}/flows/product/{product}/{SHOP}"
    flow = await invited.opened()
    await flow.submit({"quantity": "3"})
    await flow.submit({"modifiers_1_one": "Stuffed"})
    await flow.submit()
    await settled(ground)
    cart = await guest.cart()
    assert [(line.product_id, line.quantity) for line in cart.lines] == [(product, 3)]
    assert str(cart.subtotal) == "37.50"
    assert await guest.added() == 1
    # Others go on to get the one for all products.
    assert (await Guest(ground).invited()).parameters["flow_id"] != own["id"]


async def test_a_product_without_a_flow_of_its_own_has_the_door_all_the_same(ground, guest):
    token = (await guest.invited()).token
    status, answer = await Door(ground, product=PIZZA).ask(exchange(token, action="INIT"))
    assert (status, answer["screen"]) == (200, "SIZE_SELECTION")


async def posted(ground, path, token=ADMIN_TOKEN):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with client(ground) as http:
        return await http.post(f"/api/v1/whatsapp/flow/deploy/{path}", headers=headers)


async def test_the_node_back_end_deploys_a_product(ground, guest):
    product = await offer(ground)
    answer = await posted(ground, f"{product}/{SHOP}/local-7")
    assert answer.status_code == 200
    assert answer.json()["success"] is True
    invited = await guest.invited(product)
    assert invited.parameters["flow_id"] == answer.json()["flow_id"]
    again = await posted(ground, f"{product}/{SHOP}/local-7")
    assert again.json()["flow_id"] == answer.json()["flow_id"]
    assert [step["verb"] for step in again.json()["steps"]] == ["unchanged"]


async def test_a_product_deployed_four_times_at_once_is_deployed_once(ground):
    product = await offer(ground)
    answers = await asyncio.gather(*(posted(ground, f"{product}/{SHOP}/l") for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["flow_id"] for answer in answers}) == 1
    flows = (await ground.sandbox.get("/sandbox/flows")).json()
    assert len([flow for flow in flows if product in flow["name"]]) == 1


@pytest.mark.parametrize("token", [None, "wrong", ADMIN_TOKEN + "x"])
async def test_without_the_operators_token_nothing_is_deployed(ground, token):
    product = await offer(ground)
    before = (await ground.sandbox.get("/sandbox/flows")).json()
    answer = await posted(ground, f"{product}/{SHOP}/local-7", token)
    assert answer.status_code == 401
    assert (await ground.sandbox.get("/sandbox/flows")).json() == before
    mapping = (await ground.engine.parts.businesses.by_tenant(SHOP)).flow_mapping
    assert product not in mapping


@pytest.mark.parametrize("path", [f"prod:nothing/{SHOP}/l", f"{PIZZA}/nobody/l"])
async def test_what_is_not_sold_is_not_deployed(ground, path):
    assert (await posted(ground, path)).status_code == 404


@pytest.mark.usefixtures("healed")
async def test_a_second_deployment_does_nothing(ground):
    deployer = ground.engine.parts.deployer
    await deployer.deploy(SHOP)
    before = (await ground.sandbox.get("/sandbox/flows")).json()
    report = await deployer.deploy(SHOP)
    assert report.is_idle
    assert {s.key for s in report.steps} >= set(ground.deployed[SHOP])
    assert (await ground.sandbox.get("/sandbox/flows")).json() == before


# Once and no more ----------------------------------------------------------------------------


def way(token):
    """Give the exchanges of a whole Flow, and the screens they lead to."""
    return [
        (exchange(token, "", {}, action="INIT"), "SIZE_SELECTION"),
        (exchange(token, "SIZE_SELECTION", submit(SIZE)), "MODIFIERS_SELECTION"),
        (exchange(token, "MODIFIERS_SELECTION", submit(ADD_ONS)), "ORDER_SUMMARY"),
        (exchange(token, "ORDER_SUMMARY", submit(seen="$45.00")), "SUCCESS"),
    ]


async def test_a_repeated_exchange_is_answered_alike_and_changes_nothing(ground, guest, door):
    invited = await guest.invited()
    for asked, screen in way(invited.token):
        answer = await door.ask(asked)
        assert (answer[0], answer[1]["screen"]) == (200, screen)
        before = await dump(ground)
        assert await door.ask(asked) == answer
        assert await dump(ground) == before
    await confirmed(guest)


async def test_exchanges_repeated_at_once_are_answered_alike(ground, guest, door):
    invited = await guest.invited()
    for asked, screen in way(invited.token):
        answers = await asyncio.gather(*(door.ask(asked) for _ in range(6)))
        assert [status for status, _ in answers] == [200] * 6
        assert answers[0][1]["screen"] == screen
        assert all(answer == answers[0] for answer in answers)
    await confirmed(guest)
    session = await invited.session()
    assert (session.state, session.trail[-1]) == ("done", "ORDER_SUMMARY")
    # INIT, two screens and the end: repetitions are not counted.
    assert session.version == 4


@pytest.mark.parametrize("late", [0, 1, 2])
async def test_an_exchange_repeated_late_takes_nothing_away(guest, door, late):
    invited = await guest.invited()
    *begun, (last, _) = way(invited.token)
    for asked, _ in begun:
        await door.ask(asked)
    # The network gives it to the door a second time; the customer sees the summary.
    assert (await door.ask(begun[late][0]))[0] == 200
    status, answer = await door.ask(last)
    assert status == 200
    assert outcome(answer) == CHOSEN | {"flow_token": invited.token}
    await confirmed(guest)


async def test_success_and_then_its_reply_twice(guest):
    invited = await guest.invited()
    flow = await invited.at_summary()
    await flow.submit()
    await confirmed(guest)
    await invited.reply(flow.reply["response"])
    await invited.reply({})
    await confirmed(guest)
    assert len(await guest.texts()) == 2


async def test_a_reply_alone_from_a_flow_that_was_begun(guest):
    invited = await guest.invited()
    await invited.at_summary()
    await invited.reply()
    await confirmed(guest)
    assert (await invited.session()).state == "done"


async def test_a_reply_alone_tells_what_no_exchange_did(guest):
    invited = await guest.invited()
    await invited.reply(CHOSEN)
    await confirmed(guest)


async def test_a_reply_before_a_repeated_success(ground, guest, door):
    invited = await guest.invited()
    await invited.at_summary()
    await invited.reply()
    await confirmed(guest)
    before = await dump(ground)
    status, answer = await door.ask(exchange(invited.token, "ORDER_SUMMARY", submit()))
    assert status == 200
    assert outcome(answer) == CHOSEN | {"flow_token": invited.token}
    assert await dump(ground) == before
    await confirmed(guest)


async def test_a_success_whose_reply_never_comes(guest):
    invited = await guest.invited()
    flow = await invited.at_summary()
    await flow.submit(reply=False)
    assert (flow.state, flow.reply) == ("finished", None)
    await confirmed(guest)


@pytest.mark.parametrize("turn", range(3))
async def test_success_and_reply_at_once(guest, door, turn):
    invited = await guest.invited()
    await invited.at_summary()
    last = exchange(invited.token, "ORDER_SUMMARY", submit())
    reply = {"flow_token": invited.token} | CHOSEN
    answers = await asyncio.gather(
        door.ask(last),
        guest.customer.reply_flow(reply, answering=invited.wamid),
        door.ask(last),
        guest.customer.reply_flow(reply, answering=invited.wamid),
    )
    assert (answers[0][0], answers[1].status) == (200, 200)
    assert (answers[2][0], answers[3].status) == (200, 200)
    await confirmed(guest)


@pytest.mark.parametrize("has_success", [True, False])
async def test_a_reply_without_the_token_is_known_by_the_message_it_answers(guest, has_success):
    invited = await guest.invited()
    flow = await invited.at_summary()
    if has_success:
        await flow.submit(omit_token=True)
        assert "flow_token" not in flow.reply["response"]
    else:
        await invited.reply(token=False)
    await confirmed(guest)
    assert (await invited.session()).state == "done"


async def test_a_webhook_with_a_reply_that_is_delivered_again(guest):
    invited = await guest.invited()
    await invited.at_summary()
    reply = {
        "type": "interactive",
        "id": f"wamid.again{guest.phone}",
        "context": {"id": invited.wamid},
        "interactive": {
            "type": "nfm_reply",
            "nfm_reply": {
                "name": "flow",
                "body": "Sent",
                "response_json": json.dumps({"flow_token": invited.token}),
            },
        },
    }
    said = await asyncio.gather(*(guest.customer.send_raw(reply) for _ in range(3)))
    assert [one.status for one in said] == [200] * 3
    await confirmed(guest)


async def test_two_flows_of_one_customer_are_two_lines(guest):
    first, second = await guest.invited(), await guest.invited(SALAD)
    assert first.token != second.token
    salad = await second.opened()
    await salad.submit({"quantity": "1"})
    await salad.submit({"modifiers_1_one": "Caesar"})
    pizza = await first.at_summary()
    await asyncio.gather(pizza.submit(), salad.submit())
    await settled(guest.ground)
    assert sorted(line.quantity for line in (await guest.cart()).lines) == [1, 2]
    assert await guest.added() == 2


# The chat instead ----------------------------------------------------------------------------


def asks_for_a_size(message):
    return text_of(message) == "*Margherita Pizza*: which size?"


@pytest.mark.usefixtures("healed")
async def test_without_a_deployed_flow_the_chat_asks(ground, guest):
    await ground.offer_flows(SHOP, offered=False)
    assert asks_for_a_size(await guest.asks_for())
    await guest.say("add panna cotta")
    await guest.tap("checkout")
    assert text_of(await guest.newest()) == "How would you like to receive your order?"
    assert not any(is_flow(message) for message in await guest.customer.messages())


async def fault(ground, guest, **what):
    armed = {"to": guest.phone} | what
    answer = await ground.sandbox.post("/sandbox/faults", json=armed)
    assert answer.status_code == 201


async def entries(guest):
    """The states of what was to be sent to a customer, read receipts aside."""
    outbox = guest.ground.engine.database.collection(OutboxDocument)
    mine = {"customer": guest.key, "said": {"$ne": None}}
    return [row["state"] async for row in outbox.find(mine).sort("sequence")]


@pytest.mark.usefixtures("healed")
@pytest.mark.parametrize(
    ("code", "pause"), [(132068, timedelta(hours=6)), (132069, timedelta(hours=1))]
)
async def test_a_flow_that_meta_refuses_is_held_and_the_chat_asks(ground, guest, code, pause):
    await fault(ground, guest, kind="refuse", code=code)
    assert asks_for_a_size(await guest.asks_for())
    assert await entries(guest) == ["dead", "sent"]
    # Nobody else has to be refused first.
    other = Guest(ground)
    assert asks_for_a_size(await other.asks_for())
    assert await entries(other) == ["sent"]
    # Only that Flow is held.
    spanish = Guest(ground)
    await spanish.say("hola")
    await spanish.invited()
    ground.engine.clock.move(pause)
    await Guest(ground).invited()


async def failed(ground, guest, row, code, wamid):
    """Let Meta say that a message which it had taken cannot be delivered after all."""
    status = {
        "id": wamid, "status": "failed", "timestamp": str(int(EVENING.timestamp())),
        "recipient_id": guest.phone, "biz_opaque_callback_data": row["_id"],
        "errors": [{"code": code, "title": "It failed", "error_data": {"details": "It failed"}}],
    }  # fmt: skip
    metadata = {"display_phone_number": "1", "phone_number_id": NUMBERS[SHOP]}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "statuses": [status]}
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    headers = {"X-Hub-Signature-256": Door(ground).signature(body)}
    async with client(ground) as http:
        answer = await http.post("/whatsapp_response", content=body, headers=headers)
    assert answer.status_code == 200
    await settled(ground)


@pytest.mark.usefixtures("healed")
@pytest.mark.parametrize("code", [131000, 131053, 132068, 132069])
async def test_a_flow_that_fails_after_it_was_taken_and_the_chat_asks(ground, guest, code):
    invited = await guest.invited()
    outbox = ground.engine.database.collection(OutboxDocument)
    row = await outbox.find_one({"tenant": SHOP, "providerId": invited.wamid})
    for _ in range(2):
        await failed(ground, guest, row, code, invited.wamid)
    assert asks_for_a_size(await guest.newest())
    assert len(await guest.customer.messages()) == 2
    other = await Guest(ground).asks_for()
    assert is_flow(other) == (code not in (132068, 132069))


@pytest.mark.usefixtures("healed")
async def test_a_failure_that_is_told_before_its_wamid_is_stored(ground, guest):
    invited = await guest.invited()
    outbox = ground.engine.database.collection(OutboxDocument)
    row = await outbox.find_one_and_update(
        {"tenant": SHOP, "providerId": invited.wamid},
        {"$unset": {"providerId": 1}, "$set": {"state": "queued"}},
    )
    await failed(ground, guest, row, 131000, invited.wamid)
    await outbox.replace_one({"_id": row["_id"]}, row)
    assert asks_for_a_size(await guest.newest())


@pytest.mark.usefixtures("healed")
async def test_flows_that_fail_as_soon_as_they_are_taken(ground):
    """Meta's webhook may be faster than its answer is noted."""
    guests = [Guest(ground) for _ in range(12)]
    for guest in guests:
        await fault(ground, guest, kind="fail", code=131000)
    heard = len((await ground.sandbox.get("/sandbox/deliveries")).json())
    for guest in guests:
        await guest.tap(f"customize:{PIZZA}", title="Customize")
    told = {"after": heard, "count": 2 * len(guests), "wait": 10}
    await ground.sandbox.get("/sandbox/deliveries", params=told, timeout=20)
    await settled(ground)
    said = [await guest.texts() for guest in guests]
    assert said == [["*Margherita Pizza*: which size?"]] * len(guests)


@pytest.mark.usefixtures("healed")
async def test_a_flow_that_meta_blocks_is_not_sent_until_it_is_published_again(ground, guest):
    flow_id = ground.deployed[SHOP]["product_customization:en"]
    invited = await guest.invited()
    await meta_status(ground, flow_id, "BLOCKED")
    other = Guest(ground)
    assert asks_for_a_size(await other.asks_for())
    assert await entries(other) == ["sent"]
    # Checkout is another Flow.
    await other.say("add panna cotta")
    await other.tap("checkout")
    assert is_flow(await other.newest())
    # The message that is there already cannot be opened; he may answer in the chat.
    assert (await guest.customer.open_flow(invited.wamid)).state == "failed"
    await guest.say("large")
    assert text_of(await guest.newest()) == "*Margherita Pizza*: Crust"
    await meta_status(ground, flow_id, "PUBLISHED")
    await Guest(ground).invited()


@pytest.fixture
async def fillings(ground):
    """The ids of 21 add-ons that are sold."""
    rows = ground.engine.database.collection(ModifierDocument)
    names = [f"mod:filling-{number}" for number in range(21)]
    for name in names:
        fields = {"name": name.removeprefix("mod:"), "price": 0.5, "isAvailable": True}
        await rows.update_one({"rId": name, "subDomain": SHOP}, {"$set": fields}, upsert=True)
    return names


@pytest.mark.parametrize("count", [20, 21])
async def test_a_group_that_does_not_fit_is_chosen_from_in_the_chat(
    ground, guest, fillings, count
):
    group = choices("group:fillings", *fillings[:count], most=5)
    message = await guest.asks_for(await offer(ground, modifiers=[group]))
    assert is_flow(message) == (count == 20)
    if count == 21:
        assert "Choose 1 to 5" in text_of(message)


@pytest.mark.parametrize("count", [8, 9])
async def test_groups_that_do_not_fit_are_chosen_from_in_the_chat(ground, guest, fillings, count):
    groups = [choices(f"group:filling-{n}", fillings[n]) for n in range(count)]
    message = await guest.asks_for(await offer(ground, modifiers=groups))
    assert is_flow(message) == (count == 8)


# The catalog changes meanwhile ---------------------------------------------------------------


async def special_at_summary(ground, guest, **fields):
    """A special of 10.00, three times, with the crust of 2.50: what is shown for it."""
    product = await offer(ground, **fields)
    flow = await (await guest.invited(product)).opened()
    await flow.submit({"quantity": "3"})
    await flow.submit({"modifiers_1_one": "Stuffed"})
    assert "│ *Total: $37.50*" in flow.lines
    return product, flow


async def test_a_price_that_changes_before_he_confirms_is_told(ground, guest):
    product, flow = await special_at_summary(ground, guest)
    await change(ground, product, basePrice=11.0)
    before = await dump(ground)
    await flow.submit()
    assert (flow.state, seen(flow)) == ("open", "ORDER_SUMMARY")
    assert flow.screen["message"] == "The price has changed. Please look at it once more."
    assert "│ *Total: $40.50*" in flow.lines
    assert await dump(ground) == before
    await flow.submit()
    assert flow.state == "finished"
    await settled(ground)
    assert str((await guest.cart()).subtotal) == "40.50"
    assert await guest.added() == 1


async def test_a_size_that_is_gone_meanwhile_is_told(ground, guest):
    size = f"pres:gone-{guest.phone}"
    rows = ground.engine.database.collection(PresentationDocument)
    key = {"rId": size, "subDomain": SHOP}
    await rows.insert_one(key | {"name": "Giant", "price": 30.0, "isAvailable": True})
    product = await offer(ground, presentations=[size, "pres:margherita-small"])
    flow = await (await guest.invited(product)).opened()
    await flow.submit({"selected_size": "Giant"})
    await rows.update_one(key, {"$set": {"isAvailable": False}})
    before = await guest.cart()
    await flow.submit({"modifiers_1_one": "Stuffed"})
    assert flow.error is not None or "not offered any more" in flow.screen["message"]
    assert await guest.cart() == before
    assert await guest.added() == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"isAvailable": False}, "Sorry, this is sold out now."),
        ({"isActive": False}, "Sorry, this is not on our menu any more."),
    ],
)
@pytest.mark.parametrize("screen", ["SIZE_SELECTION", "MODIFIERS_SELECTION", "ORDER_SUMMARY"])
async def test_a_product_that_goes_while_its_flow_is_open_is_told(
    ground, guest, fields, words, screen
):
    product = await offer(ground)
    flow = await (await guest.invited(product)).opened()
    inputs = {
        "SIZE_SELECTION": {"quantity": "1"},
        "MODIFIERS_SELECTION": {"modifiers_1_one": "Classic"},
        "ORDER_SUMMARY": {},
    }
    while seen(flow) != screen:
        await flow.submit(inputs[seen(flow)])
    await change(ground, product, **fields)
    before = await dump(ground)
    await flow.submit(inputs[screen])
    said = flow.error["shown"] if flow.error else flow.screen["message"]
    assert said == words
    assert await dump(ground) == before


async def test_a_product_that_is_gone_when_the_reply_comes_alone_is_told_in_the_chat(
    ground, guest
):
    product = await offer(ground)
    invited = await guest.invited(product)
    await change(ground, product, isAvailable=False)
    await invited.reply({"modifiers": ["mod:classic-crust"], "quantity": 1})
    assert text_of(await guest.newest()).startswith("Sorry, we are out of Special")
    await invited.reply({"modifiers": ["mod:classic-crust"], "quantity": 1})
    assert len(await guest.texts()) == 2
    assert (await guest.cart()).count == 0


async def test_more_than_there_is_left_is_not_sold(ground, guest):
    product = await offer(ground, stock=2)
    flow = await (await guest.invited(product)).opened()
    await flow.submit({"quantity": "3"})
    if flow.state == "open" and seen(flow) == "MODIFIERS_SELECTION":
        await flow.submit({"modifiers_1_one": "Stuffed"})
    if flow.state == "open" and seen(flow) == "ORDER_SUMMARY":
        await flow.submit()
    await settled(ground)
    assert (await guest.cart()).count == 0
    assert await guest.added() == 0
    told = flow.error["shown"] if flow.error else (flow.screen or {}).get("message")
    assert told or "only 2" in text_of(await guest.newest())


# What is logged ------------------------------------------------------------------------------


@pytest.fixture
def logged(monkeypatch, caplog):
    """Everything the engine logs, tracebacks too, however another test has set up logging."""
    lines = io.StringIO()
    processors: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    printed = structlog.wrap_logger(
        structlog.PrintLogger(lines),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    )
    for module in pkgutil.walk_packages(engine.__path__, "engine."):
        if not module.name.endswith("__main__"):
            loaded = importlib.import_module(module.name)
            if hasattr(loaded, "log"):
                monkeypatch.setattr(loaded, "log", printed)
    caplog.set_level(logging.DEBUG, logger="uvicorn")
    return lambda: (
        lines.getvalue()
        + "".join(
            record.getMessage() for record in caplog.records if not record.name.startswith("httpx")
        )
    )


@pytest.mark.usefixtures("healed")
async def test_nothing_of_a_customer_is_logged(ground, logged):
    guest = Guest(ground, name="Zoraida Quintanilla")
    address, notes = "77 Sycamore Terrace, Yonkers", "The dog bites, ring at the back"
    pizza = await guest.invited()
    flow = await pizza.at_summary()
    await flow.submit()
    await settled(ground)
    pay = await guest.invited_to_pay()
    flow = await pay.opened()
    await flow.submit({"type": "delivery"})
    await flow.submit({"address": address})
    await flow.submit({"payment": "cash", "notes": notes})
    await settled(ground)
    await guest.tap(next(c.id for c in offered((await guest.newest()).payload)))
    order = await guest.order()
    assert order is not None
    assert order.notes == notes

    # And what goes wrong, of which more is logged.
    late = await guest.invited()
    secret = {"note": notes, "address": address, "phone": guest.phone, "name": guest.name}
    door = Door(ground)
    tokens = [invited.token for invited in (pizza, pay, late)]
    await door.ask(exchange(late.token, action="INIT"))
    for screen in ("SIZE_SELECTION", address, "ORDER_SUMMARY"):
        for event in ("submit", "problem", notes):
            values = {"selected_size": address, "quantity": notes, **secret}
            await door.ask(exchange(late.token, screen, {**values, "event": event}))
    await door.ask(exchange(late.token + "x", "SIZE_SELECTION", secret))
    await door.ask(exchange(late.token, "SIZE_SELECTION", secret, action=notes))
    await door.ask({**exchange(late.token, "SIZE_SELECTION", secret), "version": notes})
    await door.ask(exchange(late.token, "SIZE_SELECTION", [address]))
    await door.post(json.dumps(secret | {"flow_token": late.token}).encode())
    await door.post(json.dumps(secret).encode(), signed="sha256=" + "0" * 64)
    await late.reply({"presentation": address, "modifiers": [notes], "quantity": guest.name})
    await fault(ground, guest, kind="refuse", code=132068)
    await guest.asks_for(SALAD)
    said = logged()
    assert "flow.not_offered" in said
    assert "flow.refused" in said
    assert "relay.refused" in said
    outbox = ground.engine.database.collection(OutboxDocument)
    payloads = [row["payload"] async for row in outbox.find({"customer": guest.key})]
    sent = [str(payload) for payload in payloads]
    tokens += [token for token in map(token_in, payloads) if token]
    assert any(guest.phone in text for text in sent)
    for private in (guest.phone, guest.name, "Zoraida", address, "Sycamore", notes, "dog bites",
                    *tokens, *(token.rsplit(".")[-1] for token in tokens)):  # fmt: skip
        assert private not in said


def token_in(payload):
    action = payload.get("interactive", {}).get("action", {})
    return action.get("parameters", {}).get("flow_token")


async def test_metrics_name_no_customer(ground, guest):
    invited = await guest.invited()
    flow = await invited.at_summary()
    await flow.submit()
    async with client(ground) as http:
        text = (await http.get("/metrics")).text
    assert 'comanda_flow_exchanges_total{action="data_exchange",outcome="200"}' in text
    assert guest.phone not in text
    assert invited.token not in text
