"""A hundred thousand ids of others and of nobody, where they are read: none means anything here.

Through the real database a sample of them goes in tests/e2e/test_isolation_doors.py.
"""

import random

from engine.charts.inbound import tap_event
from engine.domain.ids import TenantId
from engine.runtime.flow_tokens import FlowTokens
from engine.settings import read_settings
from engine.spec.library import Library
from engine.storage.tenancy import TenantCollection
from engine.verbs import all_verbs
from tests.unit.storage.builders import flow_session

OURS, OTHER = TenantId("la-tavola"), TenantId("dona-lucha")
MANY = 100_000
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789:.|#-_/=$\x00é🍕{}%"


def strangers(seed, count=MANY):
    """Ids that nobody gave, some of which look like ours."""
    drawn = random.Random(seed)
    shapes = (
        lambda word: word,
        lambda word: f"prod:{word}",
        lambda word: f"add_to_cart:prod:{word}#{drawn.randint(1, 999)}",
        lambda word: f"{OTHER}:{word}",
        lambda word: f"order:{word[:6].upper()}:ready",
        lambda word: (
            f"{drawn.getrandbits(128):032x}.{drawn.randint(0, 10**10)}."
            f"{drawn.getrandbits(128):032x}"
        ),
    )
    for n in range(count):
        word = "".join(drawn.choices(ALPHABET, k=drawn.randint(1, 40)))
        yield shapes[n % len(shapes)](word)


def test_of_a_hundred_thousand_tokens_none_is_taken():
    tokens = FlowTokens("the secret", "an earlier one")
    session = flow_session()
    good = tokens.sign(session)
    name, expiry, mac = good.split(".")
    drawn = random.Random(1)
    assert tokens.is_of(good, session)
    for stranger in strangers(1, MANY // 2):
        assert not tokens.is_of(stranger, session)
    for _ in range(MANY // 2):
        # All right but for the signature, of which a digit or all are others.
        other = list(mac)
        place = drawn.randrange(32)
        other[place] = drawn.choice("0123456789abcdef".replace(mac[place], ""))
        assert not tokens.is_of(f"{name}.{expiry}.{''.join(other)}", session)


class Watched:
    """A collection that is only asked."""

    def __init__(self):
        self.filters = []

    async def find_one(self, wanted, projection=None):
        self.filters.append(wanted)


async def test_a_hundred_thousand_filters_are_all_the_tenants():
    rows = Watched()
    mine = TenantCollection(rows, "tenant", OURS)  # type: ignore[arg-type]
    for n, stranger in enumerate(strangers(2)):
        forged = {"_id": stranger, "tenant": OTHER, "$or": [{"tenant": OTHER}]}
        await mine.find_one(forged if n % 2 else {"_id": stranger})
    assert len(rows.filters) == MANY
    assert {wanted["tenant"] for wanted in rows.filters} == {OURS}
    assert all(list(wanted)[-1] == "tenant" or "tenant" in wanted for wanted in rows.filters)


def test_a_hundred_thousand_taps_name_no_event_of_our_own():
    bundle = Library(read_settings().content(), all_verbs()).load(OURS)
    for stranger in strangers(3):
        event = tap_event(stranger, bundle.chart.prefixes)
        assert "." not in event.name
        assert event.data["id"] == stranger
