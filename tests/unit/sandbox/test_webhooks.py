from datetime import UTC, datetime

from engine.sandbox.envelope import Complaint
from engine.sandbox.state import Person
from engine.sandbox.webhooks import Sent, customer_webhook, encode, signature, status_webhook
from tests.unit.sandbox.scene import ANA, SHOP, Webhook, hmac_sha256, text_to, well_signed

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HELLO = {"type": "text", "text": {"body": "¡hola!"}}


def ana(**more) -> Person:
    return Person(ANA, "US.77", name="Ana", **more)


def status(sent: Sent, name: str, complaint: Complaint | None = None):
    webhook = status_webhook(sent, name, at=AT, complaint=complaint)
    return webhook["entry"][0]["changes"][0]["value"]["statuses"][0]


def test_hmac_by_hand_is_right():
    # RFC 4231, test case 2.
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?") == (
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )


def test_signature_is_over_the_bytes():
    raw = encode({"name": "Añá"})
    header = signature(SHOP.app_secret, raw)

    assert well_signed(Webhook(raw, header))
    assert not well_signed(Webhook(raw + b" ", header))


def test_bytes_are_ascii_as_meta_writes_them():
    assert encode({"a": "ä", "b": [1]}) == b'{"a":"\\u00e4","b":[1]}'


def test_customer_message():
    webhook = customer_webhook(SHOP, ana(), HELLO, wamid="wamid.1", at=AT)

    assert webhook == {
        "object": "whatsapp_business_account",
        "entry": [
            {
                "id": "102290129340398",
                "changes": [
                    {
                        "field": "messages",
                        "value": {
                            "messaging_product": "whatsapp",
                            "metadata": {
                                "display_phone_number": "15550783881",
                                "phone_number_id": "106540352242922",
                            },
                            "contacts": [
                                {"profile": {"name": "Ana"}, "wa_id": ANA, "user_id": "US.77"}
                            ],
                            "messages": [
                                {
                                    "from": ANA,
                                    "from_user_id": "US.77",
                                    "id": "wamid.1",
                                    "timestamp": "1795176000",
                                    "type": "text",
                                    "text": {"body": "¡hola!"},
                                }
                            ],
                        },
                    }
                ],
            }
        ],
    }


def test_hidden_phone_is_nowhere_in_the_bytes():
    person = ana(hides_phone=True, username="ana.pizza")
    webhook = customer_webhook(SHOP, person, HELLO, wamid="wamid.1", at=AT)

    assert ANA.encode() not in encode(webhook)
    value = webhook["entry"][0]["changes"][0]["value"]
    profile = {"name": "Ana", "username": "ana.pizza"}
    assert value["contacts"] == [{"profile": profile, "user_id": "US.77"}]
    assert value["messages"][0]["from_user_id"] == "US.77"


def test_system_messages_have_no_contacts():
    message = {"type": "system", "system": {"type": "user_changed_number", "wa_id": "1"}}
    webhook = customer_webhook(SHOP, ana(), message, wamid="wamid.1", at=AT)

    assert "contacts" not in webhook["entry"][0]["changes"][0]["value"]


def test_context_names_the_business():
    message = HELLO | {"context": {"id": "wamid.0"}}
    webhook = customer_webhook(SHOP, ana(), message, wamid="wamid.1", at=AT)

    (sent,) = webhook["entry"][0]["changes"][0]["value"]["messages"]
    assert sent["context"] == {"from": "15550783881", "id": "wamid.0"}


def test_forwarded_context_stays_as_it_is():
    message = HELLO | {"context": {"forwarded": True}}
    webhook = customer_webhook(SHOP, ana(), message, wamid="wamid.1", at=AT)

    (sent,) = webhook["entry"][0]["changes"][0]["value"]["messages"]
    assert sent["context"] == {"forwarded": True}


def test_status_of_a_message_to_a_phone_number():
    sent = Sent("wamid.9", SHOP, ana(), text_to(biz_opaque_callback_data="outbox:4"))

    assert status(sent, "sent") == {
        "id": "wamid.9",
        "status": "sent",
        "timestamp": "1795176000",
        "recipient_id": ANA,
        "recipient_user_id": "US.77",
        "biz_opaque_callback_data": "outbox:4",
        "pricing": {
            "billable": False,
            "pricing_model": "PMP",
            "type": "free_customer_service",
            "category": "service",
        },
    }


def test_pricing_is_on_sent_and_delivered_only():
    sent = Sent("wamid.9", SHOP, ana(), text_to())

    assert "pricing" in status(sent, "delivered")
    assert "pricing" not in status(sent, "read")
    assert "pricing" not in status(sent, "failed", Complaint(131047))


def test_templates_are_billed():
    sent = Sent("wamid.9", SHOP, ana(), text_to(type="template"))

    assert status(sent, "sent")["pricing"]["type"] == "regular"


def test_status_of_a_message_to_a_user_id_has_no_phone():
    payload = {"recipient": "US.77", "type": "text"}
    webhook = status_webhook(Sent("wamid.9", SHOP, ana(), payload), "sent", at=AT)

    assert ANA.encode() not in encode(webhook)
    assert status(Sent("wamid.9", SHOP, ana(), payload), "sent")["recipient_user_id"] == "US.77"


def test_failed_status_to_a_phone_number_has_no_user_id():
    failed = status(Sent("wamid.9", SHOP, ana(), text_to()), "failed", Complaint(131026, "gone"))

    assert "recipient_user_id" not in failed
    assert failed["recipient_id"] == ANA
    assert failed["errors"][0]["code"] == 131026
    assert failed["errors"][0]["error_data"] == {"details": "gone"}


def test_failed_status_to_a_user_id_has_it():
    sent = Sent("wamid.9", SHOP, ana(), {"recipient": "US.77", "type": "text"})

    assert status(sent, "failed", Complaint(131026))["recipient_user_id"] == "US.77"
