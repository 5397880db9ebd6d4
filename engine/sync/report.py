"""How the sync of a tenant stands, for those who run it; it asks for a walk, it walks none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.clock import Clock, Ids
from engine.domain.ids import ProductId, TenantId
from engine.domain.native import split_item
from engine.sync.ports import ItemState, ItemStates
from engine.sync.runs import Job, SyncRun, SyncRuns

MOST_ERRORS: Final = 1000


@dataclass(frozen=True, slots=True)
class SyncReport:
    """How far a sync is, or how it ended.

    Args:
        status: `blocked` when nothing goes on until a person mends it.
        done: products looked at so far.
        errors: by product, why Meta does not have it as it is, or not all of it.
        reason: what to mend.
    """

    status: Literal["running", "completed", "blocked"]
    total_products: int = 0
    synced: int = 0
    failed: int = 0
    errors: tuple[tuple[ProductId, str], ...] = ()
    done: int = 0
    reason: str = ""

    def answer(self) -> dict[str, object]:
        """Give it as operators read it."""
        answer: dict[str, object] = {
            "status": self.status,
            "total_products": self.total_products,
            "synced": self.synced,
            "failed": self.failed,
            "errors": [{"product_id": product, "error": why} for product, why in self.errors],
        }
        if self.status == "running":
            answer["done"] = self.done
        if self.reason:
            answer["reason"] = self.reason
        return answer


class SyncReports:
    """Starts the syncs of all tenants and tells how they stand.

    Args:
        states: gives what is known of a tenant's items.
        wake: lets this process look for work at once.
    """

    def __init__(
        self,
        *,
        runs: SyncRuns,
        states: Callable[[TenantId], ItemStates],
        clock: Clock,
        ids: Ids,
        wake: Callable[[], None],
    ) -> None:
        self._runs = runs
        self._states = states
        self._clock = clock
        self._ids = ids
        self._wake = wake

    async def start(self, tenant: TenantId, *, is_full: bool) -> bool:
        """Ask for a sync; False if one was asked for or under way, which is joined."""
        kind: Literal["full", "changed"] = "full" if is_full else "changed"
        job = Job(self._ids.token(), kind, requested_at=self._clock.now())
        taken = await self._runs.request(tenant, job)
        self._wake()
        return taken.id == job.id

    async def report(self, tenant: TenantId) -> SyncReport | None:
        """Tell how the sync under way stands, else how the last one ended; None without any."""
        run = await self._runs.get(tenant)
        if run is None:
            return None
        under_way = run.job or run.requested
        if under_way is None and run.last is None and run.alert is None:
            return None
        status, states = _status(run), self._states(tenant)
        summary = await states.summary()
        # A walk counts at its begin; what came or went since the last one is in the summary.
        total = under_way.total if under_way else 0
        return SyncReport(
            status=status,
            total_products=total or summary.synced + summary.failed + summary.waiting,
            synced=summary.synced,
            failed=summary.failed,
            errors=_by_product(await states.errors(MOST_ERRORS)),
            done=under_way.done if under_way else 0,
            reason=run.alert.sentence if run.alert and status != "running" else "",
        )


def _status(run: SyncRun) -> Literal["running", "completed", "blocked"]:
    # A walk that was asked for is tried whatever was wrong before it: it may have been mended.
    if run.alert and run.held_until and run.requested is None:
        return "blocked"
    return "running" if run.job or run.requested else "completed"


def _by_product(states: Sequence[ItemState]) -> tuple[tuple[ProductId, str], ...]:
    """Give one error for each product; the sizes it concerns are named."""
    found: dict[ProductId, dict[str, list[str]]] = {}
    for state in states:
        _, size = split_item(state.item)
        errors = found.setdefault(state.product, {})
        errors.setdefault(state.error or state.status, []).append(size or "")
    return tuple((product, _sentence(errors)) for product, errors in found.items())


def _sentence(errors: dict[str, list[str]]) -> str:
    told = []
    for error, sizes in errors.items():
        named = ", ".join(filter(None, sizes))
        told.append(f"{named}: {error}" if named else error)
    return "; ".join(told)
