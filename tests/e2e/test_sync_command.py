"""`comanda sync` as an operator calls it, against a database and the sandbox."""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from engine.cli.main import main
from engine.sandbox import SandboxOptions
from engine.settings import Settings, read_settings
from tests.e2e.sync_scene import (
    PIZZERIA,
    TAQUERIA,
    TOKEN,
    Shop,
    environment_of,
    opened_shop,
    product_row,
    settings_of,
)

PIZZAS = [product_row(PIZZERIA, f"prod:{n}", category="cat:pizza", price=10 + n) for n in range(3)]
COKE = product_row(PIZZERIA, "prod:coke", category="cat:drinks", price=2.5)
BAD = product_row(PIZZERIA, "prod:bad", category="cat:drinks", imageUrl=None)
USAGE = "--repair goes with --drift, and --keep-extra with --repair"


@dataclass
class Place:
    """A shop, and a terminal to sync it from."""

    shop: Shop
    settings: Settings

    @property
    def environment(self):
        return environment_of(self.settings)

    async def run(self, *arguments, code=0, tenant=PIZZERIA, **environment):
        """Call the command in a thread of its own, while Meta answers here."""
        runner = CliRunner(env=self.environment | environment)
        with capture_logs():  # they have a test of their own
            result = await asyncio.to_thread(runner.invoke, main, ["sync", tenant, *arguments])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    async def process(self, *arguments):
        """Start the command in a process of its own."""
        plain = {k: v for k, v in os.environ.items() if k != "COMANDA_CONTENT"}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", "sync", PIZZERIA, *arguments,
            env=plain | self.environment, stdout=PIPE, stderr=PIPE,
        )  # fmt: skip

    async def said(self, *arguments, **options):
        return (await self.run(*arguments, **options)).output

    async def json(self, *arguments, **options):
        return json.loads((await self.run(*arguments, "--format", "json", **options)).stdout)


@pytest.fixture
def impatient(monkeypatch):
    # What the command logs would go to a terminal that is closed after the call.
    monkeypatch.setattr("engine.cli.sync.log_to_stderr", lambda **_: None)
    # Meta is quick here, and tells nobody.
    monkeypatch.setattr("engine.sync.outgoing.FIRST_CHECK", timedelta(seconds=0.1))


@pytest.fixture
async def place(database, mongodb_uri, impatient):
    options = SandboxOptions(batch_delay=0.01)
    async with opened_shop(mongodb_uri, database, PIZZERIA, options) as (shop, settings):
        yield Place(shop, settings)


@pytest.fixture
async def stocked(place):
    await place.shop.sell(*PIZZAS, COKE)
    return place


async def test_the_commands_of_the_readme(stocked):
    """They work one after the other, as they are written."""
    readme = (read_settings().content() / "README.md").read_text()
    commands = re.findall(r"^comanda sync (\S.*?)(?: +#.*)?$", readme, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        tenant, *options = command.split()
        await stocked.run(*options, tenant=tenant)


async def test_from_the_plan_to_a_synced_shop(stocked):
    shop = stocked.shop
    assert await stocked.said("--dry-run") == (
        "cat:drinks: a catalogue would be made\n"
        "cat:pizza: a catalogue would be made\n"
        "cat:drinks: 1 item would be sent, 0 deleted\n"
        "cat:pizza: 3 items would be sent, 0 deleted\n"
        "sync: la-tavola: 4 products, 2 calls; nothing was sent\n"
    )
    assert await shop.catalogs() == []
    done = await stocked.run()
    assert done.stdout == "sync: la-tavola: completed: 4 products, 4 synced, 0 failed\n"
    assert done.stderr == ""
    assert await shop.wrong() == {}
    assert await shop.batch_sizes() == [1, 3]

    # Again: there is nothing to send.
    said = await stocked.said("--dry-run")
    assert said == "sync: la-tavola: 4 products, 0 calls; nothing was sent\n"
    await stocked.run()
    assert await shop.batch_sizes() == [1, 3]

    # Everything, changed or not.
    said = await stocked.said("--full", "--dry-run")
    assert said.endswith("sync: la-tavola: 4 products, 2 calls; nothing was sent\n")
    assert "a catalogue would be made" not in said
    await stocked.run("--full")
    assert await shop.batch_sizes() == [1, 3, 1, 3]


async def test_what_changed_is_sent_and_what_is_gone_is_deleted(stocked):
    shop = stocked.shop
    await stocked.run()
    await shop.change("prod:1", basePrice=99.0)
    await shop.change("prod:2", isActive=False)
    said = await stocked.said("--dry-run")
    assert "cat:pizza: 1 item would be sent, 1 deleted\n" in said
    await stocked.run()
    assert await shop.wrong() == {}
    assert await shop.batch_sizes() == [1, 3, 2]


async def test_what_cannot_be_sent_is_told_and_ends_with_1(stocked):
    shop = stocked.shop
    await shop.sell(BAD)
    fault = {"item": "prod:1", "message": "The image shows a competitor"}
    await shop.meta.post("/sandbox/item_faults", json=fault)
    assert "prod:bad: cannot be sent: it has no image\n" in await stocked.said("--dry-run")
    said = await stocked.said(code=1)
    lines = said.splitlines()
    assert lines[0].startswith("prod:1: ")
    assert "The image shows a competitor" in lines[0]
    assert lines[1:] == [
        "prod:bad: it has no image",
        "sync: la-tavola: completed: 5 products, 3 synced, 2 failed",
    ]


async def test_everything_is_told_as_json_too(stocked):
    await stocked.shop.sell(BAD)
    assert await stocked.json("--dry-run") == {
        "products": 5,
        "calls": 2,
        "send": {"cat:drinks": 1, "cat:pizza": 3},
        "delete": {"cat:drinks": 0, "cat:pizza": 0},
        "make": ["cat:drinks", "cat:pizza"],
        "errors": [{"product_id": "prod:bad", "error": "it has no image"}],
    }
    assert await stocked.json(code=1) == {
        "status": "completed",
        "total_products": 5,
        "synced": 4,
        "failed": 1,
        "errors": [{"product_id": "prod:bad", "error": "it has no image"}],
    }
    await stocked.shop.edit("cat:pizza", "prod:0", price="1.00 USD")
    catalog_id = (await stocked.shop.mapping())["cat:pizza"]
    assert await stocked.json("--drift", code=1) == {
        "drift": [
            {
                "kind": "different",
                "catalog": "cat:pizza",
                "catalog_id": catalog_id,
                "item": "prod:0",
                "product_id": "prod:0",
                "differences": [{"field": "price", "ours": "10.00 USD", "metas": "$1.00 USD"}],
            }
        ],
        "mended": 0,
    }


async def drift(place):
    """Let three items be edited by hand at Meta."""
    await place.run()
    await place.shop.edit("cat:pizza", "prod:0")
    await place.shop.edit("cat:pizza", "prod:1", price="1.00 USD", title="Cheap")
    extra = dict((await place.shop.items())["cat:drinks prod:coke"]) | {"id": "by-hand"}
    await place.shop.edit("cat:drinks", "by-hand", **extra)


async def test_drift_is_told_item_by_item_and_repaired(stocked):
    shop = stocked.shop
    await drift(stocked)
    sent = await shop.batch_sizes()
    told = (
        "cat:drinks: by-hand: extra\n"
        "cat:pizza: prod:1: title: ours is '1', Meta's is 'Cheap'\n"
        "cat:pizza: prod:1: price: ours is '11.00 USD', Meta's is '$1.00 USD'\n"
        "cat:pizza: prod:0: missing\n"
        "sync: la-tavola: drift: 1 missing, 1 different, 1 extra; "
    )
    assert await stocked.said("--drift", code=1) == f"{told}0 mended\n"
    assert await shop.batch_sizes() == sent
    assert len(await shop.wrong()) == 3
    # Meta tells of nothing, and what we gave it has not changed: a sync does not see it.
    assert await stocked.said("--dry-run") == (
        "sync: la-tavola: 4 products, 0 calls; nothing was sent\n"
    )
    assert await stocked.said("--drift", "--repair") == f"{told}3 mended\n"
    assert await shop.wrong() == {}
    said = await stocked.said("--drift")
    assert said == "sync: la-tavola: drift: 0 missing, 0 different, 0 extra; 0 mended\n"


async def test_what_is_extra_can_be_kept(stocked):
    await drift(stocked)
    said = await stocked.said("--drift", "--repair", "--keep-extra", code=1)
    assert said.endswith("1 missing, 1 different, 1 extra; 2 mended\n")
    assert list(await stocked.shop.wrong()) == ["cat:drinks by-hand"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--repair"], USAGE),
        (["--keep-extra"], USAGE),
        (["--drift", "--keep-extra"], USAGE),
        (["--drift", "--full"], "--drift goes with neither --full nor --dry-run"),
        (["--drift", "--dry-run"], "--drift goes with neither --full nor --dry-run"),
        (["--nothing"], "No such option"),
        (["--format", "xml"], "'xml' is not one of"),
    ],
)
def test_a_wrong_call_ends_with_2(arguments, reason):
    result = CliRunner().invoke(main, ["sync", "la-tavola", *arguments])
    assert result.exit_code == 2
    assert reason in result.output


def test_there_is_help_with_examples():
    result = CliRunner().invoke(main, ["sync", "--help"])
    assert result.exit_code == 0
    for example in ("la-tavola --dry-run", "la-tavola --drift --repair"):
        assert f"Example: comanda sync {example}" in result.output


async def test_an_unknown_tenant_is_a_sentence(place):
    said = await place.said(tenant="la-tavla", code=1)
    assert said == "there is no tenant 'la-tavla'; there are dona-lucha, la-tavola\n"


@pytest.mark.parametrize("option", [(), ("--dry-run",), ("--drift",), ("--drift", "--repair")])
async def test_a_shop_without_a_business_at_meta_is_a_sentence(stocked, option):
    nothing = {"$unset": {"fbBusinessId": ""}}
    await stocked.shop.businesses.update_one({"subDomain": PIZZERIA}, nothing)
    said = await stocked.said(*option, code=1)
    reason = "fbBusinessId is not set in the business document: no catalogue can be made"
    assert said.endswith(f"{reason}\n")
    assert said.count("\n") == 1
    assert await stocked.shop.catalogs() == []


async def test_without_an_address_for_the_pages_nothing_is_sent(stocked):
    said = await stocked.said("--dry-run", code=1, PUBLIC_URL="")
    assert said == (
        "'la-tavola' cannot be synced: PUBLIC_URL is not set: every item at Meta needs the "
        "address of its page\n"
    )


@pytest.mark.parametrize("option", [(), ("--full",), ("--drift",), ("--drift", "--repair")])
async def test_an_expired_token_is_one_sentence_with_what_to_do(stocked, option):
    shop = stocked.shop
    await stocked.run()
    await shop.change("prod:1", basePrice=99.0)
    number = shop.settings.phone_number_ids[0]
    await shop.meta.post(f"/sandbox/tokens/{number}", json={"token": "another"})
    before = await shop.calls("items_batch") + await shop.calls("products")
    said = await stocked.said(*option, code=1)
    assert said.endswith(
        "Meta refuses it (Invalid OAuth access token.); save a valid access token for the "
        "business\n"
    )
    assert said.count("\n") == 1
    # Once: an expired token is not tried again and again.
    assert await shop.calls("items_batch") + await shop.calls("products") == before + 1


async def test_one_catalogue_for_everything_and_one_that_whatsapp_does_not_get(
    database, mongodb_uri, impatient
):
    options = SandboxOptions(batch_delay=0.01)
    async with opened_shop(mongodb_uri, database, TAQUERIA, options) as (shop, settings):
        place = Place(shop, settings)
        await shop.sell(
            product_row(TAQUERIA, "prod:causa", category="cat:ceviches"),
            product_row(TAQUERIA, "prod:chicha", category="cat:bebidas"),
        )
        assert await place.said("--dry-run", tenant=TAQUERIA) == (
            "all categories: a catalogue would be made\n"
            "all categories: 2 items would be sent, 0 deleted\n"
            "sync: dona-lucha: 2 products, 1 call; nothing was sent\n"
        )
        # Somebody has connected another one by hand: Meta takes one.
        account = f"/v26.0/{settings_of(TAQUERIA).waba_id}/product_catalogs"
        owned = f"/v26.0/{settings_of(TAQUERIA).business_id}/owned_product_catalogs"
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        made = await shop.meta.post(owned, json={"name": "By hand"}, headers=bearer)
        other = {"catalog_id": made.json()["id"]}
        (await shop.meta.post(account, json=other, headers=bearer)).raise_for_status()
        said = await place.said(tenant=TAQUERIA, code=1)
        done, reason = said.splitlines()
        assert done == "sync: dona-lucha: completed: 2 products, 2 synced, 0 failed"
        assert reason.startswith("sync: dona-lucha: Meta refuses it (")
        assert f"Catalogue {other['catalog_id']} is connected to the account already" in reason
        # Once it is mended.
        gone = await shop.meta.delete(account, params=other, headers=bearer)
        gone.raise_for_status()
        assert len((await place.said(tenant=TAQUERIA)).splitlines()) == 1
        (catalog,) = (one for one in await shop.catalogs() if one["id"] != other["catalog_id"])
        assert catalog["connections"] == [shop.settings.waba_id]
        assert {one["retailer_id"] for one in catalog["sets"]} == {"cat:ceviches", "cat:bebidas"}
        assert len(catalog["items"]) == 2


async def test_a_command_joins_the_process_that_has_the_tenant(stocked):
    shop = stocked.shop
    await stocked.run()
    # As if another process had the tenant, and a walk under way.
    now = datetime.now(UTC)
    theirs = {"owner": "another process", "until": now + timedelta(minutes=1)}
    job = (await shop.run())["last"] | {"id": "theirs", "finishedAt": None, "walked": False}
    mine = {"_id": PIZZERIA}
    await shop.runs.update_one(mine, {"$set": {**theirs, "job": job}})
    sent = await shop.batch_sizes()
    process = await stocked.process()
    told = await process.stderr.readline()
    assert told == b"sync: la-tavola: joins the sync that is under way\n"
    last = job | {"walked": True, "finishedAt": now}
    free = {"owner": None, "until": now, "job": None, "last": last}
    await shop.runs.update_one(mine, {"$set": free})
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out == b"sync: la-tavola: completed: 4 products, 4 synced, 0 failed\n"
    assert await shop.batch_sizes() == sent
    run = await shop.run()
    assert (run["last"]["id"], run["requested"]) == ("theirs", None)


async def test_a_program_can_read_what_a_process_prints(stocked):
    """Only the answer is on standard output; a log is not."""
    process = await stocked.process("--format", "json")
    out, err = await process.communicate()
    assert process.returncode == 0, err
    assert json.loads(out)["synced"] == 4
    assert err == b""
