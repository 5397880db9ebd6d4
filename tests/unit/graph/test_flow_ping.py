"""A ping through the real door of Flows, and through ones that are broken."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from engine.domain.ids import TenantId
from engine.errors import Unavailable
from engine.graph.flow_ping import FlowPing
from engine.serving import serving
from engine.web.flows import FlowDoors
from engine.whatsapp.flow_crypto import FlowKey
from tests.memory import MemoryFlowKeys

SECRET = "app secret"
KEY = FlowKey.generate()
OTHER = FlowKey.generate()


class Away:
    """Keys in a database that does not answer."""

    async def get(self, tenant):
        raise Unavailable("the database does not answer")


@pytest.fixture(scope="module")
async def door():
    """The door, with a key for `shop` and none for `bare`; `away` has no database."""
    keys = MemoryFlowKeys()
    keys.held[TenantId("shop")] = KEY

    def exchanges():
        raise AssertionError("a ping is answered at the door")

    def doors(kept):
        return FlowDoors(
            app_secret=SECRET,
            exchanges=exchanges,
            keys=lambda: kept,
            tenants=lambda name: name in ("shop", "bare"),
            is_plain_allowed=False,
        ).routes()

    async with (
        serving(Starlette(routes=doors(keys))) as url,
        serving(Starlette(routes=doors(Away()))) as away,
    ):
        yield url, away


async def test_a_door_that_works_has_no_fault(door):
    assert await FlowPing(SECRET)(f"{door[0]}/flows/size/shop", KEY.public_pem) == ""
    product = f"{door[0]}/flows/product/prod:margherita/shop"
    assert await FlowPing(SECRET)(product, KEY.public_pem) == ""


@pytest.mark.parametrize(
    ("secret", "key", "tenant", "fault"),
    [
        (SECRET, OTHER, "shop", "HTTP 421: the server could not decrypt it"),
        (SECRET, KEY, "bare", "HTTP 421"),
        ("another", KEY, "shop", "HTTP 432: the server found the signature wrong"),
        (SECRET, KEY, "nobody", "HTTP 404: this address is not there"),
    ],
)
async def test_a_fault_says_what_is_wrong(door, secret, key, tenant, fault):
    said = await FlowPing(secret)(f"{door[0]}/flows/size/{tenant}", key.public_pem)
    assert fault in said


async def test_a_database_that_is_away_is_told(door):
    said = await FlowPing(SECRET)(f"{door[1]}/flows/size/shop", KEY.public_pem)
    assert "HTTP 503" in said
    assert "database" in said


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/flows/size/shop", "https://", "nowhere"])
async def test_an_address_where_nobody_answers_is_told(url):
    assert "it does not answer" in await FlowPing(SECRET)(url, KEY.public_pem)


async def _junk(_):
    return PlainTextResponse("<html>It works!</html>")


async def _base64_junk(_):
    return PlainTextResponse("AAAA")


async def _inactive(request):
    opened = KEY.open(await request.json())
    return PlainTextResponse(opened.seal({"data": {"status": "asleep"}}))


async def _list(request):
    opened = KEY.open(await request.json())
    return PlainTextResponse(opened.seal({"data": []}))


async def _status(_):
    return PlainTextResponse("a teapot", 418)


@pytest.fixture(scope="module")
async def strange():
    doors = {"junk": _junk, "base64": _base64_junk, "asleep": _inactive, "list": _list}
    doors["teapot"] = _status
    routes = [Route(f"/{name}", door, methods=["POST"]) for name, door in doors.items()]
    async with serving(Starlette(routes=routes)) as url:
        yield url


@pytest.mark.parametrize(
    ("door", "fault"),
    [
        ("junk", "not encrypted as WhatsApp wants it"),
        ("base64", "not encrypted as WhatsApp wants it"),
        ("asleep", "does not say that it is active"),
        ("list", "does not say that it is active"),
        ("teapot", "it answers with HTTP 418"),
    ],
)
async def test_an_answer_of_something_else_is_told(strange, door, fault):
    assert fault in await FlowPing(SECRET)(f"{strange}/{door}", KEY.public_pem)
