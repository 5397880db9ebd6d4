"""What is noted of those who use the doors of operators, and what is not."""

from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from engine.clock import ManualClock
from engine.errors import Unavailable
from engine.web.audit import NOBODY, NOWHERE, Audited
from engine.web.bearer import refusal
from engine.web.clients import Clients
from tests.unit.web.asgi import call

TOKEN = "the operator's token"
NOW = datetime(2030, 6, 14, 12, tzinfo=UTC)
CUSTOMER = "15551230001"


class Journal:
    """Where it is noted."""

    def __init__(self, *, is_away=False):
        self.entries, self.is_away = [], is_away

    async def note(self, entry):
        if self.is_away:
            raise Unavailable("the database does not answer")
        self.entries.append(entry)


async def _door(request):
    refused = refusal(request, TOKEN)
    if refused:
        return refused
    if "broken" in request.url.path:
        raise RuntimeError("it broke")
    return JSONResponse({}, int(request.query_params.get("status", 200)))


ROUTES = [
    Route("/api/v1/inbox/{tenant}/retry", _door, methods=["POST"]),
    Route("/api/v1/inbox/{tenant}", _door, methods=["GET"]),
    Route("/api/v1/broken", _door, methods=["POST"]),
    Route("/meta/catalog/sync/{tenant}", _door, methods=["POST"]),
    Route("/p/{tenant}/{product:path}", _door),
]


def audited(journal, *, secret="s"):
    return Audited(
        Starlette(routes=ROUTES), audit=lambda: journal, routes=lambda: ROUTES, clients=Clients(),
        tenants=lambda name: name == "shop", clock=ManualClock(NOW), secret=secret,
        retention=timedelta(days=365),
    )  # fmt: skip


async def noted(path, method="POST", *, token=TOKEN, client="203.0.113.7", **more):
    journal = Journal()
    headers = [("authorization", f"Bearer {token}")] if token else []
    answer = await call(audited(journal, **more), path, method, headers=headers, client=client)
    return answer, journal.entries


async def test_who_did_what_is_noted():
    answer, (entry,) = await noted("/api/v1/inbox/shop/retry")
    assert answer.status == 200
    assert entry.action == "POST /api/v1/inbox/{tenant}/retry"
    assert (entry.tenant, entry.outcome, entry.at) == ("shop", "200", NOW)
    assert entry.kept_until == NOW + timedelta(days=365)
    assert entry.actor.startswith("token:")
    assert len(entry.actor) == 18
    assert len(entry.client) == 12


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/api/v1/inbox/shop", "GET /api/v1/inbox/{tenant}"),
        ("POST", "/meta/catalog/sync/shop", "POST /meta/catalog/sync/{tenant}"),
        ("POST", "/api/v1/nothing/shop", f"POST {NOWHERE}"),
    ],
)
async def test_every_route_of_operators_is_noted(method, path, action):
    _, (entry,) = await noted(path, method)
    assert entry.action == action


async def test_other_routes_are_not():
    assert (await noted("/p/shop/x", "GET"))[1] == []


async def test_a_wrong_token_is_noted_as_such():
    answer, (entry,) = await noted("/api/v1/inbox/shop/retry", token="a guess")
    assert (answer.status, entry.outcome) == (401, "401")
    _, (right,) = await noted("/api/v1/inbox/shop/retry")
    assert entry.actor not in (right.actor, NOBODY)
    _, (without,) = await noted("/api/v1/inbox/shop/retry", token="")
    assert without.actor == NOBODY


async def test_nothing_that_was_given_is_in_it():
    """Neither the token, the address, the tenant that is none nor what came in the query."""
    path = f"/api/v1/inbox/{CUSTOMER}/retry"
    _, (entry,) = await noted(path)
    assert entry.tenant is None
    shown = repr(entry)
    for secret in (TOKEN, "203.0.113.7", CUSTOMER):
        assert secret not in shown


async def test_digests_are_made_under_the_secret():
    _, (one,) = await noted("/api/v1/inbox/shop")
    _, (same,) = await noted("/api/v1/inbox/shop")
    _, (other,) = await noted("/api/v1/inbox/shop", secret="another")
    _, (elsewhere,) = await noted("/api/v1/inbox/shop", client="203.0.113.8")
    assert (one.actor, one.client) == (same.actor, same.client)
    assert one.actor != other.actor
    assert one.client not in (other.client, elsewhere.client)


async def test_it_is_noted_before_it_is_answered():
    order = []

    class Slow(Journal):
        async def note(self, entry):
            order.append("noted")

    app = audited(Slow())
    scope_answer = await call(app, "/api/v1/inbox/shop", headers=[("authorization", "Bearer x")])
    order.append("answered")
    assert scope_answer.status == 401
    assert order == ["noted", "answered"]


async def test_what_breaks_is_noted_once():
    journal = Journal()
    headers = [("authorization", f"Bearer {TOKEN}")]
    with pytest.raises(RuntimeError):
        await call(audited(journal), "/api/v1/broken", "POST", headers=headers)
    assert len(journal.entries) == 1
    assert journal.entries[0].outcome in ("500", "failed")


async def test_without_the_database_the_door_opens_and_the_log_tells_it():
    headers = [("authorization", f"Bearer {TOKEN}")]
    with capture_logs() as logs:
        answer = await call(audited(Journal(is_away=True)), "/api/v1/inbox/shop", headers=headers)
    assert answer.status == 200
    (entry,) = [log for log in logs if log["event"] == "audit.lost"]
    assert TOKEN not in str(logs)
    assert (entry["action"], entry["outcome"]) == ("GET /api/v1/inbox/{tenant}", "200")
