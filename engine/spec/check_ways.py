"""The ways through a chart: states nobody can leave, branches nobody takes, what gets no answer.

What is said on the way is not looked at here. A chart's own mistakes (unknown states, no start)
are `check.ChartCheck`'s.
"""

from collections.abc import Iterator

from engine.spec.chart import Branch, Chart
from engine.spec.check import ChartCheck, templates_within
from engine.spec.check_guards import GuardCheck, check_conditions
from engine.spec.problems import Problems, Span
from engine.spec.source import Layers
from engine.spec.ways import Ways, is_always

NOTHING_MATCHED = "nothing_matched"
_SENT = {
    "text": "a text", "tap": "a tap on an old button", "media": "a picture or voice note",
    "location": "a location", "contacts": "a contact", "native_order": "a cart of the catalogue",
    "flow_reply": "the end of an unknown Flow", "unsupported": "what WhatsApp does not pass on",
    "empty": "an empty message",
}  # fmt: skip
"""What customers send, by the event of its kind."""
_INSTEAD = {"tap": "old_tap"}
"""The event that is asked next if nobody wanted the first; last is `nothing_matched`."""
_FEW = 4
"""States that are named in one sentence."""


def check_ways(check: ChartCheck) -> None:
    """Note what is wrong with the ways through a chart, and with its guards."""
    ways, problems = check.ways, check.problems
    check_never_taken(ways.chart, check.places, problems)
    GuardCheck(ways.chart, problems, check.deleted).branches()
    for template in templates_within(ways.chart):
        check_conditions(template, problems)
    if ways.begin:  # else it has been told that there is none
        _left(ways, problems)
        _answered(ways, check.places, problems)


def check_never_taken(chart: Chart, places: Layers, problems: Problems) -> None:
    """Note branches that come after one that always holds."""
    events = list(chart.anywhere.values())
    events += [branches for state in chart.states.values() for _, branches in state.branches()]
    for branches in events:
        first = next((place for place, b in enumerate(branches) if is_always(b)), len(branches))
        if after := branches[first + 1 :]:
            lines = ", ".join(str(Span.of(branch.where).line) for branch in after)
            what = "the branch after it" if len(after) == 1 else "the branches after it"
            taken = "is" if len(after) == 1 else "are"
            sentence = f"this branch always holds: {what} (line {lines}) {taken} never taken"
            hint = "give it an 'if', or put it last"
            problems.add(places.at(branches[first].path), "branch-never-taken", sentence, hint)


# Ends --------------------------------------------------------------------------------------------


def _left(ways: Ways, problems: Problems) -> None:
    """Note where a customer must stay for ever, but where the chart begins."""
    exits = {leaf: ways.exits(leaf) for leaf in ways.leaves}
    led = {leaf: _closure(leaf, exits) for leaf in exits}
    told: set[str] = set()
    for leaf in sorted(exits, key=lambda name: Span.of(ways.chart.states[name].where)):
        reached = led[leaf]
        if ways.begin in reached or leaf in told or any(led.get(n) != reached for n in reached):
            continue
        told |= reached
        span = Span.of(ways.chart.states[leaf].where)
        if len(reached) == 1:
            sentence = f"a customer cannot leave the state '{leaf}': nothing leads out of it"
            problems.add(span, "dead-end", sentence, "add 'back', or a branch that goes elsewhere")
        else:
            names = _names(sorted(reached))
            sentence = f"from the states {names} customers only come to each other"
            problems.add(span, "loop-without-exit", sentence, "add a branch that leads elsewhere")


def _closure(leaf: str, exits: dict[str, frozenset[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [leaf]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += exits.get(name, ())
    return seen


# Answers -----------------------------------------------------------------------------------------


def _answered(ways: Ways, places: Layers, problems: Problems) -> None:
    """Note what customers may send and get no answer to."""
    open_at: dict[tuple[str, ...], list[str]] = {}
    for kind in _SENT:
        leaves = tuple(sorted(leaf for leaf in ways.leaves if not _is_answered(ways, leaf, kind)))
        if leaves:
            open_at.setdefault(leaves, []).append(kind)
    for leaves, kinds in open_at.items():
        unknown = [kind for kind in kinds if not any(_reactions(ways.chart, kind))]
        perhaps = [kind for kind in kinds if kind not in unknown]
        span = places.at(("anywhere", NOTHING_MATCHED))
        hint = f"add '{NOTHING_MATCHED}' to 'anywhere', its last branch without 'if'"
        if unknown:
            sentence = f"nothing answers {_joined(unknown)}"
            problems.add(span, "no-answer", sentence, hint)
        if perhaps:
            where = "in every state" if len(leaves) == len(ways.leaves) else f"in {_names(leaves)}"
            sentence = f"{where} nothing is sure to answer {_joined(perhaps)}"
            problems.warn(span, "no-answer", sentence, hint)


def _is_answered(ways: Ways, leaf: str, kind: str) -> bool:
    return any(ways.is_answered(leaf, event) for event in _asked(kind))


def _asked(kind: str) -> tuple[str, ...]:
    instead = (_INSTEAD[kind],) if kind in _INSTEAD else ()
    return (kind, *instead, NOTHING_MATCHED)


def _reactions(chart: Chart, kind: str) -> Iterator[tuple[Branch, ...]]:
    for event in _asked(kind):
        for reactions in (chart.anywhere, *(state.when for state in chart.states.values())):
            if event in reactions:
                yield reactions[event]


def _names(names: list[str] | tuple[str, ...]) -> str:
    shown = [f"'{name}'" for name in names[:_FEW]]
    more = len(names) - _FEW
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _joined(kinds: list[str]) -> str:
    *most, last = (_SENT[kind] for kind in kinds)
    return f"{', '.join(most)} or {last}" if most else last
