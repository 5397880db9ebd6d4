"""Every scripted conversation in `tenants/*/dialogs/`, played and compared with its transcript.

A changed transcript is a changed sentence to a customer: read it, then run
`pytest tests/content/test_dialogs.py --snapshot-update`.
"""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from engine.domain.ids import TenantId
from engine.spec.bundle import Library
from engine.spec.dialog import Dialog
from engine.spec.problems import Problems
from engine.verbs import all_verbs
from tests.content.conftest import ROOT, Theatre

FILES = sorted(ROOT.glob("tenants/*/dialogs/*.yaml"))
FIRST_LINE = "# yaml-language-server: $schema=../../../schemas/dialog.schema.json\n"


def tenant_of(path: Path) -> TenantId:
    return TenantId(path.parents[1].name)


def id_of(path: Path) -> str:
    return f"{tenant_of(path)}/{path.stem}"


class Transcript(SingleFileSnapshotExtension):
    """A text file for each dialog, such as `test_dialog[la-tavola.address].txt`."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return test_location.snapshot_name.replace("/", ".")

    @classmethod
    def matches_test_location(
        cls, *, test_location: PyTestLocation, snapshot_location: str
    ) -> bool:
        return snapshot_location == cls.get_location(test_location=test_location, index=0)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(ROOT, all_verbs())


def read(library: Library, path: Path) -> Dialog:
    problems = Problems()
    source = library.read("dialog", path, problems)
    problems.raise_if_any()
    assert source is not None
    return Dialog.model_validate(source.data)


@pytest.mark.parametrize("path", FILES, ids=id_of)
async def test_dialog(
    path: Path, library: Library, theatre: Theatre, snapshot: SnapshotAssertion
) -> None:
    transcript = await theatre.play(tenant_of(path), path.stem, read(library, path))

    assert transcript == snapshot(extension_class=Transcript)


def test_every_dialog_is_valid_and_can_fail(library: Library) -> None:
    assert len(FILES) >= 12
    assert {tenant_of(path) for path in FILES} == {"dona-lucha", "la-tavola"}
    for path in FILES:
        dialog = read(library, path)
        assert path.read_text(encoding="utf-8").startswith(FIRST_LINE), path
        assert any(step.expect for step in dialog.steps), f"{path} expects nothing"
