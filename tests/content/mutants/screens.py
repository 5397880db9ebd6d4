"""Mistakes in Flows: names that nothing gives, parts that are missing, routes that lead back."""

import re
from collections.abc import Callable, Mapping

from tests.content.mutants.mutant import Made, Mutant, misspelt
from tests.content.mutants.page import Page
from tests.content.mutants.roles import Role

_BINDING = re.compile(r"\$\{(data|form|screen)\.(\w+)")
_REQUIRED = ("type", "label", "text", "data-source", "name", "source", "event", "groups")
_LIMITS = {"label": 60, "title": 30, "helper-text": 80, "text": 80}
_VALUES = {
    "type": ("RadioButtons", "Dropdwon"),
    "input-type": ("numeric",),
    "required": ("maybe",),
    "max-length": ("lots", "-1"),
    "max-chars": ("0", "many"),
    "min-chars": ("9",),
    "groups": ("2", "0"),
    "init-value": ("${data.nothing_of_it}",),
    "visible": ("maybe",),
}
_TAKES = {"presentations": "40", "groups": "12", "options": "60"}


def _is_flow(page: Page) -> bool:
    return "flows/" in page.file


def _bindings(page: Page, roles: list[Role]) -> Made:
    for role in roles:
        if role.name != "property":
            continue
        raw = page.raw(role.part)
        for found in _BINDING.finditer(raw):
            for group in (1, 2):
                word = found[group]
                wrong = misspelt(word)
                yield Mutant(
                    "misspelt-binding",
                    page.file,
                    page.line_of(role.part, found.start(group)),
                    page.with_raw(role.part, found.start(group), word, wrong),
                    f"{word} -> {wrong}",
                    "wrong",
                )


def _missing(page: Page, roles: list[Role]) -> Made:
    if not _is_flow(page):
        return
    for role in roles:
        part = role.part
        wanted = role.name in ("property", "component_type") and part.name in _REQUIRED
        screens = role.name == "key" and part.name in (
            "title",
            "layout",
            "final",
            "params",
            "data",
        )
        gone = role.name in ("component", "data", "param", "input")
        if role.name == "component_type" or not (wanted or screens or gone):
            continue
        yield Mutant(
            "missing-in-flow",
            page.file,
            part.line,
            page.without(part),
            f"- {'.'.join(map(str, part.path))}",
            "choice",
            names=(part.name,),
            also=page.around(part),
        )


def _too_long(page: Page, roles: list[Role]) -> Made:
    for role in roles:
        part = role.part
        is_title = role.name == "key" and part.name == "title"
        limit = _LIMITS.get(part.name)
        if not _is_flow(page) or not (role.name == "property" or is_title) or not limit:
            continue
        long = ("This is longer than WhatsApp shows " * 5)[: limit + 5]
        yield Mutant(
            "too-long-in-flow",
            page.file,
            part.line,
            page.with_value(part, f'"{long}"'),
            f"{part.name} of {limit + 5}",
            "choice",
        )


def _values(page: Page, roles: list[Role]) -> Made:
    if not _is_flow(page):
        return
    for role in roles:
        part = role.part
        if role.name == "property" and part.text is not None:
            for other in _VALUES.get(part.name, ()):
                yield Mutant(
                    "wrong-property",
                    page.file,
                    part.line,
                    page.with_value(part, other),
                    f"{part.name}: {other}",
                    "choice",
                )
    for part in page.under("takes"):
        yield Mutant(
            "too-many-options",
            page.file,
            part.line,
            page.with_value(part, _TAKES[part.name]),
            f"{part.name}: {_TAKES[part.name]}",
            "choice",
            names=("ChoiceGroups", "takes", "groups", "data-source"),
        )


def _routes(page: Page, roles: list[Role]) -> Made:
    """Lead back to the screen where the Flow begins."""
    first = page.at("start")
    screens = {part.name: part.line for part in page.under("states")}
    if not _is_flow(page) or first is None:
        return
    for role in roles:
        part = role.part
        if role.name == "state_ref" and part.path[0] != "start" and part.text != first.text:
            yield Mutant(
                "leads-back",
                page.file,
                part.value_line,
                page.with_value(part, str(first.text)),
                f"{part.text} -> {first.text}",
                "choice",
                also=(screens[str(part.text)],),  # nothing leads there any more
            )


SCREENS: Mapping[str, Callable[[Page, list[Role]], Made]] = {
    "misspelt-binding": _bindings,
    "missing-in-flow": _missing,
    "too-long-in-flow": _too_long,
    "wrong-property": _values,
    "leads-back": _routes,
}
