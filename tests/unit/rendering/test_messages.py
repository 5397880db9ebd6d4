"""Whatever templates bring in, what is rendered is a message that WhatsApp takes."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import RenderFailed
from engine.rendering.messages import render, render_all, render_template
from engine.whatsapp import limits
from engine.whatsapp.flow import FlowMessage
from engine.whatsapp.interactive import (
    ButtonsMessage,
    LinkMessage,
    ListMessage,
    ListRow,
    ListSection,
    LocationRequest,
    ReplyButton,
)
from engine.whatsapp.outbound import ImageMessage, TemplateMessage, TextMessage
from engine.whatsapp.products import (
    CatalogMessage,
    ProductListMessage,
    ProductMessage,
    ProductSection,
)
from tests.unit.rendering.authored import all_rendered, message, rendered, seen

# Kinds

KINDS = [
    ("text: 'Hello {{ who }}'", TextMessage("Hello Ana")),
    ("text: 'See https://a.example'", TextMessage("See https://a.example", preview_url=True)),
    (
        "image: https://a.example/{{ n }}.jpg\ntext: ' A pizza '",
        ImageMessage("https://a.example/2.jpg", "A pizza"),
    ),
    ("image: https://a.example/a.jpg", ImageMessage("https://a.example/a.jpg")),
    (
        "text: Sure?\nheader: Top\nfooter: End\nbuttons: {yes: Yes, no: {title: No, argument: 7}}",
        ButtonsMessage(
            "Sure?", (ReplyButton("yes", "Yes"), ReplyButton("no:7", "No")),
            header="Top", footer="End",
        ),
    ),
    (
        "text: Sure?\nheader: Top\nimage: https://a.example/a.jpg\nbuttons: {yes: Yes}",
        ButtonsMessage("Sure?", (ReplyButton("yes", "Yes"),), image="https://a.example/a.jpg"),
    ),
    (
        """
text: Which?
header: Top
footer: End
list:
  button: Open
  rows:
    pick: {each: things, id: "{{ item.id }}", title: "{{ item.name }}", description: "#{{ n }}"}
    none: None of these
""",
        ListMessage(
            "Which?", "Open",
            (ListSection((
                ListRow("a:1", "One", "#2"), ListRow("a:2", "Two", "#2"),
                ListRow("none", "None of these"),
            )),),
            header="Top", footer="End",
        ),
    ),
    (
        """
text: Which?
list:
  button: Open
  sections:
    first: {title: "For {{ who }}", rows: {pick: {each: things, argument: "{{ item.id }}",
            title: "{{ item.name }}"}}}
    empty: {title: Nobody sees it, rows: {gone: {title: Gone, if: n == 3}}}
    last: {rows: {none: None}}
""",
        ListMessage(
            "Which?", "Open",
            (
                ListSection((ListRow("pick:a:1", "One"), ListRow("pick:a:2", "Two")), "For Ana"),
                ListSection((ListRow("none", "None"),), "…"),
            ),
        ),
    ),
    (
        "text: Look\nheader: Top\nfooter: End\n"
        "link: {title: 'Open {{ n }}', url: 'https://a.example/{{ n }}'}",
        LinkMessage("Look", "Open 2", url="https://a.example/2", header="Top", footer="End"),
    ),
    ("text: Where?\nask_location: true", LocationRequest("Where?")),
    (
        "text: This\nfooter: End\nproduct: {catalog: '77', id: 'prod:{{ who }}'}",
        ProductMessage("77", "prod:Ana", body="This", footer="End"),
    ),
    ("product: {catalog: '77', id: 'prod:x'}", ProductMessage("77", "prod:x")),
    (
        "text: These\nheader: Top\nproducts: {catalog: '77', each: things, title: 'T{{ n }}'}",
        ProductListMessage(
            "77", "Top", body="These", sections=(ProductSection("T2", ("a:1", "a:2")),)
        ),
    ),
    (
        "text: These\nheader: Top\nproducts: {catalog: '77', sections: shelves}",
        ProductListMessage(
            "77", "Top", body="These",
            sections=(ProductSection("One", ("a:1", "a:2|b:1")), ProductSection("…", ("3",))),
        ),
    ),
    (
        "text: All\nfooter: End\ncatalog: {thumbnail: 'prod:{{ who }}'}",
        CatalogMessage("All", thumbnail_product_id="prod:Ana", footer="End"),
    ),
    ("text: All\ncatalog: {}", CatalogMessage("All")),
    (
        "text: Book\nflow: {cta: Open, id: '5', token: 't-{{ n }}', screen: S, data: {n:"
        " '{{ n }}', who: 'Hi {{ who }}', all: [1, '{{ things[0].name }}'],"
        " price: '{{ price }}'}}",
        FlowMessage(
            "Book", "5", cta="Open", token="t-2", action="navigate", screen="S",
            data={"n": 2, "who": "Hi Ana", "all": [1, "One"], "price": "12.50"},
        ),
    ),
    (
        "text: Book\nflow: {cta: Open, id: '5', token: t}",
        FlowMessage("Book", "5", cta="Open", token="t", action="data_exchange"),
    ),
    (
        "text: Book\nheader: Top\nimage: https://a.example/{{ n }}.jpg\nfooter: End\n"
        "flow: {cta: 'Open {{ n }}', id: '5', token: t}",
        FlowMessage(
            "Book", "5", cta="Open 2", token="t", action="data_exchange",
            image="https://a.example/2.jpg", footer="End",
        ),
    ),
    (
        "template: {name: order_ready, parameters: ['{{ who }}', '{{ n }}']}",
        TemplateMessage("order_ready", "en_US", ({"type": "body", "parameters": [
            {"type": "text", "text": "Ana"}, {"type": "text", "text": "2"}]},)),
    ),
    ("template: {name: reminder}", TemplateMessage("reminder", "en_US")),
]  # fmt: skip
KNOWN: dict[str, Any] = {
    "who": "Ana",
    "n": 2,
    "price": Decimal("12.50"),
    "things": [{"id": "a:1", "name": "One"}, {"id": "a:2", "name": "Two"}],
    "shelves": [
        {"title": " One\n", "items": ["a:1", "a:2|b:1"]},
        {"title": "Empty", "items": []},
        {"title": " ", "items": [3]},
    ],
}


@pytest.mark.parametrize(("authored", "made"), KINDS, ids=[f"{type(m).__name__}{n}" for n, (_, m)
                                                           in enumerate(KINDS)])  # fmt: skip
def test_every_kind_of_message_is_rendered(authored, made):
    assert rendered(authored, **KNOWN) == made


BESIDE = "template: {name: order_ready, parameters: ['{{ who }}', '{{ n }}']}"


@pytest.mark.parametrize(
    "authored",
    ["text: Hi", "text: Hi\nbuttons: {yes: Yes}", "image: https://a.example/a.jpg",
     "text: Hi\nlist: {button: b, rows: {yes: Yes}}"],
)  # fmt: skip
def test_a_template_beside_other_content_is_another_message(authored):
    read = message(f"{authored}\n{BESIDE}")
    assert render(read, seen(**KNOWN)) == rendered(authored, **KNOWN)
    assert render_template(read, seen(**KNOWN)) == rendered(BESIDE, **KNOWN)


@pytest.mark.parametrize("authored", ["text: Hi", BESIDE])
def test_a_message_without_a_template_beside_it_has_none(authored):
    assert render_template(message(authored), seen(**KNOWN)) is None


def test_a_parameter_of_a_template_is_one_line():
    made = rendered(BESIDE, who=" Ana\n\tMaría     Paz ", n=2)
    assert isinstance(made, TemplateMessage)
    assert made.components[0]["parameters"][0]["text"] == "Ana María Paz"


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{name: ready, parameters: ['{{ nobody.name }}']}", r"^m\.yaml:4:42: "),
        ("{name: Ready!}", r"^m\.yaml:4:5: template\.name: only a-z, 0-9 and _ are allowed$"),
    ],
)
def test_a_template_that_cannot_be_said_tells_its_place(template, told):
    read = message(f"text: Hi\ntemplate: {template}")
    with pytest.raises(RenderFailed, match=told):
        render_template(read, seen(nobody=None))


def test_a_message_whose_condition_does_not_hold_is_not_said():
    authored = "if: n > 2\ntext: Hello"
    assert rendered(authored, n=3) == TextMessage("Hello")
    assert rendered(authored, n=2) is None
    assert all_rendered(authored, n=2) == ()


def test_what_cannot_be_said_tells_its_place():
    with pytest.raises(RenderFailed, match=r"^m\.yaml:2:3: text\.body: must not be blank$"):
        rendered("text: '{{ who }}'", who=" ")
    with pytest.raises(RenderFailed, match=r"^m\.yaml:3:11: "):
        rendered("text: '{{ nobody.name }}'", nobody=None)
    with pytest.raises(RenderFailed, match=r"link\.url"):
        rendered("text: a\nlink: {title: b, url: '{{ who }}'}", who="nowhere")


def test_more_than_one_blank_line_is_one():
    assert rendered('text: "\\n a\\n\\n\\n\\nb\\n "') == TextMessage("a\n\nb")


# What stays out


@pytest.mark.parametrize("image", ["", " ", "nonsense", "ftp://a.example/a.jpg", "https://a b.c/"])
def test_a_picture_that_is_none_is_left_out(image):
    with_buttons = "text: a\nheader: Top\nimage: '{{ image }}'\nbuttons: {yes: Yes}"
    made = rendered(with_buttons, image=image)
    assert made == ButtonsMessage("a", (ReplyButton("yes", "Yes"),), header="Top")
    assert rendered("text: a\nimage: '{{ image }}'", image=image) == TextMessage("a")
    made = rendered("text: a\nimage: '{{ image }}'\nlink: {title: b, url: https://c.example}",
                    image=image)  # fmt: skip
    assert made == LinkMessage("a", "b", url="https://c.example")
    opens = "text: a\nheader: Top\nimage: '{{ image }}'\nflow: {cta: b, id: '5', token: t}"
    made = rendered(opens, image=image)
    assert made == FlowMessage("a", "5", cta="b", token="t", action="data_exchange", header="Top")


def test_entries_whose_conditions_do_not_hold_are_left_out():
    authored = """
text: a
buttons:
  one: {title: One, if: n == 1}
  two: {title: "{{ item }}", argument: "{{ item }}", each: "[1, 2, 3]", if: item > n}
"""
    made = rendered(authored, n=1)
    assert isinstance(made, ButtonsMessage)
    assert [b.id for b in made.buttons] == ["one", "two:2", "two:3"]


def test_buttons_that_are_all_left_out_leave_the_text():
    authored = "text: a\nimage: '{{ image }}'\nbuttons: {one: {title: One, if: n == 1}}"
    assert rendered(authored, n=2, image="") == TextMessage("a")
    link = "https://a.example/a.jpg"
    assert rendered(authored, n=2, image=link) == ImageMessage(link, "a")


LIST = """
text: a
list:
  button: Open
  rows: {pick: {each: things, id: "{{ item }}", title: "t{{ item }}"}}
"""


@pytest.mark.parametrize("things", [[], None])
def test_an_empty_list_leaves_the_text(things):
    assert rendered(LIST, things=things) == TextMessage("a")
    native = "text: a\nheader: b\nproducts: {catalog: '7', each: things}"
    assert rendered(native, things=things) == TextMessage("a")


def test_rows_and_buttons_of_one_id_are_one():
    assert len(rows(rendered(LIST, things=["x", "y", "x"]))) == 2
    made = rendered("text: a\nbuttons: {x: {each: '[1, 1]', title: '{{ item }}'}}")
    assert made == ButtonsMessage("a", (ReplyButton("x", "1"),))


# What is fitted

BUTTONS = """
text: a
header: Top
footer: End
buttons: {x: {each: things, argument: "{{ item }}", title: "{{ title }} {{ item }}"}}
"""


@pytest.mark.parametrize("count", range(4, 14))
def test_more_than_three_buttons_become_a_list(count):
    made = rendered(BUTTONS, things=list(range(count)), title="t")
    shown = tuple(ListRow(f"x:{n}", f"t {n}") for n in range(min(count, limits.LIST_ROWS)))
    assert made == ListMessage("a", "Choose", (ListSection(shown),), header="Top", footer="End")


def test_buttons_that_would_read_the_same_become_a_list():
    made = rendered(BUTTONS, things=[1, 2], title="A title that is so long that it is cut")
    assert isinstance(made, ListMessage)
    assert [row.id for row in rows(made)] == ["x:1", "x:2"]


def test_a_title_that_is_blank_is_the_id():
    made = rendered("text: a\nbuttons: {yes: '{{ t }}', no: 'No'}", t=" \n ")
    assert isinstance(made, ButtonsMessage)
    assert [b.title for b in made.buttons] == ["yes", "No"]


def test_titles_are_one_line():
    made = rendered('text: a\nheader: "b\\nc"\nbuttons: {yes: "Y\\n e  s"}')
    assert made == ButtonsMessage("a", (ReplyButton("yes", "Y e s"),), header="b c")


def test_an_end_that_matters_is_not_cut_off():
    authored = 'text: "{{ lines }}\\n\\nTotal: 9"\nbuttons: {yes: Yes}'
    lines = "\n".join(f"{n} Pizza Margherita" for n in range(60))
    ahead, made = all_rendered(authored, lines=lines)
    assert ahead == TextMessage(lines)
    assert made == ButtonsMessage("Total: 9", (ReplyButton("yes", "Yes"),))
    short = "1 Pizza"
    body = f"{short}\n\nTotal: 9"
    made = ButtonsMessage(body, (ReplyButton("yes", "Yes"),))
    assert all_rendered(authored, lines=short) == (made,)


def test_a_text_without_a_place_to_part_it_is_cut():
    (made,) = all_rendered("text: '{{ word }}'\nbuttons: {yes: Yes}", word="w" * 2000)
    assert isinstance(made, ButtonsMessage)
    assert made.body == "w" * 1023 + "…"


PART = st.sampled_from(["word", "w" * 600, "🍕" * 200, " ", "\n", "\n\n", "\n\n\n", "…", "*b*"])


@settings(max_examples=80, deadline=None)
@given(st.lists(PART, max_size=25).map("".join))
def test_a_long_text_is_parted_without_losing_any_of_it(text):
    if not text.strip():
        return
    made = all_rendered("text: '{{ text }}'\nbuttons: {yes: Yes}", text=text)
    bodies = [m.body for m in made if isinstance(m, TextMessage | ButtonsMessage)]
    assert len(bodies) == len(made) <= 2
    if len(made) == 2 or limits.length(text.strip()) <= limits.INTERACTIVE_BODY:
        cut = bodies[0].endswith("…")
        assert cut or "".join("".join(bodies).split()) == "".join(text.split())
    for body, limit in zip(reversed(bodies), (limits.INTERACTIVE_BODY, limits.TEXT_BODY),
                           strict=False):  # fmt: skip
        assert 0 < limits.length(body) <= limit


# Pages

PAGED = """
text: a
list:
  button: Open
  rows:
    first: {title: First, if: fixed > 0}
    pick: {each: things, id: "{{ item }}", title: "t{{ item }}"}
    second: {title: Second, if: fixed > 1}
    third: {title: Third, if: fixed > 2}
  more: {title: "{{ more }}", id: "again"}
"""
SECTIONED = """
text: a
list:
  button: Open
  sections:
    top: {title: Top, rows: {first: {title: First, if: fixed > 0}}}
    one: {title: One, rows: {pick: {each: "things", id: "{{ item }}", title: "t{{ item }}"}}}
    two: {title: Two, rows: {take: {each: "others", id: "{{ item }}", title: "t{{ item }}"}}}
    end: {rows: {second: {title: Second, if: fixed > 1}, third: {title: Third, if: fixed > 2}}}
  more: {title: "{{ more }}", id: "again"}
"""


def rows(made: Any) -> list[ListRow]:
    assert isinstance(made, ListMessage)
    return [row for section in made.sections for row in section.rows]


def turned(authored: str, **context: Any) -> list[list[ListRow]]:
    """Turn the pages as a customer does, until the first comes again."""
    read, pages, page = message(authored), [], 1
    while True:
        made = render(read, seen(event={"page": page} if page > 1 else {}, **context))
        shown = rows(made)
        more = [row for row in shown if row.id.startswith("again#")]
        pages.append([row for row in shown if row not in more])
        if not more:
            assert page == 1
            return pages
        assert more == shown[-1:]
        following = int(more[0].id.removeprefix("again#"))
        assert following == (
            1 if len(pages) == int(str(more[0].description).split("/")[1]) else page + 1
        )
        if following == 1:
            return pages
        page = following


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.integers(0, 30), st.integers(0, 3), st.sampled_from(["More", " "]))
def test_every_row_is_on_one_page_and_no_page_is_a_dead_end(count, others, fixed, more):
    things, rest = [f"a:{n}" for n in range(count)], [f"b:{n}" for n in range(others)]
    for authored, wanted in ((PAGED, things), (SECTIONED, things + rest)):
        if not wanted and not fixed:
            made = rendered(authored, things=things, others=rest, fixed=fixed, more=more)
            assert made == TextMessage("a")
            continue
        pages = turned(authored, things=things, others=rest, fixed=fixed, more=more)
        ids = [[row.id for row in page] for page in pages]
        assert [i for page in ids for i in page if i[:2] in ("a:", "b:")] == wanted
        always = ["first", "second", "third"][:fixed]
        for page in ids:
            assert len(page) <= limits.LIST_ROWS
            assert [i for i in page if i in ("first", "second", "third")] == always
        assert len(pages) == 1 or all(len(page) <= limits.LIST_ROWS - 1 for page in ids)


@pytest.mark.parametrize("page", [0, -3, 99, "2", None, 2.5])
def test_a_page_that_is_none_is_the_nearest_one(page):
    made = render(message(PAGED), seen(
        event={"page": page}, things=list(range(30)), fixed=0, more="More"))  # fmt: skip
    assert rows(made)[-1].description == ("4/4" if page == 99 else "1/4")


def test_without_a_row_for_more_the_first_ten_are_shown():
    assert [row.id for row in rows(rendered(LIST, things=list(range(30))))] == [
        str(n) for n in range(10)
    ]


def test_many_native_products_are_the_first_thirty():
    made = rendered("text: a\nproducts: {catalog: '7', each: things}",
                    things=[{"id": f"p{n}"} for n in range(40)])  # fmt: skip
    assert isinstance(made, ProductListMessage)
    assert made.header == "…"
    assert made.sections == (ProductSection(None, tuple(f"p{n}" for n in range(30))),)


def test_the_sections_of_native_products_hold_thirty_together():
    shelves = [
        {"title": f"Shelf {n} of the whole long counter", "items": [f"p{n}-{i}" for i in range(4)]}
        for n in range(12)
    ]
    made = rendered("text: a\nheader: b\nproducts: {catalog: '7', sections: shelves}",
                    shelves=shelves)  # fmt: skip
    assert isinstance(made, ProductListMessage)
    assert [len(section.product_ids) for section in made.sections] == [4] * 7 + [2]
    assert {section.title for section in made.sections[:2]} == {
        "Shelf 0 of the whole…", "Shelf 1 of the whole…",
    }  # fmt: skip
    few = [{"title": str(n), "items": [n]} for n in range(12)]
    made = rendered("text: a\nproducts: {catalog: '7', sections: shelves}", shelves=few)
    assert isinstance(made, ProductListMessage)
    assert [section.product_ids for section in made.sections] == [(str(n),) for n in range(10)]


# Any value at all

PIECES = st.sampled_from(
    ["Pizza", "👨‍👩‍👧‍👦", "🇵🇪", "e" + "\u0301" * 40, "שלום", "مرحبا", "\u202e", "\u200b", "\u2800",
     "\xa0", " ", "\n", "\t", "*", "_", "{{ x }}", "#2", "|", "a" * 90, "Ω" * 500, "…", "😀" * 15]
)  # fmt: skip
ANYTHING = st.lists(PIECES, max_size=8).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=80
)
EVERYWHERE = """
text: "x{{ any }}"
header: "{{ any }}"
footer: "{{ any }}"
"""
AROUND = {
    "text": "",
    "image": "image: '{{ any }}'",
    "buttons": "image: '{{ any }}'\nbuttons: {x: '{{ any }}', y: '{{ any }}', z: {each: n,"
               " argument: '{{ item }}', title: '{{ any }}'}}",
    "list": "list: {button: '{{ any }}', sections: {a: {title: '{{ any }}', rows: {x: {each: n,"
            " argument: '{{ item }}', title: '{{ any }}', description: '{{ any }}'}}},"
            " b: {title: '{{ any }}', rows: {y: '{{ any }}'}}},"
            " more: {id: m, title: '{{ any }}'}}",
    "link": "link: {title: '{{ any }}', url: https://a.example}",
    "location": "ask_location: true",
    "product": "product: {catalog: '7', id: 'p:1'}",
    "products": "products: {catalog: '7', each: p, title: '{{ any }}'}",
    "sections": "products: {catalog: '7', sections: s}",
    "catalog": "catalog: {thumbnail: '{{ any }}'}",
    "flow": "flow: {cta: '{{ any }}', id: '7', token: 't', screen: S, data: {a: '{{ any }}'}}",
}  # fmt: skip
READ = {kind: message(f"{EVERYWHERE.strip()}\n{part}") for kind, part in AROUND.items()}


@settings(max_examples=60, deadline=None)
@given(ANYTHING, st.integers(0, 14))
def test_whatever_a_template_brings_in_it_is_a_message(any, count):
    ids = [{"id": f"p:{n}"} for n in range(count)]
    context = seen(
        any=any,
        n=list(range(count)),
        p=ids,
        s=[{"title": any, "items": [i["id"]]} for i in ids],
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    for kind, read in READ.items():
        made = render_all(read, context)
        assert made, kind
        for part in made:
            part.to_wire()
