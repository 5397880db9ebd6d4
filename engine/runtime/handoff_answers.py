"""What operators read of hand-offs, at a command and at a route."""

from collections.abc import Mapping
from typing import Any

from engine.staff_ports import Muted


def answer(muted: Muted) -> Mapping[str, Any]:
    """Give a conversation that a person answers as plain values."""
    return {
        "customer": muted.customer,
        "phone": f"+{muted.phone}" if muted.phone else None,
        "name": muted.name,
        "since": muted.since.isoformat() if muted.since else None,
        "state": muted.state,
    }
