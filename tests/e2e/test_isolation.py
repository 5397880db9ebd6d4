"""No tenant reads, changes or shows what is another's: of everything there is, found by itself.

A method, a route or an action that is new fails here until it is said what it is given.
"""

import os

import pytest

from engine.storage.connection import Database
from engine.verbs import all_verbs
from tests.e2e.isolation_scene import (
    NOT_CALLED,
    SHARED,
    THEM,
    US,
    WORDS,
    Street,
    acting,
    arguments,
    bound,
    decided,
    kinds,
    methods,
    rows_of,
    said,
    told,
)
from tests.unit.storage.builders import NOW


@pytest.fixture(scope="module")
async def built(mongodb_uri):
    name = f"comanda_isolation_{os.getpid()}"
    async with Database(mongodb_uri, name=name, away_after=900, answer_within=900) as database:
        yield Street(database)
        await database.client.drop_database(name)


@pytest.fixture
async def street(built):
    """A database with both shops."""
    await built.mend()
    return built.database


# Repositories ----------------------------------------------------------------------------------


def test_every_kind_that_is_made_for_a_tenant_is_called(built):
    assert set(bound(built.database, US.tenant)) == set(kinds()) - NOT_CALLED


@pytest.mark.parametrize(("kind", "method"), methods(), ids=lambda each: each)
async def test_nothing_of_another_tenant_is_read_or_changed(street, kind, method):
    given = arguments(kind, method, THEM)
    theirs = await rows_of(street, THEM)
    answer = await told(bound(street, US.tenant)[kind], method, given)
    assert THEM.tag not in said(kind, method, answer)
    assert await rows_of(street, THEM) == theirs
    # Their own repository, asked the same, gives it or does it: so there was something to hide.
    before = await rows_of(street, THEM)
    own = await told(bound(street, THEM.tenant)[kind], method, given)
    assert not isinstance(own, type), own
    is_told = said(kind, method, own) != said(kind, method, answer)
    assert is_told or await rows_of(street, THEM) != before


@pytest.mark.parametrize("who", [SHARED, f"+{SHARED}"])
async def test_a_customer_of_both_is_forgotten_by_one(street, who):
    theirs = await rows_of(street, THEM)
    erasure = bound(street, US.tenant)["MongoErasure"]
    keys = await erasure.find(who)
    assert SHARED in keys
    for key in keys:
        await erasure.forget(key, now=NOW)
    assert await rows_of(street, THEM) == theirs
    ours = await rows_of(street, US)
    assert [row for row in ours["conversations"] if row["customer"] == SHARED] == []


# Actions ---------------------------------------------------------------------------------------

ACTIONS = all_verbs().actions
OF_NOBODY = {
    # They look at nothing of the shop's: only at what the customer said or has noted himself.
    "cart.clear", "save", "forget", "language.set", "checkout.address", "checkout.notes",
    "checkout.type", "checkout.payment", "meta.sync_product", "staff.wait",
}  # fmt: skip
"""Actions that tell nobody's things."""
ALIKE = {
    "cart.refresh", "catalog.categories", "draft.quantity", "native.products",
    # Nobody is told of himself: who acts here is one of the staff.
    "staff.notify",
}  # fmt: skip
"""Actions that find as much in either of the two shops, each in its own words."""


SECRETS = tuple(
    words.format(THEM.tag)
    for words in ("pizza {}", "large {}", "crust {}", "same {}", "'{}'", "catalog-{}")
)
"""What their things are called; nobody else has the words."""


def _asked(name):
    verb = ACTIONS[name]
    unknown = verb.arguments.model_fields.keys() - WORDS.keys()
    assert not unknown, f"{name}: say in WORDS what a shop's {unknown} is"
    return verb, verb.bind({key: WORDS[key](THEM) for key in verb.arguments.model_fields})


def _drafting(database, shop):
    """A turn of a shop, with a draft of what is theirs."""
    turn = acting(database, shop)
    turn.variables.update(
        draft={
            "product": THEM.product, "presentation": f"size:{THEM.tag}", "quantity": 1,
            "modifiers": [f"mod:{THEM.tag}"], "done": ["group:crust"], "group": "group:crust",
        },
        order_type="pickup", payment="cash",
    )  # fmt: skip
    return turn


@pytest.mark.parametrize("name", sorted(ACTIONS))
async def test_no_action_finds_what_is_anothers(street, name):
    verb, given = _asked(name)
    theirs = await rows_of(street, THEM)
    ours = _drafting(street, US)
    given_words = repr(given).lower()
    answer = await verb.function(ours, **given)
    told = decided(ours) + repr(answer).lower()
    # A text he typed may be said again; it is his.
    assert [each for each in SECRETS if each in told and each not in given_words] == []
    assert await rows_of(street, THEM) == theirs


@pytest.mark.parametrize("name", sorted(ACTIONS.keys() - OF_NOBODY - ALIKE))
async def test_the_same_action_of_its_own_shop_finds_something(street, name):
    verb, given = _asked(name)
    mine, ours = _drafting(street, THEM), _drafting(street, US)
    told = [(await verb.function(turn, **given), decided(turn)) for turn in (mine, ours)]
    (own, found), (other, missed) = told
    assert (own, found) != (other, missed.replace(US.tag, THEM.tag))
