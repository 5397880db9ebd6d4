from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import ORDER_ALPHABET, ORDER_LENGTH, RandomIds, SeededIds
from engine.domain.ids import CustomerKey, OrderNumber
from engine.domain.order import LEGAL_MOVES, Order, OrderStatus, OrderType
from engine.domain.pricing import Quote

END = {OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.REJECTED}


def order(type=OrderType.DELIVERY, status=OrderStatus.PENDING):
    nothing = Decimal(0)
    return Order(
        OrderNumber("K7M2QX"), CustomerKey("1"), Quote((), nothing, nothing, nothing, nothing),
        type, "cash", "cash", datetime(2030, 1, 1, tzinfo=UTC), status=status,
    )  # fmt: skip


@pytest.mark.parametrize("type", list(OrderType))
def test_every_status_has_its_moves_and_the_end_has_none(type):
    moves = LEGAL_MOVES[type]
    assert set(moves) == set(OrderStatus)
    assert {status for status in moves if not moves[status]} >= END
    for status in END:
        assert moves[status] == frozenset()


@pytest.mark.parametrize("type", list(OrderType))
@given(steps=st.lists(st.sampled_from(list(OrderStatus)), max_size=12))
def test_no_order_comes_back_from_its_end_or_moves_backwards(type, steps):
    held, seen = order(type), [OrderStatus.PENDING]
    for step in steps:
        after = held.move(step)
        if after is None:
            continue
        assert held.status not in END
        assert step not in seen
        held, seen = after, [*seen, step]
    assert held.status is seen[-1]


def test_only_a_delivery_is_on_the_way():
    ready = order(OrderType.PICKUP, OrderStatus.READY)
    assert ready.move(OrderStatus.ON_THE_WAY) is None
    assert order(status=OrderStatus.READY).move(OrderStatus.ON_THE_WAY) is not None


def test_order_numbers_are_short_and_have_no_sequence():
    ids = RandomIds()
    numbers = [ids.order_number() for _ in range(2000)]
    assert {len(n) for n in numbers} == {ORDER_LENGTH}
    assert set("".join(numbers)) <= set(ORDER_ALPHABET)
    assert len(set(numbers)) >= 1999
    assert sorted(numbers) != numbers


def test_seeded_ids_repeat():
    one, other = SeededIds(7), SeededIds(7)
    assert [one.order_number() for _ in range(3)] == [other.order_number() for _ in range(3)]
    assert SeededIds(8).order_number() != SeededIds(7).order_number()
