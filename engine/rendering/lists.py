"""Rows and buttons of a message: which are offered, under which ids, and on which page."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.rendering.fitting import Context, Fitted, How, note, short_text
from engine.spec.message import Entry, ListPart, Message
from engine.whatsapp import limits
from engine.whatsapp.interactive import ListRow, ListSection


@dataclass(frozen=True, slots=True)
class Option:
    """A row or button, rendered."""

    id: str
    title: str
    description: str | None = None


def offers(entries: tuple[Entry, ...], context: Context) -> Iterator[tuple[Entry, Context]]:
    """Give the entries whose conditions hold, repeated ones once per element."""
    for entry in entries:
        for local in _rounds(entry, context):
            if entry.condition is None or entry.condition.holds(local):
                yield entry, local


def option_of(entry: Entry, context: Context, title_limit: int) -> Option:
    """Render a row or button."""
    title = short_text(entry.title, context, title_limit)
    description = short_text(entry.description, context, limits.ROW_DESCRIPTION)
    tapped = wire_id(entry, context)
    return Option(tapped, title or limits.fit(tapped, title_limit), description)


def _rounds(entry: Entry, context: Context) -> Iterator[Context]:
    if entry.each is None:
        yield context
        return
    for item in entry.each.evaluate(context) or ():
        yield {**context, "item": item}


def wire_id(entry: Entry, context: Context) -> str:
    """Give what a tap on a row or button brings."""
    if entry.id:
        return entry.id.render(context)
    argument = entry.argument.render(context) if entry.argument else ""
    return f"{entry.event}:{argument}" if argument else entry.event


def list_sections(message: Message, part: ListPart, context: Context) -> list[ListSection]:
    """Render the rows of one page: fixed rows are on every page, repeated ones are paged."""
    offered = [(section, list(offers(section.entries, context))) for section in part.sections]
    fixed = sum(1 for _, rows in offered for entry, _ in rows if entry.each is None)
    repeated = sum(len(rows) for _, rows in offered) - fixed
    window, more = _page(part, context, room=limits.LIST_ROWS - fixed, repeated=repeated)
    if fixed + repeated > limits.LIST_ROWS:
        how: How = "paged" if more else "left_out"
        note(context, Fitted(message.where, how, limits.LIST_ROWS, fixed + repeated))
    sections: list[ListSection] = []
    place = 0
    seen: set[str] = set()
    for section, rows in offered:
        kept: list[ListRow] = []
        for entry, local in rows:
            shown = entry.each is None or place in window
            place += entry.each is not None
            if not shown or len(seen) == limits.LIST_ROWS:
                continue
            option = option_of(entry, local, limits.ROW_TITLE)
            if option.id not in seen:
                seen.add(option.id)
                kept.append(ListRow(option.id, option.title, option.description))
        if kept:
            title = short_text(section.title, context, limits.SECTION_TITLE)
            sections.append(ListSection(tuple(kept), title))
    if len(sections) > 1:
        sections = [replace(part, title=part.title or "…") for part in sections]
    if more and sections:
        last = sections[-1]
        sections[-1] = ListSection((*last.rows, more), last.title)
    return sections


def _page(
    part: ListPart, context: Context, *, room: int, repeated: int
) -> tuple[range, ListRow | None]:
    if repeated <= room or part.more is None or room < 2:
        return range(max(room, 0)), None
    size = room - 1
    pages = -(-repeated // size)
    asked = context["event"].get("page", 1)
    page = min(max(asked if isinstance(asked, int) else 1, 1), pages)
    window = range((page - 1) * size, page * size)
    # After the last page the row leads back to the first: no page is a dead end.
    following = page % pages + 1
    title = short_text(part.more.title, context, limits.ROW_TITLE) or "…"
    row = ListRow(f"{part.more.id.render(context)}#{following}", title, f"{page}/{pages}")
    return window, row
