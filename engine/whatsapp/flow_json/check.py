"""Flow JSON 7.3 as a whole: everything in a document that WhatsApp would refuse, found beforehand.

The rules of single parts are in the modules this one puts together. What only Meta knows (that a
name is taken, that a picture is fit to be shown) is not judged.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from engine.whatsapp.flow_json.actions import Action, actions_of, check_action
from engine.whatsapp.flow_json.declarations import check_declarations
from engine.whatsapp.flow_json.faults import (
    Faults,
    FlowFault,
    cut,
    did_you_mean,
    elements,
    wrong_type,
)
from engine.whatsapp.flow_json.layout import check_children, check_component
from engine.whatsapp.flow_json.literals import At, check_keys
from engine.whatsapp.flow_json.placement import check_per_flow, check_placement
from engine.whatsapp.flow_json.properties import Property
from engine.whatsapp.flow_json.routing import check_routing
from engine.whatsapp.flow_json.scope import Scope
from engine.whatsapp.flow_json.screen_data import check_screen_data
from engine.whatsapp.flow_json.screens import ScreenJson, read_screens
from engine.whatsapp.flow_json.values import check_nulls, check_sendable, check_size, plain
from engine.whatsapp.json_values import JsonObject, as_object

__all__ = ["FlowFault", "check_flow_json", "check_screen_data"]

VERSION: Final = "7.3"
DATA_API_VERSIONS: Final = ("3.0", "4.0")
BYTES: Final = 10 * 1024 * 1024  # flows/reference/flowjson
SCREENS: Final = 100  # flows/reference/error-codes: MAX_SCREENS_NUMBER
TITLE: Final = 30  # flows/reference/flowjson
_LAYOUT: Final = "SingleColumnLayout"
_ID: Final = re.compile(r"_*[A-Z][A-Z_]*")  # Meta's validator takes small letters too
_RESERVED: Final = "SUCCESS"
_FLAG: Final = Property("boolean", is_static=True)
_DOCUMENT: Final = {
    "version": Property("text", is_required=True, is_static=True, values=(VERSION,)),
    "data_api_version": Property("text", is_static=True, values=DATA_API_VERSIONS),
    "routing_model": Property("object", is_static=True),
    "screens": Property("objects", is_required=True, is_static=True, least=1, most=SCREENS),
}
_SCREEN: Final = {
    "id": Property("text", is_required=True, is_static=True),
    # The page has it as optional, Meta's validator does not.
    "title": Property("text", is_required=True, is_static=True, limit=TITLE),
    "terminal": _FLAG,
    "success": _FLAG,
    "refresh_on_back": _FLAG,
    "sensitive": Property("array", is_static=True, least=1),
    "data": Property("children"),  # its declarations are checked as such
    "layout": Property(
        "object",
        is_required=True,
        is_static=True,
        properties={
            "type": Property("text", is_required=True, is_static=True, values=(_LAYOUT,)),
            "children": Property("children", is_required=True),
        },
    ),
}


def check_flow_json(document: Mapping[str, Any]) -> Iterator[FlowFault]:
    """Find everything in a Flow JSON that WhatsApp would refuse, or show other than it is meant.

    Args:
        document: any JSON value; nothing is raised, whatever it holds.
    """
    whole = plain(document)
    if not isinstance(whole, dict):
        yield wrong_type(whole, "a Flow JSON", pointer=(), name="document")
        return
    unsendable = list(check_sendable(whole))
    yield from unsendable
    if unsendable:
        return
    nulls = list(check_nulls(whole))
    yield from nulls
    told = {fault.pointer for fault in nulls}
    yield from (fault for fault in dict.fromkeys(_faults(whole)) if fault.pointer not in told)


def _faults(document: JsonObject) -> Faults:
    screens = read_screens(document)
    by_id: dict[str, ScreenJson] = {}
    for screen in screens:
        if screen.id:
            by_id.setdefault(screen.id, screen)
    yield from _document(document, screens)
    for screen in screens:
        scope = Scope(screen, by_id)
        yield from _screen(screen, scope, document)
        for placed in screen.components:
            yield from check_component(placed, scope)
        for action in actions_of(screen):
            yield from check_action(action, scope)
        yield from check_placement(screen)
    yield from check_per_flow(screens)
    yield from _ids(screens)
    if _can_route(document, screens, by_id):
        steps = [step for step in _steps(screens) if step[1].next in by_id]
        yield from check_routing(document, by_id, steps)


def _document(document: JsonObject, screens: Sequence[ScreenJson]) -> Faults:
    yield from check_size(document, most=BYTES, what="the Flow JSON")
    nowhere = Scope(ScreenJson(0, {}), {})
    yield from check_keys(_DOCUMENT, document, At((), "Flow JSON", nowhere), owner="a Flow JSON")
    exchanges = any(
        action.name == "data_exchange" for screen in screens for action in actions_of(screen)
    )
    if exchanges and "data_api_version" not in document:
        sentence = "'data_api_version' is missing, which 'data_exchange' needs"
        yield FlowFault((), "missing-key", sentence)
    elif "data_api_version" in document and "routing_model" not in document:
        sentence = "'routing_model' is missing, which 'data_api_version' needs"
        yield FlowFault((), "missing-key", sentence)
    endings = [screen for screen in screens if screen.is_terminal]
    if screens and not endings:
        hint = "one screen needs 'terminal': true"
        yield FlowFault(("screens",), "bad-screen", "the Flow cannot end on any screen", hint)
    elif endings and all(screen.json.get("success") is False for screen in endings):
        yield FlowFault(("screens",), "bad-screen", "the Flow cannot end with success")


def _screen(screen: ScreenJson, scope: Scope, document: JsonObject) -> Faults:
    json = screen.json
    at = At(screen.at(), "screen", scope)
    yield from check_keys(_SCREEN, json, at, owner="this screen")
    if "data" in json:
        yield from check_declarations(json["data"], screen.at("data"))
    layout = as_object(json.get("layout"))
    if "children" in layout:
        below = at.below("layout").below("children")
        yield from check_children(Property("children"), layout["children"], below)
    for index, name in enumerate(elements(json.get("sensitive"))):
        if isinstance(name, str) and name not in screen.inputs:
            sentence = f"this screen has no input '{cut(name)}'"
            hint = did_you_mean(name, screen.inputs)
            yield FlowFault(screen.at("sensitive", index), "unknown-input", sentence, hint)
    yield from _ending(screen)
    if json.get("refresh_on_back") is True and "data_api_version" not in document:
        sentence = "'refresh_on_back' needs the 'data_api_version'"
        yield FlowFault(screen.at("refresh_on_back"), "bad-screen", sentence)


def _ending(screen: ScreenJson) -> Faults:
    has_footer = any(placed.type == "Footer" for placed in screen.components)
    if screen.is_terminal and not has_footer:
        sentence = "the Flow ends on this screen, so it needs a Footer"
        yield FlowFault(screen.at(), "bad-screen", sentence)
    if "success" in screen.json and not screen.is_terminal:
        sentence = "'success' is for a screen that ends the Flow"
        yield FlowFault(screen.at("success"), "bad-screen", sentence)


def _ids(screens: Sequence[ScreenJson]) -> Faults:
    seen: set[str] = set()
    for screen in screens:
        if not screen.id.strip():
            continue
        if screen.id in seen:
            sentence = f"two screens have the id '{cut(screen.id)}'"
            yield FlowFault(screen.at("id"), "duplicate-name", sentence)
        elif screen.id.upper() == _RESERVED:
            sentence = f"'{_RESERVED}' is WhatsApp's own name for the end of a Flow"
            yield FlowFault(screen.at("id"), "bad-screen", sentence, "choose another id")
        elif not _ID.fullmatch(screen.id):
            hint = "use A to Z and _"
            sentence = f"'{cut(screen.id)}' cannot be the id of a screen"
            yield FlowFault(screen.at("id"), "bad-screen", sentence, hint)
        seen.add(screen.id)


def _can_route(
    document: JsonObject, screens: Sequence[ScreenJson], by_id: Mapping[str, ScreenJson]
) -> bool:
    """Tell whether the ways through the Flow can be followed."""
    if not 0 < len(screens) == len(by_id):  # a screen without a name of its own
        return False
    if "routing_model" in document:
        return True
    return "data_api_version" not in document and not any(map(_leads_anywhere, screens))


def _leads_anywhere(screen: ScreenJson) -> bool:
    """Tell whether the endpoint, or a list from the data, says where a screen leads."""
    exchanges = any(action.name == "data_exchange" for action in actions_of(screen))
    return exchanges or any(isinstance(p.json.get("list-items"), str) for p in screen.components)


def _steps(screens: Sequence[ScreenJson]) -> Iterator[tuple[str, Action]]:
    """Give the actions that lead to another screen."""
    for screen in screens:
        for action in actions_of(screen):
            if action.next:
                yield screen.id, action
