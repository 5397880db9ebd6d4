"""Parts of values that there are not, and words that a value never is.

A Flow and the chat have to agree on names: what only one of them knows is told on both sides.
"""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from engine.spec.check_guards import NEVER, check_conditions
from engine.spec.flow import Flow
from engine.spec.problems import Problems, Span, did_you_mean
from engine.spec.shapes import Lacking, Words, shape_at, shown
from engine.spec.sights import Sight, chart_sights, chat_shapes, flow_sights, message_sights
from engine.spec.source import Path
from engine.spec.whole import Whole

_EVENT, _INPUT = "event", "input"
_FEW = 12
"""Parts that are named to who has written none of them."""


def check_parts(whole: Whole) -> None:
    """Note what texts and guards of a chat read in vain."""
    problems = whole.problems
    lacking: dict[str, set[str]] = {flow: set() for flow in whole.flows}
    read: dict[str, set[str]] = {flow: set() for flow in whole.flows}
    for sight in chart_sights(whole.chart, whole.flows):
        missing = list(_lacking(sight, problems))
        flow = sight.event.removeprefix("flow.")
        if flow in read:
            lacking[flow] |= {one.name for one in missing if one.of == _EVENT}
            read[flow] |= _read(sight, _EVENT)
    for name, flow_of in whole.flows.items():
        paths = {
            given: (*screen.path, "params", given)
            for screen in flow_of.screens.values()
            for given in screen.params or ()
            if given not in read[name]
        }
        _unread(flow_of, paths, lacking[name], problems)
    shapes = chat_shapes(whole.chart, whole.flows)
    for words in whole.words.values():
        for message in words.messages.values():
            for sight in message_sights(message, shapes):
                list(_lacking(sight, problems))


def check_flow_parts(flow: Flow, problems: Problems) -> None:
    """Note what texts and guards of a Flow read in vain."""
    lacking: dict[str, set[str]] = {_EVENT: set(), _INPUT: set()}
    read: dict[str, set[str]] = {_EVENT: set(), _INPUT: set()}
    for sight in flow_sights(flow):
        check_conditions(sight.template, problems)
        missing = list(_lacking(sight, problems))
        for root, names in lacking.items():
            names |= {one.name for one in missing if one.of == root}
            read[root] |= _read(sight, root)
    sent: dict[str, Path] = {
        component.name: component.path
        for screen in flow.shown()
        for component in screen.components()
    }
    opened: dict[str, Path] = {name: (_INPUT, name) for name in flow.input}
    for root, paths in ((_EVENT, sent), (_INPUT, opened)):
        unread = {name: path for name, path in paths.items() if name not in read[root]}
        _unread(flow, unread, lacking[root], problems)


def _lacking(sight: Sight, problems: Problems) -> Iterator[Lacking]:
    """Note what is read or asked in vain; give the parts that there are not."""
    reading = sight.template.reading
    for read in reading.reads:
        found = shape_at(read.path, sight.shapes)
        if isinstance(found, Lacking):
            span = Span.of(sight.template.where).below(read.line)
            sentence = f"'{found.of}'{_of(sight)} has no '{found.name}'"
            problems.warn(span, "unknown-part", sentence, _hint(found.name, found.known))
            yield found
    for one in reading.compared:
        shape = shape_at(one.path, sight.shapes)
        if isinstance(shape, Words) and one.word not in shape.words:
            span = Span.of(sight.template.where).below(one.line)
            sentence = f"'{shown(one.path)}' is never '{one.word}'"
            problems.warn(span, NEVER, sentence, _hint(one.word, shape.words))


def _of(sight: Sight) -> str:
    return f" of '{sight.event}'" if sight.event else ""


def _hint(word: str, known: Collection[str]) -> str:
    few = f"known: {', '.join(sorted(known))}" if len(known) <= _FEW else ""
    return did_you_mean(word, known) or few


def _read(sight: Sight, root: str) -> set[str]:
    """Name the parts of a variable that are read."""
    steps = (read.path.split(".") for read in sight.template.reading.reads)
    return {path[1] for path in steps if path[0] == root and len(path) > 1}


def _unread(
    flow: Flow, unread: Mapping[str, Path], lacking: Collection[str], problems: Problems
) -> None:
    """Note names that nothing reads while one much like it is read and not there."""
    for name, path in unread.items():
        for close in get_close_matches(name, lacking, n=1):
            sentence = f"nothing reads '{name}', and '{close}', which is read, is not there"
            hint = f"did you mean '{close}'?"
            problems.warn(flow.places.at(path), "unread-name", sentence, hint)
