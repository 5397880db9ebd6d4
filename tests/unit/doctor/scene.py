"""An installation that lacks nothing, for tests that break one thing of it."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from beanie import Document

from engine.clock import ManualClock, SystemClock
from engine.doctor.checks import ALL
from engine.doctor.examination import Examination
from engine.doctor.findings import Result
from engine.doctor.patient import Installation, Means, Patient
from engine.domain.ids import TenantId
from engine.graph.client import GraphClient
from engine.playground import Playground, playground
from engine.sandbox import SandboxOptions
from engine.sandbox.account_state import APP_ID
from engine.settings import Settings
from engine.spec.bundle import Bundle
from engine.spec.problems import SpecError
from engine.storage.connection import Database

PIZZERIA, TAQUERIA = TenantId("la-tavola"), TenantId("dona-lucha")
"""The first has a catalogue per category, the second a single one."""
ADMIN_TOKEN = "the token of the operators"

Undo = Callable[[], Awaitable[object]]


@asynccontextmanager
async def whole(mongodb_uri: str) -> AsyncIterator[Playground]:
    """Run an engine whose tenants have Flows and catalogues at Meta, which is the sandbox."""
    name = f"comanda_doctor_{os.getpid()}"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ADMIN_TOKEN", ADMIN_TOKEN)
        # The doctor comes once a test, and shows a wrong token each time.
        environment.setenv("RATE_LIMIT_FACTOR", "0")
        async with playground(
            mongodb_uri=mongodb_uri,
            database_name=name,
            options=SandboxOptions(batch_delay=0.0, catalog_calls_per_minute=1000),
            flows=True,
        ) as running:
            for tenant in (PIZZERIA, TAQUERIA):
                await synced(running, tenant)
            # What tests let wait is not taken; what comes by HTTP is.
            await running.engine.parts.end_work()
            yield running
        # With more patience than an engine has: it takes a while where others work, too.
        patient = Database(mongodb_uri, name=name, answer_within=900)
        await patient.connect()
        await patient.client.drop_database(name)
        await patient.close()


async def synced(ground: Playground, tenant: TenantId) -> None:
    """Let the catalogues of a tenant be what it sells; nothing looks after them later."""
    sync = ground.engine.parts.sync
    await sync.reports.start(tenant, is_full=False)
    async with asyncio.timeout(60):
        while True:
            await sync.rounds.take(tenant, owner="the test")
            report = await sync.reports.report(tenant)
            assert report is not None
            if report.status != "running":
                assert report.status == "completed", report.reason
                return
            await asyncio.sleep(0.05)


@dataclass
class Scene:
    """The installation as one test sees it; what it breaks is whole again afterwards."""

    ground: Playground
    http: httpx.AsyncClient
    settings: Settings
    tenant: TenantId = PIZZERIA
    clock: SystemClock | ManualClock = field(default_factory=SystemClock)
    bundles: dict[TenantId, Bundle | SpecError] = field(default_factory=dict)
    undo: list[Undo] = field(default_factory=list)

    def set(self, **settings: Any) -> None:
        """Change settings, as the environment would."""
        values = {
            name: type(getattr(self.settings, name))(value) for name, value in settings.items()
        }
        self.settings = self.settings.model_copy(update=values)

    def later(self, **ahead: float) -> None:
        """Let it be later than it is."""
        self.clock = ManualClock(SystemClock().now() + timedelta(**ahead))

    @asynccontextmanager
    async def means(self) -> AsyncIterator[Means]:
        graph = GraphClient(self.settings.graph_api_url, self.settings.whatsapp_api_version)
        engine = self.ground.engine
        found = {each: engine.bundles.get(each) for each in (PIZZERIA, TAQUERIA)}
        bundles = {name: bundle for name, bundle in found.items() if bundle}
        try:
            yield Means(
                settings=self.settings,
                bundles={**bundles, **self.bundles},
                database=engine.database,
                graph=graph,
                http=self.http,
                clock=self.clock,
                default_key=None,
            )
        finally:
            await graph.close()

    async def examined(self, *, mend: bool = False) -> Mapping[str, Result]:
        """Ask everything; give the results by code."""
        async with self.means() as means:
            installation = Installation(means)
            examination = Examination(ALL, installation, [Patient(installation, self.tenant)])
            results = await (examination.mend() if mend else examination.run())
        assert [result.code for result in results if result.tenant is None]
        return {result.code: result for result in results}

    async def ask(self, code: str, *, mend: bool = False) -> Result:
        """Ask one check, whatever it needs."""
        check = replace(ALL.checks[code], needs=())
        async with self.means() as means:
            installation = Installation(means)
            examination = Examination([check], installation, [Patient(installation, self.tenant)])
            (result,) = await (examination.mend() if mend else examination.run())
        return result

    async def change(
        self, document: type[Document], change: Mapping[str, Any], **wanted: Any
    ) -> None:
        """Change documents of the tenant behind everybody's back."""
        rows = self.ground.engine.database.collection(document)
        await self.keep(document)
        found = await rows.update_many({"subDomain": self.tenant} | wanted, change)
        assert found.matched_count

    async def remove(self, document: type[Document], **wanted: Any) -> None:
        """Remove documents of the tenant."""
        await self.keep(document)
        rows = self.ground.engine.database.collection(document)
        await rows.delete_many({"subDomain": self.tenant} | wanted)

    async def insert(self, document: type[Document], *found: Mapping[str, Any]) -> None:
        """Add documents."""
        await self.keep(document)
        await self.ground.engine.database.collection(document).insert_many(map(dict, found))

    async def keep(self, document: type[Document]) -> None:
        """Have a collection as it is now again when the test is over."""
        rows = self.ground.engine.database.collection(document)
        held = await rows.find({}).to_list()

        async def restore() -> None:
            await rows.delete_many({})
            if held:
                await rows.insert_many(held)

        self.undo.append(restore)

    async def sandbox(self, path: str, **body: object) -> None:
        """Change what the sandbox knows."""
        answer = await self.ground.sandbox.post(f"/sandbox/{path}", json=body)
        answer.raise_for_status()

    async def access(self, **fields: object) -> None:
        """Change what the access token may do."""
        token = self.ground.token
        await self.sandbox("access", token=token, **fields)
        whole = {
            "scopes": [
                "whatsapp_business_management", "whatsapp_business_messaging",
                "catalog_management", "business_management",
            ],
            "expires_at": 0, "data_access_expires_at": 0,
        }  # fmt: skip
        again = whole | ({"accounts": list(WABAS.values())} if "accounts" in fields else {})
        self.undo.append(lambda: self.sandbox("access", token=token, **again))

    async def number(self, **fields: object) -> None:
        """Change what Meta tells of the tenant's number."""
        number = NUMBERS[self.tenant]
        await self.sandbox("numbers", phone_number_id=number, **fields)
        whole = {
            "quality_rating": "GREEN", "status": "CONNECTED", "platform_type": "CLOUD_API",
            "name_status": "APPROVED",
        }  # fmt: skip
        self.undo.append(lambda: self.sandbox("numbers", phone_number_id=number, **whole))

    async def graph(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Ask Meta's stand-in with the tenant's token."""
        answer = await self.ground.sandbox.request(
            method,
            f"/v26.0/{path}",
            headers={"Authorization": f"Bearer {self.ground.token}"},
            **more,
        )
        answer.raise_for_status()
        return answer


def app_of(scene: Scene) -> Callable[..., Awaitable[httpx.Response]]:
    """Give what asks Meta's stand-in for the app's webhook fields, as the app itself."""
    secret = scene.settings.meta_app_secret.get_secret_value()

    async def ask(method: str, **fields: str) -> httpx.Response:
        answer = await scene.ground.sandbox.request(
            method,
            f"/v26.0/{APP_ID}/subscriptions",
            headers={"Authorization": f"Bearer {APP_ID}|{secret}"},
            params={"object": "whatsapp_business_account", **fields},
        )
        answer.raise_for_status()
        return answer

    return ask


NUMBERS = {PIZZERIA: "106540352242922", TAQUERIA: "109876543210987"}
WABAS = {PIZZERIA: "102290129340398", TAQUERIA: "203847561029384"}
