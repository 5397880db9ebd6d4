"""Right Flow JSONs, and how to change a copy of one."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

Json = dict[str, Any]

# A red dot, as PNG.
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/"
    "iZk9HQAAAABJRU5ErkJggg=="
)


def text(value: Any, kind: str = "TextBody") -> Json:
    return {"type": kind, "text": value}


def option(number: int) -> Json:
    return {"id": f"{number}", "title": f"Option {number}"}


def complete(**payload: Any) -> Json:
    return {"name": "complete", "payload": payload}


def exchange(**payload: Any) -> Json:
    return {"name": "data_exchange", "payload": payload}


def navigate(screen: str, **payload: Any) -> Json:
    return {"name": "navigate", "next": {"type": "screen", "name": screen}, "payload": payload}


def footer(action: Json, label: str = "Continue") -> Json:
    return {"type": "Footer", "label": label, "on-click-action": action}


def declare(example: Any, **more: Any) -> Json:
    kinds = {bool: "boolean", int: "number", str: "string", list: "array", dict: "object"}
    return {"type": kinds[type(example)], "__example__": example} | more


def options_declared() -> Json:
    strings = {name: {"type": "string"} for name in ("id", "title")}
    return declare([option(1)], items={"type": "object", "properties": strings})


def screen(name: str, *children: Json, data: Json | None = None, **more: Any) -> Json:
    layout = {"type": "SingleColumnLayout", "children": list(children)}
    return {"id": name, "title": name.title(), "data": data or {}, "layout": layout} | more


def product() -> Json:
    """A Flow with an endpoint: two screens to fill in, one to confirm."""
    radio = {
        "type": "RadioButtonsGroup",
        "name": "size",
        "label": "Size",
        "data-source": "${data.sizes}",
        "required": True,
    }
    boxes = {
        "type": "CheckboxGroup",
        "name": "extras",
        "label": "Extras",
        "data-source": [option(1), option(2)],
        "min-selected-items": 0,
        "max-selected-items": 2,
    }
    return {
        "version": "7.3",
        "data_api_version": "4.0",
        "routing_model": {"SIZE": ["EXTRAS", "SUMMARY"], "EXTRAS": ["SUMMARY"], "SUMMARY": []},
        "screens": [
            screen(
                "SIZE",
                text("${data.name}", "TextHeading"),
                radio,
                footer(exchange(op="size", size="${form.size}")),
                data={"name": declare("Margherita"), "sizes": options_declared()},
            ),
            screen(
                "EXTRAS",
                boxes,
                footer(exchange(op="extras", extras="${form.extras}")),
                refresh_on_back=True,
            ),
            screen(
                "SUMMARY",
                text("`'Total: ' ${data.total}`"),
                {
                    "type": "If",
                    "condition": "${data.total} > 0 && ${screen.SIZE.form.size} != ''",
                    "then": [text("Thank you")],
                },
                footer(exchange(op="confirm")),
                data={"total": declare(9)},
                terminal=True,
            ),
        ],
    }


def survey() -> Json:
    """A Flow without endpoint: two screens, and the end."""
    note = {"type": "TextInput", "name": "note", "label": "Note"}
    return {
        "version": "7.3",
        "screens": [
            screen("ASK", note, footer(navigate("THANKS", note="${form.note}"))),
            screen(
                "THANKS",
                text("${data.note}"),
                footer(complete(note="${data.note}")),
                data={"note": declare("None")},
                terminal=True,
            ),
        ],
    }


def changed(flow: Callable[[], Json], path: str, value: Any) -> Json:
    """Copy a Flow and set one property; numbers in a path are indexes, `+` appends."""
    document = deepcopy(flow())
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = document
    for part in way:
        target = target[part]
    if last == "+":
        target.append(value)
    else:
        target[last] = value
    return document


def without(flow: Callable[[], Json], path: str) -> Json:
    """Copy a Flow and delete one property."""
    document = deepcopy(flow())
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    target: Any = document
    for part in way:
        target = target[part]
    del target[last]
    return document


def written(document: Json) -> str:
    return json.dumps(document, indent=2)
