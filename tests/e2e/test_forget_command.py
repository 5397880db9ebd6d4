"""`comanda forget` as an operator calls it, against a database with two customers."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from engine.cli.main import main
from engine.domain.ids import CustomerKey, TenantId
from engine.settings import read_settings
from engine.slots import slot_of
from engine.storage.connection import Database
from engine.storage.documents import CartDocument, OrderDocument
from engine.storage.records import (
    DOCUMENTS,
    AuditDocument,
    ConversationDocument,
    FlowSessionDocument,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
    TurnDocument,
)

SHOP, OTHER = TenantId("la-tavola"), TenantId("dona-lucha")
# The number of the README; WhatsApp may know him by an id of his own.
PHONE, ANA, BEN = "15551234567", CustomerKey("US.13491208655302741918"), CustomerKey("15557654321")
NAME, ADDRESS, SAID = "Ana Verdi", "12 Mulberry Street", "the bell is broken"
NOBODY = "there is nobody known by that key or phone number\n"
NOW = datetime.now(UTC).replace(microsecond=0)


@dataclass
class Place:
    """A database, and a terminal to erase customers from."""

    environment: dict[str, str]
    database: Database

    async def run(self, *arguments, code=0):
        """Call the command in a thread of its own."""
        with capture_logs() as logs:
            result = await asyncio.to_thread(
                CliRunner(env=self.environment).invoke, main, ["forget", *arguments]
            )
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        assert all(who not in str(logs) for who in (PHONE, ANA, BEN))
        return result.output

    async def json(self, *arguments, **options):
        return json.loads(await self.run(*arguments, "--format", "json", **options))

    async def everything(self):
        """Give all that is stored, by collection."""
        return {
            document.Settings.name: await self.database.collection(document).find({}).to_list()
            for document in DOCUMENTS
            if document is not AuditDocument  # that somebody forgot is no trace of whom
        }

    async def meet(self, customer, *, tenant=SHOP, phone, number):
        """Store of a customer what the engine stores."""
        key = f"{tenant}:{customer}"
        mine: dict[str, Any] = {"tenant": tenant, "customer": customer}
        waiting = mine | {"slot": slot_of(tenant, customer), "due": NOW, "attempts": 0}
        wamid = f"101:wamid.{number}"
        rows = {
            ConversationDocument: {
                "_id": key, **mine, "language": "en", "version": 3, "phone": phone, "name": NAME,
                "userId": customer, "variables": {"address": ADDRESS}, "updatedAt": NOW,
            },
            CartDocument: {
                "sessionId": customer, "subDomain": tenant, "items": [], "subtotal": 0.0,
                "expiresAt": NOW + timedelta(hours=1),
            },
            OrderDocument: {
                "orderNumber": number, "subDomain": tenant, "conversationId": key,
                "customer": {"name": NAME, "phone": phone, "userId": customer},
                "items": [], "subtotal": 12.0, "tax": 1.0, "deliveryFee": 2.0, "total": 15.0,
                "status": "delivered", "type": "delivery", "paymentMethod": "cash",
                "paymentMethodId": "cash", "source": "whatsapp", "notes": SAID,
                "deliveryAddress": {"text": ADDRESS, "latitude": 1.0, "longitude": 2.0},
                "createdAt": NOW, "updatedAt": NOW,
            },
            InboxDocument: {
                "_id": wamid, **waiting, "timestamp": 1, "receivedAt": NOW, "state": "done",
                "raw": {"message": {"text": {"body": SAID}}, "contact": {"wa_id": phone}},
            },
            OutboxDocument: {
                "_id": f"{wamid}:0", **waiting, "phoneNumberId": "101", "sequence": 1,
                "createdAt": NOW, "state": "sent",
                "payload": {"to": phone, "text": {"body": NAME}},
            },
            TimerDocument: {
                "_id": f"{key}:1:late", **mine, "event": "late", "entry": 1, "due": NOW,
                "slot": slot_of(tenant, customer),
            },
            TurnDocument: {
                "_id": wamid, **mine, "version": 3, "at": NOW, "event": "text", "bundle": "b",
                "outcome": "done", "steps": [{"said": SAID}], "expireAt": NOW + timedelta(days=30),
            },
            FlowSessionDocument: {
                "_id": f"session-{number}", **mine, "flow": "checkout", "language": "en",
                "phoneNumberId": "101", "createdAt": NOW, "expiresAt": NOW + timedelta(hours=1),
                "expireAt": NOW + timedelta(days=8), "variables": {"notes": SAID},
            },
        }  # fmt: skip
        for document, row in rows.items():
            await self.database.collection(document).insert_one(row)


@pytest.fixture
async def place(database, mongodb_uri):
    made = Place(
        {
            "MONGODB_URI": mongodb_uri,
            "MONGODB_DB_NAME": database.name,
            "META_APP_SECRET": "app secret",
            "META_WEBHOOK_VERIFY_TOKEN": "verify",
            "ENCRYPTION_SECRET": "encryption secret",
        },
        database,
    )
    await made.meet(ANA, phone=PHONE, number="AAAAAA")
    await made.meet(BEN, phone=BEN, number="BBBBBB")
    await made.meet(ANA, tenant=OTHER, phone=PHONE, number="CCCCCC")
    return made


def of_others(everything):
    """Give what is stored of the others."""
    return {
        name: [row for row in rows if "AAAAAA" not in str(row) and f"{SHOP}:{ANA}" not in str(row)
               and (row.get("subDomain"), row.get("sessionId")) != (SHOP, ANA)]
        for name, rows in everything.items()
    }  # fmt: skip


async def test_the_commands_of_the_readme(place):
    readme = (read_settings().content() / "README.md").read_text()
    commands = re.findall(r"^comanda forget (\S.*?)(?: +#.*)?$", readme, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        await place.run(*shlex.split(command))


@pytest.mark.parametrize("who", [PHONE, ANA])
async def test_a_customer_is_forgotten_by_his_phone_number_or_his_key(place, who):
    before = await place.everything()
    said = await place.run(SHOP, who)
    assert said.endswith(f"forget: {SHOP}: the customer was forgotten\n")
    lines = dict(line.split(": ", 1) for line in said.splitlines()[:-1])
    assert lines["orders"] == "1 anonymised"
    for name in ("conversations", "carts", "outbox", "timers", "flowSessions"):
        assert lines[name] == "1 removed", name
    after = await place.everything()
    # Of the others nothing is missing.
    assert of_others(after) == of_others(before)
    gone = {name: [row for row in rows if row not in of_others(before)[name]]
            for name, rows in after.items()}  # fmt: skip
    for personal in (PHONE, ANA, NAME, ADDRESS, SAID):
        assert personal not in str(gone), gone
    # His order stays, and what it was worth.
    (order,) = gone["orders"]
    assert (order["orderNumber"], order["total"], order["status"]) == ("AAAAAA", 15.0, "delivered")

    # He is known no more.
    assert await place.run(SHOP, who, code=1) == NOBODY
    assert await place.everything() == after


async def test_a_dry_run_tells_who_is_meant_and_changes_nothing(place):
    before = await place.everything()
    assert await place.run(SHOP, PHONE, "--dry-run") == (
        f"{ANA}: would be forgotten\nforget: {SHOP}: nothing was changed\n"
    )
    told = await place.json(SHOP, PHONE, "--dry-run")
    assert (told["customers"], told["dry_run"]) == ([ANA], True)
    assert await place.everything() == before


async def test_it_is_told_as_json_too(place):
    told = await place.json(SHOP, PHONE)
    assert (told["tenant"], told["dry_run"]) == (SHOP, False)
    assert ANA in told["customers"]
    assert told["anonymised"]["orders"] == 1
    assert told["removed"]["conversations"] == 1


@pytest.mark.parametrize("who", ["15550000000", "1555123456", "555", ".*", "US.", "é", "+"])
async def test_nobody_known_is_a_sentence_that_does_not_name_him(place, who):
    before = await place.everything()
    for options in ((), ("--dry-run",), ("--format", "json")):
        assert await place.run(SHOP, who, *options, code=1) == NOBODY
    assert await place.everything() == before


async def test_the_customer_of_another_tenant_is_not_known_here(place):
    await place.run(SHOP, PHONE)
    assert await place.run(SHOP, PHONE, code=1) == NOBODY
    assert "orders: 1 anonymised\n" in await place.run(OTHER, PHONE)


async def test_an_unknown_tenant_is_a_sentence(place):
    said = await place.run("la-tavla", PHONE, code=1)
    assert said == "there is no tenant 'la-tavla'; there are dona-lucha, la-tavola\n"


async def test_nothing_but_the_answer_is_printed(place):
    plain = {k: v for k, v in os.environ.items() if k != "COMANDA_CONTENT"}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "engine", "forget", SHOP, PHONE],
        env=plain | place.environment, capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert PHONE not in done.stdout
    assert ANA not in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [[], [SHOP], [SHOP, ""], [SHOP, "\udcff"], [SHOP, PHONE, "--all"], [SHOP, "1", "2"]],
)
def test_a_wrong_call_ends_with_2(arguments):
    assert CliRunner().invoke(main, ["forget", *arguments]).exit_code == 2


def test_there_is_help_with_examples():
    done = CliRunner().invoke(main, ["forget", "--help"])
    assert done.exit_code == 0
    assert "Example: comanda forget la-tavola 15551234567 --dry-run\n" in done.output
