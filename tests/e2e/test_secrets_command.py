"""`comanda secrets` on a database that tenants are served from, and on the embedded one."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.cli.secrets import secrets
from engine.clock import SystemClock
from engine.domain.ids import TenantId
from engine.ports import Business
from engine.storage.businesses import MongoBusinesses
from engine.storage.documents import BusinessDocument
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.secrets import Vault
from engine.whatsapp.flow_crypto import FlowKey

# Databases are away, or go away, in some of them.
pytestmark = [
    pytest.mark.usefixtures("forgotten_sockets"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TENANT, TOKEN = TenantId("la-tavola"), "EAAG-token-of-la-tavola"
OLD, NEW = "the old secret", "the-new-secret"


@dataclass
class Place:
    """A database whose texts are sealed with the old secret."""

    environment: dict[str, str]

    async def run(self, *arguments, code=0, now=NEW, previous=OLD):
        """Call the command in a thread of its own."""
        secret = {"ENCRYPTION_SECRET": now, "ENCRYPTION_SECRET_PREVIOUS": previous}
        runner = CliRunner(env=self.environment | secret)
        result = await asyncio.to_thread(runner.invoke, main, ["secrets", "rotate", *arguments])
        assert result.exit_code == code, result.output
        for hidden in (TOKEN, OLD, NEW, "gAAAA", "PRIVATE", "Traceback"):
            assert hidden not in result.output
        return result.output

    async def json(self, *arguments, **options):
        told = json.loads(await self.run(*arguments, "--format", "json", **options))
        return told, {each["collection"]: each for each in told["collections"]}


@pytest.fixture(scope="module")
def key():
    return FlowKey.generate()


@pytest.fixture
async def place(database, mongodb_uri, key):
    await _serving(database, OLD)[0].save(Business(TENANT, "La Tavola", ("101",), TOKEN))
    await _serving(database, OLD)[1].save(TENANT, key)
    return Place(
        {
            "MONGODB_URI": mongodb_uri,
            "MONGODB_DB_NAME": database.name,
            "META_APP_SECRET": "app secret",
            "META_WEBHOOK_VERIFY_TOKEN": "verify",
        }
    )


def _serving(database, *known):
    vault, clock = Vault(*known), SystemClock()
    return (
        MongoBusinesses(database, vault=vault, clock=clock),
        MongoFlowKeys(database, vault=vault, clock=clock),
    )


async def test_the_secret_is_replaced_in_the_order_of_the_help(place, database, key):
    # Step 1: the old secret seals, so there is nothing to do.
    said = await place.run(now=OLD, previous=NEW)
    assert said.splitlines()[0].startswith("businesses: 0 re-sealed, 1 current, ")
    # Step 2, and what step 3 would do.
    dry = await place.run("--dry-run")
    assert dry.splitlines()[0] == (
        "businesses: 1 re-sealed, 0 current, 0 sealed that were plain, 0 plain, "
        "0 that cannot be opened"
    )
    assert dry.endswith("rotate: this is what would be done; nothing was changed\n")
    assert await place.run("--dry-run") == dry
    # Step 3.
    said = await place.run()
    assert said.splitlines()[:2] == dry.splitlines()[:2]
    assert said.endswith("rotate: everything is sealed with ENCRYPTION_SECRET\n")
    # Step 4.
    told, of = await place.json(previous="")
    assert (told["dry_run"], told["failed"]) == (False, False)
    counts = {"current": 1, "resealed": 0, "sealed": [], "plain": [], "unopened": {}}
    assert of["businesses"] == {"collection": "businesses", **counts}
    assert of["flowKeys"] == {"collection": "flowKeys", **counts}
    businesses, keys = _serving(database, NEW)
    assert (await businesses.by_tenant(TENANT)).access_token == TOKEN
    assert (await keys.get(TENANT)).fingerprint == key.fingerprint


async def test_without_the_old_secret_it_ends_with_1_and_the_tenants(place):
    for previous in ("", NEW, "another"):
        said = await place.run(code=1, previous=previous)
        assert said.splitlines()[1] == (
            f"  {TENANT}: an access token or key in the database cannot be opened: "
            "it was sealed with another ENCRYPTION_SECRET"
        )
        assert said.splitlines()[-1].startswith("rotate: not everything could be opened: ")
    assert "nothing was changed" in await place.run("--dry-run", code=1, previous="")
    told, of = await place.json(code=1, previous="")
    assert told["failed"] is True
    assert list(of["businesses"]["unopened"]) == list(of["flowKeys"]["unopened"]) == [TENANT]


async def test_of_several_previous_secrets_each_opens_what_it_sealed(place, database):
    older = "a-secret-before"
    await _serving(database, older)[0].save(Business(TenantId("cafe"), "Cafe", ("102",), TOKEN))
    # What the first of them cannot open is left for the second.
    await place.run(now="between", previous=OLD, code=1)
    _, of = await place.json(previous=f"between, {older}")
    assert of["businesses"]["resealed"] == 2
    assert of["flowKeys"]["resealed"] == 1


async def test_tokens_that_the_back_end_stored_are_sealed_when_asked(place, database):
    rows = database.collection(BusinessDocument)
    await rows.insert_one({"subDomain": "theirs", "name": "Theirs", "accessToken": TOKEN})
    said = await place.run()
    assert "  theirs: it is not sealed; --seal-plain seals it\n" in said
    assert said.endswith("rotate: everything that was sealed is sealed with ENCRYPTION_SECRET\n")
    _, of = await place.json("--seal-plain", "--dry-run")
    assert (of["businesses"]["sealed"], of["businesses"]["plain"]) == (["theirs"], [])
    said = await place.run("--seal-plain")
    assert "  theirs: it was not sealed, and is now\n" in said
    found = await _serving(database, NEW)[0].by_tenant(TenantId("theirs"))
    assert found.access_token == TOKEN


async def test_a_database_that_is_away_is_a_sentence(place):
    place.environment["MONGODB_URI"] = "mongodb://127.0.0.1:9/?replicaSet=none"
    assert "does not answer" in await place.run(code=1)


async def test_an_empty_secret_is_a_sentence(place):
    said = await place.run(code=1, now="")
    assert said == "ENCRYPTION_SECRET is not set: access tokens are stored under it\n"


async def test_the_embedded_database_is_rotated_too(tmp_path):
    place = Place({"MONGODB_URI": ""})
    data = ["--data", str(tmp_path / "data")]
    seeding = CliRunner(env={"MONGODB_URI": "", "ENCRYPTION_SECRET": OLD})
    seeded = await asyncio.to_thread(
        seeding.invoke, main, ["seed", TENANT, "--token", TOKEN, *data]
    )
    assert seeded.exit_code == 0, seeded.output
    _, of = await place.json(*data)
    assert (of["businesses"]["resealed"], of["businesses"]["current"]) == (1, 0)


def test_every_command_has_help_with_an_example_and_the_order_of_the_steps():
    assert set(secrets.commands) == {"rotate"}
    for arguments in ([], ["rotate"]):
        done = CliRunner().invoke(main, ["secrets", *arguments, "--help"])
        assert done.exit_code == 0
        assert "Example: comanda secrets rotate --dry-run\n" in done.output
    places = [
        done.output.index(step)
        for step in (
            "ENCRYPTION_SECRET=<old>  ENCRYPTION_SECRET_PREVIOUS=<new>",
            "ENCRYPTION_SECRET=<new>  ENCRYPTION_SECRET_PREVIOUS=<old>",
            "run this command",
            "without ENCRYPTION_SECRET_PREVIOUS",
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize("arguments", [["nothing"], ["rotate", "x"], ["rotate", "--format", "x"]])
def test_a_wrong_call_ends_with_2(arguments):
    assert CliRunner().invoke(main, ["secrets", *arguments]).exit_code == 2
