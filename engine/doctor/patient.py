"""What checks look at: the installation, and each tenant; what several of them ask is asked once.

Nothing is judged here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
from pydantic import SecretStr

from engine.clock import Clock
from engine.deployment.calls import FlowCalls
from engine.deployment.content import FlowContent
from engine.deployment.deployer import Deployer
from engine.deployment.doctor import FlowDoctor, Item
from engine.domain.ids import TenantId
from engine.domain.money import Currency
from engine.errors import EngineError
from engine.graph.accounts import Access, GraphAccounts
from engine.graph.catalogs import GraphCatalogs
from engine.graph.client import GraphClient
from engine.graph.flow_ping import FlowPing
from engine.graph.flows import GraphFlows
from engine.ports import Business
from engine.settings import Settings
from engine.spec.bundle import Bundle
from engine.spec.problems import SpecError
from engine.storage.businesses import MongoBusinesses
from engine.storage.connection import Database, Json
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.inspection import ServerFacts, business_row, server_facts
from engine.storage.menu_inspection import MenuFacts, menu_facts
from engine.storage.repositories import MongoTenantStore
from engine.storage.secrets import Vault
from engine.whatsapp.flow_crypto import FlowKey

T = TypeVar("T")


class Once(Generic[T]):
    """Asks something when it is first wanted, and gives everybody the same answer."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        self._ask = ask
        self._asked: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        """Give the answer, or raise what asking raised."""
        if self._asked is None:
            self._asked = asyncio.ensure_future(self._ask())
        # One who waits too long must not take it from the others.
        return await asyncio.shield(self._asked)

    def forget(self) -> None:
        """Ask anew next time."""
        self._asked = None


@dataclass(frozen=True, slots=True)
class Means:
    """What checks work with.

    Args:
        bundles: of each tenant, or what is wrong with its files.
        database: connected or not.
        http: asks PUBLIC_URL.
        default_key: the Flow key of tenants that have none of their own.
        is_embedded: the database was started for this command.
    """

    settings: Settings
    bundles: Mapping[TenantId, Bundle | SpecError]
    database: Database
    graph: GraphClient
    http: httpx.AsyncClient
    clock: Clock
    default_key: FlowKey | None
    is_embedded: bool = False


class Installation:
    """What is the same for all tenants."""

    def __init__(self, means: Means) -> None:
        self.means = means
        self.settings = means.settings
        self.database = means.database
        self.clock = means.clock
        self.is_embedded = means.is_embedded
        self.server: Once[ServerFacts] = Once(lambda: server_facts(means.database, means.clock))

    @property
    def vault(self) -> Vault:
        """Give what opens sealed tokens.

        Raises:
            SettingsError: ENCRYPTION_SECRET is not set.
        """
        return Vault(*self.settings.encryption_secrets())

    def secrets(self) -> frozenset[str]:
        """Give every text of the settings that must not be printed."""
        values = (getattr(self.settings, name) for name in type(self.settings).model_fields)
        found = {each.get_secret_value() for each in values if isinstance(each, SecretStr)}
        return frozenset(found - {""})

    def forget(self) -> None:
        """Ask everything anew."""
        self.server.forget()


class Patient:
    """A tenant as its checks see it."""

    def __init__(self, installation: Installation, tenant: TenantId) -> None:
        self.installation = installation
        self.means = installation.means
        self.tenant = tenant
        self._businesses: MongoBusinesses | None = None
        self._token = ""
        self.row: Once[Json | None] = Once(self._ask_row)
        self.business: Once[Business] = Once(self._ask_business)
        self.access: Once[Access | None] = Once(self._ask_access)
        self.menu: Once[MenuFacts] = Once(self._ask_menu)
        self.flows: Once[tuple[Item, ...]] = Once(self._ask_flows)

    def forget(self) -> None:
        """Ask everything anew: something was mended."""
        self._businesses = None
        asked: tuple[Once[Any], ...] = (
            self.row, self.business, self.access, self.menu, self.flows,
        )  # fmt: skip
        for each in asked:
            each.forget()

    def secrets(self) -> frozenset[str]:
        """Give every text of the tenant that must not be printed."""
        return frozenset({self._token} - {""})

    @property
    def bundle(self) -> Bundle:
        """Give what the tenant's files make.

        Raises:
            SpecError: they are wrong.
        """
        made = self.means.bundles[self.tenant]
        if isinstance(made, SpecError):
            raise made
        return made

    @property
    def businesses(self) -> MongoBusinesses:
        """Give the tenants' documents.

        Raises:
            SettingsError: ENCRYPTION_SECRET is not set.
        """
        if self._businesses is None:
            self._businesses = MongoBusinesses(
                self.means.database, vault=self.installation.vault, clock=self.means.clock
            )
        return self._businesses

    @property
    def keys(self) -> MongoFlowKeys:
        """Give the Flow keys."""
        return MongoFlowKeys(
            self.means.database,
            vault=self.installation.vault,
            clock=self.means.clock,
            default=self.means.default_key,
        )

    async def accounts(self) -> GraphAccounts:
        """Give the calls about tokens, numbers and subscriptions, with the tenant's token."""
        return GraphAccounts(self.means.graph, (await self.business()).access_token)

    async def catalogs(self) -> GraphCatalogs:
        """Give the calls about catalogues, with the tenant's token."""
        return GraphCatalogs(self.means.graph, (await self.business()).access_token)

    async def flow_calls(self) -> FlowCalls:
        """Give the calls about Flows, with the tenant's token."""
        return GraphFlows(self.means.graph, (await self.business()).access_token)

    async def _ask_row(self) -> Json | None:
        return await business_row(self.means.database, self.tenant)

    async def _ask_business(self) -> Business:
        business = await self.businesses.by_tenant(self.tenant)
        if business is None:
            raise EngineError("it is not in the database")
        self._token = business.access_token
        return business

    async def _ask_access(self) -> Access | None:
        return await (await self.accounts()).access()

    async def _ask_menu(self) -> MenuFacts:
        return await menu_facts(self.means.database, self.tenant, self._currency())

    def _currency(self) -> Currency:
        try:
            return Currency(self.bundle.tenant.currency)
        except SpecError:
            # Prices are not shown here: whether they can be read does not depend on it.
            return Currency("USD")

    async def _ask_flows(self) -> tuple[Item, ...]:
        bundle = self.bundle
        settings, clock = self.means.settings, self.means.clock

        def store(of: TenantId) -> MongoTenantStore:
            currency = Currency(bundle.tenant.currency)
            return MongoTenantStore(self.means.database, tenant=of, currency=currency)

        deployer = Deployer(
            content=FlowContent(lambda _: bundle),
            businesses=self.businesses,
            keys=self.keys,
            stores=store,
            graph=lambda token: GraphFlows(self.means.graph, token),
            clock=clock,
            public_url=settings.public_url,
            is_development=not settings.is_meta(),
        )
        ping = FlowPing(settings.meta_app_secret.get_secret_value())
        return await FlowDoctor(deployer, ping).examine(self.tenant)
