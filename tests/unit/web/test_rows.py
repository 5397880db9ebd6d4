"""The doors of the inbox, the outbox and of forgetting: who may come in, and what each is told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from structlog.testing import capture_logs

from engine.clock import ManualClock
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import Conflict, EngineError, Unavailable
from engine.row_ports import Forgotten, RowDetails, RowSummary
from engine.web.desk import Desk
from engine.web.forget import ForgetDoors
from engine.web.rows import RowDoors

TOKEN = "operator's token ñ"
NOW = datetime(2030, 6, 14, 12, tzinfo=UTC)
SHOP, CAFE = TenantId("shop"), TenantId("cafe")
ANA, BEN = CustomerKey("15551230001"), CustomerKey("15551230002")
# `+` and `=` are in WhatsApp's ids, and mean something else in a query.
DEAD, WAITING, THEIRS = "101:wamid.dead+/=", "101:wamid.new", "102:wamid.theirs"
SECRET = "what the customer wrote"
ROW = {"id": DEAD}


def row(id: str, state: str, customer=ANA, tenant=SHOP, minutes=0, **more: Any):
    return RowSummary(
        id=id, tenant=tenant, customer=customer, state=state, kind="text",
        at=NOW - timedelta(minutes=minutes), due=NOW if state in ("new", "queued") else None,
        attempts=3, **more,
    )  # fmt: skip


class Rows:
    """Rows of one tenant in memory, with the rules of `OperatorRows`."""

    def __init__(self, *rows):
        self.rows = {each.id: each for each in rows}
        self.changed: list[tuple[str, str, datetime]] = []
        self.asked: list[tuple[Any, Any, int]] = []

    async def list(self, *, states=(), customer=None, limit=50):
        self.asked.append((tuple(states), customer, limit))
        found = [
            each
            for each in self.rows.values()
            if each.state in states and customer in (None, each.customer)
        ]
        return tuple(sorted(found, key=lambda each: each.at, reverse=True)[:limit])

    async def counts(self):
        states = [each.state for each in self.rows.values()]
        return {state: states.count(state) for state in states}

    async def show(self, row_id):
        found = self.rows.get(row_id)
        return found and RowDetails(found, {"_id": row_id, "raw": {"text": {"body": SECRET}}})

    async def retry(self, row_id, *, now):
        return self._change("retry", row_id, now, {"dead"})

    async def discard(self, row_id, *, now):
        return self._change("discard", row_id, now, {"dead", "new"})

    def _change(self, verb, row_id, now, states):
        if row_id not in self.rows:
            return None
        if self.rows[row_id].state not in states:
            return False
        self.changed.append((verb, row_id, now))
        return True


class Erased:
    """Who is known by what, and what is erased of him."""

    def __init__(self, known=None, error=None):
        self.known = known or {}
        self.error = error
        self.gone: list[tuple[str, datetime]] = []

    async def find(self, who):
        if self.error:
            raise self.error
        return self.known.get(who, ())

    async def forget(self, customer, *, now):
        self.gone.append((customer, now))
        both = (ANA, BEN) if customer == ANA else (customer,)
        return Forgotten(both, {"outbox": 2, "conversations": 1}, {"orders": 1})


@pytest.fixture
def shop():
    return Rows(
        row(DEAD, "dead", minutes=5, error="boom"),
        row(WAITING, "new", BEN, minutes=1),
        row("101:wamid.done", "done", minutes=9),
    )


@pytest.fixture
def cafe():
    return Rows(row(THEIRS, "dead", tenant=CAFE))


def doors(shop, cafe=None, admin_token=TOKEN):
    """Make the doors over the rows of two tenants; an error stands in for a database."""

    def of(tenant):
        found = {SHOP: shop, CAFE: cafe}[tenant]
        if isinstance(found, Exception):
            raise found
        return found

    def serves(name):
        return name in (SHOP, CAFE)

    clock = ManualClock(NOW)
    desk = Desk(admin_token=admin_token, tenants=serves)
    made: list[Any] = [
        RowDoors("inbox", desk, rows=of, clock=clock),
        RowDoors("outbox", desk, rows=of, clock=clock),
        ForgetDoors(desk, erasure=of, clock=clock),
    ]
    return Starlette(routes=[route for each in made for route in each.routes()])


async def ask(app, method, path, *, token=TOKEN, **request: Any):
    headers: Any = {} if token is None else {"Authorization": f"Bearer {token}".encode()}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        return await http.request(method, path, headers=headers, **request)


async def test_rows_that_need_somebody_are_listed_with_the_counts_of_all(shop):
    answer = await ask(doors(shop), "GET", "/api/v1/inbox/shop")
    assert answer.status_code == 200
    told = answer.json()
    assert told["counts"] == {"dead": 1, "new": 1, "done": 1}
    assert [each["id"] for each in told["rows"]] == [WAITING, DEAD]
    assert told["rows"][1] == {
        "id": DEAD, "state": "dead", "status": None, "customer": ANA, "kind": "text",
        "at": "2030-06-14T11:55:00+00:00", "due": None, "attempts": 3, "error": "boom",
    }  # fmt: skip
    assert told["rows"][0]["due"] == "2030-06-14T12:00:00+00:00"
    assert shop.asked == [(("new", "dead"), None, 50)]
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("query", "asked", "ids"),
    [
        ("state=dead", (("dead",), None, 50), [DEAD]),
        ("state=dead&state=new", (("dead", "new"), None, 50), [WAITING, DEAD]),
        (f"customer={BEN}", (("new", "dead"), BEN, 50), [WAITING]),
        ("limit=1", (("new", "dead"), None, 1), [WAITING]),
        ("limit=1000", (("new", "dead"), None, 1000), [WAITING, DEAD]),
        ("state=discarded", (("discarded",), None, 50), []),
    ],
)
async def test_rows_are_chosen_by_the_query(shop, query, asked, ids):
    answer = await ask(doors(shop), "GET", f"/api/v1/inbox/shop?{query}")
    assert [each["id"] for each in answer.json()["rows"]] == ids
    assert shop.asked == [asked]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("state=ded", "there are new, done, dead, discarded; did you mean 'dead'?"),
        ("state=held", "there is no such state"),  # the outbox has it
        ("state=", "there is no such state"),
        ("customer=", "'customer'"), (f"customer={'1' * 2049}", "'customer'"),
        ("limit=0", "'limit'"), ("limit=1001", "'limit'"), ("limit=-1", "'limit'"),
        ("limit=٣", "'limit'"), ("limit=", "'limit'"), ("limit=1e2", "'limit'"),
        ("limit=1&limit=2", "given twice"),
        ("sort=id", "'sort' is no parameter; there are 'customer', 'limit', 'state'"),
        ("x" * 5000, "is no parameter"),
    ],
)  # fmt: skip
async def test_a_malformed_query_is_a_sentence(shop, query, said):
    answer = await ask(doors(shop), "GET", f"/api/v1/inbox/shop?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert len(answer.json()["error"]) < 150
    assert shop.asked == []


async def test_the_outbox_has_states_of_its_own(shop):
    for state in ("queued", "unknown", "sent", "failed", "held", "dead", "discarded"):
        answer = await ask(doors(shop), "GET", f"/api/v1/outbox/shop?state={state}")
        assert answer.status_code == 200, state
    answer = await ask(doors(shop), "GET", "/api/v1/outbox/shop?state=new")
    assert answer.status_code == 400


async def test_a_row_is_shown_with_all_that_is_stored_of_it(shop):
    answer = await ask(doors(shop), "GET", "/api/v1/inbox/shop/row", params=ROW)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["tenant"], told["id"], told["state"]) == (SHOP, DEAD, "dead")
    assert told["document"]["raw"] == {"text": {"body": SECRET}}


@pytest.mark.parametrize("box", ["inbox", "outbox"])
@pytest.mark.parametrize(("verb", "done"), [("retry", "retried"), ("discard", "discarded")])
async def test_a_row_is_changed_once_and_logged_without_its_customer(shop, box, verb, done):
    with capture_logs() as logs:
        answer = await ask(doors(shop), "POST", f"/api/v1/{box}/shop/{verb}", json=ROW)
    assert (answer.status_code, answer.json()) == (
        200, {"tenant": SHOP, "id": DEAD, "outcome": done},
    )  # fmt: skip
    assert shop.changed == [(verb, DEAD, NOW)]
    assert logs == [
        {"event": "operator.row", "log_level": "info", "tenant": SHOP, "box": box, "verb": verb}
    ]


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("retry", "the row cannot be retried: it is done"),
        ("discard", "the row cannot be discarded: it is done"),
    ],
)
async def test_a_state_that_does_not_allow_it_is_a_conflict(shop, verb, said):
    body = {"id": "101:wamid.done"}
    answer = await ask(doors(shop), "POST", f"/api/v1/inbox/shop/{verb}", json=body)
    assert (answer.status_code, answer.json()) == (409, {"error": said})
    assert shop.changed == []


@pytest.mark.parametrize("row_id", ["101:wamid.none", THEIRS, DEAD.upper(), f"{DEAD} "])
async def test_a_row_that_is_not_the_tenants_is_not_found(shop, cafe, row_id):
    app = doors(shop, cafe)
    answers = [
        await ask(app, "GET", "/api/v1/inbox/shop/row", params={"id": row_id}),
        await ask(app, "POST", "/api/v1/inbox/shop/retry", json={"id": row_id}),
        await ask(app, "POST", "/api/v1/outbox/shop/discard", json={"id": row_id}),
    ]
    assert [each.status_code for each in answers] == [404] * 3
    assert {each.json()["error"] for each in answers} == {"there is no such row"}
    assert shop.changed == cafe.changed == []


BODIES = [
    b"", b"{", b"[]", b'"x"', b"null", b"{}", b'{"id": 7}', b'{"id": null}', b'{"id": ""}',
    b'{"id": ["x"]}', b'{"ID": "x"}', b'{"id": "x", "all": true}', b'{"id": "\\ud800"}',
    b'{"id": "\xff"}', b'{"id": {"$ne": null}}', orjson.dumps({"id": "x" * 2049}), b"[" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
async def test_a_malformed_body_changes_nothing(shop, body):
    with capture_logs() as logs:
        answer = await ask(doors(shop), "POST", "/api/v1/inbox/shop/discard", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert shop.changed == []
    assert [log["event"] for log in logs] == ["operator.asked_in_vain"]


@pytest.mark.parametrize(
    "path", ["inbox/shop/retry", "outbox/shop/discard", "customers/shop/forget"]
)
async def test_a_large_body_is_not_read(shop, path):
    large = orjson.dumps({"id": "x" * 20_000})

    async def chunks():  # without a length
        for _ in range(20):
            yield b" " * 1000

    for body in (large, chunks()):
        answer = await ask(doors(shop), "POST", f"/api/v1/{path}", content=body)
        assert answer.status_code == 413
    assert shop.changed == []


async def test_a_query_beside_a_body_changes_nothing(shop):
    answer = await ask(doors(shop), "POST", "/api/v1/inbox/shop/retry?id=x", json=ROW)
    assert (answer.status_code, shop.changed) == (400, [])
    answer = await ask(doors(shop), "GET", "/api/v1/inbox/shop/row")
    assert (answer.status_code, answer.json()["error"][:4]) == (400, "'id'")


DOORS = [
    ("GET", "inbox/{}"), ("GET", "outbox/{}/row?id=x"), ("POST", "inbox/{}/retry"),
    ("POST", "outbox/{}/discard"), ("POST", "customers/{}/forget"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize(
    ("tenant", "token", "admin_token", "status"),
    [
        ("shop", None, TOKEN, 401), ("shop", "x", TOKEN, 401), ("shop", f"{TOKEN}x", TOKEN, 401),
        ("shop", TOKEN, "", 503), ("shop", "", "", 503), ("nobody", None, TOKEN, 401),
        ("nobody", TOKEN, TOKEN, 404), ("sho%70x", TOKEN, TOKEN, 404),
    ],
)  # fmt: skip
async def test_who_may_not_come_in_touches_nothing(
    method, path, tenant, token, admin_token, status
):
    untouchable = AssertionError("the database was asked")
    app = doors(untouchable, untouchable, admin_token)
    with capture_logs() as logs:
        answer = await ask(app, method, f"/api/v1/{path.format(tenant)}", token=token)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert TOKEN not in str(logs)


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize(
    ("error", "status"),
    [(Unavailable("the database does not answer"), 503), (EngineError("it refused"), 500)],
)
async def test_an_error_is_a_status_and_a_sentence(method, path, error, status):
    name = "customer" if "forget" in path else "id"
    body: Any = {"json": {name: "x"}} if method == "POST" else {}
    answer = await ask(doors(error), method, f"/api/v1/{path.format('shop')}", **body)
    assert (answer.status_code, answer.json()) == (status, {"error": str(error)})


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "inbox/shop"), ("GET", "inbox/shop/retry"), ("DELETE", "outbox/shop/row"),
     ("GET", "customers/shop/forget")],
)  # fmt: skip
async def test_each_door_has_its_method(shop, method, path):
    assert (await ask(doors(shop), method, f"/api/v1/{path}")).status_code == 405


async def test_what_was_refused_is_logged_without_what_was_asked_for(shop):
    app = doors(shop)
    with capture_logs() as logs:
        await ask(app, "GET", f"/api/v1/inbox/shop?customer={ANA}&state={ANA}")
        await ask(app, "GET", f"/api/v1/inbox/shop?{ANA}=1")
        await ask(app, "POST", "/api/v1/inbox/shop/retry", json={"id": f"timer:shop:{ANA}:x"})
        await ask(doors(Erased()), "POST", FORGET, json={"customer": ANA})
        await ask(app, "POST", FORGET, json={ANA: ANA})
    assert [log["status"] for log in logs] == [400, 400, 404, 404, 400]
    assert ANA not in str(logs)


async def test_a_client_that_goes_away_in_its_body_changes_nothing(shop):
    async def receive():
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": "POST", "path": "/", "query_string": b"",
        "headers": [(b"authorization", f"Bearer {TOKEN}".encode())],
        "path_params": {"tenant": "shop"},
    }  # fmt: skip
    clock = ManualClock(NOW)
    desk = Desk(admin_token=TOKEN, tenants=lambda _: True)
    rows = RowDoors("inbox", desk, rows=lambda _: shop, clock=clock)
    erased = Erased({ANA: (ANA,)})
    forget = ForgetDoors(desk, erasure=lambda _: erased, clock=clock)
    for door in (rows.discard, forget.forget):
        assert (await door(Request(scope, receive))).status_code == 400
    assert (shop.changed, erased.gone) == ([], [])


FORGET = "/api/v1/customers/shop/forget"


async def test_a_customer_is_forgotten_under_every_key_he_has():
    """One who is gone with another key is not erased again; what is gone is added up."""
    cleo = CustomerKey("US.cleo")
    erased = Erased({"15551230001": (ANA, BEN, cleo)})
    with capture_logs() as logs:
        answer = await ask(doors(erased), "POST", FORGET, json={"customer": "15551230001"})
    assert answer.status_code == 200
    assert answer.json() == {
        "tenant": SHOP,
        "customers": [ANA, BEN, cleo],
        "removed": {"outbox": 4, "conversations": 2},
        "anonymised": {"orders": 2},
    }
    assert erased.gone == [(ANA, NOW), (cleo, NOW)]
    (entry,) = logs
    assert (entry["event"], entry["tenant"]) == ("operator.forget", SHOP)
    for personal in (ANA, BEN, cleo):
        assert personal not in str(logs)


async def test_nobody_known_is_not_found():
    erased = Erased({ANA: (ANA,)})
    answer = await ask(doors(erased), "POST", FORGET, json={"customer": BEN})
    assert answer.status_code == 404
    assert answer.json() == {"error": "there is nobody known by that key or phone number"}
    assert erased.gone == []


async def test_a_customer_who_is_busy_may_be_tried_again():
    erased = Erased(error=Conflict("another turn was faster"))
    answer = await ask(doors(erased), "POST", FORGET, json={"customer": ANA})
    assert answer.status_code == 409
