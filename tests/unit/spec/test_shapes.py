"""The shapes that the checker knows are those of what made-up customers hear."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from engine.domain.cart import CartLine
from engine.domain.ids import ProductId
from engine.rendering.views import priced_view
from engine.spec.shapes import SHAPES, Lacking, Many, Record, Words, shape_at, shown
from engine.templating.reading import EACH
from tests.unit.actions.shop import LIBRARY
from tests.unit.rehearsal.edited import walked

LINE = CartLine(ProductId("prod:roll"), "Roll", Decimal(1))
UNHEARD = (
    "event.order",
    "event.status",
    "native.others.",
    "native_cart.taken.[].modifiers.",
    "priced.modifiers.",
)
"""Lists that stay empty in the walks; their elements have shapes that others have, too."""
OF_A_FLOW = frozenset({"type", "address", "payment", "notes", "presentation", "modifiers"})
"""What the shipped Flows give; and a timer says which entry it is of."""


def parts_of(shape, value, path) -> Iterator[tuple[str, str]]:
    """Give what a value has, by path, with what its shape does not allow."""
    if value is None or shape is None:
        return
    if isinstance(shape, Words):
        yield path, "" if value in shape.words else str(value)
    elif isinstance(shape, Many):
        for part in value:
            yield from parts_of(shape.of, part, f"{path}.{EACH}")
    else:
        assert isinstance(shape, Record)
        for name, part in value.items():
            yield f"{path}.{name}", "" if name in shape.parts else name
            yield from parts_of(shape.parts.get(name), part, f"{path}.{name}")


def paths_of(shape, path) -> Iterator[str]:
    if isinstance(shape, Many):
        yield from paths_of(shape.of, f"{path}.{EACH}")
    elif isinstance(shape, Record):
        for name, part in shape.parts.items():
            yield f"{path}.{name}"
            yield from paths_of(part, f"{path}.{name}")


@pytest.fixture(scope="module")
def heard() -> set[tuple[str, str]]:
    contexts = [
        context
        for tenant in LIBRARY.tenant_ids()
        for node in walked(LIBRARY, tenant).nodes
        for _, context in node.heard
    ]
    found = {
        part
        for context in contexts
        for name, shape in SHAPES.items()
        for part in parts_of(shape, context.get(name), name)
    }
    return found | set(parts_of(SHAPES["priced"], priced_view(LINE), "priced"))


def test_nothing_is_heard_that_has_another_shape(heard):
    wrong = {(path, what) for path, what in heard if what}
    allowed = {(f"event.{name}", name) for name in {*OF_A_FLOW, "entry"}}
    assert wrong - allowed == set()


def test_every_part_is_heard_of_somebody(heard):
    paths = {path for name, shape in SHAPES.items() for path in paths_of(shape, name)}
    unheard = paths - {path for path, _ in heard}
    assert {path for path in unheard if not path.startswith(UNHEARD)} == set()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("order_type", SHAPES["order_type"]),
        ("cart.lines.[].name", None),
        ("cart.lines.0.nmae", Lacking("cart.lines.0", "nmae", frozenset())),
        ("cart.lines.[].nmae", Lacking("cart.lines", "nmae", frozenset())),
        ("crat.nmae", None),
        ("customer.name.first", None),
        ("cart.lines.first", None),
    ],
)
def test_the_shape_at_a_path(path, found):
    shape = shape_at(path, SHAPES)
    if isinstance(found, Lacking):
        assert isinstance(shape, Lacking)
        assert (shape.of, shape.name) == (found.of, found.name)
        assert "unit_price" in shape.known
    else:
        assert shape == found


def test_a_path_is_shown_as_authors_write_it():
    assert shown("cart.lines.[].name") == "cart.lines.name"
