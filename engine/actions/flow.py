"""Actions that open WhatsApp Flows."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from engine.domain.refusals import Reason, Refusal
from engine.flow_ports import FlowSession
from engine.registry import Registry
from engine.turn import Event, Turn

registry = Registry()
FLOW_HOURS = 24
"""How long a Flow can be opened from the message that brought it; as long as a cart lives."""
Quantity = Annotated[int, Field(ge=1, le=99)]


@registry.action("flow.open", gives=("flow",), raises=("flow_ready", "flow_unavailable"))
async def open_flow(
    turn: Turn, *, flow: str, product: str | None = None, quantity: Quantity | None = None
) -> Refusal | Event:
    """Prepare a Flow to be sent, as `flow`; raises `flow_unavailable` if the chat must do it.

    That is so when the tenant has not deployed it, Meta blocks or throttles it, or the product is
    larger than what it takes.
    """
    desk = turn.flows
    if desk is None:
        return Event("flow_unavailable")
    if product is not None:
        found = await turn.catalog.get_product_by_id(product)
        if found is None:
            return Refusal(Reason.UNKNOWN_PRODUCT)
        if desk.misfit(flow, found):
            return Event("flow_unavailable")
    language = turn.conversation.language
    meta_id = await desk.meta_id(flow, product=product, language=language)
    if meta_id is None:
        return Event("flow_unavailable")
    session = FlowSession(
        id=turn.ids.token(),
        tenant=turn.conversation.tenant,
        customer=turn.conversation.customer,
        flow=flow,
        language=language,
        input={"product": product, "quantity": quantity},
        phone_number_id=desk.phone_number_id,
        created_at=turn.now,
        expires_at=turn.now + timedelta(hours=FLOW_HOURS),
    )
    turn.flow_sessions.append(session)
    turn.memory["flow"] = {"id": meta_id, "token": desk.token(session)}
    return Event("flow_ready")
