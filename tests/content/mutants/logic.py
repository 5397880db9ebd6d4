"""Mistakes of thought in a chart: a branch or state is gone, leads elsewhere, never holds."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tests.content.mutants.mutant import Made, Mutant, Nature
from tests.content.mutants.page import Page, Part
from tests.content.mutants.roles import Role

_LEADING = ("go", "back", "start", "finished", "say")
"""Keys that name what nothing leads to once they are gone."""
_ENDS = ("final", "finished", "start", "aside")


def _deleted(
    operator: str,
    page: Page,
    parts: Iterator[Part],
    *,
    nature: Nature = "choice",
    is_named: bool = True,
) -> Made:
    for part in parts:
        names = (part.name,) if is_named and part.key is not None else ()
        if part.name in _LEADING and part.text:
            names = (part.text,)
        yield Mutant(
            operator,
            page.file,
            part.line,
            page.without(part),
            f"- {'.'.join(map(str, part.path))}",
            nature,
            names=names,
            also=page.around(part),
        )


def _of(roles: list[Role], *names: str) -> Iterator[Part]:
    return (role.part for role in roles if role.name in names)


def _is_chart(page: Page) -> bool:
    return (
        "conversations/" in page.file and "messages/" not in page.file
    ) or "flows/" in page.file


def _branches(page: Page, roles: list[Role]) -> Made:
    listed = (part for part in _of(roles, "branch") if part.key is None and part.siblings > 1)
    yield from _deleted("deleted-branch", page, listed)
    yield from _deleted("deleted-event", page, _of(roles, "event", "delay"))


def _states(page: Page, roles: list[Role]) -> Made:
    yield from _deleted("deleted-state", page, _of(roles, "state"))


def _keys(operator: str, keys: tuple[str, ...], page: Page, roles: list[Role]) -> Made:
    if _is_chart(page):
        found = (p for p in _of(roles, "key") if p.name in keys and len(p.path) > 1)
        yield from _deleted(operator, page, found, is_named=False)


def _redirected(page: Page, roles: list[Role]) -> Made:
    """Lead to the state after the one that is meant, or before it if that is the last one."""
    states = [part.name for part in _of(roles, "state")]
    for role in roles:
        meant = role.part.text
        if role.name != "state_ref" or meant not in states or len(states) < 2:
            continue
        place = states.index(meant)
        other = states[place + 1] if place + 1 < len(states) else states[place - 1]
        yield Mutant(
            "redirected",
            page.file,
            role.part.value_line,
            page.with_value(role.part, other),
            f"{meant} -> {other}",
            "choice",
            also=tuple(p.line for p in _of(roles, "state") if p.name == meant),
        )


def _guards(page: Page, roles: list[Role]) -> Made:
    for role in roles:
        if role.name != "guard" or role.part.name != "if":
            continue
        said = role.part.text or ""
        for operator, other in (
            ("constant-guard", "false"),
            ("constant-guard", "1 == 2"),
            ("constant-guard", "language == 'klingon'"),
            ("contradictory-guard", f"({said}) and not ({said})"),
            ("inverted-guard", f"not ({said})"),
            ("broken-guard", f"{said} and"),
            ("broken-guard", f"({said}"),
            ("assigned-guard", said.replace("==", "=", 1)),
        ):
            if other == said:
                continue
            quoted = '"' + other.replace("\\", "\\\\").replace('"', '\\"') + '"'
            text = page.with_value(role.part, quoted)
            never = operator in ("constant-guard", "contradictory-guard")
            nature: Nature = "wrong" if never else "choice"
            yield Mutant(operator, page.file, role.part.value_line, text, other, nature)


def _conditions(page: Page, roles: list[Role]) -> Made:
    found = [r.part for r in roles if r.name == "guard" and r.part.name == "if"]
    yield from _deleted("deleted-if", page, iter(found), is_named=False)


def _swapped(page: Page, roles: list[Role]) -> Made:
    """Put the branch without a condition before one that has one, where both stand in one line."""
    branches = {part.path: part for part in _of(roles, "branch") if part.key is None}
    for part in branches.values():
        before = branches.get((*part.path[:-1], int(part.path[-1]) - 1))
        if before is None or page.at(*part.path, "if") or not page.at(*before.path, "if"):
            continue
        first, second = before.line - 1, part.line - 1
        if second != first + 1 or page.text.count("\n", 0) < second:
            continue
        lines = list(page.lines)
        lines[first], lines[second] = lines[second], lines[first]
        yield Mutant(
            "swapped-branches",
            page.file,
            second + 1,
            "\n".join(lines),
            ".".join(map(str, part.path[:-1])),
            "choice",
            also=(first + 1,),
        )


def _late(page: Page, roles: list[Role]) -> Made:
    """Let a timer run out after WhatsApp's 24 hours, with and without a template to say then."""
    for part in _of(roles, "delay"):
        said = next(
            (
                r.part
                for r in roles
                if r.name == "message_ref" and r.part.path[: len(part.path)] == part.path
            ),
            None,
        )
        later = page.with_key(part, "25h")
        yield Mutant("late-timer", page.file, part.line, later, "25h", "choice")
        if said is not None:
            raw = later.split("\n")
            line = said.line - 1
            raw[line] = raw[line].replace(str(said.text), "you_are_welcome")
            note = f"25h, {said.text} -> you_are_welcome"
            yield Mutant(
                "late-timer",
                page.file,
                part.line,
                "\n".join(raw),
                note,
                "choice",
                also=(said.line,),
            )


LOGIC: Mapping[str, Callable[[Page, list[Role]], Made]] = {
    "deleted-branch": _branches,
    "deleted-state": _states,
    "deleted-back": partial(_keys, "deleted-back", ("back",)),
    "deleted-say": partial(_keys, "deleted-say", ("say",)),
    "deleted-do": partial(_keys, "deleted-do", ("do",)),
    "deleted-go": partial(_keys, "deleted-go", ("go",)),
    "deleted-end": partial(_keys, "deleted-end", _ENDS),
    "redirected": _redirected,
    "guards": _guards,
    "deleted-if": _conditions,
    "swapped-branches": _swapped,
    "late-timer": _late,
}
