"""No tenant's things come out of another's doors, whatever ids are forged.

Every route of the application is asked, one that is new fails here until it is said with what.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from starlette.routing import Route

from engine.domain.ids import CustomerKey, OrderNumber, TenantId
from engine.domain.order import OrderStatus
from engine.storage.documents import OrderDocument
from engine.storage.records import DOCUMENTS, InboxDocument, OutboxDocument
from engine.transcript import choices
from tests.e2e.flow_scene import (
    ADMIN_TOKEN,
    NUMBERS,
    OTHER,
    SHOP,
    Door,
    Guest,
    client,
    dialled,
    exchange,
    flow_ground,
    settled,
    submit,
)
from tests.unit.test_foreign_ids import strangers

CEVICHE = "prod:ceviche-clasico"
NAME = "Zoraida Quispe"


@pytest.fixture(scope="module")
async def ground(mongodb_uri):
    async with flow_ground(mongodb_uri, "isolation_doors") as running:
        yield running


@dataclass
class Theirs:
    """What the other shop has of a customer, by the names in which it may be asked for."""

    guest: Guest
    token: str
    wamids: list[str]
    inbox: list[str]
    outbox: list[str]
    lines: list[str]
    taps: list[str]

    @property
    def secrets(self) -> list[str]:
        return [NAME, self.guest.phone, "Ceviche", *self.wamids]


@pytest.fixture(scope="module")
async def theirs(ground):
    """Zoraida has a cart at the other shop, was sent a Flow, and has rows that need somebody."""
    guest = Guest(ground, tenant=OTHER, name=NAME)
    await guest.say("hola")
    await guest.say("menu")
    invited = await guest.invited(CEVICHE)
    await guest.say("agregar 2 inca kola")
    received = await guest.customer.messages()
    database = ground.engine.database
    mine = {"tenant": OTHER, "customer": guest.key}
    placed = {
        "orderNumber": NUMBER,
        "subDomain": OTHER,
        "customer": {"name": NAME},
        "conversationId": f"{OTHER}:{guest.key}",
        "status": "pending",
        "type": "pickup",
    }
    await database.collection(OrderDocument).insert_one(placed)
    inbox, outbox = database.collection(InboxDocument), database.collection(OutboxDocument)
    for rows in (inbox, outbox):
        newest = await rows.find(mine).sort("_id", -1).limit(1).to_list()
        await rows.update_one({"_id": newest[0]["_id"]}, {"$set": {"state": "dead"}})
    return Theirs(
        guest,
        invited.token,
        [message.wamid for message in received],
        [row["_id"] async for row in inbox.find(mine)],
        [row["_id"] async for row in outbox.find(mine)],
        [line.id for line in (await guest.cart()).lines],
        [choice.id for message in received for choice in choices(message.payload)],
    )


async def held(ground, tenant):
    """All that is stored of a shop but what only tells of the sending."""
    await settled(ground)
    found = {}
    for document in DOCUMENTS:
        rows = await ground.engine.database.collection(document).find().sort("_id", 1).to_list()
        found[document.get_collection_name()] = [
            row
            for row in rows
            if tenant in (row.get("tenant"), row.get("subDomain"), str(row["_id"]))
            and document.get_collection_name() != "audit"
        ]
    return found


# Every route -----------------------------------------------------------------------------------

Asked = list[tuple[str, dict[str, Any]]]
"""Paths with what is sent to them."""


def _webhooks(theirs: Theirs) -> Asked:
    return [("", {"content": body}) for body in messages(theirs)]


def _rows(box: str) -> dict[tuple[str, str], Callable[[Theirs], Asked]]:
    path = f"/api/v1/{box}/{{tenant}}"

    def ids(theirs: Theirs) -> list[str]:
        return theirs.inbox if box == "inbox" else theirs.outbox

    def listed(theirs: Theirs) -> Asked:
        return [("", {"params": {"customer": theirs.guest.key}}), ("", {})]

    return {
        ("GET", path): listed,
        ("GET", f"{path}/row"): lambda theirs: [("", {"params": {"id": i}}) for i in ids(theirs)],
        ("POST", f"{path}/retry"): lambda t: [("", {"json": {"id": i}}) for i in ids(t)],
        ("POST", f"{path}/discard"): lambda t: [("", {"json": {"id": i}}) for i in ids(t)],
    }


PLAIN: Callable[[Theirs], Asked] = lambda theirs: [("", {})]  # noqa: E731
CASES: dict[tuple[str, str], Callable[[Theirs], Asked]] = {
    ("GET", "/whatsapp_response"): PLAIN,
    ("GET", "/meta/webhook"): PLAIN,
    ("POST", "/whatsapp_response"): _webhooks,
    ("POST", "/meta/webhook"): _webhooks,
    ("GET", "/health/live"): PLAIN,
    ("GET", "/health/ready"): PLAIN,
    ("GET", "/metrics"): PLAIN,
    # Bodies of Flows are sealed: `test_a_flow_of_another_shop` sends them.
    ("POST", "/flows/{flow}/{tenant}"): PLAIN,
    ("POST", "/flows/product/{tenant}"): PLAIN,
    ("POST", "/flows/product/{product}/{tenant}"): PLAIN,
    ("POST", "/api/v1/whatsapp/flow/deploy/{product}/{tenant}"): PLAIN,
    ("POST", "/api/v1/whatsapp/flow/deploy/{product}/{tenant}/{local_id}"): PLAIN,
    ("POST", "/meta/catalog/sync/{tenant}"): lambda theirs: [("", {"params": {"wait": "0"}})],
    ("GET", "/meta/catalog/sync/{tenant}"): PLAIN,
    ("GET", "/p/{tenant}/{product:path}"): lambda theirs: [
        ("", {}), ("", {"params": {"size": "pres:ceviche-clasico-familiar"}}),
    ],
    **_rows("inbox"),
    **_rows("outbox"),
    # The number is the other shop's.
    ("GET", "/orders/{tenant}/{number}"): PLAIN,
    ("POST", "/orders/{tenant}/{number}/status"): lambda theirs: [
        ("", {"json": {"status": "confirmed"}})
    ],
    ("GET", "/api/v1/handoffs/{tenant}"): PLAIN,
    ("POST", "/api/v1/handoffs/{tenant}/end"): lambda theirs: [
        ("", {"json": {"customer": who}}) for who in (theirs.guest.key, theirs.guest.phone)
    ],
    ("POST", "/api/v1/customers/{tenant}/forget"): lambda theirs: [
        ("", {"json": {"customer": who}})
        for who in (theirs.guest.key, theirs.guest.phone, f"+{theirs.guest.phone}")
    ],
}  # fmt: skip
NUMBER = "Q7M2QY"
PLACES = {
    "number": NUMBER,
    "product": CEVICHE,
    "flow": "product_customization",
    "local_id": OTHER,
    "tenant": SHOP,
}


def routes(ground):
    return {
        (method, route.path)
        for route in ground.engine.web.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }


async def test_every_route_is_asked(ground):
    missing = routes(ground) - CASES.keys()
    assert not missing, f"say in CASES with what of another tenant's these are asked: {missing}"
    assert not CASES.keys() - routes(ground)


@pytest.mark.parametrize(("method", "path"), sorted(CASES), ids=lambda each: each)
async def test_no_route_tells_or_changes_what_is_anothers(ground, theirs, method, path):
    before = await held(ground, OTHER)
    place = path.replace("{product:path}", "{product}")
    for name, value in PLACES.items():
        place = place.replace(f"{{{name}}}", quote(value, safe=":"))
    assert "{" not in place, f"say in PLACES what of another's stands in {path}"
    async with client(ground) as http:
        for _, more in CASES[(method, path)](theirs):
            body = more.get("content", b"")
            headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
            headers["X-Hub-Signature-256"] = signature(ground, body)
            answer = await http.request(method, place, headers=headers, **more)
            said = answer.text
            assert answer.status_code < 500 or "metrics" in path, said
            assert [secret for secret in theirs.secrets if secret in said] == []
    assert await held(ground, OTHER) == before


def signature(ground, body):
    secret = ground.engine.settings.meta_app_secret.get_secret_value().encode()
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def messages(theirs):
    """Webhooks of a customer of ours who answers messages that somebody else has got."""
    phone = dialled()
    for n, wamid in enumerate(theirs.wamids):
        for m, tap in enumerate(sorted({*theirs.taps[:8], *theirs.lines, f"customize:{CEVICHE}"})):
            reply = {"type": "button_reply", "button_reply": {"id": tap, "title": "x"}}
            yield webhook(phone, f"wamid.forged.{phone}.{n}.{m}", theirs, wamid,
                          type="interactive", interactive=reply)  # fmt: skip
    response = {"flow_token": theirs.token, "product": CEVICHE, "quantity": 3}
    nfm = {"name": "flow", "response_json": orjson.dumps(response).decode(), "body": "Sent"}
    yield webhook(phone, f"wamid.flow.{phone}", theirs, theirs.wamids[-1], type="interactive",
                  interactive={"type": "nfm_reply", "nfm_reply": nfm})  # fmt: skip
    # Somebody who says that he is Zoraida, at our number.
    yield webhook(theirs.guest.phone, f"wamid.as.{phone}", theirs, theirs.wamids[0], type="text",
                  text={"body": "cart"})  # fmt: skip
    for status in ("failed", "read", "delivered"):
        value = {"statuses": [
            {"id": wamid, "status": status, "timestamp": "1907700000", "recipient_id": "1"}
            for wamid in theirs.wamids
        ]}  # fmt: skip
        yield envelope(value)


def webhook(phone, wamid, theirs, answering, **content):
    message = {"from": phone, "id": wamid, "timestamp": "1907700000",
               "context": {"from": NUMBERS[SHOP], "id": answering}, **content}  # fmt: skip
    contact = {"profile": {"name": "Eva"}, "wa_id": phone}
    return envelope({"contacts": [contact], "messages": [message]})


def envelope(value):
    metadata = {"display_phone_number": "1", "phone_number_id": NUMBERS[SHOP]}
    whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    entry = {"id": "1", "changes": [{"field": "messages", "value": whole}]}
    return orjson.dumps({"object": "whatsapp_business_account", "entry": [entry]})


# Buttons, Flows --------------------------------------------------------------------------------


async def test_taps_with_another_shops_ids(ground, theirs):
    """All that the other shop ever offered, and lines of its cart, tapped at ours."""
    before = await held(ground, OTHER)
    thief = Guest(ground, name="Eva")
    await thief.say("menu")
    forged = {*theirs.taps, *theirs.lines, CEVICHE}
    forged |= {f"{verb}:{each}" for verb in ("customize", "add_to_cart", "remove", "edit", "size")
               for each in (CEVICHE, *theirs.lines)}  # fmt: skip
    for tap in sorted(forged):
        await thief.tap(tap, title="x")
    said = "\n".join(str(message.payload) for message in await thief.customer.messages())
    assert [secret for secret in theirs.secrets if secret in said] == []
    assert (await thief.cart()).count == 0
    assert await held(ground, OTHER) == before


async def test_an_order_number_of_another_shop(ground, theirs):
    store = ground.engine.store(TenantId(OTHER))
    thief = Guest(ground, name="Eva")
    number = OrderNumber("K7M2QX")
    await ground.engine.database.collection(OrderDocument).insert_one(
        {"orderNumber": number, "subDomain": OTHER, "customer": {"name": NAME},
         "conversationId": f"{OTHER}:{thief.key}", "status": "pending"}
    )  # fmt: skip
    await thief.say(f"status #{number}")
    await thief.say(f"#{number}")
    said = "\n".join(str(message.payload) for message in await thief.customer.messages())
    assert NAME not in said
    assert "pending" not in said.lower()
    assert await store.orders.get_by_number(number, CustomerKey("nobody")) is None
    assert await ground.engine.store(TenantId(SHOP)).move_order(
        number, OrderStatus.CONFIRMED, at=ground.engine.clock.now()
    ) is None  # fmt: skip
    await ground.engine.database.collection(OrderDocument).delete_one({"orderNumber": number})


async def test_a_flow_of_another_shop(ground, theirs):
    before = await held(ground, OTHER)
    guest = Guest(ground, name="Eva")
    ours = (await guest.invited()).token
    for door in (Door(ground), Door(ground, product=CEVICHE), Door(ground, flow="checkout")):
        for asked in (
            exchange(theirs.token, action="INIT"),
            exchange(theirs.token, "SIZE_SELECTION", submit({"selected_size": "x"})),
        ):
            status, answer = await door.ask(asked)
            assert (status, set(answer)) == (427, {"error_msg"})
    # Our token at their door: it is not even theirs to decrypt.
    status, answer = await Door(ground, tenant=OTHER).ask(exchange(ours, action="INIT"))
    assert (status, set(answer)) == (427, {"error_msg"})
    assert await held(ground, OTHER) == before


# Ids of nobody ---------------------------------------------------------------------------------


async def test_some_of_them_through_the_database(ground, theirs):
    before = await held(ground, OTHER)
    store = ground.engine.store(TenantId(SHOP))
    known = {row[0] for row in await store.catalog.get_product_names()}
    for stranger in strangers(4, 240):
        assert stranger not in known
        assert await store.catalog.get_product_by_id(stranger) is None
        assert await store.said(stranger) is None
        assert await store.flow_sessions.get(stranger) is None
        assert await store.orders.get_by_number(
            OrderNumber(stranger), CustomerKey(stranger)
        ) is None  # fmt: skip
    assert await held(ground, OTHER) == before
