"""Meta's rules for the body of `POST /{version}/{phone_number_id}/messages`: one table.

It knows shapes and limits only, not whether a recipient exists or a token is right. Characters are
counted as code points, for Meta does not say how it counts. Where its pages disagree (list body:
1024 or 4096, flow_cta: 20 or 30) the larger number is the limit: what surely fails is refused.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.interactive import INTERACTIVE, TYPE
from engine.sandbox.media import AUDIO, DOCUMENT, IMAGE, STICKER, VIDEO
from engine.sandbox.shapes import (
    INVALID,
    MISSING,
    NOT_VALID,
    Shape,
    each,
    flag,
    mapping,
    number,
    one_of,
    shape,
    string,
    text,
    variant,
)


def someone(_: str, body: Any) -> Iterator[Complaint]:
    """Want a recipient: a phone number in `to` or a business-scoped user id in `recipient`."""
    if body.get("to") is None and body.get("recipient") is None:
        yield Complaint(MISSING, "Param to is required")


def no_quoting_reaction(_: str, body: Any) -> Iterator[Complaint]:
    """Want no reaction that is a reply as well."""
    if body["type"] == "reaction" and body.get("context") is not None:
        yield Complaint(NOT_VALID, "Param context is not allowed with type reaction")


LOCATION = shape(
    {
        "latitude": number(-90, 90),
        "longitude": number(-180, 180),
        "name?": text(),
        "address?": text(),
    }
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
TEMPLATE = shape(
    {
        "name": text(512, like=r"[a-z0-9_]+"),
        "language": shape({"code": text(), "policy?": one_of("deterministic")}),
        "components?": each(COMPONENT, least=0),
    }
)

KINDS: Mapping[str, Shape] = MappingProxyType(
    {
        "audio": AUDIO,
        "document": DOCUMENT,
        "image": IMAGE,
        "interactive": INTERACTIVE,
        "location": LOCATION,
        "reaction": shape({"message_id": text(), "emoji": string}),
        "sticker": STICKER,
        "template": TEMPLATE,
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
