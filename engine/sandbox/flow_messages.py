"""Meta's rules for messages that offer a Flow: it must be there, and in a state to be sent."""

from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.flow_documents.routing import entry_screens
from engine.sandbox.flow_state import Flow
from engine.sandbox.state import PhoneNumber, World

INVALID = 131009
SENT_WHILE_THROTTLED = 10
PARAMETERS = "interactive.action.parameters"


def offered_flow(world: World, number: PhoneNumber, body: JsonObject) -> Flow | None:
    """Return the Flow that a right message names, if its sender's account has it."""
    wanted = _parameters(body)
    if not wanted:
        return None
    for flow in world.flows_of(number.waba_id):
        if flow.id == wanted.get("flow_id") or flow.name == wanted.get("flow_name"):
            return flow
    return None


def flow_complaint(world: World, number: PhoneNumber, body: JsonObject) -> Complaint | None:
    """Return what Meta has against the Flow that a right message offers, or None."""
    wanted = _parameters(body)
    if not wanted:
        return None
    flow = offered_flow(world, number, body)
    if flow is None:
        name = "flow_id" if "flow_id" in wanted else "flow_name"
        return Complaint(
            INVALID,
            f"Param {PARAMETERS}.{name} is not valid: Flow '{wanted[name]}' does not exist, or "
            "not in the WhatsApp Business Account of the sender",
        )
    return _state_complaint(flow, wanted) or _screen_complaint(flow, wanted)


def _parameters(body: JsonObject) -> JsonObject:
    """Return the parameters of a Flow message; nothing of another one."""
    interactive = body.get("interactive") or {}
    if body.get("type") != "interactive" or interactive.get("type") != "flow":
        return {}
    parameters: JsonObject = interactive["action"]["parameters"]
    return {name: value for name, value in parameters.items() if value is not None}


def _state_complaint(flow: Flow, wanted: JsonObject) -> Complaint | None:
    if flow.status == "BLOCKED":
        return Complaint(132068, "Flow is in blocked state")
    if flow.status == "THROTTLED" and flow.sent >= SENT_WHILE_THROTTLED:
        return Complaint(
            132069,
            f"Flow is in throttled state and {SENT_WHILE_THROTTLED} messages using this flow were "
            "already sent in the last hour",
        )
    if flow.status == "DEPRECATED":
        return Complaint(INVALID, f"Flow {flow.id} is deprecated and cannot be sent")
    mode = wanted.get("mode", "published")
    if (mode == "draft") != (flow.status == "DRAFT"):
        return Complaint(
            INVALID,
            f"Param {PARAMETERS}.mode is not valid: Flow {flow.id} is {flow.status} and cannot be "
            f"sent in mode {mode}",
        )
    if mode == "draft" and (flow.document is None or flow.validation_errors):
        return Complaint(INVALID, f"The Flow JSON of Flow {flow.id} has validation errors")
    return None


def _screen_complaint(flow: Flow, wanted: JsonObject) -> Complaint | None:
    screen = wanted.get("flow_action_payload", {}).get("screen")
    document = flow.document if flow.status == "DRAFT" else flow.published
    if screen is None or document is None:
        return None
    entries = entry_screens(document)
    if screen in entries:
        return None
    return Complaint(
        INVALID,
        f"Param {PARAMETERS}.flow_action_payload.screen is not valid: it must be one of "
        f"{{{', '.join(entries)}}}",
    )
