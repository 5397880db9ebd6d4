"""Of which fields the app hears, and what the sandbox refuses as Meta does."""

from contextlib import asynccontextmanager
from dataclasses import asdict, replace

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from engine.sandbox import serving
from engine.sandbox.account_state import APP_ID, FIELDS
from tests.unit.sandbox.catalog_scene import OTHER, refused
from tests.unit.sandbox.scene import SHOP

SECRET = "the-secret-of-the-app"
EDGE = f"{APP_ID}/subscriptions"
OBJECT = {"object": "whatsapp_business_account"}


@pytest.fixture
async def app(scene):
    await scene.http.post("/sandbox/phones", json=asdict(replace(OTHER, app_secret=SECRET)))

    async def ask(method, token=f"{APP_ID}|{SECRET}", edge=EDGE, **given):
        return await scene.graph(method, edge, token=token, params=OBJECT | given)

    return ask


@asynccontextmanager
async def callback(token="right", status=200):
    async def verify(request):
        query = request.query_params
        assert query["hub.mode"] == "subscribe"
        told = query["hub.challenge"] if query["hub.verify_token"] == token else "no"
        return PlainTextResponse(told, status)

    async with serving(Starlette(routes=[Route("/hook", verify)])) as url:
        yield f"{url}/hook"


async def fields(app):
    found = (await app("GET")).json()["data"]
    return [each["name"] for each in found[0]["fields"]] if found else []


async def test_the_app_hears_of_everything_at_first(app, scene):
    (hook,) = (await app("GET")).json()["data"]
    assert (hook["object"], hook["active"]) == ("whatsapp_business_account", True)
    assert hook["callback_url"] == scene.number.callback_url
    assert await fields(app) == list(FIELDS)


async def test_fields_are_taken_and_given(app):
    assert (await app("DELETE", fields="messages,flows")).json() == {"success": True}
    assert not {"messages", "flows"} & set(await fields(app))
    async with callback() as url:
        answer = await app("POST", fields="messages", callback_url=url, verify_token="right")
        assert answer.json() == {"success": True}
        (hook,) = (await app("GET")).json()["data"]
    assert hook["callback_url"] == url
    # Those it had before stay.
    assert set(await fields(app)) == set(FIELDS) - {"flows"}
    await app("DELETE")
    assert (await app("GET")).json() == {"data": []}


async def test_an_address_that_does_not_answer_the_challenge_is_refused(app):
    await app("DELETE")
    async with callback() as url:
        answer = await app("POST", fields="messages", callback_url=url, verify_token="wrong")
        assert refused(answer)[0] == 2200
    async with callback(status=403) as url:
        answer = await app("POST", fields="messages", callback_url=url, verify_token="right")
        assert refused(answer)[1].endswith("errors: HTTP 403")
    for url in ("http://127.0.0.1:9/hook", "no address"):
        answer = await app("POST", fields="messages", callback_url=url, verify_token="right")
        assert refused(answer)[0] == 2200
    assert await fields(app) == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"fields": "messages", "callback_url": "http://x"}, 100),
        ({"fields": "messages", "verify_token": "x"}, 100),
        ({"fields": "colours", "callback_url": "http://x", "verify_token": "x"}, 100),
        ({"callback_url": "http://x", "verify_token": "x"}, 100),
        ({"object": "page", "fields": "messages"}, 100),
        ({"edge": "1/subscriptions"}, 100),
        ({"token": SHOP.token}, 15),
        ({"token": f"{APP_ID}|wrong"}, 15),
        ({"token": f"1|{SECRET}"}, 15),
    ],
)
async def test_what_meta_refuses(app, given, code):
    before = await fields(app)
    assert refused(await app("POST", **given))[0] == code
    assert await fields(app) == before
