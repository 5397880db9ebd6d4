"""Mistakes in messages: what is missing in a language, too long, or leads nowhere."""

from collections.abc import Callable, Mapping
from functools import partial

from engine.whatsapp import limits
from tests.content.mutants.mutant import Made, Mutant
from tests.content.mutants.page import Page, Part
from tests.content.mutants.roles import Role

_LIMITS: Mapping[str, int] = {
    "text": limits.TEXT_BODY,
    "header": limits.HEADER_TEXT,
    "footer": limits.FOOTER,
    "description": limits.ROW_DESCRIPTION,
    "button": limits.LIST_BUTTON,
    "cta": limits.FLOW_CTA,
}
_LONG = "and some more words that nobody will ever read "


def _is_messages(page: Page) -> bool:
    return "messages/" in page.file


def _is_language(page: Page) -> bool:
    return page.file.endswith((".en.yaml", ".es.yaml"))


def _limit(part: Part) -> int:
    if part.name in _LIMITS:
        return _LIMITS[part.name]
    is_row = "rows" in part.path or "more" in part.path
    return limits.ROW_TITLE if is_row else limits.BUTTON_TITLE


def _too_long(page: Page, roles: list[Role]) -> Made:
    for role in roles:
        if role.name != "text":
            continue
        part = role.part
        is_message = len(part.path) == 2  # a message that is only its text
        limit = limits.TEXT_BODY if is_message else _limit(part)
        begun = (part.text or "").split("{")[0].replace("\n", " ").replace('"', "'").strip()
        size = limit * 2 + len(_LONG)
        long = f"{begun} {_LONG * (size // len(_LONG) + 1)}"[:size].strip()
        name = "text" if is_message else part.name if part.name in _LIMITS else "title"
        text = page.with_value(part, f'"{long}"')
        yield Mutant(
            "too-long",
            page.file,
            part.value_line,
            text,
            f"{name} of {size}",
            "choice",
            also=(part.line,),
        )


def _deleted(
    operator: str, wanted: Callable[[Page, Role], bool], page: Page, roles: list[Role]
) -> Made:
    if not _is_messages(page):
        return
    for role in roles:
        if wanted(page, role):
            path = ".".join(map(str, role.part.path))
            names = tuple(str(one) for one in role.part.path[1:2])
            yield Mutant(
                operator,
                page.file,
                role.part.line,
                page.without(role.part),
                f"- {path}",
                "choice",
                names=names,
                also=page.around(role.part),
                path=role.part.path,
            )


def _is_translation(page: Page, role: Role) -> bool:
    return _is_language(page) and role.name == "text" and len(role.part.path) > 2


def _is_form(page: Page, role: Role) -> bool:
    names = ("argument", "id", "each", "more", "token", "template", "image", "catalog", "rows")
    return role.name == "key" and role.part.name in names and len(role.part.path) > 2


def _many_buttons(page: Page, roles: list[Role]) -> Made:
    """Write a fourth button that is always there."""
    for role in roles:
        part = role.part
        if role.name != "key" or part.name != "buttons" or part.siblings == 0:
            continue
        entries = list(page.under(*part.path))
        if len(entries) < 2 or entries[0].is_inline:
            continue
        indent = " " * (entries[0].key.start_mark.column if entries[0].key else 0)
        known = {one.name for one in entries}
        added = [e for e in ("help", "view_cart", "browse_catalog", "checkout") if e not in known]
        more = [f"{e}: {'{}' if not _is_language(page) else 'More'}" for e in added[:3]]
        text = page.text
        for one in reversed(more):
            at = max(e.line for e in entries)
            text = Page(page.file, text).with_more(at, indent + one)
        first = max(e.line for e in entries)
        yield Mutant(
            "too-many-buttons",
            page.file,
            first + 1,
            text,
            " ".join(added),
            "choice",
            also=(first, first + 2, first + 3),
            names=tuple(added),
        )


def _wire_ids(page: Page, roles: list[Role]) -> Made:
    """Write another prefix in an id that is spelt out, such as `cat:fondos`."""
    for role in roles:
        text = role.part.text or ""
        if role.name == "key" and role.part.name == "id" and ":" in text and "{" not in text:
            wrong = "x" + text
            yield Mutant(
                "misspelt-id",
                page.file,
                role.part.value_line,
                page.with_value(role.part, f'"{wrong}"'),
                f"{text} -> {wrong}",
                "slip",
            )
            gone = text + "s"
            yield Mutant(
                "misspelt-id",
                page.file,
                role.part.value_line,
                page.with_value(role.part, f'"{gone}"'),
                f"{text} -> {gone}",
                "slip",
            )


WORDING: Mapping[str, Callable[[Page, list[Role]], Made]] = {
    "too-long": _too_long,
    "too-many-buttons": _many_buttons,
    "misspelt-id": _wire_ids,
    "deleted-message": partial(
        _deleted, "deleted-message", lambda _, role: role.name == "message"
    ),
    "deleted-translation": partial(_deleted, "deleted-translation", _is_translation),
    "deleted-button": partial(_deleted, "deleted-button", lambda _, role: role.name == "entry"),
    "deleted-form": partial(_deleted, "deleted-form", _is_form),
    "deleted-intent": partial(_deleted, "deleted-intent", lambda _, role: role.name == "intent"),
    "deleted-term": partial(_deleted, "deleted-term", lambda _, role: role.name == "term"),
}
