"""Meta's rules for the properties of components: which go together, and names and forms."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.faults import (
    Fault,
    Path,
    Version,
    type_name,
    wrong_type,
    wrong_value,
)
from engine.sandbox.flow_documents.screens import Placed, Screen
from engine.sandbox.flow_documents.shapes import is_bound

CHECKED_VALUES: Version = (7, 0)
PICKERS = ("PhotoPicker", "DocumentPicker")
ORDERED = (
    ("min-selected-items", "max-selected-items"),
    ("min-chars", "max-chars"),
    ("min-days", "max-days"),
    ("min-uploaded-photos", "max-uploaded-photos"),
    ("min-uploaded-documents", "max-uploaded-documents"),
)
IN_A_RANGE = ("title", "description", "min-days", "max-days")


def parts_faults(screen: Screen, version: Version) -> Iterator[Fault]:
    """Say what is wrong with the components of a screen, each for itself or by its name."""
    yield from _name_faults(screen)
    yield from _form_faults(screen)
    if version >= CHECKED_VALUES:
        yield from _value_faults(screen)
    for component in screen.components:
        yield from _component_faults(component)


def _name_faults(screen: Screen) -> Iterator[Fault]:
    seen: set[str] = set()
    for component in screen.components:
        name = component.body.get("name")
        if name in seen and component.kind.is_input:
            message = f"Duplicate name found for Form components: {name}."
            path = (*component.path, "name")
            yield Fault("DUPLICATE_FORM_COMPONENT_NAMES", message, path)
        elif component.kind.is_input:
            seen.add(str(name))


def _form_faults(screen: Screen) -> Iterator[Fault]:
    forms = [component for component in screen.components if component.type == "Form"]
    if not forms:
        return
    inputs = [component for component in screen.components if component.kind.is_input]
    outside = [component for component in inputs if "Form" not in component.around]
    for component in outside:
        message = (
            f"Component '{component.type}' is not allowed outside Form when Form component is "
            "present."
        )
        yield Fault("COMPONENTS_OUTSIDE_FORM", message, component.path)
    for component in inputs:
        if "Form" in component.around:
            yield from _inside_faults(component)
    for form in forms:
        yield from _initial_faults(form, screen)


def _value_faults(screen: Screen) -> Iterator[Fault]:
    """Want the values that a form gives its inputs of their types, and messages that are text."""
    inputs = screen.inputs()
    forms = [component for component in screen.components if component.type == "Form"]
    for form in forms:
        for group in ("init-values", "error-messages"):
            given = form.body.get(group)
            for name, value in given.items() if isinstance(given, dict) else ():
                entered = inputs[name].kind.value if name in inputs else None
                wanted = entered if group == "init-values" else "string"
                if not is_bound(value) and wanted not in (None, type_name(value)):
                    yield wrong_type((*form.path, group, name), wanted, value)


def _inside_faults(component: Placed) -> Iterator[Fault]:
    """Say which properties a component within a form leaves to the form."""
    for name in ("init-value", "error-message"):
        if name in component.body and component.type not in PICKERS:
            message = f"Property '{name}' cannot be specified at {component.type} inside Form."
            yield Fault("INVALID_PROPERTY_KEY", message, (*component.path, name), at_key=True)


def _initial_faults(form: Placed, screen: Screen) -> Iterator[Fault]:
    values = form.body.get("init-values")
    inputs = screen.inputs()
    for name in values if isinstance(values, dict) else ():
        if name in inputs and inputs[name].type in PICKERS:
            message = (
                "Property 'init-values' should not contain value for components: "
                f"[{inputs[name].type}]."
            )
            path = (*form.path, "init-values", name)
            yield Fault("NATIVE_COMPONENT_IN_FORM_INIT_VALUES", message, path)


def _component_faults(component: Placed) -> Iterator[Fault]:
    """Say which properties of a component do not go together."""
    for low, high in ORDERED:
        least, most = _number(component, low), _number(component, high)
        if least is not None and most is not None and least > most:
            message = (
                f"{low} cannot be greater than {high} for {component.type} "
                f"{component.body.get('name')}."
            )
            yield Fault("MIN_VALUE_GREATER_THAN_MAX", message, (*component.path, low))
    together = TOGETHER.get(component.type)
    if together is not None:
        yield from together(component.body, component.path)


def _number(component: Placed, name: str) -> float | None:
    value = component.body.get(name)
    if isinstance(value, str):
        return float(value) if value.isdecimal() else None
    return None if value is None else float(value)


def _captions(body: JsonObject, path: Path) -> Iterator[Fault]:
    for one, other in (("left-caption", "right-caption"), ("right-caption", "left-caption")):
        if one in body and other not in body:
            message = f"Footer should have property {other} when property {one} is present."
            yield Fault("INVALID_DEPENDENCIES", message, path)
    if "center-caption" in body and ("left-caption" in body or "right-caption" in body):
        message = (
            "Properties 'center-caption' and [left-caption, right-caption] must be present "
            "exclusively at Footer."
        )
        yield Fault("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", message, path)


def _pattern(body: JsonObject, path: Path) -> Iterator[Fault]:
    if "pattern" not in body:
        return
    if "helper-text" not in body:
        message = "TextInput should have property helper-text when property pattern is present."
        yield Fault("INVALID_DEPENDENCIES", message, path)
    if body.get("input-type", "text") in ("email", "phone"):
        yield wrong_value((*path, "pattern"))


def _range(body: JsonObject, path: Path) -> Iterator[Fault]:
    label = body["label"]
    if body.get("mode") == "range" and not isinstance(label, dict) and not is_bound(label):
        yield wrong_type((*path, "label"), "object", label)
    if body.get("mode", "single") == "single":
        for name in IN_A_RANGE:
            if name in body:
                message = f"Property '{name}' can only be specified when 'mode' is 'range'."
                yield Fault(
                    "NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", message, (*path, name), at_key=True
                )


def _items(body: JsonObject, path: Path) -> Iterator[Fault]:
    items = body["list-items"] if isinstance(body["list-items"], list) else []
    if sum("badge" in item for item in items) > 1:
        message = "There can be only one item with a badge in a NavigationList."
        yield wrong_value((*path, "list-items"), message)
    if body.get("media-size") == "large" and any("end" in item for item in items):
        message = "The end add-on cannot be used with media-size set to large."
        yield wrong_value((*path, "media-size"), message)
    own = [item for item in items if "on-click-action" in item]
    if "on-click-action" in body and own:
        message = (
            "Property 'on-click-action' must be present either at NavigationList or its items."
        )
        yield Fault("NOT_KEYWORD_SCHEMA_VALIDATION_FAILED", message, (*path, "on-click-action"))
    elif "on-click-action" not in body and len(own) < len(items):
        message = "Required property 'on-click-action' is missing."
        yield Fault("MISSING_REQUIRED_TYPE_PROPERTY", message, path)


TOGETHER: Mapping[str, Callable[[JsonObject, Path], Iterator[Fault]]] = MappingProxyType(
    {
        "CalendarPicker": _range,
        "Footer": _captions,
        "NavigationList": _items,
        "TextInput": _pattern,
    }
)
