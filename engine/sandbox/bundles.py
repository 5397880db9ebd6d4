"""Several updates in the body of one webhook, in all the ways that Meta's form leaves open."""

from collections.abc import Sequence
from random import Random  # noqa: TID251
from typing import Any

from engine.sandbox.envelope import JsonObject

PLACES = ("entry", "change", "value")
KINDS = ("messages", "statuses")


def bundled(bodies: Sequence[JsonObject], dice: Random) -> JsonObject:
    """Put webhooks of one number in one, in this order.

    Each gets an entry of its own, a change of its own or, if it tells the same kind of thing as
    the one before, a place in the same value.
    """
    if len(bodies) == 1:
        return bodies[0]
    entries: list[JsonObject] = []
    for body in bodies:
        (entry,) = body["entry"]
        (change,) = entry["changes"]
        place = dice.choice(PLACES)
        if not entries or place == "entry":
            entries.append(entry | {"changes": [_own(change)]})
        elif place == "change" or not _joined(entries[-1]["changes"][-1], change):
            entries[-1]["changes"].append(_own(change))
    return bodies[0] | {"entry": entries}


def _own(change: JsonObject) -> JsonObject:
    """Return a change whose lists may grow."""
    value = {
        name: list(part) if isinstance(part, list) else part
        for name, part in change["value"].items()
    }
    return change | {"value": value}


def _joined(change: JsonObject, further: JsonObject) -> bool:
    """Add another change's update to a change, if both are of the same kind."""
    value, more = change["value"], further["value"]
    for kind in KINDS:
        if kind in value and kind in more:
            value[kind] += more[kind]
            contacts: list[Any] = value.setdefault("contacts", [])
            contacts += [one for one in more.get("contacts", []) if one not in contacts]
            return True
    return False
