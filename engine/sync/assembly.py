"""Puts the sync together from its ports; it opens nothing and starts nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from engine.clock import Clock, Ids
from engine.domain.ids import TenantId
from engine.domain.tenant import Tenant
from engine.ports import BusinessRepository
from engine.sync.calls import CatalogCalls
from engine.sync.catalogs import Catalogs
from engine.sync.connection import Connection
from engine.sync.drift import Drift
from engine.sync.feed import ChangeFeed
from engine.sync.follow import Follow
from engine.sync.marked import Marked
from engine.sync.news import News
from engine.sync.outgoing import Outgoing
from engine.sync.pace import Pace
from engine.sync.ports import Batches, SyncMarks, TenantCatalogs
from engine.sync.report import SyncReports
from engine.sync.rounds import Rounds
from engine.sync.runs import SyncRuns
from engine.sync.shop import Opened
from engine.sync.shops import Shops
from engine.sync.walk import Walk
from engine.sync.watcher import Watcher
from engine.sync.worker import SyncWorker


class SyncDatabase(Opened, Protocol):
    """The database as the sync sees it."""

    @property
    def marks(self) -> SyncMarks:
        """Give the products that may have changed."""
        ...

    @property
    def runs(self) -> SyncRuns:
        """Give the runs."""
        ...

    @property
    def batches(self) -> Batches:
        """Give the batches."""
        ...

    @property
    def catalogs(self) -> TenantCatalogs:
        """Give the catalogues."""
        ...

    @property
    def feed(self) -> ChangeFeed:
        """Give the change feed."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the sync works with.

    Args:
        settings: gives a tenant's own settings; None if it has no bundle that can be served.
        tenants: names the tenants that are served.
        calls: gives the Graph API's calls with an access token.
        public_url: where the product pages are.
        owner: this process's name, unlike any other's.
    """

    database: SyncDatabase
    businesses: BusinessRepository
    settings: Callable[[TenantId], Tenant | None]
    tenants: Callable[[], Iterable[TenantId]]
    calls: Callable[[str], CatalogCalls]
    public_url: str
    clock: Clock
    ids: Ids
    owner: str


class Sync:
    """The parts of the sync."""

    def __init__(self, around: Surroundings) -> None:
        database, clock, new_id = around.database, around.clock, around.ids.token
        self.shops = Shops(
            settings=around.settings,
            businesses=around.businesses,
            catalogs=database.catalogs,
            opened=database,
            calls=around.calls,
            public_url=around.public_url,
        )
        outgoing = Outgoing(
            catalogs=Catalogs(database.catalogs, around.businesses),
            batches=database.batches,
            pace=Pace(database.batches),
            clock=clock,
            new_id=new_id,
        )
        self.drift = Drift(marks=database.marks, clock=clock, new_id=new_id)
        self.rounds = Rounds(
            shops=self.shops,
            runs=database.runs,
            marks=database.marks,
            batches=database.batches,
            follow=Follow(database.batches, clock),
            marked=Marked(marks=database.marks, outgoing=outgoing, drift=self.drift, clock=clock),
            walk=Walk(outgoing=outgoing, marks=database.marks, clock=clock, new_id=new_id),
            drift=self.drift,
            connection=Connection(database.catalogs),
            clock=clock,
            new_id=new_id,
            stopped=lambda: self.worker.is_stopped(),
        )
        self.worker = SyncWorker(
            tenants=around.tenants,
            runs=database.runs,
            marks=database.marks,
            rounds=self.rounds,
            clock=clock,
            owner=around.owner,
        )
        self.watcher = Watcher(
            feed=database.feed,
            marks=database.marks,
            runs=database.runs,
            tenants=around.tenants,
            clock=clock,
            owner=around.owner,
            new_id=new_id,
            stir=self.worker.stir,
        )
        self.reports = SyncReports(
            runs=database.runs,
            states=database.states,
            clock=clock,
            ids=around.ids,
            wake=self.worker.wake,
        )
        self.news = News(
            catalogs=database.catalogs,
            batches=database.batches,
            marks=database.marks,
            runs=database.runs,
            clock=clock,
            ids=around.ids,
            wake=self.worker.wake,
        )
