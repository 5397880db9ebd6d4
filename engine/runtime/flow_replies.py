"""A Flow's completion as the chat brings it (`nfm_reply`): whose it is, and what it says."""

from typing import Any

from engine.domain.ids import CustomerKey
from engine.flow_ports import FlowSession
from engine.ports import TenantStore
from engine.runtime.flow_tokens import Tokens
from engine.whatsapp.content import FlowReply
from engine.whatsapp.inbound import InboundMessage

TOKEN = "flow_token"


class FlowReplies:
    """Reads completions."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def session(
        self, message: InboundMessage, customer: CustomerKey, store: TenantStore
    ) -> FlowSession | None:
        """Find the session a completion is of; None if its token is not this customer's.

        iOS is known to leave the token out: then it is the one of the message that is answered.
        """
        assert isinstance(message.content, FlowReply)
        token = message.content.token or message.content.response.get(TOKEN)
        if token is None and message.context_id:
            token = await store.flow_sessions.token_of(message.context_id)
        session = await self._tokens.session(token, store.flow_sessions)
        return session if session and session.customer == customer else None

    def params(self, session: FlowSession, reply: FlowReply) -> dict[str, Any]:
        """Give the outcome of a session that no exchange has ended.

        What our endpoint has noted counts, then what the completion says; what the Flow was
        opened with cannot be changed by it.
        """
        said = {k: v for k, v in reply.response.items() if k != TOKEN}
        noted = {k: v for k, v in (session.params or {}).items() if v is not None}
        return said | noted | session.bound
