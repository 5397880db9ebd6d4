"""The components of a screen together: how many, and what may stand beside or inside what."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from engine.whatsapp.flow_json.components import COMPONENTS
from engine.whatsapp.flow_json.faults import Faults, FlowFault, listed, off_count
from engine.whatsapp.flow_json.screens import Placed, ScreenJson
from engine.whatsapp.json_values import as_object

COMPONENTS_PER_SCREEN: Final = 50  # flows/reference/components
IFS: Final = 3  # same page: nested in each other
_BRANCHING: Final = ("If", "Switch")


def check_placement(screen: ScreenJson) -> Faults:
    """Check a screen's components against each other."""
    if isinstance(as_object(screen.json.get("layout")).get("children"), list | tuple):
        counted = sum(placed.type != "Form" for placed in screen.components)
        pointer = screen.at("layout", "children")
        what = "this screen has * components"
        yield from off_count(
            counted, least=1, most=COMPONENTS_PER_SCREEN, pointer=pointer, what=what
        )
    yield from _per_screen(screen)
    for placed in screen.components:
        yield from _in_its_box(placed)
        yield from _beside(placed, screen)
        yield from _footer(placed, screen)
    yield from _form(screen)
    yield from _names(screen)


def check_per_flow(screens: Sequence[ScreenJson]) -> Faults:
    """Check how often a component is in the whole Flow."""
    everything = [placed for screen in screens for placed in screen.components]
    for type_, component in COMPONENTS.items():
        found = [placed for placed in everything if placed.type == type_]
        if component.per_flow is not None and len(found) > component.per_flow:
            sentence = f"this Flow has {len(found)} of {type_}, {component.per_flow} fit"
            yield FlowFault(found[component.per_flow].pointer, "over-limit", sentence)


def _per_screen(screen: ScreenJson) -> Faults:
    for type_, component in COMPONENTS.items():
        if component.per_screen is None or component.input == "media":
            continue
        found = [placed for placed in screen.components if placed.type == type_]
        yield from _too_many(screen, found, component.per_screen, type_)
    pickers = [
        placed
        for placed in screen.components
        if placed.component is not None and placed.component.input == "media"
    ]
    yield from _too_many(screen, pickers, 1, "PhotoPicker and DocumentPicker")


def _too_many(screen: ScreenJson, found: Sequence[Placed], limit: int, name: str) -> Faults:
    """Tell that a customer may see too many of something at once."""
    if len(found) <= limit:
        return
    pointers = {placed.pointer for placed in found}
    seen = _most_seen(screen, lambda placed: placed.pointer in pointers)
    if seen > limit:
        sentence = f"this screen has {seen} of {name}, {limit} fit"
        yield FlowFault(found[limit].pointer, "over-limit", sentence)


def _most_seen(screen: ScreenJson, is_counted: Callable[[Placed], bool]) -> int:
    """Count components in the fullest branches."""
    parts: dict[tuple[object, ...], dict[str, list[Placed]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for placed in screen.components:
        box, branch = placed.inside[-1] if placed.inside else (None, "")
        parts[box.pointer if box else ()][branch].append(placed)

    def most(branches: Mapping[str, Sequence[Placed]]) -> int:
        return max((sum(map(count, branch)) for branch in branches.values()), default=0)

    def count(placed: Placed) -> int:
        return int(is_counted(placed)) + most(parts.get(placed.pointer, {}))

    return most(parts[()])


def _in_its_box(placed: Placed) -> Faults:
    if placed.component is None or not placed.inside:
        return
    box = placed.inside[-1][0].type
    if box not in placed.component.boxes:
        sentence = f"{placed.type} cannot stand inside {box}"
        yield FlowFault(placed.pointer, "mixed-screen", sentence)
    elif placed.type == "If" and sum(outer.type == "If" for outer, _ in placed.inside) == IFS:
        sentence = f"more than {IFS} Ifs inside each other"
        yield FlowFault(placed.pointer, "over-limit", sentence)


def _beside(placed: Placed, screen: ScreenJson) -> Faults:
    beside = placed.component.beside if placed.component else None
    if beside is None:
        return
    if placed.type == "NavigationList" and screen.is_terminal:
        sentence = "a NavigationList cannot be on a screen that ends the Flow"
        yield FlowFault(placed.pointer, "mixed-screen", sentence)
    fitting = beside | {placed.type}
    others = dict.fromkeys(p.type for p in screen.components if p.type not in fitting)
    if others:
        sentence = f"{placed.type} does not share its screen with {listed(others)}"
        yield FlowFault(placed.pointer, "mixed-screen", sentence)


def _footer(placed: Placed, screen: ScreenJson) -> Faults:
    around = [box for box, _ in placed.inside if box.type in _BRANCHING]
    if placed.type == "Footer" and len(around) > 1:
        sentence = "a Footer may stand in one If or Switch, not deeper"
        yield FlowFault(placed.pointer, "mixed-screen", sentence)
    elif placed.type in _BRANCHING and not around:
        yield from _footer_everywhere(placed, screen)


def _footer_everywhere(placed: Placed, screen: ScreenJson) -> Faults:
    """Check that each branch has a Footer if one has."""
    with_footer = {
        part.inside[-1][1]
        for part in screen.components
        if part.type == "Footer" and part.inside and part.inside[-1][0] is placed
    }
    branches = {name for name, _, _ in placed.branches()}
    if placed.type == "If":
        branches |= {"then", "else"}
    if with_footer and branches - with_footer:
        sentence = f"there is a Footer in {listed(sorted(with_footer))} of this {placed.type}"
        hint = f"{listed(sorted(branches - with_footer))} needs one too"
        yield FlowFault(placed.pointer, "mixed-screen", sentence, hint)


def _form(screen: ScreenJson) -> Faults:
    if not any(placed.type == "Form" for placed in screen.components):
        return
    for placed in screen.components:
        if placed.is_input and not placed.is_inside("Form"):
            sentence = "the screen has a Form, so each of its inputs must be inside"
            yield FlowFault(placed.pointer, "mixed-screen", sentence)


def _names(screen: ScreenJson) -> Faults:
    for placed in screen.components:
        if placed.is_input and placed.name and screen.inputs[placed.name] is not placed:
            sentence = f"two inputs of this screen are called '{placed.name:.60}'"
            yield FlowFault(placed.at("name"), "duplicate-name", sentence)
