"""An order that somebody moves is told to its customer once: by command, route and back end.

Processes of `comanda serve`, the sandbox in Meta's place, and the Node back end as plain writes.
"""

import asyncio
import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from engine.clock import RandomIds, SystemClock
from engine.domain.order import OrderType
from engine.sandbox import Customer, SandboxOptions
from engine.storage.documents import OrderDocument
from engine.storage.orders import order_to_disk
from engine.storage.records import ConversationDocument, InboxDocument
from tests.e2e.serve_scene import OURS, Town, town
from tests.e2e.sync_scene import PIZZERIA, environment_of, eventually
from tests.unit.storage.builders import USD, order

ADMIN = "a token of operators"


@pytest.fixture(scope="module")
async def place(tmp_path_factory):
    options = SandboxOptions(enforce_window=True)
    async with town(tmp_path_factory.mktemp("moves"), options) as ground:
        web = await ground.start("web", ADMIN_TOKEN=ADMIN)
        await ground.connect(web)
        await ground.start("worker")
        await ground.start("worker")
        yield ground


async def comanda(place: Town, *arguments: str) -> tuple[int, str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine", *arguments,
        env=plain | environment_of(place.settings),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


async def route(place: Town, number: str, body: object = None, token: str = ADMIN):
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=place.running[0].url, headers=headers) as http:
        path = f"/orders/{PIZZERIA}/{number}"
        if body is None:
            return await http.get(path)
        return await http.post(f"{path}/status", json=body)


async def ordered(place: Town, customer: Customer) -> str:
    """Let somebody write, and have ordered; give the order's number.

    It is written as checkout writes it, which asks whether the pizzeria is open just now.
    """
    await customer.say("hello")
    await customer.wait_for(1, within=20)
    talks = place.database.collection(ConversationDocument)
    talk = await eventually(lambda: talks.find_one({"phone": {"$regex": customer.phone}}))
    number = RandomIds().order_number()
    placed = replace(order(number, at=SystemClock().now()), type=OrderType.PICKUP, address=None)
    document = order_to_disk(placed, conversation=talk["_id"], local_id=None, currency=USD)
    orders = place.database.collection(OrderDocument)
    await orders.insert_one({**document, "subDomain": PIZZERIA})
    return number


def said(message) -> str:
    payload = message.payload
    if payload["type"] == "template":
        template = payload["template"]
        given = [p["text"] for c in template["components"] for p in c["parameters"]]
        return f"[{template['name']} {template['language']['code']}] {', '.join(given)}"
    inner = payload.get("text") or payload["interactive"]["body"]
    return str(inner["body"] if "body" in inner else inner["text"])


async def news(customer: Customer, seen: int, count: int) -> list[str]:
    """Give what has come, and wait a moment for what should not come."""
    await customer.wait_for(count, within=20)
    await asyncio.sleep(1.0)
    return [said(message) for message in (await customer.messages())[seen:]]


async def test_each_way_to_move_an_order_tells_its_customer_once(place: Town):
    ana = place.customer("15552220001")
    number = await ordered(place, ana)
    talks = place.database.collection(ConversationDocument)
    ours = {"tenant": PIZZERIA, "phone": {"$regex": "15552220001"}}
    before = await talks.find_one(ours)
    seen = len(await ana.messages())

    # The command, which tells what is told.
    code, out, err = await comanda(
        place, "order", "set", PIZZERIA, f"#{number.lower()}", "confirmed"
    )
    assert code == 0, err
    assert f"{number} was pending and is confirmed" in out
    assert f"La Tavola has accepted your order *#{number}*." in out
    assert "after 24 hours of silence: [template order_confirmed en_US]" in out
    assert await news(ana, seen, 1) == [f"👍 La Tavola has accepted your order *#{number}*."]

    # The route.
    answer = await route(place, number, {"status": "preparing"})
    assert answer.json() == {"number": number, "status": "preparing", "before": "confirmed"}
    assert await news(ana, seen + 1, 1) == [f"👩‍🍳 We are preparing your order *#{number}* now."]
    assert (await route(place, number)).json()["told"] == ["pending", "confirmed", "preparing"]

    # The back end, twice the same and quickly on.
    orders = place.database.collection(OrderDocument)
    for status in ("ready", "ready", "delivered"):
        await orders.update_one({"orderNumber": number}, {"$set": {"status": status}})
    assert await news(ana, seen + 2, 2) == [
        f"🛍️ Your order *#{number}* is ready! You can pick it up at "
        "148 Carmine Street, New York, NY 10014.",
        f"🎉 Your order *#{number}* was handed over. Enjoy your meal!",
    ]

    # He stays where he was, and has not written.
    after = await talks.find_one(ours)
    assert before
    assert after
    for same in ("position", "spokeAt", "misses", "entries"):
        assert after[same] == before[same]


async def test_outside_of_the_window_the_template_is_sent(place: Town):
    ben = place.customer("15552220002")
    number = await ordered(place, ben)
    seen = len(await ben.messages())
    talks = place.database.collection(ConversationDocument)
    long_ago = {"$set": {"spokeAt": datetime.now(UTC) - timedelta(hours=25)}}
    await talks.update_one({"phone": {"$regex": "15552220002"}}, long_ago)
    orders = place.database.collection(OrderDocument)
    reason = {"$set": {"status": "rejected", "statusReason": "no dough"}}
    await orders.update_one({"orderNumber": number}, reason)
    assert await news(ben, seen, 1) == [f"[order_rejected en_US] {number}, La Tavola, no dough"]


async def test_illegal_moves_are_refused_with_the_legal_ones(place: Town):
    eva = place.customer("15552220003")
    number = await ordered(place, eva)
    seen = len(await eva.messages())
    sentence = (
        "the order is pending: it cannot become delivered, only confirmed or cancelled or rejected"
    )
    code, _, err = await comanda(place, "order", "set", PIZZERIA, number, "delivered")
    assert (code, err) == (1, f"{number}: {sentence}\n")
    answer = await route(place, number, {"status": "delivered"})
    assert (answer.status_code, answer.json()) == (409, {"error": sentence})
    # The back end does as it likes, and nobody hears of it.
    orders = place.database.collection(OrderDocument)
    await orders.update_one({"orderNumber": number}, {"$set": {"status": "delivered"}})
    await asyncio.sleep(2.0)
    assert len(await eva.messages()) == seen
    logs = "".join(served.said() for served in place.running)
    assert '"outcome": "illegal"' in logs
    assert "15552220003" not in logs


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        ({"status": "cooked"}, 400, "'cooked' is no status; there are pending, confirmed"),
        ({"status": 1}, 400, "'status' must be a text"),
        ({"status": "confirmed", "x": 1}, 400, "'x' is no key here"),
        ([], 400, "the body must be a JSON object"),
        ({"status": "cancelled", "reason": "x" * 201}, 400, "the reason has 201 characters"),
        ({"status": "confirmed"}, 404, "there is no such order"),
    ],
)
async def test_what_the_route_does_not_take(place: Town, body, status, sentence):
    answer = await route(place, "ZZZZZZ", body)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]


async def test_the_route_wants_the_token_and_a_tenant(place: Town):
    assert (await route(place, "ZZZZZZ", {"status": "ready"}, "wrong")).status_code == 401
    assert (await route(place, "ZZZZZZ")).status_code == 404


async def test_the_command_lists_and_shows(place: Town):
    leo = place.customer("15552220004")
    number = await ordered(place, leo)
    code, out, _ = await comanda(place, "order", "show", PIZZERIA, number, "--format", "json")
    assert code == 0
    shown = json.loads(out)
    assert (shown["number"], shown["status"]) == (number, "pending")
    assert shown["moves"] == ["confirmed", "cancelled", "rejected"]
    code, out, _ = await comanda(place, "order", "list", PIZZERIA, "--status", "pending")
    assert number in out
    assert "15552220004" not in out
    code, _, err = await comanda(place, "order", "set", PIZZERIA, "ZZZZZZ", "confirmed")
    assert (code, err) == (1, "'la-tavola' has no order ZZZZZZ\n")
    code, _, err = await comanda(place, "order", "set", PIZZERIA, number, "confirmd")
    assert code == 2
    assert "did you mean 'confirmed'?" in err


async def test_moves_while_nobody_ran_are_told_at_the_next_start(place: Town):
    """And while workers are killed in the middle of telling."""
    mia = place.customer("15552220005")
    number = await ordered(place, mia)
    seen = len(await mia.messages())
    workers = [served for served in place.running[1:] if served.process.returncode is None]
    orders = place.database.collection(OrderDocument)
    await orders.update_one({"orderNumber": number}, {"$set": {"status": "confirmed"}})
    for served in workers:
        served.process.kill()
        await served.process.wait()
    for status in ("preparing", "ready"):
        await orders.update_one({"orderNumber": number}, {"$set": {"status": status}})
    await place.start("worker")
    await place.start("worker")
    rows = place.database.collection(InboxDocument)
    await eventually(
        lambda: rows.find_one({"_id": f"order:{number}:ready", "state": "done"}), seconds=60
    )
    told = await news(mia, seen, 3)
    assert [text.split()[0] for text in told] == ["👍", "👩‍🍳", "🛍️"]
