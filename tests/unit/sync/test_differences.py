"""What Meta has beside what we want, in any way Meta may write it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from babel.numbers import format_currency
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.money import Currency
from engine.sync.calls import MetaItem
from engine.sync.differences import Difference, differences
from engine.sync.item import Item
from engine.sync.ports import ItemId
from tests.unit.sync.test_item import one, size, tenant

ITEM = one()
AT_META = {
    "retailer_id": "prod:margherita",
    "name": "Margherita",
    "description": "Tomato and mozzarella.",
    "availability": "in stock",
    "condition": "new",
    "price": "$12.00",
    "currency": "USD",
    "url": "https://shop.example/p/la-tavola/prod%3Amargherita",
    "image_url": "https://scontent.example/copy.jpg",
    "brand": "La Tavola",
    "product_type": "Pizza",
    "custom_label_0": "cat:pizza",
    "retailer_product_group_id": "made by Meta",
}


def found(**more) -> MetaItem:
    fields = {name: text for name, text in (AT_META | more).items() if text is not None}
    return MetaItem(ItemId("prod:margherita"), fields)


def priced(amount: str, currency: str = "USD") -> Item:
    return one(shop=tenant(currency), base_price=Decimal(amount))


def test_what_is_as_we_want_it_does_not_differ():
    assert differences(ITEM, found()) == ()


@pytest.mark.parametrize(
    ("more", "difference"),
    [
        ({"name": "Hawaii"}, Difference("title", "Margherita", "Hawaii")),
        ({"description": None}, Difference("description", "Tomato and mozzarella.", "")),
        ({"availability": "out of stock"}, Difference("availability", "in stock", "out of stock")),
        ({"availability": None}, Difference("availability", "in stock", "")),
        ({"condition": "used"}, Difference("condition", "new", "used")),
        ({"price": "$13.00"}, Difference("price", "12.00 USD", "$13.00 USD")),
        ({"price": "PEN12.00", "currency": "PEN"}, Difference("price", "12.00 USD", "PEN12.00")),
        ({"price": "PEN12.00", "currency": None}, Difference("price", "12.00 USD", "PEN12.00")),
        ({"price": None, "currency": None}, Difference("price", "12.00 USD", "")),
        ({"price": None}, Difference("price", "12.00 USD", "USD")),
        ({"price": "Free"}, Difference("price", "12.00 USD", "Free USD")),
        ({"url": "https://x.example/"}, Difference(
            "link", "https://shop.example/p/la-tavola/prod%3Amargherita", "https://x.example/")),
        ({"brand": "Other"}, Difference("brand", "La Tavola", "Other")),
        ({"product_type": None}, Difference("product_type", "Pizza", "")),
        ({"custom_label_0": "cat:pasta"}, Difference("custom_label_0", "cat:pizza", "cat:pasta")),
    ],
)  # fmt: skip
def test_a_field_that_differs_is_told_with_both_values(more, difference):
    assert differences(ITEM, found(**more)) == (difference,)


@pytest.mark.parametrize(
    "more",
    [
        {"name": " Margherita "},
        {"description": "Tomato  and\r\nmozzarella."},
        {"availability": "IN_STOCK"},
        {"condition": "NEW"},
        {"url": "https://shop.example/p/la-tavola/prod:margherita"},
        {"price": "12.00 USD", "currency": None},
        {"currency": None},
        {"currency": "usd"},
        {"image_url": None},
        {"size": "Huge"},
        {"color": "red"},
    ],
)
def test_how_meta_writes_it_and_what_we_do_not_send_is_no_difference(more):
    assert differences(ITEM, found(**more)) == ()


def test_letters_with_marks_are_equal_in_either_form():
    assert differences(one(name="Caf\u00e9"), found(name="Cafe\u0301")) == ()


def test_all_fields_that_differ_are_told():
    changed = found(name="Hawaii", price="$13.00", availability="out of stock")
    told = differences(ITEM, changed)
    assert [each.field for each in told] == ["title", "availability", "price"]


def test_a_variant_is_compared_with_its_group_and_size():
    item = one(presentations=(size(),))
    told = differences(item, found())
    assert [each.field for each in told] == ["title", "size", "item_group_id", "price", "link"]
    same = found(
        name="Margherita (Large)",
        size="Large",
        retailer_product_group_id="prod:margherita",
        price="$15.00",
        url=item.fields["link"],
    )
    assert differences(item, same) == ()


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("1499", "USD", "$1,499.00"),
        ("1499", "EUR", "1.499,00 €"),
        ("1499", "EUR", "1.499 €"),
        ("12", "PEN", "PEN12.00"),
        ("12", "PEN", "S/.12.00"),
        ("12", "USD", "12.00 USD"),
        ("12", "USD", "USD 12"),
        ("12", "USD", "12,-"),
        ("0.5", "USD", "$0.5"),
        ("0.125", "KWD", "0.125 KWD"),
        ("0.5", "USD", "0.500 USD"),
        ("1.5", "KWD", "KWD1.500"),
        ("1500", "KWD", "1,500.000 KWD"),
        ("1500", "KWD", "KWD 1,500"),
        ("500", "IQD", "IQD500.000"),
        ("12000", "IQD", "IQD12,000.000"),
        ("50000", "IDR", "Rp50.000"),
        ("50000", "IDR", "Rp 50.000,00"),
        ("1200", "JPY", "¥1,200"),
        ("1200", "JPY", "¥1200"),
        ("1200", "JPY", "1200.00 JPY"),
        ("100000", "CLP", "$100.000"),
        ("1500000", "COP", "$ 1.500.000"),
        ("149900", "INR", "₹1,49,900.00"),
        ("1499", "CHF", "CHF 1’499.00"),
        ("1499", "CZK", "1\xa0499,00\xa0Kč"),
        ("1499", "FRF", "1\u202f499,00 F"),
        ("1499.5", "EGP", "١٬٤٩٩٫٥٠ ج.م."),
    ],
)
def test_a_price_is_read_in_any_writing(amount, currency, written):
    item = priced(amount, currency)
    at_meta = found(price=written, currency=currency)
    assert differences(item, at_meta) == ()
    other = differences(priced(str(Decimal(amount) + 1), currency), at_meta)
    assert [each.field for each in other] == ["price"]


@pytest.mark.parametrize("written", ["1..3", "1,.2,5", "9" * 5000, "1.2.3", "-", ".", "\u0660"])
def test_a_price_nobody_would_write_differs(written):
    assert [each.field for each in differences(ITEM, found(price=written))] == ["price"]


@given(
    cents=st.integers(1, 10**9),
    currency=st.sampled_from(["USD", "EUR", "JPY", "PEN", "KWD", "CLP"]),
    locale=st.sampled_from(["en_US", "es_PE", "de_DE", "fr_FR", "de_CH", "es_CL", "ja_JP"]),
)
def test_a_price_is_read_as_any_people_writes_it(cents, currency, locale):
    amount = Decimal(cents).scaleb(-Currency(currency).digits)
    written = format_currency(amount, currency, locale=locale)
    item = priced(str(amount), currency)
    assert differences(item, found(price=written, currency=currency)) == ()


@given(texts=st.dictionaries(st.sampled_from(sorted(AT_META)), st.text()))
def test_anything_meta_may_say_can_be_compared(texts):
    for each in differences(ITEM, replace(found(), fields=texts)):
        assert each.ours != each.metas
