"""Meta's rules for the body of `POST /{version}/{phone_number_id}/messages`: one table, from the published limits.

It knows shapes and limits only: whether a recipient exists or a token is right is decided elsewhere. Characters are
counted as code points, for Meta does not say how it counts. Where its pages disagree (list body 1024 or 4096,
flow_cta 20 or 30) the larger number is the limit here: the sandbox refuses what Meta surely refuses.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.shapes import (
    INVALID,
    MISSING,
    NOT_VALID,
    Shape,
    each,
    exactly_one,
    flag,
    mapping,
    number,
    one_of,
    shape,
    string,
    text,
    variant,
)

ROWS_IN_A_LIST = 10
PRODUCTS_IN_A_LIST = 30


def rows_in_total(_: str, action: Any) -> Iterator[Complaint]:
    """Want at most ten rows over all sections of a list, with different ids."""
    rows = [row["id"] for section in action["sections"] for row in section["rows"]]
    if len(rows) > ROWS_IN_A_LIST:
        yield Complaint(
            NOT_VALID,
            "Param interactive.action.sections must have at most "
            f"{ROWS_IN_A_LIST} rows in total, it has {len(rows)}",
        )
    yield from _repeated(rows, "interactive.action.sections[].rows[].id")


def products_in_total(_: str, action: Any) -> Iterator[Complaint]:
    """Want at most thirty products over all sections of a product list."""
    products = sum(len(section["product_items"]) for section in action["sections"])
    if products > PRODUCTS_IN_A_LIST:
        yield Complaint(
            NOT_VALID,
            "Param interactive.action.sections must have at most "
            f"{PRODUCTS_IN_A_LIST} products in total, it has {products}",
        )


def titled_sections(_: str, action: Any) -> Iterator[Complaint]:
    """Want a title on every section when there is more than one."""
    sections = action["sections"]
    for index, section in enumerate(sections):
        if len(sections) > 1 and not section.get("title"):
            yield Complaint(
                MISSING, f"Param interactive.action.sections[{index}].title is required"
            )


def different_buttons(_: str, action: Any) -> Iterator[Complaint]:
    """Want reply buttons with different ids and different titles."""
    for field in ("id", "title"):
        values = [button["reply"][field] for button in action["buttons"]]
        yield from _repeated(values, f"interactive.action.buttons[].reply.{field}")


def one_catalogue(path: str, action: Any) -> Iterator[Complaint]:
    """Want all cards of a carousel from one catalogue."""
    catalogues = {card["action"]["catalog_id"] for card in action["cards"]}
    if len(catalogues) > 1:
        yield Complaint(NOT_VALID, f"Param {path}.cards must name one catalog_id")


def payload_with_navigate(path: str, parameters: Any) -> Iterator[Complaint]:
    """Want a Flow's first screen named only when the action is to navigate."""
    navigates = parameters.get("flow_action", "navigate") == "navigate"
    if "flow_action_payload" in parameters and not navigates:
        yield Complaint(
            NOT_VALID, f"Param {path}.flow_action_payload is only for flow_action navigate"
        )


def someone(_: str, body: Any) -> Iterator[Complaint]:
    """Want a recipient: a phone number in `to` or a business-scoped user id in `recipient`."""
    if not body.get("to") and not body.get("recipient"):
        yield Complaint(MISSING, "Param to is required")


def no_quoting_reaction(_: str, body: Any) -> Iterator[Complaint]:
    """Want no reaction that is a reply as well."""
    if body["type"] == "reaction" and "context" in body:
        yield Complaint(NOT_VALID, "Param context is not allowed with type reaction")


def _repeated(values: list[str], path: str) -> Iterator[Complaint]:
    if len(set(values)) < len(values):
        yield Complaint(NOT_VALID, f"Param {path} must be unique")


WEB_ADDRESS = text(like=r"https?://\S+")


def _media(extra: Mapping[str, Shape] = MappingProxyType({})) -> Shape:
    one = exactly_one("id", "link")
    return shape({"id?": text(), "link?": WEB_ADDRESS, **extra}, one)


IMAGE = _media({"caption?": text(1024)})
VIDEO = _media({"caption?": text(1024)})
DOCUMENT = _media({"caption?": text(1024), "filename?": text()})
AUDIO = _media({"voice?": flag})
STICKER = _media()

TYPE: Mapping[str, Shape] = MappingProxyType({"type": text()})
TEXT_HEADER = shape({"type": one_of("text"), "text": text(60)})
HEADER = variant(
    "type",
    {
        "text": TEXT_HEADER,
        "image": shape({**TYPE, "image": _media()}),
        "video": shape({**TYPE, "video": _media()}),
        "document": shape({**TYPE, "document": _media({"filename?": text()})}),
    },
)
LONG_BODY = shape({"text": text(4096)})
BODY = shape({"text": text(1024)})
FOOTER = shape({"text": text(60)})

SECTION_TITLE = text(24)
ROW = shape({"id": text(200), "title": text(24), "description?": text(72)})
LIST_ACTION = shape(
    {
        "button": text(20),
        "sections": each(shape({"title?": SECTION_TITLE, "rows": each(ROW)}), most=10),
    },
    rows_in_total,
    titled_sections,
)
BUTTON = shape(
    {
        "type": one_of("reply"),
        "reply": shape({"id": text(256, like=r"\S(.*\S)?"), "title": text(20)}),
    }
)
BUTTONS_ACTION = shape({"buttons": each(BUTTON, most=3)}, different_buttons)
LINK_ACTION = shape(
    {
        "name": one_of("cta_url"),
        "parameters": shape({"display_text": text(20), "url": WEB_ADDRESS}),
    }
)
FLOW_PARAMETERS = shape(
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
PRODUCT = shape({"product_retailer_id": text()})
PRODUCT_LIST_ACTION = shape(
    {
        "catalog_id": text(),
        "sections": each(
            shape({"title?": SECTION_TITLE, "product_items": each(PRODUCT)}), most=10
        ),
    },
    products_in_total,
    titled_sections,
)
CATALOG_ACTION = shape(
    {
        "name": one_of("catalog_message"),
        "parameters?": shape({"thumbnail_product_retailer_id?": text()}),
    }
)
CARD = shape(
    {
        "card_index": number(0, 9),
        "type": one_of("product"),
        "action": shape({"product_retailer_id": text(), "catalog_id": text()}),
    }
)
ADDRESS_PARAMETERS = shape(
    {
        "country": one_of("IN"),
        "values?": mapping(),
        "saved_addresses?": each(shape({"id": text(), "value": mapping()})),
        "validation_errors?": mapping(),
    }
)


def _named(name: str) -> Shape:
    return shape({"name": one_of(name)})


INTERACTIVE = variant(
    "type",
    {
        "list": shape(
            {
                **TYPE,
                "header?": TEXT_HEADER,
                "body": LONG_BODY,
                "footer?": FOOTER,
                "action": LIST_ACTION,
            }
        ),
        "button": shape(
            {
                **TYPE,
                "header?": HEADER,
                "body": BODY,
                "footer?": FOOTER,
                "action": BUTTONS_ACTION,
            }
        ),
        "cta_url": shape(
            {**TYPE, "header?": HEADER, "body": BODY, "footer?": FOOTER, "action": LINK_ACTION}
        ),
        "flow": shape(
            {
                **TYPE,
                "header?": HEADER,
                "body": BODY,
                "footer?": FOOTER,
                "action": shape({"name": one_of("flow"), "parameters": FLOW_PARAMETERS}),
            }
        ),
        "product": shape(
            {
                **TYPE,
                "body?": BODY,
                "footer?": FOOTER,
                "action": shape({"catalog_id": text(), "product_retailer_id": text()}),
            }
        ),
        "product_list": shape(
            {
                **TYPE,
                "header": TEXT_HEADER,
                "body": BODY,
                "footer?": FOOTER,
                "action": PRODUCT_LIST_ACTION,
            }
        ),
        "catalog_message": shape(
            {**TYPE, "body": BODY, "footer?": FOOTER, "action": CATALOG_ACTION}
        ),
        "carousel": shape(
            {
                **TYPE,
                "body": BODY,
                "action": shape({"cards": each(CARD, least=2, most=10)}, one_catalogue),
            }
        ),
        "location_request_message": shape(
            {**TYPE, "body": BODY, "action": _named("send_location")}
        ),
        "request_contact_info": shape(
            {**TYPE, "body": BODY, "action": _named("request_contact_info")}
        ),
        "address_message": shape(
            {
                **TYPE,
                "body": BODY,
                "action": shape(
                    {"name": one_of("address_message"), "parameters": ADDRESS_PARAMETERS}
                ),
            }
        ),
    },
)

# What a parameter holds depends on the approved template, which the sandbox does not know.
PARAMETERS = each(shape({"type": text()}, closed=False), least=0)
COMPONENT = variant(
    "type",
    {
        "header": shape({**TYPE, "parameters?": PARAMETERS}),
        "body": shape({**TYPE, "parameters?": PARAMETERS}),
        "button": shape(
            {**TYPE, "sub_type": text(), "index": number(0, 9), "parameters?": PARAMETERS}
        ),
        "carousel": shape({**TYPE, "cards": each(mapping())}),
    },
)

KINDS: Mapping[str, Shape] = MappingProxyType(
    {
        "audio": AUDIO,
        "document": DOCUMENT,
        "image": IMAGE,
        "interactive": INTERACTIVE,
        "location": shape(
            {
                "latitude": number(-90, 90),
                "longitude": number(-180, 180),
                "name?": text(),
                "address?": text(),
            }
        ),
        "reaction": shape({"message_id": text(), "emoji": string}),
        "sticker": STICKER,
        "template": shape(
            {
                "name": text(512, like=r"[a-z0-9_]+"),
                "language": shape({"code": text(), "policy?": one_of("deterministic")}),
                "components?": each(COMPONENT, least=0),
            }
        ),
        "text": shape({"body": text(4096), "preview_url?": flag}),
        "video": VIDEO,
    }
)

READ = shape(
    {
        "status": one_of("read"),
        "message_id": text(),
        "typing_indicator?": shape({"type": one_of("text")}),
    },
    closed=False,
)
SEND = shape(
    {
        "recipient_type?": one_of("individual"),
        "to?": text(like=r"\+?[0-9][0-9 ()-]*"),
        "recipient?": text(like=r"[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,256}"),
        "type": text(),
        "context?": shape({"message_id": text()}),
        "biz_opaque_callback_data?": text(512),
        "recipient_identity_key_hash?": text(),
    },
    someone,
    no_quoting_reaction,
    closed=False,
)


def complaint(body: JsonObject) -> Complaint | None:
    """Return the first thing Meta has against the body of a send or a read receipt, or None."""
    return next(_complaints(body), None)


def _complaints(body: JsonObject) -> Iterator[Complaint]:
    if body.get("messaging_product") != "whatsapp":
        yield Complaint(INVALID, 'The parameter messaging_product is required and is "whatsapp"')
    if body.get("status") is not None:
        yield from READ("", body)
        return
    yield from SEND("", body)
    kind = body["type"]
    if kind not in KINDS:
        yield Complaint(INVALID, f"Param type must be one of {{{', '.join(KINDS)}}}")
    yield from shape({kind: KINDS[kind]}, closed=False)("", body)
