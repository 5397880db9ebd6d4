"""A stored message -> its turn: load, run the chart, commit everything in one transaction."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import structlog

from engine import metrics
from engine.charts.inbound import candidates
from engine.charts.run import Runner, TurnResult
from engine.clock import Clock, Ids
from engine.domain.cart import Cart
from engine.domain.conversation import Conversation
from engine.domain.ids import TenantId
from engine.errors import Conflict, TurnError
from engine.ports import InboxRow, OutboxEntry, Said, TenantStore, TurnLog, TurnRecord
from engine.rendering.views import plain
from engine.runtime.bundles import Bundles
from engine.runtime.catalog import TurnCatalog
from engine.spec.bundle import Bundle
from engine.turn import Turn
from engine.whatsapp.content import Sender, Tap
from engine.whatsapp.inbound import InboundMessage
from engine.whatsapp.outbound import OutboundMessage, ReadReceipt, to_payload

MAX_CONFLICTS = 8
"""Times a turn is taken again because another one changed its records first."""

log = structlog.get_logger(__name__)


class Turns:
    """Takes turns."""

    def __init__(
        self,
        *,
        stores: Callable[[TenantId], TenantStore],
        bundles: Bundles,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._stores = stores
        self._bundles = bundles
        self._runner = Runner()
        self._clock = clock
        self._ids = ids

    async def take(self, row: InboxRow, message: InboundMessage) -> tuple[OutboxEntry, ...]:
        """Take the turn of a stored message.

        Returns:
            What is to be sent now.

        Raises:
            TurnError: the tenant has no bundle, or conflicts do not end.
            Unavailable: the database does not answer.
        """
        bundle = self._bundles.get(row.tenant)
        if bundle is None:
            raise TurnError(f"the tenant '{row.tenant}' has no bundle that can be served")
        store = self._stores(row.tenant)
        for attempt in range(MAX_CONFLICTS):
            with metrics.turn_seconds.time():
                record = await self._decide(row, message, bundle, store)
                try:
                    await store.commit(record)
                except Conflict as error:
                    log.info("turn.conflict", row=row.id, attempt=attempt, reason=str(error))
                    await asyncio.sleep(0.005 * 2**attempt)
                    continue
            metrics.turns.labels(outcome=record.log.outcome).inc()
            return record.outbox
        raise TurnError(f"the turn met {MAX_CONFLICTS} conflicts")

    async def _decide(
        self, row: InboxRow, message: InboundMessage, bundle: Bundle, store: TenantStore
    ) -> TurnRecord:
        held = await store.conversations.get(row.customer)
        # The two are written together: without the note there is no cart to be read.
        has_cart = held is not None and held.cart_expires_at is not None
        cart = await store.carts.get(row.customer) if has_cart else None
        begun = held or Conversation(row.tenant, row.customer, bundle.tenant.languages[0])
        conversation = _introduced(begun, message.sender)
        meaning = candidates(message.content, bundle, conversation.language)
        if meaning is None:
            return self._record(row, message, conversation, bundle, None)
        now = self._clock.now()
        turn = Turn(
            tenant=bundle.tenant,
            conversation=replace(conversation, variables=plain(conversation.variables)),
            cart=_live_cart(cart, conversation, self._clock),
            catalog=TurnCatalog(store.catalog),
            orders=store.orders,
            ids=self._ids,
            now=now,
            terms={},
        )
        answered = message.context_id if isinstance(message.content, Tap) else None

        async def origin() -> str | None:
            said = await store.said(answered) if answered else None
            return said.state if said else None

        result = await self._runner.run(bundle, turn, meaning, origin=origin)
        return self._record(row, message, conversation, bundle, result)

    def _record(
        self,
        row: InboxRow,
        message: InboundMessage,
        before: Conversation,
        bundle: Bundle,
        result: TurnResult | None,
    ) -> TurnRecord:
        now = self._clock.now()
        version = before.version + 1
        if result is None:
            log_entry = TurnLog("", None, None, (), bundle.digest, "ignored")
            kept = replace(before, version=version, updated_at=now)
            return TurnRecord(row.id, kept, log_entry, now)
        done = result.failure is None
        if not done:
            log.error("turn.failed", row=row.id, tenant=row.tenant, error=result.failure)
        log_entry = TurnLog(
            event=result.event,
            source=result.source,
            target=result.target,
            steps=tuple(result.steps),
            bundle=bundle.digest,
            outcome="done" if done else "failed",
            error=result.failure,
        )
        turn = result.turn
        conversation = replace(
            turn.conversation if done else before,
            version=version,
            updated_at=now,
            cart_expires_at=_expiry(turn.cart, before) if done else before.cart_expires_at,
        )
        outbox = self._outbox(row, message, conversation, bundle, result)
        if not done:
            return TurnRecord(row.id, conversation, log_entry, now, outbox=outbox)
        return TurnRecord(
            inbox_id=row.id,
            conversation=conversation,
            log=log_entry,
            at=now,
            cart=result.cart,
            orders=tuple(turn.orders_placed),
            stock=tuple(turn.stock_taken),
            outbox=outbox,
            timers=tuple(result.timers),
            has_timers=any(state.after for state in bundle.chart.states.values()),
        )

    def _outbox(
        self,
        row: InboxRow,
        message: InboundMessage,
        conversation: Conversation,
        bundle: Bundle,
        result: TurnResult,
    ) -> tuple[OutboxEntry, ...]:
        receipt = ReadReceipt(message.wamid, typing=bool(result.said))
        entries = [self._entry(row, message, conversation, receipt, 0, None)]
        for place, said in enumerate(result.said, start=1):
            source = Said(bundle.chart.id, bundle.chart.version, said.state or "",
                          conversation.entry)  # fmt: skip
            entries.append(self._entry(row, message, conversation, said.message, place, source))
        return tuple(entries)

    def _entry(
        self,
        row: InboxRow,
        message: InboundMessage,
        conversation: Conversation,
        content: OutboundMessage,
        place: int,
        said: Said | None,
    ) -> OutboxEntry:
        name = f"{row.id}:{place}"
        phone = conversation.phone
        return OutboxEntry(
            id=name,
            tenant=row.tenant,
            customer=row.customer,
            phone_number_id=message.phone_number_id,
            sequence=conversation.version * 100 + place,
            payload=to_payload(
                content, to=phone, recipient=None if phone else conversation.user_id, opaque=name
            ),
            created_at=self._clock.now(),
            said=said,
        )


def _introduced(conversation: Conversation, sender: Sender) -> Conversation:
    """Note what a message tells of its sender; most tell nothing new."""
    phone = sender.phone or conversation.phone
    user_id = sender.user_id or conversation.user_id
    name = sender.name or conversation.name
    if (phone, user_id, name) == (conversation.phone, conversation.user_id, conversation.name):
        return conversation
    return replace(conversation, phone=phone, user_id=user_id, name=name)


def _live_cart(cart: Cart | None, conversation: Conversation, clock: Clock) -> Cart:
    """Give the cart, or an expired one if its time ran out, whether or not it is still stored."""
    expiry = cart.expires_at if cart else conversation.cart_expires_at
    if expiry is not None and expiry <= clock.now():
        return Cart(is_expired=True)
    return cart or Cart()


def _expiry(cart: Cart, before: Conversation) -> datetime | None:
    if cart.lines:
        return cart.expires_at
    return before.cart_expires_at if cart.is_expired else None
