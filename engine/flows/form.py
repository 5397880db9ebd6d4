"""A screen's form: which inputs it has, what a client may send for them, what fits its components.

What a client sends is taken only if the screen, as it is now, offers it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.spec.flow import LayoutComponent, Screen
from engine.spec.read_flow import CHOICE_GROUPS
from engine.templating.language import Text
from engine.whatsapp import limits
from engine.whatsapp.flow_json.components import COMPONENTS

BLANK = "–"
"""What stands for nothing: a blank text in a component is refused (Flow JSON 6.0)."""
MOST_OPTIONS = 200
"""Options of the longest list (Dropdown)."""
LONGEST_TEXT = 1000
"""Characters of a text input whose component says no maximum and of anything else that is sent."""
_DEFAULT_LENGTHS: Mapping[str, int] = {"TextInput": 80, "TextArea": 600}
_DATA = re.compile(r"\$\{data\.([a-z][a-z0-9_]*)\}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a screen.

    Args:
        kind: what its value is: one, many, text, flag, date, dates or media.
        source: the options, or the name in the screen's data where they are.
        longest: characters of a text.
    """

    name: str
    kind: str
    source: Any = None
    longest: int = LONGEST_TEXT


@dataclass(frozen=True, slots=True)
class ChoiceGroups:
    """The modifier groups of a screen.

    Args:
        name: the event's key for the ids chosen.
        source: the name of the list in the screen's data.
        groups: how many it can show.
    """

    name: str
    source: str
    groups: int

    def key(self, place: int, part: str) -> str:
        """Name a part of a group in the data that is sent; groups count from 1."""
        return f"{self.source}_{place}_{part}"

    def one(self, place: int) -> str:
        """Name the radio buttons of a group."""
        return f"{self.name}_{place}_one"

    def many(self, place: int) -> str:
        """Name the check boxes of a group."""
        return f"{self.name}_{place}_many"


@dataclass(frozen=True, slots=True)
class Form:
    """The inputs of a screen, and where its data flows.

    Args:
        extra: other names that come with an event.
        texts: the shortest limit of the components a text of the data flows into.
        options: the types of the components a list of the data flows into.
    """

    inputs: tuple[Input, ...]
    groups: tuple[ChoiceGroups, ...]
    extra: frozenset[str]
    texts: Mapping[str, int]
    options: Mapping[str, str]


def form_of(screen: Screen) -> Form:
    """Read the form of a screen from its layout."""
    parts = list(screen.components())
    extra = {name for part in parts for name in part.payload}
    texts: dict[str, int] = {}
    options: dict[str, str] = {}
    for key, limit in _texts(parts):
        texts[key] = min(limit, texts.get(key, limit))
    for part in parts:
        source = source_key(part.properties.get("data-source"))
        if source:
            options[source] = part.type
    return Form(
        inputs=tuple(_input(p) for p in parts if _kind(p)),
        groups=tuple(choice_groups(p) for p in parts if p.type == CHOICE_GROUPS),
        extra=frozenset(extra),
        texts=texts,
        options=options,
    )


def choice_groups(component: LayoutComponent) -> ChoiceGroups:
    """Read our own component."""
    source = written(component.properties.get("source"))
    key = source_key(source) or source.strip()
    return ChoiceGroups(component.name, key, component.groups)


def written(value: Any) -> str:
    """Give a property as it is written, if it is a text without a template of ours."""
    if isinstance(value, Text):
        return value.literal if value.literal is not None else value.render({})
    return value if isinstance(value, str) else ""


def source_key(value: Any) -> str | None:
    """Name the data that a whole property comes from: `${data.sizes}` is `sizes`."""
    if isinstance(value, Text) and value.names:
        return None
    found = _DATA.fullmatch(written(value).strip())
    return found[1] if found else None


def _kind(component: LayoutComponent) -> str | None:
    known = COMPONENTS.get(component.type)
    return known.input if known else None


def _input(component: LayoutComponent) -> Input:
    properties = component.properties
    source = properties.get("data-source", properties.get("list-items"))
    longest = properties.get("max-chars", properties.get("max-length"))
    if not isinstance(longest, int):
        longest = _DEFAULT_LENGTHS.get(component.type, LONGEST_TEXT)
    kind = _kind(component) or "text"
    return Input(component.name, kind, source_key(source) or source, longest)


def _texts(parts: list[LayoutComponent]) -> Iterator[tuple[str, int]]:
    for part in parts:
        known = COMPONENTS.get(part.type)
        for name, value in part.properties.items():
            wanted = known.properties.get(name) if known else None
            key = source_key(value)
            if key and wanted and wanted.kind in ("text", "texts") and not wanted.may_be_blank:
                yield key, wanted.limit or limits.TEXT_BODY


# What is shown -----------------------------------------------------------------------------------


def fitted(form: Form, data: Data) -> Data:
    """Make a screen's data what is sent: texts and options fit, groups are spread over the form.

    A text is cut on a word, a blank one is replaced; a list that is too long is cut: whoever
    sends a Flow has made sure before that it is not.
    """
    made = dict(data)
    for key, limit in form.texts.items():
        if isinstance(made.get(key), str):
            made[key] = _text(made[key], limit)
    for key, component in form.options.items():
        if isinstance(made.get(key), list):
            made[key] = _options(made[key], component)
    for groups in form.groups:
        made |= _spread(groups, made.pop(groups.source, None) or [])
    return made


def _text(text: str, limit: int) -> str:
    return limits.fit(text.strip(), limit) or BLANK


def _options(options: list[Any], component: str) -> list[Any]:
    rule = COMPONENTS[component].options
    if rule is None:
        return options
    shown: dict[str, Any] = {}
    for option in options:
        if isinstance(option, dict):
            made = {k: v for k, v in option.items() if v not in (None, "")}
            for key, limit in (("title", rule.title), ("description", rule.description),
                               ("metadata", rule.metadata)):  # fmt: skip
                if limit and (key in made or key == "title"):
                    made[key] = _text(str(made.get(key, "")), limit)
            shown.setdefault(str(made.get("id", "")), made)
    return list(shown.values())[: rule.most]


def _spread(groups: ChoiceGroups, held: list[Any]) -> Data:
    made: Data = {}
    for place in range(1, groups.groups + 1):
        group = held[place - 1] if place <= len(held) else {}
        options = _options(group.get("options") or [], "CheckboxGroup")
        minimum = int(group.get("minimum") or 0)
        most = min(int(group.get("maximum") or 1), len(options))
        is_single, is_several = most == 1, most > 1
        if is_single and minimum == 0:  # a radio button cannot be given back otherwise
            options = [*options, NONE_OF_THESE]
        parts = {
            "label": _text(str(group.get("label") or ""), LABEL),
            "options": options or UNUSED,
            "minimum": max(min(minimum, most), 1),  # of what is chosen at all
            "maximum": max(most, FEWEST_AT_MOST),
            "is_single": is_single,
            "is_several": is_several,
            "must_one": is_single and minimum > 0,
            "must_several": is_several and minimum > 0,
        }
        made |= {groups.key(place, part): value for part, value in parts.items()}
    return made


LABEL = 30
"""Characters of a group's label (RadioButtonsGroup, CheckboxGroup)."""
FEWEST_AT_MOST = 2
"""The smallest `max-selected-items` some clients take: one choice of many is radio buttons."""
NONE_OF_THESE: Data = {"id": BLANK, "title": BLANK}
UNUSED: list[Data] = [NONE_OF_THESE, {"id": BLANK * 2, "title": BLANK * 2}]
"""The options of a group that is not shown; a list of none is refused."""


# What is sent ------------------------------------------------------------------------------------


class NotOffered(Exception):
    """A client sent what the screen does not offer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def read_form(form: Form, data: Data, sent: Mapping[str, Any]) -> Data:
    """Give what a client sent for the inputs of a screen, None for what it left out.

    Args:
        data: the screen's data as it would be shown now, groups spread.

    Raises:
        NotOffered: it is not of the input's kind, or not among its options.
    """
    values: Data = {}
    for part in form.inputs:
        value = sent.get(part.name)
        blank = value is None or value in ("", [])
        values[part.name] = None if blank else _READERS[part.kind](part, data, value)
    for groups in form.groups:
        values[groups.name] = _chosen(groups, data, sent)
    for name in form.extra:
        value = sent.get(name)
        if not isinstance(value, (str, int, float, bool, type(None))) or _is_long(value):
            raise NotOffered(name)
        values[name] = value
    return values


def _chosen(groups: ChoiceGroups, data: Data, sent: Mapping[str, Any]) -> list[str]:
    chosen: list[str] = []
    for place in range(1, groups.groups + 1):
        is_single = data.get(groups.key(place, "is_single"))
        is_several = data.get(groups.key(place, "is_several"))
        name = groups.one(place) if is_single else groups.many(place)
        value = sent.get(name)
        if value is None or value in ("", []) or not (is_single or is_several):
            continue
        asked = Input(name, "one" if is_single else "many", groups.key(place, "options"))
        read = _READERS[asked.kind](asked, data, value)
        chosen += [part for part in ([read] if is_single else read) if part != BLANK]
    return list(dict.fromkeys(chosen))


def _is_long(value: Any) -> bool:
    return len(str(value)) > LONGEST_TEXT


def _one(part: Input, data: Data, value: Any) -> str:
    if not isinstance(value, str) or value not in _ids(part, data):
        raise NotOffered(part.name)
    return value


def _many(part: Input, data: Data, value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_OPTIONS:
        raise NotOffered(part.name)
    chosen = [_one(part, data, element) for element in value]
    if len(set(chosen)) < len(chosen):
        raise NotOffered(part.name)
    return chosen


def _ids(part: Input, data: Data) -> set[str]:
    options = data.get(part.source) if isinstance(part.source, str) else part.source
    if not isinstance(options, list):
        return set()
    offered = (o for o in options if isinstance(o, dict) and o.get("enabled", True))
    return {written(o.get("id")) for o in offered}


def _plain_text(part: Input, data: Data, value: Any) -> str:  # noqa: ARG001 - one form for all
    if not isinstance(value, str) or limits.length(value) > part.longest:
        raise NotOffered(part.name)
    return value.replace("\x00", "").strip()


def _flag(part: Input, data: Data, value: Any) -> bool:  # noqa: ARG001 - one form for all
    if not isinstance(value, bool):
        raise NotOffered(part.name)
    return value


def _date(part: Input, data: Data, value: Any) -> Any:  # noqa: ARG001 - one form for all
    is_range = isinstance(value, dict) and value.keys() == _RANGE
    if not all(_is_date(d) for d in (value.values() if is_range else (value,))):
        raise NotOffered(part.name)
    return value


_RANGE = {"start-date", "end-date"}
"""What a CalendarPicker sends for a range."""


def _is_date(value: Any) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:  # the 31st of June
        return False
    return True


def _media(part: Input, data: Data, value: Any) -> list[Data]:  # noqa: ARG001 - one form for all
    if not isinstance(value, list) or len(value) > MOST_FILES:
        raise NotOffered(part.name)
    if not all(isinstance(file, dict) and len(str(file)) <= 4 * LONGEST_TEXT for file in value):
        raise NotOffered(part.name)
    return value


MOST_FILES = 30
"""Files of a picker (PhotoPicker, DocumentPicker)."""

_READERS: Mapping[str, Callable[[Input, Data, Any], Any]] = {
    "one": _one, "many": _many, "text": _plain_text, "flag": _flag, "date": _date,
    "dates": _date, "media": _media,
}  # fmt: skip
