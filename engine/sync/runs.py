"""How far the sync of each tenant is, as a protocol and its values; nothing is decided here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from engine.domain.ids import ProductId, TenantId
from engine.sync.ports import CatalogKey


@dataclass(frozen=True, slots=True)
class Job:
    """A walk over everything a tenant sells.

    Args:
        kind: `changed` sends what differs from what Meta was given, `full` sends everything,
            `verify` sends what differs from what Meta has.
        total: products to look at.
        done: products looked at.
        shelf: the catalogue the walk is in.
        position: the product it has done last there.
        walked: everything was looked at; what remains are open batches.
    """

    id: str
    kind: Literal["changed", "full", "verify"]
    requested_at: datetime
    started_at: datetime | None = None
    total: int = 0
    done: int = 0
    shelf: CatalogKey | None = None
    position: ProductId | None = None
    walked: bool = False
    finished_at: datetime | None = None

    def covers(self, other: "Job") -> bool:
        """Tell whether it does what another one would do, and perhaps more."""
        kinds = ("changed", "verify", "full")
        return kinds.index(self.kind) >= kinds.index(other.kind)


@dataclass(frozen=True, slots=True)
class Alert:
    """What keeps a tenant from being synced until a person mends it.

    Args:
        token: fingerprint of the access token it was met with.
    """

    code: int
    sentence: str
    since: datetime
    token: str = ""


@dataclass(frozen=True, slots=True)
class SyncRun:
    """How far the sync of a tenant is.

    Args:
        due: when there is something to do, even without marks.
        job: the walk under way.
        last: the walk that was finished last.
        requested: the walk somebody asked for, to begin next.
        failures: calls in a row that Meta did not take.
        held_until: nothing is asked of Meta before it.
    """

    tenant: TenantId
    due: datetime
    job: Job | None = None
    last: Job | None = None
    requested: Job | None = None
    failures: int = 0
    held_until: datetime | None = None
    alert: Alert | None = None
    compared_at: datetime | None = None
    verified_at: datetime | None = None

    def joined(self, job: Job) -> Job | None:
        """Give the walk a request joins: one that does as much, and is not kept by an alert."""
        if self.requested is not None:
            return self.requested if self.requested.covers(job) else None
        is_going = self.job is not None and self.job.finished_at is None and not self.is_blocked
        return self.job if is_going and self.job and self.job.covers(job) else None

    @property
    def is_blocked(self) -> bool:
        """Tell whether nothing goes on until a person mends it; some alerts only say something."""
        return self.alert is not None and self.held_until is not None


class SyncRuns(Protocol):
    """The runs of all tenants; one process at a time works on a tenant."""

    async def get(self, tenant: TenantId) -> SyncRun | None:
        """Give a tenant's run."""
        ...

    async def due(self, *, now: datetime, limit: int) -> tuple[TenantId, ...]:
        """Name the tenants that are due and nobody works on, the longest waiting first."""
        ...

    async def claim(
        self, tenant: TenantId, *, owner: str, now: datetime, until: datetime
    ) -> SyncRun | None:
        """Take a tenant, making its run if there is none; None while another process has it."""
        ...

    async def save(self, run: SyncRun, *, owner: str, until: datetime) -> None:
        """Write a run and stay its owner; `requested` is left as it is stored.

        Raises:
            Conflict: another process has taken the tenant over.
        """
        ...

    async def begin(self, run: SyncRun, *, owner: str) -> None:
        """Write a run whose `job` is the stored `requested` one, and clear that.

        Raises:
            Conflict: another process has taken the tenant over.
        """
        ...

    async def release(self, tenant: TenantId, *, owner: str) -> None:
        """Let others have a tenant."""
        ...

    async def request(self, tenant: TenantId, job: Job) -> Job:
        """Ask for a walk now.

        Returns:
            The job, or the one that is requested already or under way, which is joined if it
            does as much (`SyncRun.joined`).
        """
        ...

    async def wake(self, tenant: TenantId, *, at: datetime) -> None:
        """Let a tenant be due at a time, if it is not earlier."""
        ...
