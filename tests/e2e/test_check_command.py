"""`comanda check` as an editor, a workflow on GitHub and a code scanner call it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.check import check
from engine.cli.watching import changes
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
        assert watching.stdout is not None
        first = next(line for line in watching.stdout if line.startswith("check: "))
        text = (tmp_path / EN).read_text()
        (tmp_path / EN).write_text(text.replace(BROKEN[1], BROKEN[2]))
        again = next(line for line in watching.stdout if line.startswith("check: "))
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    assert " 0 errors" in first
    assert " 1 errors" in again
