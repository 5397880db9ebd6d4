"""What a person can enter in a form, and when the phone lets him send it."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType

from engine.sandbox.device.components import EMPTY, ONE_OF_MANY, SOME_OF_MANY, Component

LONGEST: Mapping[str, tuple[str, int]] = MappingProxyType(
    {"TextInput": ("max-chars", 80), "TextArea": ("max-length", 600)}
)
INPUT_TYPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "number": (r"\d+", "digits only"),
        "passcode": (r"\d+", "digits only"),
        "phone": (r"\+?[\d ()-]+", "a phone number"),
        "email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address"),
    }
)


class NotPossible(Exception):
    """The phone does not let a person do this."""


def entered(component: Component, given: object) -> object:
    """Return the value an input holds once a person has entered something, or cleared it.

    Args:
        given: of a choice, ids or the titles as they are shown.

    Raises:
        NotPossible: it cannot be entered here.
    """
    if not component.is_enabled:
        raise NotPossible(f"{component.name!r} is disabled")
    if component.type in ONE_OF_MANY:
        return given if given == "" else _chosen(component, given)
    if component.type in SOME_OF_MANY:
        wanted = given if isinstance(given, list) else [given]
        return list(dict.fromkeys(_chosen(component, one) for one in wanted))
    if component.type in ("TextInput", "TextArea") and type(given) in (int, float):
        return str(given)
    if type(given) is not type(EMPTY[component.type]) and component.type != "CalendarPicker":
        kind = type(EMPTY[component.type]).__name__
        raise NotPossible(f"{component.name!r} takes a {kind}, not {given!r}")
    return given


def hindrances(component: Component, value: object) -> Iterator[str]:
    """Say why a form cannot be sent with this in an input."""
    if value in ("", [], False, None):
        if component.is_required:
            yield f"{component.name!r} is required"
        return
    yield from HINDRANCES.get(component.type, _none)(component, value)


def _chosen(component: Component, wanted: object) -> str:
    option = component.option(wanted)
    if option is None:
        offered = ", ".join(str(one.get("id")) for one in component.options)
        raise NotPossible(f"{component.name!r} does not offer {wanted!r} but: {offered}")
    if option.get("enabled", True) is False:
        raise NotPossible(f"{option.get('title')!r} of {component.name!r} is disabled")
    return str(option["id"])


def _text(component: Component, value: object) -> Iterator[str]:
    text, properties = str(value), component.properties
    least = int(properties.get("min-chars", 0))
    bound, otherwise = LONGEST[component.type]
    most = int(properties.get(bound, otherwise))
    if len(text) < least:
        yield f"{component.name!r} needs at least {least} characters, it has {len(text)}"
    if len(text) > most:
        yield f"{component.name!r} takes at most {most} characters, it has {len(text)}"
    pattern, words = INPUT_TYPES.get(str(properties.get("input-type")), (".*", ""))
    if re.fullmatch(pattern, text, re.ASCII | re.DOTALL) is None:
        yield f"{component.name!r} takes {words}, not {text!r}"
    if "pattern" in properties and re.fullmatch(properties["pattern"], text) is None:
        yield f"{component.name!r} must be like {properties['pattern']}"


def _choices(component: Component, value: object) -> Iterator[str]:
    chosen = len(value) if isinstance(value, list) else 1
    least = int(component.properties.get("min-selected-items", 0))
    most = int(component.properties.get("max-selected-items", chosen))
    if chosen < least:
        yield f"{component.name!r} needs at least {least} choices, it has {chosen}"
    if chosen > most:
        yield f"{component.name!r} takes at most {most} choices, it has {chosen}"


def _day(component: Component, value: object) -> Iterator[str]:
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        yield f"{component.name!r} takes a date like 2026-11-20, not {value!r}"
        return
    properties = component.properties
    if day < _bound(properties.get("min-date"), date.min):
        yield f"{component.name!r} takes no day before {properties['min-date']}"
    if day > _bound(properties.get("max-date"), date.max):
        yield f"{component.name!r} takes no day after {properties['max-date']}"
    if value in properties.get("unavailable-dates", ()):
        yield f"{component.name!r} does not offer {value}"


def _bound(given: str | None, otherwise: date) -> date:
    return date.fromisoformat(given) if given else otherwise


def _none(_: Component, __: object) -> Iterator[str]:
    return iter(())


HINDRANCES: Mapping[str, Callable[[Component, object], Iterator[str]]] = MappingProxyType(
    {
        "TextInput": _text,
        "TextArea": _text,
        "CheckboxGroup": _choices,
        "ChipsSelector": _choices,
        "DatePicker": _day,
    }
)
