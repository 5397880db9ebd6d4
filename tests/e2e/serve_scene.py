"""Processes of `comanda serve` in different roles, with one database and one sandbox."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from engine.sandbox import Customer, SandboxOptions, create_sandbox, serving
from engine.settings import Settings, read_settings
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.storage.connection import Database
from engine.storage.secrets import Vault
from engine.storage.seeding import seed
from engine.storage.slots import MongoSlotTables
from engine.verbs import all_verbs
from tests.e2e.sync_scene import (
    APP_SECRET,
    ENCRYPTION_SECRET,
    PIZZERIA,
    PUBLIC_URL,
    TOKEN,
    environment_of,
    eventually,
    own_database,
    settings_of,
)

OURS = ("MONGODB", "COMANDA", "META", "GRAPH", "ENCRYPTION", "PUBLIC", "CATALOG", "INBOX")


@dataclass
class Served:
    """A process, and where it answers."""

    process: asyncio.subprocess.Process
    url: str
    log: Path

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and give its exit code."""
        self.process.send_signal(how)
        return await asyncio.wait_for(self.process.wait(), 30)

    def said(self) -> str:
        """Give what it has logged."""
        return self.log.read_text()


@dataclass
class Town:
    """The pizzeria with a database and a sandbox; processes come and go."""

    settings: Settings
    database: Database
    sandbox: httpx.AsyncClient
    folder: Path
    running: list[Served] = field(default_factory=list)

    async def start(self, role: str, *options: str, **environment: str) -> Served:
        """Start a process, and wait until it answers."""
        plain = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        whole = plain | environment_of(self.settings) | {"CATALOG_SYNC": "false"} | environment
        log = self.folder / f"{role}-{len(self.running)}.log"
        command = (
            sys.executable,
            "-m",
            "engine",
            "serve",
            "--port",
            "0",
            "--role",
            role,
            *options,
        )
        with log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(*command, env=whole, stderr=out)
        url = await eventually(lambda: _is_up(process, log), seconds=30)
        served = Served(process, url, log)
        self.running.append(served)
        await eventually(lambda: _is_ready(url), seconds=30)
        return served

    async def connect(self, served: Served) -> None:
        """Let the sandbox post its webhooks to a process."""
        tenant = settings_of(PIZZERIA)
        for number in tenant.phone_number_ids:
            phone = {
                "phone_number_id": number,
                "display_phone_number": "+15550000000",
                "token": TOKEN,
                "callback_url": f"{served.url}/whatsapp_response",
                "app_secret": APP_SECRET,
                "waba_id": "waba",
            }
            (await self.sandbox.post("/sandbox/phones", json=phone)).raise_for_status()

    def customer(self, phone: str) -> Customer:
        """Give somebody who writes to the pizzeria."""
        number = settings_of(PIZZERIA).phone_number_ids[0]
        return Customer(self.sandbox, phone=phone, phone_number_id=number, retry=True)

    async def members(self) -> dict[str, int]:
        """Tell how many slots each process has."""
        table = await MongoSlotTables(self.database).read()
        return {name: len(table.of(name)) for name in table.members}


def _is_up(process: asyncio.subprocess.Process, log: Path) -> str | None:
    found = re.search(r"comanda: (http://\S+)", log.read_text())
    assert process.returncode is None, log.read_text()[-2000:]
    return found[1] if found else None


async def _is_ready(url: str) -> bool:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"{url}/health/ready")).status_code == 200


@asynccontextmanager
async def town(folder: Path, options: SandboxOptions | None = None) -> AsyncIterator[Town]:
    """Give the pizzeria, seeded, with nobody who serves it yet."""
    library = Library(read_settings().content(), all_verbs())
    async with (
        own_database(folder) as (uri, database),
        serving(create_sandbox(options)) as meta_url,
        httpx.AsyncClient(base_url=meta_url, timeout=60) as meta,
    ):
        settings = read_settings(
            mongodb_uri=uri,
            mongodb_db_name=database.name,
            graph_api_url=meta_url,
            meta_app_secret=APP_SECRET,
            encryption_secret=ENCRYPTION_SECRET,
            public_url=PUBLIC_URL,
        )
        menu = library.menu(PIZZERIA, Problems())
        assert menu is not None
        tenant, vault = settings_of(PIZZERIA), Vault(ENCRYPTION_SECRET)
        await seed(database, PIZZERIA, tenant, menu, access_token=TOKEN, vault=vault)
        ground = Town(settings, database, meta, folder)
        try:
            yield ground
        finally:
            for served in ground.running:
                if served.process.returncode is None:
                    served.process.kill()
                    await served.process.wait()
