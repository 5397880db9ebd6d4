"""A stored message or the end of a Flow -> its turn: load, run the chart, commit it whole."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from engine import metrics
from engine.box_ports import InboxRow, OutboxEntry
from engine.charts.inbound import candidates, flow_end
from engine.charts.run import Runner
from engine.charts.timers import ENTRY, is_stale
from engine.clock import Clock, Ids
from engine.domain.cart import Cart
from engine.domain.conversation import Conversation
from engine.domain.ids import TenantId
from engine.errors import Answered, Conflict, TurnError
from engine.flow_ports import FlowSession
from engine.ports import BusinessRepository, CatalogRepository, TenantStore, TurnRecord
from engine.rendering.views import plain
from engine.runtime.bundles import Bundles
from engine.runtime.catalog import TurnCatalog
from engine.runtime.desk import Desk
from engine.runtime.flow_replies import FlowReplies
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.turn_record import Cause, Meant, decided, ignored, introduced
from engine.spec.bundle import Bundle
from engine.turn import Turn
from engine.whatsapp.content import FlowReply, Raised, Tap
from engine.whatsapp.inbound import InboundMessage

MAX_CONFLICTS = 8
"""Times a turn is taken again because another one changed its records first."""
CONFLICT_SECONDS = 0.005
"""What is waited after the first conflict, on the average; each further time twice as long."""

log = structlog.get_logger(__name__)


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
            TurnError: the tenant has no bundle that can be served.
            Conflict: conflicts do not end; nothing is written.
            Unavailable: the database does not answer.
        """
        cause = _cause(row, message)
        try:
            return await self._take(cause)
        except Answered:
            log.info("turn.answered_already", row=row.id)
            return ()

    async def give_up(
        self, row: InboxRow, message: InboundMessage, *, error: str
    ) -> tuple[OutboxEntry, ...]:
        """Put a stored message aside for good, and say the chart's `problem` to its customer.

        Returns, Raises:
            as `take`.
        """
        cause = _cause(row, message)
        bundle = self._bundle(cause.tenant)
        store = self._stores(cause.tenant)
        conversation, _ = await self._held(cause, bundle, store)
        turn = self._turn(cause, bundle, store, conversation, None, None)
        result = self._runner.problem(bundle, turn, error)
        if _is_timer(message):
            result.said.clear()  # nobody waits for an answer
        now = self._clock.now()
        record = decided(cause, conversation, bundle, result, flow_done=None, now=now)
        try:
            await store.commit(replace(record, given_up=error))
        except Answered:
            return ()
        return record.outbox

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
        try:
            return await self._take(cause, catalog)
        except Conflict as error:
            if await _is_current(self._stores(session.tenant), session):
                raise TurnError("the turn met conflicts that do not end") from error
            raise

    async def _take(
        self, cause: Cause, catalog: CatalogRepository | None = None
    ) -> tuple[OutboxEntry, ...]:
        bundle = self._bundle(cause.tenant)
        store = self._stores(cause.tenant)
        for attempt in range(MAX_CONFLICTS):
            with metrics.turn_seconds.time():
                known = catalog if attempt == 0 else None
                record = await self._decide(cause, bundle, store, known)
                try:
                    await store.commit(record)
                except Answered:
                    raise
                except Conflict as error:
                    metrics.conflicts.inc()
                    log.info("turn.conflict", row=cause.id, attempt=attempt, reason=str(error))
                    if cause.session and not await _is_current(store, cause.session):
                        raise
                    await asyncio.sleep(CONFLICT_SECONDS * 2**attempt * self._ids.jitter())
                    continue
            metrics.turns.labels(outcome=record.log.outcome).inc()
            return record.outbox
        raise Conflict(f"the turn met {MAX_CONFLICTS} conflicts")

    def _bundle(self, tenant: TenantId) -> Bundle:
        bundle = self._bundles.get(tenant)
        if bundle is None:
            raise TurnError(f"the tenant '{tenant}' has no bundle that can be served")
        return bundle

    async def _decide(
        self,
        cause: Cause,
        bundle: Bundle,
        store: TenantStore,
        catalog: CatalogRepository | None,
    ) -> TurnRecord:
        conversation, cart = await self._held(cause, bundle, store)
        meant = await self._meaning(cause, bundle, store, conversation)
        now = self._clock.now()
        if meant.candidates is None:
            return ignored(cause, conversation, bundle, now=now)
        turn = self._turn(cause, bundle, store, conversation, cart, catalog)
        message = cause.message
        answered = message.context_id if message and isinstance(message.content, Tap) else None

        async def origin() -> str | None:
            said = await store.said(answered) if answered else None
            return said.state if said else None

        result = await self._runner.run(bundle, turn, meant.candidates, origin=origin)
        if result.failure is not None:
            log.error("turn.failed", row=cause.id, tenant=cause.tenant, error=result.failure)
        return decided(cause, conversation, bundle, result, flow_done=meant.flow_done, now=now)

    async def _held(
        self, cause: Cause, bundle: Bundle, store: TenantStore
    ) -> tuple[Conversation, Cart | None]:
        """Read the conversation and its cart, with what the message tells of the customer."""
        held = await store.conversations.get(cause.customer)
        # The two are written together: without the note there is no cart to be read.
        has_cart = held is not None and held.cart_expires_at is not None
        cart = await store.carts.get(cause.customer) if has_cart else None
        conversation = held or Conversation(
            cause.tenant, cause.customer, bundle.tenant.languages[0]
        )
        if cause.message and cause.message.wamid:
            conversation = introduced(conversation, cause.message, now=self._clock.now())
        return conversation, cart

    def _turn(
        self,
        cause: Cause,
        bundle: Bundle,
        store: TenantStore,
        conversation: Conversation,
        cart: Cart | None,
        catalog: CatalogRepository | None,
    ) -> Turn:
        now = self._clock.now()
        return Turn(
            tenant=bundle.tenant,
            conversation=replace(
                conversation,
                variables=plain(conversation.variables),
                entries=dict(conversation.entries),
            ),
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

    async def _meaning(
        self, cause: Cause, bundle: Bundle, store: TenantStore, conversation: Conversation
    ) -> Meant:
        if cause.session:
            params = cause.session.params or {}
            return Meant(flow_end(cause.session.flow, params), cause.session)
        assert cause.message is not None
        content = cause.message.content
        if isinstance(content, Raised) and _is_timer(cause.message):
            entry = content.data[ENTRY]
            if is_stale(bundle.chart, content.event, entry, conversation):
                return Meant(None)
        if isinstance(content, FlowReply):
            session = await self._replies.session(cause.message, cause.customer, store)
            if session and session.state == "done":
                return Meant(None)
            if session and session.flow in bundle.flows:
                params = self._replies.params(session, content)
                done = replace(session, version=session.version + 1, state="done", params=params)
                return Meant(flow_end(session.flow, params), done)
        return Meant(candidates(content, bundle, conversation.language))


async def _is_current(store: TenantStore, session: FlowSession) -> bool:
    """Tell whether a session that ends is still what it was when it was read."""
    stored = await store.flow_sessions.get(session.id)
    return stored is not None and (stored.state, stored.version) == ("open", session.version - 1)


def live_cart(cart: Cart | None, conversation: Conversation, now: datetime) -> Cart:
    """Give the cart, or an expired one if its time ran out, whether or not it is still stored."""
    expiry = cart.expires_at if cart else conversation.cart_expires_at
    if expiry is not None and expiry <= now:
        return Cart(is_expired=True)
    return cart or Cart()


def _is_timer(message: InboundMessage) -> bool:
    """Tell whether an event of ours is a timer that has fired."""
    return isinstance(message.content, Raised) and ENTRY in message.content.data


def _cause(row: InboxRow, message: InboundMessage) -> Cause:
    return Cause(row.id, row.tenant, row.customer, message.phone_number_id, message)
