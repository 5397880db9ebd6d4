"""Names of a Flow's screens that were meant to be one: data that is given, and data that is shown.

That something shown is not given is told by WhatsApp's rules (`engine.whatsapp.flow_json`); here
the other end of such a mistake is found.
"""

import re
from collections.abc import Iterator, Mapping

from engine.flows.form import choice_groups
from engine.spec.chart import Call
from engine.spec.check import calls_of, templates_of
from engine.spec.flow import Flow, Screen
from engine.spec.problems import Problems, Span, did_you_mean
from engine.spec.read_flow import CHOICE_GROUPS
from engine.templating.language import Text

_DATA = re.compile(r"\$\{data\.(\w+)")


def note_names(flow: Flow, problems: Problems) -> None:
    """Note data that no part of its screen shows, if one shows data of much the same name.

    Data alone that nothing shows is no mistake: an author may keep it for later.
    """
    for screen in flow.shown():
        _groups(flow, screen, problems)
        shown = set(_shown(screen))
        lacking = shown - screen.data.keys()
        for name in screen.data.keys() - shown:
            hint = did_you_mean(name, lacking)
            if hint:
                where = flow.places.at((*screen.path, "data", name))
                sentence = f"nothing on the screen '{screen.id}' shows the data '{name}'"
                problems.warn(where, "unread-name", sentence, hint)


def note_unloaded(flow: Flow, problems: Problems) -> None:
    """Note screens whose data is wrong, and that do not load what an action could."""
    wrong = {(problem.span.file, problem.span.line) for problem in problems.errors}
    loads = {name: call.verb.name for call in calls_of(flow.chart) for name in call.verb.gives}
    for screen in flow.shown():
        others = loads.keys() - _given(flow.chart.states[screen.id].calls)
        unset: set[str] = set()
        for key, value in screen.data.items():
            places = {flow.places.at((*screen.path, "data", key))}
            for template in templates_of(value):
                places |= {Span.of(template.where).below(n) for n in template.names.values()}
            if any((place.file, place.line) in wrong for place in places):
                unset |= {n for template in templates_of(value) for n in template.names} & others
        for name in sorted(unset):
            sentence = f"nothing on '{screen.id}' loads '{name}', as '{loads[name]}' does"
            problems.warn(Span.of(screen.where), "unknown-variable", sentence)


def _given(calls: tuple[Call, ...]) -> frozenset[str]:
    return frozenset(name for call in calls for name in call.verb.gives)


def _groups(flow: Flow, screen: Screen, problems: Problems) -> None:
    """Note groups to choose from that are not in the data: our own component, not WhatsApp's."""
    for part in screen.components():
        source = choice_groups(part).source if part.type == CHOICE_GROUPS else ""
        if source and source not in screen.data:
            where = flow.places.value_at((*part.path, "source"))
            sentence = f"'{source}' is not in the data of the screen"
            problems.add(where, "unknown-data", sentence, did_you_mean(source, screen.data))


def _shown(screen: Screen) -> Iterator[str]:
    for part in screen.components():
        for written in _texts([part.properties, part.payload]):
            yield from _DATA.findall(written)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Text):
        yield value.source
    elif isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)
