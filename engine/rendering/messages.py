"""An authored message and a turn's data -> one of WhatsApp's messages, always within its limits.

What an author wrote was checked when it was loaded; what templates bring in (a long product name,
a full menu) is fitted here: texts are cut on a word or sent in two parts, lists are paged, too
many buttons become a list.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.errors import LimitExceeded, RenderFailed
from engine.rendering.fitting import (
    FITTED,
    Context,
    Fitted,
    in_halves,
    long_text,
    note,
    short_text,
    whole_text,
)
from engine.rendering.lists import Option, list_sections, offers, option_of
from engine.rendering.views import plain
from engine.spec.chart import Value
from engine.spec.message import Message, ProductsPart
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
from engine.whatsapp.templates import template_language


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
    halves = in_halves(whole_text(message.text, context), limits.INTERACTIVE_BODY)
    if halves is None:
        return (made,)
    ahead, rest = halves
    if FITTED in context:
        # The text is whole after all, in two messages.
        where = message.text.where if message.text else message.where
        size = limits.length(whole_text(message.text, context))
        held = context[FITTED]
        held[:] = [one for one in held if (one.where, one.how) != (where, "cut")]
        held.append(Fitted(where, "split", limits.INTERACTIVE_BODY, size))
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


def _image(message: Message, context: Context) -> str | None:
    link = message.image.render(context).strip() if message.image else ""
    try:
        return ImageMessage(link).link
    except InvalidMessage:  # an address of the catalog that is none is no reason to say nothing
        return None


def _text(message: Message, context: Context) -> OutboundMessage:
    body = long_text(message.text, context, limits.TEXT_BODY)
    return TextMessage(body, preview_url="https://" in body)


def _picture(message: Message, context: Context) -> OutboundMessage:
    link = _image(message, context)
    if link is None:
        return _text(message, context)
    return ImageMessage(link, long_text(message.text, context, limits.CAPTION) or None)


def _buttons(message: Message, context: Context) -> OutboundMessage:
    found: dict[str, Option] = {}
    for entry, local in offers(message.buttons, context):
        option = option_of(entry, local, limits.BUTTON_TITLE)
        found.setdefault(option.id, option)
    options = list(found.values())
    if not options:
        return _picture(message, context)
    # Buttons must differ in what they say, rows need not.
    if len(options) > limits.BUTTONS or len({o.title for o in options}) < len(options):
        return _buttons_as_list(message, context, options)
    image = _image(message, context)
    return ButtonsMessage(
        long_text(message.text, context, limits.INTERACTIVE_BODY),
        tuple(ReplyButton(o.id, o.title) for o in options),
        header=None if image else short_text(message.header, context, limits.HEADER_TEXT),
        image=image,
        footer=short_text(message.footer, context, limits.FOOTER),
    )


def _buttons_as_list(message: Message, context: Context, options: list[Option]) -> OutboundMessage:
    note(context, Fitted(message.where, "as_list", limits.BUTTONS, len(options)))
    if len(options) > limits.LIST_ROWS:
        note(context, Fitted(message.where, "left_out", limits.LIST_ROWS, len(options)))
    rows = tuple(ListRow(o.id, o.title) for o in options[: limits.LIST_ROWS])
    return ListMessage(
        long_text(message.text, context, limits.INTERACTIVE_BODY),
        limits.fit(str(context["terms"].get("choose", "…")), limits.LIST_BUTTON),
        (ListSection(rows),),
        header=short_text(message.header, context, limits.HEADER_TEXT),
        footer=short_text(message.footer, context, limits.FOOTER),
    )


def _list(message: Message, context: Context) -> OutboundMessage:
    part = message.list
    assert part is not None
    sections = list_sections(message, part, context)
    if not sections:
        return _text(message, context)
    return ListMessage(
        long_text(message.text, context, limits.INTERACTIVE_BODY),
        short_text(part.button, context, limits.LIST_BUTTON) or "…",
        tuple(sections),
        header=short_text(message.header, context, limits.HEADER_TEXT),
        footer=short_text(message.footer, context, limits.FOOTER),
    )


def _link(message: Message, context: Context) -> OutboundMessage:
    link = message.link
    assert link is not None
    image = _image(message, context)
    return LinkMessage(
        long_text(message.text, context, limits.INTERACTIVE_BODY),
        short_text(link.title, context, limits.CTA_DISPLAY_TEXT) or "…",
        url=link.url.render(context),
        header=None if image else short_text(message.header, context, limits.HEADER_TEXT),
        image=image,
        footer=short_text(message.footer, context, limits.FOOTER),
    )


def _location(message: Message, context: Context) -> OutboundMessage:
    return LocationRequest(long_text(message.text, context, limits.INTERACTIVE_BODY))


def _product(message: Message, context: Context) -> OutboundMessage:
    part = message.products
    assert part is not None
    return ProductMessage(
        part.catalog.render(context),
        part.product.render(context) if part.product else "",
        body=long_text(message.text, context, limits.INTERACTIVE_BODY) or None,
        footer=short_text(message.footer, context, limits.FOOTER),
    )


def _products(message: Message, context: Context) -> OutboundMessage:
    part = message.products
    assert part is not None
    sections = _product_sections(message, part, context)
    if not sections:
        return _text(message, context)
    return ProductListMessage(
        part.catalog.render(context),
        short_text(message.header, context, limits.HEADER_TEXT) or "…",
        body=long_text(message.text, context, limits.INTERACTIVE_BODY),
        sections=sections,
        footer=short_text(message.footer, context, limits.FOOTER),
    )


def _product_sections(
    message: Message, part: ProductsPart, context: Context
) -> tuple[ProductSection, ...]:
    """Take as many products as a message shows, in sections that are not empty."""
    if part.sections is None:
        items = part.products.evaluate(context) if part.products else ()
        title = short_text(part.title, context, limits.SECTION_TITLE)
        groups = [(title, [item["id"] for item in items or ()])]
    else:
        made = part.sections.evaluate(context) or ()
        groups = [(_section_title(section["title"]), section["items"]) for section in made]
    sections: list[ProductSection] = []
    room = limits.PRODUCT_LIST_ITEMS
    size = sum(len(found) for _, found in groups)
    if size > room:
        note(context, Fitted(message.where, "left_out", room, size))
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
        long_text(message.text, context, limits.INTERACTIVE_BODY),
        thumbnail_product_id=part.thumbnail.render(context) if part.thumbnail else None,
        footer=short_text(message.footer, context, limits.FOOTER),
    )


def _flow(message: Message, context: Context) -> OutboundMessage:
    part = message.flow
    assert part is not None
    screen = part.screen.render(context) if part.screen else None
    image = _image(message, context)
    return FlowMessage(
        long_text(message.text, context, limits.INTERACTIVE_BODY),
        part.id.render(context),
        cta=short_text(part.cta, context, limits.FLOW_CTA) or "…",
        token=part.token.render(context),
        action="navigate" if screen else "data_exchange",
        screen=screen,
        data=plain(evaluate(part.data, context)) if part.data else None,
        header=None if image else short_text(message.header, context, limits.HEADER_TEXT),
        image=image,
        footer=short_text(message.footer, context, limits.FOOTER),
    )


def _template(message: Message, context: Context) -> TemplateMessage:
    part = message.template
    assert part is not None
    # Meta takes no line breaks in them.
    texts = (" ".join(p.render(context).split()) for p in part.parameters)
    parameters = [{"type": "text", "text": text} for text in texts]
    components: list[Mapping[str, Any]] = []
    if parameters:
        components.append({"type": "body", "parameters": parameters})
    # A reply means what the message's own button of that event means.
    ids = (
        {
            e.event: option_of(e, local, limits.BUTTON_TITLE).id
            for e, local in offers(message.buttons, context)
        }
        if part.buttons
        else {}
    )
    for place, button in enumerate(part.buttons):
        reply = {"type": "payload", "payload": ids.get(button.event, button.event)}
        components.append(
            {
                "type": "button",
                "sub_type": "quick_reply",
                "index": str(place),
                "parameters": [reply],
            }
        )
    return TemplateMessage(part.name, template_language(context["locale"]), tuple(components))


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
