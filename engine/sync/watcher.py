"""The watcher: turns what changes in the database into marks; one process at a time does it."""

from collections.abc import Callable, Iterable

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.runtime.following import Following
from engine.sync.feed import ChangeFeed, Changes
from engine.sync.ports import Mark, SyncMarks
from engine.sync.runs import Job, SyncRuns


class Watcher:
    """Follows the change feed while this process has it.

    Where the database does not let itself be followed, the walks find what has changed, only
    later: see COMPARE_EVERY.

    Args:
        tenants: names the tenants that are served.
        stir: is called when there are new marks.
    """

    def __init__(
        self,
        *,
        feed: ChangeFeed,
        marks: SyncMarks,
        runs: SyncRuns,
        tenants: Callable[[], Iterable[TenantId]],
        clock: Clock,
        owner: str,
        new_id: Callable[[], str],
        stir: Callable[[], None],
    ) -> None:
        self._feed = feed
        self._marks = marks
        self._runs = runs
        self._tenants = tenants
        self._clock = clock
        self._new_id = new_id
        self._stir = stir
        self._following: Following[Changes] = Following(
            feed,
            about="products",
            owner=owner,
            clock=clock,
            take=self._mark,
            lost=self._compare_all,
        )

    async def run(self) -> None:
        """Follow the feed until stopped."""
        await self._following.run()

    async def step(self) -> bool:
        """Take the changes there are, or wait for some; False if another process has the feed.

        Raises:
            Unavailable: the database does not answer.
        """
        return await self._following.step()

    async def drain(self) -> None:
        """Stop following."""
        self._following.stop()

    async def _mark(self, changes: Changes) -> None:
        found = await self._feed.products_of(changes)
        now = self._clock.now()
        # Before the place in the feed is noted: what is marked twice is compared once.
        await self._marks.add([Mark(self._new_id(), t, p, now) for t, p in found])
        self._stir()

    async def _compare_all(self) -> None:
        now = self._clock.now()
        for tenant in self._tenants():
            await self._runs.request(tenant, Job(self._new_id(), "changed", now))
