"""The command as its users call it: in a process of its own, and every command of the README."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from engine.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
OWN = (
    "doctor", "flows", "sync", "inbox", "order", "handoff", "templates", "outbox", "forget",
    "diff", "replay", "publish", "versions", "rollback",
)  # fmt: skip
WRITING = ("new", "test", "graph")
ORDER = re.compile(r"#[0-9A-Z]{6}\b")


def comanda(*arguments, typed="", cwd=ROOT, **environment):
    plain = {k: v for k, v in os.environ.items() if k not in ("MONGODB_URI", "COMANDA_CONTENT")}
    return subprocess.run(
        [sys.executable, "-m", "engine", *arguments],
        cwd=cwd, env=plain | environment, input=typed, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def demo():
    return comanda("demo")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_demo_ends_with_a_confirmed_order(demo):
    assert demo.returncode == 0, demo.stderr
    assert demo.stderr == ""
    order = json.loads(demo.stdout.split("The order in MongoDB:\n")[1])
    assert order["status"] == "pending"
    assert order["source"] == "whatsapp"
    assert f"*Order #{order['orderNumber']}* confirmed!" in demo.stdout
    assert order["total"] == 30.72


def test_the_transcript_of_the_readme_is_what_the_demo_prints(demo):
    """Each piece between two `…` stands in the demo's output, in this order."""
    shown = ORDER.sub("#NUMBER", demo.stdout)
    place = 0
    transcript = next(b for b in blocks("text") if b.startswith("customer:"))
    pieces = [p.strip("\n") for p in ORDER.sub("#NUMBER", transcript).split("…\n") if p.strip()]
    assert len(pieces) > 5
    for piece in pieces:
        found = shown.find(piece, place)
        assert found >= 0, f"the demo does not print:\n{piece}"
        place = found + len(piece)


def commands():
    for block in blocks("sh"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            # These need accounts, rows, customers or each other: tests of their own run them.
            own = words and (words[1] in OWN or {"--role", "--reload", "--record"} & set(words))
            if words and not own:
                yield words


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_of_the_readme_works(words, tmp_path):
    if words[0] == "make":
        # The suite is itself run by make: here only that there is such a target.
        done = subprocess.run(
            ["make", "--dry-run", words[1]], cwd=ROOT, capture_output=True, text=True, check=False
        )
    else:
        more = ["--data", str(tmp_path / "data")] if words[1] == "seed" else []
        done = comanda(*words[1:], *more, cwd=_copy(tmp_path) if words[1] in WRITING else ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def _copy(folder):
    """Copy the content, for commands that write in it."""
    for name in ("conversations", "flows", "tenants"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def test_seed_tells_what_it_did_and_is_the_same_twice(tmp_path):
    data = str(tmp_path / "data")
    first = comanda("seed", "la-tavola", "--data", data)
    second = comanda("seed", "la-tavola", "--data", data)
    assert first.returncode == 0, first.stderr
    assert "47 products" in first.stdout
    assert second.stdout == first.stdout
    kept = tmp_path / "data-secrets.json"
    assert kept.stat().st_mode & 0o077 == 0


def test_an_unknown_tenant_is_a_sentence(tmp_path):
    for arguments in (
        ("check", "la-tavla"),
        ("chat", "la-tavla"),
        ("seed", "la-tavla", "--data", str(tmp_path / "data")),
    ):
        done = comanda(*arguments)
        assert done.returncode in (1, 2)
        assert "there is no tenant 'la-tavla'" in done.stderr
        assert "Traceback" not in done.stderr


def test_check_finds_every_mistake_with_its_place(tmp_path):
    (tmp_path / "conversations").symlink_to(ROOT / "conversations")
    shop = tmp_path / "tenants/shop"
    shop.mkdir(parents=True)
    tenant = (ROOT / "tenants/la-tavola/tenant.yaml").read_text()
    (shop / "tenant.yaml").write_text(tenant.replace("currency: USD", "currency: USB"))
    done = comanda("check", COMANDA_CONTENT=str(tmp_path))
    assert done.returncode == 1
    assert re.search(r"^tenants/shop/tenant\.yaml:\d+:\d+: wrong-value: 'USB'", done.stdout, re.M)
    as_json = comanda("check", "--format", "json", COMANDA_CONTENT=str(tmp_path))
    problems = json.loads(as_json.stdout)
    assert [p["code"] for p in problems] == ["wrong-value"]
    assert as_json.returncode == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MONGODB_MAX_POOL_SIZE", "many", "MONGODB_MAX_POOL_SIZE: "),
        ("GRAPH_API_URL", "graph.facebook.com", "GRAPH_API_URL: "),
        ("COMANDA_CONTENT", "/nowhere", "COMANDA_CONTENT: "),
        ("WHATSAPP_API_VERSION", "26", "WHATSAPP_API_VERSION: "),
        ("MONGODB_URI", "mongodb://127.0.0.1:1", "META_APP_SECRET is not set"),
    ],
)
def test_a_wrong_setting_is_one_clear_sentence(name, value, said, tmp_path):
    done = comanda("seed", "la-tavola", "--data", str(tmp_path / "d"), **{name: value})
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("role", ["web", "worker"])
def test_one_of_several_processes_wants_a_database_that_is_not_its_own(role):
    done = comanda("serve", "--role", role)
    assert done.returncode == 1
    assert done.stderr == f"MONGODB_URI is not set: --role {role} is one process of several\n"


def test_schema_check_fails_when_a_schema_is_old(tmp_path):
    comanda("schema", "--folder", str(tmp_path))
    assert comanda("schema", "--check", "--folder", str(tmp_path)).returncode == 0
    (tmp_path / "chart.schema.json").write_text("{}")
    done = comanda("schema", "--check", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert "chart.schema.json" in done.stderr


def test_a_chat_in_the_terminal(tmp_path):
    typed = "hello\n1\n/place here\n/place 40.72 -73.99 Home\n=2\n/quit\n"
    done = comanda("chat", "la-tavola", typed=typed)
    assert done.returncode == 0, done.stderr
    assert "Welcome to *La Tavola*!" in done.stdout
    assert "customer taps: See the menu" in done.stdout
    assert "/place takes a latitude and a longitude" in done.stdout
    assert "customer shares a place: Home" in done.stdout
    assert "customer: 2" in done.stdout


def test_a_flow_is_filled_in_at_the_terminal():
    typed = "\n".join(["add a margherita", "1", "3", "2", "", "2", "1,2", "", "", "/quit", ""])
    done = comanda("chat", "la-tavola", typed=typed)
    assert done.returncode == 0, done.stderr
    assert "customer opens the Flow" in done.stdout
    assert "│ 2× Margherita Pizza, Large" in done.stdout
    assert "│ *Total: $45.00*" in done.stdout
    assert "✅ Added to cart!" in done.stdout


def test_a_flow_is_left_at_the_terminal():
    typed = "\n".join(
        ["add a margherita", "1", "9", "1", "", "/back", "/close", "large", "/quit", ""]
    )
    done = comanda("chat", "la-tavola", typed=typed)
    assert done.returncode == 0, done.stderr
    assert "the phone does not let him" in done.stdout
    assert "(the Flow is closed)" in done.stdout
    assert "*Margherita Pizza*: Crust" in done.stdout


def test_without_flows_the_chat_asks():
    done = comanda("chat", "la-tavola", "--no-flows", typed="add a margherita\n/quit\n")
    assert "*Margherita Pizza*: which size?" in done.stdout


def test_every_command_has_help_with_an_example():
    for name in COMMANDS:
        done = CliRunner().invoke(main, [name, "--help"])
        assert done.exit_code == 0
        assert "Example: " in done.output
        assert done.output.count("\n") > 5
    assert set(COMMANDS) == {
        "chat", "check", "demo", "diff", "doctor", "flows", "forget", "graph", "handoff", "inbox",
        "new", "order", "outbox", "publish", "reference", "replay", "rollback", "schema",
        "secrets", "seed", "serve", "sync", "templates", "test", "versions",
    }  # fmt: skip


def test_serve_answers_until_it_is_told_to_stop(tmp_path):
    plain = {k: v for k, v in os.environ.items() if k != "MONGODB_URI"}
    command = [sys.executable, "-m", "engine", "serve", "--port", "0", "--seed"]
    process = subprocess.Popen(
        [*command, "--data", str(tmp_path / "data")], cwd=ROOT, env=plain, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        url = next(m[0] for line in process.stderr if (m := re.search(r"http://\S+:\d+", line)))
        assert httpx.get(f"{url}/health/ready", timeout=30).json() == {"status": "ready"}
        assert "comanda_webhooks" in httpx.get(f"{url}/metrics").text
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        assert process.wait(timeout=30) == 0
        assert "Traceback" not in rest
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()
