"""Misspellings: of keys, names, variables, filters, actions, arguments."""

from collections.abc import Callable, Mapping
from functools import partial

from tests.content.mutants.mutant import Made, Mutant, Nature, misspelt, words_of
from tests.content.mutants.page import Page
from tests.content.mutants.roles import Role

_NAMED: Mapping[str, tuple[tuple[str, ...], Nature]] = {
    "misspelt-key": (("key",), "wrong"),
    "misspelt-event": (("event", "entry", "intent"), "slip"),
    "misspelt-event-named": (("event_ref",), "slip"),
    "misspelt-state": (("state_ref",), "slip"),
    "misspelt-state-name": (("state",), "slip"),
    "misspelt-message": (("message_ref",), "slip"),
    "misspelt-message-name": (("message",), "slip"),
    "misspelt-action": (("action",), "wrong"),
    "misspelt-argument": (("argument",), "wrong"),
    "misspelt-term-name": (("term",), "slip"),
    "misspelt-component": (("component_type",), "wrong"),
    "misspelt-input": (("component", "input"), "slip"),
    "misspelt-property": (("property",), "wrong"),
    "misspelt-data": (("data",), "slip"),
    "misspelt-param": (("param",), "slip"),
}
"""By operator, the roles it misspells, and what kind of mistake that is."""

_WORDS = {
    "misspelt-variable": "variable",
    "misspelt-attribute": "attribute",
    "misspelt-filter": "filter",
    "misspelt-guard": "guard",
    "misspelt-literal": "literal",
}


def _named(operator: str, page: Page, roles: list[Role]) -> Made:
    wanted, nature = _NAMED[operator]
    known = {part.name for part in page.parts.values()}
    known |= {part.text for part in page.parts.values() if part.text}
    for role in roles:
        if role.name not in wanted:
            continue
        part = role.part
        word = str(part.text) if role.is_value else part.name
        wrong = misspelt(word, known)
        text = page.with_value(part, wrong) if role.is_value else page.with_key(part, wrong)
        line = part.value_line if role.is_value else part.line
        yield Mutant(
            operator,
            page.file,
            line,
            text,
            f"{word} -> {wrong}",
            nature,
            names=() if role.is_value else (word, wrong),
        )


def _in_texts(operator: str, page: Page, roles: list[Role]) -> Made:
    for role in roles:
        if role.name not in ("guard", "template", "text"):
            continue
        raw = page.raw(role.part)
        for place, word in words_of(raw, _WORDS[operator], is_guard=role.name == "guard"):
            wrong = misspelt(word)
            text = page.with_raw(role.part, place, word, wrong)
            line = page.line_of(role.part, place)
            yield Mutant(operator, page.file, line, text, f"{word} -> {wrong}", "slip")


SLIPS: Mapping[str, Callable[[Page, list[Role]], Made]] = {
    **{name: partial(_named, name) for name in _NAMED},
    **{name: partial(_in_texts, name) for name in _WORDS},
}
