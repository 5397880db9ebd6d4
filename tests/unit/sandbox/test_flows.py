from dataclasses import asdict, replace

import httpx
import pytest
from starlette.responses import PlainTextResponse

from tests.unit.sandbox.endpoint import public_pem
from tests.unit.sandbox.flow_samples import changed, product, survey, written
from tests.unit.sandbox.samples import FIRST_FLOW, MESSAGES
from tests.unit.sandbox.scene import ANA, SHOP, Json, Scene, staged, well_signed

OTHER = replace(
    SHOP,
    phone_number_id="207",
    token="token-other",
    waba_id="102",
    callback_url="http://127.0.0.1:9/",
)
BODY = {"name": "customise", "categories": ["OTHER"]}


@pytest.fixture
def edge(scene):
    return f"{scene.number.waba_id}/flows"


async def upload(scene: Scene, flow: str, document: Json | str, **fields) -> httpx.Response:
    raw = document if isinstance(document, str) else written(document)
    return await scene.graph(
        "POST",
        f"{flow}/assets",
        files={"file": ("flow.json", raw, "application/json")},
        data={"name": "flow.json", "asset_type": "FLOW_JSON"} | fields,
    )


async def show(scene: Scene, flow: str, fields: str | None = None) -> Json:
    query = {} if fields is None else {"fields": fields}
    shown: Json = (await scene.graph("GET", flow, params=query)).json()
    return shown


async def status(scene: Scene, flow: str) -> str:
    shown: str = (await show(scene, flow))["status"]
    return shown


async def published(scene: Scene, document: Json | None = None) -> str:
    flow = await scene.flow(document or survey())
    answer = await scene.graph("POST", f"{flow}/publish")
    assert answer.json() == {"success": True}
    return flow


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """The code of a refusal, and what it says is wrong."""
    assert answer.status_code == 400
    error = answer.json()["error"]
    return error["code"], error.get("error_user_title") or error["error_data"]["details"]


async def test_create(scene, edge):
    answer = await scene.graph("POST", edge, json=BODY)

    assert (answer.status_code, answer.json()) == (200, {"id": FIRST_FLOW, "success": True})
    assert await show(scene, FIRST_FLOW) == {
        "id": FIRST_FLOW,
        "name": "customise",
        "status": "DRAFT",
        "categories": ["OTHER"],
        "validation_errors": [],
    }


@pytest.mark.parametrize("form", ["data", "files"])
async def test_create_with_a_form(scene, edge, form):
    body = {"name": "a", "categories": '["SURVEY", "OTHER"]', "flow_json": written(survey())}
    body |= {"endpoint_uri": "https://example.com/flow", "publish": "true"}
    parts = {name: (None, value) for name, value in body.items()} if form == "files" else body

    answer = await scene.graph("POST", edge, **{form: parts})

    assert answer.json() == {"id": FIRST_FLOW, "success": True, "validation_errors": []}
    shown = await show(scene, FIRST_FLOW, "categories,status,endpoint_uri,json_version")
    assert shown == {
        "categories": ["SURVEY", "OTHER"],
        "status": "PUBLISHED",
        "endpoint_uri": "https://example.com/flow",
        "json_version": "7.3",
        "id": FIRST_FLOW,
    }


async def test_create_with_faults_stays_a_draft(scene, edge):
    document = changed(survey, "screens.0.title", 7)
    body = BODY | {"flow_json": written(document), "publish": True}

    (error,) = (await scene.graph("POST", edge, json=body)).json()["validation_errors"]

    assert error["error"] == "INVALID_PROPERTY_TYPE"
    assert await status(scene, FIRST_FLOW) == "DRAFT"
    assert (await show(scene, FIRST_FLOW))["validation_errors"] == [error]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"categories": ["OTHER"]}, "Param name is required"),
        ({"name": "a"}, "Param categories is required"),
        ({"name": "a", "categories": []}, "Param categories must have at least 1"),
        ({"name": "a", "categories": ["FOOD"]}, "Param categories[0] must be one of"),
        ({"name": "a", "categories": "OTHER"}, "Param categories is not JSON"),
        (BODY | {"endpoint_uri": "example.com"}, "Param endpoint_uri is not valid"),
        (BODY | {"flow_json": {}}, "Param flow_json must be a string"),
        (BODY | {"publish": 1}, "Param publish must be a boolean"),
        (BODY | {"clone_flow_id": "1"}, "Flow with specified ID does not exist"),
    ],
)
async def test_wrong_creations(scene, edge, body, says):
    answer = await scene.graph("POST", edge, json=body)

    code, told = refusal(answer)
    assert code == 100
    assert says in told
    assert (await scene.graph("GET", edge)).json() == {"data": []}


@pytest.mark.parametrize("content", ["name=%", "--x\r\nnonsense"])
async def test_bodies_that_are_no_forms(scene, edge, content):
    kind = {"Content-Type": "multipart/form-data; boundary=y"}
    bearer = {"Authorization": f"Bearer {scene.number.token}"}
    answer = await scene.http.post(f"/v23.0/{edge}", content=content, headers=bearer | kind)

    assert answer.json()["error"]["code"] == 100
    (kept,) = await scene.refusals()
    assert kept["body"] == content


async def test_names_are_unique_in_an_account(scene, edge):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    flow = await scene.flow(name="taken")
    other = await scene.flow(name="free")

    assert refusal(await scene.graph("POST", edge, json=BODY | {"name": "taken"})) == (
        100,
        "Flow name is not unique",
    )
    assert refusal(await scene.graph("POST", other, json={"name": "taken"}))[0] == 100
    assert (await scene.graph("POST", flow, json={"name": "taken"})).status_code == 200
    elsewhere = await scene.graph("POST", "102/flows", token=OTHER.token, json=BODY)
    assert elsewhere.status_code == 200


async def test_clone(scene, edge):
    flow = await scene.flow(changed(survey, "screens.0.title", 7), endpoint_uri="https://a.b/c")
    body = {"name": "copy", "categories": ["SURVEY"], "clone_flow_id": flow}

    answer = (await scene.graph("POST", edge, json=body)).json()

    assert answer["id"] != flow
    copy = await show(scene, answer["id"], "validation_errors,endpoint_uri,json_version,name")
    original = await show(scene, flow, "validation_errors,json_version")
    assert copy == original | {"name": "copy", "id": answer["id"]}
    assert len(copy["validation_errors"]) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", ""),
        ("DELETE", ""),
        ("GET", "/assets"),
        ("POST", "/assets"),
        ("POST", "/publish"),
        ("POST", "/deprecate"),
    ],
)
async def test_a_flow_of_another_account_does_not_exist(scene, method, path):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    flow = await scene.flow()

    for name in (flow, "999"):
        answer = await scene.graph(method, name + path, token=OTHER.token)
        error = answer.json()["error"]

        assert (answer.status_code, error["code"], error["error_subcode"]) == (400, 100, 33)
        assert error["message"].startswith(f"Unsupported {method.lower()} request.")
    assert (await scene.graph(method, flow + path, token="stolen")).status_code == 401
    answer = await scene.http.request(method, f"/v20.0/{flow}{path}")
    assert answer.json()["error"]["code"] == 2635


async def test_an_account_of_another_token_does_not_exist(scene):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))

    for method in ("GET", "POST"):
        answer = await scene.graph(method, "102/flows", json=BODY)
        assert answer.json()["error"]["error_subcode"] == 33
        answer = await scene.graph(method, f"{scene.number.phone_number_id}/flows", json=BODY)
        assert answer.json()["error"]["error_subcode"] == 33


async def test_a_clone_of_another_accounts_flow(scene):
    await scene.http.post("/sandbox/phones", json=asdict(OTHER))
    flow = await scene.flow()
    body = BODY | {"clone_flow_id": flow}

    answer = await scene.graph("POST", "102/flows", token=OTHER.token, json=body)

    assert refusal(answer) == (100, "Flow with specified ID does not exist")


async def test_upload(scene):
    flow = await scene.flow(survey())
    document = changed(product, "screens.0.layout.children.1.label", "x" * 31)

    answer = await upload(scene, flow, document)

    assert answer.status_code == 200
    (error,) = answer.json()["validation_errors"]
    assert answer.json()["success"] is True
    assert (error["line_start"], error["column_start"], error["column_end"]) == (54, 22, 54)
    shown = await show(scene, flow, "validation_errors,data_api_version")
    assert shown == {"validation_errors": [error], "data_api_version": "4.0", "id": flow}
    assert (await upload(scene, flow, product())).json()["validation_errors"] == []
    assert (await show(scene, flow))["validation_errors"] == []


async def test_what_was_uploaded_can_be_downloaded(scene, edge):
    empty = (await scene.graph("POST", edge, json=BODY)).json()["id"]
    assert (await scene.graph("GET", f"{empty}/assets")).json() == {"data": []}
    await upload(scene, empty, '{"x": "ñ"')

    (asset,) = (await scene.graph("GET", f"{empty}/assets")).json()["data"]

    assert (asset["name"], asset["asset_type"]) == ("flow.json", "FLOW_JSON")
    download = await scene.http.get(asset["download_url"])
    assert download.text == '{"x": "ñ"'
    assert (await scene.http.get("/sandbox/flows/999/flow.json")).status_code == 404
    assert (await show(scene, empty))["validation_errors"][0]["error"] == "INVALID_FLOW_JSON"


async def test_an_empty_file_is_not_json(scene):
    flow = await scene.flow()

    (error,) = (await upload(scene, flow, "")).json()["validation_errors"]

    assert error["error"] == "INVALID_FLOW_JSON"


async def test_wrong_uploads(scene):
    flow = await scene.flow()
    fields = {"name": "flow.json", "asset_type": "FLOW_JSON"}

    def file(raw=b"{}", kind="application/json"):
        return {"files": {"file": ("flow.json", raw, kind)}, "data": fields}

    for body, says in [
        ({"json": fields | {"file": "{}"}}, "Param file must be a file"),
        ({"data": fields}, "Param file must be a file"),
        (file() | {"data": fields | {"name": "a.json"}}, "Param name must be flow.json"),
        (file() | {"data": {"name": "flow.json"}}, "Param asset_type must be FLOW_JSON"),
        (file(kind="text/plain"), "Param file must be of type application/json"),
        (file(raw=b" " * (10 * 1024 * 1024 + 1)), "Param file must have at most 10485760 bytes"),
    ]:
        answer = await scene.graph("POST", f"{flow}/assets", **body)

        code, told = refusal(answer)
        assert code == 100
        assert says in told
    assert (await show(scene, flow, "data_api_version"))["data_api_version"] == "4.0"


async def test_change(scene):
    flow = await scene.flow()
    body = {
        "name": "renamed",
        "categories": '["SURVEY"]',
        "endpoint_uri": "https://example.com/other",
        "application_id": "4711",
    }

    assert (await scene.graph("POST", flow, data=body)).json() == {"success": True}
    assert (await scene.graph("POST", flow)).json() == {"success": True}

    fields = "name,categories,endpoint_uri,application,whatsapp_business_account"
    assert await show(scene, flow, fields) == {
        "name": "renamed",
        "categories": ["SURVEY"],
        "endpoint_uri": "https://example.com/other",
        "application": {"id": "4711"},
        "whatsapp_business_account": {"id": scene.number.waba_id},
        "id": flow,
    }
    for wrong in ({"categories": []}, {"endpoint_uri": "ftp://a"}, {"application_id": "app"}):
        assert refusal(await scene.graph("POST", flow, json=wrong))[0] == 100


async def test_changing_a_published_flow_makes_it_a_draft_again(scene):
    flow = await published(scene)

    await upload(scene, flow, product())
    assert await status(scene, flow) == "DRAFT"

    (kept,) = (await scene.http.get("/sandbox/flows")).json()
    assert kept["published"] == survey()
    assert kept["document"] == product()
    await upload(scene, flow, survey())
    await scene.graph("POST", f"{flow}/publish")
    await scene.graph("POST", flow, json={"name": "b"})
    assert await status(scene, flow) == "DRAFT"


async def test_frozen_flows_are_cloned():
    async with staged(frozen_flows=True) as scene:
        flow = await published(scene)

        for answer in (
            await upload(scene, flow, product()),
            await scene.graph("POST", flow, json={"name": "b"}),
        ):
            assert refusal(answer) == (139001, "Flow can't be updated")
        assert await status(scene, flow) == "PUBLISHED"
        copy = await scene.flow(name="b", clone_flow_id=flow)
        assert (await upload(scene, copy, product())).status_code == 200


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
    assert well_signed(
        type("Signed", (), {"raw": endpoint.raw[0], "signature": endpoint.signatures[0]})
    )


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


async def test_deprecate(scene):
    flow = await scene.flow(survey())
    assert refusal(await scene.graph("POST", f"{flow}/deprecate")) == (
        139003,
        "Can't deprecate unpublished flow",
    )
    await scene.graph("POST", f"{flow}/publish")

    assert (await scene.graph("POST", f"{flow}/deprecate")).json() == {"success": True}

    assert await status(scene, flow) == "DEPRECATED"
    assert refusal(await scene.graph("POST", f"{flow}/deprecate"))[1] == (
        "Flow is already deprecated"
    )
    assert refusal(await upload(scene, flow, survey()))[0] == 139001
    assert refusal(await scene.graph("DELETE", flow))[0] == 139004


async def test_delete(scene, edge):
    flow = await scene.flow()
    assert (await scene.graph("DELETE", flow)).json() == {"success": True}
    assert (await show(scene, flow))["error"]["error_subcode"] == 33
    assert (await scene.graph("GET", edge)).json() == {"data": []}

    other = await published(scene)
    assert other != flow
    assert refusal(await scene.graph("DELETE", other)) == (139004, "Can't delete published Flow")
    assert await status(scene, other) == "PUBLISHED"


async def test_list_page_by_page(scene, edge):
    for number in range(5):
        await scene.flow(survey(), name=f"flow {number}")
    names = []
    url = f"{scene.http.base_url}v23.0/{edge}?fields=name&limit=2"
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


async def change(scene: Scene, flow: str, status: str) -> httpx.Response:
    return await scene.http.post(f"/sandbox/flows/{flow}", json={"status": status})


async def test_webhooks_of_a_flows_life(scene):
    flow = await published(scene)
    await scene.deliveries(2)
    changes = [await change(scene, flow, status) for status in ("THROTTLED", "BLOCKED")]
    await scene.graph("POST", f"{flow}/deprecate")

    webhooks = await scene.engine.until(5)

    assert all(well_signed(webhook) for webhook in webhooks)
    assert [answer.json() for answer in changes] == [{"id": flow, "status": 200}] * 2
    assert webhooks[0].body == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": scene.number.waba_id,
                "time": 1795176000,
                "changes": [
                    {
                        "field": "flows",
                        "value": {
                            "event": "FLOW_STATUS_CHANGE",
                            "message": "Flow customise has been created with DRAFT status",
                            "flow_id": flow,
                            "new_status": "DRAFT",
                        },
                    }
                ],
            }
        ],
    }
    assert webhooks[1].value == {
        "event": "FLOW_STATUS_CHANGE",
        "message": "Flow customise changed status from DRAFT to PUBLISHED",
        "flow_id": flow,
        "old_status": "DRAFT",
        "new_status": "PUBLISHED",
    }
    life = [(one.value["old_status"], one.value["new_status"]) for one in webhooks[2:]]
    assert life == [
        ("PUBLISHED", "THROTTLED"),
        ("THROTTLED", "BLOCKED"),
        ("BLOCKED", "DEPRECATED"),
    ]
    deliveries = await scene.deliveries(5)
    assert {(one["kind"], one["wamid"], one["status"]) for one in deliveries} == {
        ("flow", flow, 200)
    }


async def test_wrong_changes_by_the_control_route(scene):
    flow = await scene.flow()

    assert (await change(scene, flow, "PAUSED")).status_code == 400
    assert (await change(scene, "999", "BLOCKED")).status_code == 404
    assert await status(scene, flow) == "DRAFT"


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


async def test_reset_forgets_flows(scene, edge):
    await scene.flow()

    await scene.http.post("/sandbox/reset")
    await scene.register()

    assert (await scene.http.get("/sandbox/flows")).json() == []
    assert (await scene.graph("POST", edge, json=BODY)).json()["id"] == FIRST_FLOW
