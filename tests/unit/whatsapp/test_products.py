"""Messages with products: their wire shapes, their limits, their rules."""

import dataclasses

import pytest

from engine.whatsapp.products import (
    CatalogMessage,
    ProductListMessage,
    ProductMessage,
    ProductSection,
)
from tests.unit.whatsapp.messages import assert_limit, assert_refused, assert_wire


def product_list(**changes) -> ProductListMessage:
    sections = (ProductSection("Pizza", ("prod:margherita",)),)
    message = ProductListMessage("555", "Our menu", body="Take your pick", sections=sections)
    return dataclasses.replace(message, **changes)


def products(count: int) -> tuple[str, ...]:
    return tuple(f"prod:{n}" for n in range(count))


SHAPES = [
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
]


@pytest.mark.parametrize(("message", "wire"), SHAPES)
def test_wire_shape(message, wire):
    assert_wire(message, wire)


# Each: how to make the message from a text, the field that is named, the limit.
TEXT_LIMITS = [
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
]


@pytest.mark.parametrize(("make", "field", "limit"), TEXT_LIMITS, ids=[t[1] for t in TEXT_LIMITS])
def test_text_limit(make, field, limit):
    assert_limit(lambda length: make("x" * length), field, limit)


COUNT_LIMITS = [
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
    assert_limit(make, field, limit)


INVALID = [
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
]


@pytest.mark.parametrize(("make", "field"), INVALID)
def test_rule(make, field):
    assert_refused(make, field)
