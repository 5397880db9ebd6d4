import pytest

from engine.sandbox.interactive import INTERACTIVE
from engine.sandbox.rules import KINDS, complaint
from tests.unit.sandbox.samples import GONE, MESSAGES, changed


def test_every_kind_has_a_sample():
    assert INTERACTIVE is KINDS["interactive"]
    assert {message["type"] for message in MESSAGES.values()} == set(KINDS)


@pytest.mark.parametrize("name", MESSAGES)
async def test_takes_every_kind(judge, name):
    assert await judge(MESSAGES[name]) is None


@pytest.mark.parametrize("name", MESSAGES)
async def test_wants_the_object_its_type_names(judge, name):
    kind = MESSAGES[name]["type"]

    assert await judge(changed(name, kind, GONE)) == (131008, f"Param {kind} is required")
    assert await judge(changed(name, kind, "x")) == (100, f"Param {kind} must be an object")


@pytest.mark.parametrize("name", MESSAGES)
async def test_refuses_a_key_meta_does_not_know(judge, name):
    kind = MESSAGES[name]["type"]

    refused = await judge(changed(name, f"{kind}.colour", "red"))

    assert refused == (100, f'Unexpected key "colour" on param {kind}')


LENGTHS = [
    ("text", "text.body", 4096),
    ("text", "biz_opaque_callback_data", 512),
    ("template", "template.name", 512),
]


@pytest.mark.parametrize(("name", "path", "limit"), LENGTHS)
async def test_length(judge, name, path, limit):
    assert await judge(changed(name, path, "x" * limit)) is None

    refused = await judge(changed(name, path, "x" * (limit + 1)))

    assert refused == (
        131009,
        f"Param {path} must be at most {limit} characters long, it has {limit + 1}",
    )


async def test_counts_code_points(judge):
    assert await judge(changed("text", "text.body", "🍕" * 4096)) is None
    assert await judge(changed("text", "text.body", "🍕" * 4097)) is not None


REFUSED = [
    ("text", "type", GONE, 131008, "Param type is required"),
    ("text", "type", "fax", 100, "Param type must be one of {audio, document,"),
    ("text", "to", None, 131008, "Param to is required"),
    ("text", "to", "ana", 131009, "Param to is not valid"),
    ("text", "to", 5491122223333, 100, "Param to must be a string"),
    ("text", "recipient", "5491122223333", 131009, "Param recipient is not valid"),
    ("text", "recipient_type", "group", 131009, "Param recipient_type must be one of"),
    ("text", "messaging_product", "sms", 100, "The parameter messaging_product is required"),
    ("text", "context", {}, 131008, "Param context.message_id is required"),
    ("text", "text.body", "", 131009, "Param text.body must not be empty"),
    ("text", "text.body", 7, 100, "Param text.body must be a string"),
    ("text", "text.preview_url", "yes", 100, "Param text.preview_url must be a boolean"),
    ("location", "location.latitude", 90.1, 131009, "Param location.latitude must be between"),
    ("location", "location.longitude", -181, 131009, "Param location.longitude must be between"),
    ("location", "location.longitude", "west", 100, "Param location.longitude must be a number"),
    ("location", "location.latitude", True, 100, "Param location.latitude must be a number"),
    ("location", "location.latitude", GONE, 131008, "Param location.latitude is required"),
    ("reaction", "reaction.emoji", GONE, 131008, "Param reaction.emoji is required"),
    ("reaction", "reaction.emoji", 1, 100, "Param reaction.emoji must be a string"),
    ("reaction", "context", {"message_id": "wamid.1"}, 131009, "Param context is not allowed"),
    ("template", "template.name", "Order-Ready", 131009, "Param template.name is not valid"),
    ("template", "template.language", {}, 131008, "Param template.language.code is required"),
    (
        "template",
        "template.components.1.type",
        "tail",
        131009,
        "Param template.components[1].type",
    ),
    ("template", "template.components.2.index", GONE, 131008, "components[2].index is required"),
    (
        "template",
        "template.components.1.parameters.0",
        {},
        131008,
        "parameters[0].type is required",
    ),
]


@pytest.mark.parametrize(("name", "path", "value", "code", "details"), REFUSED)
async def test_refuses(judge, name, path, value, code, details):
    refused = await judge(changed(name, path, value))

    assert refused is not None
    assert refused[0] == code
    assert details in refused[1]


async def test_messaging_product_is_missing_first():
    found = complaint({"type": "fax"})

    assert found is not None
    assert (found.code, found.details[:31]) == (100, "The parameter messaging_product")


@pytest.mark.parametrize("to", ["+5491155556666", "5491155556666", "+54 9 11 5555-6666"])
async def test_takes_phone_numbers_as_people_write_them(judge, to):
    assert await judge(changed("text", "to", to)) is None


READS = [
    ({"status": "seen", "message_id": "wamid.1"}, 131009),
    ({"status": "read"}, 131008),
    ({"status": "read", "message_id": "wamid.1", "typing_indicator": {}}, 131008),
    ({"status": "read", "message_id": "wamid.1", "typing_indicator": {"type": "voice"}}, 131009),
]


@pytest.mark.parametrize(("body", "code"), READS)
async def test_refuses_wrong_read_receipts(judge, body, code):
    assert (await judge(body))[0] == code
