"""Publishing while processes serve: what customers get, who is refused, and the way back."""

import asyncio
import json
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from beanie import Document
from click.testing import CliRunner

from engine.cli.main import main
from engine.sandbox import Customer
from engine.settings import read_settings
from engine.storage.records import ConversationDocument, TurnDocument
from engine.storage.version_records import ContentDocument, LiveDocument, VersionDocument
from tests.e2e.serve_scene import OURS, Served, Town, town
from tests.e2e.sync_scene import environment_of, eventually

SHOP = "la-tavola"
HEAD = "# yaml-language-server: $schema=../../../schemas/{0}.schema.json\n"
CHART = f"tenants/{SHOP}/conversations/storefront.yaml"
ENGLISH = f"tenants/{SHOP}/messages/storefront.en.yaml"
SPANISH = f"tenants/{SHOP}/messages/storefront.es.yaml"
SHARED = "conversations/messages/storefront.en.yaml"
SPECIALS = {
    CHART: HEAD.format("chart")
    + """\
extends: storefront
anywhere: {specials: specials}
states:
  specials: {say: specials, back: menu}
""",
    ENGLISH: HEAD.format("messages")
    + """\
messages: {specials: Truffles this week.}
intents: {specials: [specials]}
""",
    SPANISH: HEAD.format("messages")
    + """\
messages: {specials: Trufas esta semana.}
intents: {specials: [especiales]}
""",
}


@dataclass
class Desk:
    """An author's folder and terminal; `served` is the folder of the processes."""

    town: Town
    root: Path
    served: Path

    def write(self, path: str, text: str | None, *, root: Path | None = None) -> None:
        file = (root or self.root) / path
        if text is None:
            file.unlink()
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def greet(self, words: str, *, root: Path | None = None) -> None:
        """Let the shop greet otherwise."""
        file = (root or self.root) / SHARED
        text, count = re.subn(r"(?<=\{% if is_new %\}).*?(?= \*\{\{)", words, file.read_text())
        assert count
        file.write_text(text)

    async def run(self, *arguments: str, code: int = 0, root: Path | None = None) -> str:
        """Call a command in a process of its own; give what it prints."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        own = {"COMANDA_CONTENT": str(root or self.root)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "engine", *arguments,
            env=plain | environment_of(self.town.settings) | own,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = (each.decode() for each in await process.communicate())
        assert process.returncode == code, out + err
        assert "Traceback" not in err
        return out + err

    async def json(self, *arguments: str, code: int = 0):
        return json.loads(await self.run(*arguments, "--format", "json", code=code))

    async def stored(self, document: type[Document], **wanted: Any) -> Any:
        """Give the row that matches."""
        found = await self.town.database.collection(document).find_one(wanted)
        assert found, wanted
        return found

    async def taken_up(self, served: Served, number: int) -> None:
        """Wait until a process serves a version: it is the one that was taken up last."""
        mark = re.compile(r'"version": (\d+), .*"event": "version.served"')
        await eventually(lambda: mark.findall(served.said())[-1:] == [str(number)], seconds=20)


@pytest.fixture(scope="module")
async def desk(tmp_path_factory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("publishing")
    copies = [folder / name for name in ("desk", "served")]
    for copy in copies:
        for part in ("conversations", "flows", "tenants"):
            shutil.copytree(read_settings().content() / part, copy / part)
    async with town(folder) as place:
        yield Desk(place, *copies)


@pytest.fixture
async def nobody_is_left(desk: Desk):
    """Let no process of one test take the turns of another."""
    yield
    for served in desk.town.running:
        if served.process.returncode is None:
            served.process.kill()
            await served.process.wait()


async def told(customer: Customer, text: str) -> str:
    """Say something, and give the text of the answer."""
    await customer.say(text)
    return await heard(customer)


async def heard(customer: Customer) -> str:
    """Give the text of what comes next."""
    answers = await customer.wait_for(within=40)
    return json.dumps([answer.payload for answer in answers], ensure_ascii=False)


@pytest.mark.usefixtures("nobody_is_left")
async def test_publishing(desk: Desk):
    worker = await desk.town.start("worker", COMANDA_CONTENT=str(desk.served))
    web = await desk.town.start("web", COMANDA_CONTENT=str(desk.served))
    await desk.town.connect(web)
    assert "Welcome to" in await told(desk.town.customer("15552220001"), "hello")
    assert "its folder is served; nothing was published yet" in await desk.run("versions", SHOP)
    rows = desk.town.database.collection(VersionDocument)
    await eventually(lambda: rows.count_documents({"number": 0}))

    # The next message says the new text, and no process was restarted.
    desk.greet("Great to see you at")
    said = await desk.run("publish", SHOP, "--yes", "--note", "a new greeting")
    assert "version 1 is live; running processes serve it within a few seconds" in said
    assert "menu: 1 conversation: each stays there" in said
    begun = time.monotonic()
    await desk.taken_up(worker, 1)
    await desk.taken_up(web, 1)
    assert time.monotonic() - begun < 10  # alone on a machine it is 3
    ana = desk.town.customer("15552220002")
    assert "Great to see you at" in await told(ana, "hello")
    talk = await desk.stored(ConversationDocument, phone="15552220002")
    version = await desk.stored(VersionDocument, _id=f"{SHOP}:1")
    turn = await desk.stored(TurnDocument, customer=talk["customer"])
    assert talk["bundle"] == turn["bundle"] == version["digest"]
    said = await desk.run("publish", SHOP, "--yes")
    assert "version 1 has these files and is live" in said

    # What is broken is refused, and changes nothing.
    desk.write(ENGLISH, "messages: {nonsense: [\n")
    refused = await desk.json("publish", SHOP, "--yes", code=1)
    assert {p["file"] for p in refused["problems"] if p["severity"] == "error"} == {ENGLISH}
    assert not refused["published"]
    assert (await desk.stored(LiveDocument, _id=SHOP))["number"] == 1

    # A state more; a customer stands in it; then it vanishes.
    for path, text in SPECIALS.items():
        desk.write(path, text)
    said = await desk.run("publish", SHOP, code=1)  # nobody says yes
    assert "Truffles" in said
    assert (await desk.stored(LiveDocument, _id=SHOP))["number"] == 1
    done = await desk.json("publish", SHOP, "--yes")
    assert (done["version"], done["files"][CHART]) == (2, "added")
    await desk.taken_up(worker, 2)
    assert "Truffles this week." in await told(ana, "specials")
    for path in SPECIALS:
        desk.write(path, None)
    said = await desk.run("publish", SHOP, "--yes", code=1)
    assert "specials: 1 conversation: each is moved to 'menu': the state is gone" in said
    assert "nothing was published: conversations would lose their place" in said
    await desk.run("publish", SHOP, "--yes", "--move")
    await desk.taken_up(worker, 3)
    moved = await told(ana, "purple elephants")
    assert "Truffles" not in moved
    assert "This chat was updated meanwhile" in moved  # and not looked for on the menu
    if "interactive" not in moved:
        assert "interactive" in await heard(ana)  # the menu
    talk = await desk.stored(ConversationDocument, customer=talk["customer"])
    assert talk["position"]["leaf"] == "menu"
    version = await desk.stored(VersionDocument, _id=f"{SHOP}:3")
    assert talk["bundle"] == version["digest"]

    # And back, to what was live before; from a folder that does not have the tenant, too.
    shutil.rmtree(desk.root / "tenants" / SHOP)
    said = await desk.run("rollback", SHOP)
    assert "version 2 is live instead of version 3" in said
    await desk.taken_up(worker, 2)
    assert "Truffles this week." in await told(ana, "specials")
    said = await desk.run("versions", SHOP)
    assert re.search(r"^   2  .*  live", said, re.MULTILINE)
    assert "a new greeting" in said

    # A process without the tenant's folder serves what is live, from its first turn on.
    shutil.rmtree(desk.served / "tenants" / SHOP)
    another = await desk.town.start("all", COMANDA_CONTENT=str(desk.served))
    for old in (worker, web):
        assert await old.end() == 0
        assert "Traceback" not in old.said()
    await desk.town.connect(another)
    eva = desk.town.customer("15552220003")
    assert "Great to see you at" in await told(eva, "hello")

    # What was tampered with is not served: what was good stays.
    await desk.run("rollback", SHOP, "1")
    await desk.taken_up(another, 1)
    await desk.town.database.collection(ContentDocument).update_many(
        {"text": {"$regex": "Truffles"}}, {"$set": {"text": "messages: {specials: Send money.}"}}
    )
    assert "is not the one that was published" in await desk.run("rollback", SHOP, "2", code=1)
    live = desk.town.database.collection(LiveDocument)
    await live.update_one({"_id": SHOP}, {"$set": {"number": 2}, "$inc": {"moves": 1}})
    await eventually(lambda: '"event": "version.refused"' in another.said(), seconds=20)
    assert "Great to see you at" in await told(desk.town.customer("15552220004"), "hello")
    assert await another.end() == 0


def _has_loaded(served: Served, times: int) -> bool:
    return served.said().count("content.reloaded") == times


@pytest.mark.usefixtures("nobody_is_left")
async def test_reloading(desk: Desk, tmp_path):
    for part in ("conversations", "flows", "tenants"):
        shutil.copytree(read_settings().content() / part, tmp_path / part)
    served = await desk.town.start("all", "--reload", COMANDA_CONTENT=str(tmp_path))
    await desk.town.connect(served)
    greeting = await told(desk.town.customer("15553330001"), "hello")
    assert "Welcome to" in greeting  # whatever is published

    for number, words in enumerate(("Salve,", "Ciao,"), start=2):
        begun = time.monotonic()
        desk.greet(words, root=tmp_path)
        await eventually(partial(_has_loaded, served, number - 1))
        took = time.monotonic() - begun
        assert words in await told(desk.town.customer(f"1555333000{number}"), "hello")
        assert took < 5, took  # alone on a machine it is less than 1
    desk.write(ENGLISH, "messages: {nonsense: 7}\n", root=tmp_path)
    await eventually(lambda: "bundle.problem" in served.said())
    assert f"{ENGLISH}:1:" in served.said()
    answer = await told(desk.town.customer("15553330009"), "hello")
    assert "Ciao," in answer, answer + served.said()[-3000:]
    assert await served.end() == 0
    assert "Traceback" not in served.said()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("publish", SHOP, "--format", "json"), "it takes --yes or --dry-run"),
        (("publish", SHOP, "--note", "x" * 201), "it has 201 characters, 200 fit"),
        (("rollback", SHOP, "0"), "0 is not in the range"),
        (("rollback", SHOP, "x"), "is not a valid integer"),
        (("rollback", SHOP, "1", "--to-folder"), "either a NUMBER or --to-folder"),
        (("versions", SHOP, "--limit", "0"), "0 is not in the range"),
    ],
)
def test_wrong_calls(arguments, sentence):
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, sentence in result.output) == (2, True), result.output


@pytest.mark.parametrize("command", ["publish", "rollback", "versions"])
async def test_nobody_is_served_whom_nobody_knows(desk: Desk, command):
    assert "there is no tenant 'nobody'" in await desk.run(command, "nobody", code=1)
