"""`comanda test` and `comanda chat --record` as authors call them, on a small shop."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from tests.e2e.test_commands import ROOT, comanda
from tests.unit.spec.content import SHOP, lay

HELLO = "about: Hello.\nsteps:\n  - say: hi\n  - tap: Help\n  - expect: {state: help, cart: 0}\n"
DIALOGS = "tenants/corner/dialogs"
ENGLISH = "conversations/messages/shop.en.yaml"


@pytest.fixture
def root(tmp_path):
    made = lay(tmp_path / "content", SHOP, files={f"{DIALOGS}/hello.yaml": HELLO})
    (made / "schemas").mkdir()
    return made


def shop(root, *arguments, typed=""):
    return comanda(*arguments, typed=typed, COMANDA_CONTENT=str(root))


def outcomes(done):
    return [(one["dialog"], one["outcome"]) for one in json.loads(done.stdout)["dialogs"]]


def test_from_a_new_dialog_to_a_changed_text(root):
    first = shop(root, "test", "corner")
    assert (first.returncode, first.stderr) == (1, "")
    assert f"{DIALOGS}/hello.yaml:1:1: new: it has no snapshot yet" in first.stdout
    assert "    shop: Welcome to Corner!" in first.stdout
    accept = "comanda test corner --only=hello --update"
    assert f"  if this is right: {accept}\n" in first.stdout

    accepted = shop(root, *accept.split()[1:])
    assert accepted.returncode == 0, accepted.stdout
    snapshot = root / DIALOGS / "snapshots/hello.txt"
    assert snapshot.read_text().startswith("Hello.\n\ncustomer: hi\nshop: Welcome to Corner!\n")

    text = (root / ENGLISH).read_text()
    (root / ENGLISH).write_text(text.replace("What do you need?", "How can I help?"))
    (root / DIALOGS / "snapshots/gone.txt").write_text("x")
    (root / DIALOGS / "broken.yaml").write_text("about: x\nsteps:\n  - sing: la\n")
    changed = shop(root, "test", "corner")
    assert changed.returncode == 1
    assert f"{DIALOGS}/hello.yaml:4:5: changed: step 2 (tap: Help): " in changed.stdout
    assert "\n    -shop: What do you need?\n    +shop: How can I help?\n" in changed.stdout
    assert f"{DIALOGS}/broken.yaml:3:5: broken: unknown-key: 'sing'" in changed.stdout
    assert f"{DIALOGS}/snapshots/gone.txt:1:1: stale: " in changed.stdout
    assert changed.stdout.endswith("test: 2 dialogs: 1 broken, 1 changed, 1 stale\n")

    one = shop(root, "test", "corner", "--only", "hello.yaml", "--update", "--format", "json")
    assert (one.returncode, outcomes(one)) == (0, [("hello", "written")])
    assert (root / DIALOGS / "snapshots/gone.txt").exists()  # nobody asked about it
    rest = shop(root, "test", "corner", "--update", "--format", "json")
    assert outcomes(rest) == [("broken", "broken"), ("hello", "passed"), ("gone", "removed")]
    assert rest.returncode == 1
    assert not (root / DIALOGS / "snapshots/gone.txt").exists()


def test_what_fails_is_told_with_its_step_and_never_accepted(root):
    dialogs = {
        "hello": HELLO.replace("tap: Help", "tap: Hepl"),
        "wrong": "about: W.\nsteps: [{say: hi}, {expect: {cart: 2}}]\n",
        "turn": "about: T.\nsteps: [{say: hi}, {tap: Help}]\n",
        "flow": "about: F.\nsteps: [{say: hi}, {flow: []}]\n",
    }
    for name, text in dialogs.items():
        (root / DIALOGS / f"{name}.yaml").write_text(text)
    english = (root / ENGLISH).read_text()
    (root / ENGLISH).write_text(english.replace("What do you need?", "'{{ cart.count / 0 }}'"))
    done = shop(root, "test", "corner", "--update")
    assert (done.returncode, done.stderr) == (1, "")
    said = f"{DIALOGS}/hello.yaml:4:5: failed: step 2 (tap: Hepl): nothing to tap is called 'Hepl'"
    assert f"{said}; did you mean 'Help'?\n" in done.stdout
    assert "\n    customer: hi\n    shop: Welcome to Corner!\n" in done.stdout
    assert "failed: step 2 (expect): expected cart 2, it is 0" in done.stdout
    assert f"turn.yaml:1:1: failed: a turn failed: {ENGLISH}:" in done.stdout
    assert "failed: step 2 (flow): no message with a Flow has come" in done.stdout
    assert done.stdout.endswith("test: 4 dialogs: 4 failed\n")
    assert not (root / DIALOGS / "snapshots").exists()


def test_coverage_names_what_no_dialog_reaches(root):
    done = shop(root, "test", "corner", "--update", "--coverage")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "conversations/shop.yaml:41:3: not reached: state 'thanks'\n" in done.stdout
    assert ": not reached: message 'help' (es)\n" in done.stdout
    assert ": not reached: message 'help' (en)\n" not in done.stdout
    assert "coverage of corner: states 28 % (2/7), branches " in done.stdout
    made = json.loads(shop(root, "test", "--coverage", "--format", "json").stdout)
    assert made["dialogs"][0]["outcome"] == "passed"
    assert made["coverage"]["corner"]["states"] == {"reached": 2, "all": 7, "percent": 28}
    assert made["coverage"]["corner"]["languages"]["es"]["reached"] == 0
    assert made["coverage"]["kiosk"]["states"]["reached"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("test cornr", 1, "there is no tenant 'cornr'"),
        ("test corner --only helo", 2, "no dialog 'helo'; did you mean 'hello'?"),
        (f"chat corner --record {DIALOGS}/hello.yaml", 2, "exists already; --force"),
        ("chat corner --at 1999-01-01T00:00", 2, "between the years"),
        (f"chat corner --script {DIALOGS}/hello.yaml --record a.yaml", 2, "leave --record"),
    ],
)
def test_a_call_that_is_wrong_is_a_sentence(root, monkeypatch, arguments, code, said):
    monkeypatch.setenv("COMANDA_CONTENT", str(root))
    monkeypatch.chdir(root)
    done = CliRunner().invoke(main, shlex.split(arguments))
    assert (done.exit_code, type(done.exception)) == (code, SystemExit)
    assert said in " ".join(done.stderr.replace("│", " ").split())


def test_files_that_are_wrong_are_told_as_check_tells_them(root):
    (root / ENGLISH).write_text("messages: {")
    done = shop(root, "test", "corner")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{ENGLISH}:2:1: yaml-syntax: ")


def test_a_recorded_chat_is_a_dialog_that_passes(root):
    file = root / DIALOGS / "odd: name.yaml"
    typed = "hi\n1\n/tap Nothing\n/send voice\n/wait 30m\n/sing\n=2\n/place 40.72 -73.99 Home\n"
    recorded = shop(root, "chat", "corner", "--record", str(file), typed=typed)
    assert recorded.returncode == 0, recorded.stderr
    accept = "comanda test corner --only='odd: name' --update"
    assert recorded.stdout.endswith(f"play it: {accept}\n")
    lines = file.read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=../../../schemas/dialog.schema.json"
    assert lines[lines.index("steps:") + 1 :] == [
        "  - say: hi",
        "  - tap: Help",
        "  - send: voice",
        "  - wait: 30m",
        '  - say: "2"',
        "  - location: {latitude: 40.72, longitude: -73.99, name: Home}",
        "  - expect: {state: help, orders: 0, cart: 0}",
    ]
    update = shop(root, "test", "corner", "--only", "odd: name", "--update", "--format", "json")
    assert (update.returncode, outcomes(update)) == (0, [("odd: name", "written")])
    heard = (root / DIALOGS / "snapshots/odd: name.txt").read_text()
    assert "customer sends: voice" in heard
    assert "(30m later)" in heard


def test_an_order_that_was_recorded_with_flows_is_played_to_its_end(tmp_path):
    file = tmp_path / "margherita.yaml"
    typed = ["add a margherita", "1", "9", "3", "", "", "2", "1,2", "", "", "/quit", ""]
    recorded = comanda(
        "chat", "la-tavola", "--record", str(file), "--at", "2030-06-14T19:30",
        typed="\n".join(typed),
    )  # fmt: skip
    assert recorded.returncode == 0, recorded.stderr
    assert "at: " not in file.read_text()  # it is when every dialog begins
    assert "flows: true\n" in file.read_text()
    played = comanda("chat", "la-tavola", "--script", str(file))
    assert played.returncode == 0, played.stderr
    for line in ("customer opens the Flow", "(the Flow is finished)", "shop: ✅ Added to cart!"):
        assert line in recorded.stdout
        assert line in played.stdout
    assert 'customer enters: Large (16"); taps: Continue' in played.stdout


def test_pytest_takes_the_command_for_no_test():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider",
         "engine/cli/test.py"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "no tests collected" in done.stdout, done.stdout
    assert Path(ROOT / "engine/cli/test.py").is_file()
