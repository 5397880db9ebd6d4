"""The calls about webhook fields: made as the app, and answers of any shape are read."""

from urllib.parse import parse_qs

import pytest

from engine.errors import GraphTerminal
from engine.graph.webhook_fields import GraphWebhookFields, Hook

OURS = "whatsapp_business_account"


@pytest.fixture
def calls(client):
    return GraphWebhookFields(client, "67", "secret of the app")


async def test_what_the_app_is_told_of(calls, scripted):
    ours = {
        "object": OURS, "callback_url": "https://shop.example/whatsapp_response", "active": True,
        "fields": [{"name": "messages", "version": "v26.0"}, {"name": "flows"}, "calls", {}, 7],
    }  # fmt: skip
    scripted.say({"data": [{"object": "page", "fields": [{"name": "feed"}]}, ours]})
    told = frozenset({"messages", "flows", "calls"})
    assert await calls.hook() == Hook("https://shop.example/whatsapp_response", told)
    assert (scripted.last.method, scripted.last.path) == ("GET", "/v26.0/67/subscriptions")
    assert scripted.last.headers["authorization"] == "Bearer 67|secret of the app"


@pytest.mark.parametrize(
    "answer", [{}, {"data": []}, {"data": 7}, {"data": [{"object": OURS, "fields": "x"}]}]
)
async def test_odd_answers(calls, scripted, answer):
    scripted.say(answer)
    assert await calls.hook() == Hook()


async def test_fields_are_subscribed_to(calls, scripted):
    hook = Hook("https://shop.example/hook", frozenset({"smb_message_echoes", "messages"}))
    await calls.subscribe(hook, verify_token="t")
    assert (scripted.last.method, scripted.last.path) == ("POST", "/v26.0/67/subscriptions")
    assert parse_qs(scripted.last.body.decode()) == {
        "object": [OURS], "callback_url": ["https://shop.example/hook"], "verify_token": ["t"],
        "fields": ["messages,smb_message_echoes"],
    }  # fmt: skip


async def test_what_is_no_id_of_an_app_is_not_asked_for(client, scripted):
    with pytest.raises(GraphTerminal, match=r"'\.\./me' is not the id of an app"):
        await GraphWebhookFields(client, "../me", "secret").hook()
    assert scripted.asked == []


def test_the_secret_is_not_shown(calls):
    assert "secret of the app" not in repr(calls)
