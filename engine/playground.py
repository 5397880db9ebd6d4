"""A playground: the engine, an embedded database and the sandbox in one process, over real HTTP.

The demo, `comanda chat` and the tests of dialogs run on it. It is not for production.
"""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from engine.app import Engine
from engine.clock import Clock, Ids
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.sandbox import Customer, SandboxOptions, create_sandbox, serving
from engine.serving import listen, serving_on
from engine.settings import read_settings
from engine.spec.bundle import Bundle
from engine.spec.problems import Problems, SpecError
from engine.storage.embedded import EmbeddedServer
from engine.storage.seeding import Seeded, seed
from engine.whatsapp.flow_crypto import FlowKey


@dataclass(frozen=True, slots=True)
class Playground:
    """A running engine with a sandbox in Meta's place."""

    engine: Engine
    sandbox: httpx.AsyncClient
    engine_url: str
    token: str
    deployed: dict[TenantId, Mapping[str, str]] = field(default_factory=dict)

    def customer(self, tenant: TenantId, phone: str, name: str) -> Customer:
        """Give a customer who writes to a tenant's first number."""
        bundle = self.bundle(tenant)
        number = bundle.tenant.phone_number_ids[0]
        user_id = f"{bundle.tenant.country}.{phone}"
        return Customer(
            self.sandbox, phone=phone, phone_number_id=number, name=name, user_id=user_id
        )

    def bundle(self, tenant: TenantId) -> Bundle:
        """Give a tenant's bundle.

        Raises:
            SpecError: its files are wrong.
        """
        bundle = self.engine.bundles.get(tenant)
        return bundle or self.engine.library.load(tenant)

    async def offer_flows(self, tenant: TenantId, *, offered: bool) -> None:
        """Let a tenant's Flows be sent, deploying them if they are not, or none at all.

        Raises:
            EngineError: Meta's stand-in refuses them.
        """
        parts = self.engine.parts
        if offered and self.bundle(tenant).flows and tenant not in self.deployed:
            # One key for all tenants: making one takes a while.
            keys = [await parts.flow_keys.get(known) for known in self.deployed]
            key = keys[0] if keys and keys[0] else await asyncio.to_thread(FlowKey.generate)
            await parts.flow_keys.save(tenant, key)
            report = await parts.deployer.deploy(tenant)
            if report.has_failed:
                failed = (f"{s.key}: {s.verb}: {s.reason}" for s in report.steps)
                raise EngineError("\n".join(failed))
            self.deployed[tenant] = dict(report.flows)
            return
        business = await parts.businesses.by_tenant(tenant)
        mapping = self.deployed.get(tenant, {}) if offered else {}
        if business and (business.flow_mapping or {}) != mapping:
            await parts.businesses.save(replace(business, flow_mapping=mapping))

    async def seed(self, tenant: TenantId) -> Seeded:
        """Load a tenant's demo catalog into the database."""
        problems = Problems()
        menu = self.engine.library.menu(tenant, problems)
        problems.raise_if_any()
        if menu is None:
            raise SpecError(problems.sorted())
        settings = self.bundle(tenant).tenant
        seeded = await seed(
            self.engine.database,
            tenant,
            settings.model_copy(update={"waba_id": _account(settings.waba_id, tenant)}),
            menu,
            access_token=self.token,
            vault=self.engine.vault,
        )
        self.engine.parts.businesses.forget(tenant)
        return seeded


@asynccontextmanager
async def playground(
    *,
    content: Path | None = None,
    mongodb_uri: str = "",
    database_name: str = "playground",
    clock: Clock | None = None,
    ids: Ids | None = None,
    options: SandboxOptions | None = None,
    flows: bool = False,
    catalog_sync: bool = False,
    tenants: Collection[TenantId] | None = None,
) -> AsyncIterator[Playground]:
    """Run a playground while the block runs; its tenants are seeded.

    Args:
        mongodb_uri: empty starts an embedded server in a temporary folder.
        options: of the sandbox; a given clock is the sandbox's too.
        flows: the tenants' Flows are deployed.
        catalog_sync: Meta's catalogues are kept what the tenants sell, and stay so.
        tenants: who is served there; None: all there are.

    Raises:
        EngineError: the content is wrong, or the database does not start.
    """
    token, app_secret = secrets.token_hex(16), secrets.token_hex(16)
    async with AsyncExitStack() as stack:
        if not mongodb_uri:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-"))
            server = EmbeddedServer(Path(folder))
            mongodb_uri = await server.start()
            stack.push_async_callback(server.stop)
        options = options or SandboxOptions()
        if clock:
            options = replace(options, clock=clock.now)
        sandbox_url = await stack.enter_async_context(serving(create_sandbox(options)))
        settings = read_settings(
            mongodb_uri=mongodb_uri,
            mongodb_db_name=database_name,
            graph_api_url=sandbox_url,
            meta_app_secret=app_secret,
            meta_webhook_verify_token=secrets.token_hex(8),
            encryption_secret=secrets.token_hex(16),
            catalog_sync=catalog_sync,
            **({"comanda_content": content} if content else {}),
        )
        listener, engine_url = listen()
        settings = settings.model_copy(update={"public_url": engine_url})
        engine = Engine(settings, clock=clock, ids=ids, tenants=tenants)
        await stack.enter_async_context(serving_on(listener, engine.web))
        sandbox = await stack.enter_async_context(httpx.AsyncClient(base_url=sandbox_url))
        running = Playground(engine, sandbox, engine_url, token)
        ready = await sandbox.get(f"{engine_url}/health/ready")
        if ready.status_code != httpx.codes.OK:
            raise EngineError(f"the engine is not ready: {ready.text}")
        for tenant in engine.bundles.tenants():
            await _register(running, tenant, app_secret)
            await running.seed(tenant)
            await running.offer_flows(tenant, offered=flows)
            if catalog_sync:
                await engine.parts.sync.reports.start(tenant, is_full=False)
        yield running


def _account(waba_id: str | None, tenant: TenantId) -> str:
    """Name the account: here a tenant has one before its files say which."""
    return waba_id or f"waba-{tenant}"


async def _register(playground: Playground, tenant: TenantId, app_secret: str) -> None:
    settings = playground.bundle(tenant).tenant
    for number in settings.phone_number_ids:
        answer = await playground.sandbox.post(
            "/sandbox/phones",
            json={
                "phone_number_id": number,
                "display_phone_number": settings.phone or "+15550000000",
                "token": playground.token,
                "callback_url": f"{playground.engine_url}/whatsapp_response",
                "app_secret": app_secret,
                "waba_id": _account(settings.waba_id, tenant),
                "business_id": settings.business_id,
                "catalog_callback_url": f"{playground.engine_url}/meta/webhook",
            },
        )
        answer.raise_for_status()
