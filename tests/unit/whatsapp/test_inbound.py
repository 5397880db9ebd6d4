"""Webhooks: who sent what, batches, statuses, anything else, and damage of every sort."""

import copy
import json
from typing import Any

import bson
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Malformed
from engine.whatsapp.content import Sender, Text
from engine.whatsapp.inbound import (
    OtherChange,
    Status,
    StatusError,
    Webhook,
    parse_webhook,
    restore_message,
)
from tests.unit.whatsapp.strangers import any_json, nested
from tests.unit.whatsapp.webhooks import (
    CONTACT,
    KINDS,
    METADATA,
    NUMBER,
    envelope,
    message,
    parse,
    typed,
    value,
)


def test_a_message_in_full():
    sent = typed("text", {"body": "Hola"}, context={"from": "15550783881", "id": "wamid.OURS"})
    webhook = parse(envelope(value(contacts=[CONTACT], messages=[sent])))
    [received] = webhook.messages
    assert received.wamid == "wamid.HBgL"
    assert received.phone_number_id == NUMBER
    assert received.timestamp == 1749416383
    assert received.context_id == "wamid.OURS"
    assert received.sender == Sender(
        "US.13491208655302741918", "16505551234", "Sheena Nelson", "sheena"
    )
    assert received.sender.key == "US.13491208655302741918"
    assert received.raw == {"phone_number_id": NUMBER, "contact": CONTACT, "message": sent}
    assert (webhook.statuses, webhook.others) == ((), ())


@pytest.mark.parametrize(
    "context", [{"forwarded": True}, {"id": 5}, {"id": ""}, "wamid", None], ids=repr
)
def test_a_context_without_a_message(context):
    sent = typed("text", {"body": "Hola"}, context=context)
    [received] = parse(envelope(value(messages=[sent]))).messages
    assert received.context_id is None


@pytest.mark.parametrize(
    ("timestamp", "seconds"),
    [
        ("1749416383", 1749416383),
        (1749416383, 1749416383),
        ("253402300799", 253402300799),
        ("253402300800", 0),
        ("-5", 0),
        (-5, 0),
        ("soon", 0),
        ("١", 0),
        ("9" * 5000, 0),
        (1e18, 0),
        (True, 0),
        (None, 0),
        (..., 0),
    ],
)
def test_timestamp(timestamp, seconds):
    sent = typed("text", {"body": "Hola"}, timestamp=timestamp)
    [received] = parse(envelope(value(messages=[sent]))).messages
    assert received.timestamp == seconds


def sender_of(contacts: Any, **changes: Any) -> Sender:
    sent = typed("text", {"body": "Hola"}, **changes)
    [received] = parse(envelope(value(contacts=contacts, messages=[sent]))).messages
    return received.sender


def contact(**changes: Any) -> dict[str, Any]:
    return {name: member for name, member in {**CONTACT, **changes}.items() if member is not ...}


USER = "US.13491208655302741918"

PHONE = "16505551234"

NAMED = {"name": "Sheena Nelson", "username": "sheena"}

BOB = {"profile": {"name": "Bob"}, "wa_id": "4911111111", "user_id": "DE.1"}


@pytest.mark.parametrize(
    ("contacts", "changes", "sender"),
    [
        # A username without a phone number.
        ([contact(wa_id=...)], {"from": ...}, Sender(USER, None, **NAMED)),
        ([contact(wa_id="")], {"from": ""}, Sender(USER, None, **NAMED)),
        ([BOB, contact(wa_id=...)], {"from": ...}, Sender(USER, None, **NAMED)),
        # An older payload without user ids.
        ([contact(user_id=...)], {"from_user_id": ...}, Sender(None, PHONE, **NAMED)),
        # One half in the message, the other in the contact.
        ([CONTACT], {"from": ...}, Sender(USER, PHONE, **NAMED)),
        ([BOB, CONTACT], {"from_user_id": ...}, Sender(USER, PHONE, **NAMED)),
        ([CONTACT], {"from": ..., "from_user_id": ...}, Sender(USER, PHONE, **NAMED)),
        # The WhatsApp id may differ from the phone number.
        (
            [contact(user_id=..., wa_id="5215555555555")],
            {"from": "525555555555", "from_user_id": ...},
            Sender(None, "525555555555", **NAMED),
        ),
        # Nobody is mistaken for another.
        ([BOB], {}, Sender(USER, PHONE)),
        ([BOB, BOB], {"from_user_id": ...}, Sender(None, PHONE)),
        # No contacts at all, as on system messages, or unusable ones.
        (None, {}, Sender(USER, PHONE)),
        ("x", {}, Sender(USER, PHONE)),
        ([5, {"profile": "x"}], {}, Sender(USER, PHONE)),
        ([contact(profile={"name": 5, "username": ""})], {}, Sender(USER, PHONE)),
        # Values of the wrong form are dropped.
        (None, {"from": "+16505551234"}, Sender(USER, PHONE)),
        (None, {"from": 16505551234}, Sender(USER, None)),
        (None, {"from": "user.abc"}, Sender(USER, None)),
        (None, {"from_user_id": ["US.1"]}, Sender(None, PHONE)),
        (None, {"from_user_id": "U" * 513}, Sender(None, PHONE)),
    ],
)
def test_sender(contacts, changes, sender):
    found = sender_of(contacts, **changes)
    assert found == sender
    assert found.key == (sender.user_id or sender.phone)


@pytest.mark.parametrize(
    "changes",
    [
        {"from": ..., "from_user_id": ...},
        {"from": "", "from_user_id": ""},
        {"id": ...},
        {"id": 5},
        {"id": ""},
        {"type": ...},
        {"type": {}},
    ],
)
def test_a_message_that_cannot_be_attributed_is_kept_aside(changes):
    good = typed("text", {"body": "Hola"})
    bad = message(**{"text": {"body": "Hola"}, **changes})
    webhook = parse(envelope(value(messages=[bad, good])))
    assert [received.wamid for received in webhook.messages] == ["wamid.HBgL"]
    assert webhook.others == (OtherChange("messages", "102290129340398", value(messages=[bad])),)


@pytest.mark.parametrize("metadata", [None, {}, {"phone_number_id": 5}, [METADATA]])
def test_without_a_business_number_nothing_can_be_attributed(metadata):
    members = {"messages": [typed("text", {"body": "Hola"})], "statuses": [status()]}
    webhook = parse(envelope({"metadata": metadata, **members}))
    assert (webhook.messages, webhook.statuses) == ((), ())
    assert [other.value for other in webhook.others] == [
        {"metadata": metadata, "messages": members["messages"]},
        {"metadata": metadata, "statuses": members["statuses"]},
    ]


def test_elements_that_are_no_objects_are_kept_aside():
    webhook = parse(envelope(value(messages=[5], statuses=["sent"])))
    assert [other.value for other in webhook.others] == [
        value(messages=[5]),
        value(statuses=["sent"]),
    ]


def status(**changes: Any) -> dict[str, Any]:
    members = {
        "id": "wamid.OURS",
        "status": "sent",
        "timestamp": "1749416400",
        "recipient_id": "16505551234",
        "recipient_user_id": "US.1",
        "biz_opaque_callback_data": "out-1",
        **changes,
    }
    return {name: member for name, member in members.items() if member is not ...}


PRICING = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (
            status(pricing=PRICING),
            Status(
                "wamid.OURS",
                "sent",
                1749416400,
                NUMBER,
                "16505551234",
                "US.1",
                "out-1",
                (),
                PRICING,
            ),
        ),
        (
            status(
                status="read",
                recipient_id=...,
                recipient_user_id=5,
                biz_opaque_callback_data=...,
                timestamp=...,
                pricing=[],
            ),
            Status("wamid.OURS", "read", 0, NUMBER),
        ),
        (
            status(
                status="failed",
                errors=[
                    {
                        "code": 131047,
                        "title": "Re-engagement message",
                        "message": "Re-engagement message",
                        "error_data": {"details": "More than 24 hours have passed"},
                        "href": "https://developers.facebook.com",
                    },
                    {
                        "code": "131026",
                        "message": "Undeliverable",
                        "error_data": "Not on WhatsApp",
                    },
                    {"code": [], "title": 5, "error_data": {"details": None}},
                    "boom",
                ],
            ),
            Status(
                "wamid.OURS",
                "failed",
                1749416400,
                NUMBER,
                "16505551234",
                "US.1",
                "out-1",
                (
                    StatusError(131047, "Re-engagement message", "More than 24 hours have passed"),
                    StatusError(131026, "Undeliverable", "Not on WhatsApp"),
                    StatusError(0, "", ""),
                ),
            ),
        ),
    ],
)
def test_status(sent, received):
    assert parse(envelope(value(statuses=[sent]))) == Webhook((), (received,), ())


def test_a_status_of_later_platforms_is_kept():
    [received] = parse(envelope(value(statuses=[status(status="held_for_review")]))).statuses
    assert received.status == "held_for_review"


@pytest.mark.parametrize("changes", [{"id": ...}, {"id": 5}, {"status": ...}, {"status": ""}])
def test_a_status_of_nothing_is_kept_aside(changes):
    webhook = parse(envelope(value(statuses=[status(**changes), status()])))
    assert [each.wamid for each in webhook.statuses] == ["wamid.OURS"]
    assert [other.value["statuses"] for other in webhook.others] == [[status(**changes)]]


def test_a_batch_keeps_everything_in_order():
    ids = [f"wamid.{n}" for n in range(6)]
    sent = [typed("text", {"body": id_}, id=id_) for id_ in ids]
    body = envelope(
        value(messages=sent[0:2], statuses=[status(id="s0"), status(id="s1")]),
        value(messages=sent[2:4]),
    )
    body["entry"] += envelope(value(statuses=[status(id="s2")]), value(messages=sent[4:]))["entry"]
    webhook = parse(body)
    assert [received.wamid for received in webhook.messages] == ids
    assert [received.content for received in webhook.messages] == [Text(id_) for id_ in ids]
    assert [each.wamid for each in webhook.statuses] == ["s0", "s1", "s2"]


def test_a_batch_gives_each_message_its_own_sender():
    sent = [
        typed("text", {"body": "a"}),
        typed("text", {"body": "b"}, **{"from": "4911111111", "from_user_id": "DE.1"}),
    ]
    webhook = parse(envelope(value(contacts=[BOB, CONTACT], messages=sent)))
    assert [received.sender.name for received in webhook.messages] == ["Sheena Nelson", "Bob"]


def test_a_full_batch_of_strangers():
    people = [f"DE.{n}" for n in range(1000)]
    contacts = [{"user_id": id_, "profile": {"name": f"Name of {id_}"}} for id_ in people]
    sent = [typed("text", {"body": "Hola"}, id=id_, from_user_id=id_) for id_ in people]
    webhook = parse(envelope(value(contacts=contacts, messages=sent)))
    assert [each.sender.name for each in webhook.messages] == [f"Name of {id_}" for id_ in people]


def test_other_fields_are_kept():
    flow_change = {"event": "FLOW_STATUS_CHANGE", "flow_id": "1", "new_status": "PUBLISHED"}
    body = envelope(flow_change, field="flows")
    body["entry"][0]["time"] = 1749416383
    assert parse(body).others == (
        OtherChange("flows", "102290129340398", flow_change, time=1749416383),
    )


def test_other_objects_are_kept_even_when_they_speak_of_messages():
    changed = {"retailer_id": "prod:margherita", "action": "UPDATE"}
    body = {
        "object": "commerce_account",
        "entry": [
            {
                "id": "7",
                "time": 1234567890,
                "changes": [
                    {"field": "product_item_update", "value": changed},
                    {"field": "messages", "value": value(messages=[typed("text", {"body": "x"})])},
                ],
            }
        ],
    }
    webhook = parse(body)
    assert webhook.messages == ()
    assert webhook.others[0] == OtherChange(
        "product_item_update", "7", changed, time=1234567890, object_type="commerce_account"
    )
    assert webhook.others[1].field == "messages"


def test_errors_of_the_account_are_kept():
    errors = [{"code": 130429, "title": "Rate limit hit"}, {"code": 1}]
    webhook = parse(envelope(value(errors=errors)))
    assert [other.value for other in webhook.others] == [
        value(errors=[errors[0]]),
        value(errors=[errors[1]]),
    ]


def test_a_change_without_members_is_kept():
    assert parse(envelope(value(groups=[1]))).others[0].value == value(groups=[1])


def test_an_entry_without_an_id():
    body = envelope(value(messages=[typed("text", {"body": "Hola"})]), {"errors": [{"code": 1}]})
    del body["entry"][0]["id"]
    webhook = parse(body)
    assert len(webhook.messages) == 1
    assert webhook.others[0].waba_id == ""


def test_an_empty_webhook():
    assert parse({"object": "test", "entry": []}) == Webhook((), (), ())


ODD_ENTRIES = (
    b"[5]",
    b"[{}]",
    b'[{"changes":{}}]',
    b'[{"changes":[null]}]',
    b'[{"changes":[{"value":{}}]}]',
    b'[{"changes":[{"field":5,"value":{}}]}]',
    b'[{"changes":[{"field":"messages"}]}]',
    b'[{"changes":[{"field":"messages","value":[]}]}]',
)
"""Entries that have no changes as Meta writes them."""


@pytest.mark.parametrize("entry", ODD_ENTRIES)
def test_what_is_not_known_may_have_a_form_of_its_own(entry):
    webhook = parse_webhook(b'{"object":"commerce_account","entry":%b}' % entry)
    assert webhook.others == (OtherChange("", "", {}, object_type="commerce_account"),)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"hola",
        b"\xff",
        b'{"object":"x","entry":NaN}',
        b'{"object":"x","entry":1e999}',
        b"[" * 100_000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"object":5,"entry":[]}',
        b'{"object":"x"}',
        b'{"object":"x","entry":{}}',
        *(b'{"object":"whatsapp_business_account","entry":%b}' % entry for entry in ODD_ENTRIES),
        *(
            b'{"object":"whatsapp_business_account","entry":'
            b'[{"changes":[{"field":"messages","value":{"%b":{}}}]}]}' % member
            for member in (b"messages", b"statuses", b"errors")
        ),
    ],
    ids=lambda body: repr(body[-60:]),
)
def test_malformed(body):
    with pytest.raises(Malformed):
        parse_webhook(body)


def text_with(escaped: bytes) -> object:
    body = orjson.dumps(envelope(value(messages=[typed("text", {"body": "HERE"})])))
    [received] = parse_webhook(body.replace(b"HERE", escaped)).messages
    assert isinstance(received.content, Text)
    return received.content.body


def test_half_a_character_does_not_cost_the_message():
    assert text_with(rb"half \ud83c\udf55 \ud83c") == "half 🍕 \ufffd"


def test_what_cannot_be_stored_is_dropped():
    sent = typed("text", {"body": "Hola"})
    odd = {"deep": nested(200), "long": 2**64 - 1, "a\0b": 1, "list": [2**64 - 1, "kept"]}
    body = json.dumps(envelope(value(messages=[{**sent, **odd}])))
    [received] = parse_webhook(body.encode()).messages
    assert received.content == Text("Hola")
    assert set(received.raw["message"]) == {*sent, "deep", "list"}
    assert received.raw["message"]["list"] == [None, "kept"]
    bson.encode({"raw": received.raw})


def test_a_message_restored_from_mongodb_is_the_same():
    for sent, _ in KINDS:
        [received] = parse(envelope(value(contacts=[CONTACT], messages=[sent]))).messages
        assert restore_message(bson.decode(bson.encode(received.raw))) == received
        assert restore_message(orjson.loads(orjson.dumps(received.raw))) == received


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"message": 5, "contact": [], "phone_number_id": NUMBER},
        {"message": message(), "contact": {}, "phone_number_id": None},
    ],
)
def test_restoring_something_else(raw):
    with pytest.raises(Malformed):
        restore_message(raw)


def assert_sound(body: bytes) -> None:
    try:
        webhook = parse_webhook(body)
    except Malformed:
        return
    for received in webhook.messages:
        assert received.sender.key
        assert restore_message(bson.decode(bson.encode(received.raw))) == received
    for each in webhook.statuses:
        bson.encode({"pricing": each.pricing, "opaque": each.opaque})
    for other in webhook.others:
        bson.encode(other.value)


@settings(deadline=None)
@given(body=st.binary())
def test_no_bytes_break_it(body):
    assert_sound(body)


@settings(deadline=None)
@given(body=any_json)
def test_no_json_breaks_it(body):
    assert_sound(json.dumps(body).encode())


@settings(deadline=None)
@given(members=st.dictionaries(st.sampled_from(["messages", "statuses", "contacts"]), any_json))
def test_no_value_breaks_it(members):
    assert_sound(json.dumps(envelope(value(**members))).encode())


def places(node: Any) -> list[tuple[Any, Any]]:
    steps: list[Any] = []
    if isinstance(node, dict):
        steps = list(node)
    elif isinstance(node, list):
        steps = list(range(len(node)))
    inner = [place for step in steps for place in places(node[step])]
    return [(node, step) for step in steps] + inner


VALID = [
    *(envelope(value(contacts=[CONTACT], messages=[sent])) for sent, _ in KINDS),
    envelope(value(statuses=[status(pricing=PRICING, errors=[{"code": 1, "error_data": {}}])])),
]


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_no_damage_breaks_it(data):
    """Put anything in any one or two places of a good webhook."""
    body = copy.deepcopy(data.draw(st.sampled_from(VALID)))
    for _ in range(data.draw(st.integers(1, 2))):
        parent, step = data.draw(st.sampled_from(places(body)))
        parent[step] = data.draw(any_json)
    assert_sound(json.dumps(body).encode())
