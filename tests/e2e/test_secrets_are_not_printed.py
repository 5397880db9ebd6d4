"""No command prints a secret, whatever it does; and what a command changes is in the audit.

A command that is new fails here until it is said how it is called.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import pytest

from engine.cli.audited import user
from engine.cli.main import main
from engine.domain.ids import TenantId
from engine.settings import Settings, read_settings
from engine.storage.connection import Database
from engine.storage.records import AuditDocument
from engine.storage.secrets import Vault
from engine.whatsapp.flow_crypto import FlowKey

ROOT = Path(__file__).parents[2]
TENANT = TenantId("dona-lucha")
TOKEN = "EAAknownaccesstoken0123456789"
SECRETS = {
    "ENCRYPTION_SECRET": "known-encryption-secret",
    "ENCRYPTION_SECRET_PREVIOUS": "known-previous-secret",
    "META_APP_SECRET": "known-app-secret",
    "META_WEBHOOK_VERIFY_TOKEN": "known-verify-token",
    "ADMIN_TOKEN": "known-admin-token",
    "METRICS_TOKEN": "known-metrics-token",
}
PASSWORD = "known-password"
ROW = "1:wamid.nobody"
CALLS: dict[str, list[str]] = {
    "chat": [TENANT],
    "check": [],
    "demo": [],
    "diff": ["."],
    "doctor": [TENANT],
    "flows deploy": [TENANT],
    "flows doctor": [TENANT],
    "flows keygen": [TENANT, "--replace"],
    "flows list": [TENANT],
    "flows publish": [TENANT],
    "flows status": [TENANT],
    "forget": [TENANT, "15551234567"],
    "graph": [TENANT],
    "handoff end": [TENANT, "15551234567"],
    "handoff list": [TENANT],
    "inbox discard": [TENANT, ROW],
    "inbox list": [TENANT],
    "inbox retry": [TENANT, ROW],
    "inbox show": [TENANT, ROW],
    "new": ["new-shop"],
    "order list": [TENANT],
    "order set": [TENANT, "K7M2QX", "confirmed"],
    "order show": [TENANT, "K7M2QX"],
    "outbox discard": [TENANT, ROW],
    "outbox list": [TENANT],
    "outbox retry": [TENANT, ROW],
    "outbox show": [TENANT, ROW],
    "publish": [TENANT, "--yes"],
    "reference": [],
    "replay": [TENANT, "15551234567"],
    "rollback": [TENANT, "--to-folder"],
    "schema": ["--check"],
    "secrets rotate": [],
    "seed": [TENANT, "--token", TOKEN],
    "serve": ["--port", "0"],
    "sync": [TENANT],
    "templates list": [TENANT],
    "templates sync": [TENANT],
    "test": [TENANT],
    "versions": [TENANT],
}
FIRST = ("seed", "flows keygen", "publish")
"""What the others find something by."""
ASKING_META = {"serve", "sync", "flows", "doctor", "templates"}
ASKING = 6.0
"""Seconds for a command that does not end by itself where Meta does not answer."""
NOTED = {"seed", "flows keygen", "publish", "rollback", "secrets rotate", "inbox retry"}
"""What is in the audit when all were called."""


def leaves(command: click.Command, path: str = "") -> Iterator[str]:
    """Name every command that does something."""
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found
        yield from leaves(found, f"{path} {name}".strip())


NAMES = sorted(leaves(main), key=lambda name: (name not in FIRST, FIRST.index(name) if name in
                                               FIRST else 0, name))  # fmt: skip


@pytest.fixture(scope="module")
def key() -> FlowKey:
    return FlowKey.generate()


@pytest.fixture(scope="module")
def called(mongodb_uri, tmp_path_factory, key):
    """What each command has printed, by its name."""
    folder = tmp_path_factory.mktemp("secrets")
    for name in ("conversations", "flows", "tenants"):
        shutil.copytree(ROOT / name, folder / name)
    plain = {k: v for k, v in os.environ.items() if k not in ("MONGODB_URI", "COMANDA_CONTENT")}
    environment = plain | SECRETS | {
        "MONGODB_URI": mongodb_uri,
        "MONGODB_DB_NAME": f"comanda_printed_{os.getpid()}",
        "GRAPH_API_URL": "http://127.0.0.1:1",
        "FLOW_PRIVATE_KEY": key.private_pem,
        "PUBLIC_URL": "https://shop.example",
        "CATALOG_SYNC": "false",
    }  # fmt: skip
    others = [name for name in NAMES if name not in FIRST]
    with ThreadPoolExecutor(max_workers=3) as together:
        printed = {name: _printed(name, folder, environment) for name in FIRST}
        told = together.map(lambda name: _printed(name, folder, environment), others)
        return printed | dict(zip(others, told, strict=True))


def _printed(name: str, folder: Path, environment: dict[str, str]) -> str:
    call = [sys.executable, "-m", "engine", *name.split(), *CALLS.get(name, ["--help"])]
    # Meta does not answer here: what asks it again and again is ended as a user does.
    process = subprocess.Popen(
        call, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        return process.communicate(timeout=ASKING if name.split()[0] in ASKING_META else 90)[0]
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            return process.communicate(timeout=15)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0]


def secrets_of(key: FlowKey) -> list[str]:
    body = [line for line in key.private_pem.splitlines() if "-----" not in line]
    return [*SECRETS.values(), TOKEN, PASSWORD, *body]


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_printed(called, key, name):
    assert name in CALLS, f"say in CALLS how 'comanda {name}' is called"
    printed = called[name]
    assert [secret for secret in secrets_of(key) if secret in printed] == []
    assert "gAAAA" not in printed, "a sealed text"
    assert "Usage:" not in printed, printed


async def test_what_a_command_has_changed_is_in_the_audit(called, mongodb_uri):
    name = f"comanda_printed_{os.getpid()}"
    async with Database(mongodb_uri, name=name, away_after=900, answer_within=900) as database:
        rows = await database.collection(AuditDocument).find().to_list()
        await database.client.drop_database(name)
    noted = {row["action"]: row for row in rows}
    assert noted.keys() >= NOTED
    assert {row["actor"] for row in rows} == {f"command:{user()}"}
    assert {row["tenant"] for row in rows} <= {TENANT, None}
    assert noted["inbox retry"]["outcome"] == "refused in part"
    for row in rows:
        assert ROW not in str(row)
        assert (row["expireAt"] - row["at"]).days == 365


def test_settings_hide_their_secrets(key):
    values: Any = {name.lower(): value for name, value in SECRETS.items()}
    settings = read_settings(
        **values, flow_private_key=key.private_pem,
        mongodb_uri=f"mongodb://user:{PASSWORD}@127.0.0.1:1/",
    )  # fmt: skip
    shown = f"{settings!r} {settings} {settings.model_dump(exclude={'mongodb_uri'})}"
    assert [secret for secret in secrets_of(key) if secret in shown] == []


def test_every_setting_that_holds_a_secret_is_known_to_these_tests():
    """A setting whose name says so is a SecretStr, and has a value above."""
    telling = re.compile(r"secret|token|private|password")
    named = {name.upper() for name in Settings.model_fields if telling.search(name)}
    assert named == SECRETS.keys() | {"FLOW_PRIVATE_KEY"}
    for name in named:
        assert "SecretStr" in str(Settings.model_fields[name.lower()].annotation)


def test_a_wrong_setting_does_not_say_what_it_was():
    environment = dict(os.environ) | SECRETS | {
        "MONGODB_URI": f"mongodb://user:{PASSWORD}@127.0.0.1:port/", "MONGODB_MAX_POOL_SIZE": "x",
    }  # fmt: skip
    for wrong in ({}, {"MONGODB_MAX_POOL_SIZE": "5"}):
        done = subprocess.run(
            [sys.executable, "-m", "engine", "versions", TENANT], cwd=ROOT,
            env=environment | wrong, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        printed = done.stdout + done.stderr
        assert done.returncode == 1
        assert [secret for secret in (*SECRETS.values(), PASSWORD) if secret in printed] == []


def test_what_holds_a_secret_does_not_show_it(key):
    vault = Vault(*(SECRETS[name] for name in ("ENCRYPTION_SECRET", "META_APP_SECRET")))
    sealed = vault.seal(TOKEN)
    shown = f"{vault!r} {key!r} {vars(vault)!r}"
    assert [secret for secret in secrets_of(key) if secret in shown] == []
    assert TOKEN not in sealed
