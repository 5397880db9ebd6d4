"""The calls about tokens, numbers and subscriptions: what is asked, and how answers are read."""

from datetime import UTC, datetime

import pytest

from engine.errors import GraphRetryable, GraphTerminal
from engine.graph.accounts import Access, GraphAccounts, MetaNumber, SubscribedApp


def refusal(code, status=400):
    return status, {"error": {"message": "no", "code": code}}


@pytest.fixture
def calls(client):
    return GraphAccounts(client, "the token")


async def test_what_a_token_is_good_for(calls, scripted):
    scripted.say(
        {
            "data": {
                "app_id": "67", "is_valid": True, "expires_at": 1_700_000_000,
                "data_access_expires_at": 0,
                "scopes": ["catalog_management", "whatsapp_business_messaging"],
                "granular_scopes": [
                    {"scope": "whatsapp_business_messaging", "target_ids": ["1", "2"]},
                    {"scope": "catalog_management"},
                ],
            }
        }
    )  # fmt: skip
    assert await calls.access() == Access(
        is_valid=True,
        app_id="67",
        expires_at=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        scopes=frozenset({"catalog_management", "whatsapp_business_messaging"}),
        targets={"whatsapp_business_messaging": frozenset({"1", "2"})},
    )
    assert scripted.last.path == "/v26.0/debug_token"
    assert scripted.last.query == {"input_token": "the token"}


@pytest.mark.parametrize(
    ("answer", "access"),
    [
        ({"data": {"is_valid": False, "error": {"message": "expired"}}},
         Access(is_valid=False, reason="expired")),
        (refusal(190, 401), Access(is_valid=False, reason="no")),
        ({"data": {"is_valid": "yes", "scopes": 7, "expires_at": 10**20, "granular_scopes": 1}},
         Access(is_valid=False)),
        ({"data": {"is_valid": True, "app_id": 67, "expires_at": -5}},
         Access(is_valid=True, app_id="67")),
        (refusal(100), None), (refusal(10), None), (refusal(200, 403), None),
        ({"data": []}, None), ({}, None),
    ],
)  # fmt: skip
async def test_odd_answers_about_a_token(calls, scripted, answer, access):
    scripted.say(answer)
    assert await calls.access() == access


async def test_other_refusals_are_raised(calls, scripted):
    scripted.say(refusal(2635))
    with pytest.raises(GraphTerminal):
        await calls.access()
    scripted.say(refusal(4))
    with pytest.raises(GraphRetryable):
        await calls.access()


async def test_a_number(calls, scripted):
    scripted.say(
        {"id": "1", "quality_rating": "green", "status": "CONNECTED", "name_status": None}
    )
    assert await calls.number("1") == MetaNumber("1", quality="GREEN", status="CONNECTED")
    assert "quality_rating" in scripted.last.query["fields"]
    with pytest.raises(GraphTerminal, match="is not an id of Meta's"):
        await calls.number("../me")


async def test_apps(calls, scripted):
    scripted.say(
        {"data": [
            {"whatsapp_business_api_data": {"id": "67", "name": "Shop"}},
            {"whatsapp_business_api_data": {"id": 68}, "override_callback_uri": "https://x"},
            {"whatsapp_business_api_data": 7}, 8,
        ]}
    )  # fmt: skip
    assert await calls.apps("102") == (
        SubscribedApp("67"), SubscribedApp("68", "https://x"), SubscribedApp(""),
    )  # fmt: skip


async def test_subscribing(calls, scripted):
    scripted.say({"success": True}, {"success": False})
    await calls.subscribe("102")
    assert (scripted.last.method, scripted.last.path) == ("POST", "/v26.0/102/subscribed_apps")
    with pytest.raises(GraphTerminal):
        await calls.subscribe("102")


async def test_whether_something_is_there(calls, scripted):
    scripted.say({"id": "1"}, refusal(100), refusal(803, 404), refusal(190, 401))
    assert [await calls.has("1") for _ in range(3)] == [True, False, False]
    with pytest.raises(GraphTerminal):
        await calls.has("1")


def test_a_token_is_not_shown(client):
    assert "the token" not in repr(GraphAccounts(client, "the token"))
