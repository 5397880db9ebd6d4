"""Counts of the conversations given to a person, or back to the bot, for operators.

What a hand-off is and how it goes on is decided elsewhere; here it has happened.
"""

from typing import Final

import structlog

from engine import metrics
from engine.charts.inbound import STAFF_WROTE
from engine.charts.timers import ENTRY
from engine.ports import TurnRecord
from engine.runtime.handoffs import BY, is_mute
from engine.spec.bundle import Bundle
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import InboundMessage

_UNKNOWN_TO_STAFF: Final = ("customer", "chart")
"""Who gives a conversation to a person so that somebody must tell that person."""

log = structlog.get_logger(__name__)


def count(bundle: Bundle, record: TurnRecord, message: InboundMessage | None) -> None:
    """Count a conversation that was given to a person, or back, by a committed turn.

    Where nobody is told of it, that is counted and logged, so that an operator can mend it.
    """
    chart = bundle.chart
    before, after = (is_mute(chart, s) for s in (record.log.source, record.log.target))
    if before == after or record.log.outcome != "done":
        return
    content = message.content if message else None
    event = content if isinstance(content, Raised) else None
    by = _began(event) if after else f"given_back_by_{_ended(event)}"
    metrics.handoffs.labels(by=by).inc()
    if by in _UNKNOWN_TO_STAFF and not bundle.tenant.staff.digits:
        tenant = record.conversation.tenant
        metrics.handoffs_untold.labels(tenant=tenant).inc()
        log.warning("handoff.nobody_to_tell", tenant=tenant)


def _began(event: Raised | None) -> str:
    if event is None:
        return "customer"
    return "staff" if event.event == STAFF_WROTE else "chart"


def _ended(event: Raised | None) -> str:
    if event is None:
        return "customer"
    return "timer" if ENTRY in event.data else str(event.data.get(BY))
