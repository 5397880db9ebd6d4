"""What happens when a customer uses a component: the actions, and what they send."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.whatsapp.flow_json.declarations import check_value as check_declared
from engine.whatsapp.flow_json.declarations import inner_type
from engine.whatsapp.flow_json.expressions import (
    BadExpression,
    Reference,
    is_dynamic,
    read_value,
    references,
)
from engine.whatsapp.flow_json.faults import (
    Faults,
    FlowFault,
    Pointer,
    cut,
    did_you_mean,
    elements,
    listed,
    wrong_type,
)
from engine.whatsapp.flow_json.literals import At, check_keys
from engine.whatsapp.flow_json.properties import Property
from engine.whatsapp.flow_json.scope import Scope, Unknown
from engine.whatsapp.flow_json.screens import Placed, ScreenJson
from engine.whatsapp.json_values import JsonObject, as_object

FILES_PER_MESSAGE: Final = 10  # flows/reference/media_upload
KB_PER_MESSAGE: Final = 102_400  # same page: 100 MiB
_FILES: Final = 30  # same page: what a picker takes if it does not say
_KB_PER_FILE: Final = 25_600  # same page
_NOTIFICATION: Final = ("error", "error_key", "error_message")
"""What WhatsApp calls an error of its own, flows/guides/implementingyourflowendpoint."""

_PAYLOAD: Final = Property("object", is_static=True)
_NEEDED_PAYLOAD: Final = Property("object", is_required=True, is_static=True)
_NEXT: Final = {
    "type": Property("text", is_required=True, is_static=True, values=("screen",)),
    "name": Property("text", is_required=True, is_static=True),
}
_ACTION_NAME: Final = Property("text", is_required=True, is_static=True)
ACTIONS: Final[Mapping[str, Mapping[str, Property]]] = {
    "navigate": {
        "name": _ACTION_NAME,
        "next": Property("object", is_required=True, is_static=True, properties=_NEXT),
        "payload": _PAYLOAD,
    },
    "data_exchange": {"name": _ACTION_NAME, "payload": _NEEDED_PAYLOAD},
    "complete": {"name": _ACTION_NAME, "payload": _PAYLOAD},
    "update_data": {"name": _ACTION_NAME, "payload": _NEEDED_PAYLOAD},
    "open_url": {"name": _ACTION_NAME, "url": Property("url", is_required=True)},
}
"""The actions and their keys, flows/reference/flowjson."""


@dataclass(frozen=True, slots=True)
class Action:
    """An action where it is written; `json` may be anything.

    Args:
        allowed: the actions that work there.
    """

    pointer: Pointer
    json: object
    placed: Placed
    allowed: tuple[str, ...]

    @property
    def name(self) -> str:
        """Give its name; "" if it has none."""
        name = as_object(self.json).get("name")
        return name if isinstance(name, str) else ""

    @property
    def payload(self) -> JsonObject:
        """Give what it sends."""
        return as_object(as_object(self.json).get("payload"))

    @property
    def next(self) -> str:
        """Give the screen it goes to; "" if it goes nowhere."""
        name = as_object(as_object(self.json).get("next")).get("name")
        return name if self.name == "navigate" and isinstance(name, str) else ""

    def at(self, *keys: str | int) -> Pointer:
        """Point into it."""
        return (*self.pointer, *keys)


def actions_of(screen: ScreenJson) -> Iterator[Action]:
    """Give every action of a screen, also the ones of single options."""
    for placed in screen.components:
        rules = placed.component.properties if placed.component else {}
        yield from _actions_in(placed.json, rules, placed, placed.pointer)


def _actions_in(
    json: JsonObject, rules: Mapping[str, Property], placed: Placed, pointer: Pointer
) -> Iterator[Action]:
    for key, rule in rules.items():
        if rule.kind == "action" and json.get(key) is not None:
            yield Action((*pointer, key), json[key], placed, rule.actions)
        elif rule.kind == "options":
            for index, option in enumerate(elements(json.get(key))):
                below = (*pointer, key, index)
                yield from _actions_in(as_object(option), rule.properties, placed, below)


def check_action(action: Action, scope: Scope) -> Faults:
    """Check an action and what it sends."""
    if not isinstance(action.json, dict):
        yield wrong_type(action.json, "an action", pointer=action.pointer, name="action")
    elif not action.name:
        yield from check_keys(
            {"name": _ACTION_NAME}, _only_name(action.json), _at(action, scope), owner="an action"
        )
    elif action.name not in ACTIONS:
        hint = did_you_mean(action.name, ACTIONS) or f"one of {', '.join(action.allowed)}"
        sentence = f"there is no action '{cut(action.name)}'"
        yield FlowFault(action.at("name"), "unknown-value", sentence, hint)
    elif action.name not in action.allowed:
        sentence = f"'{action.name}' does not work here in {action.placed.type}"
        hint = f"what works is {listed(action.allowed)}"
        yield FlowFault(action.at("name"), "bad-action", sentence, hint)
    else:
        owner = f"'{action.name}'"
        yield from check_keys(ACTIONS[action.name], action.json, _at(action, scope), owner=owner)
        yield from _on_its_screen(action, scope.screen)
        yield from _payload(action, scope)


def _only_name(json: JsonObject) -> JsonObject:
    return {key: value for key, value in json.items() if key == "name"}


def _at(action: Action, scope: Scope) -> At:
    return At(action.pointer, str(action.pointer[-1]), scope)


def _on_its_screen(action: Action, screen: ScreenJson) -> Faults:
    if action.name == "complete" and not screen.is_terminal:
        sentence = "'complete' works on a screen that ends the Flow only"
        hint = "the screen needs 'terminal': true"
        yield FlowFault(action.at("name"), "bad-action", sentence, hint)
    if action.name == "navigate" and screen.is_terminal and action.placed.type == "Footer":
        sentence = "the Footer of a screen that ends the Flow cannot lead to another screen"
        yield FlowFault(action.at("name"), "bad-action", sentence)


def _payload(action: Action, scope: Scope) -> Faults:
    target: JsonObject | None = None
    if action.name == "navigate":
        if action.next and action.next not in scope.screens:
            hint = did_you_mean(action.next, scope.screens)
            sentence = f"there is no screen '{cut(action.next)}'"
            yield FlowFault(action.at("next", "name"), "bad-action", sentence, hint)
        elif action.next:
            target = scope.screens[action.next].declarations
    elif action.name == "update_data":
        target = scope.screen.declarations
    if target is not None:
        yield from _keys(action, target)
    for key, value in action.payload.items():
        declaration = as_object(target.get(key)) if target is not None else {}
        yield from _sent(value, declaration, action.at("payload", key), scope)
    if action.name == "data_exchange":
        yield from _reserved(action)
    yield from _files(action, scope)


def _keys(action: Action, target: JsonObject) -> Faults:
    """Check that what is sent is what the screen takes."""
    for key in action.payload:
        if key not in target:
            screen = f"'{action.next}'" if action.next else "this screen"
            sentence = f"'{cut(key)}' is not in the data of {screen}"
            hint = did_you_mean(key, target)
            yield FlowFault(action.at("payload", key), "unknown-data", sentence, hint)
    missing = [key for key in target if key not in action.payload]
    if action.name == "navigate" and missing:
        where = action.at("payload") if "payload" in as_object(action.json) else action.pointer
        sentence = f"'{action.next}' needs {listed(missing)}, which is not sent"
        yield FlowFault(where, "missing-key", sentence)


def _sent(value: object, declaration: JsonObject, pointer: Pointer, scope: Scope) -> Faults:
    """Check a value of a payload: its expressions, and its type where one is declared."""
    declared = inner_type(declaration)
    if isinstance(value, str) and is_dynamic(value):
        yield from scope.check_payload(value, (declared,) if declared else (), pointer)
    elif isinstance(value, dict) and declared in (None, "object"):
        properties = as_object(declaration.get("properties"))
        for key, inner in value.items():
            yield from _sent(inner, as_object(properties.get(key)), (*pointer, key), scope)
    elif isinstance(value, list | tuple) and declared in (None, "array"):
        items = as_object(declaration.get("items"))
        for index, inner in enumerate(value):
            yield from _sent(inner, items, (*pointer, index), scope)
    else:
        yield from check_declared(value, declaration, pointer=pointer, name=str(pointer[-1]))


def _reserved(action: Action) -> Faults:
    for key in action.payload:
        if key in _NOTIFICATION:
            sentence = f"'{key}' is what WhatsApp sends of its own when an answer was bad"
            pointer = action.at("payload", key)
            yield FlowFault(pointer, "bad-action", sentence, "choose another name")


def _files(action: Action, scope: Scope) -> Faults:
    """Check where the files of a picker are sent."""
    files = kilobytes = 0
    for key, value in action.payload.items():
        pointer = action.at("payload", key)
        for picker in _pickers_in(value, scope):
            if action.name == "navigate":
                sentence = "files cannot be sent to another screen"
                yield FlowFault(pointer, "bad-action", sentence)
            elif not isinstance(value, str):
                sentence = "files must be sent as they are, not inside a list or a group"
                yield FlowFault(pointer, "bad-action", sentence)
            else:
                most = _most_files(picker)
                files += most
                kilobytes += most * _number(picker.json.get("max-file-size-kb"), _KB_PER_FILE)
    if action.name == "complete" and files > FILES_PER_MESSAGE:
        sentence = f"up to {files} files are sent, {FILES_PER_MESSAGE} fit into a message"
        yield FlowFault(action.at("payload"), "over-limit", sentence)
    elif action.name == "complete" and kilobytes > KB_PER_MESSAGE:
        sentence = f"files of up to {kilobytes} kB are sent, {KB_PER_MESSAGE} fit into a message"
        yield FlowFault(action.at("payload"), "over-limit", sentence)


def _most_files(picker: Placed) -> int:
    photos = _number(picker.json.get("max-uploaded-photos"), _FILES)
    return _number(picker.json.get("max-uploaded-documents"), photos)


def _number(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise


def _pickers_in(value: object, scope: Scope) -> Iterator[Placed]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _pickers_in(inner, scope)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _pickers_in(inner, scope)
    elif isinstance(value, str) and is_dynamic(value):
        yield from _pickers_named(value, scope)


def _pickers_named(text: str, scope: Scope) -> Iterator[Placed]:
    try:
        named = [ref for ref in references(read_value(text)) if ref.store == "form"]
    except BadExpression:
        return
    for reference in named:
        placed = _input(reference, scope)
        if placed and placed.component and placed.component.input == "media":
            yield placed


def _input(reference: Reference, scope: Scope) -> Placed | None:
    try:
        scope.declaration(reference)
    except Unknown:
        return None
    screen = scope.screens[reference.screen] if reference.screen else scope.screen
    return screen.inputs[reference.path[0]]
