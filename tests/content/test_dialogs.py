"""Every scripted conversation in `tenants/*/dialogs/`, played once: compared with its snapshot, as
`comanda test` does, and replayed from its log, byte for byte what the customer got.

A changed transcript is a changed sentence to a customer: read it, then run
`comanda test --update`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from engine.authoring.replay.dialog import dialog_of
from engine.authoring.replay.text import as_json, explained
from engine.authoring.replay.turns import Replay, message_of
from engine.dialogs.scripts import Script, files_of, read_script
from engine.dialogs.snapshots import Snapshots
from engine.dialogs.theatre import Played, Theatre
from engine.dialogs.verdict import judge
from engine.domain.ids import TenantId
from engine.ports import LoggedTurn
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.storage.records import TurnDocument
from engine.storage.turn_logs import MongoTurnLogs
from engine.verbs import all_verbs
from engine.whatsapp.content import Raised
from tests.content.conftest import ROOT

FILES = sorted(ROOT.glob("tenants/*/dialogs/*.yaml"))
FIRST_LINE = "# yaml-language-server: $schema=../../../schemas/dialog.schema.json\n"


def tenant_of(path: Path) -> TenantId:
    return TenantId(path.parents[1].name)


def id_of(path: Path) -> str:
    return f"{tenant_of(path)}/{path.stem}"


LIBRARY = Library(ROOT, all_verbs())
served = cache(LIBRARY.load)


def read(path: Path) -> Script:
    script = read_script(LIBRARY, tenant_of(path), path)
    assert isinstance(script, Script), script.problems
    return script


@dataclass(frozen=True)
class Evening:
    """A dialog that was played, and the log of its customer's turns."""

    tenant: TenantId
    played: Played
    turns: Sequence[LoggedTurn]


# In this scope the tests of one dialog follow one another, and share how it was played.
@pytest.fixture(scope="module", params=FILES, ids=id_of)
async def evening(request: pytest.FixtureRequest, theatre: Theatre) -> Evening:
    path: Path = request.param
    database, tenant = theatre.playground.engine.database, tenant_of(path)
    rows, own = database.collection(TurnDocument), {"tenant": tenant}
    known = set(await rows.distinct("customer", own))
    played = await theatre.play(read(path))
    logs = MongoTurnLogs(database, tenant)
    new = [list(await logs.of(who)) for who in set(await rows.distinct("customer", own)) - known]
    # Whom he is handed to comes after him; to whom only the staff wrote, he was no customer yet.
    wrote = (turns for turns in new if not all(map(is_ours, turns)))
    return Evening(tenant, played, min(wrote, key=lambda turns: turns[0].at))


def is_ours(turn: LoggedTurn) -> bool:
    message = message_of(turn)
    return message is not None and isinstance(message.content, Raised)


def test_dialog(evening: Evening) -> None:
    verdict = judge(evening.played, Snapshots(ROOT, evening.tenant))

    if verdict.outcome != "passed":
        pytest.fail("\n".join(verdict.lines()), pytrace=False)


async def check_replayed(turns: Sequence[LoggedTurn], bundle: Bundle) -> None:
    """Replay turns one by one and in a chain: both come out to the byte."""
    replay = Replay(bundle)
    alone = [await replay.as_it_was(turn) for turn in turns]
    for played in (*alone, *await replay.through(turns)):
        assert played.reason is None, f"turn {played.turn.version}: {played.reason}"
        assert played.differences == (), f"turn {played.turn.version}"


async def test_a_dialog_is_replayed_to_the_byte(evening: Evening) -> None:
    turns, bundle = evening.turns, served(evening.tenant)
    assert evening.played.failure is None
    assert turns
    await check_replayed(turns, bundle)
    # It is told and saved, too, and who he was is not in what is saved.
    zone = bundle.tenant.zone
    for turn in turns:
        assert len(list(explained(turn, bundle, zone))) > 3
        assert as_json(turn)["is_recorded"]
    records = [played.record for played in await Replay(bundle).through(turns) if played.record]
    text = dialog_of(turns, records, zone).text()
    assert turns[0].customer not in text
    assert turns[0].customer.partition(".")[2] not in text


async def test_what_the_staff_comes_to_is_reached_as_well(theatre: Theatre) -> None:
    played = await theatre.play(read(ROOT / "tenants/la-tavola/dialogs/human_given_back.yaml"))

    steps = [step for turn in played.turns for step in turn]
    assert {step["state"] for step in steps if "state" in step} >= {"back_again", "staff"}
    assert {step["say"] for step in steps if "say" in step} >= {"staff_guide", "given_back"}


def test_every_dialog_is_valid_and_can_fail() -> None:
    assert len(FILES) >= 12
    assert {tenant_of(path) for path in FILES} == {"dona-lucha", "la-tavola"}
    for path in FILES:
        script = read(path)
        assert path.read_text(encoding="utf-8").startswith(FIRST_LINE), path
        assert any(step.expect for step in script.dialog.steps), f"{path} expects nothing"


@pytest.mark.parametrize("tenant", ["dona-lucha", "la-tavola"])
def test_no_snapshot_is_without_a_dialog(tenant: TenantId) -> None:
    assert set(Snapshots(ROOT, tenant).names()) == set(files_of(ROOT, tenant))
