"""What every answer says to browsers, over real HTTP and over all routes of the engine."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.routing import Route
from structlog.testing import capture_logs

from engine.app import Engine
from engine.serving import serving
from engine.settings import read_settings
from engine.web.headers import ALWAYS, POLICY, TRANSPORT, Headed
from engine.web.limits import Kind, kind_of
from tests.unit.web.asgi import call, unbegun

SECRETS = {"meta_app_secret": "s", "encryption_secret": "x", "admin_token": "t"}


def engine(**settings):
    return Engine(
        read_settings(
            **SECRETS, mongodb_uri="mongodb://127.0.0.1:1", rate_limit_factor=0, **settings
        )
    )


ENGINE = engine(public_url="https://shop.example")
# That it has no database is what every door has to be able to answer.
APP = unbegun(ENGINE.web)
ROUTES = [
    (method, route.path.replace("{product:path}", "p").replace("{", "").replace("}", ""))
    for route in ENGINE.web.routes
    if isinstance(route, Route)
    for method in sorted(route.methods or ())
]


def check(answer, kind):
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["strict-transport-security"] == TRANSPORT
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers
    if kind is not Kind.PAGE:
        assert answer.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda each: each)
async def test_every_answer_of_every_route_has_the_headers(method, path):
    check(await call(APP, path, method), kind_of(method, path))


@pytest.fixture(scope="module")
async def address():
    async with serving(APP) as url:
        yield url


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda each: each)
async def test_over_http_nothing_tells_what_serves(address, method, path):
    async with httpx.AsyncClient(base_url=address) as http:
        answer = await http.request(method, path)
    check(answer, kind_of(method, path))
    assert "uvicorn" not in str(answer.headers).lower()


STRANGE = [
    ("GET", "/"), ("GET", "/api/v2/x"), ("GET", "/admin"), ("GET", "/.git/config"),
    ("POST", "/health/live"), ("DELETE", "/whatsapp_response"), ("PUT", "/flows/checkout/shop"),
    ("PATCH", "/p/shop/x"), ("TRACE", "/metrics"), ("OPTIONS", "/api/v1/inbox/shop"),
    ("GET", "/health/live/"), ("GET", "/metrics/"), ("GET", "//health/live"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), STRANGE, ids=lambda each: each)
async def test_unknown_paths_and_methods_are_answered_alike(address, method, path):
    async with httpx.AsyncClient(base_url=address) as http:
        answer = await http.request(method, address + path)
    assert (answer.status_code, answer.text) == (404, "Not Found")
    assert "allow" not in answer.headers
    assert "location" not in answer.headers
    check(answer, Kind.UNKNOWN)


async def test_without_https_browsers_are_not_told_to_insist_on_it():
    app = unbegun(engine(public_url="http://127.0.0.1:1").web)
    assert "strict-transport-security" not in (await call(app, "/health/live")).headers


async def test_what_a_door_says_itself_stays():
    async def door(scope, receive, send):
        headers = [(b"cache-control", b"public, max-age=300"), (b"content-security-policy", b"p")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    answer = await call(Headed(door, is_https=True))
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["content-security-policy"] == "p"
    assert answer.headers.keys() >= {name.lower() for name in ALWAYS}


async def test_what_breaks_says_nothing_of_what_was_asked():
    async def broken(scope, receive, send):
        Request(scope, receive)
        raise RuntimeError(" ".join(("Ana", "lives in Av. Larco 1")))

    with capture_logs() as logs:
        answer = await call(Headed(broken, is_https=False))
    assert (answer.status, answer.body) == (500, b"the request failed")
    assert answer.headers["x-content-type-options"] == "nosniff"
    (entry,) = logs
    assert entry["event"] == "request.failed"
    assert entry.keys() == {"event", "log_level", "exc_info"}


@pytest.mark.parametrize(
    ("token", "said", "status"),
    [("", "", 200), ("m", "", 401), ("m", "Bearer x", 401), ("m", "Bearer m", 200)],
)
async def test_metrics_ask_for_their_token_if_there_is_one(token, said, status):
    app = unbegun(engine(metrics_token=token).web)
    answer = await call(app, "/metrics", headers=[("authorization", said)] if said else [])
    assert answer.status == status
    assert (b"comanda_" in answer.body) == (status == 200)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
        b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n",
    ],
    ids=["no host", "version", "tls", "long path", "many headers", "smuggled"],
)
async def test_what_is_no_http_is_answered_shortly_or_not_at_all(address, raw):
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(raw)
    try:
        await writer.drain()
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(65536), 5)
    except ConnectionError:
        answer = b""
    finally:
        writer.close()
    assert b"Traceback" not in answer
    assert b"uvicorn" not in answer.lower()
    assert b"comanda_" not in answer
    async with httpx.AsyncClient(base_url=address) as http:
        assert (await http.get("/health/live")).status_code == 200
