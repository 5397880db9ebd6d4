"""What a turn costs when much is stored, beside what it costs when little is.

Each amount has an embedded server of its own and an engine that is served over it; the same
customers play the journey on both in turn, one after the other, from where their stored
conversations stand.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from engine.box_ports import OutboxEntry
from engine.sandbox.webhooks import Sent, encode, status_webhook
from engine.whatsapp.signature import sign
from tests.bench.journey import Caller, Shop, Step
from tests.bench.measure import Pair, Row, in_turn
from tests.bench.processes import cpu_seconds
from tests.bench.served import SECRET
from tests.bench.serving import PATIENCE, Phones, Server, served_side, standing_in
from tests.bench.stored import NAME, Amount, fill, phone_of

FEW = Amount(1_000)
MANY = Amount(100_000)
ROWS = 1_000_000
ROUNDS = 9
CUSTOMERS = 2
"""Who play in one round."""
MOST_TIMES = 1.2
SWEEP_SECONDS = 600
"""When the embedded server first looks for what has expired: it reads everything, and serves
nobody meanwhile (`engine.storage.embedded_server`)."""


async def measure(rows: int = ROWS) -> list[Row]:
    """Measure it.

    Args:
        rows: of the inbox, done, in the largest database.
    """
    shop = Shop.open()
    steps = await shop.play()
    amounts = (FEW, MANY, Amount(FEW.conversations, rows))
    async with AsyncExitStack() as stack:
        phones = Phones()
        graph = await stack.enter_async_context(standing_in(phones.web))
        databases = []
        for amount in amounts:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-bench-"))
            begin = time.perf_counter()
            databases.append(await fill(Path(folder), amount, shop, steps))
            took = time.perf_counter() - begin
            print(f"bench: growth: {amount} stored in {took:.0f} s", file=sys.stderr)
        begin, sides = time.perf_counter(), []
        for amount, database in zip(amounts, databases, strict=True):
            await stack.enter_async_context(database)
            served = await stack.enter_async_context(served_side(NAME, database.uri, graph))
            sides.append(Side(amount, served, database.pid or 0, phones, shop, steps))
        few, *others = sides
        told = [row for other in others for row in await _beside(other, few)]
        if time.perf_counter() - begin > SWEEP_SECONDS:
            raise SystemExit("the bench took so long that a database swept meanwhile: no figures")
        return told


async def _beside(much: "Side", little: "Side") -> list[Row]:
    for side in (much, little):
        side.costs.clear()
    await in_turn(much.play, little.play, rounds=ROUNDS)
    told = f"a turn with {much.amount}"
    return [
        _row(f"{told}, end to end", much, little, "whole"),
        _row("  its database commands", much, little, "commands"),
        _row("  CPU time of engine and database", much, little, "cpu"),
    ]


def _row(what: str, much: "Side", little: "Side", name: str) -> Row:
    pair = Pair(much.figures(name), little.figures(name))
    ours, theirs = pair.medians
    return Row(
        what, f"{1000 * ours:.2f} ms ({pair.more:.2f} x)", f"{1000 * theirs:.2f} ms with few",
        pair.less, f"<= {MOST_TIMES:g} x", pair.more <= MOST_TIMES,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """What a turn cost, in seconds, on the average of a round.

    Args:
        whole: from the webhook until Meta has the messages and has told that they arrived.
        commands: the time of all database commands; some run at the same time.
        cpu: of the engine's and the database server's process.
    """

    whole: float
    commands: float
    cpu: float


@dataclass(slots=True)
class Side:
    """An engine over a database with so much in it.

    Args:
        database: number of the server's process.
        costs: of each round; the first one warms up.
    """

    amount: Amount
    served: Server
    database: int
    phones: Phones
    shop: Shop
    steps: Sequence[Step]
    rounds: int = 0
    costs: list[Cost] = field(default_factory=list)

    def figures(self, name: str) -> tuple[float, ...]:
        """Give a figure of every round but the first."""
        return tuple(getattr(cost, name) for cost in self.costs[1:])

    async def play(self) -> float:
        """Let customers play the journey one after the other; give the seconds of a turn."""
        await self.served.figures()
        cpu = cpu_seconds(self.database)
        async with httpx.AsyncClient(base_url=self.served.url, timeout=PATIENCE) as http:
            begin = time.perf_counter()
            for number in range(CUSTOMERS):
                await self._customer(http, self._phone(self.rounds * CUSTOMERS + number))
            whole = time.perf_counter() - begin
        figures = await self.served.figures()
        cpu = cpu_seconds(self.database) - cpu + figures["cpu"]
        turns = CUSTOMERS * (len(self.steps) - 1)
        self.rounds += 1
        self.costs.append(Cost(whole / turns, figures["database"] / turns, cpu / turns))
        return whole / turns

    def _phone(self, number: int) -> str:
        """Give somebody who has taken the first step, each time far from the last one."""
        players = self.amount.conversations // len(self.steps)
        everybody = 2 * (ROUNDS + 1) * CUSTOMERS
        return phone_of(number * players // everybody * len(self.steps))

    async def _customer(self, http: httpx.AsyncClient, phone: str) -> None:
        caller = Caller(self.shop.number(), phone)
        for place, step in enumerate(self.steps[1:], start=1):
            wamid = f"wamid.{phone}.{place:04}"
            now = self.shop.clock.now()
            await _post(http, caller.webhook(step.wire, wamid=wamid, at=now))
            said = [entry for entry in step.record.outbox if entry.said]
            await self.phones.receives(phone, len(said))
            for entry in said:
                # Without it the next message waits five seconds, if this one has an image.
                opaque = f"{caller.number.phone_number_id}:{wamid}" + _place(entry, step)
                payload = {**entry.payload, "biz_opaque_callback_data": opaque}
                sent = Sent(self.phones.wamids[opaque], caller.number, caller.person, payload)
                await _post(http, encode(status_webhook(sent, "delivered", at=now)))


def _place(entry: OutboxEntry, step: Step) -> str:
    """Give the end of an entry's id, which is the same for every customer."""
    return entry.id.removeprefix(step.row.id)


async def _post(http: httpx.AsyncClient, body: bytes) -> None:
    headers = {"X-Hub-Signature-256": sign(body, SECRET)}
    (await http.post("/whatsapp_response", content=body, headers=headers)).raise_for_status()
