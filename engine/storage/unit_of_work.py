"""The unit of work: everything one turn writes, in one transaction or not at all.

What is written was decided before; nothing is read here and nothing is retried but a commit whose
outcome is unknown.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from pymongo.asynchronous.client_session import AsyncClientSession

from engine.box_ports import InboxRow
from engine.charts.timers import HANDED_BACK
from engine.domain.conversation import Conversation
from engine.domain.ids import TenantId
from engine.domain.money import Currency
from engine.errors import Answered, Conflict
from engine.flow_ports import FlowSession
from engine.ports import TurnRecord
from engine.runtime.handoffs import handed_back
from engine.slots import slot_of
from engine.storage.carts import cart_to_disk
from engine.storage.connection import Database, Json
from engine.storage.conversations import conversation_id, conversation_to_disk
from engine.storage.flow_sessions import open_before, session_to_disk
from engine.storage.inbox import kept_until, row_to_disk
from engine.storage.orders import order_to_disk
from engine.storage.outbox import entry_to_disk
from engine.storage.recordings import Readings, packed
from engine.storage.records import RETENTION
from engine.storage.sync_marks import mark_to_disk
from engine.storage.tenancy import TenantCollection
from engine.storage.timers import timer_to_disk
from engine.storage.transactions import commit, transaction
from engine.storage.waiting import LONGEST_ERROR
from engine.sync.ports import Mark


@dataclass(frozen=True, slots=True)
class Tables:
    """The collections a turn writes to, as its tenant sees them."""

    inbox: TenantCollection
    conversations: TenantCollection
    carts: TenantCollection
    orders: TenantCollection
    products: TenantCollection
    outbox: TenantCollection
    timers: TenantCollection
    turns: TenantCollection
    flow_sessions: TenantCollection
    sync_marks: TenantCollection


class UnitOfWork:
    """Commits the turns of one tenant.

    Args:
        local_id: the Node back end's id of the shop, noted in orders.
        retention: how long the log of a turn is kept, and the message it is of.
    """

    def __init__(
        self,
        database: Database,
        tables: Tables,
        *,
        currency: Currency,
        local_id: str | None,
        retention: timedelta = RETENTION,
    ) -> None:
        self._retention = retention
        self._database = database
        self._tables = tables
        self._currency = currency
        self._local_id = local_id
        tenant = tables.conversations.tenant
        self._readings = Readings(database, tenant, retention=retention)

    async def commit(self, record: TurnRecord) -> None:
        """Write a turn in one transaction.

        Raises:
            Answered: the message is not new any more; nothing is written.
            Conflict: something else it builds on is no longer so; nothing is written.
            Unavailable: the database does not answer; it may be written.
        """
        _check_tenant(record, self._tables.conversations.tenant)
        log = turn_to_disk(record, retention=self._retention)
        if record.log.recording is not None:
            recording = packed(record.log.recording)
            log["recording"] = recording.part
            # Before the transaction: what is stored once is not the turn's own.
            await self._readings.keep(recording.texts, at=record.at)
        async with transaction(self._database) as session:
            await self._write(record, log, session)
            await commit(session)

    async def _write(self, record: TurnRecord, log: Json, session: AsyncClientSession) -> None:
        # What this conversation may be overtaken in comes first, what others are after last.
        if record.flow_done is not None:
            await self._finish_flow(record.flow_done, session)
        if record.has_inbox_row:
            await self._finish_inbox_row(record, session)
        await self._save_conversation(record, session)
        if record.cart is not None:
            await self._save_cart(record, session)
        if record.orders:
            await self._place_orders(record, session)
        if record.outbox:
            entries = [entry_to_disk(entry) for entry in record.outbox]
            await self._tables.outbox.insert(entries, session=session)
        await self._set_timers(record, session)
        if record.flow_sessions:
            flows = [session_to_disk(flow) for flow in record.flow_sessions]
            await self._tables.flow_sessions.insert(flows, session=session)
        if record.sync_products:
            await self._tables.sync_marks.insert(_marks_to_disk(record), session=session)
        await self._tell_others(record, session)
        await self._tables.turns.insert([log], session=session)
        if record.stock:
            # Last: all who order a product write to one document, and each is alone with it only
            # from here to the commit.
            await self._take_stock(record, session)

    async def _finish_flow(self, flow: FlowSession, session: AsyncClientSession) -> None:
        done = session_to_disk(replace(flow, state="done"))
        if not await self._tables.flow_sessions.replace(open_before(flow), done, session=session):
            raise Conflict("the Flow's outcome was taken already, or the Flow has moved on")

    async def _finish_inbox_row(self, record: TurnRecord, session: AsyncClientSession) -> None:
        new = {"_id": record.inbox_id, "state": "new"}
        if not await self._tables.inbox.update(
            [(new, {"$set": self._end(record)})], session=session
        ):
            raise Answered("the message was answered already")

    def _end(self, record: TurnRecord) -> Json:
        # As long as the turn's log at least: it is replayed from its message.
        end = {"doneAt": record.at, "expireAt": kept_until(record.at, self._retention)}
        if record.given_up is None:
            return {"state": "done", **end}
        return {"state": "dead", "error": record.given_up[:LONGEST_ERROR], **end}

    async def _save_conversation(self, record: TurnRecord, session: AsyncClientSession) -> None:
        document = conversation_to_disk(record.conversation)
        conversations = self._tables.conversations
        if record.conversation.version == 1:
            await conversations.insert([document], session=session)
            if record.succeeds is not None:
                await self._succeed(record.succeeds, record, session)
            return
        before = {"_id": document["_id"], "version": record.conversation.version - 1}
        if not await conversations.replace(before, document, session=session):
            raise Conflict("another turn of the conversation was faster")

    async def _succeed(
        self, former: Conversation, record: TurnRecord, session: AsyncClientSession
    ) -> None:
        """Let the conversation be the only one there is of its customer."""
        talk = record.conversation
        name = conversation_id(former.tenant, former.customer)
        gone = {"_id": name, "version": former.version}
        if not await self._tables.conversations.delete(gone, session=session):
            raise Conflict("the conversation that it goes on with has moved on")
        owner = {"customer": talk.customer, "slot": slot_of(talk.tenant, talk.customer)}
        await self._tables.timers.change(
            {"customer": former.customer}, {"$set": owner}, session=session
        )

    async def _take_stock(self, record: TurnRecord, session: AsyncClientSession) -> None:
        changes = [
            ({"rId": product, "stock": {"$gte": units}}, {"$inc": {"stock": -units}})
            for product, units in record.stock
        ]
        if not await self._tables.products.update(changes, session=session):
            raise Conflict("a product has not the units that were ordered")

    async def _tell_others(self, record: TurnRecord, session: AsyncClientSession) -> None:
        """Raise in other conversations what this turn means to them."""
        for handoff in record.given_back:
            await self._give_back(handoff, record, session)
        if record.passed_on:
            rows = [row_to_disk(row) for row in record.passed_on]
            await self._tables.inbox.insert(rows, session=session)

    async def _give_back(
        self, handoff: str, record: TurnRecord, session: AsyncClientSession
    ) -> None:
        """Let the conversation of a hand-off know that it is over, once."""
        fields = {"about": 1, "phoneNumberId": 1}
        found = await self._tables.outbox.find_one({"handoff": handoff}, projection=fields)
        key = f"{HANDED_BACK}:{record.conversation.tenant}:{handoff}"
        if found is None or await self._tables.inbox.find_one({"_id": key}, projection={"_id": 1}):
            return
        row = InboxRow(
            id=key,
            tenant=record.conversation.tenant,
            customer=found["about"],
            timestamp=int(record.at.timestamp()),
            received_at=record.at,
            raw=handed_back("staff", phone_number_id=found["phoneNumberId"]),
        )
        await self._tables.inbox.insert([row_to_disk(row)], session=session)

    async def _save_cart(self, record: TurnRecord, session: AsyncClientSession) -> None:
        customer = record.conversation.customer
        mine = {"sessionId": customer}
        if record.cart is None or not record.cart.lines:
            await self._tables.carts.delete(mine, session=session)
            return
        document = cart_to_disk(record.cart, customer, self._currency)
        await self._tables.carts.replace(mine, document, session=session, upsert=True)

    async def _place_orders(self, record: TurnRecord, session: AsyncClientSession) -> None:
        talk = record.conversation
        orders = [
            order_to_disk(
                order,
                conversation=conversation_id(talk.tenant, talk.customer),
                local_id=self._local_id,
                currency=self._currency,
                # A turn places one order at most; of more the first gives back what all took.
                stock=record.stock if place == 0 else (),
            )
            for place, order in enumerate(record.orders)
        ]
        await self._tables.orders.insert(orders, session=session)

    async def _set_timers(self, record: TurnRecord, session: AsyncClientSession) -> None:
        timers = self._tables.timers
        gone: list[Json] = []
        if record.has_timers:
            talk = record.conversation
            current = {"$nin": [None, *talk.entries.values()]}
            gone.append({"customer": talk.customer, "entry": current})
        if record.timers_dropped:
            gone.append({"_id": {"$in": list(record.timers_dropped)}})
        if gone:
            await timers.delete(*gone, session=session)
        new = [timer_to_disk(timer) for timer in record.timers if timer.entry is not None]
        if new:
            await timers.insert(new, session=session)
        for timer in record.timers:
            if timer.entry is None:
                document = timer_to_disk(timer)
                mine = {"_id": timer.id}
                await timers.replace(mine, document, session=session, upsert=True)


def _check_tenant(record: TurnRecord, tenant: TenantId) -> None:
    flow = record.flow_done
    written = (*record.outbox, *record.timers, *record.flow_sessions, *((flow,) if flow else ()))
    owners = {record.conversation.tenant} | {part.tenant for part in written}
    if owners != {tenant}:
        raise ValueError(f"a turn of {owners} cannot be written by {tenant}")


def _marks_to_disk(record: TurnRecord) -> list[Json]:
    # The turn's row is in their ids, so that no turn can mark a product twice.
    return [
        mark_to_disk(
            Mark(f"{record.inbox_id}:{product}", record.conversation.tenant, product, record.at)
        )
        for product in dict.fromkeys(record.sync_products)
    ]


def turn_to_disk(record: TurnRecord, *, retention: timedelta = RETENTION) -> Json:
    """Write the log of a turn, without its recording."""
    turn = record.log
    return {
        "_id": record.inbox_id,
        "customer": record.conversation.customer,
        "version": record.conversation.version,
        "at": record.at,
        "event": turn.event,
        "source": turn.source,
        "target": turn.target,
        "steps": list(turn.steps),
        "bundle": turn.bundle,
        "outcome": turn.outcome,
        "error": turn.error,
        **({} if record.given_up is None else {"givenUp": record.given_up[:LONGEST_ERROR]}),
        "expireAt": record.at + retention,
    }
