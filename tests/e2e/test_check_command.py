"""`comanda check` as an editor, a workflow on GitHub and a code scanner call it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli import check_anew, check_memory
from engine.cli.check import check
from engine.cli.check_anew import Checks
from engine.cli.check_memory import FOLDER, KEPT, CheckMemory, Found
from engine.cli.check_processes import Tenants, Told, check_in_processes
from engine.cli.watching import changes
from engine.domain.ids import TenantId
from engine.rehearsal.unseen import Seen
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems, Span
from tests.unit.rehearsal.edited import CHART, EN, edited, line_of

BROKEN = (EN, "{{ removed }}* is out", "{{ removed.name.first }}* is out")


@pytest.fixture
def content(tmp_path: Path) -> Path:
    edited(tmp_path, BROKEN)
    return tmp_path


def run(content: Path, *arguments: str) -> Result:
    return CliRunner().invoke(check, arguments, env={"COMANDA_CONTENT": str(content)})


def test_a_problem_comes_with_its_conversation(content):
    done = run(content, "la-tavola")
    line = line_of(content, EN, "{{ removed.name.first }}")
    assert done.exit_code == 1
    lines = done.output.splitlines()
    first = next(place for place, text in enumerate(lines) if text.startswith(f"{EN}:{line}:"))
    assert ": turn-fails: " in lines[first]
    assert any(re.match(r" {4}customer", text) for text in lines[first + 1 :])
    assert lines[-1].startswith("check: 1 tenants, 1 errors")


def test_json_has_every_part_of_a_problem(content):
    (problem,) = (p for p in json.loads(run(content, "--format", "json").output)
                  if p["severity"] == "error")  # fmt: skip
    assert problem["file"] == EN
    assert problem["line"] == line_of(content, EN, "{{ removed.name.first }}")
    assert problem["code"] == "turn-fails"
    assert problem["transcript"][-1].startswith("bot: ")


def test_github_shows_it_beside_the_line(content):
    done = run(content, "--format", "github")
    assert done.exit_code == 1
    (told,) = (line for line in done.output.splitlines() if line.startswith("::error "))
    fields, _, sentence = told.removeprefix("::error ").partition("::")
    parts = dict(part.split("=", 1) for part in fields.split(","))
    assert parts["file"].endswith(EN)
    assert parts["title"] == "turn-fails"
    assert int(parts["line"]) == line_of(content, EN, "{{ removed.name.first }}")
    assert "%0Abot%3A" not in sentence
    assert "%0Abot: " in sentence


def test_sarif_is_what_the_standard_wants(content):
    """The keys that SARIF 2.1.0 requires, and those that code scanning reads."""
    log = json.loads(run(content, "--format", "sarif").output)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (made,) = log["runs"]
    rules = made["tool"]["driver"]["rules"]
    assert made["tool"]["driver"]["name"] == "comanda"
    assert made["results"]
    for result in made["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning")
        assert result["message"]["text"]
        (place,) = result["locations"]
        physical = place["physicalLocation"]
        assert Path(physical["artifactLocation"]["uri"]).suffix == ".yaml"
        assert physical["region"]["startLine"] >= 1
        assert physical["region"]["startColumn"] >= 1
    assert all(rule["shortDescription"]["text"] for rule in rules)


def test_what_is_right_exits_with_0(tmp_path):
    edited(tmp_path)
    assert run(tmp_path).exit_code == 0


def test_a_wrong_call_exits_with_2(tmp_path):
    assert run(tmp_path, "--format", "xml").exit_code == 2


def test_many_tenants_are_checked_in_several_processes(content):
    for number in range(9):
        shop = content / f"tenants/shop-{number}"
        shop.mkdir()
        for name in ("tenant.yaml", "catalog.yaml"):
            (shop / name).write_text((content / f"tenants/la-tavola/{name}").read_text())
    (content / "tenants/shop-7/tenant.yaml").write_text("name: 1\n")
    done = run(content)
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith("check: 10 tenants, ")
    assert "tenants/shop-7/tenant.yaml:1:" in done.output
    assert ": turn-fails: " in done.output


def test_a_chart_that_begins_nowhere_is_told_of_several_tenants(tmp_path):
    edited(tmp_path, (CHART, "start: menu", "start: mneu"))
    shutil.copytree(tmp_path / "tenants/la-tavola", tmp_path / "tenants/other")
    done = run(tmp_path)
    line = line_of(tmp_path, CHART, "start: mneu")
    assert f"{CHART}:{line}:8: unknown-state: " in done.output
    assert done.output.splitlines()[-1].startswith("check: 2 tenants, ")


def test_a_saved_file_is_noticed(tmp_path):
    edited(tmp_path)
    found = changes(tmp_path, every=0.02)
    timer = threading.Timer(0.1, (tmp_path / CHART).write_text, ("chart: storefront\n",))
    timer.start()
    assert next(found) == {tmp_path / CHART}
    (tmp_path / EN).unlink()
    assert next(found) == {tmp_path / EN}


def test_watching_checks_again(tmp_path):
    edited(tmp_path)
    command = [sys.executable, "-m", "engine", "check", "--watch", "la-tavola"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=os.environ | {"COMANDA_CONTENT": str(tmp_path), "PYTHONUNBUFFERED": "1"},
    ) as watching:  # fmt: skip
        try:
            assert watching.stdout is not None
            first = next(line for line in watching.stdout if line.startswith("check: "))
            text = (tmp_path / EN).read_text()
            (tmp_path / EN).write_text(text.replace(BROKEN[1], BROKEN[2]))
            again = next(line for line in watching.stdout if line.startswith("check: "))
            watching.send_signal(signal.SIGINT)
            assert watching.wait(20) == 0
        finally:
            watching.kill()
    assert " 0 errors" in first
    assert " 1 errors" in again


# What was found before --------------------------------------------------------------------------


@pytest.fixture
def same_engine(monkeypatch):
    """Let the engine be the same also while somebody works on it."""
    monkeypatch.setattr(check_memory, "_machine", lambda: iter(("engine",)))


def kept(content: Path) -> list[Path]:
    return sorted((content / FOLDER).glob("*"))


@pytest.mark.usefixtures("same_engine")
def test_what_has_not_changed_is_told_from_memory(content, monkeypatch):
    def forbidden(*arguments: object, **named: object) -> Found:
        raise AssertionError("it was checked again")

    first = run(content, "la-tavola")
    monkeypatch.setattr(Checks, "check", forbidden)
    again = run(content, "la-tavola")
    assert (again.exit_code, again.output) == (first.exit_code, first.output)
    assert first.exit_code == 1
    for others in ((), ("dona-lucha",), ("la-tavola", "--verbose"), ("la-tavola", "--anew")):
        assert isinstance(run(content, *others).exception, AssertionError)


def test_what_is_told_from_memory_takes_little_of_the_engine(content):
    CheckMemory(content).keep(CheckMemory(content).key(("la-tavola",), False), FOUND)
    script = (
        "import sys; from engine.cli.main import main\n"
        "try: main(['check', 'la-tavola'])\n"
        "except SystemExit: print(*(n for n in sys.modules if n.startswith('engine.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env=os.environ | {"COMANDA_CONTENT": str(content)},
    )  # fmt: skip
    *told, modules = done.stdout.splitlines()
    assert told == [f"{PROBLEM}", "    bot: Hi", "check: 7 tenants, 1 errors, 0 warnings"]
    assert set(modules.split()).isdisjoint({"engine.spec.library", "engine.rehearsal.walk"})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (EN, "messages: {}\n"),
        ("tenants/la-tavola/dialogs/one.yaml", "about: 1\n"),
        ("flows/new.yaml", "flow: new\n"),
        ("tenants/shop/tenant.yaml", "name: 1\n"),
    ],
)
@pytest.mark.usefixtures("same_engine")
def test_an_edit_is_another_question(content, file, text):
    memory = CheckMemory(content)
    before = memory.key()
    assert memory.key() == before
    (content / file).parent.mkdir(parents=True, exist_ok=True)
    (content / file).write_text(text)
    assert memory.key() != before
    (content / file).rename((content / file).with_stem("other"))
    assert memory.key() != before


def test_another_engine_is_another_question(content, monkeypatch, tmp_path_factory):
    before = list(check_memory._machine())
    other = tmp_path_factory.mktemp("site") / "jinja2-99.dist-info"
    other.mkdir()
    monkeypatch.syspath_prepend(other.parent)
    assert "jinja2-99.dist-info" in set(check_memory._machine()) - set(before)
    package = Path(check_memory.__file__)
    assert package.read_bytes() in before


def test_a_link_or_what_cannot_be_read_is_never_remembered(content, tmp_path_factory):
    memory = CheckMemory(content)
    assert memory.key()
    folder = content / "flows/folder.yaml"
    folder.mkdir()
    assert memory.key() is None
    folder.rmdir()
    place = tmp_path_factory.mktemp("elsewhere") / "storefront.en.yaml"
    (content / EN).rename(place)
    (content / EN).symlink_to(place)
    assert memory.key() is None
    memory.keep(None, FOUND)
    assert memory.recall(None) is None
    assert not kept(content)


PROBLEM = Problem(
    Span("a.yaml", 1, 2), "turn-fails", "it fails", "do it", "error", ("bot: Hi",)
)  # fmt: skip
FOUND = Found(Problems({PROBLEM}), 7)
KEY = "0" * 32


def test_what_is_kept_is_recalled_as_it_was(tmp_path):
    CheckMemory(tmp_path).keep(KEY, FOUND)
    found = CheckMemory(tmp_path).recall(KEY)
    assert found == FOUND
    assert [problem.transcript for problem in found.problems.found] == [("bot: Hi",)]


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: b"",
        lambda data: b"{",
        lambda data: b"[]",
        lambda data: b"\xff\x00",
        lambda data: b'{"key": "another", "sum": "", "found": {}}',
        lambda data: data[:-40],
        lambda data: data.replace(b'"error"', b'"warning"'),
        lambda data: data.replace(b"turn-fails", b"turn-works"),
        lambda data: data.replace(KEY.encode(), KEY.replace("0", "1").encode()),
    ],
)
def test_a_broken_memory_is_ignored(tmp_path, broken):
    memory = CheckMemory(tmp_path)
    memory.keep(KEY, FOUND)
    (file,) = kept(tmp_path)
    assert broken(file.read_bytes()) != file.read_bytes()
    file.write_bytes(broken(file.read_bytes()))
    assert memory.recall(KEY) is None
    memory.keep(KEY, FOUND)
    assert memory.recall(KEY) == FOUND


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / FOLDER.parent).write_text("in the way")
    CheckMemory(tmp_path).keep(KEY, FOUND)
    assert CheckMemory(tmp_path).recall(KEY) is None


@pytest.mark.usefixtures("same_engine")
def test_what_is_saved_during_a_check_is_not_kept(content, monkeypatch):
    def saved_meanwhile(
        library: Library, tenants: list[TenantId], *, is_verbose: bool = False
    ) -> Tenants:
        (content / EN).write_text("messages: {}\n")
        return {tenant: Told(Problems(), Seen(), stands_alone=True) for tenant in tenants}

    monkeypatch.setattr(check_anew, "check_in_processes", saved_meanwhile)
    run(content, "la-tavola")
    assert not kept(content)
    run(content, "la-tavola")
    assert [path.name for path in kept(content) if path.is_dir()] == ["la-tavola"]
    assert len(kept(content)) == 2


@pytest.fixture
def checked(monkeypatch) -> list[TenantId]:
    """Note which tenants are checked, not told from memory."""
    noted: list[TenantId] = []
    really = check_in_processes

    def note(library: Library, tenants: list[TenantId], *, is_verbose: bool = False) -> Tenants:
        noted.extend(tenants)
        return really(library, tenants, is_verbose=is_verbose)

    monkeypatch.setattr(check_anew, "check_in_processes", note)
    return noted


def beside(content: Path, *names: str) -> None:
    """Make tenants that are as the shipped one."""
    for name in names:
        shutil.copytree(content / "tenants/la-tavola", content / "tenants" / name)


@pytest.mark.usefixtures("same_engine")
def test_where_one_tenant_is_edited_the_others_are_told_from_memory(tmp_path, checked):
    # What no tenant says any more is told of all: those from memory count, too.
    edited(tmp_path, (CHART, "  refused.unknown_order: {say: no_order}\n", "\n"))
    beside(tmp_path, "shop")
    first = run(tmp_path)
    assert sorted(checked) == ["la-tavola", "shop"]
    checked.clear()
    settings = tmp_path / "tenants/shop/tenant.yaml"
    settings.write_text(settings.read_text() + "# edited\n")
    again = run(tmp_path)
    assert checked == ["shop"]
    assert again.output == first.output == run(tmp_path, "--anew").output
    checked.clear()
    run(tmp_path, "la-tavola")
    assert checked == []
    run(tmp_path, "--verbose")
    assert sorted(checked) == ["la-tavola", "shop"]


@pytest.mark.usefixtures("same_engine")
def test_what_was_told_of_another_tenant_is_not_forgotten_with_it(content, checked, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    beside(content, "shop")
    assert ": turn-fails: " in run(content).output
    assert sorted(checked) == ["la-tavola", "shop"]
    shutil.rmtree(content / "tenants/la-tavola")
    # The second was only compared with the first, in whose walk it was found.
    assert ": turn-fails: " in run(content).output


def test_the_newest_findings_are_kept(tmp_path):
    memory = CheckMemory(tmp_path)
    for number in range(KEPT + 5):
        memory.keep(f"{number:032}", Found(Problems(), number))
        os.utime(tmp_path / FOLDER / f"{number:032}.json", ns=(number, number))
    assert len(kept(tmp_path)) == KEPT
    assert memory.recall(f"{0:032}") is None
    assert memory.recall(f"{KEPT + 4:032}") == Found(Problems(), KEPT + 4)


def test_checks_at_the_same_time_are_in_nobodys_way(tmp_path):
    memory = CheckMemory(tmp_path)
    keys = [f"{number:032}" for number in range(KEPT)]

    def keep_all() -> None:
        for key in keys * 5:
            memory.keep(key, FOUND)
            assert memory.recall(key) == FOUND

    with ThreadPoolExecutor(4) as several:
        for done in [several.submit(keep_all) for _ in range(4)]:
            done.result()
    assert len(kept(tmp_path)) == KEPT
