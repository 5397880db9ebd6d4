"""What Meta says of its catalogues becomes marks and jobs; comparing is the worker's."""

from collections.abc import Callable, Collection

from engine.clock import Clock, Ids
from engine.domain.ids import TenantId
from engine.domain.native import split_item
from engine.sync.ports import Batches, Mark, SyncMarks, TenantCatalogs
from engine.sync.runs import Job, SyncRuns


class News:
    """Tells the sync what changed at Meta: `engine.runtime.commerce.CatalogNews`.

    Args:
        wake: lets this process look for work at once.
    """

    def __init__(
        self,
        *,
        catalogs: TenantCatalogs,
        batches: Batches,
        marks: SyncMarks,
        runs: SyncRuns,
        clock: Clock,
        ids: Ids,
        wake: Callable[[], None],
    ) -> None:
        self._catalogs = catalogs
        self._batches = batches
        self._marks = marks
        self._runs = runs
        self._clock = clock
        self._ids = ids
        self._wake = wake

    async def batch_finished(self, catalog_id: str, handle: str) -> bool:
        """Ask for a batch soon; tell whether it is one of ours."""
        now = self._clock.now()
        tenant = await self._batches.hurry(catalog_id, handle, at=now)
        if tenant is None:
            return False
        await self._runs.wake(tenant, at=now)
        self._wake()
        return True

    async def items_changed(self, tenant: TenantId, items: Collection[str]) -> None:
        """Let the products of items be compared with what Meta has, each once."""
        now = self._clock.now()
        products = dict.fromkeys(split_item(item)[0] for item in items)
        marks = [
            Mark(self._ids.token(), tenant, product, now, kind="verify")
            for product in products
            if product
        ]
        if marks:
            await self._marks.add(marks)
            self._wake()

    async def catalog_changed(self, tenant: TenantId) -> None:
        """Let everything a tenant sells be compared with what Meta has."""
        job = Job(self._ids.token(), "verify", requested_at=self._clock.now())
        await self._runs.request(tenant, job)
        self._wake()

    async def tenant_of(self, catalog_id: str) -> TenantId | None:
        """Name the tenant that a catalogue is of."""
        return await self._catalogs.tenant_of(catalog_id)
