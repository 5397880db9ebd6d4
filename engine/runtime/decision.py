"""A cause and what is stored -> the record of its turn; nothing is written.

Also a dialog that is only rehearsed is decided here: what a customer gets has one source.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

import structlog

from engine.charts.inbound import UNASKED, candidates, flow_end, from_staff
from engine.charts.run import Runner
from engine.charts.timers import ENTRY, is_stale
from engine.clock import Clock, Ids
from engine.domain.cart import Cart
from engine.domain.conversation import Conversation
from engine.domain.ids import TenantId
from engine.ports import Business, CatalogRepository, Recording, TenantStore, TurnRecord
from engine.rendering.views import plain
from engine.runtime import handoffs
from engine.runtime.catalog import TurnCatalog
from engine.runtime.deployed_flows import DeployedFlows
from engine.runtime.flow_replies import FlowReplies
from engine.runtime.flow_tokens import Tokens
from engine.runtime.recording import (
    SAID,
    SESSION,
    STAFF_PEER,
    RecordedCatalog,
    RecordedDeployments,
    RecordedIds,
    RecordedNative,
    RecordedOrders,
    RecordedTokens,
    Recorder,
)
from engine.runtime.staff import TurnStaff
from engine.runtime.turn_record import Cause, Meant, decided, ignored, introduced
from engine.spec.bundle import Bundle
from engine.turn import Turn
from engine.whatsapp.content import FlowReply, Raised, Tap
from engine.whatsapp.inbound import InboundMessage

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Case:
    """A turn that is being decided.

    Args:
        now: the one time of the turn, whatever it takes.
        recorder: notes what it is decided from.
        former: the conversation that the customer's first one goes on with.
    """

    cause: Cause
    bundle: Bundle
    store: TenantStore
    now: datetime
    recorder: Recorder = field(default_factory=Recorder)
    former: Conversation | None = None

    @property
    def recording(self) -> Recording:
        """Give what was noted."""
        return self.recorder.recording(self.cause.session)


class Decisions:
    """Decides turns.

    Args:
        business: gives a tenant's document.
    """

    def __init__(
        self,
        *,
        business: Callable[[TenantId], Awaitable[Business | None]],
        tokens: Tokens,
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
        case = _Case(cause, bundle, store, self._clock.now())
        record = await self._decided(case, catalog)
        return replace(record, succeeds=case.former) if case.former else record

    async def _decided(self, case: _Case, catalog: CatalogRepository | None) -> TurnRecord:
        cause, bundle, store = case.cause, case.bundle, case.store
        conversation, cart = await _held(case)
        if handoffs.is_for_a_number(cause, conversation):
            ask = partial(handoffs.peer, cause, store.handoffs)
            peer = await case.recorder.ask(ask, STAFF_PEER)
            if peer:
                row = handoffs.passed_on(cause, peer, now=case.now)
                left = ignored(cause, conversation, bundle, case.recording, now=case.now)
                return replace(left, passed_on=(row,))
        meant = await self._meaning(case, conversation)
        if meant.candidates is None:
            return ignored(cause, conversation, bundle, case.recording, now=case.now)
        turn = self._turn(case, conversation, cart, catalog)
        message = cause.message
        answered = message.context_id if message and isinstance(message.content, Tap) else None

        async def origin() -> str | None:
            if not answered:
                return None
            said = await case.recorder.ask(partial(store.said, answered), SAID, answered)
            return said.state if said else None

        result = await self._runner.run(bundle, turn, meant.candidates, origin=origin)
        if result.failure is not None:
            place = next((s["at"] for s in reversed(result.steps) if "at" in s), None)
            log.error("turn.failed", tenant=cause.tenant, at=place)
        done = meant.flow_done
        return decided(cause, conversation, bundle, result, case.recording, flow_done=done)

    async def problem(
        self, cause: Cause, bundle: Bundle, store: TenantStore, *, error: str
    ) -> TurnRecord:
        """Decide what a message is answered that cannot be worked on: the chart's `problem`.

        Raises:
            Unavailable: the database does not answer.
        """
        case = _Case(cause, bundle, store, self._clock.now())
        conversation, _ = await _held(case)
        turn = self._turn(case, conversation, None, None)
        result = self._runner.problem(bundle, turn, error)
        if cause.message and _is_unasked(cause.message):
            result.said.clear()  # nobody waits for an answer
        record = decided(cause, conversation, bundle, result, case.recording, flow_done=None)
        return replace(record, given_up=error, succeeds=case.former)

    def _turn(
        self,
        case: _Case,
        conversation: Conversation,
        cart: Cart | None,
        catalog: CatalogRepository | None,
    ) -> Turn:
        bundle, store, recorder = case.bundle, case.store, case.recorder
        business = partial(self._business, case.cause.tenant)
        deployments = RecordedDeployments(store.deployments, business, recorder)
        is_single = bundle.tenant.catalog.mode == "single"
        return Turn(
            tenant=bundle.tenant,
            conversation=replace(
                conversation,
                variables=plain(conversation.variables),
                entries=dict(conversation.entries),
            ),
            cart=live_cart(cart, conversation, case.now),
            catalog=TurnCatalog(RecordedCatalog(catalog or store.catalog, recorder)),
            orders=RecordedOrders(store.orders, recorder),
            ids=RecordedIds(self._ids, recorder),
            now=case.now,
            terms={},
            flows=DeployedFlows(
                bundle,
                business=deployments.business,
                deployments=deployments,
                tokens=RecordedTokens(self._tokens, recorder),
                phone_number_id=case.cause.phone_number_id,
                now=case.now,
            ),
            native=RecordedNative(store.native, recorder) if is_single else None,
            staff=TurnStaff(
                bundle.tenant,
                case.cause.customer,
                handoffs=store.handoffs,
                recorder=recorder,
            ),
        )

    async def _meaning(self, case: _Case, conversation: Conversation) -> Meant:
        cause, bundle = case.cause, case.bundle
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
            find = partial(self._replies.session, cause.message, cause.customer, case.store)
            session = await case.recorder.ask(find, SESSION)
            if session and session.state == "done":
                return Meant(None)
            if session and session.flow in bundle.flows:
                params = self._replies.params(session, content)
                done = replace(session, version=session.version + 1, state="done", params=params)
                return Meant(flow_end(session.flow, params), done)
        found = candidates(content, bundle, conversation.language)
        if found and bundle.tenant.staff.has(conversation.phone):
            found = from_staff(content, found, bundle)
        return Meant(found)


async def _held(case: _Case) -> tuple[Conversation, Cart | None]:
    """Read the conversation and its cart, with what the message tells of the customer."""
    cause, store, recorder = case.cause, case.store, case.recorder
    held = await store.conversations.get(cause.customer)
    if held is None:
        chart = case.bundle.chart
        case.former = await handoffs.former(cause, chart, store.conversations)
        held = handoffs.gone_on(case.former, cause.customer) if case.former else None
    recorder.conversation = held
    # The two are written together: without the note there is no cart to be read.
    has_cart = held is not None and held.cart_expires_at is not None
    cart = recorder.cart = await store.carts.get(cause.customer) if has_cart else None
    conversation = held or Conversation(
        cause.tenant,
        cause.customer,
        case.bundle.tenant.languages[0],
        # Staff may write to somebody first: then his number is all there is of him.
        phone=cause.customer if cause.customer.isdecimal() else None,
        phone_number_id=cause.phone_number_id,
    )
    if cause.message and cause.message.wamid:
        conversation = introduced(conversation, cause.message, now=case.now)
    return conversation, cart


def live_cart(cart: Cart | None, conversation: Conversation, now: datetime) -> Cart:
    """Give the cart, or an expired one if its time ran out, whether or not it is still stored."""
    expiry = cart.expires_at if cart else conversation.cart_expires_at
    if expiry is not None and expiry <= now:
        return Cart(is_expired=True)
    return cart or Cart()


def _is_timer(message: InboundMessage) -> bool:
    """Tell whether an event of ours is a timer that has fired."""
    return isinstance(message.content, Raised) and ENTRY in message.content.data


def _is_unasked(message: InboundMessage) -> bool:
    content = message.content
    return _is_timer(message) or (isinstance(content, Raised) and content.event in UNASKED)
