"""Parts of Flow JSONs, and what the sandbox says of a whole one."""

import base64

from engine.sandbox.flow_documents.check import judge
from tests.unit.sandbox.flow_samples import (
    PIXEL,
    declare,
    exchange,
    footer,
    option,
    options_declared,
    screen,
    written,
)

LARGE = base64.b64encode(base64.b64decode(PIXEL).ljust(102_401, b"\0")).decode()
FLAG = {"flag": declare(True)}
IN_DATA = {"flag": declare(True), "count": declare(1), "list": options_declared()}
C = "screens.0.layout.children"
AT = "screens[0].layout.children"
HEADING = f"{C}.0"
SIZES = f"{C}.1"


def faults(document) -> list[tuple[str, str]]:
    errors = judge(written(document)).errors
    return [(one["error"], one["pointers"][0]["path"]) for one in errors]


def assert_wrong(document, error, path) -> None:
    """Want this to be the first thing wrong with a document; anywhere if no path is given."""
    found = faults(document)
    assert found
    assert found[0][0] == error, found
    assert path in (None, found[0][1])


def one_screen(*children, version="7.3", data=None, **more):
    """A Flow of one screen with these components, which sends what it says to the endpoint."""
    return {
        "version": version,
        "data_api_version": "4.0",
        "routing_model": {},
        "screens": [
            screen("ONLY", *children, footer(exchange()), data=data, terminal=True, **more)
        ],
    }


def chips(**more):
    source = [option(1), option(2)]
    return {"type": "ChipsSelector", "name": "chips", "label": "C", "data-source": source} | more


def entry(name="note", **more):
    return {"type": "TextInput", "name": name, "label": "Note"} | more


def radio(**more):
    return {
        "type": "RadioButtonsGroup",
        "name": "size",
        "label": "Size",
        "data-source": [option(1)],
    } | more


def boxes(**more):
    return radio(type="CheckboxGroup") | more


def dropdown(**more):
    return radio(type="Dropdown") | more


def image(**more):
    return {"type": "Image", "src": PIXEL} | more


def carousel(number=1):
    return {"type": "ImageCarousel", "images": [{"src": PIXEL, "alt-text": "Dot"}] * number}


def captions(*sides):
    """The screens of a Flow whose only footer has captions on these sides."""
    captioned = footer(exchange()) | {f"{side}-caption": side for side in sides}
    return {"screens": [screen("ONLY", captioned, terminal=True)]}


def item(number=1, **more):
    return {"id": f"{number}", "main-content": {"title": f"Item {number}"}} | more


def choose(condition, *then, **more):
    return {"type": "If", "condition": condition, "then": list(then)} | more


def switch(value, **cases):
    return {"type": "Switch", "value": value, "cases": cases}


def routed(**model):
    """A Flow whose screens are those of its routing model; the ones that lead nowhere end it."""
    names = list(dict.fromkeys([*model, *(name for names in model.values() for name in names)]))
    screens = [
        screen(name, footer(exchange()), terminal=not model.get(name, [])) for name in names
    ]
    return {
        "version": "7.3",
        "data_api_version": "4.0",
        "routing_model": model,
        "screens": screens,
    }


def messages(document) -> list[str]:
    return [one["message"] for one in judge(written(document)).errors]
