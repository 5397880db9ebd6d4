"""The components of a screen, one by one: their properties and what these hold."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from engine.whatsapp.flow_json.components import COMPONENTS
from engine.whatsapp.flow_json.expressions import is_dynamic
from engine.whatsapp.flow_json.faults import (
    Faults,
    FlowFault,
    cut,
    did_you_mean,
    off_count,
    wrong_type,
)
from engine.whatsapp.flow_json.literals import At, check_value
from engine.whatsapp.flow_json.properties import Component, Kind, Property
from engine.whatsapp.flow_json.relations import Known, Whole, check_relations
from engine.whatsapp.flow_json.scope import Scope
from engine.whatsapp.flow_json.screens import Placed

_CASE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")  # Meta's validator
_RANGE: Final = ("start-date", "end-date")
_INSIDE_FORM: Final = {"init-value": "init-values", "error-message": "error-messages"}
_OF_FORM: Final = {plural: single for single, plural in _INSIDE_FORM.items()}


def check_component(placed: Placed, scope: Scope) -> Faults:
    """Check a component as it stands, without its neighbours."""
    written = placed.json.get("type")
    if written is None:
        yield FlowFault(placed.pointer, "missing-key", "'type' of this component is missing")
    elif not isinstance(written, str):
        yield wrong_type(written, "a text", pointer=placed.at("type"), name="type")
    elif placed.component is None:
        hint = did_you_mean(written, COMPONENTS)
        sentence = f"there is no component '{cut(written)}'"
        yield FlowFault(placed.at("type"), "unknown-component", sentence, hint)
    else:
        yield from _properties(placed, placed.component, scope)
        yield from check_relations(Whole(placed, _written(placed)))


def _written(placed: Placed) -> Mapping[str, Known]:
    """Give the values that are in the document and not taken from elsewhere."""
    return {
        key: Known(value, placed.at(key))
        for key, value in placed.json.items()
        if not (isinstance(value, str) and is_dynamic(value))
    }


def _properties(placed: Placed, component: Component, scope: Scope) -> Faults:
    for key, value in placed.json.items():
        rule = component.properties.get(key)
        if rule is not None:
            yield from _property(placed, key, rule, value, At(placed.at(key), key, scope))
        elif key != "type":
            hint = did_you_mean(key, component.properties)
            sentence = f"{_a(placed.type)} has no '{cut(key)}'"
            yield FlowFault(placed.at(key), "unknown-property", sentence, hint)
    for key, rule in component.properties.items():
        if rule.is_required and key not in placed.json:
            sentence = f"'{key}' is missing in this {placed.type}"
            yield FlowFault(placed.pointer, "missing-key", sentence)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _property(placed: Placed, key: str, rule: Property, value: object, at: At) -> Faults:
    if rule.is_outside_form and placed.is_inside("Form"):
        hint = f"the Form has '{_INSIDE_FORM[key]}' for it"
        yield at.fault("unknown-property", f"'{key}' does not work inside a Form", hint)
    elif key in _OF_FORM and isinstance(value, dict):
        yield from _form_values(key, value, at)
    elif rule.in_range == "pair" and isinstance(value, dict):
        yield from _pair(rule, value, at)
    else:
        yield from _HOLDERS.get(rule.kind, check_value)(rule, value, at)


def _pair(rule: Property, value: Mapping[str, object], at: At) -> Faults:
    for key, inner in value.items():
        if key in _RANGE:
            yield from check_value(rule, inner, at.below(key))
        else:
            sentence = f"'{at.name}' has no '{cut(key)}'"
            yield at.below(key).fault("unknown-property", sentence, did_you_mean(key, _RANGE))


def _form_values(key: str, values: Mapping[str, object], at: At) -> Faults:
    """Check the `init-values` or `error-messages` of a Form, by input."""
    inputs = at.scope.screen.inputs if at.scope else {}
    for name, value in values.items():
        component = inputs[name].component if name in inputs else None
        rule = component.properties.get(_OF_FORM[key]) if component else None
        below = at.below(name)
        if rule is None:
            sentence = f"'{cut(name)}' is no input that takes '{key}'"
            yield below.fault("unknown-input", sentence, did_you_mean(name, inputs))
        elif rule.in_range == "pair" and isinstance(value, dict):
            yield from _pair(rule, value, below)
        else:
            yield from check_value(rule, value, below)


def check_children(rule: Property, value: object, at: At) -> Faults:
    """Check a list of components as a list; each of them is checked by itself."""
    if not isinstance(value, list | tuple):
        yield wrong_type(value, "a list of components", pointer=at.pointer, name=at.name)
        return
    what = f"'{at.name}' has * components"
    yield from off_count(len(value), least=rule.least, most=None, pointer=at.pointer, what=what)
    for index, part in enumerate(value):
        if part is not None and not isinstance(part, dict):
            pointer = at.below(index).pointer
            yield wrong_type(part, "a component", pointer=pointer, name=at.name)


def _cases(rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, dict):
        yield wrong_type(value, "a group of cases", pointer=at.pointer, name=at.name)
        return
    what = f"'{at.name}' has * cases"
    yield from off_count(len(value), least=rule.least, most=None, pointer=at.pointer, what=what)
    for case, parts in value.items():
        below = at.below(case)
        if not _CASE.fullmatch(case):
            hint = "a letter, then letters, digits, _ and -"
            yield below.fault("unknown-value", f"a case cannot be called '{cut(case)}'", hint)
        yield from check_children(Property("children"), parts, below)


def _condition(rule: Property, value: object, at: At) -> Faults:
    if isinstance(value, bool) and rule.kind == "condition":
        yield at.fault("bad-expression", "nothing in this ever changes")
    elif not isinstance(value, str):
        yield wrong_type(value, "an expression", pointer=at.pointer, name=at.name)
    else:
        yield from at.scope.check_condition(value, rule.kind, at.pointer) if at.scope else ()


_HOLDERS: Final[Mapping[Kind, Callable[[Property, object, At], Faults]]] = {
    "children": check_children,
    "cases": _cases,
    "condition": _condition,
    "switch": _condition,
}
