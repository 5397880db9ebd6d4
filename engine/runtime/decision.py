"""A cause and what is stored -> the record of its turn; nothing is written.

Also a dialog that is only rehearsed is decided here: what a customer gets has one source.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

import structlog

from engine.charts.inbound import candidates, flow_end
from engine.charts.run import Runner
from engine.charts.timers import ENTRY, is_stale
from engine.clock import Clock, Ids
from engine.domain.cart import Cart
from engine.domain.conversation import Conversation
from engine.domain.ids import TenantId
from engine.ports import Business, CatalogRepository, TenantStore, TurnRecord
from engine.rendering.views import plain
from engine.runtime.catalog import TurnCatalog
from engine.runtime.desk import Desk
from engine.runtime.flow_replies import FlowReplies
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.turn_record import Cause, Meant, decided, ignored, introduced
from engine.spec.bundle import Bundle
from engine.turn import Turn
from engine.whatsapp.content import FlowReply, Raised, Tap
from engine.whatsapp.inbound import InboundMessage

log = structlog.get_logger(__name__)


class Decisions:
    """Decides turns.

    Args:
        business: gives a tenant's document.
    """

    def __init__(
        self,
        *,
        business: Callable[[TenantId], Awaitable[Business | None]],
        tokens: FlowTokens,
        clock: Clock,
        ids: Ids,
        runner: Runner | None = None,
    ) -> None:
        self._business = business
        self._replies = FlowReplies(tokens)
        self._tokens = tokens
        self._runner = runner or Runner()
        self._clock = clock
        self._ids = ids

    async def of(
        self,
        cause: Cause,
        bundle: Bundle,
        store: TenantStore,
        catalog: CatalogRepository | None = None,
    ) -> TurnRecord:
        """Decide the turn of a message or of the end of a Flow.

        Args:
            catalog: what has been read of it just now.

        Raises:
            Unavailable: the database does not answer.
        """
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

    async def problem(
        self, cause: Cause, bundle: Bundle, store: TenantStore, *, error: str
    ) -> TurnRecord:
        """Decide what a message is answered that cannot be worked on: the chart's `problem`.

        Raises:
            Unavailable: the database does not answer.
        """
        conversation, _ = await self._held(cause, bundle, store)
        turn = self._turn(cause, bundle, store, conversation, None, None)
        result = self._runner.problem(bundle, turn, error)
        if cause.message and _is_timer(cause.message):
            result.said.clear()  # nobody waits for an answer
        now = self._clock.now()
        record = decided(cause, conversation, bundle, result, flow_done=None, now=now)
        return replace(record, given_up=error)

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
                business=partial(self._business, cause.tenant),
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


def live_cart(cart: Cart | None, conversation: Conversation, now: datetime) -> Cart:
    """Give the cart, or an expired one if its time ran out, whether or not it is still stored."""
    expiry = cart.expires_at if cart else conversation.cart_expires_at
    if expiry is not None and expiry <= now:
        return Cart(is_expired=True)
    return cart or Cart()


def _is_timer(message: InboundMessage) -> bool:
    """Tell whether an event of ours is a timer that has fired."""
    return isinstance(message.content, Raised) and ENTRY in message.content.data
