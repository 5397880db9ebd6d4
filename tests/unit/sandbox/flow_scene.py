"""What tests of Flows do with the Graph API again and again."""

from dataclasses import replace

import httpx

from tests.unit.sandbox.flow_samples import survey, written
from tests.unit.sandbox.scene import SHOP, Json, Scene

OTHER = replace(
    SHOP,
    phone_number_id="207",
    token="token-other",
    waba_id="102",
    callback_url="http://127.0.0.1:9/",
)
BODY = {"name": "customise", "categories": ["OTHER"]}


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


async def change(scene: Scene, flow: str, status: str) -> httpx.Response:
    return await scene.http.post(f"/sandbox/flows/{flow}", json={"status": status})
