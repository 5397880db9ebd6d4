"""Meta's rules for `interactive` messages, one entry for each type; the rest is in `rules`."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from engine.sandbox.envelope import Complaint
from engine.sandbox.media import FILENAME, WEB_ADDRESS, media
from engine.sandbox.shapes import (
    MISSING,
    NOT_VALID,
    Shape,
    each,
    exactly_one,
    integer,
    mapping,
    one_of,
    shape,
    text,
    variant,
)

ROWS_IN_A_LIST = 10
PRODUCTS_IN_A_LIST = 30


def rows_in_total(path: str, action: Any) -> Iterator[Complaint]:
    """Want at most ten rows over all sections of a list, with different ids."""
    rows = [row["id"] for section in action["sections"] for row in section["rows"]]
    if len(rows) > ROWS_IN_A_LIST:
        yield Complaint(
            NOT_VALID,
            f"Param {path}.sections must have at most {ROWS_IN_A_LIST} rows in total, "
            f"it has {len(rows)}",
        )
    yield from _repeated(f"{path}.sections[].rows[].id", rows)


def products_in_total(path: str, action: Any) -> Iterator[Complaint]:
    """Want at most thirty products over all sections of a product list."""
    products = sum(len(section["product_items"]) for section in action["sections"])
    if products > PRODUCTS_IN_A_LIST:
        yield Complaint(
            NOT_VALID,
            f"Param {path}.sections must have at most {PRODUCTS_IN_A_LIST} products in total, "
            f"it has {products}",
        )


def titled_sections(path: str, action: Any) -> Iterator[Complaint]:
    """Want a title on every section when there is more than one."""
    sections = action["sections"]
    for index, section in enumerate(sections):
        if len(sections) > 1 and section.get("title") is None:
            yield Complaint(MISSING, f"Param {path}.sections[{index}].title is required")


def different_buttons(path: str, action: Any) -> Iterator[Complaint]:
    """Want reply buttons with different ids and different titles."""
    for field in ("id", "title"):
        values = [button["reply"][field] for button in action["buttons"]]
        yield from _repeated(f"{path}.buttons[].reply.{field}", values)


def one_catalogue(path: str, action: Any) -> Iterator[Complaint]:
    """Want all cards of a carousel from one catalogue."""
    catalogues = {card["action"]["catalog_id"] for card in action["cards"]}
    if len(catalogues) > 1:
        yield Complaint(NOT_VALID, f"Param {path}.cards must name one catalog_id")


def payload_with_navigate(path: str, parameters: Any) -> Iterator[Complaint]:
    """Want a Flow's first screen named only when the action is to navigate."""
    navigates = parameters.get("flow_action") in (None, "navigate")
    if parameters.get("flow_action_payload") is not None and not navigates:
        yield Complaint(
            NOT_VALID, f"Param {path}.flow_action_payload is only for flow_action navigate"
        )


def _repeated(path: str, values: list[str]) -> Iterator[Complaint]:
    if len(set(values)) < len(values):
        yield Complaint(NOT_VALID, f"Param {path} must be unique")


TYPE: Mapping[str, Shape] = MappingProxyType({"type": text()})
TEXT_HEADER = shape({"type": one_of("text"), "text": text(60)})
HEADER = variant(
    "type",
    {
        "text": TEXT_HEADER,
        "image": shape({**TYPE, "image": media()}),
        "video": shape({**TYPE, "video": media()}),
        "document": shape({**TYPE, "document": media(FILENAME)}),
    },
)
BODY = shape({"text": text(1024)})
LONG_BODY = shape({"text": text(4096)})
FOOTER = shape({"text": text(60)})
SECTION_TITLE = text(24)

ROW = shape({"id": text(200), "title": text(24), "description?": text(72)})
ROWS = shape({"title?": SECTION_TITLE, "rows": each(ROW)})
LIST = shape(
    {"button": text(20), "sections": each(ROWS, most=10)},
    rows_in_total,
    titled_sections,
)
REPLY = shape({"id": text(256, like=r"\S(.*\S)?"), "title": text(20)})
BUTTONS = shape(
    {"buttons": each(shape({"type": one_of("reply"), "reply": REPLY}), most=3)},
    different_buttons,
)
LINK = shape({"display_text": text(20), "url": WEB_ADDRESS})
FLOW = shape(
    {
        "flow_message_version": one_of("3"),
        "flow_id?": text(),
        "flow_name?": text(),
        "flow_cta": text(30),
        "mode?": one_of("published", "draft"),
        "flow_token?": text(),
        "flow_action?": one_of("navigate", "data_exchange"),
        "flow_action_payload?": shape({"screen": text(), "data?": mapping(least=1)}),
    },
    exactly_one("flow_id", "flow_name"),
    payload_with_navigate,
)
PRODUCT = shape({"catalog_id": text(), "product_retailer_id": text()})
PRODUCTS = shape(
    {"title?": SECTION_TITLE, "product_items": each(shape({"product_retailer_id": text()}))}
)
PRODUCT_LIST = shape(
    {"catalog_id": text(), "sections": each(PRODUCTS, most=10)},
    products_in_total,
    titled_sections,
)
CARD = shape({"card_index": integer(0, 9), "type": one_of("product"), "action": PRODUCT})
CAROUSEL = shape({"cards": each(CARD, least=2, most=10)}, one_catalogue)
THUMBNAIL = shape({"thumbnail_product_retailer_id?": text()})
ADDRESS = shape(
    {
        "country": one_of("IN"),
        "values?": mapping(),
        "saved_addresses?": each(shape({"id": text(), "value": mapping()})),
        "validation_errors?": mapping(),
    }
)


def _action(name: str, fields: Mapping[str, Shape] = MappingProxyType({})) -> Shape:
    return shape({"name": one_of(name), **fields})


PLAIN: Mapping[str, Shape] = MappingProxyType({**TYPE, "body": BODY})
FOOTED: Mapping[str, Shape] = MappingProxyType({**PLAIN, "footer?": FOOTER})
HEADED: Mapping[str, Shape] = MappingProxyType({**FOOTED, "header?": HEADER})

INTERACTIVE = variant(
    "type",
    {
        "address_message": shape(
            {**PLAIN, "action": _action("address_message", {"parameters": ADDRESS})}
        ),
        "button": shape({**HEADED, "action": BUTTONS}),
        "carousel": shape({**PLAIN, "action": CAROUSEL}),
        "catalog_message": shape(
            {**FOOTED, "action": _action("catalog_message", {"parameters?": THUMBNAIL})}
        ),
        "cta_url": shape({**HEADED, "action": _action("cta_url", {"parameters": LINK})}),
        "flow": shape({**HEADED, "action": _action("flow", {"parameters": FLOW})}),
        "list": shape({**FOOTED, "header?": TEXT_HEADER, "body": LONG_BODY, "action": LIST}),
        "location_request_message": shape({**PLAIN, "action": _action("send_location")}),
        "product": shape({**TYPE, "body?": BODY, "footer?": FOOTER, "action": PRODUCT}),
        "product_list": shape({**FOOTED, "header": TEXT_HEADER, "action": PRODUCT_LIST}),
        "request_contact_info": shape({**PLAIN, "action": _action("request_contact_info")}),
    },
)
