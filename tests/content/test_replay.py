"""Every scripted conversation, replayed from its log: byte for byte what the customer got."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from engine.authoring.replay import Replay
from engine.authoring.replay_dialog import dialog_of
from engine.authoring.replay_text import as_json, explained
from engine.dialogs.theatre import Theatre
from engine.ports import LoggedTurn
from engine.spec.bundle import Bundle, Library
from engine.storage.records import TurnDocument
from engine.storage.turn_logs import MongoTurnLogs
from engine.verbs import all_verbs
from tests.content.conftest import ROOT
from tests.content.test_dialogs import FILES, id_of, read, tenant_of

LIBRARY = Library(ROOT, all_verbs())
served = cache(LIBRARY.load)


async def turns_of(theatre: Theatre, path: Path) -> list[LoggedTurn]:
    """Play a dialog with a customer of his own, and give the log of his turns."""
    database, tenant = theatre.playground.engine.database, tenant_of(path)
    rows, own = database.collection(TurnDocument), {"tenant": tenant}
    known = set(await rows.distinct("customer", own))
    script = read(LIBRARY, path)
    played = await theatre.play(replace(script, name=f"replay/{script.name}"))
    assert played.failure is None
    (customer,) = set(await rows.distinct("customer", own)) - known
    return list(await MongoTurnLogs(database, tenant).of(customer))


async def check_replayed(turns: Sequence[LoggedTurn], bundle: Bundle) -> None:
    """Replay turns one by one and in a chain: both come out to the byte."""
    replay = Replay(bundle)
    alone = [await replay.as_it_was(turn) for turn in turns]
    for played in (*alone, *await replay.through(turns)):
        assert played.reason is None, f"turn {played.turn.version}: {played.reason}"
        assert played.differences == (), f"turn {played.turn.version}"


@pytest.mark.parametrize("path", FILES, ids=id_of)
async def test_a_dialog_is_replayed_to_the_byte(path: Path, theatre: Theatre) -> None:
    turns, bundle = await turns_of(theatre, path), served(tenant_of(path))
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
