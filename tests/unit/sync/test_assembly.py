"""Whatever happens in whatever order: at the end Meta has what is sold, once, and nothing else."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.clock import ManualClock, SeededIds
from engine.domain.ids import ProductId
from engine.ports import Business
from engine.sync.assembly import Surroundings, Sync
from engine.sync.item import Item, items_of
from engine.sync.ports import SINGLE, CatalogKey, Mark
from engine.sync.shop import page_links
from tests.memory import MemoryBusinesses
from tests.memory_sync import MemorySync
from tests.unit.sync.meta import Died, MemoryMeta
from tests.unit.sync.scene import DRINKS, NOON, NUMBERS, PIZZA, PIZZERIA, product
from tests.unit.sync.scene import settings as settings_of

IDS = ("prod:a", "prod:b", "prod:c")
FAULTS = ("away", "limited", "drop_after", "die_before", "die_after")
QUIET = timedelta(minutes=40)
"""Longer than two comparisons lie apart: then everything that nobody told of is found too."""


@dataclass(eq=False)
class Play:
    """A tenant, its sync and Meta, all in memory."""

    mode: str = "per_category"
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    database: MemorySync = field(default_factory=MemorySync)
    ids: SeededIds = field(default_factory=SeededIds)
    processes: int = 0
    life: int = 0
    """Writes after which the process dies; 0 while it does not."""

    def __post_init__(self) -> None:
        self.meta = MemoryMeta(self.clock)
        self.businesses = MemoryBusinesses(
            Business(
                tenant=PIZZERIA,
                name=PIZZERIA,
                phone_number_ids=(NUMBERS[PIZZERIA],),
                access_token="token",
                waba_id="1",
                fb_business_id="2",
            )
        )
        database = self.database
        for part, names in {
            database.states(PIZZERIA): ("put", "drop", "settle"),
            database.batches: ("add", "save"),
            database.marks: ("add", "done"),
            database.runs: ("save", "begin"),
            database.catalogs: ("save",),
            self.businesses: ("map_catalog",),
            self.meta: ("create_catalog", "create_set", "connect"),
        }.items():
            for name in names:
                setattr(part, name, self._mortal(getattr(part, name)))
        self.restart()

    def _mortal(self, write):
        """Let the process die after a write, if its time has come."""

        async def mortal(*given, **named):
            made = await write(*given, **named)
            self.life -= 1
            if self.life == 0:
                raise Died
            return made

        return mortal

    def restart(self) -> None:
        """Let another process go on."""
        self.life = 0
        self.processes += 1
        self.sync = Sync(
            Surroundings(
                database=self.database,
                businesses=self.businesses,
                settings=lambda tenant: settings_of(tenant, mode=self.mode),
                tenants=lambda: (PIZZERIA,),
                calls=lambda token: self.meta,
                public_url="https://shop.example",
                clock=self.clock,
                ids=self.ids,
                owner=f"process {self.processes}",
            )
        )

    @property
    def sold(self):
        return self.database.sellables(PIZZERIA)

    async def do(self, step) -> None:
        kind, *given = step
        await getattr(self, kind)(*given)

    async def sell(self, rid, category, price, sizes, has_image, is_told) -> None:
        made = product(rid, *sizes, category=category, price=price)
        self.sold.put(made if has_image else replace(made, image_url=None))
        await self.tell(rid, is_told)

    async def stop(self, rid, is_told) -> None:
        self.sold.held.pop(ProductId(rid), None)
        await self.tell(rid, is_told)

    async def tell(self, rid, is_told) -> None:
        if is_told:
            life, self.life = self.life, 0
            mark = Mark(self.ids.token(), PIZZERIA, ProductId(rid), self.clock.now())
            await self.database.marks.add([mark])
            self.life = life

    async def rounds(self, times) -> None:
        for _ in range(times):
            await self.look()
            self.clock.move(timedelta(seconds=1))

    async def look(self) -> None:
        await self.sync.worker.look()
        tasks = list(self.sync.worker._tasks.values())
        await self.sync.worker.idle()
        if any(isinstance(task.exception(), Died) for task in tasks):
            self.restart()

    async def work_off(self) -> None:
        self.meta.work_off()

    async def fault(self, kind) -> None:
        self.meta.faults.append(kind)

    async def die(self, writes) -> None:
        self.life = writes

    async def edit(self, price) -> None:
        """Change, or delete, everything Meta has by hand; it tells us."""
        self.life = 0
        for catalogue in self.meta.held.values():
            edited = tuple(catalogue.items)
            for item in edited:
                if price is None:
                    del catalogue.items[item]
                else:
                    catalogue.items[item] = {**catalogue.items[item], "price": price}
            await self.sync.news.items_changed(PIZZERIA, edited)

    async def restarted(self) -> None:
        self.restart()

    async def wait(self, seconds) -> None:
        self.clock.move(timedelta(seconds=seconds))

    async def switch(self) -> None:
        self.mode = "single" if self.mode == "per_category" else "per_category"

    async def walk(self, is_full) -> None:
        await self.sync.reports.start(PIZZERIA, is_full=is_full)

    async def lose_mapping(self) -> None:
        self.businesses.change(PIZZERIA, catalog_mapping=None)

    async def settle(self) -> None:
        """Let time pass while Meta works, and nobody changes anything."""
        self.meta.faults.clear()
        self.life = 0
        end = self.clock.now() + QUIET
        while self.clock.now() < end:
            await self.look()
            self.meta.work_off()
            run = self.database.runs.held[PIZZERIA].run
            soon = self.clock.now() + timedelta(seconds=1)
            due = soon if self.database.marks.held else max(run.due, soon)
            self.clock.set(min(due, end))

    def expected(self):
        """Give what Meta is to have, by catalogue."""
        tenant = settings_of(PIZZERIA, mode=self.mode)
        wanted: dict[CatalogKey, dict[str, object]] = {}
        for sellable in self.sold.held.values():
            key = SINGLE if self.mode == "single" else CatalogKey(sellable.category_id)
            links = page_links("https://shop.example", PIZZERIA)
            for each in items_of(sellable, tenant=tenant, links=links):
                if isinstance(each, Item):
                    wanted.setdefault(key, {})[each.item] = each.fields
        return wanted

    def found(self):
        keys = {c.catalog_id: key for (_, key), c in self.database.catalogs.held.items()}
        return {keys[id_]: c.items for id_, c in self.meta.held.items() if c.items}

    async def check(self) -> None:
        assert self.found() == self.expected()
        assert not self.database.marks.held
        assert not await self.database.batches.open(PIZZERIA)
        names = [catalogue.name for catalogue in self.meta.held.values()]
        assert len(names) == len(set(names))
        assert self.meta.exceeded == 0
        run = self.database.runs.held[PIZZERIA].run
        assert (run.job, run.requested, run.alert) == (None, None, None)
        assert run.due > self.clock.now()


def rarely(step):
    return st.one_of(st.just(("rounds", 0)), st.just(("rounds", 0)), step)


products = st.sampled_from(IDS)
sell = st.tuples(
    st.just("sell"),
    products,
    st.sampled_from([PIZZA, PIZZA, PIZZA, DRINKS]),
    st.sampled_from(["1", "2"]),
    st.sampled_from([(), (), ("small",), ("small", "large")]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([True, True, False]),
)
others = st.one_of(
    st.tuples(st.just("edit"), st.sampled_from(["0.01 USD", None])),
    st.tuples(st.just("restarted")),
    st.tuples(st.just("wait"), st.sampled_from([5, 70, 1000])),
    st.tuples(st.just("switch")),
    st.tuples(st.just("walk"), st.booleans()),
    st.tuples(st.just("lose_mapping")),
)
steps = st.tuples(
    st.one_of(sell, sell, st.tuples(st.just("stop"), products, st.booleans())),
    rarely(
        st.one_of(
            st.tuples(st.just("fault"), st.sampled_from(FAULTS)),
            st.tuples(st.just("die"), st.integers(1, 12)),
        )
    ),
    st.tuples(st.just("rounds"), st.integers(0, 3)),
    st.sampled_from([("rounds", 0), ("work_off",)]),
    rarely(others),
)


async def played(steps) -> None:
    play = Play()
    for rid in IDS:
        await play.do(("sell", rid, PIZZA, "1", (), True, True))
    await play.settle()
    for each in steps:
        await play.do(each)
    await play.settle()
    await play.check()


def at_price(rid, price):
    return ("sell", rid, PIZZA, price, (), True, True)


NEW = "prod:new"
SENT = [("rounds", 2)]


@pytest.mark.parametrize("accident", ["drop_after", "die_after"])
@pytest.mark.parametrize(
    "steps",
    [
        # Meta has taken another price, and nobody knows it; then it is the old one again.
        [at_price(IDS[0], "2"), "accident", *SENT, at_price(IDS[0], "1")],
        # Meta has taken something new, and nobody knows it; then it is no longer sold.
        [at_price(NEW, "2"), "accident", *SENT, ("stop", NEW, True)],
        [at_price(NEW, "2"), "accident", *SENT, ("stop", NEW, False), ("switch",)],
        # Meta has deleted something, and nobody knows it; then it is sold again.
        [("stop", IDS[0], True), "accident", *SENT, at_price(IDS[0], "1")],
    ],
)
async def test_what_nobody_knows_whether_meta_has_is_put_right(steps, accident):
    await played([("fault", accident) if step == "accident" else step for step in steps])


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=2, max_size=8))
def test_whatever_happens_meta_has_what_is_sold(days):
    asyncio.run(played([step for day in days for step in day]))
