"""Flow tokens: of one session, and of nobody else's making."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from engine.domain.ids import CustomerKey, TenantId
from engine.flow_ports import FlowSession
from engine.runtime.flow_tokens import FlowTokens
from tests.unit.actions.shop import OPEN

SESSION = FlowSession(
    id="0123456789abcdef" * 2,
    tenant=TenantId("la-tavola"),
    customer=CustomerKey("US.1"),
    flow="product_customization",
    language="en",
    input={"product": "prod:margherita", "quantity": 2},
    phone_number_id="101",
    created_at=OPEN,
    expires_at=OPEN + timedelta(hours=24),
)
TOKENS = FlowTokens("secret")
TOKEN = TOKENS.sign(SESSION)
NAME, EXPIRY, MAC = TOKEN.split(".")


def test_a_token_names_its_session_and_when_it_ends():
    assert TOKENS.session_id(TOKEN) == SESSION.id == NAME
    assert int(EXPIRY) == int(SESSION.expires_at.timestamp())
    assert TOKENS.is_of(TOKEN, SESSION)


def test_every_process_of_one_secret_reads_it_and_no_other():
    assert FlowTokens("secret").is_of(TOKEN, SESSION)
    other = FlowTokens("another secret")
    assert other.session_id(TOKEN) == SESSION.id
    assert not other.is_of(TOKEN, SESSION)
    assert other.sign(SESSION).startswith(f"{NAME}.{EXPIRY}.")


def test_a_token_survives_the_rotation_of_the_secret():
    """Through every step, whichever process signed it and whichever reads it."""
    before, first = FlowTokens("secret"), FlowTokens("secret", "new")
    second, after = FlowTokens("new", "secret"), FlowTokens("new")
    for signs, reads in (
        (before, (before, first, second)),
        (first, (before, first, second)),
        (second, (first, second, after)),
        (after, (first, second, after)),
    ):
        assert [each.is_of(signs.sign(SESSION), SESSION) for each in reads] == [True] * 3
    assert not after.is_of(before.sign(SESSION), SESSION)
    assert FlowTokens("newest", "new", "secret").is_of(TOKEN, SESSION)


def test_a_token_of_a_previous_secret_fits_its_own_session_only():
    rotated = FlowTokens("new", "secret")
    assert not rotated.is_of(TOKEN, replace(SESSION, customer=CustomerKey("US.2")))
    assert not rotated.is_of(f"{NAME}.{EXPIRY}.{'0' * 32}", SESSION)
    assert rotated.sign(SESSION) == FlowTokens("new").sign(SESSION)


@pytest.mark.parametrize("previous", [("",), ("secret",), ("", "secret", "secret")])
def test_no_previous_secret_or_the_same_one_changes_nothing(previous):
    tokens = FlowTokens("secret", *previous)
    assert tokens.sign(SESSION) == TOKEN
    assert tokens.is_of(TOKEN, SESSION)
    for forged in (FlowTokens("").sign(SESSION), FlowTokens("another").sign(SESSION)):
        assert not tokens.is_of(forged, SESSION)


@dataclass
class _Sessions:
    """One tenant's sessions: as much of a `FlowSessionRepository` as is needed."""

    session: FlowSession

    async def get(self, name):
        return self.session if name == self.session.id else None


async def test_the_session_of_a_token_is_found_while_the_secret_is_rotated():
    sessions: Any = _Sessions(SESSION)
    assert await FlowTokens("new", "secret").session(TOKEN, sessions) is SESSION
    assert await FlowTokens("new").session(TOKEN, sessions) is None
    forged = TOKENS.sign(replace(SESSION, id="f" * 32))
    assert await FlowTokens("new", "secret").session(forged, sessions) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "f" * 32},
        {"tenant": TenantId("dona-lucha")},
        {"customer": CustomerKey("US.2")},
        {"flow": "checkout"},
        {"input": {"product": "prod:coke"}},
        {"input": {"product": None}},
        {"expires_at": SESSION.expires_at + timedelta(seconds=1)},
    ],
)
def test_a_token_fits_no_other_session(changes):
    other = replace(SESSION, **changes)
    assert not TOKENS.is_of(TOKEN, other)
    assert TOKENS.sign(other).split(".")[2] != MAC


def test_a_token_stays_the_same_while_the_customer_goes_on():
    moved: dict[str, Any] = {
        "version": 3, "trail": ("A",), "variables": {"size": "l"}, "state": "done",
        "params": {"size": "l"}, "language": "es",
    }  # fmt: skip
    assert TOKENS.sign(replace(SESSION, **moved)) == TOKEN


@pytest.mark.parametrize(
    ("token", "named"),
    [
        (f"{NAME}.{EXPIRY}.{'0' * 32}", SESSION.id),
        (f"{NAME}.{EXPIRY}.{MAC[::-1]}", SESSION.id),
        (f"{NAME}.99999999999.{MAC}", SESSION.id),
        (f"{'f' * 32}.{EXPIRY}.{MAC}", "f" * 32),
        (TOKEN.upper(), None),
        (f"{TOKEN}\n", None),
        (f" {TOKEN}", None),
        (f"{NAME}.{EXPIRY}.{MAC}0", None),
        (f"{NAME}.{EXPIRY}", None),
        (f"{NAME}..{MAC}", None),
        (f"{NAME}.{'9' * 13}.{MAC}", None),
        (f"{NAME[:-1]}é.{EXPIRY}.{MAC}", None),
        (f"{NAME}.{EXPIRY}.{MAC[:-1]}\ud800", None),
        ("unused", None),
        ("", None),
        ("x" * 1_000_000, None),
        (None, None),
        (5, None),
        ([TOKEN], None),
        ({"token": TOKEN}, None),
    ],
)
def test_what_was_not_signed_is_of_no_session(token, named):
    assert TOKENS.session_id(token) == named
    assert not TOKENS.is_of(token, SESSION)
