"""What customers of one tenant can do now, or no longer, and what is answered otherwise."""

from collections.abc import Hashable, Iterator
from dataclasses import replace

from engine.authoring.diff.changes import Example, Lines, WayChange, WayKind, together
from engine.authoring.diff.messages import Masks
from engine.domain.ids import TenantId
from engine.rehearsal.compare.notes import Comparison, Parted
from engine.rehearsal.compare.side import Outcome, Version

Ways = dict[Hashable, WayChange]
"""Changes by what makes two of them the same one, also in other tenants and states."""


def way_changes(tenant: TenantId, before: Version, after: Version, compared: Comparison) -> Ways:
    """Gather the acts that have parted the two versions of a tenant.

    What is done in several states, or in several ways, with the same outcome is told once.
    """
    masks = Masks(before, after)
    found: Ways = {}
    for one in compared.parted:
        kind = _kind(one)
        answer = Example(_answer(one.before), _answer(one.after))
        said = [_said(outcome, masks) for outcome in (one.before, one.after)]
        # A button is a thing of its own; what is written is only one way to say it.
        is_tap = one.act.startswith("customer taps")
        key = (kind, one.offered_in, *masks.over((one.act,) if is_tap else ()), *said)
        places = {tenant: (one.where,) if one.where else ()}
        made = WayChange(kind, (one.act,), answer, places, one.offered_in, one.trail)
        found[key] = joined(found[key], made) if key in found else made
    return found


def joined(one: WayChange, other: WayChange) -> WayChange:
    """Make one change of two that are the same."""
    acts = tuple(dict.fromkeys((*one.acts, *other.acts)))
    return replace(one, acts=acts, places=together(one.places, other.places))


def _kind(one: Parted) -> WayKind:
    was = one.before is not None and not one.before.is_lost
    will = one.after is not None and not one.after.is_lost
    if was == will:
        return "otherwise"
    return "now" if will else "no longer"


def _said(outcome: Outcome | None, masks: Masks) -> Hashable:
    """Name what was answered: by the messages' names, of which the text is one example."""
    if outcome is None:
        return None
    names = tuple(read.message or masks.over(read.lines) for read in outcome.said)
    return names, outcome.failure


def _answer(outcome: Outcome | None) -> Lines | None:
    return tuple(_lines(outcome)) if outcome else None


def _lines(outcome: Outcome) -> Iterator[str]:
    for read in outcome.said:
        first, *rest = read.lines or ("",)
        yield f"bot: {first}"
        yield from (f"     {line}" for line in rest)
    if outcome.failure:
        yield f"(the turn fails: {outcome.failure})"
