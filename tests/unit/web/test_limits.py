"""What a request may cost: refused by size, time and number, before anything is done for it."""

import asyncio
import hashlib
import hmac
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from engine.app import Engine
from engine.settings import read_settings
from engine.web.bearer import refusal
from engine.web.clients import Clients
from engine.web.limits import LIMITS, WRONG_BURST, Kind, Limited, kind_of
from engine.web.requests import TooLarge, TooSlow, read_body
from engine.web.routes import Doors
from tests.unit.web.asgi import call

SECRET = "the app's secret"
ADMIN = "the operator's token"


class Door:
    """An application that reads its body, counts its requests, and answers when it likes."""

    def __init__(self, *, status=200, wait=0.0, is_reading=True):
        self.status, self.wait, self.is_reading, self.seen = status, wait, is_reading, []

    async def __call__(self, scope, receive, send):
        request = Request(scope, receive)
        body = await request.body() if self.is_reading else b""
        self.seen.append(body)
        await asyncio.sleep(self.wait)
        await PlainTextResponse("told", self.status)(scope, receive, send)


def limited(door, kind=None, *, factor=1.0, **changes):
    limits = dict(LIMITS)
    if kind:
        limits[kind] = replace(limits[kind], **changes)
    return Limited(door, clients=Clients(), factor=factor, limits=limits)


PLACES = {
    Kind.WEBHOOK: ("POST", "/whatsapp_response"),
    Kind.VERIFICATION: ("GET", "/meta/webhook"),
    Kind.FLOW: ("POST", "/flows/checkout/shop"),
    Kind.OPERATOR: ("POST", "/api/v1/inbox/shop/retry"),
    Kind.PAGE: ("GET", "/p/shop/prod:a"),
    Kind.HEALTH: ("GET", "/health/live"),
    Kind.METRICS: ("GET", "/metrics"),
    Kind.UNKNOWN: ("GET", "/nowhere"),
}


ENGINE = Engine(
    read_settings(
        meta_app_secret=SECRET,
        encryption_secret="x",
        admin_token=ADMIN,
        mongodb_uri="mongodb://127.0.0.1:1",
        rate_limit_factor=0,
    )
)
ROUTES = [
    (method, route.path)
    for route in ENGINE.web.routes
    if isinstance(route, Route)
    for method in sorted(route.methods or ())
]


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda each: each)
async def test_every_route_of_the_engine_has_limits(method, path):
    """A route that is added without a place in `PLACES` of the limits fails here."""
    kind = kind_of(method, path)
    assert kind is not Kind.UNKNOWN
    place = path.replace("{product:path}", "p").replace("{", "").replace("}", "")
    large = await call(
        ENGINE.web, place, method, headers=[("content-length", str(LIMITS[kind].body + 1))]
    )
    assert (large.status, large.headers["connection"]) == (413, "close")


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda each: each)
async def test_every_route_that_asks_for_the_operators_token_is_one_of_operators(method, path):
    place = path.replace("{product:path}", "p").replace("{", "").replace("}", "")
    answer = await call(ENGINE.web, place, method)
    assert (answer.status == 401 and "bearer" in answer.body.decode()) <= (
        kind_of(method, path) is Kind.OPERATOR
    )
    if kind_of(method, path) is Kind.OPERATOR and method != "HEAD":
        assert answer.status == 401


def test_the_table_knows_every_kind():
    assert set(LIMITS) == set(Kind) == set(PLACES)
    for kind, (method, path) in PLACES.items():
        assert kind_of(method, path) is kind
    for limits in LIMITS.values():
        assert 0 < limits.body <= 3 * 1024 * 1024
        assert 0 < limits.arrival <= 10
        assert 0 < limits.answer <= 180
        assert limits.rate > 0
        assert limits.burst >= 20


# Size ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("told", [True, False])
async def test_a_body_is_read_up_to_its_limit(kind, told):
    method, path = PLACES[kind]
    door = Door()
    body = b"x" * LIMITS[kind].body
    header = ("content-length", str(len(body))) if told else ("transfer-encoding", "chunked")
    fits = await call(limited(door), path, method, chunks=(body,), headers=[header])
    assert (fits.status, len(door.seen[0])) == (200, len(body))
    header = ("content-length", str(len(body) + 1)) if told else header
    large = await call(limited(door), path, method, chunks=(body, b"x"), headers=[header])
    assert (large.status, large.headers["connection"]) == (413, "close")
    assert len(door.seen) == 1


async def test_the_rest_of_a_body_that_is_too_large_is_not_read():
    taken = 0

    async def endless():
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/flows/a/b", "client": None,
        "headers": [(b"transfer-encoding", b"chunked")],
    }  # fmt: skip
    tracemalloc.start()
    await limited(Door())(scope, endless, send)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent[0]["status"] == 413
    assert taken == 17
    assert peak < 4 * 1024 * 1024


async def test_a_body_that_nobody_reads_closes_the_connection():
    header = [("content-length", "500")]
    answer = await call(limited(Door(is_reading=False)), chunks=(b"x" * 500,), headers=header)
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    read = await call(limited(Door()), chunks=(b"x" * 500,), headers=header)
    assert "connection" not in read.headers


@pytest.mark.parametrize("length", ["-1", "1e9", "９９９", "x", "9" * 40, "0x10"])
async def test_a_length_that_is_none_is_counted_as_it_comes(length):
    headers = [("content-length", length.encode().decode("latin-1"))]
    answer = await call(limited(Door()), chunks=(b"x" * 2000,), headers=[
        *headers, ("transfer-encoding", "chunked")])  # fmt: skip
    assert answer.status == 413


# Time ------------------------------------------------------------------------------------------


async def test_a_body_that_comes_slowly_is_given_up():
    door = Door()
    app = limited(door, Kind.UNKNOWN, arrival=0.05)
    chunked = [("transfer-encoding", "chunked")]
    answer = await call(app, chunks=(b"x",) * 50, headers=chunked, pause=0.01)
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert door.seen == []


async def test_a_door_tells_a_slow_body_in_its_own_way():
    """The webhook's door counts it and answers itself; the reading is the limits'."""

    async def slow(request):
        try:
            await read_body(request, 100)
        except TooSlow as error:
            return PlainTextResponse(f"door: {error}", 408)
        except TooLarge:
            return PlainTextResponse("door: large", 413)

    app = limited(
        Starlette(routes=[Route("/x", slow, methods=["POST"])]), Kind.UNKNOWN, arrival=0.03
    )
    chunked = [("transfer-encoding", "chunked")]
    late = await call(app, "/x", "POST", chunks=(b"x",) * 50, headers=chunked, pause=0.01)
    assert (late.status, late.body) == (408, b"door: the body took more than 0.03 s")


async def test_time_to_work_is_not_time_to_arrive():
    answer = await call(
        limited(Door(wait=0.1), Kind.UNKNOWN, arrival=0.02),
        chunks=(b"x",), headers=[("content-length", "1")],
    )  # fmt: skip
    assert answer.status == 200


async def test_an_answer_that_takes_too_long_is_given_up():
    answer = await call(limited(Door(wait=5), Kind.UNKNOWN, answer=0.05))
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_a_timeout_of_the_door_is_its_own():
    async def broken(scope, receive, send):
        raise TimeoutError("the door's")

    with pytest.raises(TimeoutError, match="the door's"):
        await call(limited(broken))


# Number ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in Kind if not LIMITS[kind].is_signed])
async def test_a_client_that_comes_too_often_is_refused_and_others_are_not(kind):
    method, path = PLACES[kind]
    door = Door()
    app = limited(door)
    burst = LIMITS[kind].burst
    statuses = [(await call(app, path, method)).status for _ in range(burst + 20)]
    assert statuses[:burst] == [200] * burst
    assert statuses[-1] == 429
    refused = await call(app, path, method)
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert (await call(app, path, method, client="198.51.100.9")).status == 200


@pytest.mark.parametrize("kind", [Kind.WEBHOOK, Kind.FLOW])
async def test_what_is_signed_is_never_refused_for_its_number(kind):
    """Meta comes from few addresses, in bursts; somebody who forges comes from the same one."""
    method, path = PLACES[kind]
    door = Door()
    app = limited(door)
    for _ in range(1000):
        door.status = 401
        await call(app, path, method)
        door.status = 200
        assert (await call(app, path, method)).status == 200
    door.status = 401
    assert (await call(app, path, method)).status == 429


async def test_forged_webhooks_cost_a_signature_and_few_lines_of_log():
    doors = Doors(
        app_secret=SECRET, verify_token="v", reception=lambda: pytest.fail("never reached"),
        ready=lambda: pytest.fail("never asked"),
    )  # fmt: skip
    app = limited(Starlette(routes=doors.routes()))
    reads = 0

    async def forged(signed):
        nonlocal reads
        headers = [("x-hub-signature-256", "sha256=" + "0" * 64)] if signed else []
        return await call(
            app, "/whatsapp_response", "POST", chunks=(b"{}",),
            headers=[*headers, ("content-length", "2")],
        )  # fmt: skip

    with capture_logs() as logs:
        statuses = [(await forged(number % 2)).status for number in range(500)]
    assert set(statuses) == {401, 429}
    assert statuses.count(401) < 30
    assert len(logs) < 30


async def test_a_webhook_that_nobody_signed_is_not_read():
    doors = Doors(
        app_secret=SECRET, verify_token="v", reception=lambda: pytest.fail("never reached"),
        ready=lambda: pytest.fail("never asked"),
    )  # fmt: skip
    app = limited(Starlette(routes=doors.routes()))
    taken: list[object] = []

    async def receive():
        taken.append(1)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message):
        taken.append(message["type"])

    scope = {
        "type": "http", "method": "POST", "path": "/whatsapp_response", "client": None,
        "query_string": b"", "root_path": "", "headers": [(b"transfer-encoding", b"chunked")],
    }  # fmt: skip
    await app(scope, receive, send)
    assert taken == ["http.response.start", "http.response.body"]


async def test_a_good_signature_passes_in_the_middle_of_a_flood():
    got: list[object] = []

    class Reception:
        async def receive(self, webhook):
            got.append(webhook)

    reception: Any = Reception()
    doors = Doors(
        app_secret=SECRET, verify_token="v", reception=lambda: reception,
        ready=lambda: pytest.fail("never asked"),
    )  # fmt: skip
    app = limited(Starlette(routes=doors.routes()))
    body = b'{"object": "whatsapp_business_account", "entry": []}'
    good = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    async def post(signature):
        headers = [("x-hub-signature-256", signature), ("content-length", str(len(body)))]
        return (await call(app, "/whatsapp_response", "POST", chunks=(body,), headers=headers)
                ).status  # fmt: skip

    for _ in range(100):
        assert await post("sha256=" + "f" * 64) in (401, 429)
    assert [await post(good) for _ in range(300)] == [200] * 300
    assert len(got) == 300


async def operators(token="", *, app=None, client="203.0.113.7"):
    async def door(request):
        return refusal(request, ADMIN) or PlainTextResponse("in")

    app = app or limited(Starlette(routes=[Route("/api/v1/x", door)]))
    headers = [("authorization", f"Bearer {token}")]
    return app, await call(app, "/api/v1/x", headers=headers, client=client)


async def test_the_operators_token_cannot_be_guessed_for_long():
    app, _ = await operators("guess 0")
    statuses = [(await operators(f"guess {n}", app=app))[1].status for n in range(30)]
    assert statuses.count(401) == WRONG_BURST - 1
    assert statuses[-1] == 429
    # Not even the right one is told from a wrong one then.
    refused = (await operators(ADMIN, app=app))[1]
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 10
    assert (await operators(ADMIN, app=app, client="198.51.100.9"))[1].status == 200


async def test_many_clients_that_guess_do_not_shut_out_who_was_right():
    app, first = await operators(ADMIN, client="198.51.100.9")
    assert first.status == 200
    statuses = [
        (await operators("guess", app=app, client=f"203.0.{n // 250}.{n % 250}"))[1].status
        for n in range(400)
    ]
    assert 90 <= statuses.count(401) <= 110
    assert (await operators(ADMIN, app=app, client="198.51.100.9"))[1].status == 200


async def test_guesses_at_once_are_all_counted():
    async def slowly(request):
        await asyncio.sleep(0.01)
        return refusal(request, ADMIN) or PlainTextResponse("in")

    app = limited(Starlette(routes=[Route("/api/v1/x", slowly)]))
    answers = await asyncio.gather(*(operators(f"guess {n}", app=app) for n in range(60)))
    assert [answer.status for _, answer in answers].count(401) == WRONG_BURST


async def test_the_numbers_can_be_multiplied_or_left_out():
    twice, free = limited(Door(), factor=2.0), limited(Door(status=401), factor=0.0)
    burst = LIMITS[Kind.UNKNOWN].burst
    assert [(await call(twice)).status for _ in range(2 * burst)] == [200] * 2 * burst
    for path in ("/", "/api/v1/x", "/whatsapp_response"):
        assert {(await call(free, path, "POST")).status for _ in range(500)} == {401}
