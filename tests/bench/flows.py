"""Flow exchanges per second and how long an answer takes, beside a hand-written handler.

Both are served by uvicorn in a process of their own, over one database server, with the real
encryption; customers make products their own, alone and many at the same time. What they send is
encrypted before the clock runs, and what they get is decrypted afterwards.
"""

import asyncio
import secrets
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.clock import SystemClock
from engine.flow_ports import FlowSession
from engine.storage.connection import Database, Json
from engine.storage.conversations import conversation_to_disk
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.flow_sessions import session_to_disk
from engine.storage.records import ConversationDocument, FlowSessionDocument
from engine.storage.secrets import Vault
from engine.whatsapp.flow_crypto import FlowKey
from tests.bench.flow_clients import Phone, Took, asked, session_of
from tests.bench.flow_journey import NAMES, Visit, play
from tests.bench.journey import TENANT, Shop
from tests.bench.measure import Row, Spread, in_turn
from tests.bench.served import SECRET
from tests.bench.serving import (
    Phones,
    Server,
    bench_database,
    seed_shop,
    served_side,
    standing_in,
)

ROUNDS = 4
LONGEST_SECONDS = 1.0
"""The 99th percentile of every screen."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """How many customers there are at the same time, and how many visits each makes in a round."""

    customers: int
    visits: int

    def __str__(self) -> str:
        return f"{self.customers} customer{'s' if self.customers > 1 else ''}"


CROWDS = (Crowd(1, 25), Crowd(16, 4))


async def measure() -> list[Row]:
    """Measure it."""
    shop, key = Shop.open(), FlowKey.generate()
    visits = await play(shop)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-bench-"))
        uri = await stack.enter_async_context(bench_database(Path(folder)))
        graph = await stack.enter_async_context(standing_in(Phones().web))
        sides = []
        for name, program in (("engine", "served"), ("handwritten", "flow_served")):
            await seed_shop(uri, name, shop)
            database = await stack.enter_async_context(Database(uri, name=name))
            keys = MongoFlowKeys(database, vault=Vault(SECRET), clock=SystemClock())
            await keys.save(TENANT, key)
            beginning = served_side(name, uri, graph, program=program)
            server = await stack.enter_async_context(beginning)
            sides.append(Side(server, database, visits, key.public_pem))
        ours, theirs = sides
        rows = [row for crowd in CROWDS for row in await _beside(ours, theirs, crowd)]
    return [*rows, _cpu(ours, theirs), _commands(ours, theirs)]


async def _beside(ours: "Side", theirs: "Side", crowd: Crowd) -> list[Row]:
    for side in (ours, theirs):
        side.took.clear()
    pair = await in_turn(lambda: ours.play(crowd), lambda: theirs.play(crowd), rounds=ROUNDS)
    mine, other = pair.medians
    throughput = Row(
        f"exchanges a second, {crowd}", f"{mine:.0f}/s", f"{other:.0f}/s hand-written", pair.more
    )
    return [throughput, *(_answer_time(ours, theirs, crowd, name) for name in NAMES)]


def _answer_time(ours: "Side", theirs: "Side", crowd: Crowd, name: str) -> Row:
    mine, other = Spread.of(ours.times(name)), Spread.of(theirs.times(name))
    return Row(
        f"  {name}: median / 95th / 99th percentile", f"{mine} ms", f"{other} ms hand-written",
        other.median / mine.median, f"99th < {LONGEST_SECONDS:g} s", mine.high < LONGEST_SECONDS,
    )  # fmt: skip


def _cpu(ours: "Side", theirs: "Side") -> Row:
    mine, other = (1000 * side.cpu / side.exchanges for side in (ours, theirs))
    return Row(
        "the server's own CPU time per exchange", f"{mine:.2f} ms", f"{other:.2f} ms hand-written",
        other / mine,
    )  # fmt: skip


def _commands(ours: "Side", theirs: "Side") -> Row:
    mine, other = (side.commands.total() / side.exchanges for side in (ours, theirs))
    return Row("database commands per exchange", f"{mine:.2f}", f"{other:.2f} hand-written")


@dataclass(slots=True)
class Side:
    """One of the two that are held against each other, and what it has used.

    Args:
        took: the answer times of each round; the first one warms up.
    """

    server: Server
    database: Database
    visits: tuple[Visit, ...]
    public_pem: str
    played: int = 0
    exchanges: int = 0
    cpu: float = 0.0
    commands: Counter[str] = field(default_factory=Counter)
    took: list[list[Took]] = field(default_factory=list)

    def times(self, name: str) -> list[float]:
        """Give the answer times of a screen's exchanges."""
        return [each.seconds for took in self.took[1:] for each in took if each.name == name]

    async def play(self, crowd: Crowd) -> float:
        """Let customers use the Flow at the same time; give the exchanges per second."""
        opened = await self._open(crowd.customers * crowd.visits)
        ready = [asked(visit, session, self.public_pem) for visit, session in opened]
        phones = [await Phone.connect(self.server.url) for _ in range(crowd.customers)]
        await self.server.figures()
        begin = time.perf_counter()
        await asyncio.gather(
            *(phone.play(ready[n :: len(phones)]) for n, phone in enumerate(phones))
        )
        spent = time.perf_counter() - begin
        figures = await self.server.figures()
        for phone in phones:
            await phone.close()
        self.took.append([took for phone in phones for took in phone.took])
        count = len(self.took[-1])
        self.exchanges += count
        self.cpu += figures["cpu"]
        self.commands.update(figures["commands"])
        return count / spent

    async def _open(self, count: int) -> list[tuple[Visit, FlowSession]]:
        """Open Flow sessions as the chat does when it sends the Flow: one per customer."""
        first, self.played = self.played, self.played + count
        opened = []
        for number in range(first, first + count):
            visit = self.visits[number % len(self.visits)]
            opened.append((visit, session_of(visit, number, secrets.token_hex(12))))
        await self._insert(ConversationDocument, [_talk(*each) for each in opened])
        await self._insert(FlowSessionDocument, [session_to_disk(each) for _, each in opened])
        return opened

    async def _insert(self, document, rows: list[Json]) -> None:
        owned = [row | {"tenant": TENANT} for row in rows]
        await self.database.collection(document).insert_many(owned)


def _talk(visit: Visit, session: FlowSession) -> Json:
    user_id = str(session.customer)
    phone = user_id.partition(".")[2]
    return conversation_to_disk(
        replace(visit.talk, customer=session.customer, user_id=user_id, phone=phone)
    )
