"""Every scripted conversation in `tenants/*/dialogs/`, played and compared with its snapshot.

It is what `comanda test` does. A changed transcript is a changed sentence to a customer: read it,
then run `comanda test --update`.
"""

from pathlib import Path

import pytest

from engine.dialogs.scripts import Script, files_of, read_script
from engine.dialogs.snapshots import Snapshots
from engine.dialogs.theatre import Theatre
from engine.dialogs.verdict import judge
from engine.domain.ids import TenantId
from engine.spec.bundle import Library
from engine.verbs import all_verbs
from tests.content.conftest import ROOT

FILES = sorted(ROOT.glob("tenants/*/dialogs/*.yaml"))
FIRST_LINE = "# yaml-language-server: $schema=../../../schemas/dialog.schema.json\n"


def tenant_of(path: Path) -> TenantId:
    return TenantId(path.parents[1].name)


def id_of(path: Path) -> str:
    return f"{tenant_of(path)}/{path.stem}"


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(ROOT, all_verbs())


def read(library: Library, path: Path) -> Script:
    script = read_script(library, tenant_of(path), path)
    assert isinstance(script, Script), script.problems
    return script


@pytest.mark.parametrize("path", FILES, ids=id_of)
async def test_dialog(path: Path, library: Library, theatre: Theatre) -> None:
    played = await theatre.play(read(library, path))

    verdict = judge(played, Snapshots(ROOT, tenant_of(path)))

    if verdict.outcome != "passed":
        pytest.fail("\n".join(verdict.lines()), pytrace=False)


def test_every_dialog_is_valid_and_can_fail(library: Library) -> None:
    assert len(FILES) >= 12
    assert {tenant_of(path) for path in FILES} == {"dona-lucha", "la-tavola"}
    for path in FILES:
        script = read(library, path)
        assert path.read_text(encoding="utf-8").startswith(FIRST_LINE), path
        assert any(step.expect for step in script.dialog.steps), f"{path} expects nothing"


@pytest.mark.parametrize("tenant", ["dona-lucha", "la-tavola"])
def test_no_snapshot_is_without_a_dialog(tenant: TenantId) -> None:
    assert set(Snapshots(ROOT, tenant).names()) == set(files_of(ROOT, tenant))
