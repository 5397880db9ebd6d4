"""What a made-up customer does on a screen of a Flow: which inputs he fills in, and how.

What comes of it is not known here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.flows.exchange import Shown
from engine.flows.form import Data, Form, Input, written
from engine.spec.flow import Flow

MOST_TRIES = 3
"""Options of one choice that are tried."""


def events(flow: Flow, screen: str) -> list[str]:
    """Give the events that the components of a screen raise."""
    raised = [part.event for part in flow.screens[screen].components() if part.event]
    return list(dict.fromkeys(raised))


def extra(flow: Flow, shown: Shown) -> Data:
    """Fill what is sent beside the inputs from the data it is taken from."""
    made: Data = {}
    for part in flow.screens[shown.screen or ""].components():
        for name, source in part.payload.items():
            key = source.removeprefix("${data.").removesuffix("}")
            made[name] = shown.data.get(key)
    return made


def filled(form: Form, data: Data, names: list[str]) -> Iterator[Data]:
    """Fill a form in several ways: each with another option of one choice."""
    choices = {name: options for name in names if (options := _choices(form, data, name))}
    first = {name: options[0] for name, options in choices.items()}
    yield first
    for name, options in choices.items():
        for other in options[1:MOST_TRIES]:
            yield first | {name: other}


def _choices(form: Form, data: Data, name: str) -> list[Any]:
    for part in form.inputs:
        if part.name == name:
            return _of_kind(part, _ids(data, part.source))
    for groups in form.groups:
        for place in range(1, groups.groups + 1):
            ids = _ids(data, groups.key(place, "options"))
            if name == groups.one(place) and data.get(groups.key(place, "is_single")):
                return ids
            if name == groups.many(place) and data.get(groups.key(place, "must_several")):
                return [ids[: data[groups.key(place, "minimum")]]]
    return []


def _of_kind(part: Input, ids: list[str]) -> list[Any]:
    if part.kind == "one":
        return ids
    if part.kind == "many":
        return [ids[:1]] if ids else []
    if part.kind == "text":
        return ["1" if part.longest < len(_ADDRESS) else _ADDRESS]
    return _SAMPLES.get(part.kind, [])


_ADDRESS = "12 Mulberry Street"
_DAY = "2030-06-15"
_SAMPLES: Mapping[str, list[Any]] = {
    "flag": [True],
    "date": [_DAY],
    "dates": [_DAY, {"start-date": _DAY, "end-date": _DAY}],
    "media": [[{"file_name": "picture.jpg", "mime_type": "image/jpeg"}]],
}


def _ids(data: Data, source: Any) -> list[str]:
    options = data.get(source) if isinstance(source, str) else source
    if not isinstance(options, (list, tuple)):  # such as one text in the place of a list
        return []
    return [written(o.get("id")) for o in options if isinstance(o, dict)]
