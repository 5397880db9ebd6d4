"""The page's table of shard keys, held against the indexes that the collections have.

MongoDB: a unique index of a sharded collection must begin with the whole shard key, and an index
must begin with it for the collection to be sharded (manual, Shard Keys).
"""

import re

import pytest

from engine.storage.records import DOCUMENTS
from tests.unit.operations.files import PAGE

TABLE = PAGE.partition("| collection | shard key |")[2].partition("\n\n")[0]
ROWS = re.findall(r"^\| `(\w+)` \| (-|`[^`]+`) \| (.+) \|$", TABLE, re.MULTILINE)
KEYS = {name: key.strip("`").split(", ") for name, key, _ in ROWS if key != "-"}


def indexes(name):
    (settings,) = (d.Settings for d in DOCUMENTS if d.Settings.name == name)
    for each in settings.indexes:
        document = each.document
        yield list(document["key"]), document.get("unique", False)


def test_every_collection_is_in_the_table():
    names = [name for name, _, _ in ROWS]
    assert sorted(names) == sorted({d.Settings.name for d in DOCUMENTS})


@pytest.mark.parametrize("name", KEYS)
def test_a_shard_key_has_an_index_and_agrees_with_the_unique_ones(name):
    key, held = KEYS[name], list(indexes(name))
    assert key == ["_id"] or any(fields[: len(key)] == key for fields, _ in held)
    assert all(fields[: len(key)] == key for fields, is_unique in held if is_unique)


@pytest.mark.parametrize("name", [name for name, key, _ in ROWS if key == "-"])
def test_the_unique_index_that_forbids_a_key_of_the_tenant_is_named(name):
    """A collection with a unique index that does not begin with the tenant gives the reason."""
    unique = [fields for fields, is_unique in indexes(name) if is_unique]
    reasons = {"orders": "orderNumber", "carts": "unique index", "syncCatalogs": "catalogId"}
    if any(fields[0] not in ("tenant", "subDomain") for fields in unique):
        (why,) = (why for each, _, why in ROWS if each == name)
        assert reasons[name] in why
