"""Merged, schema-valid Flow documents -> Flows: a chart and the looks of its screens."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.spec.chart import Value
from engine.spec.flow import Flow, LayoutComponent, Repeat, Screen, Takes
from engine.spec.read import Data, Reader, digest
from engine.spec.source import Path

CHOICE_GROUPS = "ChoiceGroups"
"""Our own component: the modifier groups of a product, each as radio buttons or check boxes."""
_OURS = frozenset({"type", "event", "payload", "groups", "replace"})
_HOLDERS = ("children", "then", "else", "cases")


def read_flow(reader: Reader, data: Data) -> Flow:
    """Read a Flow; states with `final` are its ends."""
    chart = reader.chart({**data, "chart": data.get("flow", "")})
    # The end of a Flow is a state like any other to the chart: nothing happens in it any more.
    states = {name: replace(state, final=False) for name, state in chart.states.items()}
    takes = data.get("takes")
    return Flow(
        id=chart.id,
        version=chart.version,
        where=str(reader.places.at(())),
        places=reader.places,
        chart=replace(chart, states=states),
        screens={name: _screen(reader, name, body) for name, body in _states(data)},
        input={name: need == "required" for name, need in data.get("input", {}).items()},
        categories=tuple(data.get("categories", ("OTHER",))),
        digest=digest(data),
        takes=Takes(**takes) if takes else None,
    )


def _states(data: Data) -> Iterator[tuple[str, Data]]:
    yield from data.get("states", {}).items()


def _screen(reader: Reader, name: str, body: Data) -> Screen:
    path: Path = ("states", name)
    params = body.get("params", {}) if body.get("final") else None
    empty = reader.language.text("", str(reader.places.at(path)))
    return Screen(
        id=name,
        where=str(reader.places.at(path)),
        path=path,
        title=reader.text(body, "title", path) or empty,
        layout=tuple(_layout(reader, body.get("layout", {}), (*path, "layout"))),
        data=_values(reader, body.get("data", {}), (*path, "data")),
        params=None if params is None else _values(reader, params, (*path, "params")),
        refresh_on_back=body.get("refresh_on_back", False),
    )


def _values(reader: Reader, data: Data, path: Path) -> Mapping[str, Value]:
    return {name: _value(reader, part, (*path, name)) for name, part in data.items()}


def _value(reader: Reader, data: Any, path: Path) -> Value:
    if isinstance(data, dict) and data.keys() == {"each", "item"}:
        each = reader.expression(data, "each", path)
        item = _value(reader, data["item"], (*path, "item"))
        return None if each is None else Repeat(each, item)
    if isinstance(data, dict):
        return {key: _value(reader, part, (*path, key)) for key, part in data.items()}
    return reader.value(data, path)


def _layout(reader: Reader, data: Data, path: Path) -> Iterator[LayoutComponent]:
    for name, body in data.items():
        yield _component(reader, name, body, (*path, name))


def _component(reader: Reader, name: str, body: Data, path: Path) -> LayoutComponent:
    inside = dict(_inside(reader, body, path))
    properties = {
        key: reader.value(part, (*path, key))
        for key, part in body.items()
        if key not in _OURS and key not in _HOLDERS
    }
    return LayoutComponent(
        id=name,
        type=str(body.get("type", "")),
        where=str(reader.places.at(path)),
        path=path,
        properties=properties,
        event=body.get("event"),
        payload=dict(body.get("payload", {})),
        inside=inside,
        groups=body.get("groups", 0),
    )


def _inside(
    reader: Reader, body: Data, path: Path
) -> Iterator[tuple[str, tuple[LayoutComponent, ...]]]:
    for holder in ("children", "then", "else"):
        if holder in body:
            yield holder, tuple(_layout(reader, body[holder], (*path, holder)))
    for case, parts in body.get("cases", {}).items():
        yield case, tuple(_layout(reader, parts, (*path, "cases", case)))
