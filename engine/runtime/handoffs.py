"""Hand-offs: which conversations a person answers, and who gave them to him or back.

Staff may type to somebody first. All that is told then is his phone number, which so becomes the
key of his conversation; when he writes, he has a user id, which is the key of another one. So that
he stays muted, the one goes on with the other, whichever of the two events comes first.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from engine.box_ports import InboxRow
from engine.charts.inbound import STAFF_WROTE
from engine.charts.place import renamed
from engine.charts.timers import HANDED_BACK
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey
from engine.ports import ConversationRepository
from engine.runtime.turn_record import Cause
from engine.spec.chart import Chart
from engine.staff_ports import HandOffRepository
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import raised

BY: Final = "by"
"""Key in the data of `handed_back`: `staff` or `operator`; a timer has none."""


def handed_back(by: str, *, phone_number_id: str) -> dict[str, object]:
    """Make the `raw` of the event that gives a conversation back to the bot."""
    return dict(raised(Raised(HANDED_BACK, {BY: by}), phone_number_id=phone_number_id))


async def former(
    cause: Cause, chart: Chart, conversations: ConversationRepository
) -> Conversation | None:
    """Give the conversation that a person began with a customer who writes for the first time.

    Raises:
        Unavailable: the database does not answer.
    """
    phone = cause.message.sender.phone if cause.message else None
    if phone is None or phone == cause.customer:
        return None
    held = await conversations.get(CustomerKey(phone))
    if held is None or held.position is None:
        return None
    return held if is_mute(chart, renamed(chart, held.position.leaf)) else None


def gone_on(conversation: Conversation, customer: CustomerKey) -> Conversation:
    """Make the first of a customer's conversations with what a person began with him."""
    # A cart is kept under the other key, if ever there was one: staff types to strangers.
    return replace(conversation, customer=customer, version=0, cart_expires_at=None)


def is_for_a_number(cause: Cause, conversation: Conversation) -> bool:
    """Tell whether staff wrote to a phone number that nothing else is known of."""
    content = cause.message.content if cause.message else None
    is_echo = isinstance(content, Raised) and content.event == STAFF_WROTE
    return is_echo and cause.customer.isdecimal() and conversation.position is None


async def peer(cause: Cause, handoffs: HandOffRepository) -> CustomerKey | None:
    """Give the key of who has a phone number, if it is another one.

    Raises:
        Unavailable: the database does not answer.
    """
    key = await handoffs.key_of(phone=cause.customer)
    return None if key == cause.customer else key


def passed_on(cause: Cause, customer: CustomerKey, *, now: datetime) -> InboxRow:
    """Make the row that tells a customer's own conversation what staff wrote to his number."""
    return InboxRow(
        id=f"{cause.id}:peer",
        tenant=cause.tenant,
        customer=customer,
        timestamp=int(now.timestamp()),
        received_at=now,
        raw=raised(Raised(STAFF_WROTE, {}), phone_number_id=cause.phone_number_id),
    )


def is_mute(chart: Chart, state: str | None) -> bool:
    """Tell whether a person answers in a state: the bot can be given it back there."""
    return state is not None and state in mute_states(chart)


def mute_states(chart: Chart) -> frozenset[str]:
    """Name the states in which a person answers."""
    return frozenset(
        name
        for name in chart.states
        if any(HANDED_BACK in chart.states[each].when for each in chart.path(name))
    )
