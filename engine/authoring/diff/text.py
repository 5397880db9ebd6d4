"""A diff as lines for a terminal, as Markdown for a pull request, or as plain values for JSON."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

from engine.authoring.diff.changes import (
    Diff,
    Example,
    MessageChange,
    Places,
    ScreenChange,
    SettingChange,
    WayChange,
    WayKind,
)
from engine.domain.ids import TenantId

_HEADINGS: dict[WayKind, str] = {
    "now": "Customers can now",
    "no longer": "Customers can no longer",
    "otherwise": "Answered otherwise",
}
_AROUND = 3
_MOST_NAMES = 8
MOST_MARKDOWN = 60_000
"""A pull request's comment holds 65,536 characters."""


def summary(diff: Diff) -> str:
    """Count what differs, in a few words."""
    counts = (
        (len({change.message for change in diff.messages}), "message"),
        (len(diff.ways), "way"),
        (len(diff.screens), "screen"),
        (len(diff.settings), "setting"),
        (len(diff.added), "new tenant"),
        (len(diff.removed), "removed tenant"),
    )
    found = [f"{count} {what}{'s' if count > 1 else ''}" for count, what in counts if count]
    return ", ".join(found) or "customers notice nothing"


def plain_diff(diff: Diff) -> dict[str, Any]:
    """Give a diff as values a program may read."""
    return {"is_empty": diff.is_empty, **asdict(diff)}


# A terminal ----------------------------------------------------------------------------------


def text_diff(diff: Diff) -> Iterator[str]:
    """Write a diff for a terminal."""
    for note in diff.notes:
        yield f"note: {note}"
    for tenant, greeting in diff.added.items():
        yield f"{tenant}: a new tenant"
        yield from (f"    {line}" for line in greeting)
    for tenant, greeting in diff.removed.items():
        yield f"{tenant}: the tenant is removed"
        yield from (f"    {line}" for line in greeting)
    for setting in diff.settings:
        yield f"{setting.tenant}: tenant.yaml: {_setting(setting)}"
    for message in diff.messages:
        yield f"{message.message} ({message.language}): {_places(message.places)}"
        yield from _text_examples(message.examples, is_written=message.is_written)
    for way in diff.ways:
        offered = f" (in {way.offered_in})" if way.offered_in else ""
        yield f"{_HEADINGS[way.kind].lower()}: {_names(way.acts, '; ')}{offered}"
        yield f"    {_places(way.places)}"
        yield from (f"  {line}" for line in marked_lines(way.answer))
    for screen in diff.screens:
        where = ", ".join(screen.tenants)
        yield f"{screen.flow}, {screen.screen} ({screen.language}): {where}"
        yield from (f"  {line}" for line in marked_lines(screen.look))


def _text_examples(examples: tuple[Example, ...], *, is_written: bool) -> Iterator[str]:
    if is_written:
        yield "    (as it is written: no rehearsed customer was told it)"
    for place, example in enumerate(examples):
        if place:
            yield "    or:"
        yield from (f"  {line}" for line in marked_lines(example))


def _setting(change: SettingChange) -> str:
    before = "(not set)" if change.before is None else change.before
    after = "(not set)" if change.after is None else change.after
    return f"{change.setting}: {before} -> {after}"


def _places(places: Places) -> str:
    """Write places; tenants that share them in one go."""
    by_names: dict[tuple[str, ...], list[TenantId]] = {}
    for tenant, names in places.items():
        by_names.setdefault(names, []).append(tenant)
    parts = [
        f"{', '.join(tenants)}{': ' if names else ''}{_names(names)}"
        for names, tenants in by_names.items()
    ]
    return "; ".join(parts)


def _names(names: Iterable[str], mark: str = ", ") -> str:
    """Write names, not too many of them."""
    held = list(names)
    more = len(held) - _MOST_NAMES
    return mark.join(held[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def marked_lines(example: Example) -> Iterator[str]:
    """Write both forms in one: `-` marks what goes, `+` what comes, the rest stays."""
    before, after = example.before or (), example.after or ()
    opcodes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for place, (tag, i, j, k, m) in enumerate(opcodes):
        if tag == "equal":
            yield from _unchanged(before[i:j], is_first=place == 0, is_last=j == len(before))
        else:
            yield from (f"- {line}".rstrip() for line in before[i:j])
            yield from (f"+ {line}".rstrip() for line in after[k:m])


def _unchanged(lines: tuple[str, ...], *, is_first: bool, is_last: bool) -> Iterator[str]:
    head = 0 if is_first else _AROUND
    tail = 0 if is_last else _AROUND
    if len(lines) <= max(head + tail + 2, 2 * _AROUND):
        yield from (f"  {line}".rstrip() for line in lines)
        return
    yield from (f"  {line}".rstrip() for line in lines[:head])
    yield "  …"
    yield from (f"  {line}".rstrip() for line in lines[len(lines) - tail :] if tail)


# Markdown ------------------------------------------------------------------------------------


def markdown_diff(diff: Diff, *, before: str, after: str) -> str:
    """Write a diff as Markdown; one that is too long for a comment is cut, and says so.

    Args:
        before, after: what was compared, such as `HEAD` and `the working files`.
    """
    blocks = list(_blocks(diff, before, after))
    size = 0
    kept: list[str] = []
    for block in blocks:
        size += len(block) + 2
        if size > MOST_MARKDOWN:
            left = len(blocks) - len(kept)
            kept.append(f"_{left} more parts do not fit here; run `comanda diff` to see them._")
            break
        kept.append(block)
    return "\n\n".join(kept) + "\n"


def _blocks(diff: Diff, before: str, after: str) -> Iterator[str]:
    yield "## What customers will notice"
    tenants = ", ".join(map(_code, diff.compared)) or "no tenant"
    yield f"{_code(before)} → {_code(after)}: **{summary(diff)}** ({tenants} compared)."
    for note in diff.notes:
        yield f"> {note}"
    for what, greetings in (("is new", diff.added), ("is removed", diff.removed)):
        for tenant, greeting in greetings.items():
            yield f"### {_code(tenant)} {what}"
            yield _fence(greeting)
    for group in _groups(diff):
        yield f"### {', '.join(map(_code, group))}"
        yield from _group(diff, group)


def _groups(diff: Diff) -> list[tuple[TenantId, ...]]:
    """Give the sets of tenants that share a change, the largest first."""
    found = [tuple(change.places) for change in diff.messages]
    found += [tuple(change.places) for change in diff.ways]
    found += [change.tenants for change in diff.screens]
    found += [(change.tenant,) for change in diff.settings]
    return sorted(dict.fromkeys(found), key=lambda group: -len(group))


def _group(diff: Diff, group: tuple[TenantId, ...]) -> Iterator[str]:
    settings = [change for change in diff.settings if (change.tenant,) == group]
    if settings:
        yield "#### Settings (`tenant.yaml`)"
        yield "\n".join(f"- {_code(change.setting)}: {_values(change)}" for change in settings)
    messages = [change for change in diff.messages if tuple(change.places) == group]
    messages.sort(key=lambda change: (change.is_written, change.message))
    for name, forms in groupby(messages, key=lambda change: change.message):
        yield from _message(name, list(forms))
    ways = [change for change in diff.ways if tuple(change.places) == group]
    for kind, heading in _HEADINGS.items():
        found = [change for change in ways if change.kind == kind]
        if found:
            yield f"#### {heading}"
        for change in found:
            yield from _way(change)
    for screen in diff.screens:
        if screen.tenants == group:
            yield from _screen(screen)


def _values(change: SettingChange) -> str:
    before = "_not set_" if change.before is None else _code(change.before)
    after = "_not set_" if change.after is None else _code(change.after)
    return f"{before} → {after}"


def _message(name: str, forms: list[MessageChange]) -> Iterator[str]:
    yield f"#### {_code(name)}"
    places = forms[0].places
    if any(places.values()):
        yield f"Said in {_markdown_places(places)}."
    for change in forms:
        written = ", as it is written: no rehearsed customer was told it"
        yield f"**{change.language}**{written if change.is_written else _fate(change)}"
        yield from (_fence(marked_lines(example), "diff") for example in change.examples)


def _fate(change: MessageChange) -> str:
    if all(example.before is None for example in change.examples):
        return ", new"
    gone = all(example.after is None for example in change.examples)
    return ", no longer said" if gone else ""


def _way(change: WayChange) -> Iterator[str]:
    acts = _names(map(_code, change.acts), "; ")
    offered = f" (in {_code(change.offered_in)})" if change.offered_in else ""
    places = f", in {_markdown_places(change.places)}" if any(change.places.values()) else ""
    yield f"- {acts}{offered}{places}"
    yield _fence(marked_lines(change.answer), "diff")


def _screen(change: ScreenChange) -> Iterator[str]:
    name = f"{change.flow}: {change.screen}"
    yield f"#### Flow {_code(name)} **{change.language}**"
    yield _fence(marked_lines(change.look), "diff")


def _markdown_places(places: Places) -> str:
    marked = {tenant: tuple(map(_code, names)) for tenant, names in places.items()}
    if len(set(marked.values())) == 1:
        return _names(next(iter(marked.values())))
    return _places(marked)


def _fence(lines: Iterable[str], kind: str = "") -> str:
    """Put lines into a block that nothing in them can end."""
    text = "\n".join(lines)
    mark = "```"
    while mark in text:
        mark += "`"
    return f"{mark}{kind}\n{text}\n{mark}"


def _code(text: str) -> str:
    """Write a short text as code, whatever is in it."""
    line = " ".join(text.split()) or " "
    mark = "`"
    while mark in line:
        mark += "`"
    return f"{mark} {line} {mark}" if "`" in line else f"{mark}{line}{mark}"
