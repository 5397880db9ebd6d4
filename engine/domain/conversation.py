"""A conversation: where one customer stands in one tenant's chart, and what was noted so far."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.domain.ids import CustomerKey, TenantId


@dataclass(frozen=True, slots=True)
class Position:
    """A configuration of a chart, and the chart it is of.

    Args:
        chart: id of the chart.
        version: the `version` its author gave it.
        structure: hash of its structure, to notice that it changed under the conversation.
        leaf: id of the active innermost state.
        path: ids from the outermost active state to the leaf.
        resume: leaf to return to from an aside state.
    """

    chart: str
    version: int
    structure: str
    leaf: str
    path: tuple[str, ...]
    resume: str | None = None


@dataclass(slots=True)
class Conversation:
    """One customer at one tenant.

    Args:
        version: counts its turns; two turns from one version cannot both be saved.
        entry: counts the entries into states.
        entries: by active state, the count at which it was entered: a timer of another count is
            stale.
        variables: what actions noted: plain values only.
        misses: consecutive messages that nothing matched.
        spoke_at: when the customer wrote last, by WhatsApp's time: 24 hours from then any message
            may be sent to him.
        phone_number_id: the business number he wrote to last.
        bundle: the digest of the bundle that took its last turn.
    """

    tenant: TenantId
    customer: CustomerKey
    language: str
    version: int = 0
    phone: str | None = None
    user_id: str | None = None
    name: str | None = None
    position: Position | None = None
    entry: int = 0
    entries: dict[str, int] = field(default_factory=dict)
    misses: int = 0
    variables: dict[str, Any] = field(default_factory=dict)
    cart_expires_at: datetime | None = None
    updated_at: datetime | None = None
    spoke_at: datetime | None = None
    phone_number_id: str = ""
    bundle: str = ""
