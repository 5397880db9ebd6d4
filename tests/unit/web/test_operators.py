"""The doors of operators: who may come in, and what is told of a deployment."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from engine.errors import EngineError, GraphRetryable, GraphTerminal, Unavailable
from engine.spec.problems import Problem, Span, SpecError
from engine.web.operators import OperatorDoors
from tests.unit.deployment.deploying import flow_json, house, refused

TOKEN = "operator's token ñ"
PATH = "/api/v1/whatsapp/flow/deploy/prod:margherita/shop"


@pytest.fixture(scope="module")
async def built():
    async with house() as made:
        yield made


@pytest.fixture
async def scene(built):
    async with built.scene() as made:
        yield made


class Broken:
    """Deploys nothing, and says why."""

    def __init__(self, error: Exception):
        self.error = error

    async def deploy(self, tenant, *, product=None):
        raise self.error


async def post(deployer, path=PATH, *, token=TOKEN, admin_token=TOKEN, **headers: Any):
    doors = OperatorDoors(
        admin_token=admin_token,
        deployer=lambda: deployer,
        tenants=lambda name: name == "shop",
    )
    app = Starlette(routes=doors.routes())
    if token is not None:
        headers["Authorization"] = f"Bearer {token}".encode()
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        return await http.post(path, headers=headers)


@pytest.mark.parametrize("path", [PATH, f"{PATH}/local-7", PATH.replace(":", "%3A")])
async def test_the_flow_of_a_product_is_deployed(scene, path):
    answer = await post(scene.deployer, path)
    assert answer.status_code == 200
    body = answer.json()
    flow = await scene.flow("size_prod:margherita")
    assert flow["status"] == "PUBLISHED"
    assert body["success"] is True
    assert body["flow_id"] == flow["id"] == scene.mapping["prod:margherita"]
    assert [s["verb"] for s in body["steps"]][-3:] == ["create", "upload", "publish"]
    assert body["problems"] == []


async def test_a_second_time_nothing_is_done_and_the_flow_is_told_again(scene):
    first = (await post(scene.deployer)).json()
    watch = scene.watched()
    second = (await post(scene.deployer)).json()
    assert second["flow_id"] == first["flow_id"]
    assert [s["verb"] for s in second["steps"]] == ["unchanged"]
    assert watch.writes == []


@pytest.mark.parametrize(
    "headers",
    [
        {"token": None},
        {"token": ""},
        {"token": "operator's token"},
        {"token": f"{TOKEN}x"},
        {"token": None, "Authorization": f"Basic {TOKEN}".encode()},
        {"token": None, "Authorization": TOKEN.encode()},
    ],
)
async def test_without_the_right_token_nothing_is_done(scene, headers):
    answer = await post(scene.deployer, **headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "token" in answer.json()["error"]
    assert scene.watch.calls == []


@pytest.mark.parametrize("token", ["", None, "anything"])
async def test_without_an_admin_token_the_doors_are_shut(scene, token):
    answer = await post(scene.deployer, token=token, admin_token="")
    assert answer.status_code == 503
    assert answer.json()["error"].startswith("ADMIN_TOKEN is not set")
    assert scene.watch.calls == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/api/v1/whatsapp/flow/deploy/prod:margherita/nobody", "there is no such tenant"),
        ("/api/v1/whatsapp/flow/deploy/prod:none/shop", "'shop' has no product 'prod:none'"),
    ],
)
async def test_what_is_not_there_is_not_found(scene, path, said):
    answer = await post(scene.deployer, path)
    assert (answer.status_code, answer.json()) == (404, {"error": said})
    assert scene.watch.writes == []


async def test_what_is_missing_is_told(scene):
    scene.keys.held.clear()
    answer = await post(scene.deployer)
    assert answer.status_code == 409
    assert "comanda flows keygen shop" in answer.json()["error"]


async def test_what_meta_refuses_is_told_with_its_line(scene):
    scene.content.held = (refused(), flow_json("es"))
    answer = await post(scene.deployer)
    assert answer.status_code == 422
    body = answer.json()
    assert (body["success"], body["flow_id"]) == (False, None)
    (problem,) = body["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("flows/size.yaml", 44, 7)
    assert problem["code"] == "meta-refuses"


async def test_a_step_that_failed_at_meta_is_told(scene, built):
    built.is_open = False
    answer = await post(scene.deployer)
    assert answer.status_code == 502
    assert answer.json()["steps"][-1]["verb"] == "failed"


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (Unavailable("the database does not answer"), 503, "the database does not answer"),
        (GraphTerminal("no", code=190), 502, "store a valid access token"),
        (GraphRetryable("no answer"), 502, "try again later"),
        (SpecError([Problem(Span("a.yaml"), "unknown-key", "'b'")]), 422, "a.yaml:1:1: unknown"),
        (EngineError("the key cannot be opened"), 500, "the key cannot be opened"),
    ],
)
async def test_an_error_is_a_status_and_a_sentence(error, status, said):
    with capture_logs() as logs:
        answer = await post(Broken(error))
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert TOKEN not in str(logs)


async def test_a_deployment_is_logged_without_the_token(scene):
    with capture_logs() as logs:
        await post(scene.deployer)
    (entry,) = [log for log in logs if log["event"] == "operator.deploy"]
    assert (entry["tenant"], entry["product"], entry["status"]) == ("shop", "prod:margherita", 200)
    assert TOKEN not in str(logs)
