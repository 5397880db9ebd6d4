"""Opening a Flow: what is bound to it, and when the chat must do instead."""

from datetime import timedelta

import pytest

from engine.domain.refusals import Reason
from engine.flow_ports import FlowSession
from engine.turn import Event
from tests.unit.actions.shop import (
    CUSTOMER,
    OPEN,
    OpenDesk,
    a_turn,
    bundle,
    raised,
    reason,
)

CUSTOMIZE = {"flow": "product_customization", "product": "prod:margherita"}


def test_a_flow_is_bound_to_whom_it_is_sent_and_what_it_is_about():
    turn = a_turn(flows=OpenDesk(), language="es")
    assert raised(turn, "flow.open", **CUSTOMIZE, quantity=3) == Event("flow_ready")
    (session,) = turn.flow_sessions
    assert session == FlowSession(
        id=session.id,
        tenant=bundle().tenant_id,
        customer=CUSTOMER,
        flow="product_customization",
        language="es",
        input={"product": "prod:margherita", "quantity": 3},
        phone_number_id="101",
        created_at=OPEN,
        expires_at=OPEN + timedelta(hours=24),
    )
    assert (len(session.id), int(session.id, 16) >= 0) == (32, True)
    assert turn.memory["flow"] == {"id": "77", "token": f"token of {session.id}"}


def test_every_flow_has_a_session_of_its_own():
    turn = a_turn(flows=OpenDesk())
    raised(turn, "flow.open", **CUSTOMIZE)
    raised(turn, "flow.open", flow="checkout")
    first, second = turn.flow_sessions
    assert first.id != second.id
    assert second.input == {"product": None, "quantity": None}
    assert turn.memory["flow"]["id"] == "88"


@pytest.mark.parametrize(
    ("desk", "wanted"),
    [
        (None, CUSTOMIZE),
        (None, CUSTOMIZE | {"product": "prod:gone"}),
        (OpenDesk(deployed={}), CUSTOMIZE),
        (OpenDesk(deployed={}), {"flow": "checkout"}),
        (OpenDesk(too_large=frozenset({"prod:margherita"})), CUSTOMIZE),
    ],
)
def test_without_a_flow_the_chat_does_it(desk, wanted):
    turn = a_turn(flows=desk)
    assert raised(turn, "flow.open", **wanted) == Event("flow_unavailable")
    assert (turn.flow_sessions, turn.memory) == ([], {})


def test_a_product_that_is_gone_has_no_flow():
    gone = CUSTOMIZE | {"product": "prod:gone"}
    assert reason(a_turn(flows=OpenDesk()), "flow.open", **gone) is Reason.UNKNOWN_PRODUCT
