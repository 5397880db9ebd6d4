"""An authored message and a turn's data -> one of WhatsApp's messages, always within its limits.

What an author wrote was checked when it was loaded; what templates bring in (a long product name,
a full menu) is fitted here: texts are cut on a word or sent in two parts, lists are paged, too
many buttons become a list.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import LimitExceeded, RenderFailed
from engine.rendering.views import plain
from engine.spec.model import Entry, ListPart, Message, ProductsPart, Value
from engine.templating.language import Expression, Text
from engine.whatsapp import limits
from engine.whatsapp.flow import FlowMessage
from engine.whatsapp.interactive import (
    ButtonsMessage,
    LinkMessage,
    ListMessage,
    ListRow,
    ListSection,
    LocationRequest,
    ReplyButton,
)
from engine.whatsapp.outbound import ImageMessage, OutboundMessage, TemplateMessage, TextMessage
from engine.whatsapp.products import (
    CatalogMessage,
    ProductListMessage,
    ProductMessage,
    ProductSection,
)
from engine.whatsapp.rules import InvalidMessage

Context = dict[str, Any]
_BLANK_LINES = re.compile(r"\n{3,}")


def render(message: Message, context: Context) -> OutboundMessage | None:
    """Make the message a customer gets; None if its own condition does not hold.

    Raises:
        RenderFailed: a template fails, or the result breaks a rule of WhatsApp all the same.
    """
    if message.condition and not message.condition.holds(context):
        return None
    try:
        return _MAKERS[message.kind](message, context)
    except (LimitExceeded, InvalidMessage) as error:
        raise RenderFailed(f"{message.where}: {error}") from error


def render_all(message: Message, context: Context) -> tuple[OutboundMessage, ...]:
    """Make the messages a customer gets: none, one, or two if its text is too long for buttons.

    Then the beginning goes ahead as a text, so that the end (the total of an order, say) is never
    what is cut off.

    Raises:
        RenderFailed: as `render`.
    """
    made = render(message, context)
    if not isinstance(made, (ButtonsMessage, ListMessage)) or not made.body.endswith("…"):
        return () if made is None else (made,)
    halves = _halves(_whole(message.text, context), limits.INTERACTIVE_BODY)
    if halves is None:
        return (made,)
    ahead, rest = halves
    return TextMessage(limits.fit(ahead, limits.TEXT_BODY)), replace(made, body=rest)


def render_template(message: Message, context: Context) -> TemplateMessage | None:
    """Make what is sent in a message's place when the 24-hour window is closed.

    None if it declares nothing for that, or is a template itself.

    Raises:
        RenderFailed: as `render`.
    """
    if message.template is None or message.kind == "template":
        return None
    try:
        return _template(message, context)
    except (LimitExceeded, InvalidMessage) as error:
        raise RenderFailed(f"{message.template.where}: {error}") from error


def _halves(text: str, limit: int) -> tuple[str, str] | None:
    """Split a text that does not fit between paragraphs, else between lines, so that its end does.

    None if it fits, or nothing can be done.
    """
    if limits.length(text) <= limit:
        return None
    for mark, room in (("\n\n", limit // 2), ("\n\n", limit), ("\n", limit // 2), ("\n", limit)):
        parts = text.split(mark)
        for place in range(1, len(parts)):
            rest = mark.join(parts[place:])
            if limits.length(rest) <= room:
                return mark.join(parts[:place]), rest
    return None


def evaluate(value: Value, context: Context) -> Any:
    """Calculate an argument; leaf texts are rendered, lone `{{ }}` keep their type."""
    if isinstance(value, Text):
        return value.render(context)
    if isinstance(value, Expression):
        return value.evaluate(context)
    if isinstance(value, dict):
        return {key: evaluate(part, context) for key, part in value.items()}
    if isinstance(value, list):
        return [evaluate(part, context) for part in value]
    return value


def _body(text: Text | None, context: Context, limit: int) -> str:
    return limits.fit(_whole(text, context), limit)


def _whole(text: Text | None, context: Context) -> str:
    rendered = text.render(context) if text else ""
    return _BLANK_LINES.sub("\n\n", rendered).strip()


def _short(text: Text | None, context: Context, limit: int) -> str | None:
    if text is None:
        return None
    return limits.fit(" ".join(text.render(context).split()), limit) or None


def _image(message: Message, context: Context) -> str | None:
    link = message.image.render(context).strip() if message.image else ""
    try:
        return ImageMessage(link).link
    except InvalidMessage:  # an address of the catalog that is none is no reason to say nothing
        return None


@dataclass(frozen=True, slots=True)
class _Option:
    """A row or button, rendered."""

    id: str
    title: str
    description: str | None = None


def _offered(entries: tuple[Entry, ...], context: Context) -> Iterator[tuple[Entry, Context]]:
    """Give the entries whose conditions hold, repeated ones once per element."""
    for entry in entries:
        for local in _rounds(entry, context):
            if entry.condition is None or entry.condition.holds(local):
                yield entry, local


def _option(entry: Entry, context: Context, title_limit: int) -> _Option:
    title = _short(entry.title, context, title_limit)
    description = _short(entry.description, context, limits.ROW_DESCRIPTION)
    wire_id = _wire_id(entry, context)
    return _Option(wire_id, title or limits.fit(wire_id, title_limit), description)


def _rounds(entry: Entry, context: Context) -> Iterator[Context]:
    if entry.each is None:
        yield context
        return
    for item in entry.each.evaluate(context) or ():
        yield {**context, "item": item}


def _wire_id(entry: Entry, context: Context) -> str:
    if entry.id:
        return entry.id.render(context)
    argument = entry.argument.render(context) if entry.argument else ""
    return f"{entry.event}:{argument}" if argument else entry.event


def _text(message: Message, context: Context) -> OutboundMessage:
    body = _body(message.text, context, limits.TEXT_BODY)
    return TextMessage(body, preview_url="https://" in body)


def _picture(message: Message, context: Context) -> OutboundMessage:
    link = _image(message, context)
    if link is None:
        return _text(message, context)
    return ImageMessage(link, _body(message.text, context, limits.CAPTION) or None)


def _buttons(message: Message, context: Context) -> OutboundMessage:
    found: dict[str, _Option] = {}
    for entry, local in _offered(message.buttons, context):
        option = _option(entry, local, limits.BUTTON_TITLE)
        found.setdefault(option.id, option)
    options = list(found.values())
    if not options:
        return _picture(message, context)
    # Buttons must differ in what they say, rows need not.
    if len(options) > limits.BUTTONS or len({o.title for o in options}) < len(options):
        return _buttons_as_list(message, context, options)
    image = _image(message, context)
    return ButtonsMessage(
        _body(message.text, context, limits.INTERACTIVE_BODY),
        tuple(ReplyButton(o.id, o.title) for o in options),
        header=None if image else _short(message.header, context, limits.HEADER_TEXT),
        image=image,
        footer=_short(message.footer, context, limits.FOOTER),
    )


def _buttons_as_list(
    message: Message, context: Context, options: list[_Option]
) -> OutboundMessage:
    rows = tuple(ListRow(o.id, o.title) for o in options[: limits.LIST_ROWS])
    return ListMessage(
        _body(message.text, context, limits.INTERACTIVE_BODY),
        limits.fit(str(context["terms"].get("choose", "…")), limits.LIST_BUTTON),
        (ListSection(rows),),
        header=_short(message.header, context, limits.HEADER_TEXT),
        footer=_short(message.footer, context, limits.FOOTER),
    )


def _list(message: Message, context: Context) -> OutboundMessage:
    part = message.list
    assert part is not None
    sections = _sections(part, context)
    if not sections:
        return _text(message, context)
    return ListMessage(
        _body(message.text, context, limits.INTERACTIVE_BODY),
        _short(part.button, context, limits.LIST_BUTTON) or "…",
        tuple(sections),
        header=_short(message.header, context, limits.HEADER_TEXT),
        footer=_short(message.footer, context, limits.FOOTER),
    )


def _sections(part: ListPart, context: Context) -> list[ListSection]:
    """Render the rows of one page: fixed rows are on every page, repeated ones are paged."""
    offered = [(section, list(_offered(section.entries, context))) for section in part.sections]
    fixed = sum(1 for _, rows in offered for entry, _ in rows if entry.each is None)
    repeated = sum(len(rows) for _, rows in offered) - fixed
    window, more = _page(part, context, room=limits.LIST_ROWS - fixed, repeated=repeated)
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
            option = _option(entry, local, limits.ROW_TITLE)
            if option.id not in seen:
                seen.add(option.id)
                kept.append(ListRow(option.id, option.title, option.description))
        if kept:
            title = _short(section.title, context, limits.SECTION_TITLE)
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
    title = _short(part.more.title, context, limits.ROW_TITLE) or "…"
    row = ListRow(f"{part.more.id.render(context)}#{following}", title, f"{page}/{pages}")
    return window, row


def _link(message: Message, context: Context) -> OutboundMessage:
    link = message.link
    assert link is not None
    image = _image(message, context)
    return LinkMessage(
        _body(message.text, context, limits.INTERACTIVE_BODY),
        _short(link.title, context, limits.CTA_DISPLAY_TEXT) or "…",
        url=link.url.render(context),
        header=None if image else _short(message.header, context, limits.HEADER_TEXT),
        image=image,
        footer=_short(message.footer, context, limits.FOOTER),
    )


def _location(message: Message, context: Context) -> OutboundMessage:
    return LocationRequest(_body(message.text, context, limits.INTERACTIVE_BODY))


def _product(message: Message, context: Context) -> OutboundMessage:
    part = message.products
    assert part is not None
    return ProductMessage(
        part.catalog.render(context),
        part.product.render(context) if part.product else "",
        body=_body(message.text, context, limits.INTERACTIVE_BODY) or None,
        footer=_short(message.footer, context, limits.FOOTER),
    )


def _products(message: Message, context: Context) -> OutboundMessage:
    part = message.products
    assert part is not None
    sections = _product_sections(part, context)
    if not sections:
        return _text(message, context)
    return ProductListMessage(
        part.catalog.render(context),
        _short(message.header, context, limits.HEADER_TEXT) or "…",
        body=_body(message.text, context, limits.INTERACTIVE_BODY),
        sections=sections,
        footer=_short(message.footer, context, limits.FOOTER),
    )


def _product_sections(part: ProductsPart, context: Context) -> tuple[ProductSection, ...]:
    """Take as many products as a message shows, in sections that are not empty."""
    if part.sections is None:
        items = part.products.evaluate(context) if part.products else ()
        title = _short(part.title, context, limits.SECTION_TITLE)
        groups = [(title, [item["id"] for item in items or ()])]
    else:
        made = part.sections.evaluate(context) or ()
        groups = [(_section_title(section["title"]), section["items"]) for section in made]
    sections: list[ProductSection] = []
    room = limits.PRODUCT_LIST_ITEMS
    for title, found in groups:
        ids = tuple(str(item) for item in found)[:room]
        room -= len(ids)
        if ids and len(sections) < limits.PRODUCT_LIST_SECTIONS:
            sections.append(ProductSection(title, ids))
    return tuple(sections)


def _section_title(title: object) -> str:
    return limits.fit(" ".join(str(title).split()), limits.SECTION_TITLE) or "…"


def _catalog(message: Message, context: Context) -> OutboundMessage:
    part = message.products
    assert part is not None
    return CatalogMessage(
        _body(message.text, context, limits.INTERACTIVE_BODY),
        thumbnail_product_id=part.thumbnail.render(context) if part.thumbnail else None,
        footer=_short(message.footer, context, limits.FOOTER),
    )


def _flow(message: Message, context: Context) -> OutboundMessage:
    part = message.flow
    assert part is not None
    screen = part.screen.render(context) if part.screen else None
    image = _image(message, context)
    return FlowMessage(
        _body(message.text, context, limits.INTERACTIVE_BODY),
        part.id.render(context),
        cta=_short(part.cta, context, limits.FLOW_CTA) or "…",
        token=part.token.render(context),
        action="navigate" if screen else "data_exchange",
        screen=screen,
        data=plain(evaluate(part.data, context)) if part.data else None,
        header=None if image else _short(message.header, context, limits.HEADER_TEXT),
        image=image,
        footer=_short(message.footer, context, limits.FOOTER),
    )


def _template(message: Message, context: Context) -> TemplateMessage:
    part = message.template
    assert part is not None
    # Meta takes no line breaks in them.
    texts = (" ".join(p.render(context).split()) for p in part.parameters)
    parameters = [{"type": "text", "text": text} for text in texts]
    components: tuple[Mapping[str, Any], ...] = ()
    if parameters:
        components = ({"type": "body", "parameters": parameters},)
    return TemplateMessage(part.name, context["locale"], components)


_MAKERS: Mapping[str, Callable[[Message, Context], OutboundMessage]] = {
    "text": _text,
    "image": _picture,
    "buttons": _buttons,
    "list": _list,
    "link": _link,
    "location": _location,
    "product": _product,
    "products": _products,
    "catalog": _catalog,
    "flow": _flow,
    "template": _template,
}
