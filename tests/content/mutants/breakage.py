"""Slips of the keyboard: YAML that is not what it seems, types that are others, open Jinja."""

from collections.abc import Callable, Mapping

from tests.content.mutants.mutant import Made, Mutant
from tests.content.mutants.page import Page
from tests.content.mutants.roles import Role, kind_of


def _duplicated(page: Page, roles: list[Role]) -> Made:
    for part in page.parts.values():
        if part.key is None or part.is_inline or part.text is None or "\n" in page.raw(part):
            continue
        line = page.lines[part.line - 1]
        if part.value_line != part.line:
            continue
        more = " " * part.key.start_mark.column + line[part.key.start_mark.column :]
        yield Mutant(
            "duplicate-key",
            page.file,
            part.line + 1,
            page.with_more(part.line, more),
            f"{part.name} twice",
            "wrong",
            also=(part.line,),
        )


def _typed(page: Page, roles: list[Role]) -> Made:
    """Write a list for a text, a text for a number or a flag, a text for a mapping or a list."""
    for role in roles:
        part = role.part
        if role.name not in ("key", "entry", "state", "message", "guard", "property"):
            continue
        if part.is_mapping() and part.path[-1:] != ("name",):
            other = "5"
        elif part.is_list():
            other = "{a: 1}"
        elif part.text in ("true", "false") or (part.text or "").replace(".", "", 1).isdigit():
            other = "[lots]"
        elif part.name == "say" or part.text is None:
            continue
        else:
            other = "[a, {b: c}]"
        if role.is_value and role.name != "guard":
            continue
        if part.is_mapping() and not part.is_inline and role.name != "key":
            continue  # a state's or message's whole body: too large a slip
        yield Mutant(
            "wrong-type",
            page.file,
            part.line,
            page.with_value(part, other),
            f"{'.'.join(map(str, part.path))}: {other}",
            "wrong",
            also=(part.value_line,),
        )


def _indented(page: Page, roles: list[Role]) -> Made:
    seen: set[int] = set()
    for part in page.parts.values():
        line = page.lines[part.line - 1]
        begins = len(line) - len(line.lstrip())
        if part.is_inline or part.line in seen or begins == 0:
            continue
        seen.add(part.line)
        for other, note in (
            (" " + line, "one more"),
            (line[1:], "one less"),
            ("\t" + line.lstrip(), "a tab"),
        ):
            yield Mutant(
                "bad-indentation",
                page.file,
                part.line,
                page.with_line(part.line, other),
                f"{note}: {line.strip()[:30]}",
                "choice",
            )


def _marks(page: Page, roles: list[Role]) -> Made:
    """Forget the colon after a key, a quote at the end, a bracket."""
    seen: set[int] = set()
    for part in page.parts.values():
        if part.key is None or part.is_inline or part.line in seen:
            continue
        seen.add(part.line)
        line = page.lines[part.line - 1]
        place = part.key.end_mark.column
        if line[place : place + 1] == ":":
            yield Mutant(
                "no-colon",
                page.file,
                part.line,
                page.with_line(part.line, line[:place] + line[place + 1 :]),
                line.strip()[:30],
                "choice",
            )
            if line[place + 1 : place + 2] == " ":
                yield Mutant(
                    "no-space",
                    page.file,
                    part.line,
                    page.with_line(part.line, line[: place + 1] + line[place + 2 :]),
                    line.strip()[:30],
                    "choice",
                )
        for mark in ('"', "]", "}"):
            if line.endswith(mark):
                yield Mutant(
                    "open-mark",
                    page.file,
                    part.line,
                    page.with_line(part.line, line[:-1]),
                    f"without {mark}: {line.strip()[:20]}",
                    "choice",
                )


def _jinja(page: Page, roles: list[Role]) -> Made:
    for role in roles:
        if role.name not in ("template", "text"):
            continue
        raw = page.raw(role.part)
        for mark, wrong in (
            ("}}", "}"),
            ("{{", "{"),
            ("%}", "}"),
            ("{% endif %}", ""),
            ("{% endfor %}", ""),
            ("{% else %}", "{% esle %}"),
        ):
            place = raw.rfind(mark)
            if place >= 0:
                # A block that is not closed may be told at its beginning, or where the text ends.
                first = page.line_of(role.part, 0)
                last = page.line_of(role.part, len(raw.rstrip()))
                yield Mutant(
                    "broken-jinja",
                    page.file,
                    page.line_of(role.part, place),
                    page.with_raw(role.part, place, mark, wrong),
                    f"{mark} -> {wrong}",
                    "slip",
                    also=tuple(range(first, last + 1)) if not wrong else (),
                )


def _reserved(page: Page, roles: list[Role]) -> Made:
    """Write what YAML reads as something else than a text."""
    for role in roles:
        part = role.part
        if role.name != "text" or part.text is None or "\n" in part.text:
            continue
        if kind_of(page.file) == "messages" and page.raw(part).startswith('"{'):
            bare = page.raw(part)[1:-1]
            yield Mutant(
                "no-quotes",
                page.file,
                part.value_line,
                page.with_value(part, bare),
                bare[:30],
                "choice",
            )


BREAKAGE: Mapping[str, Callable[[Page, list[Role]], Made]] = {
    "duplicate-key": _duplicated,
    "wrong-type": _typed,
    "bad-indentation": _indented,
    "marks": _marks,
    "broken-jinja": _jinja,
    "no-quotes": _reserved,
}
