"""A customer's message as the events it may mean."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.charts.inbound import IGNORED, RAISED, Candidates, candidates, flow_end, tap_event
from engine.turn import Event
from engine.whatsapp import content as wire
from tests.unit.charts.builders import bundle

SHOP = bundle(
    """
chart: c
start: a
prefixes: {cat: view_category, prod: view_product}
careful: [confirm]
states: {a: {}}
""",
    """
en:
  intents:
    browse: [menu, "show me the menu"]
    confirm: [confirm order, "yes"]
    add: ["add {product}"]
    spanish: [spanish]
es:
  intents:
    browse: [menú, ver la carta]
    confirm: ["sí", confirmar pedido]
    add: ["agrega {product}"]
""",
)


def meaning(content: wire.Content, language: str = "en") -> Candidates:
    found = candidates(content, SHOP, language)
    assert found is not None
    return found


def sure(body: str, language: str = "en") -> list[str]:
    return [event.name for event in meaning(wire.Text(body), language).sure]


@pytest.mark.parametrize(
    ("body", "name", "language"),
    [
        ("Menu!", "browse", None),
        ("ver la carta", "browse", "es"),
        ("sí", "confirm", "es"),
        ("yes", "confirm", None),
        ("spanish", "spanish", None),
    ],
)
def test_a_phrase_of_any_of_the_tenants_languages_is_understood(body, name, language):
    found = meaning(wire.Text(body))
    assert [event.name for event in found.sure] == [name]
    assert (found.general, found.vague, found.language) == ("text", (), language)


def test_a_phrase_of_both_languages_is_of_the_customers_own():
    for language in ("en", "es"):
        assert meaning(wire.Text("menu"), language).language is None


def test_a_slot_and_a_number_come_with_the_event():
    (event,) = meaning(wire.Text("agrega 2 lomo saltado")).sure
    assert event == Event(
        "add",
        {
            "text": "agrega 2 lomo saltado",
            "number": None,
            "argument": "lomo saltado",
            "quantity": 2,
        },
    )


@pytest.mark.parametrize("body", ["can you show me the menu please", "show me teh menu"])
def test_a_guess_comes_after_what_a_state_does_with_any_text(body):
    found = meaning(wire.Text(body))
    assert (found.sure, [event.name for event in found.vague]) == ((), ["browse"])
    assert found.language is None


@pytest.mark.parametrize("body", ["don't confirm order", "confirm ordr", "oh yes, not"])
def test_what_needs_care_is_never_guessed(body):
    found = meaning(wire.Text(body))
    assert (found.sure, found.vague, found.general) == ((), (), "text")


@pytest.mark.parametrize(
    ("body", "number"),
    [("3", 3), (" 12 ", 12), ("3 pizzas", None), ("12345", None), ("three", None), ("²", None)],
)
def test_a_lone_number_is_read(body, number):
    found = meaning(wire.Text(body))
    assert found.data == {"text": body.strip(), "number": number}


def test_a_text_of_nothing_is_empty():
    assert meaning(wire.Text(" \n ")) == Candidates("empty")


@pytest.mark.parametrize(
    ("wire_id", "name", "argument", "arguments", "page"),
    [
        ("checkout", "checkout", None, [], 1),
        ("customize:prod:margherita", "customize", "prod:margherita", ["prod:margherita"], 1),
        ("cat:pizza", "view_category", "cat:pizza", ["cat:pizza"], 1),
        ("cat:pizza#2", "view_category", "cat:pizza", ["cat:pizza"], 2),
        ("prod:a#b", "view_product", "prod:a#b", ["prod:a#b"], 1),
        ("size:prod:a|pres:b", "size", "prod:a|pres:b", ["prod:a", "pres:b"], 1),
        ("browse_catalog#12", "browse_catalog", None, [], 12),
        ("browse#0", "browse#0", None, [], 1),
        ("browse#1000", "browse#1000", None, [], 1),
        ("x:", "x", "", [], 1),
        ("", "", None, [], 1),
        (":x", "", "x", ["x"], 1),
        ("refused.sold_out", "", None, [], 1),
        ("order_moved", "", None, [], 1),
        ("handed_back:staff", "", "staff", ["staff"], 1),
        ("after.cart.1h", "", None, [], 1),
        ("a.b:c", "", "c", ["c"], 1),
    ],
)
def test_a_tap_carries_its_event_and_argument(wire_id, name, argument, arguments, page):
    event = tap_event(wire_id, SHOP.chart.prefixes, title="Title")
    assert event == Event(
        name,
        {
            "id": wire_id,
            "title": "Title",
            "argument": argument,
            "arguments": arguments,
            "page": page,
        },
    )


def test_a_tap_means_its_event_and_nothing_else():
    found = meaning(wire.Tap("cat:pizza", "Pizza", "list"))
    assert [event.name for event in found.sure] == ["view_category"]
    assert (found.general, found.vague) == ("tap", ())
    assert found.data["title"] == "Pizza"


@settings(max_examples=100, deadline=None)
@given(wire_id=st.text(max_size=30), title=st.text(max_size=10))
def test_any_tap_is_an_event(wire_id, title):
    event = tap_event(wire_id, SHOP.chart.prefixes, title=title)
    assert "." not in event.name
    assert 1 <= event.data["page"] <= 999


@pytest.mark.parametrize(
    ("content", "general", "data"),
    [
        (wire.Location(1.5, -2.5, "Home", "Calle 1"), "location",
         {"latitude": 1.5, "longitude": -2.5, "text": "Home, Calle 1"}),
        (wire.Location(1.5, -2.5), "location", {"latitude": 1.5, "longitude": -2.5, "text": ""}),
        (wire.FlowReply({"size": "l"}, None), "flow_reply", {"response": {"size": "l"}}),
        (wire.AddressReply({"street": "Calle 1", "floor": 3, "city": "Lima", "x": ""}), "text",
         {"text": "Calle 1, Lima", "number": None}),
        (wire.Contacts((), is_contact_request=False), "contacts", {}),
        (wire.Welcome(), "welcome", {}),
        (wire.Media("image", "1", caption="my house"), "media",
         {"kind": "image", "text": "my house"}),
        (wire.Media("audio", "1", voice=True), "media", {"kind": "voice", "text": ""}),
        (wire.NativeOrder("1", None, (wire.NativeOrderItem("prod:a", 2, Decimal(3), "USD"),)),
         "native_order",
         {"items": [{"product": "prod:a", "presentation": None, "quantity": 2,
                     "price": Decimal(3), "currency": "USD"}], "catalog": "1", "text": ""}),
        (wire.NativeOrder(
            "1", "Hot!", (wire.NativeOrderItem("prod:a|pres:b|c", 1, Decimal("0.5"), "PEN"),)),
         "native_order",
         {"items": [{"product": "prod:a", "presentation": "pres:b|c", "quantity": 1,
                     "price": Decimal("0.5"), "currency": "PEN"}], "catalog": "1",
          "text": "Hot!"}),
        (wire.Unsupported(131051), "unsupported", {"kind": "unknown"}),
        (wire.Unknown("hologram"), "unsupported", {"kind": "unknown"}),
    ],
)  # fmt: skip
def test_what_is_no_text_is_an_event_of_its_kind(content, general, data):
    found = meaning(content)
    assert (found.general, dict(found.data)) == (general, data)
    assert found.sure == found.vague == ()


def test_what_we_raise_ourselves_is_its_event():
    data = {"id": "101:wamid.1:1"}
    found = meaning(wire.Raised("flow_refused", data))
    assert found == Candidates(RAISED, sure=(Event("flow_refused", data),), data=data)


def test_the_end_of_a_flow_is_an_event_of_its_own():
    params = {"product": "prod:a", "quantity": 2, "modifiers": ["mod:a"]}
    found = flow_end("product_customization", params)
    (event,) = found.sure
    assert event == Event("flow.product_customization", params | {"response": params})
    assert (found.general, found.vague, dict(found.data)) == ("flow_reply", (), dict(event.data))


NEEDS_NO_ANSWER = [
    wire.Reaction("wamid.1", "👍"),
    wire.SystemChange("user_changed_number", "1", None, None),
    wire.Edited("wamid.1"),
    wire.Revoked("wamid.1"),
    wire.CallPermission("accept"),
]


@pytest.mark.parametrize("content", NEEDS_NO_ANSWER)
def test_what_needs_no_answer_is_no_event(content):
    assert candidates(content, SHOP, "en") is None


def test_every_kind_of_message_that_is_ignored_is_meant_to_be():
    assert {type(content) for content in NEEDS_NO_ANSWER} == set(IGNORED)
