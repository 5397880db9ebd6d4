import pytest

from tests.unit.sandbox.samples import (
    FOOTER,
    GONE,
    LINK,
    MESSAGES,
    TEXT_HEADER,
    button,
    card,
    changed,
    product,
    row,
)
from tests.unit.sandbox.scene import Json

KINDS = [name for name, message in MESSAGES.items() if message["type"] == "interactive"]
FOOTED = [name for name in KINDS if "footer" in MESSAGES[name]["interactive"]]


def dotted(path: str) -> str:
    """Write a path of the samples as the refusals do: `rows.1.id` as `rows[1].id`."""
    parts = (f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))
    return "".join(parts).removeprefix(".")


LENGTHS = [
    *(
        (name, "body.text", 4096 if name == "list" else 1024)
        for name in KINDS
        if name != "product"
    ),
    *((name, "footer.text", 60) for name in FOOTED),
    ("list", "header.text", 60),
    ("list", "action.button", 20),
    ("list", "action.sections.0.title", 24),
    ("list", "action.sections.0.rows.1.id", 200),
    ("list", "action.sections.0.rows.1.title", 24),
    ("list", "action.sections.0.rows.1.description", 72),
    ("button", "action.buttons.2.reply.id", 256),
    ("button", "action.buttons.2.reply.title", 20),
    ("cta_url", "action.parameters.display_text", 20),
    ("flow", "action.parameters.flow_cta", 30),
    ("product_list", "header.text", 60),
    ("product_list", "action.sections.0.title", 24),
]


@pytest.mark.parametrize(("name", "path", "limit"), LENGTHS)
async def test_length(judge, name, path, limit):
    path = f"interactive.{path}"
    assert await judge(changed(name, path, "x" * limit)) is None

    refused = await judge(changed(name, path, "x" * (limit + 1)))

    assert refused == (
        131009,
        f"Param {dotted(path)} must be at most {limit} characters long, it has {limit + 1}",
    )


@pytest.mark.parametrize("name", ["button", "cta_url", "flow"])
async def test_header_text_has_60_characters(judge, name):
    header = "interactive.header"
    assert await judge(changed(name, header, {"type": "text", "text": "x" * 60})) is None

    refused = await judge(changed(name, header, {"type": "text", "text": "x" * 61}))

    assert refused == (
        131009,
        "Param interactive.header.text must be at most 60 characters long, it has 61",
    )


def sections(count: int) -> list[Json]:
    return [{"title": f"Section {n}", "rows": [row(n)]} for n in range(count)]


def shelves(count: int, products: int) -> list[Json]:
    return [
        {
            "title": f"Shelf {n}",
            "product_items": [product(n * products + p) for p in range(products)],
        }
        for n in range(count)
    ]


def spread_rows(count: int) -> list[Json]:
    return [
        {"title": "First", "rows": [row(n) for n in range(5)]},
        {"title": "Second", "rows": [row(n) for n in range(5, count)]},
    ]


# kind, field, what is just right, what is one too many, what the refusal says
COUNTS = [
    ("list", "action.sections", sections(10), sections(11), "sections must have at most 10 elem"),
    ("list", "action.sections", spread_rows(10), spread_rows(11), "at most 10 rows in total"),
    (
        "list",
        "action.sections.0.rows",
        [row(n) for n in range(10)],
        [row(n) for n in range(11)],
        "at most 10 rows in total, it has 11",
    ),
    (
        "button",
        "action.buttons",
        [button(n) for n in range(3)],
        [button(n) for n in range(4)],
        "action.buttons must have at most 3 elements, it has 4",
    ),
    (
        "product_list",
        "action.sections",
        shelves(10, 3),
        shelves(11, 1),
        "action.sections must have at most 10 elements, it has 11",
    ),
    (
        "product_list",
        "action.sections",
        shelves(1, 30),
        shelves(1, 31),
        "at most 30 products in total, it has 31",
    ),
    (
        "carousel",
        "action.cards",
        [card(n) for n in range(10)],
        [card(n % 10) for n in range(11)],
        "action.cards must have at most 10 elements, it has 11",
    ),
    (
        "carousel",
        "action.cards",
        [card(n) for n in range(2)],
        [card(0)],
        "action.cards must have at least 2 elements, it has 1",
    ),
]


@pytest.mark.parametrize(("name", "path", "right", "wrong", "details"), COUNTS)
async def test_count(judge, name, path, right, wrong, details):
    path = f"interactive.{path}"
    assert await judge(changed(name, path, right)) is None

    refused = await judge(changed(name, path, wrong))

    assert refused is not None
    assert refused[0] == 131009
    assert details in refused[1]


UNTITLED = {"rows": [row(8)]}
REFUSED = [
    ("button", "type", "menu", 131009, "Param interactive.type must be one of"),
    ("button", "type", GONE, 131008, "Param interactive.type is required"),
    ("button", "body", GONE, 131008, "Param interactive.body is required"),
    ("button", "action", GONE, 131008, "Param interactive.action is required"),
    ("button", "header", {"type": "audio"}, 131009, "Param interactive.header.type must be one"),
    ("button", "header.image", {}, 131008, "needs one of id or link"),
    ("button", "action.buttons", [], 131009, "must have at least 1 elements"),
    ("button", "action.buttons", {}, 100, "action.buttons must be an array"),
    ("button", "action.buttons.0.type", "call", 131009, "buttons[0].type must be one of {reply}"),
    ("button", "action.buttons.0.reply.id", " pizza", 131009, "buttons[0].reply.id is not valid"),
    ("button", "action.buttons.0.reply.id", "pizza ", 131009, "buttons[0].reply.id is not valid"),
    ("button", "action.buttons.0.reply.id", "button:2", 131009, "reply.id must be unique"),
    ("button", "action.buttons.0.reply.title", "Button 2", 131009, "reply.title must be unique"),
    ("list", "header.type", "image", 131009, "header.type must be one of {text}"),
    ("list", "action.sections.0.rows.0.id", "row:2", 131009, "rows[].id must be unique"),
    ("list", "action.sections.0.rows", [], 131009, "sections[0].rows must have at least 1"),
    ("list", "action.sections", [*sections(1), UNTITLED], 131008, "sections[1].title is required"),
    ("cta_url", "action.parameters.url", "example.com", 131009, "parameters.url is not valid"),
    ("cta_url", "action.name", "open", 131009, "action.name must be one of {cta_url}"),
    ("flow", "action.parameters.flow_message_version", "4", 131009, "must be one of {3}"),
    ("flow", "action.parameters.flow_id", GONE, 131008, "needs one of flow_id or flow_name"),
    ("flow", "action.parameters.flow_name", "f", 131009, "takes only one of flow_id or flow_name"),
    ("flow", "action.parameters.mode", "test", 131009, "must be one of {published, draft}"),
    ("flow", "action.parameters.flow_action", "data_exchange", 131009, "only for flow_action nav"),
    ("flow", "action.parameters.flow_action_payload.data", {}, 131009, "must not be empty"),
    ("flow", "action.parameters.flow_action_payload.data", 1, 100, "must be an object"),
    ("flow", "action.parameters.flow_action_payload.screen", GONE, 131008, "screen is required"),
    ("product", "header", TEXT_HEADER, 100, 'Unexpected key "header"'),
    ("product_list", "header", GONE, 131008, "Param interactive.header is required"),
    ("carousel", "header", TEXT_HEADER, 100, 'Unexpected key "header"'),
    ("carousel", "footer", FOOTER, 100, 'Unexpected key "footer"'),
    ("carousel", "action.cards.1.action.catalog_id", "78", 131009, "must name one catalog_id"),
    ("carousel", "action.cards.1.card_index", 10, 131009, "card_index must be between 0 and 9"),
    ("carousel", "action.cards.1.card_index", "1", 100, "card_index must be an integer"),
    ("address_message", "action.parameters.country", "AR", 131009, "must be one of {IN}"),
]


@pytest.mark.parametrize(("name", "path", "value", "code", "details"), REFUSED)
async def test_refuses(judge, name, path, value, code, details):
    refused = await judge(changed(name, f"interactive.{path}", value))

    assert refused is not None
    assert refused[0] == code
    assert details in refused[1]


async def test_one_section_needs_no_title(judge):
    assert await judge(changed("list", "interactive.action.sections.0.title", GONE)) is None


async def test_a_product_needs_no_body(judge):
    assert await judge(changed("product", "interactive.body", GONE)) is None


async def test_a_flow_by_name(judge):
    parameters = {"flow_message_version": "3", "flow_name": "customise", "flow_cta": "Pay"}
    parameters["mode"] = "draft"

    assert await judge(changed("flow", "interactive.action.parameters", parameters)) is None


@pytest.mark.parametrize("medium", ["image", "video", "document"])
async def test_header_with_a_medium(judge, medium):
    header = {"type": medium, medium: {"link": LINK}}

    assert await judge(changed("button", "interactive.header", header)) is None
