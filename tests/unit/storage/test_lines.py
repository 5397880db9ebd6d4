"""Lines of carts and orders on disk."""

from engine.storage.lines import line_from_disk, line_to_disk
from tests.unit.storage.builders import COKE, MARGHERITA, USD


def test_a_line_survives_the_disk():
    for line in (MARGHERITA, COKE):
        assert line_from_disk(line_to_disk(line, USD), USD) == line


def test_a_line_is_what_the_back_end_reads():
    assert line_to_disk(MARGHERITA, USD) == {
        "productId": "prod:margherita",
        "name": "Margherita",
        "presentationId": "size:large",
        "presentation": "Large",
        "modifiers": [{"rId": "mod:olives", "name": "Olives", "price": 1.1}],
        "quantity": 2,
        "unitPrice": 14.5,
        "total": 29.0,
    }
