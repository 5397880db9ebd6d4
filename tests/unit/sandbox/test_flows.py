from dataclasses import asdict

import pytest

from tests.unit.sandbox.flow_samples import changed, product, survey, written
from tests.unit.sandbox.flow_scene import (
    BODY,
    OTHER,
    change,
    published,
    refusal,
    show,
    status,
    upload,
)
from tests.unit.sandbox.samples import FIRST_FLOW
from tests.unit.sandbox.scene import staged, well_signed


@pytest.fixture
def edge(scene):
    return f"{scene.number.waba_id}/flows"


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
    for name, value in (("categories", []), ("endpoint_uri", "ftp://a"), ("application_id", "a")):
        assert refusal(await scene.graph("POST", flow, json={name: value}))[0] == 100


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
    moved = asdict(scene.number) | {"waba_id": "102"}
    await scene.http.post("/sandbox/phones", json=moved)
    assert (await change(scene, flow, "BLOCKED")).status_code == 404
    await scene.register()
    assert await status(scene, flow) == "DRAFT"


async def test_reset_forgets_flows(scene, edge):
    await scene.flow()

    await scene.http.post("/sandbox/reset")
    await scene.register()

    assert (await scene.http.get("/sandbox/flows")).json() == []
    assert (await scene.graph("POST", edge, json=BODY)).json()["id"] == FIRST_FLOW
