"""Completions as the chat brings them: whose they are, and what counts of what they say."""

from dataclasses import replace
from typing import Any

import pytest

from engine.domain.ids import CustomerKey
from engine.runtime.flow_replies import FlowReplies
from engine.whatsapp.content import FlowReply, Sender
from engine.whatsapp.inbound import InboundMessage
from tests.unit.runtime.flow_shop import ANA, EVA, LARGE, NUMBER, OTHER, PIZZA, SMALL, TENANT, Shop


def completion(
    response: dict[str, Any], *, token: Any = None, answers: str | None = None
) -> InboundMessage:
    content = FlowReply(response, token)
    return InboundMessage("wamid.9", NUMBER, Sender(ANA, None), 0, content, answers, {})


@pytest.mark.parametrize("place", ["parsed", "response", "context"])
async def test_a_completion_is_of_the_session_of_its_token(place):
    shop = Shop()
    session = await shop.open()
    message = {
        "parsed": completion({}, token=shop.token),
        "response": completion({"flow_token": shop.token}),
        # iOS leaves the token out: then it is the one of the message that is answered.
        "context": completion({}, answers="wamid.flow"),
    }[place]
    assert await FlowReplies(shop.tokens).session(message, ANA, shop.store) == session


@pytest.mark.parametrize(
    ("response", "answers", "who", "tenant"),
    [
        ({"flow_token": "own"}, None, EVA, TENANT),
        ({"flow_token": "own"}, None, ANA, OTHER),
        ({}, "wamid.flow", EVA, TENANT),
        ({}, "wamid.flow", ANA, OTHER),
        ({}, "wamid.other", ANA, TENANT),
        ({}, None, ANA, TENANT),
        # A token that is there counts, the message that is answered does not.
        ({"flow_token": "forged"}, "wamid.flow", ANA, TENANT),
        ({"flow_token": "unused"}, "wamid.flow", ANA, TENANT),
        ({"flow_token": 5}, "wamid.flow", ANA, TENANT),
        ({"flow_token": "gone"}, None, ANA, TENANT),
    ],
)
async def test_what_is_not_the_customers_own_is_of_no_session(response, answers, who, tenant):
    shop = Shop()
    session = await shop.open()
    names = {
        "own": shop.token,
        "forged": shop.token[:-1] + ("1" if shop.token[-1] == "0" else "0"),
        "gone": shop.tokens.sign(replace(session, id="f" * 32)),
    }
    said = {k: names.get(v, v) if isinstance(v, str) else v for k, v in response.items()}
    message = completion(said, answers=answers)
    found = await FlowReplies(shop.tokens).session(message, CustomerKey(who), shop.stores[tenant])
    assert found is None


@pytest.mark.parametrize(
    ("said", "noted", "params"),
    [
        ({"quantity": 2, "flow_token": "t"}, None, {"product": PIZZA, "quantity": 2}),
        # What our endpoint noted counts more.
        ({"presentation": SMALL, "quantity": 9}, {"presentation": LARGE, "quantity": None},
         {"product": PIZZA, "presentation": LARGE, "quantity": 9}),
        ({"modifiers": ["mod:bacon"]}, {"modifiers": []}, {"product": PIZZA, "modifiers": []}),
        # What the Flow was opened with cannot be changed.
        ({"product": "prod:gelato"}, None, {"product": PIZZA}),
        ({}, {"product": "prod:gelato"}, {"product": PIZZA}),
        ({}, {}, {"product": PIZZA}),
    ],
)  # fmt: skip
async def test_what_a_completion_says_adds_to_what_is_known(said, noted, params):
    shop = Shop()
    session = replace(await shop.open(), params=noted)
    assert FlowReplies(shop.tokens).params(session, FlowReply(said, None)) == params


async def test_a_flow_about_no_product_is_bound_to_none():
    shop = Shop()
    session = replace(await shop.open(), input={"product": None, "quantity": None})
    found = FlowReplies(shop.tokens).params(session, FlowReply({"product": "prod:gelato"}, None))
    assert found == {"product": "prod:gelato"}
