import pytest

from engine.sandbox.catalog_state import Catalog, Item
from engine.sandbox.filters import item_filter, picked
from tests.unit.sandbox.catalog_scene import item


@pytest.fixture
def catalog():
    catalog = Catalog("1", "2", "Menu")
    labels = {"a": "cat:pizza", "b": "cat:pizza", "c": "cat:drinks"}
    for number, (name, label) in enumerate(labels.items()):
        fields = item(name, title=f"Item {name.upper()}", custom_label_0=label)
        catalog.items[name] = Item(str(number), fields)
    catalog.items["d"] = Item("9", item("d", title="Water"))
    return catalog


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ({}, "abcd"),
        ({"custom_label_0": {"eq": "cat:pizza"}}, "ab"),
        ({"custom_label_0": {"neq": "cat:pizza"}}, "cd"),
        ({"retailer_id": {"eq": "c"}}, "c"),
        ({"retailer_id": {"eq": "z"}}, ""),
        ({"retailer_id": {"is_any": ["a", "d"]}}, "ad"),
        ({"retailer_id": {"is_not_any": ["a", "d"]}}, "bc"),
        ({"name": {"contains": "item"}}, ""),
        ({"name": {"i_contains": "item"}}, "abc"),
        ({"name": {"i_not_contains": "item"}}, "d"),
        ({"name": {"contains": "Item"}, "custom_label_0": {"eq": "cat:drinks"}}, "c"),
        ({"or": [{"retailer_id": {"eq": "a"}}, {"name": {"eq": "Water"}}]}, "ad"),
        ({"and": [{"custom_label_0": {"eq": "cat:pizza"}}, {"name": {"neq": "Item A"}}]}, "b"),
    ],
)
def test_rules(catalog, rule, names):
    assert list(item_filter("filter", rule)) == []
    assert [one.fields["id"] for one in picked(catalog, rule)] == list(names)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ([], "Param filter must be an object"),
        ({"colour": {"eq": "red"}}, "Param filter names the unknown field colour"),
        ({"name": "x"}, "Param filter.name must be an object with an operator"),
        ({"name": {}}, "Param filter.name must be an object with an operator"),
        ({"name": {"like": "x"}}, "Param filter.name has the unknown operator like"),
        ({"name": {"is_any": "x"}}, "Param filter.name.is_any must be an array"),
        ({"or": {}}, "Param filter.or must be an array"),
        ({"or": [{"title": {"eq": "x"}}]}, "Param filter.or names the unknown field title"),
    ],
)
def test_wrong_rules(rule, says):
    (complaint,) = item_filter("filter", rule)

    assert complaint.details == says
