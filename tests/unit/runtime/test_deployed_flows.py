"""The desk: which of Meta's Flows is sent, and when none is."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from engine.domain.ids import TenantId
from engine.flow_ports import Deployment
from engine.runtime.deployed_flows import DeployedFlows
from tests.memory import MemoryDeployments
from tests.unit.actions.shop import OPEN, a_turn, bundle, product
from tests.unit.runtime.flow_shop import (
    CHECKOUT,
    FLOW,
    NUMBER,
    PIZZA,
    TENANT,
    Businesses,
    Shop,
    deployment,
)

SOON, SINCE = OPEN + timedelta(minutes=1), OPEN - timedelta(minutes=1)
EN = f"{FLOW}:en"
ALL, ONE = {EN: "77"}, {EN: "77", PIZZA: "99"}
FOR_ALL = deployment(EN, "77")
FOR_ONE = deployment(EN, "99", key=PIZZA)


def a_desk(
    mapping: dict[str, str] | None, *deployed: Deployment, tenant: TenantId = TENANT
) -> DeployedFlows:
    businesses, deployments = Businesses(), MemoryDeployments()
    deployments.held = {each.key: each for each in deployed}
    businesses.held[TENANT] = replace(businesses.held[TENANT], flow_mapping=mapping)
    return DeployedFlows(
        bundle(),
        business=partial(businesses.by_tenant, tenant),
        deployments=deployments,
        tokens=Shop().tokens,
        phone_number_id=NUMBER,
        now=OPEN,
    )


@pytest.mark.parametrize(
    ("mapping", "deployed", "found"),
    [
        (ALL, [FOR_ALL], "77"),
        # What another back end deployed is known by its mapping alone.
        (ALL, [], "77"),
        ({FLOW: "55"}, [], "55"),
        ({EN: "77", FLOW: "55"}, [], "77"),
        # One that is deployed for the product alone comes first.
        (ONE, [FOR_ALL, FOR_ONE], "99"),
        ({PIZZA: "99"}, [], "99"),
        ({"prod:gelato": "99"}, [], None),
        # None is deployed.
        (None, [], None),
        ({}, [], None),
        ({EN: ""}, [], None),
        ({f"{FLOW}:es": "78", f"{CHECKOUT}:en": "88"}, [], None),
        # It cannot be sent now.
        (ALL, [deployment(EN, "77", status="DRAFT")], None),
        (ALL, [deployment(EN, "77", status="DEPRECATED")], None),
        (ALL, [deployment(EN, "77", status="BLOCKED")], None),
        (ALL, [deployment(EN, "77", status="THROTTLED", held_until=SOON)], None),
        (ALL, [deployment(EN, "77", status="THROTTLED", held_until=OPEN)], "77"),
        (ALL, [deployment(EN, "77", status="BLOCKED", held_until=SINCE)], "77"),
        (ALL, [deployment(EN, "77", status="DRAFT", held_until=SINCE)], None),
        (ONE, [FOR_ALL, deployment(EN, "99", key=PIZZA, status="BLOCKED")], "77"),
        (ONE, [deployment(EN, "77", status="BLOCKED"), FOR_ONE], "99"),
        # It is another Flow, or in another language.
        (ALL, [deployment(f"{FLOW}:es", "77")], None),
        (ALL, [deployment(f"{CHECKOUT}:en", "77")], None),
        (ONE, [FOR_ALL, deployment(f"{FLOW}:es", "99", key=PIZZA)], "77"),
    ],
)
async def test_a_flow_is_sent_that_meta_would_send_now(mapping, deployed, found):
    desk = a_desk(mapping, *deployed)
    assert await desk.meta_id(FLOW, product=PIZZA, language="en") == found


async def test_a_flow_that_is_about_no_product_is_found():
    desk = a_desk({f"{CHECKOUT}:en": "88", PIZZA: "99"})
    assert await desk.meta_id(CHECKOUT, product=None, language="en") == "88"
    assert await desk.meta_id("nothing", product=None, language="en") is None
    nobody = a_desk(ALL, tenant=TenantId("nobody"))
    assert await nobody.meta_id(FLOW, product=PIZZA, language="en") is None


async def test_a_flow_that_the_tenant_does_not_have_is_never_sent():
    assert await a_desk({"old:en": "1"}).meta_id("old", product=None, language="en") is None


def test_a_product_is_held_against_what_the_flow_takes():
    desk, pizza = a_desk(ALL), product(a_turn(), PIZZA)
    assert desk.misfit(FLOW, pizza) is None
    assert desk.misfit(CHECKOUT, pizza) == "it shows no products"
    assert desk.misfit("old", pizza) == "there is no such Flow"


async def test_a_token_is_signed_for_the_session():
    shop = Shop()
    session = await shop.open()
    assert a_desk(ALL).token(session) == shop.token
    assert a_desk(ALL).phone_number_id == NUMBER
