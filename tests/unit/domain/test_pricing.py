"""The ladder: whatever is bought, every step is exact to the cent and the steps add up."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.catalog import Modifier, ModifierGroup, Presentation, Product
from engine.domain.ids import CategoryId, GroupId, ModifierId, PresentationId, ProductId
from engine.domain.money import Currency
from engine.domain.pricing import TaxRule, price_line, price_order
from engine.domain.refusals import Reason, Refusal

USD = Currency("USD")
PRICES = st.decimals(min_value=0, max_value=500, places=2, allow_nan=False)
RATES = st.decimals(min_value=0, max_value=30, places=3, allow_nan=False)


def product(base="10.00", sizes=(), groups=(), **more):
    return Product(
        id=ProductId("prod:x"),
        name="X",
        category_id=CategoryId("cat:x"),
        category="X",
        base_price=Decimal(base),
        presentations=tuple(
            Presentation(PresentationId(f"pres:{i}"), str(i), Decimal(p))
            for i, p in enumerate(sizes)
        ),
        groups=tuple(groups),
        **more,
    )


def group(*prices, minimum=0, maximum=5, name="g"):
    modifiers = tuple(
        Modifier(ModifierId(f"mod:{name}{i}"), f"{name}{i}", Decimal(p))
        for i, p in enumerate(prices)
    )
    return ModifierGroup(GroupId(f"group:{name}"), name, minimum, maximum, modifiers)


def line(of, *, size=None, modifiers=(), quantity=1):
    return price_line(of, presentation=size, modifiers=modifiers, quantity=quantity, currency=USD)


def test_a_presentation_replaces_the_base_price_and_add_ons_are_added_per_unit():
    pizza = product(sizes=["12.00", "18.00"], groups=[group("2.00", "2.50")])
    made = line(pizza, size="pres:1", modifiers=["mod:g0", "mod:g1"], quantity=2)
    assert made.unit_price == Decimal("22.50")
    assert made.total == Decimal("45.00")
    assert [m.id for m in made.modifiers] == ["mod:g0", "mod:g1"]


@pytest.mark.parametrize(
    ("of", "wanted", "reason"),
    [
        (product(is_available=False), {}, Reason.SOLD_OUT),
        (product(stock=0), {}, Reason.SOLD_OUT),
        (product(), {"quantity": 0}, Reason.QUANTITY_OUT_OF_RANGE),
        (product(), {"quantity": -3}, Reason.QUANTITY_OUT_OF_RANGE),
        (product(), {"quantity": 100}, Reason.QUANTITY_OUT_OF_RANGE),
        (product(), {"size": "pres:0"}, Reason.UNKNOWN_PRESENTATION),
        (product(sizes=["1"]), {}, Reason.PRESENTATION_NEEDED),
        (product(sizes=["1"]), {"size": "pres:9"}, Reason.UNKNOWN_PRESENTATION),
        (product(), {"modifiers": ["mod:g0"]}, Reason.UNKNOWN_MODIFIER),
        (product(groups=[group("1")]), {"modifiers": ["mod:g0"] * 2}, Reason.UNKNOWN_MODIFIER),
        (product(groups=[group("1", minimum=1)]), {}, Reason.TOO_FEW_MODIFIERS),
        (
            product(groups=[group("1", "1", maximum=1)]),
            {"modifiers": ["mod:g0", "mod:g1"]},
            Reason.TOO_MANY_MODIFIERS,
        ),
    ],
)
def test_what_the_catalog_does_not_offer_is_refused(of, wanted, reason):
    refused = line(of, **wanted)
    assert isinstance(refused, Refusal)
    assert refused.reason is reason


def test_an_unavailable_size_or_add_on_is_sold_out():
    pizza = product(sizes=["12.00", "18.00"], groups=[group("2.00")])
    gone = replace(pizza.presentations[0], is_available=False)
    assert line(replace(pizza, presentations=(gone, pizza.presentations[1])),
                size="pres:0").reason is Reason.SOLD_OUT  # fmt: skip
    cheese = replace(pizza.groups[0].modifiers[0], is_available=False)
    without = replace(pizza, groups=(replace(pizza.groups[0], modifiers=(cheese,)),))
    assert line(without, size="pres:0", modifiers=["mod:g0"]).reason is Reason.SOLD_OUT


@given(
    st.lists(st.tuples(PRICES, st.lists(PRICES, max_size=3), st.integers(1, 99)), max_size=8),
    PRICES,
    RATES,
    st.booleans(),
    st.booleans(),
)
def test_the_ladder_adds_up_to_the_cent(bought, fee, rate, included, on_delivery):
    lines = []
    for base, extras, quantity in bought:
        of = product(str(base), groups=[group(*extras)])
        lines.append(line(of, modifiers=[m.id for m in of.groups[0].modifiers], quantity=quantity))
    quote = price_order(
        lines, delivery_fee=fee, tax=TaxRule(rate, included, on_delivery), currency=USD
    )
    by_hand = sum(
        ((base + sum(extras, Decimal(0))) * quantity for base, extras, quantity in bought),
        Decimal(0),
    )
    assert quote.subtotal == by_hand
    added = Decimal(0) if included else quote.tax
    assert quote.total == quote.subtotal + quote.delivery_fee + added
    assert 0 <= quote.tax <= quote.subtotal + quote.delivery_fee
    for amount in (quote.subtotal, quote.delivery_fee, quote.tax, quote.total):
        assert amount == USD.round(amount)


@given(PRICES, st.integers(1, 99))
def test_an_included_tax_is_the_part_that_makes_the_price(price, quantity):
    of = product(str(price))
    quote = price_order(
        [line(of, quantity=quantity)],
        delivery_fee=Decimal(0),
        tax=TaxRule(Decimal(18), is_included=True),
        currency=USD,
    )
    net = quote.total - quote.tax
    assert abs(net * Decimal("1.18") - quote.total) <= Decimal("0.01")


def test_the_fingerprint_changes_with_anything_the_customer_is_told():
    def quoted(price="10.00", quantity=1, fee="3.50", rate="8"):
        return price_order(
            [line(product(price), quantity=quantity)],
            delivery_fee=Decimal(fee),
            tax=TaxRule(Decimal(rate)),
            currency=USD,
        ).fingerprint

    told = [quoted(), quoted(price="10.01"), quoted(quantity=2), quoted(fee="0"), quoted(rate="9")]
    assert len(set(told)) == len(told)
    assert quoted() == told[0]
