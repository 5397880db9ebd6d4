"""Meta's rules for actions: where each may stand, and what it may hand over to whom."""

from collections.abc import Iterator
from typing import Any

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.bindings import Names
from engine.sandbox.flow_documents.data import misfit
from engine.sandbox.flow_documents.expressions import (
    BadExpression,
    Resolve,
    reference,
    type_of,
)
from engine.sandbox.flow_documents.faults import Fault, Path, listed, wrong_value
from engine.sandbox.flow_documents.screens import (
    Action,
    Placed,
    Screen,
    has_endpoint,
)
from engine.sandbox.flow_documents.shapes import BINDING, is_bound

BAD_PAYLOAD = "INVALID_ON_CLICK_ACTION_PAYLOAD"
BAD_NAVIGATION = "INVALID_NAVIGATE_ACTION_PAYLOAD"
BAD_UPDATE = "INVALID_ACTION_PAYLOAD_PROPERTY"
BAD_TARGET = "INVALID_NAVIGATE_ACTION_NEXT_SCREEN_NAME"
MOST_FILES = {"PhotoPicker": "max-uploaded-photos", "DocumentPicker": "max-uploaded-documents"}


def action_faults(document: JsonObject, screens: list[Screen]) -> Iterator[Fault]:
    """Say what is wrong with the actions of all screens."""
    by_id = {screen.id: screen for screen in screens}
    names = Names(screens)
    for screen in screens:
        resolve = names.seen_from(screen)
        for action in screen.actions():
            if action.name == "data_exchange" and not has_endpoint(document):
                message = "The property 'data_api_version' is required for data_exchange action."
                yield Fault("MISSING_REQUIRED_PROPERTY", message, (*action.path, "name"))
            yield from _standing_faults(action, screen)
            found = list(_payload_faults(action, resolve))
            yield from found
            yield from _picker_faults(action, screen, by_id)
            if not found:
                yield from _handover_faults(action, screen, by_id, resolve)


def _standing_faults(action: Action, screen: Screen) -> Iterator[Fault]:
    """Say whether an action may stand on its screen."""
    if action.name == "complete" and not screen.is_terminal:
        message = "On-click-action 'complete' can only be configured on a terminal screen."
        yield Fault("INVALID_COMPLETE_ACTION", message, (*action.path, "name"))
    if action.name == "navigate" and screen.is_terminal and action.source.type == "Footer":
        message = "Value should be one of: [complete, data_exchange]."
        yield Fault("INVALID_ENUM_VALUE", message, (*action.path, "name"))


def _handover_faults(
    action: Action, screen: Screen, by_id: dict[str, Screen], resolve: Resolve
) -> Iterator[Fault]:
    if action.name == "navigate":
        yield from _navigation_faults(action, screen, by_id, resolve)
    elif action.name == "update_data":
        for name in action.payload:
            if name in screen.data:
                yield from _type_faults(action, name, screen, resolve)
            else:
                message = f"The following property {name} does not exist in the screen data model"
                yield Fault(BAD_UPDATE, message, (*action.path, "payload", name))


def _navigation_faults(
    action: Action, screen: Screen, by_id: dict[str, Screen], resolve: Resolve
) -> Iterator[Fault]:
    name = action.body["next"]["name"]
    path = (*action.path, "next", "name")
    if name == screen.id:
        message = f"Same screen navigation is not allowed. Loop detected at {listed([name])}."
        yield Fault(BAD_TARGET, message, path)
    elif name not in by_id:
        yield Fault(BAD_TARGET, f"Unknown screen ids found: {listed([name])}.", path)
    else:
        yield from _exact_faults(action, by_id[name])
        for key in action.payload:
            if key in by_id[name].data:
                yield from _type_faults(action, key, by_id[name], resolve)


def _exact_faults(action: Action, target: Screen) -> Iterator[Fault]:
    """Want neither more nor less than the next screen declares."""
    payload = (*action.path, "payload") if "payload" in action.body else action.path
    extra = [name for name in action.payload if name not in target.data]
    absent = [name for name in target.data if name not in action.payload]
    if extra and not target.data:
        message = f"No data model is defined in the next screen '{target.id}'."
        yield Fault(BAD_NAVIGATION, message, payload)
    elif extra:
        message = f"Following fields are missing in the next screen's data model: {listed(extra)}."
        yield Fault(BAD_NAVIGATION, message, (*payload, extra[0]), at_key=True)
    if absent:
        message = (
            "Following fields are expected in the next screen's data model but missing in "
            f"payload: {listed(absent)}."
        )
        yield Fault(BAD_NAVIGATION, message, payload)


def _type_faults(action: Action, name: str, target: Screen, resolve: Resolve) -> Iterator[Fault]:
    """Want a value handed over of the type that the screen declares for it."""
    value, declaration = action.payload[name], target.data[name]
    path = (*action.path, "payload", name)
    error = BAD_NAVIGATION if action.name == "navigate" else BAD_UPDATE
    if is_bound(value):
        expected, found = declaration["type"], type_of(value, resolve)
        if found in (expected, None):
            return
        message = (
            f"Schema of dynamic data '{value}' is not matching schema of data model field "
            f"'{name}' on screen '{target.id}'. Property is expecting '{expected}' but got "
            f"'{found}'."
        )
        yield Fault(error, message, path)
        return
    # What is bound within an object or an array is not looked at further.
    if any(is_bound(leaf) for _, leaf in _leaves(value, path)):
        return
    wrong = misfit(value, declaration)
    if wrong is not None:
        message = (
            f"Schema of payload data at '{name}' is not matching with schema of data model field "
            f"on screen '{target.id}'. Property is expecting '{wrong[1]}' but got '{wrong[2]}'."
        )
        yield Fault(error, message, (*path, *wrong[0]))


def _payload_faults(action: Action, resolve: Resolve) -> Iterator[Fault]:
    """Say which bindings of a payload lead nowhere; `null` is never a value."""
    handed = {name: action.body[name] for name in ("payload", "url") if name in action.body}
    for path, value in _leaves(handed, action.path):
        if value is None:
            yield Fault(BAD_PAYLOAD, f"Invalid value found for the property '{path[-1]}'.", path)
        elif is_bound(value):
            try:
                type_of(value, resolve)
            except BadExpression as problem:
                yield Fault(BAD_PAYLOAD, str(problem), path)
        elif isinstance(value, str) and BINDING.search(value):
            message = f"Property '{path[-1]}' mixes static and dynamic text."
            yield wrong_value(path, message)


def _picker_faults(action: Action, screen: Screen, by_id: dict[str, Screen]) -> Iterator[Fault]:
    """Say where a payload hands over photos or documents that it may not."""
    top = (*action.path, "payload")
    picked = [
        (path, picker)
        for path, value in _leaves(action.payload, top)
        if (picker := _picker(value, screen, by_id)) is not None
    ]
    for path, picker in picked:
        if action.name == "navigate":
            message = (
                f"The {picker.type} component's value is not allowed in the payload of the "
                "navigate action."
            )
            yield Fault(BAD_PAYLOAD, message, path)
        elif len(path) > len(top) + 1:
            message = (
                "The value of following components must be a top-level string in complete and "
                f"data_exchange on-click-action payload: [{picker.type}]."
            )
            yield Fault(BAD_PAYLOAD, message, path)
        elif action.name == "complete":
            yield from _number_faults(path, picker)
    if action.name == "complete" and len(picked) > 1:
        message = (
            "Complete action payload can contain either a single PhotoPicker or a single "
            "DocumentPicker component."
        )
        yield Fault(BAD_PAYLOAD, message, top)


def _number_faults(path: Path, picker: Placed) -> Iterator[Fault]:
    limit = MOST_FILES[picker.type]
    if picker.body.get(limit, 30) != 1:
        message = (
            f"{picker.type} can only be used in complete action payload if value of property "
            f"'{limit}' doesn't exceed 1. Default value is 30."
        )
        yield Fault(BAD_PAYLOAD, message, path)


def _picker(value: Any, screen: Screen, by_id: dict[str, Screen]) -> Placed | None:
    """Return the picker whose files a value stands for."""
    if not is_bound(value) or value.startswith("`"):
        return None
    try:
        wanted = reference(value)
    except BadExpression:
        return None
    place = by_id.get(wanted.screen or screen.id)
    if wanted.store != "form" or place is None:
        return None
    found = place.inputs().get(wanted.names[0])
    return found if found is not None and found.type in MOST_FILES else None


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Give what is in a payload, without the objects and arrays it is in."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    else:
        yield path, value
