"""`comanda diff` as its users call it, on a content folder inside a git repository."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import main

ROOT = Path(__file__).parents[2]
MESSAGES = "conversations/messages/storefront.en.yaml"


def git(folder, *words):
    name = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", *name, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository that holds the content in a folder of it, as committed."""
    root = tmp_path_factory.mktemp("repository")
    for folder in ("conversations", "flows", "tenants", "schemas"):
        shutil.copytree(ROOT / folder, root / "shop" / folder)
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "shipped")
    return root / "shop"


@pytest.fixture
def content(repository, monkeypatch):
    monkeypatch.setenv("COMANDA_CONTENT", str(repository))
    yield repository
    git(repository, "checkout", "-q", "--", ".")
    git(repository, "clean", "-qfd")


def edit(content, name, old, new):
    path = content / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def call(*words):
    return CliRunner().invoke(main, ["diff", *words])


def test_nothing_edited_exits_with_0(content):
    done = call()
    assert done.exit_code == 0, done.output
    assert done.stdout == "diff: 2 tenants compared: customers notice nothing\n"


def test_an_edit_is_told_as_text_markdown_and_json(content):
    edit(content, MESSAGES, "Your cart is empty. Add", "Nothing yet. Add")
    words = ("--tenant", "la-tavola")
    done = call(*words)
    assert done.exit_code == 1
    assert "cart_empty (en): la-tavola: anywhere" in done.stdout
    assert "  - 🛒 Your cart is empty. Add something first." in done.stdout
    assert done.stdout.endswith("diff: 1 tenants compared: 1 message\n")
    shown = call("HEAD", *words, "--format", "markdown").stdout
    assert shown.startswith("## What customers will notice\n\n`HEAD` → `the files now`")
    assert "\n```diff\n- 🛒 Your cart is empty. Add something first.\n" in shown
    found = json.loads(call("--format", "json", *words).stdout)
    assert [change["message"] for change in found["messages"]] == ["cart_empty"]


def test_a_folder_is_compared_too(content, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(content, other)
    edit(other, MESSAGES, "Your cart is empty. Add", "Nothing was there. Add")
    done = call(str(other), "--tenant", "la-tavola")
    assert done.exit_code == 1
    assert "  - 🛒 Nothing was there. Add something first." in done.stdout


def test_what_is_broken_is_told_with_its_place(content):
    edit(content, "conversations/storefront.yaml", "say: ask_receiving", "say: ask_receivin")
    done = call("--tenant", "la-tavola")
    assert done.exit_code == 1
    assert "conversations/storefront.yaml:" in done.stderr
    assert "unknown-message" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["no-such-revision"], "'no-such-revision' is neither a folder nor a revision"),
        (["--", "--output=x"], "'--output=x' is neither a folder nor a revision"),
        (["HEAD:shop"], "is neither a folder nor a revision"),
        (["--tenant", "nobody"], "there is no tenant 'nobody' on either side"),
        (["--format", "html"], "'html' is not one of"),
    ],
)
def test_a_wrong_call_exits_with_2_and_a_sentence(content, words, sentence):
    done = call(*words)
    assert done.exit_code == 2
    assert sentence in done.output
    assert "Traceback" not in done.output


def test_a_folder_without_content_is_refused(content, tmp_path):
    done = call(str(tmp_path))
    assert done.exit_code == 2
    assert "holds no folder 'conversations'" in done.output


def test_content_outside_of_a_repository_is_refused(repository, tmp_path, monkeypatch):
    alone = tmp_path / "alone"
    shutil.copytree(repository, alone)
    monkeypatch.setenv("COMANDA_CONTENT", str(alone))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    done = call()
    assert done.exit_code == 2
    assert "is not in a git repository" in done.output


def test_the_command_runs_in_a_process_of_its_own(content):
    done = subprocess.run(
        [sys.executable, "-m", "engine", "diff", "--help"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert "Example: comanda diff main --format markdown" in done.stdout
