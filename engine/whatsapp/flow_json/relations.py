"""How the properties of one component go together, as far as their values are known."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.whatsapp.flow_json.faults import Faults, FlowFault, Pointer, cut, elements, listed
from engine.whatsapp.flow_json.literals import read_date
from engine.whatsapp.flow_json.screens import Placed
from engine.whatsapp.json_values import JsonObject, as_object, as_objects


@dataclass(frozen=True, slots=True)
class Known:
    """A value that is known.

    Args:
        is_told: faults may point at it: it is part of what is being checked.
    """

    value: object
    pointer: Pointer
    is_told: bool = True


@dataclass(frozen=True, slots=True)
class Whole:
    """A component with the values that are known of it.

    Args:
        is_told: faults may point at the component itself.
    """

    placed: Placed
    known: Mapping[str, Known]
    is_told: bool = True

    def value(self, key: str) -> object:
        """Give a known value; None if it is not known."""
        found = self.known.get(key)
        return found.value if found else None

    def fault(self, code: str, sentence: str, *keys: str, hint: str = "") -> Faults:
        """Tell a fault at the first of these properties, or at the component if none is named."""
        told = [known for key in keys if (known := self.known.get(key)) and known.is_told]
        if told:
            yield FlowFault(told[0].pointer, code, sentence, hint)
        elif self.is_told:
            yield FlowFault(self.placed.pointer, code, sentence, hint)


_PAIRS: Final = (
    ("min-selected-items", "max-selected-items"),
    ("min-chars", "max-chars"),
    ("min-days", "max-days"),
    ("min-uploaded-photos", "max-uploaded-photos"),
    ("min-uploaded-documents", "max-uploaded-documents"),
)
_WITH_PATTERN: Final = ("text", "number", "password", "passcode")
_RANGE: Final = ("start-date", "end-date")


def check_relations(whole: Whole) -> Faults:
    """Find the properties of a component that contradict each other."""
    for check in (_order, _options, *_OF_TYPE.get(whole.placed.type, ())):
        yield from check(whole)


def _order(whole: Whole) -> Faults:
    for least, most in _PAIRS:
        smaller, larger = _number(whole.value(least)), _number(whole.value(most))
        if smaller is not None and larger is not None and smaller > larger:
            sentence = f"'{least}' is {smaller}, more than '{most}', which is {larger}"
            yield from whole.fault("over-limit", sentence, least, most)


def _number(value: object) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _options(whole: Whole) -> Faults:
    options = whole.value("data-source")
    if not isinstance(options, list | tuple):
        return
    objects = [option for option in options if isinstance(option, dict)]
    ids = [option.get("id") for option in objects]
    for chosen in _chosen(whole.value("init-value")):
        if chosen not in ids:
            sentence = f"'{cut(chosen)}' of 'init-value' is none of the options"
            yield from whole.fault("bad-option", sentence, "init-value", "data-source")
    counted = [k for k in ("max-selected-items", "min-selected-items") if k in whole.known][:1]
    for key in counted:  # of both, the least is checked against the most
        number = _number(whole.value(key))
        if number is not None and number > len(options):
            sentence = f"'{key}' is {number}, there are {len(options)} options"
            yield from whole.fault("over-limit", sentence, key, "data-source")
    if any("image" in option for option in objects) and any("color" in o for o in objects):
        sentence = "some options have a picture and some a colour"
        yield from whole.fault("bad-option", sentence, "data-source")


def _chosen(start: object) -> Iterator[str]:
    """Give the ids that are chosen at first; "" stands for none."""
    for part in [start, *elements(start)]:
        if isinstance(part, str) and part:
            yield part


def _calendar(whole: Whole) -> Faults:
    yield from _dates(whole)
    json = whole.placed.json
    mode = whole.value("mode") if "mode" in json else "single"
    if mode == "single":
        for key in ("title", "description", "min-days", "max-days"):
            if key in json:
                sentence = f"'{key}' is for a calendar with mode 'range'"
                yield from whole.fault("unknown-property", sentence, key)
    for key in ("label", "helper-text", "required", "init-value", "error-message"):
        value = whole.value(key)
        if mode == "single" and isinstance(value, dict):
            sentence = f"'{key}' has a start and an end only with mode 'range'"
            yield from whole.fault("wrong-type", sentence, key)
        elif mode == "range" and value is not None:
            yield from _pair(whole, key, value)


def _pair(whole: Whole, key: str, value: object) -> Faults:
    if not isinstance(value, dict):
        sentence = f"'{key}' needs 'start-date' and 'end-date' with mode 'range'"
        yield from whole.fault("wrong-type", sentence, key)
        return
    needed = _RANGE if key in ("label", "init-value") else _RANGE[:1]
    missing = [name for name in needed if name not in value]
    if missing:
        yield from whole.fault("missing-key", f"{listed(missing)} of '{key}' is missing", key)
    start, end = (read_date(value.get(name)) for name in _RANGE)
    if key == "init-value" and start and end and start > end:
        yield from whole.fault("over-limit", "'start-date' is after 'end-date'", key)


def _dates(whole: Whole) -> Faults:
    first, last = read_date(whole.value("min-date")), read_date(whole.value("max-date"))
    if first and last and first > last:
        yield from whole.fault("over-limit", "'min-date' is after 'max-date'", "min-date")
        return
    start = whole.value("init-value")
    chosen = start.values() if isinstance(start, dict) else [start]
    for key, written in (
        *(("init-value", text) for text in chosen),
        *(("unavailable-dates", text) for text in elements(whole.value("unavailable-dates"))),
    ):
        day = read_date(written)
        if day and ((first and day < first) or (last and day > last)):
            sentence = f"{day} of '{key}' is not between 'min-date' and 'max-date'"
            yield from whole.fault("over-limit", sentence, key, "min-date", "max-date")


def _text_input(whole: Whole) -> Faults:
    json = whole.placed.json
    if "pattern" not in json:
        return
    if "helper-text" not in json:
        hint = "say there what is to be typed"
        yield from whole.fault("missing-key", "'pattern' needs a 'helper-text'", hint=hint)
    kind = whole.value("input-type")
    if isinstance(kind, str) and kind not in _WITH_PATTERN:
        sentence = f"a 'pattern' does not go with the input-type '{cut(kind)}'"
        yield from whole.fault("unknown-value", sentence, "pattern")


def _footer(whole: Whole) -> Faults:
    json = whole.placed.json
    sides = [key for key in ("left-caption", "right-caption") if key in json]
    if len(sides) == 1:
        missing = "right-caption" if sides == ["left-caption"] else "left-caption"
        yield from whole.fault("missing-key", f"'{sides[0]}' needs a '{missing}'")
    if sides and "center-caption" in json:
        sentence = f"'center-caption' does not go with {listed(sides)}"
        yield from whole.fault("unknown-property", sentence, "center-caption")


def _navigation(whole: Whole) -> Faults:
    if not isinstance(whole.value("list-items"), list | tuple):
        return
    items = as_objects(list(elements(whole.value("list-items"))))
    if sum("badge" in item for item in items) > 1:
        yield from whole.fault("over-limit", "only one item may have a badge", "list-items")
    ends = [as_object(item["end"]) for item in items if "end" in item]
    if ends and whole.value("media-size") == "large":
        sentence = "an 'end' does not go with large pictures"
        yield from whole.fault("unknown-property", sentence, "list-items", "media-size")
    if any(not 1 <= len(end) <= 2 for end in ends):
        sentence = "an 'end' has one or two of 'title', 'description', 'metadata'"
        yield from whole.fault("over-limit", sentence, "list-items")
    yield from _item_actions(whole, items)


def _item_actions(whole: Whole, items: Sequence[JsonObject]) -> Faults:
    with_action = sum("on-click-action" in item for item in items)
    if "on-click-action" in whole.placed.json:
        if with_action:
            sentence = "the list and one of its items have an 'on-click-action', only one may"
            yield from whole.fault("bad-action", sentence, "on-click-action")
    elif with_action < len(items):
        sentence = "'on-click-action' is missing: the list or each of its items needs one"
        yield from whole.fault("missing-key", sentence)


def _option_actions(whole: Whole) -> Faults:
    options = as_objects(list(elements(whole.value("data-source"))))
    for key in ("on-select-action", "on-unselect-action"):
        if key in whole.placed.json and any(key in option for option in options):
            sentence = f"both the component and an option have an '{key}', only one may"
            yield from whole.fault("bad-action", sentence, key)


_OF_TYPE: Final[Mapping[str, tuple[Callable[[Whole], Faults], ...]]] = {
    "TextInput": (_text_input,),
    "Footer": (_footer,),
    "DatePicker": (_dates,),
    "CalendarPicker": (_calendar,),
    "NavigationList": (_navigation,),
    "Dropdown": (_option_actions,),
    "RadioButtonsGroup": (_option_actions,),
    "CheckboxGroup": (_option_actions,),
    "ChipsSelector": (_option_actions,),
}
