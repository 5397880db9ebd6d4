"""Meta's rules for screens and what stands on them: ids, counts, neighbours, footers."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.faults import Fault, Version, listed, wrong_value
from engine.sandbox.flow_documents.screens import (
    Placed,
    Screen,
    branches,
    has_endpoint,
)

MOST_SCREENS = 100
MOST_COMPONENTS = 50
MOST_CAROUSELS = 3
DEEPEST_IF = 3
RICH_TEXT_WITH_FOOTER: Version = (6, 3)
CHIPS_IN_BRANCHES: Version = (7, 1)
PICKERS = ("PhotoPicker", "DocumentPicker")
IN_A_CASE = frozenset(
    {
        "TextHeading",
        "TextSubheading",
        "TextBody",
        "TextCaption",
        "CheckboxGroup",
        "DatePicker",
        "Dropdown",
        "EmbeddedLink",
        "Footer",
        "Image",
        "OptIn",
        "RadioButtonsGroup",
        "TextArea",
        "TextInput",
    }
)
IN_A_BRANCH = IN_A_CASE | {"If", "Switch"}


def screens_faults(screens: list[Screen]) -> Iterator[Fault]:
    """Say what is wrong with the screens as a whole."""
    if len(screens) > MOST_SCREENS:
        message = (
            f"Maximum number of screens allowed per Flow is {MOST_SCREENS} "
            f"but found {len(screens)}."
        )
        yield Fault("MAX_SCREENS_NUMBER", message, ("screens",))
    yield from _id_faults(screens)
    terminal = [screen for screen in screens if screen.is_terminal]
    if not terminal:
        message = "Terminal screen is required but not provided."
        yield Fault("MISSING_TERMINAL_SCREEN", message, ("screens",))
    elif not any(screen.body.get("success", True) for screen in terminal):
        message = "At least one terminal screen must have property 'success' set as true."
        yield wrong_value((*terminal[0].path, "success"), message)
    unfinished = [screen for screen in terminal if not _footers(screen.top)]
    for screen in unfinished:
        message = f"Footer component is missing on terminal screens: {listed([screen.id])}."
        yield Fault("MISSING_FOOTER_ON_TERMINAL_SCREEN", message, screen.path)
    carousels = _of_type(screens, "ImageCarousel")
    if len(carousels) > MOST_CAROUSELS:
        message = f"Maximum number of ImageCarousel allowed per Flow is {MOST_CAROUSELS}."
        yield wrong_value(carousels[-1].path, message)


def screen_faults(screen: Screen, document: JsonObject, version: Version) -> Iterator[Fault]:
    """Say what is wrong with one screen."""
    if "success" in screen.body and not screen.is_terminal:
        message = "Property 'success' can only be specified on a terminal screen."
        yield Fault(
            "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", message, (*screen.path, "success"), at_key=True
        )
    if screen.body.get("refresh_on_back") is True and not has_endpoint(document):
        message = (
            "Property 'refresh_on_back' can be true only when property 'data_api_version' is set."
        )
        yield wrong_value((*screen.path, "refresh_on_back"), message)
    yield from _count_faults(screen)
    yield from _neighbour_faults(screen, version)
    yield from _footer_faults(screen)
    for component in screen.components:
        yield from _branch_faults(component, version)


def _id_faults(screens: list[Screen]) -> Iterator[Fault]:
    counts = Counter(screen.id for screen in screens)
    for screen in screens:
        path = (*screen.path, "id")
        if screen.id.upper() == "SUCCESS":
            message = "Screen id cannot be 'success' since it is a reserved keyword."
            yield Fault("SCREEN_ID_IS_RESERVED_KEYWORD", message, path)
        elif re.fullmatch("[A-Za-z_]+", screen.id) is None:
            message = "Property 'id' should only consist of alphabets and underscores."
            yield Fault("PATTERN_MISMATCH", message, path)
        counts[screen.id] -= 1
        if counts[screen.id]:
            message = f"Duplicate screen id found: {screen.id}."
            yield Fault("DUPLICATE_SCREEN_IDS", message, path)


def _count_faults(screen: Screen) -> Iterator[Fault]:
    number = sum(component.type != "Form" for component in screen.components)
    if number > MOST_COMPONENTS:
        message = (
            f"Maximum number of components allowed per screen is {MOST_COMPONENTS} "
            f"but found {number}."
        )
        yield Fault("MAX_COMPONENTS_PER_SCREEN", message, (*screen.path, "layout", "children"))
    for name, number in Counter(component.type for component in screen.components).items():
        found = _of_type([screen], name)
        most = found[0].kind.most
        if most is not None and number > most:
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
            message = f"Maximum number of {name} allowed per screen is {most} but found {number}."
            yield Fault(f"MAX_{words}_PER_SCREEN", message, found[most].path)


def _neighbour_faults(screen: Screen, version: Version) -> Iterator[Fault]:
    """Say which components do not stand beside others."""
    types = {component.type for component in screen.components}
    pickers = [component for component in screen.components if component.type in PICKERS]
    if types.issuperset(PICKERS):
        message = (
            "You can only have a maximum of 1 component of type PhotoPicker or DocumentPicker "
            "per screen."
        )
        yield wrong_value(pickers[-1].path, message)
    beside = {"RichText", "Footer"} if version >= RICH_TEXT_WITH_FOOTER else {"RichText"}
    if "RichText" in types and types - beside:
        message = f"RichText can only stand on a screen with: {listed(sorted(beside))}."
        yield wrong_value(_of_type([screen], "RichText")[0].path, message)
    if "NavigationList" in types:
        path = _of_type([screen], "NavigationList")[0].path
        if types != {"NavigationList"}:
            message = "NavigationList cannot be used with any other components on the same screen."
            yield wrong_value(path, message)
        if screen.is_terminal:
            yield wrong_value(path, "NavigationList cannot be used on a terminal screen.")


def _footers(children: Sequence[JsonObject]) -> int:
    """Return how many footers a customer may see at once."""
    number = 0
    for child in children:
        within = [_footers(inner) for _, inner in branches(child)]
        number += (child["type"] == "Footer") + (
            sum(within) if child["type"] == "Form" else max(within, default=0)
        )
    return number


def _footer_faults(screen: Screen) -> Iterator[Fault]:
    if _footers(screen.top) > 1:
        message = "Maximum number of Footer component allowed per screen is 1."
        yield Fault("MORE_THAN_ONE_FOOTER", message, _of_type([screen], "Footer")[-1].path)
    for component in screen.components:
        if component.type == "Footer" and len(_conditions(component.around)) > 1:
            message = "Footer can be added within If only in the first level."
            yield wrong_value(component.path, message)
        elif component.type in ("If", "Switch"):
            yield from _everywhere_faults(component)


def _everywhere_faults(component: Placed) -> Iterator[Fault]:
    """Want a footer in all branches or in none."""
    within = [_footers(children) for _, children in branches(component.body)]
    if not any(within):
        return
    if component.type == "If" and "else" not in component.body:
        message = (
            "Missing Footer inside one of the 'If' component branches. "
            "Branch 'else' should exist and contain one Footer."
        )
        yield Fault("MISSING_FOOTER_IN_IF_ELSE_BRANCHES", message, component.path)
    elif not all(within):
        where = "IF_ELSE" if component.type == "If" else "SWITCH"
        message = (
            f"Footer component must be present in all branches of '{component.type}' component "
            "if it exists in any one branch."
        )
        yield Fault(f"MISSING_FOOTER_IN_{where}_BRANCHES", message, component.path)


def _conditions(around: tuple[str, ...]) -> list[str]:
    return [name for name in around if name in ("If", "Switch")]


def _branch_faults(component: Placed, version: Version) -> Iterator[Fault]:
    """Say whether a component may stand within the `If` or `Switch` that is around it."""
    if not component.around or component.around[-1] not in ("If", "Switch"):
        if component.type == "Form" and component.around:
            yield wrong_value((*component.path, "type"))
        return
    allowed = IN_A_BRANCH if component.around[-1] == "If" else IN_A_CASE
    if version >= CHIPS_IN_BRANCHES:
        allowed = allowed | {"ChipsSelector"}
    if component.type not in allowed:
        yield wrong_value((*component.path, "type"))
    elif component.type == "If" and component.around.count("If") >= DEEPEST_IF:
        yield wrong_value(component.path, f"It is allowed to nest up to {DEEPEST_IF} If.")


def _of_type(screens: list[Screen], name: str) -> list[Placed]:
    return [one for screen in screens for one in screen.components if one.type == name]
