"""A stored message or the end of a Flow -> its turn: load, run the chart, commit it whole."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog

from engine import metrics
from engine.charts.inbound import Candidates, candidates, flow_end
from engine.charts.run import Runner, TurnResult
from engine.clock import Clock, Ids
from engine.domain.cart import Cart
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import Conflict, TurnError
from engine.flow_ports import FlowSession
from engine.ports import (
    BusinessRepository,
    CatalogRepository,
    InboxRow,
    OutboxEntry,
    Said,
    TenantStore,
    TurnLog,
    TurnRecord,
)
from engine.rendering.views import plain
from engine.runtime.bundles import Bundles
from engine.runtime.catalog import TurnCatalog
from engine.runtime.desk import Desk
from engine.runtime.flow_replies import FlowReplies
from engine.runtime.flow_tokens import FlowTokens
from engine.spec.bundle import Bundle
from engine.turn import Turn
from engine.whatsapp.content import FlowReply, Sender, Tap
from engine.whatsapp.inbound import InboundMessage
from engine.whatsapp.outbound import OutboundMessage, ReadReceipt, to_payload

MAX_CONFLICTS = 8
"""Times a turn is taken again because another one changed its records first."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a turn is taken: a stored message of a customer, or the end of a Flow.

    Args:
        id: the inbox row's, or `flow:<session id>`.
        message: None for the end of a Flow that came by an exchange.
        session: the Flow session that ended, with its `params`, in that case.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    phone_number_id: str
    message: InboundMessage | None = None
    session: FlowSession | None = None


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a cause means to the chart.

    Args:
        candidates: None if there is nothing to do.
        flow_done: the session whose outcome it is.
    """

    candidates: Candidates | None
    flow_done: FlowSession | None = None


class Turns:
    """Takes turns."""

    def __init__(
        self,
        *,
        stores: Callable[[TenantId], TenantStore],
        bundles: Bundles,
        businesses: BusinessRepository,
        tokens: FlowTokens,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._stores = stores
        self._bundles = bundles
        self._businesses = businesses
        self._replies = FlowReplies(tokens)
        self._tokens = tokens
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
        number = message.phone_number_id
        return await self._take(Cause(row.id, row.tenant, row.customer, number, message))

    async def end_flow(
        self, session: FlowSession, *, catalog: CatalogRepository | None = None
    ) -> tuple[OutboxEntry, ...]:
        """Take the turn of a Flow that came to its end, once.

        Args:
            session: with its `params`; its stored state must be open and of this version.
            catalog: what the last exchange has read of it just now.

        Returns:
            What is to be sent now.

        Raises:
            Conflict: the session has changed or is done: nothing is written.
            TurnError, Unavailable: as `take`.
        """
        name = f"flow:{session.id}"
        cause = Cause(
            name, session.tenant, session.customer, session.phone_number_id, session=session
        )
        return await self._take(cause, catalog)

    async def _take(
        self, cause: Cause, catalog: CatalogRepository | None = None
    ) -> tuple[OutboxEntry, ...]:
        bundle = self._bundles.get(cause.tenant)
        if bundle is None:
            raise TurnError(f"the tenant '{cause.tenant}' has no bundle that can be served")
        store = self._stores(cause.tenant)
        for attempt in range(MAX_CONFLICTS):
            with metrics.turn_seconds.time():
                known = catalog if attempt == 0 else None
                record = await self._decide(cause, bundle, store, known)
                try:
                    await store.commit(record)
                except Conflict as error:
                    log.info("turn.conflict", row=cause.id, attempt=attempt, reason=str(error))
                    if cause.session and not await _is_current(store, cause.session):
                        raise
                    await asyncio.sleep(0.005 * 2**attempt)
                    continue
            metrics.turns.labels(outcome=record.log.outcome).inc()
            return record.outbox
        raise TurnError(f"the turn met {MAX_CONFLICTS} conflicts")

    async def _decide(
        self,
        cause: Cause,
        bundle: Bundle,
        store: TenantStore,
        catalog: CatalogRepository | None,
    ) -> TurnRecord:
        held = await store.conversations.get(cause.customer)
        # The two are written together: without the note there is no cart to be read.
        has_cart = held is not None and held.cart_expires_at is not None
        cart = await store.carts.get(cause.customer) if has_cart else None
        conversation = held or Conversation(
            cause.tenant, cause.customer, bundle.tenant.languages[0]
        )
        if cause.message:
            conversation = _introduced(conversation, cause.message.sender)
        meant = await self._meaning(cause, bundle, store, conversation)
        if meant.candidates is None:
            return self._record(cause, conversation, bundle, meant, None)
        now = self._clock.now()
        turn = Turn(
            tenant=bundle.tenant,
            conversation=replace(conversation, variables=plain(conversation.variables)),
            cart=live_cart(cart, conversation, now),
            catalog=catalog or TurnCatalog(store.catalog),
            orders=store.orders,
            ids=self._ids,
            now=now,
            terms={},
            flows=Desk(
                bundle,
                business=partial(self._businesses.by_tenant, cause.tenant),
                deployments=store.deployments,
                tokens=self._tokens,
                phone_number_id=cause.phone_number_id,
                now=now,
            ),
            native=store.native if bundle.tenant.catalog.mode == "single" else None,
        )
        message = cause.message
        answered = message.context_id if message and isinstance(message.content, Tap) else None

        async def origin() -> str | None:
            said = await store.said(answered) if answered else None
            return said.state if said else None

        result = await self._runner.run(bundle, turn, meant.candidates, origin=origin)
        return self._record(cause, conversation, bundle, meant, result)

    async def _meaning(
        self, cause: Cause, bundle: Bundle, store: TenantStore, conversation: Conversation
    ) -> _Meant:
        if cause.session:
            params = cause.session.params or {}
            return _Meant(flow_end(cause.session.flow, params), cause.session)
        assert cause.message is not None
        if isinstance(cause.message.content, FlowReply):
            session = await self._replies.session(cause.message, cause.customer, store)
            if session and session.state == "done":
                return _Meant(None)
            if session and session.flow in bundle.flows:
                params = self._replies.params(session, cause.message.content)
                done = replace(session, version=session.version + 1, state="done", params=params)
                return _Meant(flow_end(session.flow, params), done)
        return _Meant(candidates(cause.message.content, bundle, conversation.language))

    def _record(
        self,
        cause: Cause,
        before: Conversation,
        bundle: Bundle,
        meant: _Meant,
        result: TurnResult | None,
    ) -> TurnRecord:
        now = self._clock.now()
        version = before.version + 1
        has_row = cause.message is not None
        if result is None:
            log_entry = TurnLog("", None, None, (), bundle.digest, "ignored")
            kept = replace(before, version=version, updated_at=now)
            return TurnRecord(cause.id, kept, log_entry, now)
        done = result.failure is None
        if not done:
            log.error("turn.failed", row=cause.id, tenant=cause.tenant, error=result.failure)
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
        outbox = self._outbox(cause, conversation, bundle, result)
        if not done:
            return TurnRecord(
                cause.id, conversation, log_entry, now, outbox=outbox, has_inbox_row=has_row,
                flow_done=meant.flow_done,
            )  # fmt: skip
        return TurnRecord(
            inbox_id=cause.id,
            conversation=conversation,
            log=log_entry,
            at=now,
            cart=result.cart,
            orders=tuple(turn.orders_placed),
            stock=tuple(turn.stock_taken),
            outbox=outbox,
            timers=tuple(result.timers),
            has_timers=any(state.after for state in bundle.chart.states.values()),
            has_inbox_row=has_row,
            flow_sessions=tuple(turn.flow_sessions),
            flow_done=meant.flow_done,
            sync_products=tuple(turn.sync_products),
        )

    def _outbox(
        self,
        cause: Cause,
        conversation: Conversation,
        bundle: Bundle,
        result: TurnResult,
    ) -> tuple[OutboxEntry, ...]:
        entries: list[OutboxEntry] = []
        if cause.message and cause.message.wamid:
            receipt = ReadReceipt(cause.message.wamid, typing=bool(result.said))
            entries.append(self._entry(cause, conversation, receipt, 0, None))
        for place, said in enumerate(result.said, start=1):
            source = Said(bundle.chart.id, bundle.chart.version, said.state or "",
                          conversation.entry)  # fmt: skip
            entries.append(self._entry(cause, conversation, said.message, place, source))
        return tuple(entries)

    def _entry(
        self,
        cause: Cause,
        conversation: Conversation,
        content: OutboundMessage,
        place: int,
        said: Said | None,
    ) -> OutboxEntry:
        name = f"{cause.id}:{place}"
        phone = conversation.phone
        return OutboxEntry(
            id=name,
            tenant=cause.tenant,
            customer=cause.customer,
            phone_number_id=cause.phone_number_id,
            sequence=conversation.version * 100 + place,
            payload=to_payload(
                content, to=phone, recipient=None if phone else conversation.user_id, opaque=name
            ),
            created_at=self._clock.now(),
            said=said,
        )


async def _is_current(store: TenantStore, session: FlowSession) -> bool:
    """Tell whether a session that ends is still what it was when it was read."""
    stored = await store.flow_sessions.get(session.id)
    return stored is not None and (stored.state, stored.version) == ("open", session.version - 1)


def _introduced(conversation: Conversation, sender: Sender) -> Conversation:
    """Note what a message tells of its sender; most tell nothing new."""
    phone = sender.phone or conversation.phone
    user_id = sender.user_id or conversation.user_id
    name = sender.name or conversation.name
    if (phone, user_id, name) == (conversation.phone, conversation.user_id, conversation.name):
        return conversation
    return replace(conversation, phone=phone, user_id=user_id, name=name)


def live_cart(cart: Cart | None, conversation: Conversation, now: datetime) -> Cart:
    """Give the cart, or an expired one if its time ran out, whether or not it is still stored."""
    expiry = cart.expires_at if cart else conversation.cart_expires_at
    if expiry is not None and expiry <= now:
        return Cart(is_expired=True)
    return cart or Cart()


def _expiry(cart: Cart, before: Conversation) -> datetime | None:
    if cart.lines:
        return cart.expires_at
    return before.cart_expires_at if cart.is_expired else None
