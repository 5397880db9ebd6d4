"""Products as Meta's catalogue takes them, and why some are not taken."""

import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.catalog import Presentation, Product
from engine.domain.ids import CategoryId, PresentationId, ProductId
from engine.domain.native import item_id
from engine.domain.tenant import Tenant
from engine.sync.item import Item, Misfit, items_of
from engine.sync.ports import ItemId, Sellable

LINKS = "https://shop.example/p/la-tavola/"
IMAGE = "https://shop.example/margherita.jpg"
FAMILY = "👨‍👩‍👧‍👦"  # four people joined: seven code points
FLAG = "🇦🇷"

texts = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.sampled_from(
            [
                FAMILY,
                FLAG,
                "e\u0301",
                " ",
                "\r\n",
                "\n\n",
                "\x00",
                "\ud800",
                "👍🏽",
                "क्षि",
                "Pizza",
            ]
        ),
    ),
    max_size=60,
).map("".join)
names = texts.map(lambda text: f"A{text}")
prices = st.decimals("0.01", "99999.99", places=2)


def tenant(currency: str = "USD", name: str = "La Tavola") -> Tenant:
    return Tenant.model_validate(
        {
            "name": name,
            "languages": ["en"],
            "country": "US",
            "currency": currency,
            "time_zone": "UTC",
            "phone_number_ids": ["1"],
            "pickup": {},
            "payment_methods": {"cash": {"name": "Cash", "kind": "cash"}},
        }
    )


SHOP = tenant()
PIZZA = Product(
    id=ProductId("prod:margherita"),
    name="Margherita",
    category_id=CategoryId("cat:pizza"),
    category="Pizza",
    base_price=Decimal("12.00"),
    description="Tomato and mozzarella.",
    image_url=IMAGE,
)


def size(name: str = "Large", price: str = "15.00", **more) -> Presentation:
    return Presentation(
        PresentationId(f"pres:{name.lower()[:5].strip()}"), name, Decimal(price), **more
    )


def made(
    product: Product | None = PIZZA, shop: Tenant = SHOP, **more
) -> tuple[Item | Misfit, ...]:
    changed = product and replace(product, **more)
    key = changed.id if changed else PIZZA.id
    category = changed.category_id if changed else PIZZA.category_id
    return items_of(Sellable(key, changed, category, "65f0"), tenant=shop, links=LINKS)


def one(product: Product = PIZZA, shop: Tenant = SHOP, **more) -> Item:
    (item,) = made(product, shop, **more)
    assert isinstance(item, Item)
    return item


def reason(product: Product | None = PIZZA, **more) -> str:
    (misfit,) = made(product, **more)
    assert isinstance(misfit, Misfit)
    assert {misfit.item, misfit.product} == {more.get("id") or PIZZA.id}
    return misfit.reason


def test_a_product_is_one_item():
    assert one() == Item(
        item=ItemId("prod:margherita"),
        product=ProductId("prod:margherita"),
        fields={
            "id": "prod:margherita",
            "title": "Margherita",
            "description": "Tomato and mozzarella.",
            "availability": "in stock",
            "condition": "new",
            "price": "12.00 USD",
            "link": "https://shop.example/p/la-tavola/prod%3Amargherita",
            "image": [{"url": IMAGE, "tag": []}],
            "brand": "La Tavola",
            "product_type": "Pizza",
            "custom_label_0": "cat:pizza",
        },
        digest=one().digest,
    )


def test_presentations_are_variants_of_one_group():
    small, large = made(presentations=(size("Small", "12"), size("Large", "15.5")))
    assert isinstance(small, Item)
    assert isinstance(large, Item)
    assert (small.item, large.item) == (
        "prod:margherita|pres:small",
        "prod:margherita|pres:large",
    )
    assert large.product == "prod:margherita"
    assert large.fields == {
        **one().fields,
        "id": "prod:margherita|pres:large",
        "title": "Margherita (Large)",
        "price": "15.50 USD",
        "link": "https://shop.example/p/la-tavola/prod%3Amargherita?size=pres%3Alarge",
        "item_group_id": "prod:margherita",
        "size": "Large",
    }


def test_a_presentation_that_is_listed_twice_is_one_item():
    twice = (size(price="15"), size("Small"), size(price="99"))
    items = made(presentations=twice)
    assert [each.item.partition("|")[2] for each in items] == ["pres:large", "pres:small"]
    assert isinstance(items[0], Item)
    assert items[0].fields["price"] == "15.00 USD"


@pytest.mark.parametrize(
    ("product", "availability"),
    [
        ({}, "in stock"),
        ({"stock": 1}, "in stock"),
        ({"stock": 0}, "out of stock"),
        ({"is_available": False}, "out of stock"),
        ({"presentations": (size(),)}, "in stock"),
        ({"presentations": (size(is_available=False),)}, "out of stock"),
        ({"presentations": (size(),), "stock": 0}, "out of stock"),
        ({"presentations": (size(),), "is_available": False}, "out of stock"),
    ],
)
def test_what_cannot_be_ordered_is_out_of_stock(product, availability):
    assert one(**product).fields["availability"] == availability


def test_one_size_that_is_gone_leaves_the_others():
    items = made(presentations=(size("Small", is_available=False), size("Large")))
    found = [each.fields["availability"] for each in items if isinstance(each, Item)]
    assert found == ["out of stock", "in stock"]


@pytest.mark.parametrize(
    ("currency", "amount", "price"),
    [
        ("USD", "12", "12.00 USD"),
        ("PEN", "0.5", "0.50 PEN"),
        ("USD", "9.999", "10.00 USD"),
        ("JPY", "1200", "1200 JPY"),
        ("CLP", "1E+5", "100000 CLP"),
        ("KWD", "1.5", "1.500 KWD"),
        ("USD", "999999999.99", "999999999.99 USD"),
    ],
)
def test_a_price_has_the_digits_of_its_currency(currency, amount, price):
    item = one(shop=tenant(currency), base_price=Decimal(amount))
    assert item.fields["price"] == price


@pytest.mark.parametrize("amount", ["0", "-1", "0.004", "NaN", "Infinity", "1E+40"])
def test_what_costs_nothing_has_no_price(amount):
    assert reason(base_price=Decimal(amount)) == "it has no price"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"image_url": None}, "it has no image"),
        ({"image_url": ""}, "it has no image"),
        ({"image_url": "/images/pizza.jpg"}, "its image is no web address"),
        ({"image_url": "data:image/png;base64,AAAA"}, "its image is no web address"),
        ({"image_url": "https://"}, "its image is no web address"),
        ({"image_url": "https://a b/c.jpg"}, "its image is no web address"),
        ({"image_url": "https://[::1/c.jpg"}, "its image is no web address"),
        ({"image_url": "https://" + "é" * 80 + ".example/"}, "its image is no web address"),
        ({"image_url": 7}, "its image is no web address"),
        ({"name": ""}, "it has no name"),
        ({"name": " \x00\u200d"}, "it has no name"),
        ({"name": None}, "it has no name"),
        ({"category_id": ""}, "it has no category"),
        ({"category_id": "c" * 101}, "the id of its category is longer than 100 characters"),
        ({"id": "p" * 101}, "its id is longer than 100 characters"),
        ({"id": "a|b"}, 'its id has a "|", which stands between a product and its size'),
        ({"id": "a\n"}, "its id begins or ends with a space, or has a control character"),
        ({"id": " a"}, "its id begins or ends with a space, or has a control character"),
        ({"image_url": "", "name": ""}, "it has no name; it has no image"),
    ],
)
def test_a_misfit_says_why(more, said):
    assert reason(**more) == said


def test_a_document_that_cannot_be_read_is_a_misfit():
    unreadable = Sellable(PIZZA.id, None, CategoryId(""), "65f0", "its price is no number")
    expected = Misfit(ItemId(item_id(PIZZA.id)), PIZZA.id, "its price is no number")
    assert items_of(unreadable, tenant=SHOP, links=LINKS) == (expected,)
    assert reason(None) == "it cannot be read"


@pytest.mark.parametrize(
    ("presentation", "said"),
    [
        (size(price="0"), "it has no price"),
        (size(" "), "its size has no name"),
        (
            replace(size(), id=PresentationId("p" * 90)),
            "its id is longer than 100 characters",
        ),
        (
            replace(size(), id=PresentationId("p ")),
            "its id begins or ends with a space, or has a control character",
        ),
    ],
)
def test_a_presentation_that_cannot_be_sent_leaves_the_others(presentation, said):
    bad, good = made(presentations=(presentation, size("Small")))
    assert bad == Misfit(ItemId(item_id(PIZZA.id, presentation.id)), PIZZA.id, said)
    assert isinstance(good, Item)


def test_a_product_none_of_whose_parts_can_be_sent_is_one_misfit():
    parts = (size("Small", "0"), size("Large", "0"), replace(size(), id=PresentationId("p" * 90)))
    assert reason(presentations=parts) == "it has no price; its id is longer than 100 characters"


def test_a_product_with_sizes_needs_no_price_of_its_own():
    assert one(base_price=Decimal(0), presentations=(size(),)).fields["price"] == "15.00 USD"


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://[::1]:8000/x.jpg?a=b#c", "http://[::1]:8000/x.jpg?a=b#c"),
        (" https://x.example/a.jpg\n", "https://x.example/a.jpg"),
        ("https://x.example/menú/a b%20c.jpg", "https://x.example/men%C3%BA/a%20b%20c.jpg"),
        ("https://ñandú.example/a.jpg", "https://xn--and-6ma2c.example/a.jpg"),
    ],
)
def test_an_image_is_sent_as_it_can_be_asked_for(url, sent):
    assert one(image_url=url).fields["image"] == [{"url": sent, "tag": []}]


@pytest.mark.parametrize(
    ("written", "title", "description"),
    [
        (" Pizza \t\n  Napoli ", "Pizza Napoli", "Pizza\nNapoli"),
        ("Pi\x00zz\x1ba\u202e\ufeff", "Pizza", "Pizza"),
        ("a\r\nb\n\n\n\nc\u2028d", "a b c d", "a\nb\n\nc\nd"),
        ("\ud800Pizza\ufffe", "Pizza", "Pizza"),
        (f"Pizza {FAMILY}", f"Pizza {FAMILY}", f"Pizza {FAMILY}"),
    ],
)
def test_texts_are_tidied(written, title, description):
    fields = one(name=written, description=written).fields
    assert (fields["title"], fields["description"]) == (title, description)


@pytest.mark.parametrize("description", ["", "  ", "\x00", None, 7])
def test_what_is_not_described_is_named(description):
    assert one(description=description).fields["description"] == "Margherita"
    sized = one(description=description, presentations=(size(),)).fields
    assert sized["description"] == sized["title"] == "Margherita (Large)"


@pytest.mark.parametrize("category", ["", " ", None])
def test_a_category_without_a_name_is_no_product_type(category):
    fields = one(category=category).fields
    assert "product_type" not in fields
    assert fields["custom_label_0"] == "cat:pizza"


def test_long_texts_end_at_a_word():
    words = "Margherita with mozzarella " * 300
    fields = one(name=words, description=words, category=words).fields
    for field, limit in (("title", 100), ("description", 5000), ("product_type", 750)):
        text = fields[field]
        assert limit * 2 / 3 < len(text) <= limit
        assert text.removesuffix("…").split()[-1] in ("Margherita", "with", "mozzarella")


def test_the_size_outlives_the_cut_of_the_name():
    title = one(name="Margherita " * 20, presentations=(size("Extra large"),)).fields["title"]
    assert len(title) <= 100
    assert title.endswith("… (Extra large)")
    assert title.startswith("Margherita Margherita")


def test_a_long_size_leaves_half_of_the_title_to_the_name():
    item = one(name="Margherita " * 20, presentations=(size("Extra large " * 30),))
    name, _, kept = item.fields["title"].partition(" (")
    assert len(name) > 40
    assert kept.endswith("…)")
    assert 100 < len(item.fields["size"]) <= 200


def test_a_link_can_hold_any_id():
    item = one(
        id=ProductId("a/b c?d&é"), presentations=(replace(size(), id=PresentationId("x=y#z")),)
    )
    assert item.fields["link"] == f"{LINKS}a%2Fb%20c%3Fd%26%C3%A9?size=x%3Dy%23z"


def is_whole(text: str, source: str) -> bool:
    """Tell whether a cut text ends where a character of its source ends."""
    tidy = text.removesuffix("…")
    ends = {0, *(match.end() for match in regex.finditer(r"\X", source))}
    return source.startswith(tidy) and len(tidy) in ends


@settings(deadline=None)
@given(name=names, description=texts, label=names)
def test_limits_hold_and_no_character_is_broken(name, description, label):
    presentation = Presentation(PresentationId("p"), label, Decimal(1))
    for item in (
        one(name=name, description=description, category=name),
        one(name=name, description=description, category=name, presentations=(presentation,)),
    ):
        fields = item.fields
        assert 0 < len(fields["title"]) <= 100
        assert 0 < len(fields["description"]) <= 5000
        assert len(fields["product_type"]) <= 750
        assert len(fields.get("size", "")) <= 200
        for text in (fields["title"], fields["description"]):
            assert text == text.strip()
            assert not regex.search(r"(?V1)[\p{Cc}\p{Cs}--\n]", text)
            text.encode()


@settings(deadline=None)
@given(
    words=st.lists(st.sampled_from([FAMILY, FLAG, "e\u0301a", "क्षि", "👍🏽", "Pizza"]), min_size=1)
)
def test_a_cut_title_is_whole(words):
    name = "-".join(words * 9)
    assert is_whole(one(name=name).fields["title"], name)
    title = one(name=name, presentations=(size(),)).fields["title"]
    assert is_whole(title.removesuffix(" (Large)"), name)


@given(price=prices, currency=st.sampled_from(["USD", "PEN", "JPY", "KWD"]))
def test_a_price_reads_back(price, currency):
    shop = tenant(currency)
    rounded = shop.money.round(price)
    found = made(base_price=price, shop=shop)[0]
    if rounded:
        assert isinstance(found, Item)
        amount, _, code = found.fields["price"].partition(" ")
        assert (Decimal(amount), code) == (rounded, currency)
    else:
        assert isinstance(found, Misfit)


products = st.builds(
    replace,
    st.just(PIZZA),
    name=st.sampled_from(["Margherita", "Margherita ", "Diavola"]),
    description=st.sampled_from(["", "Good.", "Hot."]),
    base_price=st.sampled_from([Decimal("12"), Decimal("12.00"), Decimal("13")]),
    is_available=st.booleans(),
    stock=st.sampled_from([None, 0, 3]),
    presentations=st.sampled_from([(), (size(),), (size(price="16"),)]),
)


@given(first=products, second=products)
def test_the_digest_changes_if_and_only_if_the_fields_do(first, second):
    item, other = one(first), one(second)
    assert regex.fullmatch("[0-9a-f]{16}", item.digest)
    assert (item.digest == other.digest) is (item.fields == other.fields)


def test_the_digest_is_equal_in_every_process():
    code = (
        "from tests.unit.sync.test_item import one, reason, made;"
        "print(one().digest, made(name='')[0].digest)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    misfit = made(name="")[0]
    assert runs == {f"{one().digest} {misfit.digest}\n"}


def test_the_digest_of_a_misfit_is_of_its_reason():
    first, other = made(name="")[0], made(id=ProductId("b"), name="")[0]
    assert first.digest == other.digest != made(image_url="")[0].digest


def test_the_fields_are_json():
    for item in made(presentations=(size("Small"), size("Large"))):
        assert isinstance(item, Item)
        assert json.loads(json.dumps(item.fields)) == item.fields
