"""A turn reads a product once, and sees it unchanged to its end."""

import pytest

from engine.domain.menu import Menu
from engine.runtime.catalog import TurnCatalog
from tests.memory import MemoryCatalog

MENU = Menu.model_validate(
    {
        "categories": {"cat:pizza": {"name": "Pizza"}},
        "groups": {
            "group:crust": {
                "name": "Crust",
                "minimum": 1,
                "maximum": 1,
                "modifiers": {"mod:thin": {"name": "Thin", "price": 0}},
            }
        },
        "products": {
            "prod:margherita": {
                "name": "Margherita",
                "category": "cat:pizza",
                "price": 10,
                "presentations": {"pres:large": {"name": "Large", "price": 12}},
                "groups": ["group:crust"],
            },
            "prod:marinara": {"name": "Marinara", "category": "cat:pizza", "price": 9},
        },
    }
)


class Counting(MemoryCatalog):
    """A catalog that notes which products are asked for."""

    def __init__(self):
        super().__init__(MENU)
        self.asked = []

    async def get_product_by_id(self, product_id):
        self.asked.append(product_id)
        return await super().get_product_by_id(product_id)


@pytest.fixture
def stored():
    return Counting()


@pytest.fixture
def catalog(stored):
    return TurnCatalog(stored)


async def test_a_product_is_read_once(catalog, stored):
    first = await catalog.get_product_by_id("prod:margherita")
    assert await catalog.get_product_by_id("prod:margherita") is first
    assert await catalog.get_presentations_for_product("prod:margherita") == first.presentations
    assert await catalog.get_modifiers_for_product("prod:margherita") == first.groups
    assert stored.asked == ["prod:margherita"]


async def test_a_product_that_is_not_there_is_asked_for_once(catalog, stored):
    assert await catalog.get_product_by_id("prod:gone") is None
    assert await catalog.get_presentations_for_product("prod:gone") == ()
    assert await catalog.get_modifiers_for_product("prod:gone") == ()
    assert stored.asked == ["prod:gone"]


async def test_the_products_of_a_category_are_known_afterwards(catalog, stored):
    found = await catalog.get_products_by_category("cat:pizza")
    assert [p.id for p in found] == ["prod:margherita", "prod:marinara"]
    assert await catalog.get_product_by_id("prod:marinara") is found[1]
    assert stored.asked == []


async def test_the_rest_is_passed_on(catalog, stored):
    assert await catalog.get_categories() == await stored.get_categories()
    assert await catalog.get_product_names() == await stored.get_product_names()
    assert len(await catalog.get_products_by_category(None, limit=1)) == 1
