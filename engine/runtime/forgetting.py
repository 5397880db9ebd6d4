"""Forgetting one customer, by whatever he is known; where he is erased is the storage's matter."""

from collections import Counter
from datetime import datetime
from typing import Final

from engine.domain.ids import CustomerKey, TenantId
from engine.errors import EngineError
from engine.row_ports import Erasure, Forgotten

NOBODY: Final = "there is nobody known by that key or phone number"


class NobodyKnown(EngineError):
    """A tenant knows nobody by that key or phone number."""


async def known(erasure: Erasure, who: str) -> tuple[CustomerKey, ...]:
    """Give the keys that a key or a phone number means.

    Raises:
        NobodyKnown: there are none.
    """
    found = await erasure.find(who)
    if not found:
        raise NobodyKnown(NOBODY)
    return found


async def forget(erasure: Erasure, who: str, *, now: datetime) -> Forgotten:
    """Erase a customer under every key that a key or a phone number means.

    Raises:
        NobodyKnown: there are none.
    """
    customers: list[CustomerKey] = []
    removed: Counter[str] = Counter()
    anonymised: Counter[str] = Counter()
    for key in await known(erasure, who):
        if key in customers:  # it went with an earlier one
            continue
        gone = await erasure.forget(key, now=now)
        customers += [each for each in gone.customers if each not in customers]
        removed.update(gone.removed)
        anonymised.update(gone.anonymised)
    return Forgotten(tuple(customers), dict(removed), dict(anonymised))


def answer(tenant: TenantId, forgotten: Forgotten) -> dict[str, object]:
    """Give what was erased as it is written in JSON."""
    return {
        "tenant": tenant,
        "customers": list(forgotten.customers),
        "removed": dict(forgotten.removed),
        "anonymised": dict(forgotten.anonymised),
    }
