"""The tenants' keys for Flow exchanges: sealed on disk, parsed once per process.

What is decrypted with them is not its business.
"""

import asyncio
from datetime import timedelta
from weakref import WeakValueDictionary

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.storage.cache import ExpiringCache
from engine.storage.connection import Database, reachable
from engine.storage.meta_records import FlowKeyDocument
from engine.storage.secrets import Vault
from engine.whatsapp.flow_crypto import FlowKey

ALWAYS = timedelta(days=36_500)
"""Longer than a process lives: parsing a key takes 40 ms, and it does not change by itself."""


class MongoFlowKeys:
    """The tenants' private keys, with a cache per process: `engine.flow_ports.FlowKeys`.

    Args:
        default: the key of tenants that have none of their own.
        ttl: seconds a key, or that there is none, is believed.
        size: most keys kept.
    """

    def __init__(
        self,
        database: Database,
        *,
        vault: Vault,
        clock: Clock,
        default: FlowKey | None = None,
        ttl: float = 300,
        size: int = 1000,
    ) -> None:
        self._rows = database.collection(FlowKeyDocument)
        self._vault = vault
        self._clock = clock
        self._default = default
        self._ttl = timedelta(seconds=ttl)
        self._believed: ExpiringCache[TenantId, FlowKey | None] = ExpiringCache(size, clock)
        self._parsed: ExpiringCache[TenantId, tuple[str, FlowKey]] = ExpiringCache(size, clock)
        self._locks: WeakValueDictionary[TenantId, asyncio.Lock] = WeakValueDictionary()

    async def get(self, tenant: TenantId) -> FlowKey | None:
        """Give a tenant's key, parsed once; the one for all tenants if it has none of its own.

        Raises:
            EngineError: it cannot be opened.
        """
        held = self._believed.get(tenant)
        if held is not None:
            return held[0]
        # Of a hundred exchanges that come at once, one reads and parses it.
        async with self._lock(tenant):
            held = self._believed.get(tenant)
            return await self._read(tenant) if held is None else held[0]

    async def renew(self, tenant: TenantId) -> FlowKey | None:
        """Give it as it is stored now: another process may have replaced it.

        Raises:
            EngineError: it cannot be opened.
        """
        async with self._lock(tenant):
            return await self._read(tenant)

    async def save(self, tenant: TenantId, key: FlowKey) -> None:
        """Store a tenant's key, sealed."""
        sealed = self._vault.seal(key.private_pem)
        document = {
            "_id": tenant,
            "privateKey": sealed,
            "publicKey": key.public_pem,
            "fingerprint": key.fingerprint,
            "createdAt": self._clock.now(),
        }
        async with self._lock(tenant):
            self._believed.purge(lambda name, _: name == tenant)
            with reachable():
                await self._rows.replace_one({"_id": tenant}, document, upsert=True)
            self._parsed.put(tenant, (sealed, key), ttl=ALWAYS)

    def _lock(self, tenant: TenantId) -> asyncio.Lock:
        return self._locks.setdefault(tenant, asyncio.Lock())

    async def _read(self, tenant: TenantId) -> FlowKey | None:
        with reachable():
            found = await self._rows.find_one({"_id": tenant}, {"privateKey": 1})
        key = self._default if found is None else await self._open(tenant, found["privateKey"])
        self._believed.put(tenant, key, ttl=self._ttl)
        return key

    async def _open(self, tenant: TenantId, sealed: str) -> FlowKey:
        held = self._parsed.get(tenant)
        if held is not None and held[0][0] == sealed:
            return held[0][1]
        try:
            pem = self._vault.open(sealed)
            key = await asyncio.to_thread(FlowKey.parse, pem)
        except EngineError as exc:
            raise EngineError(f"the Flow key of '{tenant}' cannot be used: {exc}") from exc
        self._parsed.put(tenant, (sealed, key), ttl=ALWAYS)
        return key
