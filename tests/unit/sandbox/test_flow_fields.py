import pytest

from tests.unit.sandbox.flow_samples import survey
from tests.unit.sandbox.flow_scene import change, published, refusal, show
from tests.unit.sandbox.scene import SHOP


@pytest.fixture
def edge(scene):
    return f"{scene.number.waba_id}/flows"


async def test_list_page_by_page(scene, edge):
    for number in range(5):
        await scene.flow(survey(), name=f"flow {number}")
    names = []
    url = f"/v23.0/{edge}?fields=name&limit=2"
    pages = 0
    while url:
        answer = await scene.http.get(url, headers={"Authorization": f"Bearer {SHOP.token}"})
        page = answer.json()
        names += [flow["name"] for flow in page["data"]]
        url, pages = page["paging"].get("next"), pages + 1

    assert names == [f"flow {number}" for number in range(5)]
    assert pages == 3
    after = (await scene.graph("GET", edge, params={"limit": 4})).json()["paging"]["cursors"]
    rest = await scene.graph("GET", edge, params={"after": after["after"]})
    assert [flow["name"] for flow in rest.json()["data"]] == ["flow 4"]


async def test_25_flows_are_a_page(scene, edge):
    for number in range(26):
        await scene.flow(survey(), name=f"flow {number}")

    assert len((await scene.graph("GET", edge)).json()["data"]) == 25


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "many"}, {"after": "x"}])
async def test_wrong_pages(scene, edge, query):
    assert refusal(await scene.graph("GET", edge, params=query))[0] == 100


async def test_preview_and_health(scene):
    flow = await published(scene)

    shown = await show(scene, flow, "preview.invalidate(false),health_status.phone_number(1,2)")

    assert shown["preview"]["preview_url"].startswith("https://business.facebook.com/wa/manage/")
    assert shown["preview"]["expires_at"] == "2026-12-20T12:00:00+0000"
    assert shown["health_status"]["can_send_message"] == "AVAILABLE"
    for changed_to, health in (
        ("THROTTLED", "LIMITED"),
        ("BLOCKED", "BLOCKED"),
        ("DEPRECATED", "BLOCKED"),
    ):
        await change(scene, flow, changed_to)
        shown = await show(scene, flow, "health_status")
        assert shown["health_status"]["entities"][0]["can_send_message"] == health


async def test_fields_a_flow_does_not_have(scene):
    flow = await scene.flow()

    error = (await show(scene, flow, "id,colour"))["error"]

    assert (error["code"], "colour" in error["message"]) == (100, True)
