"""A database in which much is stored already: conversations, and inbox rows that are done.

Rows are inserted as the storage layer writes them; what a turn adds to a row that it finishes is
taken from one that a turn has finished.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from beanie import Document

from engine.domain.ids import CustomerKey
from engine.domain.money import Currency
from engine.storage.connection import Database, Json
from engine.storage.conversations import conversation_to_disk
from engine.storage.embedded import EmbeddedServer
from engine.storage.inbox import MongoInbox, row_to_disk
from engine.storage.records import ConversationDocument, InboxDocument
from engine.storage.repositories import MongoTenantStore
from tests.bench.journey import TENANT, Shop, Step
from tests.bench.serving import seed_shop

NAME = "engine"
BATCH = 1000
START_SECONDS = 300.0
STALLED_SECONDS = 120.0
"""So long the server may be busy with itself while it is filled."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is stored.

    Args:
        rows: of the inbox, done.
    """

    conversations: int
    rows: int = 0

    def __str__(self) -> str:
        rows = f", {self.rows:,} inbox rows" if self.rows else ""
        return f"{self.conversations:,} conversations{rows}"


def phone_of(number: int) -> str:
    """Give the phone number of a customer whose conversation is stored."""
    return f"1555{number:07}"


async def fill(folder: Path, amount: Amount, shop: Shop, steps: Sequence[Step]) -> EmbeddedServer:
    """Fill a server and stop it: what filling left in its memory must not be measured.

    Conversation n stands where the journey is after step n, again and again from the beginning.
    """
    server = EmbeddedServer(folder, start_within=START_SECONDS)
    await server.start()
    try:
        await seed_shop(server.uri, NAME, shop)
        async with Database(server.uri, name=NAME, answer_within=STALLED_SECONDS) as database:
            finished = await _finish_one(database, shop, steps[0])
            await _insert(database, ConversationDocument, amount.conversations, _talks(steps))
            await _insert(database, InboxDocument, amount.rows, _rows(steps[0], finished, amount))
    finally:
        await server.stop(within=STALLED_SECONDS)
    return server


async def _finish_one(database: Database, shop: Shop, step: Step) -> Json:
    """Store a message and its turn; give the row that is left."""
    currency = Currency(shop.bundle.tenant.currency)
    store = MongoTenantStore(database, tenant=TENANT, currency=currency)
    await MongoInbox(database).accept([step.row])
    await store.commit(replace(step.record, outbox=()))
    found = await database.collection(InboxDocument).find_one({"_id": step.row.id})
    assert found is not None
    return found


def _talks(steps: Sequence[Step]) -> Callable[[int], Json]:
    def talk(number: int) -> Json:
        phone = phone_of(number)
        user_id = f"US.{phone}"
        stands = steps[number % len(steps)].record.conversation
        own = replace(stands, customer=CustomerKey(user_id), user_id=user_id, phone=phone)
        return conversation_to_disk(own) | {"tenant": TENANT}

    return talk


def _rows(step: Step, finished: Json, amount: Amount) -> Callable[[int], Json]:
    fresh = row_to_disk(step.row)
    added = {key: value for key, value in finished.items() if fresh.get(key) != value}

    def row(number: int) -> Json:
        customer = CustomerKey(f"US.{phone_of(number % amount.conversations)}")
        own = replace(step.row, id=f"{step.row.id}.{number:08}", customer=customer)
        written = row_to_disk(own) | added
        return {key: value for key, value in written.items() if key in finished}

    return row


async def _insert(
    database: Database, document: type[Document], count: int, make: Callable[[int], Json]
) -> None:
    rows = database.collection(document)
    for batch in _batches(count, make):
        await rows.insert_many(batch, ordered=False)
        # The next batch is made while others have their turn, too.
        await asyncio.sleep(0)


def _batches(count: int, make: Callable[[int], Json]) -> Iterator[list[Json]]:
    for first in range(0, count, BATCH):
        yield [make(number) for number in range(first, min(first + BATCH, count))]
