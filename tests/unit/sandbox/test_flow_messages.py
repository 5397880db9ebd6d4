from dataclasses import asdict

import pytest

from tests.unit.sandbox.flow_samples import changed, product, survey, written
from tests.unit.sandbox.flow_scene import BODY, OTHER, change, published, upload
from tests.unit.sandbox.samples import MESSAGES
from tests.unit.sandbox.scene import ANA, Scene


@pytest.fixture
def edge(scene):
    return f"{scene.number.waba_id}/flows"


async def offer(scene: Scene, flow: str, **parameters) -> tuple[int, str] | None:
    """Send a Flow message; return code and details of the refusal, or None."""
    given = {"flow_message_version": "3", "flow_cta": "Customise"}
    given |= {} if "flow_name" in parameters else {"flow_id": flow}
    interactive = MESSAGES["flow"]["interactive"]
    action = {"name": "flow", "parameters": given | parameters}
    body = {"messaging_product": "whatsapp", "to": ANA, "type": "interactive"}
    answer = await scene.send(body | {"interactive": interactive | {"action": action}})
    if answer.status_code == 200:
        return None
    error = answer.json()["error"]
    return error["code"], error["error_data"]["details"]


async def test_sending_a_flow(scene):
    flow = await published(scene)
    at_ask = {"screen": "ASK", "data": {"x": 1}}

    assert await offer(scene, flow) is None
    assert await offer(scene, flow, flow_name="customise") is None
    assert await offer(scene, flow, mode="published", flow_action="navigate") is None
    assert await offer(scene, flow, flow_action_payload=at_ask) is None
    assert await offer(scene, flow, flow_action="data_exchange") is None
    assert len(await scene.customer().messages()) == 5


async def test_sending_flows_that_are_not_there(scene):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    body = BODY | {"flow_json": written(survey()), "publish": True}
    foreign = (await scene.graph("POST", "102/flows", token=OTHER.token, json=body)).json()["id"]

    for parameters in ({}, {"flow_name": "customise"}):
        refused = await offer(scene, foreign, **parameters)
        assert refused is not None
        assert refused[0] == 131009
        assert "not in the WhatsApp Business Account of the sender" in refused[1]
    assert await scene.customer().messages() == []


async def test_mode_and_status_go_together(scene):
    flow = await scene.flow(survey())
    drafted = await offer(scene, flow)
    assert drafted is not None
    assert drafted[0] == 131009
    assert "is DRAFT and cannot be sent in mode published" in drafted[1]
    assert await offer(scene, flow, mode="draft") is None

    await scene.graph("POST", f"{flow}/publish")
    public = await offer(scene, flow, mode="draft")
    assert public is not None
    assert "is PUBLISHED and cannot be sent in mode draft" in public[1]

    await upload(scene, flow, survey())
    assert await offer(scene, flow) is not None
    await scene.graph("POST", f"{flow}/publish")
    await scene.graph("POST", f"{flow}/deprecate")
    retired = await offer(scene, flow)
    assert retired is not None
    assert "deprecated" in retired[1]


async def test_a_draft_with_faults_is_not_sent(scene, edge):
    flow = (await scene.graph("POST", edge, json=BODY)).json()["id"]
    assert (await offer(scene, flow, mode="draft") or (0, ""))[0] == 131009

    await upload(scene, flow, changed(survey, "screens.0.title", 7))

    refused = await offer(scene, flow, mode="draft")
    assert refused is not None
    assert "validation errors" in refused[1]


@pytest.mark.parametrize("name", ["THANKS", "NIX"])
async def test_a_flow_begins_with_an_entry_screen(scene, name):
    flow = await published(scene)

    refused = await offer(scene, flow, flow_action_payload={"screen": name})

    assert refused is not None
    assert refused[0] == 131009
    assert refused[1].endswith("must be one of {ASK}")


async def test_what_customers_get_counts_and_not_the_draft(scene):
    flow = await scene.flow(product())
    assert await offer(scene, flow, mode="draft", flow_action_payload={"screen": "SIZE"}) is None

    await upload(scene, flow, survey())

    refused = await offer(scene, flow, mode="draft", flow_action_payload={"screen": "SIZE"})
    assert refused is not None


async def test_blocked_flows(scene):
    flow = await published(scene)
    await change(scene, flow, "BLOCKED")

    assert await offer(scene, flow) == (132068, "Flow is in blocked state")
    await change(scene, flow, "PUBLISHED")
    assert await offer(scene, flow) is None


async def test_throttled_flows(scene):
    flow = await published(scene)
    await offer(scene, flow)
    await change(scene, flow, "THROTTLED")

    sent = [await offer(scene, flow) for _ in range(11)]

    assert sent[:10] == [None] * 10
    assert sent[10] is not None
    assert sent[10][0] == 132069
    await change(scene, flow, "THROTTLED")
    assert await offer(scene, flow) is None
