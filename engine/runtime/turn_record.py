"""What a turn decided -> everything it writes: conversation, messages, timers and its log.

Nothing is read or written here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.box_ports import OutboxEntry, Said, Timer
from engine.charts.inbound import Candidates
from engine.charts.run import Said as SaidMessage
from engine.charts.run import Told, TurnResult
from engine.domain.cart import Cart
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, TenantId
from engine.flow_ports import FlowSession
from engine.ports import Recording, TurnLog, TurnRecord
from engine.spec.bundle import Bundle
from engine.whatsapp.inbound import InboundMessage
from engine.whatsapp.outbound import OutboundMessage, ReadReceipt, to_payload

WINDOW: Final = timedelta(hours=24)
"""How long after a customer's message any message may be sent to him (send-messages)."""
CART_EXPIRED: Final = "cart_expired"
"""The event of a cart whose time has run out, for charts that react to it."""
AHEAD: Final = timedelta(minutes=5)
"""A message cannot be much newer than now, whatever its phone or Meta says."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a turn is taken: a stored message of a customer, or the end of a Flow.

    Args:
        id: the inbox row's, or `flow:<session id>`.
        message: None for the end of a Flow that came by an exchange; without a wamid it is an
            event of ours.
        session: the Flow session that ended, with its `params`, in that case.
    """

    id: str
    tenant: TenantId
    customer: CustomerKey
    phone_number_id: str
    message: InboundMessage | None = None
    session: FlowSession | None = None


@dataclass(frozen=True, slots=True)
class Meant:
    """What a cause means to the chart.

    Args:
        candidates: None if there is nothing to do.
        flow_done: the session whose outcome it is.
    """

    candidates: Candidates | None
    flow_done: FlowSession | None = None


def introduced(
    conversation: Conversation, message: InboundMessage, *, now: datetime
) -> Conversation:
    """Note what a customer's message tells of him: who he is, and when and where he wrote."""
    sender = message.sender
    told = datetime.fromtimestamp(message.timestamp, UTC) if message.timestamp else now
    spoke_at = min(told, now + AHEAD)
    return replace(
        conversation,
        phone=sender.phone or conversation.phone,
        user_id=sender.user_id or conversation.user_id,
        name=sender.name or conversation.name,
        spoke_at=max(spoke_at, conversation.spoke_at or spoke_at),
        phone_number_id=message.phone_number_id,
    )


def ignored(
    cause: Cause,
    before: Conversation,
    bundle: Bundle,
    recording: Recording,
    *,
    now: datetime,
) -> TurnRecord:
    """Make the record of a turn in which there was nothing to do."""
    kept = replace(before, version=before.version + 1, updated_at=now, bundle=bundle.digest)
    log = TurnLog("", None, None, (), bundle.digest, "ignored", recording=recording)
    return TurnRecord(cause.id, kept, log, now, has_timers=False)


def decided(
    cause: Cause,
    before: Conversation,
    bundle: Bundle,
    result: TurnResult,
    recording: Recording,
    *,
    flow_done: FlowSession | None,
) -> TurnRecord:
    """Make the record of what a turn decided; of a failed one only what it says.

    Args:
        before: the conversation as it was.
        recording: what it was decided from.
        flow_done: the Flow session whose outcome it has taken.
    """
    turn, done, now = result.turn, result.failure is None, result.turn.now
    conversation = replace(
        turn.conversation if done else before,
        version=before.version + 1,
        updated_at=now,
        bundle=bundle.digest,
        cart_expires_at=_expiry(turn.cart, before) if done else before.cart_expires_at,
    )
    said = TurnRecord(
        inbox_id=cause.id,
        conversation=conversation,
        log=TurnLog(
            event=result.event,
            source=result.source,
            target=result.target,
            steps=tuple(result.steps),
            bundle=bundle.digest,
            outcome="done" if done else "failed",
            error=result.failure,
            recording=recording,
        ),
        at=now,
        outbox=tuple(_outbox(cause, conversation, bundle, result.said, now)),
        has_timers=False,
        has_inbox_row=cause.message is not None,
        flow_done=flow_done,
    )
    if not done:
        return said
    told = tuple(_notices(cause, conversation, result.told, now))
    cart_timer = _cart_timer(conversation, bundle, result.cart)
    return replace(
        said,
        outbox=(*said.outbox, *told),
        cart=result.cart,
        orders=tuple(turn.orders_placed),
        stock=tuple(turn.stock_taken),
        timers=(*result.timers, *((cart_timer,) if cart_timer else ())),
        has_timers=bundle.chart.has_timers and conversation.entries != before.entries,
        timers_dropped=_dropped(conversation, bundle, result.cart),
        flow_sessions=tuple(turn.flow_sessions),
        sync_products=tuple(turn.sync_products),
        given_back=tuple(dict.fromkeys(turn.given_back)),
    )


def _outbox(
    cause: Cause,
    conversation: Conversation,
    bundle: Bundle,
    said: Iterable[SaidMessage],
    now: datetime,
) -> Iterator[OutboxEntry]:
    messages = list(said)
    template: dict[str, object] | None = None
    read = cause.message.wamid if cause.message else ""
    if read and not messages:
        yield _entry(cause, conversation, ReadReceipt(read, typing=False), 0, now)
    chart = bundle.chart
    for place, message in enumerate(messages, start=1):
        source = Said(chart.id, chart.version, message.state or "", conversation.entry)
        entry = _entry(cause, conversation, message.message, place, now)
        if message.template is not None:
            template = _payload(message.template, conversation, entry.id)
        else:
            # That of the message's first part stands for all of them.
            template = {} if message.part and template is not None else None
        ends = conversation.spoke_at and conversation.spoke_at + WINDOW
        # The first one takes the receipt along: a row of its own would cost as much as a message.
        reads = read or None if place == 1 else None
        yield replace(entry, said=source, window_ends=ends, template=template, reads=reads)


def _notices(
    cause: Cause,
    conversation: Conversation,
    told: Iterable[Told],
    now: datetime,
) -> Iterator[OutboxEntry]:
    """Make the messages to the staff: in their own conversation, and about the customer's."""
    for place, each in enumerate(told, start=1):
        if each.message is None:
            continue
        name, line = f"{cause.id}:staff{place}", each.notice.line
        template = None
        if each.template is not None:
            template = to_payload(each.template, to=line.phone, recipient=None, opaque=name)
        yield OutboxEntry(
            id=name,
            tenant=cause.tenant,
            customer=line.customer,
            phone_number_id=cause.phone_number_id or conversation.phone_number_id,
            # Many conversations write to the staff: their messages go out as time goes.
            sequence=int(now.timestamp() * 1000),
            payload=to_payload(each.message, to=line.phone, recipient=None, opaque=name),
            created_at=now,
            window_ends=line.spoke_at + WINDOW if line.spoke_at else now,
            template=template,
            about=conversation.customer,
            handoff=each.notice.handoff,
        )


def _entry(
    cause: Cause, conversation: Conversation, content: OutboundMessage, place: int, now: datetime
) -> OutboxEntry:
    name = f"{cause.id}:{place}"
    return OutboxEntry(
        id=name,
        tenant=cause.tenant,
        customer=cause.customer,
        phone_number_id=cause.phone_number_id or conversation.phone_number_id,
        sequence=conversation.version * 100 + place,
        payload=_payload(content, conversation, name),
        created_at=now,
    )


def _payload(
    content: OutboundMessage, conversation: Conversation, opaque: str
) -> dict[str, object]:
    phone = conversation.phone
    recipient = None if phone else conversation.user_id
    return to_payload(content, to=phone, recipient=recipient, opaque=opaque)


def _expiry(cart: Cart, before: Conversation) -> datetime | None:
    if cart.lines:
        return cart.expires_at
    return before.cart_expires_at if cart.is_expired else None


def _cart_timer(conversation: Conversation, bundle: Bundle, cart: Cart | None) -> Timer | None:
    if cart is None or not cart.lines or cart.expires_at is None or not _expires(bundle):
        return None
    return Timer(
        _cart_timer_id(conversation), conversation.tenant, conversation.customer, CART_EXPIRED,
        None, cart.expires_at, conversation.phone_number_id,
    )  # fmt: skip


def _dropped(conversation: Conversation, bundle: Bundle, cart: Cart | None) -> tuple[str, ...]:
    is_empty = cart is not None and not cart.lines
    return (_cart_timer_id(conversation),) if is_empty and _expires(bundle) else ()


def _expires(bundle: Bundle) -> bool:
    return CART_EXPIRED in bundle.chart.events()


def _cart_timer_id(conversation: Conversation) -> str:
    return f"{conversation.tenant}:{conversation.customer}:{CART_EXPIRED}"
