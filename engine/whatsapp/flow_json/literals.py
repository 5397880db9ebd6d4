"""Values against the rules of their properties, whether written or from a screen's data.

Only a value alone is judged here; how several go together is in `flow_relations`.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from engine.whatsapp.flow_json.declarations import is_name
from engine.whatsapp.flow_json.expressions import is_dynamic
from engine.whatsapp.flow_json.faults import (
    Faults,
    FlowFault,
    Pointer,
    cut,
    did_you_mean,
    elements,
    off_count,
    too_long,
    wrong_type,
)
from engine.whatsapp.flow_json.properties import Kind, Property
from engine.whatsapp.flow_json.scope import Scope
from engine.whatsapp.rules import InvalidMessage, require_url

_COLOR: Final = re.compile(r"#[0-9A-Fa-f]{6}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ADDRESS: Final = re.compile(r"(https?|data):", re.IGNORECASE)
_PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF")  # JPEG, PNG, and WEBP of newer clients


@dataclass(frozen=True, slots=True)
class At:
    """Where a value is.

    Args:
        name: of the property, for sentences.
        scope: what its expressions may name; None if it comes from a screen's data, where a text
            is nothing but a text.
    """

    pointer: Pointer
    name: str
    scope: Scope | None = None

    def below(self, key: str | int) -> "At":
        """Point into the value; elements of a list have its name."""
        name = key if isinstance(key, str) else self.name
        return At((*self.pointer, key), name, self.scope)

    def fault(self, code: str, sentence: str, hint: str = "") -> FlowFault:
        """Tell a fault of the value."""
        return FlowFault(self.pointer, code, sentence, hint)


Check = Callable[[Property, object, At], Faults]


def check_value(rule: Property, value: object, at: At) -> Faults:
    """Check a value against the rule of its property; null is told elsewhere."""
    if value is None:
        return
    if at.scope and isinstance(value, str) and is_dynamic(value):
        if rule.is_static:
            yield at.fault("wrong-type", f"'{at.name}' cannot be taken from data")
        else:
            yield from at.scope.check_value(value, rule, at.pointer)
    else:
        check = _CHECKS.get(rule.kind)
        yield from check(rule, value, at) if check else ()


def check_keys(
    rules: Mapping[str, Property], value: Mapping[str, object], at: At, *, owner: str
) -> Faults:
    """Check an object's keys: that they are known, that none is missing, and what they hold.

    Args:
        owner: whose keys they are, to follow "is missing in".
    """
    for key, inner in value.items():
        rule = rules.get(key)
        if rule is not None:
            yield from check_value(rule, inner, at.below(key))
        elif at.scope:
            hint = did_you_mean(key, rules)
            sentence = f"'{cut(key)}' is not known in {owner}"
            yield at.below(key).fault("unknown-property", sentence, hint)
    for key, rule in rules.items():
        if rule.is_required and key not in value:
            yield at.fault("missing-key", f"'{key}' is missing in {owner}")


def _text(rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, str):
        yield wrong_type(value, "a text", pointer=at.pointer, name=at.name)
    elif not value.strip():
        if at.scope or not rule.may_be_blank:
            yield at.fault("blank-text", f"'{at.name}' is blank")
    elif rule.values and value not in rule.values:
        hint = did_you_mean(value, rule.values) or f"one of {', '.join(rule.values)}"
        yield at.fault("unknown-value", f"'{at.name}' cannot be '{cut(value)}'", hint)
    else:
        yield from too_long(value, rule.limit, pointer=at.pointer, name=at.name)


def _texts(rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, list | tuple):
        yield from _text(rule, value, at)
        return
    yield from off_count(
        len(value), least=1, most=None, pointer=at.pointer, what=f"'{at.name}' has * texts"
    )
    whole = "\n".join(part for part in value if isinstance(part, str))
    yield from too_long(whole, rule.limit, pointer=at.pointer, name=at.name)
    for index, part in enumerate(value):
        below = at.below(index)
        if at.scope and isinstance(part, str) and is_dynamic(part):
            yield below.fault("wrong-type", "in a list of texts none can be taken from data")
        else:
            yield from _text(Property("text"), part, below)


def _name(_rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, str):
        yield wrong_type(value, "a text", pointer=at.pointer, name=at.name)
    elif not value.strip():
        yield at.fault("blank-text", f"'{at.name}' is blank")
    elif not is_name(value):
        hint = "use letters, digits and _"
        yield at.fault("unknown-value", f"'{cut(value)}' cannot be the name of an input", hint)


def _boolean(_rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, bool):
        yield wrong_type(value, "true or false", pointer=at.pointer, name=at.name)


def _number(rule: Property, value: object, at: At) -> Faults:
    wanted = (int,) if rule.kind == "integer" else (int, float)
    is_whole = isinstance(value, float) and value.is_integer() and at.scope is None
    if isinstance(value, bool) or not (isinstance(value, wanted) or is_whole):
        what = "a whole number" if rule.kind == "integer" else "a number"
        yield wrong_type(value, what, pointer=at.pointer, name=at.name)
        return
    number = value if isinstance(value, int | float) else 0
    least = rule.least_written if at.scope and rule.least_written else rule.least
    if least is not None and number < least:
        yield at.fault("over-limit", f"'{at.name}' is {number}, the least is {least}")
    elif rule.most is not None and number > rule.most:
        yield at.fault("over-limit", f"'{at.name}' is {number}, the most is {rule.most}")


def _date(rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, str):
        yield wrong_type(value, "a date", pointer=at.pointer, name=at.name)
    elif not (read_date(value) or (not value and rule.may_be_blank and not at.scope)):
        yield at.fault("wrong-type", f"'{cut(value)}' is not a date such as 2026-12-31")


def read_date(text: object) -> date | None:
    """Read a date as Flows write it; None if it is none."""
    if not isinstance(text, str) or not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _array(rule: Property, value: object, at: At) -> Faults:
    """Check a list of texts or dates."""
    if not isinstance(value, list | tuple):
        yield wrong_type(value, "a list", pointer=at.pointer, name=at.name)
        return
    what = f"'{at.name}' has * entries"
    yield from off_count(
        len(value), least=rule.least, most=rule.most, pointer=at.pointer, what=what
    )
    kind: Kind = "date" if rule.kind == "dates" else "text"
    inner = Property(kind, values=rule.values, limit=rule.limit, is_static=rule.is_static)
    for index, part in enumerate(value):
        yield from check_value(inner, part, at.below(index))


def _image(rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, str):
        yield wrong_type(value, "a picture in base64", pointer=at.pointer, name=at.name)
    elif not value.strip():
        yield at.fault("blank-text", f"'{at.name}' is blank")
    elif _ADDRESS.match(value):
        hint = "WhatsApp wants the picture itself, in base64"
        yield at.fault("wrong-type", f"'{at.name}' is an address, not a picture", hint)
    else:
        yield from _picture(value, rule.limit, at)


def _picture(value: str, limit: int | None, at: At) -> Faults:
    try:
        picture = b64decode(value, validate=True)
    except (NotBase64, ValueError):
        yield at.fault("wrong-type", f"'{at.name}' is not base64")
        return
    if not picture.startswith(_PICTURES):
        yield at.fault("wrong-type", f"'{at.name}' is neither a JPEG nor a PNG picture")
    elif limit is not None and len(picture) > limit * 1000:
        size = -(-len(picture) // 1000)
        yield at.fault("over-limit", f"'{at.name}' has {size} kB, WhatsApp shows {limit}")


def _color(_rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, str) or not _COLOR.fullmatch(value):
        yield at.fault("unknown-value", f"'{at.name}' is not a colour such as #FFAA00")


def _url(_rule: Property, value: object, at: At) -> Faults:
    try:
        require_url(at.name, value if isinstance(value, str) else "")
    except InvalidMessage as error:
        yield at.fault("unknown-value", f"'{at.name}': {error.problem}")


def _object(rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, dict):
        yield wrong_type(value, "a group of keys", pointer=at.pointer, name=at.name)
    elif rule.properties:
        yield from check_keys(rule.properties, value, at, owner=f"'{at.name}'")


def _objects(rule: Property, value: object, at: At) -> Faults:
    if not isinstance(value, list | tuple):
        yield wrong_type(value, "a list", pointer=at.pointer, name=at.name)
        return
    with_images = rule.most_with_images
    has_images = any(isinstance(part, dict) and part.get("image") for part in value)
    most = with_images if with_images and has_images else rule.most
    noun = "options" if rule.kind == "options" else "entries"
    what = f"'{at.name}' has * {noun}{' with pictures' if most != rule.most else ''}"
    yield from off_count(len(value), least=rule.least, most=most, pointer=at.pointer, what=what)
    for index, part in enumerate(value):
        if part is not None:
            yield from _object(rule, part, at.below(index))
    if rule.kind == "options":
        yield from _ids(value, at)


def _ids(value: object, at: At) -> Faults:
    seen: set[str] = set()
    for index, part in enumerate(elements(value)):
        id_ = part.get("id") if isinstance(part, dict) else None
        if isinstance(id_, str) and id_ in seen:
            sentence = f"'{cut(id_)}' is the id of two options"
            yield at.below(index).below("id").fault("bad-option", sentence)
        elif isinstance(id_, str):
            seen.add(id_)


_CHECKS: Final[Mapping[Kind, Check]] = {
    "text": _text,
    "texts": _texts,
    "name": _name,
    "boolean": _boolean,
    "integer": _number,
    "number": _number,
    "date": _date,
    "dates": _array,
    "array": _array,
    "image": _image,
    "color": _color,
    "url": _url,
    "object": _object,
    "objects": _objects,
    "options": _objects,
}
"""What holds components, conditions and actions is checked where their neighbours are known."""
