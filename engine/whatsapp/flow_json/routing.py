"""The routing model of a Flow JSON: which screens lead to which, forward only."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from engine.whatsapp.flow_json.actions import Action
from engine.whatsapp.flow_json.faults import (
    Faults,
    FlowFault,
    Pointer,
    cut,
    did_you_mean,
    elements,
    listed,
    off_count,
    wrong_type,
)
from engine.whatsapp.flow_json.screens import ScreenJson
from engine.whatsapp.json_values import JsonObject, as_object

BRANCHES: Final = 10  # flows/reference/flowjson: the screens that one may lead to
_CODE: Final = "bad-routing"
_MODEL: Final = "routing_model"

Routes = Mapping[str, Sequence[tuple[str, Pointer]]]
"""Where each screen leads to, and where that is written."""


def check_routing(
    document: JsonObject, screens: Mapping[str, ScreenJson], steps: Sequence[tuple[str, Action]]
) -> Faults:
    """Check the ways through a Flow; without a routing model, the ones its actions take.

    Args:
        steps: the actions that lead to another of the screens, with the screen they are on.

    That the routing model is a group of keys at all is checked elsewhere.
    """
    if _MODEL in document:
        if not isinstance(document[_MODEL], dict):
            return
        faults = list(_check_model(document[_MODEL], screens))
        yield from faults
        if faults:
            return
        yield from _check_steps(document, steps)
    routes = _routes(document, screens, steps)
    circles = list(_check_circles(routes))
    yield from circles
    yield from _check_connections(routes, screens)
    # Ways without circles have a beginning and an end, so that nothing is to be said of entries.
    if not circles and any(screen.is_terminal for screen in screens.values()):
        yield from _check_ends(routes, screens)


def _check_model(model: JsonObject, screens: Mapping[str, ScreenJson]) -> Faults:
    for screen, targets in model.items():
        pointer = (_MODEL, screen)
        yield from _check_known(screen, screens, pointer)
        if not isinstance(targets, list | tuple):
            yield wrong_type(targets, "a list of screens", pointer=pointer, name=screen)
            continue
        what = f"'{cut(screen)}' leads to * screens"
        yield from off_count(len(targets), least=None, most=BRANCHES, pointer=pointer, what=what)
        for index, target in enumerate(targets):
            yield from _check_target(screen, target, screens, (*pointer, index))


def _check_known(name: str, screens: Mapping[str, ScreenJson], pointer: Pointer) -> Faults:
    if name not in screens:
        hint = did_you_mean(name, screens)
        yield FlowFault(pointer, _CODE, f"there is no screen '{cut(name)}'", hint)


def _check_target(
    screen: str, target: object, screens: Mapping[str, ScreenJson], pointer: Pointer
) -> Faults:
    if not isinstance(target, str):
        yield wrong_type(target, "the id of a screen", pointer=pointer, name=screen)
    elif target == screen:
        sentence = f"'{cut(screen)}' leads to itself"
        hint = "leave it out: a screen may always be shown again"
        yield FlowFault(pointer, _CODE, sentence, hint)
    else:
        yield from _check_known(target, screens, pointer)


def _check_steps(document: JsonObject, steps: Sequence[tuple[str, Action]]) -> Faults:
    model = as_object(document[_MODEL])
    for screen, action in steps:
        if action.next not in elements(model.get(screen)):
            sentence = f"the routing model has no way from '{screen}' to '{cut(action.next)}'"
            yield FlowFault(action.at("next", "name"), _CODE, sentence)


def _routes(
    document: JsonObject, screens: Mapping[str, ScreenJson], steps: Sequence[tuple[str, Action]]
) -> Routes:
    if _MODEL in document:
        return {
            screen: [
                (str(target), (_MODEL, screen, index))
                for index, target in enumerate(elements(targets))
            ]
            for screen, targets in as_object(document[_MODEL]).items()
        }
    routes: dict[str, list[tuple[str, Pointer]]] = {screen: [] for screen in screens}
    for screen, action in steps:
        routes[screen].append((action.next, action.at("next", "name")))
    return routes


def _check_circles(routes: Routes) -> Faults:
    """Tell each way that leads back to where one has been."""
    done: set[str] = set()
    for start in routes:
        if start not in done:
            yield from _circles_from(start, routes, done)


def _circles_from(start: str, routes: Routes, done: set[str]) -> Faults:
    trail = [start]
    open_ways = [iter(routes.get(start, ()))]
    while trail:
        step = next(open_ways[-1], None)
        if step is None:
            done.add(trail.pop())
            open_ways.pop()
            continue
        target, pointer = step
        if target in trail:
            yield _circle(trail[trail.index(target) :], pointer)
        elif target not in done:
            trail.append(target)
            open_ways.append(iter(routes.get(target, ())))


def _circle(screens: Sequence[str], pointer: Pointer) -> FlowFault:
    hint = "only the ways forward are listed, going back works by itself"
    if len(screens) == 1:
        sentence = f"'{screens[0]}' leads to itself"
    elif len(screens) == 2:
        sentence = f"'{screens[1]}' leads back to '{screens[0]}'"
    else:
        sentence = f"{listed(screens)} lead round in a circle"
    return FlowFault(pointer, _CODE, sentence, hint)


def _check_connections(routes: Routes, screens: Mapping[str, ScreenJson]) -> Faults:
    reached = _reached(routes, next(iter(screens), ""))
    named = routes.keys() | {target for _, target in _pairs(routes)}
    for name, screen in screens.items():
        if name not in named:
            sentence = f"'{cut(name)}' is not in the routing model"
            yield FlowFault(screen.at("id"), _CODE, sentence)
        elif name not in reached:
            sentence = f"no way connects '{cut(name)}' with the other screens"
            yield FlowFault(screen.at("id"), _CODE, sentence)


def _reached(routes: Routes, start: str) -> set[str]:
    """Give the screens that are connected, whichever way the ways lead."""
    neighbours: dict[str, set[str]] = {}
    for screen, target in _pairs(routes):
        neighbours.setdefault(screen, set()).add(target)
        neighbours.setdefault(target, set()).add(screen)
    reached = {start}
    waiting = [start]
    while waiting:
        new = neighbours.get(waiting.pop(), set()) - reached
        reached |= new
        waiting.extend(new)
    return reached


def _pairs(routes: Routes) -> Iterator[tuple[str, str]]:
    for screen, targets in routes.items():
        for target, _ in targets:
            yield screen, target


def _check_ends(routes: Routes, screens: Mapping[str, ScreenJson]) -> Faults:
    for name, screen in screens.items():
        if not routes.get(name) and not screen.is_terminal:
            sentence = f"'{cut(name)}' leads nowhere, yet the Flow cannot end on it"
            hint = "give it 'terminal': true, or a way to another screen"
            yield FlowFault(screen.at("id"), _CODE, sentence, hint)
