"""Texts, pictures, templates, receipts, and the request body that takes any message."""

import dataclasses

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.whatsapp import limits
from engine.whatsapp.interactive import (
    ButtonsMessage,
    LinkMessage,
    ListMessage,
    ListRow,
    ListSection,
    ReplyButton,
)
from engine.whatsapp.outbound import (
    ImageMessage,
    ReadReceipt,
    TemplateMessage,
    TextMessage,
    to_payload,
)
from engine.whatsapp.rules import InvalidMessage
from tests.unit.whatsapp.messages import (
    IMAGE,
    assert_limit,
    assert_refused,
    assert_wire,
    link,
    made,
)

SHAPES = [
    (
        TextMessage("Hola *Ana*"),
        {"type": "text", "text": {"body": "Hola *Ana*", "preview_url": False}},
    ),
    (
        TextMessage("https://a.example", preview_url=True),
        {"type": "text", "text": {"body": "https://a.example", "preview_url": True}},
    ),
    (ImageMessage(IMAGE), {"type": "image", "image": {"link": IMAGE}}),
    (
        ImageMessage(IMAGE, "Margherita"),
        {"type": "image", "image": {"link": IMAGE, "caption": "Margherita"}},
    ),
    (
        TemplateMessage("order_ready", "en_US"),
        {"type": "template", "template": {"name": "order_ready", "language": {"code": "en_US"}}},
    ),
    (
        TemplateMessage(
            "order_ready",
            "es",
            ({"type": "body", "parameters": [{"type": "text", "text": "A1"}]},),
        ),
        {
            "type": "template",
            "template": {
                "name": "order_ready",
                "language": {"code": "es"},
                "components": [{"type": "body", "parameters": [{"type": "text", "text": "A1"}]}],
            },
        },
    ),
    (
        ReadReceipt("wamid.A"),
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.A",
            "typing_indicator": {"type": "text"},
        },
    ),
    (
        ReadReceipt("wamid.A", typing=False),
        {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.A"},
    ),
]


@pytest.mark.parametrize(("message", "wire"), SHAPES)
def test_wire_shape(message, wire):
    assert_wire(message, wire)


# Each: how to make the message from a text, the field that is named, the limit.
TEXT_LIMITS = [
    (TextMessage, "text.body", 4096),
    (lambda text: ImageMessage(IMAGE, text), "image.caption", 1024),
    (lambda text: TemplateMessage(text, "en"), "template.name", 512),
    (
        lambda text: to_payload(TextMessage("a"), to="123456", opaque=text),
        "biz_opaque_callback_data",
        512,
    ),
]


@pytest.mark.parametrize(("make", "field", "limit"), TEXT_LIMITS, ids=[t[1] for t in TEXT_LIMITS])
def test_text_limit(make, field, limit):
    assert_limit(lambda length: make("x" * length), field, limit)


INVALID = [
    (lambda: TextMessage(""), "text.body"),
    (lambda: TextMessage(" \n"), "text.body"),
    (lambda: TextMessage("half \ud83c"), "text.body"),
    (lambda: TemplateMessage("", "en"), "template.name"),
    (lambda: TemplateMessage("Order-Ready", "en"), "template.name"),
    (lambda: TemplateMessage("order_ready", ""), "template.language"),
    (
        lambda: TemplateMessage("order_ready", "en", ({"parameters": [None]},)),
        "template.components[0].parameters[0]",
    ),
    (lambda: ReadReceipt(""), "read.message_id"),
]


@pytest.mark.parametrize(("make", "field"), INVALID)
def test_rule(make, field):
    assert_refused(make, field)


def test_a_blank_optional_text_is_left_out():
    message = link(header=" ", image="", footer="\n")
    assert set(message.to_wire()["interactive"]) == {"type", "body", "action"}
    assert ImageMessage(IMAGE, "").to_wire()["image"] == {"link": IMAGE}


def test_a_message_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TextMessage("a").body = "b"  # type: ignore[misc]


def test_payload_to_a_phone_number():
    assert to_payload(TextMessage("Hola"), to="5491122223333", opaque="out-1") == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "+5491122223333",
        "type": "text",
        "text": {"body": "Hola", "preview_url": False},
        "biz_opaque_callback_data": "out-1",
    }
    assert to_payload(TextMessage("Hola"), to="+5491122223333")["to"] == "+5491122223333"


def test_payload_to_a_user_id():
    payload = to_payload(TextMessage("Hola"), to=None, recipient="US.13491208655302741918")
    assert payload == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "recipient": "US.13491208655302741918",
        "type": "text",
        "text": {"body": "Hola", "preview_url": False},
    }


@pytest.mark.parametrize(
    ("to", "recipient", "field"),
    [
        (None, None, "to"),
        ("", "", "to"),
        ("123456", "US.1", "to"),
        ("US.1", None, "to"),
        ("++123456", None, "to"),
        ("12 34 56", None, "to"),
        ("١٢٣٤٥٦", None, "to"),
        (None, " ", "recipient"),
    ],
)
def test_payload_needs_one_address(to, recipient, field):
    with pytest.raises(InvalidMessage) as caught:
        to_payload(TextMessage("Hola"), to=to, recipient=recipient)
    assert caught.value.field == field


def test_payload_of_a_receipt_is_the_receipt():
    assert to_payload(ReadReceipt("wamid.A"), to=None) == ReadReceipt("wamid.A").to_wire()


any_text = st.text(min_size=1, max_size=20) | st.text(max_size=80) | st.text("🍕", max_size=40)

any_optional = st.none() | any_text

any_rows = st.lists(
    st.builds(ListRow, any_text, any_text, any_optional), min_size=1, max_size=6
).map(tuple)

any_sections = st.lists(
    st.builds(ListSection, any_rows, any_optional), min_size=1, max_size=3
).map(tuple)

any_buttons = st.lists(st.builds(ReplyButton, any_text, any_text), min_size=1, max_size=4).map(
    tuple
)

WIRE_LIMITS = {
    "body": limits.INTERACTIVE_BODY,
    "header": limits.HEADER_TEXT,
    "footer": limits.FOOTER,
    "title": limits.ROW_TITLE,
    "description": limits.ROW_DESCRIPTION,
    "button": limits.LIST_BUTTON,
    "display_text": limits.CTA_DISPLAY_TEXT,
    "flow_cta": limits.FLOW_CTA,
}


def assert_within_limits(key, value):
    if isinstance(value, dict):
        if key in {"body", "header", "footer"} and "text" in value:
            assert limits.length(value["text"]) <= WIRE_LIMITS[key]
        for name, member in value.items():
            assert_within_limits(name, member)
    elif isinstance(value, list):
        assert len(value) <= (limits.BUTTONS if key == "buttons" else limits.LIST_ROWS)
        for member in value:
            assert_within_limits(key, member)
    elif key in WIRE_LIMITS:
        assert limits.length(value) <= WIRE_LIMITS[key]
        assert value.strip()


@settings(deadline=None)
@given(
    kind_and_fields=st.one_of(
        st.tuples(
            st.just(ListMessage),
            st.fixed_dictionaries(
                {"body": any_text, "button": any_text, "sections": any_sections},
                optional={"header": any_optional, "footer": any_optional},
            ),
        ),
        st.tuples(
            st.just(ButtonsMessage),
            st.fixed_dictionaries(
                {"body": any_text, "buttons": any_buttons},
                optional={"header": any_optional, "image": any_optional, "footer": any_optional},
            ),
        ),
        st.tuples(
            st.just(LinkMessage),
            st.fixed_dictionaries(
                {"body": any_text, "text": any_text, "url": st.just(IMAGE) | any_text},
                optional={"header": any_optional, "footer": any_optional},
            ),
        ),
        st.tuples(st.just(TextMessage), st.fixed_dictionaries({"body": st.text(st.characters())})),
    )
)
def test_whatever_can_be_made_is_within_the_limits(kind_and_fields):
    message = made(*kind_and_fields)
    if message is not None:
        payload = to_payload(message, to="123456")
        assert orjson.loads(orjson.dumps(payload)) == payload
        assert_within_limits("", payload.get("interactive"))
