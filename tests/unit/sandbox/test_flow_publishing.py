import pytest
from starlette.responses import PlainTextResponse

from tests.unit.sandbox.endpoint import public_pem
from tests.unit.sandbox.flow_samples import changed, product, survey, written
from tests.unit.sandbox.flow_scene import BODY, published, refusal, show, status, upload
from tests.unit.sandbox.scene import Scene, Webhook, well_signed


@pytest.fixture
def edge(scene):
    return f"{scene.number.waba_id}/flows"


async def test_publish_a_flow_without_endpoint(scene):
    flow = await published(scene)

    assert await status(scene, flow) == "PUBLISHED"
    assert refusal(await scene.graph("POST", f"{flow}/publish")) == (
        139002,
        "Publishing Flow in invalid state",
    )


async def test_what_is_in_the_way_of_publishing(scene, edge, endpoint):
    flow = (await scene.graph("POST", edge, json=BODY)).json()["id"]

    async def told() -> tuple[str, str]:
        answer = await scene.graph("POST", f"{flow}/publish")
        assert answer.json()["error"]["code"] == 139002
        health = (await show(scene, flow, "health_status"))["health_status"]
        assert health["can_send_message"] == "BLOCKED"
        said = health["entities"][0]["errors"][0]["error_description"]
        assert said == answer.json()["error"]["error_user_title"]
        return said, answer.json()["error"]["error_user_msg"]

    assert (await told())[1] == "The Flow has no Flow JSON."
    await upload(scene, flow, changed(product, "screens.0.title", 7))
    assert (await told())[0] == "Publishing Flow with validation errors"
    await upload(scene, flow, changed(survey, "version", "3.0"))
    assert (await told())[0] == "Versions in Flow JSON file are not available for publishing"
    await upload(scene, flow, product())
    assert (await told())[0] == "Publishing without specifying endpoint_uri is forbidden"
    await scene.graph("POST", flow, json={"endpoint_uri": endpoint.url})
    assert (await told())[0] == "Missing Flows Signed Public Key"
    assert endpoint.asked == []
    await with_key(scene, endpoint)

    answer = await scene.graph("POST", f"{flow}/publish")

    assert answer.json() == {"success": True}
    assert endpoint.asked == [{"version": "4.0", "action": "ping"}]
    assert well_signed(Webhook(endpoint.raw[0], endpoint.signatures[0]))


async def with_key(scene: Scene, endpoint) -> None:
    key = {"business_public_key": public_pem(endpoint.key)}
    edge = f"{scene.number.phone_number_id}/whatsapp_business_encryption"
    assert (await scene.graph("POST", edge, json=key)).status_code == 200


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"data": {"status": "idle"}}, "is not"),
        ({"data": {}}, "is not"),
        (["active"], "is not"),
        (PlainTextResponse("active"), "cannot be read"),
        (PlainTextResponse("YWN0aXZl"), "cannot be read"),
        (PlainTextResponse("", 421), "HTTP 421"),
        (PlainTextResponse("", 302, {"Location": "/"}), "HTTP 302"),
    ],
)
async def test_endpoints_that_are_not_available(scene, endpoint, answer, says):
    await with_key(scene, endpoint)
    flow = await scene.flow(endpoint_uri=endpoint.url)
    endpoint.answer = answer

    refused = await scene.graph("POST", f"{flow}/publish")

    assert refusal(refused) == (139002, "Endpoint Not Available")
    assert says in refused.json()["error"]["error_user_msg"]
    assert await status(scene, flow) == "DRAFT"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/flow", "http://[::/flow"])
async def test_endpoints_nobody_is_at(scene, endpoint, url):
    await with_key(scene, endpoint)
    flow = await scene.flow(endpoint_uri=url)

    refused = await scene.graph("POST", f"{flow}/publish")

    assert refusal(refused) == (139002, "Endpoint Not Available")


async def test_creating_a_published_flow_asks_its_endpoint(scene, edge, endpoint):
    body = BODY | {"flow_json": written(product()), "publish": True, "endpoint_uri": endpoint.url}

    refused = await scene.graph("POST", edge, json=body)
    assert refusal(refused) == (139002, "Missing Flows Signed Public Key")
    assert (await scene.graph("GET", edge)).json() == {"data": []}

    await with_key(scene, endpoint)
    created = (await scene.graph("POST", edge, json=body)).json()
    assert await status(scene, created["id"]) == "PUBLISHED"
    assert len(endpoint.asked) == 1
