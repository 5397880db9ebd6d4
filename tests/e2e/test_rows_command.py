"""`comanda inbox` and `comanda outbox` as an operator calls them, against a database."""

import asyncio
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from engine.domain.ids import CustomerKey, TenantId
from engine.settings import read_settings
from engine.slots import slot_of
from engine.storage.connection import Database
from engine.storage.records import InboxDocument, OutboxDocument

# Databases are away in one of them.
pytestmark = [
    pytest.mark.usefixtures("forgotten_sockets"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SHOP, OTHER = TenantId("la-tavola"), TenantId("dona-lucha")
ANA, BEN = CustomerKey("15551234567"), CustomerKey("15557654321")
SAID = "extra cheese, please"
BOOM = "TurnError: a template failed\n" + "because of much " * 20
DEAD, OLDER, WAITING, THROUGH, THEIRS = (
    "101:wamid.HBg+dead/=",
    "101:wamid.HBgOlder=",
    "101:wamid.HBgNew=",
    "101:wamid.HBgDone=",
    "102:wamid.HBgTheirs=",
)
TAKEN_OUT = "101:wamid.HBgOut="  # fmt: skip
HELD, QUEUED, UNKNOWN, FAILED, SENT = (f"101:wamid.X=:{n}" for n in range(5))


@dataclass
class Place:
    """A database, and a terminal to look into it from."""

    environment: dict[str, str]
    database: Database

    async def run(self, *arguments, code=0):
        """Call the command in a thread of its own."""
        runner = CliRunner(env=self.environment)
        result = await asyncio.to_thread(runner.invoke, main, list(arguments))
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    async def lines(self, *arguments, **options):
        return (await self.run(*arguments, **options)).output.splitlines()

    async def json(self, *arguments, **options):
        return json.loads((await self.run(*arguments, "--format", "json", **options)).stdout)

    async def states(self, document=InboxDocument):
        """Give the states on disk, by id."""
        rows = await self.database.collection(document).find({}).to_list()
        return {row["_id"]: row["state"] for row in rows}


@pytest.fixture
async def place(database, mongodb_uri):
    return Place(
        {
            "MONGODB_URI": mongodb_uri,
            "MONGODB_DB_NAME": database.name,
            "META_APP_SECRET": "app secret",
            "META_WEBHOOK_VERIFY_TOKEN": "verify",
            "ENCRYPTION_SECRET": "encryption secret",
        },
        database,
    )


def ago(**time):
    return datetime.now(UTC) - timedelta(**time)


def arrived(id, state, *, customer=ANA, tenant=SHOP, at, **more):
    """Make a row of the inbox."""
    message = {"id": id.partition(":")[2], "type": "text", "text": {"body": SAID}}
    return {
        "_id": id, "tenant": tenant, "customer": customer, "slot": slot_of(tenant, customer),
        "timestamp": int(at.timestamp()), "receivedAt": at, "due": at, "attempts": 0,
        "state": state,
        "raw": {"phone_number_id": "101", "timestamp": 1, "message": message, "contact": {}},
    } | more  # fmt: skip


def written(id, state, *, customer=ANA, tenant=SHOP, at, **more):
    """Make a row of the outbox."""
    payload = {"messaging_product": "whatsapp", "to": customer, "type": "text"}
    return {
        "_id": id, "tenant": tenant, "customer": customer, "slot": slot_of(tenant, customer),
        "phoneNumberId": "101", "sequence": 1, "createdAt": at, "due": at, "attempts": 0,
        "state": state, "payload": payload | {"text": {"body": "Ciao!"}},
    } | more  # fmt: skip


@pytest.fixture
async def inbox(place):
    """An inbox with something in every state, and another tenant's."""
    return await with_inbox(place)


async def with_inbox(place):
    await place.database.collection(InboxDocument).insert_many(
        [
            arrived(OLDER, "dead", at=ago(hours=30), attempts=5, error="boom"),
            arrived(DEAD, "dead", customer=BEN, at=ago(hours=2), attempts=5, error=BOOM),
            arrived(WAITING, "new", at=ago(minutes=3)),
            arrived(THROUGH, "done", at=ago(minutes=2), doneAt=ago(minutes=2)),
            arrived(TAKEN_OUT, "discarded", at=ago(minutes=1)),
            arrived(THEIRS, "dead", tenant=OTHER, at=ago(minutes=1)),
        ]
    )
    return place


@pytest.fixture
async def outbox(place):
    """An outbox with what somebody must decide about."""
    return await with_outbox(place)


async def with_outbox(place):
    await place.database.collection(OutboxDocument).insert_many(
        [
            written(HELD, "held", at=ago(days=3), error="the 24 hours are over"),
            written(QUEUED, "queued", at=ago(seconds=20), due=ago(days=-2)),
            written(UNKNOWN, "queued", at=ago(minutes=9), isUnknown=True, attempts=1),
            written(FAILED, "failed", at=ago(days=4), status="failed", providerId="wamid.f"),
            written(SENT, "sent", at=ago(days=5), status="read", providerId="wamid.s"),
        ]
    )
    return place


def readme_commands():
    readme = (read_settings().content() / "README.md").read_text()
    return re.findall(r"^comanda ((?:inbox|outbox) \S.*?)(?: +#.*)?$", readme, re.MULTILINE)


@pytest.mark.parametrize("is_filled", [True, False])
async def test_the_commands_of_the_readme(place, is_filled):
    """They work one after the other, with rows and without."""
    if is_filled:
        await with_outbox(await with_inbox(place))
    commands = readme_commands()
    assert len(commands) >= 4
    for command in commands:
        await place.run(*shlex.split(command))


async def test_what_waits_or_needs_somebody_is_listed_the_newest_first(inbox):
    head, *rows, told = await inbox.lines("inbox", "list", SHOP)
    assert head.split() == ["id", "state", "customer", "kind", "age", "attempts", "due", "error"]
    assert [row.split()[:7] for row in rows] == [
        [WAITING, "new", ANA, "text", "3m", "0", "now"],
        [DEAD, "dead", BEN, "text", "2h", "5", "-"],
        [OLDER, "dead", ANA, "text", "1d", "5", "-"],
    ]
    assert head.index("error") == rows[1].index("TurnError") == rows[2].index("boom")
    assert rows[1].endswith("much be…")
    assert told == f"inbox: {SHOP}: 1 new, 2 dead, 1 discarded"
    assert SAID not in "".join(rows)


async def test_rows_are_chosen_by_state_customer_and_limit(inbox):
    async def ids(*options):
        return [row["id"] for row in (await inbox.json("inbox", "list", SHOP, *options))["rows"]]

    assert await ids() == [WAITING, DEAD, OLDER]
    assert await ids("--state", "dead") == [DEAD, OLDER]
    assert await ids("--state", "done", "--state", "new") == [THROUGH, WAITING]
    assert await ids("--customer", ANA) == [WAITING, OLDER]
    assert await ids("--customer", BEN, "--state", "new") == []
    assert await ids("--limit", "1") == [WAITING]
    said = await inbox.lines("inbox", "list", SHOP, "--limit", "2")
    assert said[-1] == "inbox: there are more than these 2; see --limit"
    assert "there are more" not in (await inbox.run("inbox", "list", SHOP, "--limit", "3")).output


async def test_the_list_is_json_too(inbox):
    told = await inbox.json("inbox", "list", SHOP, "--state", "dead", "--limit", "1")
    assert told["tenant"] == SHOP
    assert {state: count for state, count in told["counts"].items() if count} == {
        "dead": 2, "new": 1, "discarded": 1,
    }  # fmt: skip
    (row,) = told["rows"]
    assert datetime.fromisoformat(row.pop("at")).utcoffset() == timedelta(0)
    assert row == {
        "id": DEAD, "state": "dead", "status": None, "customer": BEN, "kind": "text", "due": None,
        "attempts": 5, "error": BOOM,
    }  # fmt: skip


async def test_nothing_waits(place):
    for box in ("inbox", "outbox"):
        assert await place.lines(box, "list", SHOP) == [
            f"{box}: {SHOP}: nothing waits; it is empty"
        ]
        said = await place.lines(box, "list", SHOP, "--state", "dead")
        assert said == [f"{box}: {SHOP}: there are no such rows; it is empty"]
        told = await place.json(box, "list", SHOP)
        assert (told["rows"], set(told["counts"].values()) - {0}) == ([], set())
        said = await place.lines(box, "retry", SHOP, "--all", "--state", "dead")
        assert said == [f"{box}: {SHOP}: 0 rows were retried"]


async def test_the_outbox_tells_what_is_unknown_and_what_became_of_it(outbox):
    _, *rows, told = await outbox.lines("outbox", "list", SHOP)
    assert [row.split()[:2] for row in rows] == [
        [QUEUED, "queued"], [UNKNOWN, "unknown"], [HELD, "held"], [FAILED, "failed"],
    ]  # fmt: skip
    assert "  in 1d" in rows[0]
    assert rows[2].endswith("the 24 hours are over")
    for count in ("1 failed", "1 held", "1 queued", "1 unknown"):
        assert count in told
    (_, row, _) = await outbox.lines("outbox", "list", SHOP, "--state", "sent")
    assert " sent (read) " in row
    (_, row, _) = await outbox.lines("outbox", "list", SHOP, "--state", "unknown")
    assert row.startswith(UNKNOWN)


async def test_a_row_is_shown_with_all_that_is_stored_of_it(inbox):
    said = await inbox.lines("inbox", "show", SHOP, DEAD)
    assert said[:4] == [f"id: {DEAD}", "state: dead", "status: -", f"customer: {BEN}"]
    document = "\n".join(said[said.index("document:") + 1 :])
    assert json.loads(document)["raw"]["message"]["text"]["body"] == SAID
    told = await inbox.json("inbox", "show", SHOP, DEAD)
    assert told["error"] == BOOM
    assert told["document"]["raw"]["message"]["text"]["body"] == SAID


async def test_a_stranger_cannot_write_to_the_terminal(inbox):
    evil = "\x1b[2J\x9b1m\u202ehidden\r"
    row = arrived("101:evil\x1b[1A", "dead", at=ago(minutes=1), error=evil)
    row["raw"]["message"]["text"]["body"] = evil
    await inbox.database.collection(InboxDocument).insert_one(row)
    for arguments in (
        ("list", SHOP), ("show", SHOP, row["_id"]), ("show", SHOP, "\x9bnone"),
        ("retry", SHOP, row["_id"], "\x9bnone"),
    ):  # fmt: skip
        runner = CliRunner(env=inbox.environment)
        done = await asyncio.to_thread(runner.invoke, main, ["inbox", *arguments])
        assert not re.search("[\x1b\x9b\u202e\r]", done.output), arguments
        assert r"\x" in done.output


async def test_dead_rows_are_tried_again(inbox):
    assert await inbox.lines("inbox", "retry", SHOP, DEAD) == [
        f"{DEAD}: retried", f"inbox: {SHOP}: 1 row was retried",
    ]  # fmt: skip
    assert (await inbox.states())[DEAD] == "new"
    told = await inbox.json("inbox", "show", SHOP, DEAD)
    assert (told["state"], told["attempts"]) == ("new", 0)
    assert datetime.fromisoformat(told["due"]) > ago(minutes=1)


async def test_all_of_a_state_are_changed_the_oldest_first(inbox):
    said = await inbox.lines("inbox", "retry", SHOP, "--all", "--state", "dead")
    assert said == [
        f"{OLDER}: retried", f"{DEAD}: retried", f"inbox: {SHOP}: 2 rows were retried",
    ]  # fmt: skip
    states = await inbox.states()
    assert (states[OLDER], states[DEAD], states[THEIRS]) == ("new", "new", "dead")
    told = await inbox.json("inbox", "discard", SHOP, "--all", "--state", "new", "--customer", ANA)
    assert told == {
        "tenant": SHOP,
        "rows": [
            {"id": OLDER, "outcome": "discarded", "state": None},
            {"id": WAITING, "outcome": "discarded", "state": None},
        ],
    }
    states = await inbox.states()
    assert [states[each] for each in (OLDER, WAITING, DEAD)] == ["discarded", "discarded", "new"]


async def test_a_state_that_does_not_allow_it_ends_with_1_and_the_rest_is_done(inbox):
    said = await inbox.lines("inbox", "retry", SHOP, THROUGH, DEAD, "101:none", DEAD, code=1)
    assert said == [
        f"{THROUGH}: it cannot be retried: it is done",
        f"{DEAD}: retried",
        "101:none: there is no such row",
        f"inbox: {SHOP}: 1 row was retried, 2 not",
    ]
    told = await inbox.json("inbox", "discard", SHOP, THROUGH, "101:none", code=1)
    assert told["rows"] == [
        {"id": THROUGH, "outcome": "refused", "state": "done"},
        {"id": "101:none", "outcome": "unknown", "state": None},
    ]
    assert (await inbox.states())[THROUGH] == "done"


async def test_what_was_held_is_sent_or_discarded(outbox):
    await outbox.run("outbox", "retry", SHOP, HELD)
    await outbox.run("outbox", "discard", SHOP, FAILED, QUEUED)
    states = await outbox.states(OutboxDocument)
    assert states == {
        HELD: "queued", QUEUED: "discarded", UNKNOWN: "queued", FAILED: "discarded", SENT: "sent",
    }  # fmt: skip
    said = await outbox.lines("outbox", "retry", SHOP, SENT, code=1)
    assert said[0] == f"{SENT}: it cannot be retried: it is sent"


async def test_another_tenants_rows_are_neither_seen_nor_changed(inbox):
    for arguments in (("show", SHOP, THEIRS), ("retry", SHOP, THEIRS), ("discard", SHOP, THEIRS)):
        assert "no such row" in (await inbox.run("inbox", *arguments, code=1)).output
    assert THEIRS not in (await inbox.run("inbox", "list", SHOP, "--state", "dead")).output
    assert (await inbox.states())[THEIRS] == "dead"
    assert THEIRS in (await inbox.run("inbox", "list", OTHER)).output


async def test_an_id_that_is_not_there_is_a_sentence(inbox):
    said = await inbox.run("inbox", "show", SHOP, DEAD.lower(), code=1)
    assert said.output == f"'{SHOP}' has no such row in its inbox: {DEAD.lower()}\n"
    # One that looks like an option.
    said = await inbox.run("inbox", "show", SHOP, "--", "--limit", code=1)
    assert said.output.endswith("in its inbox: --limit\n")


async def test_an_unknown_tenant_is_a_sentence(place):
    for arguments in (("inbox", "list"), ("outbox", "retry"), ("inbox", "show")):
        ids = () if arguments[1] == "list" else ("101:x",)
        said = await place.run(*arguments, "la-tavla", *ids, code=1)
        assert said.output == "there is no tenant 'la-tavla'; there are dona-lucha, la-tavola\n"


async def test_a_database_that_is_away_is_a_sentence(place):
    place.environment["MONGODB_URI"] = "mongodb://127.0.0.1:9/?replicaSet=none"
    assert "does not answer" in (await place.run("inbox", "list", SHOP, code=1)).output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["list", "--state", "ded"], "'ded': there is no such state; there are new,"),
        (["list", "--state", "ded"], "discarded; did you mean 'dead'?"),
        (["list", "--state", "held"], "there are new, done, dead, discarded"),
        (["retry", "--all", "--state", "x"], "there is no such state"),
        (["list", "--limit", "0"], "0 is not in the range"),
        (["list", "--limit", "1001"], "1001 is not in the range"),
        (["list", "--limit", "many"], "'many' is not a valid integer"),
        (["list", "--customer", ""], "it is empty"),
        (["list", "--format", "xml"], "'xml' is not one of"),
        (["show"], "Missing argument 'ID'"),
        (["show", ""], "it is empty"),
        (["show", "\udcff"], "is no UTF-8"),
        (["retry"], "name rows by their ids, or --all with --state"),
        (["discard", "--all", "101:x"], "name rows by their ids, or --all with --state"),
        (["discard", "--all"], "--all goes with --state"),
        (["retry", "101:x", "--state", "dead"], "--state and --customer with --all"),
        (["retry", "101:x", "--customer", "1"], "--state and --customer with --all"),
        (["nothing"], "No such command"),
    ],
)
def test_a_wrong_call_ends_with_2(arguments, reason):
    name, *rest = arguments
    done = CliRunner().invoke(main, ["inbox", name, SHOP, *rest])
    assert done.exit_code == 2, done.output
    assert reason in " ".join(done.output.split())


@pytest.mark.parametrize("box", ["inbox", "outbox"])
def test_every_command_has_help_with_an_example(box):
    for command in ((), ("list",), ("show",), ("retry",), ("discard",)):
        done = CliRunner().invoke(main, [box, *command, "--help"])
        assert done.exit_code == 0
        assert f"Example: comanda {box} " in done.output
        assert done.output.count("\n") > 5


async def test_only_the_answer_is_on_standard_output(inbox):
    plain = {k: v for k, v in os.environ.items() if k != "COMANDA_CONTENT"}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "engine", "inbox", "retry", SHOP, DEAD, "--format", "json"],
        env=plain | inbox.environment, capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["rows"][0]["outcome"] == "retried"
