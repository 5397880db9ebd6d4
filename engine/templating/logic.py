"""Whether a condition can hold at all, told from its source: `x and not x` cannot.

What the values are is not known here: every value that makes a difference is tried.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise, product
from math import prod
from typing import Any, Final

from jinja2 import nodes

MOST_TRIED: Final = 5_000
"""Combinations of values; of a condition with more nothing is told."""
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "lt": lambda one, other: bool(one < other),
    "lteq": lambda one, other: bool(one <= other),
    "gt": lambda one, other: bool(one > other),
    "gteq": lambda one, other: bool(one >= other),
}
_SOMETHING: Final = "\0"
"""A value that is none of those written."""


def can_hold(condition: nodes.Node) -> bool:
    """Tell whether some values make a condition true; True if it is too large to be told."""
    tried: dict[str, set[Any]] = {}
    _collect(condition, tried)
    telling = [_telling(values) for values in tried.values()]
    if prod(map(len, telling)) > MOST_TRIED:
        return True
    return any(
        _holds(condition, dict(zip(tried, values, strict=True))) for values in product(*telling)
    )


def _collect(node: nodes.Node, tried: dict[str, set[Any]]) -> None:
    """Find the values a condition depends on, and what each of them is compared with."""
    if isinstance(node, (nodes.And, nodes.Or)):
        _collect(node.left, tried)
        _collect(node.right, tried)
    elif isinstance(node, nodes.Not):
        _collect(node.node, tried)
    elif not isinstance(node, nodes.Const):
        sides = _sides(node)
        read, others = (sides[0], (sides[2],)) if sides else (node, ())
        tried.setdefault(repr(read), {None, _SOMETHING}).update(others)


def _telling(written: Iterable[Any]) -> list[Any]:
    """Give what makes a difference: all that is written, and a number on every side of each."""
    made = [*written]
    if any(map(_is_number, made)):
        numbers = sorted({0, *filter(_is_number, made)})
        between = ((one + other) / 2 for one, other in pairwise(numbers))
        made += [0, *between, numbers[0] - 1, numbers[-1] + 1]
    return made


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _sides(node: nodes.Node) -> tuple[nodes.Node, str, Any] | None:
    """Read a comparison of a value with something written; None if it is none."""
    if not isinstance(node, nodes.Compare) or len(node.ops) != 1:
        return None
    operand = node.ops[0]
    if not isinstance(operand.expr, nodes.Const) or isinstance(node.expr, nodes.Const):
        return None
    other = operand.expr.value
    is_told = operand.op in ("eq", "ne") or (operand.op in _ORDER and _is_number(other))
    return (node.expr, operand.op, other) if is_told else None


def _holds(node: nodes.Node, values: Mapping[str, Any]) -> bool:
    if isinstance(node, nodes.And):
        return _holds(node.left, values) and _holds(node.right, values)
    if isinstance(node, nodes.Or):
        return _holds(node.left, values) or _holds(node.right, values)
    if isinstance(node, nodes.Not):
        return not _holds(node.node, values)
    if isinstance(node, nodes.Const):
        return bool(node.value)
    sides = _sides(node)
    if sides is None:
        return bool(values[repr(node)])
    read, operator, other = sides
    mine = values[repr(read)]
    if operator in ("eq", "ne"):
        return bool(mine == other) == (operator == "eq")
    try:
        return _ORDER[operator](mine, other)
    except TypeError:  # such values are not compared
        return False
