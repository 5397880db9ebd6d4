"""A person answers: customers, their staff and the business phone, over signed webhooks.

Processes of `comanda serve`, and the sandbox in Meta's place.
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime

import httpx
import pytest

from engine.box_ports import InboxRow
from engine.domain.ids import CustomerKey
from engine.sandbox import Customer, SandboxOptions
from engine.sandbox.choices import choices
from engine.storage.inbox import MongoInbox
from engine.storage.records import (
    ConversationDocument,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
)
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import raised
from tests.e2e.serve_scene import OURS, Town, town
from tests.e2e.sync_scene import PIZZERIA, environment_of, eventually, settings_of

ADMIN = "a token of operators"
STAFF = settings_of(PIZZERIA).staff.digits
GIVE_BACK = "Give back to the bot"


@pytest.fixture(scope="module")
async def place(tmp_path_factory):
    options = SandboxOptions(enforce_window=True)
    async with town(tmp_path_factory.mktemp("handoff"), options) as ground:
        web = await ground.start("web", ADMIN_TOKEN=ADMIN)
        await ground.connect(web)
        await ground.start("worker")
        await ground.start("worker")
        yield ground


def said(message) -> str:
    payload = message.payload
    if payload["type"] == "template":
        return f"[{payload['template']['name']}]"
    inner = payload.get("text") or payload["interactive"]["body"]
    return str(inner["body"] if "body" in inner else inner["text"])


async def stands(place: Town, customer: Customer, state: str) -> None:
    """Wait until a customer is in a state."""
    talks = place.database.collection(ConversationDocument)
    wanted = {"phone": customer.phone, "position.leaf": state}
    assert await eventually(lambda: talks.find_one(wanted), seconds=20)


async def silent(customer: Customer, since: int) -> None:
    """Make sure that nothing comes."""
    await asyncio.sleep(1.0)
    assert [said(message) for message in (await customer.messages())[since:]] == []


async def muted(place: Town, phone: str) -> Customer:
    """Let somebody ask for a person."""
    customer = place.customer(phone)
    await customer.say("human")
    await customer.wait_for(1, within=20)
    await stands(place, customer, "human")
    return customer


async def the_button(place: Town, about: Customer) -> str:
    """Give the id of the staff's button for a customer."""
    rows = place.database.collection(OutboxDocument)
    talks = place.database.collection(ConversationDocument)
    talk = await talks.find_one({"phone": about.phone})
    assert talk
    mine = {"tenant": PIZZERIA, "about": talk["customer"]}
    told = await eventually(lambda: rows.find_one(mine))
    return f"give_back:{told['handoff']}"


async def test_from_the_call_for_a_person_to_the_staffs_tap(place: Town):
    staff = place.customer(STAFF)
    ana = await muted(place, "15553330001")
    # They have not written for a day: only the template can be sent, and its reply does the same.
    (notice,) = await staff.wait_for(1, within=20)
    assert said(notice) == "[staff_notice]"
    parts = {c["type"]: c for c in notice.payload["template"]["components"]}
    assert "15553330001" in str(parts["body"])
    reply = parts["button"]["parameters"][0]["payload"]
    assert reply == await the_button(place, ana)
    seen = len(await ana.messages())
    for words in ("hello", "margherita", "is anybody reading this?"):
        await ana.say(words)
    await silent(ana, seen)
    await staff.tap(reply, title=GIVE_BACK)
    assert "I am here for you again" in said((await ana.wait_for(1, within=20))[0])
    assert "I answer that customer again" in said((await staff.wait_for(1, within=20))[0])
    await staff.tap(reply, title=GIVE_BACK)  # once is enough
    await staff.wait_for(1, within=20)
    await silent(ana, seen + 1)
    # Now their window is open.
    ben = await muted(place, "15553330002")
    (notice,) = await staff.wait_for(1, within=20)
    assert "+15553330002" in said(notice)
    assert [choice.title for choice in choices(notice)] == [GIVE_BACK]
    await ben.say("menu")
    await stands(place, ben, "categories")


async def test_nobody_but_the_staff_can_use_their_button(place: Town):
    eva = await muted(place, "15553330003")
    button = await the_button(place, eva)
    for thief in (place.customer("15553330004"), eva):
        await thief.tap(button, title=GIVE_BACK)
        (answer,) = await thief.wait_for(1, within=20)
        assert "no longer does anything" in said(answer)
    inbox = place.database.collection(InboxDocument)
    handoff = button.partition(":")[2]
    assert await inbox.find_one({"_id": f"handed_back:{PIZZERIA}:{handoff}"}) is None
    await stands(place, eva, "human")


async def test_what_staff_types_mutes_once_however_often_it_is_delivered(place: Town):
    leo = place.customer("15553330005")
    await leo.say("hello")
    await leo.wait_for(1, within=20)
    typed = await leo.hear_from_staff("Hi Leo, one moment please")
    assert typed.status == 200
    await stands(place, leo, "human")
    talks = place.database.collection(ConversationDocument)
    before = await talks.find_one({"phone": leo.phone})
    for _ in range(3):
        again = await leo.hear_from_staff("Hi Leo, one moment please", wamid=typed.wamid)
        assert again.status == 200
    await asyncio.sleep(1.5)
    after = await talks.find_one({"phone": leo.phone})
    assert before
    assert after
    assert after["version"] == before["version"]
    assert after["spokeAt"] == before["spokeAt"]
    seen = len(await leo.messages())
    await leo.say("thanks")
    await silent(leo, seen)


async def test_who_is_written_to_first_stays_muted_when_he_writes_with_a_user_id(place: Town):
    # The echo tells his phone number alone; his own messages a user id beside it.
    zoe = place.customer("15553330009")
    await zoe.hear_from_staff("Hello, your table is ready")
    await stands(place, zoe, "human")
    talks = place.database.collection(ConversationDocument)
    (begun,) = await talks.find({"phone": zoe.phone}).to_list()
    assert (begun["customer"], begun["userId"]) == (zoe.phone, None)
    await zoe.say("hello")
    known = {"phone": zoe.phone, "userId": {"$ne": None}}
    talk = await eventually(lambda: talks.find_one(known), seconds=20)
    for words in ("is it by the window?", "margherita"):
        await zoe.say(words)
    await silent(zoe, 0)
    (talk,) = await talks.find({"phone": zoe.phone}).to_list()
    assert talk["customer"] == talk["userId"] != zoe.phone
    assert talk["position"]["leaf"] == "human"
    timers = await place.database.collection(TimerDocument).find({}).to_list()
    mine = [each for each in timers if each["customer"] in (zoe.phone, talk["customer"])]
    assert {each["customer"] for each in mine} == {talk["customer"]}
    # What staff types now is of the same conversation, and so is the end of it.
    await zoe.hear_from_staff("By the window, yes")
    await eventually(lambda: talks.find_one({"_id": talk["_id"], "version": talk["version"] + 1}))
    assert await talks.count_documents({"phone": zoe.phone}) == 1
    code, _, err = await comanda(place, "handoff", "end", PIZZERIA, zoe.phone)
    assert (code, err) == (0, "")
    assert "I am here for you again" in said((await zoe.wait_for(1, within=20))[0])
    await zoe.say("menu")
    await stands(place, zoe, "categories")


async def test_an_echo_that_is_worked_on_after_his_first_message_mutes_him(place: Town):
    noa = place.customer("15553330010")
    await noa.say("hello")
    await noa.wait_for(1, within=20)
    # As it is stored if it was received before that message was worked on.
    number = noa.phone_number_id
    await MongoInbox(place.database).accept(
        [
            InboxRow(
                id=f"{number}:wamid.late",
                tenant=PIZZERIA,
                customer=CustomerKey(noa.phone),
                timestamp=1,
                received_at=datetime.now(UTC),
                raw=raised(Raised("staff_wrote", {}), phone_number_id=number),
            )
        ]
    )
    await stands(place, noa, "human")
    seen = len(await noa.messages())
    await noa.say("hello?")
    await silent(noa, seen)


async def test_an_echo_of_our_own_message_mutes_nobody(place: Town):
    mia = place.customer("15553330006")
    await mia.say("hello")
    (greeting,) = await mia.wait_for(1, within=20)
    rows = place.database.collection(OutboxDocument)
    sent = {"tenant": PIZZERIA, "providerId": greeting.wamid}
    await eventually(lambda: rows.find_one(sent))
    await mia.hear_from_staff("Welcome", wamid=greeting.wamid)
    await asyncio.sleep(1.0)
    await stands(place, mia, "menu")


async def comanda(place: Town, *arguments: str) -> tuple[int, str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine", *arguments,
        env=plain | environment_of(place.settings),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


async def test_operators_see_and_end_it_by_command_and_route(place: Town):
    kim = await muted(place, "15553330007")
    code, out, _ = await comanda(place, "handoff", "list", PIZZERIA, "--format", "json")
    assert code == 0
    assert "+15553330007" in [each["phone"] for each in json.loads(out)]
    code, out, err = await comanda(place, "handoff", "end", PIZZERIA, "+1 555 333-0007")
    assert (code, err) == (0, "")
    assert "answers this customer again" in out
    await stands(place, kim, "back_again")
    code, _, err = await comanda(place, "handoff", "end", PIZZERIA, "+15553330007")
    assert (code, err) == (1, f"'{PIZZERIA}': no person answers this customer\n")

    lou = await muted(place, "15553330008")
    path = f"/api/v1/handoffs/{PIZZERIA}"
    url, body = place.running[0].url, {"customer": "+15553330008"}
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.get(path)).status_code == 401
        assert (await http.post(f"{path}/end", json=body)).status_code == 401
        http.headers["Authorization"] = f"Bearer {ADMIN}"
        held = (await http.get(path)).json()["handoffs"]
        assert "+15553330008" in [each["phone"] for each in held]
        assert (await http.get("/api/v1/handoffs/nobody")).status_code == 404
        bad: tuple[object, ...] = ([], {}, {"customer": 1}, {"customer": ""}, {**body, "x": 1})
        for wrong in bad:
            assert (await http.post(f"{path}/end", json=wrong)).status_code == 400
        assert (await http.post(f"{path}/end", json=body)).json() == {"ended": True}
        await stands(place, lou, "back_again")
        assert (await http.post(f"{path}/end", json=body)).status_code == 404
    logs = "".join(served.said() for served in place.running)
    assert "1555333000" not in logs
