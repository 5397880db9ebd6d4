"""Flow sessions on disk; what a customer does in a Flow is not decided here."""

from datetime import datetime, timedelta
from typing import Any

from engine.domain.ids import CustomerKey, TenantId
from engine.errors import Conflict
from engine.flow_ports import FlowSession
from engine.storage.connection import Json, reachable
from engine.storage.records import FLOW_DAYS
from engine.storage.tenancy import TenantCollection

TOKEN = ("payload", "interactive", "action", "parameters", "flow_token")
"""Where an entry of the outbox has the token of the Flow that it sends."""


class MongoFlowSessions:
    """The Flow sessions of one tenant: `engine.flow_ports.FlowSessionRepository`."""

    def __init__(self, sessions: TenantCollection, outbox: TenantCollection) -> None:
        self._sessions = sessions
        self._outbox = outbox

    async def get(self, session_id: str) -> FlowSession | None:
        """Give a session, expired or not."""
        with reachable():
            found = await self._sessions.find_one({"_id": session_id})
        return None if found is None else session_from_disk(found)

    async def save(self, session: FlowSession) -> None:
        """Write a session whose `version` was raised by one; its state must be open still.

        Raises:
            Conflict: another exchange was faster, it is done, or it is gone.
        """
        change = session_to_disk(session)
        del change["_id"]
        with reachable():
            is_saved = await self._sessions.update([(open_before(session), {"$set": change})])
        if not is_saved:
            raise Conflict("another exchange of the Flow was faster, or it is done")

    async def token_of(self, wamid: str) -> str | None:
        """Give the `flow_token` of the Flow message that Meta calls so."""
        with reachable():
            part: Any = await self._outbox.find_one(
                {"providerId": wamid}, projection={".".join(TOKEN): 1}
            )
        for name in TOKEN:
            part = part.get(name) if isinstance(part, dict) else None
        return part if isinstance(part, str) else None


def open_before(session: FlowSession) -> Json:
    """Describe the stored session that one may take the place of."""
    return {"_id": session.id, "version": session.version - 1, "state": "open"}


def session_to_disk(session: FlowSession) -> Json:
    """Write a session."""
    return {
        "_id": session.id,
        "customer": session.customer,
        "flow": session.flow,
        "language": session.language,
        "input": session.input,
        "phoneNumberId": session.phone_number_id,
        "createdAt": session.created_at,
        "expiresAt": session.expires_at,
        "version": session.version,
        "trail": list(session.trail),
        "variables": session.variables,
        "answered": session.answered,
        "state": session.state,
        "params": session.params,
        "expireAt": _kept_until(session),
    }


def session_from_disk(document: Json) -> FlowSession:
    """Read a session back."""
    return FlowSession(
        id=document["_id"],
        tenant=TenantId(document["tenant"]),
        customer=CustomerKey(document["customer"]),
        flow=document["flow"],
        language=document["language"],
        input=document["input"],
        phone_number_id=document["phoneNumberId"],
        created_at=document["createdAt"],
        expires_at=document["expiresAt"],
        version=document["version"],
        trail=tuple(document["trail"]),
        variables=document["variables"],
        answered=document["answered"],
        state=document["state"],
        params=document.get("params"),
    )


def _kept_until(session: FlowSession) -> datetime:
    return session.expires_at + timedelta(days=FLOW_DAYS)
