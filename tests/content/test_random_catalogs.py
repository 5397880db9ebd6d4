"""No catalog that is valid leads to a message that Meta refuses, however odd its names are.

A few here; `python -m tests.content.mutants --catalogs 500` tries 10,000 products.
"""

import pytest

from engine.domain.ids import TenantId
from engine.verbs import all_verbs
from tests.content.conftest import ROOT
from tests.content.mutants.catalogs import faults_of, random_menu
from tests.content.mutants.shop import Shop, Workshop, read_texts

TENANTS = (TenantId("la-tavola"), TenantId("dona-lucha"))
SEEDS = range(12)
TURNS = 60


@pytest.fixture(scope="module")
def shops() -> dict[TenantId, Shop]:
    workshop, texts = Workshop(all_verbs()), read_texts(ROOT)
    return {tenant: workshop.shop(texts, tenant) for tenant in TENANTS}


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("seed", SEEDS)
async def test_no_catalog_leads_to_a_message_that_is_refused(shops, tenant, seed) -> None:
    assert await faults_of(shops[tenant], random_menu(seed), seed=seed, turns=TURNS) == []


def test_catalogs_are_hostile() -> None:
    names = [p.name for seed in range(50) for p in random_menu(seed).products.values()]

    assert len(names) > 500
    assert max(map(len, names)) == 100
    assert any("\u200d" in name for name in names)
    assert any("\u0301" in name for name in names)
    assert any("\u05d0" <= letter <= "\u05ea" for name in names for letter in name)
