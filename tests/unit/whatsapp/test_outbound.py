"""Messages to customers: their wire shapes, every limit at and above it, every other rule."""

import dataclasses

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import LimitExceeded
from engine.whatsapp import limits
from engine.whatsapp.outbound import (
    ButtonsMessage,
    CatalogMessage,
    ContactRequest,
    FlowMessage,
    ImageMessage,
    InvalidMessage,
    LinkMessage,
    ListMessage,
    ListRow,
    ListSection,
    LocationRequest,
    ProductListMessage,
    ProductMessage,
    ProductSection,
    ReadReceipt,
    ReplyButton,
    TemplateMessage,
    TextMessage,
    to_payload,
)

IMAGE = "https://shop.example/pizza.jpg"


def rows(count: int, first: int = 0) -> tuple[ListRow, ...]:
    return tuple(ListRow(f"prod:{n}", f"Pizza {n}") for n in range(first, first + count))


def one_row(**changes) -> ListMessage:
    row = dataclasses.replace(ListRow("cat:pizza", "Pizza"), **changes)
    return ListMessage("What would you like?", "Menu", (ListSection((row,)),))


def one_button(**changes) -> ButtonsMessage:
    return ButtonsMessage(
        "Sure?", (dataclasses.replace(ReplyButton("checkout", "Pay"), **changes),)
    )


def list_message(**changes) -> ListMessage:
    return dataclasses.replace(one_row(), **changes)


def link(**changes) -> LinkMessage:
    return dataclasses.replace(
        LinkMessage("Pay here", "Pay", url="https://pay.example/1"), **changes
    )


def flow(**changes) -> FlowMessage:
    message = FlowMessage(
        "Choose", "987", cta="Customise", token="tok", action="navigate", screen="SIZE"
    )
    return dataclasses.replace(message, **changes)


def product_list(**changes) -> ProductListMessage:
    sections = (ProductSection("Pizza", ("prod:margherita",)),)
    message = ProductListMessage("555", "Our menu", body="Take your pick", sections=sections)
    return dataclasses.replace(message, **changes)


def products(count: int) -> tuple[str, ...]:
    return tuple(f"prod:{n}" for n in range(count))


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
        ListMessage(
            "What would you like?",
            "Menu",
            (
                ListSection((ListRow("cat:pizza", "Pizza", "From 8 €"),), "Food"),
                ListSection((ListRow("cat:drinks", "Drinks", ""),), "Drinks"),
            ),
            header="Trattoria",
            footer="Open until 23:00",
        ),
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "header": {"type": "text", "text": "Trattoria"},
                "body": {"text": "What would you like?"},
                "footer": {"text": "Open until 23:00"},
                "action": {
                    "button": "Menu",
                    "sections": [
                        {
                            "title": "Food",
                            "rows": [
                                {"id": "cat:pizza", "title": "Pizza", "description": "From 8 €"}
                            ],
                        },
                        {"title": "Drinks", "rows": [{"id": "cat:drinks", "title": "Drinks"}]},
                    ],
                },
            },
        },
    ),
    (
        one_row(),
        {
            "type": "interactive",
            "interactive": {
                "type": "list",
                "body": {"text": "What would you like?"},
                "action": {
                    "button": "Menu",
                    "sections": [{"rows": [{"id": "cat:pizza", "title": "Pizza"}]}],
                },
            },
        },
    ),
    (
        ButtonsMessage("Sure?", (ReplyButton("yes", "Yes"), ReplyButton("no", "No")), image=IMAGE),
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "image", "image": {"link": IMAGE}},
                "body": {"text": "Sure?"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "yes", "title": "Yes"}},
                        {"type": "reply", "reply": {"id": "no", "title": "No"}},
                    ]
                },
            },
        },
    ),
    (
        link(header="Order 12", footer="Thanks"),
        {
            "type": "interactive",
            "interactive": {
                "type": "cta_url",
                "header": {"type": "text", "text": "Order 12"},
                "body": {"text": "Pay here"},
                "footer": {"text": "Thanks"},
                "action": {
                    "name": "cta_url",
                    "parameters": {"display_text": "Pay", "url": "https://pay.example/1"},
                },
            },
        },
    ),
    (
        LocationRequest("Where do we bring it?"),
        {
            "type": "interactive",
            "interactive": {
                "type": "location_request_message",
                "body": {"text": "Where do we bring it?"},
                "action": {"name": "send_location"},
            },
        },
    ),
    (
        ContactRequest("May we call you?"),
        {
            "type": "interactive",
            "interactive": {
                "type": "request_contact_info",
                "body": {"text": "May we call you?"},
                "action": {"name": "request_contact_info"},
            },
        },
    ),
    (
        ProductMessage("555", "prod:margherita"),
        {
            "type": "interactive",
            "interactive": {
                "type": "product",
                "action": {"catalog_id": "555", "product_retailer_id": "prod:margherita"},
            },
        },
    ),
    (
        ProductMessage("555", "prod:margherita", body="Good choice", footer="Fresh"),
        {
            "type": "interactive",
            "interactive": {
                "type": "product",
                "body": {"text": "Good choice"},
                "footer": {"text": "Fresh"},
                "action": {"catalog_id": "555", "product_retailer_id": "prod:margherita"},
            },
        },
    ),
    (
        product_list(),
        {
            "type": "interactive",
            "interactive": {
                "type": "product_list",
                "header": {"type": "text", "text": "Our menu"},
                "body": {"text": "Take your pick"},
                "action": {
                    "catalog_id": "555",
                    "sections": [
                        {
                            "title": "Pizza",
                            "product_items": [{"product_retailer_id": "prod:margherita"}],
                        }
                    ],
                },
            },
        },
    ),
    (
        CatalogMessage("Everything we have"),
        {
            "type": "interactive",
            "interactive": {
                "type": "catalog_message",
                "body": {"text": "Everything we have"},
                "action": {"name": "catalog_message"},
            },
        },
    ),
    (
        CatalogMessage("Everything", thumbnail_product_id="prod:coke", footer="Fresh"),
        {
            "type": "interactive",
            "interactive": {
                "type": "catalog_message",
                "body": {"text": "Everything"},
                "footer": {"text": "Fresh"},
                "action": {
                    "name": "catalog_message",
                    "parameters": {"thumbnail_product_retailer_id": "prod:coke"},
                },
            },
        },
    ),
    (
        flow(data={"price": 8.5, "sizes": [{"id": "l", "big": True}], "count": 2}, image=IMAGE),
        {
            "type": "interactive",
            "interactive": {
                "type": "flow",
                "header": {"type": "image", "image": {"link": IMAGE}},
                "body": {"text": "Choose"},
                "action": {
                    "name": "flow",
                    "parameters": {
                        "flow_message_version": "3",
                        "flow_id": "987",
                        "flow_cta": "Customise",
                        "mode": "published",
                        "flow_token": "tok",
                        "flow_action": "navigate",
                        "flow_action_payload": {
                            "screen": "SIZE",
                            "data": {
                                "price": 8.5,
                                "sizes": [{"id": "l", "big": True}],
                                "count": 2,
                            },
                        },
                    },
                },
            },
        },
    ),
    (
        flow(action="data_exchange", screen=None, mode="draft"),
        {
            "type": "interactive",
            "interactive": {
                "type": "flow",
                "body": {"text": "Choose"},
                "action": {
                    "name": "flow",
                    "parameters": {
                        "flow_message_version": "3",
                        "flow_id": "987",
                        "flow_cta": "Customise",
                        "mode": "draft",
                        "flow_token": "tok",
                        "flow_action": "data_exchange",
                    },
                },
            },
        },
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
    assert message.to_wire() == wire
    assert orjson.loads(orjson.dumps(message.to_wire())) == wire


def test_a_blank_optional_text_is_left_out():
    message = link(header=" ", image="", footer="\n")
    assert set(message.to_wire()["interactive"]) == {"type", "body", "action"}
    assert ImageMessage(IMAGE, "").to_wire()["image"] == {"link": IMAGE}


def test_a_message_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TextMessage("a").body = "b"  # type: ignore[misc]


# Each: how to make the message from a text, the field that is named, the limit.
TEXT_LIMITS = [
    (TextMessage, "text.body", 4096),
    (lambda text: ImageMessage(IMAGE, text), "image.caption", 1024),
    (lambda text: list_message(body=text), "list.body", 1024),
    (lambda text: list_message(button=text), "list.button", 20),
    (lambda text: list_message(header=text), "list.header", 60),
    (lambda text: list_message(footer=text), "list.footer", 60),
    (lambda text: one_row(id=text), "list.sections[0].rows[0].id", 200),
    (lambda text: one_row(title=text), "list.sections[0].rows[0].title", 24),
    (lambda text: one_row(description=text), "list.sections[0].rows[0].description", 72),
    (
        lambda text: list_message(sections=(ListSection(rows(1), text),)),
        "list.sections[0].title",
        24,
    ),
    (lambda text: dataclasses.replace(one_button(), body=text), "buttons.body", 1024),
    (lambda text: dataclasses.replace(one_button(), header=text), "buttons.header", 60),
    (lambda text: dataclasses.replace(one_button(), footer=text), "buttons.footer", 60),
    (lambda text: one_button(id=text), "buttons.buttons[0].id", 256),
    (lambda text: one_button(title=text), "buttons.buttons[0].title", 20),
    (lambda text: link(body=text), "link.body", 1024),
    (lambda text: link(text=text), "link.text", 20),
    (lambda text: link(header=text), "link.header", 60),
    (lambda text: link(footer=text), "link.footer", 60),
    (LocationRequest, "location_request.body", 1024),
    (ContactRequest, "contact_request.body", 1024),
    (lambda text: ProductMessage("1", "p", body=text), "product.body", 1024),
    (lambda text: ProductMessage("1", "p", footer=text), "product.footer", 60),
    (lambda text: product_list(header=text), "product_list.header", 60),
    (lambda text: product_list(body=text), "product_list.body", 1024),
    (lambda text: product_list(footer=text), "product_list.footer", 60),
    (
        lambda text: product_list(sections=(ProductSection(text, ("p",)),)),
        "product_list.sections[0].title",
        24,
    ),
    (CatalogMessage, "catalog.body", 1024),
    (lambda text: CatalogMessage("All", footer=text), "catalog.footer", 60),
    (lambda text: flow(body=text), "flow.body", 1024),
    (lambda text: flow(cta=text), "flow.cta", 20),
    (lambda text: flow(header=text), "flow.header", 60),
    (lambda text: flow(footer=text), "flow.footer", 60),
    (lambda text: TemplateMessage(text, "en"), "template.name", 512),
    (
        lambda text: to_payload(TextMessage("a"), to="123456", opaque=text),
        "biz_opaque_callback_data",
        512,
    ),
]


@pytest.mark.parametrize(("make", "field", "limit"), TEXT_LIMITS, ids=[t[1] for t in TEXT_LIMITS])
def test_text_limit(make, field, limit):
    make("x" * limit)
    with pytest.raises(LimitExceeded) as caught:
        make("x" * (limit + 1))
    assert (caught.value.field, caught.value.limit, caught.value.length) == (
        field,
        limit,
        limit + 1,
    )


def test_limits_count_utf16_units():
    one_row(title="🍕" * 12)
    with pytest.raises(LimitExceeded) as caught:
        one_row(title="🍕" * 12 + "x")
    assert caught.value.length == 25


def sections_of(*counts: int) -> tuple[ListSection, ...]:
    firsts = [sum(counts[:index]) for index in range(len(counts))]
    return tuple(
        ListSection(rows(count, first), f"Part {first}")
        for count, first in zip(counts, firsts, strict=True)
    )


COUNT_LIMITS = [
    (lambda n: list_message(sections=sections_of(n)), "list.rows", 10),
    (lambda n: list_message(sections=sections_of(n - 5, 5)), "list.rows", 10),
    (lambda n: list_message(sections=sections_of(*[1] * n)), "list.sections", 10),
    (
        lambda n: ButtonsMessage("?", tuple(ReplyButton(f"{i}", f"B{i}") for i in range(n))),
        "buttons.buttons",
        3,
    ),
    (
        lambda n: product_list(sections=(ProductSection("All", products(n)),)),
        "product_list.products",
        30,
    ),
    (
        lambda n: product_list(
            sections=(ProductSection("A", products(n - 10)), ProductSection("B", products(10)))
        ),
        "product_list.products",
        30,
    ),
    (
        lambda n: product_list(
            sections=tuple(ProductSection(f"S{i}", (f"p{i}",)) for i in range(n))
        ),
        "product_list.sections",
        10,
    ),
]


@pytest.mark.parametrize(("make", "field", "limit"), COUNT_LIMITS)
def test_count_limit(make, field, limit):
    make(limit)
    with pytest.raises(LimitExceeded) as caught:
        make(limit + 1)
    assert (caught.value.field, caught.value.limit, caught.value.length) == (
        field,
        limit,
        limit + 1,
    )


def test_the_field_names_section_and_row():
    sections = (*sections_of(2), ListSection((*rows(3, 5), ListRow("long", "x" * 25)), "More"))
    with pytest.raises(LimitExceeded, match=r"^list\.sections\[1\]\.rows\[3\]\.title: "):
        list_message(sections=sections)


INVALID = [
    (lambda: TextMessage(""), "text.body"),
    (lambda: TextMessage(" \n"), "text.body"),
    (lambda: TextMessage("half \ud83c"), "text.body"),
    (lambda: list_message(body=""), "list.body"),
    (lambda: list_message(button=" "), "list.button"),
    (lambda: list_message(sections=()), "list.sections"),
    (lambda: list_message(sections=(ListSection(()),)), "list.rows"),
    (
        lambda: list_message(sections=(*sections_of(1), ListSection((), "None"))),
        "list.sections[1].rows",
    ),
    (lambda: one_row(id=""), "list.sections[0].rows[0].id"),
    (lambda: one_row(title=" "), "list.sections[0].rows[0].title"),
    (
        lambda: list_message(sections=(ListSection(rows(1), "A"), ListSection(rows(1, 1)))),
        "list.sections[1].title",
    ),
    (
        lambda: list_message(sections=(ListSection(rows(1), " "), ListSection(rows(1, 1), "B"))),
        "list.sections[0].title",
    ),
    (
        lambda: list_message(sections=(ListSection(rows(2), "A"), ListSection(rows(2, 1), "B"))),
        "list.rows[2].id",
    ),
    (lambda: ButtonsMessage("?", ()), "buttons.buttons"),
    (lambda: one_button(id=""), "buttons.buttons[0].id"),
    (lambda: one_button(id=" yes"), "buttons.buttons[0].id"),
    (lambda: one_button(id="yes\n"), "buttons.buttons[0].id"),
    (lambda: one_button(title=""), "buttons.buttons[0].title"),
    (
        lambda: ButtonsMessage("?", (ReplyButton("a", "A"), ReplyButton("a", "B"))),
        "buttons.buttons[1].id",
    ),
    (
        lambda: ButtonsMessage("?", (ReplyButton("a", "A"), ReplyButton("b", "A"))),
        "buttons.buttons[1].title",
    ),
    (lambda: link(header="Hi", image=IMAGE), "link.header"),
    (lambda: link(text=""), "link.text"),
    (lambda: link(image="pizza.jpg"), "link.image"),
    (lambda: flow(header="Hi", image=IMAGE), "flow.header"),
    (lambda: LocationRequest(""), "location_request.body"),
    (lambda: ContactRequest(""), "contact_request.body"),
    (lambda: ProductMessage("", "p"), "product.catalog_id"),
    (lambda: ProductMessage("1", ""), "product.product_id"),
    (lambda: product_list(catalog_id=""), "product_list.catalog_id"),
    (lambda: product_list(header=""), "product_list.header"),
    (lambda: product_list(sections=()), "product_list.sections"),
    (
        lambda: product_list(sections=(ProductSection("A", ("p",)), ProductSection("B", ()))),
        "product_list.sections[1].product_ids",
    ),
    (
        lambda: product_list(sections=(ProductSection("A", ("p", "")),)),
        "product_list.sections[0].product_ids[1]",
    ),
    (
        lambda: product_list(sections=(ProductSection("A", ("p",)), ProductSection(None, ("q",)))),
        "product_list.sections[1].title",
    ),
    (lambda: CatalogMessage(""), "catalog.body"),
    (lambda: flow(flow_id=""), "flow.flow_id"),
    (lambda: flow(cta=""), "flow.cta"),
    (lambda: flow(token=""), "flow.token"),
    (lambda: flow(screen=None), "flow.screen"),
    (lambda: flow(action="data_exchange"), "flow.screen"),
    (lambda: flow(action="data_exchange", screen=None, data={"a": 1}), "flow.screen"),
    (lambda: flow(data={}), "flow.data"),
    (lambda: flow(data={"a": None}), "flow.data.a"),
    (lambda: flow(data={"a": [1, {"b": float("nan")}]}), "flow.data.a[1].b"),
    (lambda: flow(data={"a": 2**63}), "flow.data.a"),
    (lambda: flow(data={"a": object()}), "flow.data.a"),
    (lambda: flow(data={"a": "\udc00"}), "flow.data.a"),
    (lambda: flow(data={"a": {1: "x"}}), "flow.data.a"),
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
    with pytest.raises(InvalidMessage) as caught:
        make()
    assert caught.value.field == field
    assert str(caught.value) == f"{field}: {caught.value.problem}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.example/pizza",
        "ftp://shop.example",
        "javascript:alert(1)",
        "https://",
        "https:///pizza",
        "https://[::1",
        "https://shop.example:99999/",
        "https://shop.example:0/",
        "https://shop.example/a b",
        "https://shop.example/a\nb",
        " https://shop.example",
        "https://shop.example/\ud800",
    ],
)
def test_bad_url(url):
    with pytest.raises(InvalidMessage):
        link(url=url)
    with pytest.raises(InvalidMessage):
        ImageMessage(url)


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/x", "HTTPS://shop.example", "https://shop.example/ñ?a=1#b"]
)
def test_good_url(url):
    assert link(url=url).url == url


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
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
any_data = st.none() | st.dictionaries(st.text(max_size=3), any_json, max_size=3)

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


def build(kind, fields):
    try:
        return kind(**fields)
    except (LimitExceeded, InvalidMessage):
        return None


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
    message = build(*kind_and_fields)
    if message is not None:
        payload = to_payload(message, to="123456")
        assert orjson.loads(orjson.dumps(payload)) == payload
        assert_within_limits("", payload.get("interactive"))


@settings(deadline=None)
@given(data=any_data)
def test_whatever_data_a_flow_takes_survives_the_wire(data):
    message = build(flow, {"data": data})
    if message is not None:
        wire = message.to_wire()
        assert orjson.loads(orjson.dumps(wire)) == wire
        assert not has_null(wire)


def has_null(value) -> bool:
    if isinstance(value, dict):
        return any(map(has_null, value.values()))
    if isinstance(value, list):
        return any(map(has_null, value))
    return value is None
