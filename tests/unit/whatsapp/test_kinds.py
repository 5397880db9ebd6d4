"""Every kind of message in Meta's form, and odd shapes of each."""

import json
from typing import Any

import bson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whatsapp.content import Contacts, FlowReply, Unknown
from tests.unit.whatsapp.strangers import any_json
from tests.unit.whatsapp.webhooks import (
    KINDS,
    PHONE_CARD,
    content_of,
    interactive,
    item_of,
    message,
    nfm,
    order,
    typed,
)


@pytest.mark.parametrize(("sent", "content"), KINDS)
def test_kind(sent, content):
    assert content_of(sent) == content


def test_an_address_book_entry_keeps_metas_form():
    content = content_of(typed("contacts", [PHONE_CARD]))
    assert isinstance(content, Contacts)
    assert content.contacts[0]["phones"][0]["wa_id"] == "16505551234"


BAD_QUANTITIES: list[Any] = [0, -1, 1.5, True, "two", "-1", None, 10**7, 2**64 - 1]

BAD_PRICES: list[Any] = [-1, "1e5", "NaN", "1_0", True, None, [], 1e12, "٣"]

BAD_CURRENCIES: list[Any] = ["usd", "US", "", None, 5]

HOSTILE = [
    message(),
    typed("text", "Hola"),
    typed("text", {"body": 5}),
    typed("text", {"body": ""}),
    typed("text", [{"body": "Hola"}]),
    typed("interactive", {"type": 5}),
    typed("interactive", {"type": ["list_reply"]}),
    typed("button", {"payload": 5, "text": {}}),
    typed("location", {"latitude": "1", "longitude": 1}),
    typed("location", {"latitude": 90.1, "longitude": 1}),
    typed("location", {"latitude": 1, "longitude": -181}),
    typed("location", {"latitude": True, "longitude": 1}),
    order(catalog_id=None),
    order(product_items=[]),
    order(product_items={"0": order()["order"]["product_items"][0]}),
    order(product_items=[order()["order"]["product_items"][0], "prod:coke"]),
    *(item_of(quantity=bad) for bad in BAD_QUANTITIES),
    *(item_of(item_price=bad) for bad in BAD_PRICES),
    *(item_of(currency=bad) for bad in BAD_CURRENCIES),
    item_of(product_retailer_id=17),
    typed("image", {"id": 5}),
    typed("image", "wamid"),
    typed("contacts", PHONE_CARD),
    typed("contacts", [5]),
    typed("reaction", {"emoji": "😀"}),
    typed("system", {"type": None}),
    typed("edit", {}),
    typed("revoke", "wamid"),
]


@pytest.mark.parametrize("sent", HOSTILE)
def test_an_odd_shape_is_unknown(sent):
    assert content_of(sent) == Unknown(sent["type"])


@pytest.mark.parametrize("kind", ["list_reply", "button_reply", "call_permission_reply"])
@pytest.mark.parametrize("answer", [None, "x", [], {"id": 5, "response": 5}, {"id": "x" * 513}])
def test_an_odd_answer_is_unknown(kind, answer):
    assert content_of(interactive(kind, answer)) == Unknown(f"interactive.{kind}")


@settings(deadline=None)
@given(response=st.one_of(any_json.map(json.dumps), st.text()))
def test_no_flow_response_breaks_it(response):
    content = content_of(nfm(response))
    assert isinstance(content, FlowReply)
    bson.encode(content.response)
