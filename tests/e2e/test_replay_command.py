"""`comanda replay` as an author calls it, against a conversation that an engine has taken."""

import asyncio
import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.clock import ManualClock, SeededIds
from engine.domain.ids import TenantId
from engine.playground import playground
from engine.settings import read_settings
from engine.spec.library import Library
from engine.storage.connection import Database
from engine.storage.documents import OrderDocument
from engine.storage.records import TurnDocument
from engine.verbs import all_verbs

SHOP = TenantId("la-tavola")
PHONE = "15559998877"
EVENING = datetime(2030, 6, 14, 23, 30, tzinfo=UTC)


@dataclass
class Terminal:
    environment: dict[str, str]

    async def run(self, *arguments, code=0):
        result = await asyncio.to_thread(
            CliRunner(env=self.environment).invoke, main, ["replay", *map(str, arguments)]
        )
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.output


@pytest.fixture(scope="module")
async def talked(mongodb_uri):
    """A customer who orders by talking."""
    name, clock = "comanda_replay_command", ManualClock(EVENING)
    async with playground(
        content=read_settings().content(), mongodb_uri=mongodb_uri, database_name=name,
        clock=clock, ids=SeededIds(7),
    ) as running:  # fmt: skip
        customer = running.customer(SHOP, PHONE, "Beatriz")
        for said in ("hi", "menu", "add 2 cokes", "where is my order"):
            await customer.say(said)
            await running.engine.idle()
        clock.set(EVENING.replace(hour=23, minute=50))
        await customer.say("I am Beatriz, call me at +1 555 222 3344")
        await running.engine.idle()
        environment = {
            "MONGODB_URI": mongodb_uri,
            "MONGODB_DB_NAME": name,
            "ENCRYPTION_SECRET": "encryption secret",
            "META_APP_SECRET": "app secret",
            "META_WEBHOOK_VERIFY_TOKEN": "verify",
        }
        yield Terminal(environment)
        await running.engine.database.client.drop_database(name)


@pytest.fixture
def edited(tmp_path):
    """The content with another greeting."""
    content = read_settings().content()
    for folder in ("conversations", "flows", "tenants"):
        shutil.copytree(content / folder, tmp_path / "edited" / folder)
    return tmp_path / "edited"


async def test_it_tells_why_it_said_what_it_said(talked):
    said = await talked.run(SHOP, PHONE)
    assert said.count("  turn ") == 5
    assert "  customer: add 2 cokes\n" in said
    assert re.search(r"^  guard   conversations/storefront\.yaml:\d+:\d+  \S", said, re.MULTILINE)
    assert re.search(r"^  say     \S+\.yaml:\d+:\d+  \w+", said, re.MULTILINE)
    assert "  bot: " in said
    assert "2030-06-14 19:30:00" in said  # New York's clocks
    assert "not the one that is here now" not in said


async def test_only_the_turn_of_a_time(talked):
    said = await talked.run(SHOP, PHONE, "--at", "2030-06-14T19:45")
    assert said.count("  turn ") == 1
    assert "customer: where is my order" in said
    assert await talked.run(SHOP, PHONE, "--at", "2030-06-14T23:45:00+00:00") == said
    told = await talked.run(SHOP, PHONE, "--at", "2029-01-01", code=1)
    assert told == "no turn of this customer is kept from then\n"


async def test_as_json(talked):
    told = json.loads(await talked.run(SHOP, PHONE, "--last", 2, "--format", "json"))
    assert told["turns"][0]["heard"] == "customer: where is my order"
    assert all(turn["is_recorded"] for turn in told["turns"])


async def test_beside_the_same_content_nothing_parts(talked):
    content = read_settings().content()
    assert await talked.run(SHOP, PHONE, "--with", content) == (
        "replay: 5 turns, the messages of 0 part\n"
    )


async def test_beside_an_edit_it_shows_where_the_messages_part(talked, edited):
    for file in (edited / "conversations" / "messages").glob("*.en.yaml"):
        file.write_text(file.read_text().replace("Welcome to", "Good evening from"))
    for file in (edited / "tenants" / SHOP / "messages").glob("*.yaml"):
        file.write_text(file.read_text().replace("Welcome to", "Good evening from"))
    said = await talked.run(SHOP, PHONE, "--with", edited, code=1)
    assert re.search(r"^  - .*Welcome to", said, re.MULTILINE)
    assert re.search(r"^  \+ .*Good evening from", said, re.MULTILINE)
    assert re.search(r"5 turns, the messages of [1-4] part\n$", said)
    told = json.loads(await talked.run(SHOP, PHONE, "--with", edited, "--format", "json", code=1))
    assert told["turns"][0]["parts"]
    assert len(told["turns"]) == 5


async def test_broken_content_is_told_with_its_place(talked, edited):
    (edited / "conversations" / "storefront.yaml").write_text("states: [\n")
    said = await talked.run(SHOP, PHONE, "--with", edited, code=1)
    assert "conversations/storefront.yaml:" in said


async def test_it_is_saved_as_a_dialog_without_what_is_personal(talked, tmp_path):
    file = tmp_path / "lost.yaml"
    said = await talked.run(SHOP, PHONE, "--save", file)
    assert said.endswith(f"steps written to {file}; read them before you share them\n")
    text = file.read_text()
    assert "Beatriz" not in text
    assert "222" not in text
    assert (
        '"I am Ana, call me at 15550001234"' in text or "I am Ana, call me at 15550001234" in text
    )
    assert "wait: 20m" in text
    dialog = Library(read_settings().content(), all_verbs()).dialog(file)
    assert dialog.steps[0].say == "hi"
    again = await talked.run(SHOP, PHONE, "--save", file, code=2)
    assert "exists already" in again


async def test_it_is_found_by_an_order(talked, mongodb_uri):
    async with Database(mongodb_uri, name="comanda_replay_command") as database:
        (key,) = await database.collection(TurnDocument).distinct("customer")
        await database.collection(OrderDocument).insert_one(
            {"orderNumber": "K7M2QX", "subDomain": SHOP, "conversationId": f"{SHOP}:{key}"}
        )
    assert await talked.run(SHOP, "K7M2QX") == await talked.run(SHOP, key)
    assert await talked.run(SHOP, "#k7m2qx") == await talked.run(SHOP, key)


@pytest.mark.parametrize("who", ["15550000000", "ZZZZZZ", "é", "+"])
async def test_nobody_known_is_a_sentence(talked, who):
    told = await talked.run(SHOP, who, code=1)
    assert told == "there is nobody known by that key, phone number or order\n"


async def test_a_row_of_the_release_before_says_that_nothing_was_recorded(talked, mongodb_uri):
    async with Database(mongodb_uri, name="comanda_replay_command") as database:
        rows = database.collection(TurnDocument)
        newest = await rows.find_one({"version": 5})
        assert newest is not None
        held = newest["recording"]
        await rows.update_one({"version": 5}, {"$unset": {"recording": ""}})
        try:
            said = await talked.run(SHOP, PHONE, "--last", 1)
            assert "was not recorded: an earlier version took it" in said
            beside = await talked.run(SHOP, PHONE, "--with", read_settings().content())
            assert "? it was not recorded: an earlier version of the engine took it" in beside
            assert beside.endswith("5 turns, the messages of 0 part, 1 cannot be told\n")
        finally:
            await rows.update_one({"version": 5}, {"$set": {"recording": held}})


@pytest.mark.parametrize(
    "arguments",
    [
        [], [SHOP], [SHOP, ""], [SHOP, PHONE, "--with", "/nowhere"], [SHOP, PHONE, "--last", "0"],
        [SHOP, PHONE, "--with", str(Path(__file__).parent)],
        [SHOP, PHONE, "--with", ".", "--save", "x.yaml"], [SHOP, PHONE, "--save", "."],
    ],
)  # fmt: skip
def test_a_wrong_call_ends_with_2(arguments):
    assert CliRunner().invoke(main, ["replay", *arguments]).exit_code == 2


async def test_a_time_that_is_none_is_a_wrong_call(talked):
    assert "is no time such as" in await talked.run(SHOP, PHONE, "--at", "noon", code=2)


def test_there_is_help_with_an_example():
    done = CliRunner().invoke(main, ["replay", "--help"])
    assert done.exit_code == 0
    assert "Example: comanda replay la-tavola K7M2QX --at 2030-06-14T19:30\n" in done.output
