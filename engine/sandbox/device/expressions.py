"""The expressions of Flow JSON: references, and operators on them; not where they may stand.

A scope is plain data: `{"data": ..., "form": ..., "screen": {"ID": {"data": ..., "form": ...}}}`.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.expressions import TOKEN

Scope = Mapping[str, Any]
Operators = Mapping[str, Callable[[object, object], object]]

REFERENCE = re.compile(r"\$\{\s*((?:data|form|screen)\.[^}]+?)\s*\}")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
OPERANDS = frozenset({"reference", "string", "number", "word"})


class ExpressionFault(Exception):
    """An expression cannot be read, or not be computed with what is there."""


def look_up(path: str, scope: Scope) -> object:
    """Return what a reference names; what is not there is None, or "" if it is a form's."""
    found: object = scope
    steps = path.split(".")
    for step in steps:
        found = found.get(step) if isinstance(found, Mapping) else None
    store = steps[2] if steps[0] == "screen" and len(steps) > 2 else steps[0]
    return "" if found is None and store == "form" else found


def evaluate(text: str, scope: Scope) -> object:
    """Compute an expression, as `If` and `Switch` hold it.

    Raises:
        ExpressionFault: it is no expression.
    """
    expression = text[1:-1] if _is_nested(text) else text
    return _Reading(_tokens(expression), scope, expression).whole()


def value_of(text: str, scope: Scope) -> object:
    """Return what a property says: a reference's value, a nested expression's, or the text."""
    if _is_nested(text):
        return evaluate(text, scope)
    reference = REFERENCE.fullmatch(text)
    return text if reference is None else look_up(reference[1], scope)


def resolve(template: object, scope: Scope, *, actions: bool = True) -> Any:
    """Return a copy with the values in the place of references; what has no value is left out.

    Args:
        actions: also within actions; these are only resolved when they are done.
    """
    if isinstance(template, str):
        return value_of(template, scope)
    if isinstance(template, list):
        return [resolve(one, scope, actions=actions) for one in template]
    if not isinstance(template, dict):
        return template
    resolved: JsonObject = {}
    for key, one in template.items():
        is_left = key.endswith("-action") and not actions
        value = one if is_left else resolve(one, scope, actions=actions)
        if value is not None:
            resolved[key] = value
    return resolved


def truth(value: object) -> bool:
    """Tell whether a condition holds; what is empty does not."""
    return bool(value)


def written(value: object) -> str:
    """Write a value as a concatenation does.

    Raises:
        ExpressionFault: it is neither a text, a number nor a boolean.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(int(value)) if value == int(value) else f"{value:.10g}"
    raise ExpressionFault("Only texts, numbers and booleans can be joined")


def _is_nested(text: str) -> bool:
    return len(text) > 1 and text.startswith("`") and text.endswith("`")


@lru_cache(maxsize=1024)
def _tokens(expression: str) -> tuple[tuple[str, str], ...]:
    found = TOKEN.finditer(expression)
    return tuple((match.lastgroup or "", match[match.lastgroup or 0]) for match in found)


def _number(value: object) -> float:
    if value is None or value == "":
        return 0
    if isinstance(value, int | float):
        return value
    if NUMBER.fullmatch(str(value)) is None:
        raise ExpressionFault(f"{value!r} is not a number")
    return float(str(value)) if "." in str(value) else int(str(value))


def _same(left: object, right: object) -> bool:
    left, right = "" if left is None else left, "" if right is None else right
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    numbers = isinstance(left, int | float) or isinstance(right, int | float)
    return written(left) == written(right) if numbers else left == right


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[object, object], bool]:
    return lambda left, right: compare(_number(left), _number(right))


def _divided(left: object, right: object) -> float:
    divisor = _number(right)
    return 0 if divisor == 0 else _number(left) / divisor


def _remainder(left: object, right: object) -> float:
    divisor = _number(right)
    return 0 if divisor == 0 else _number(left) % divisor


JOINED: Operators = MappingProxyType({})
# From what binds loosest to what binds tightest; loosest of all, texts that stand side by side are
# joined.
LEVELS: tuple[Operators, ...] = (
    JOINED,
    {"||": lambda left, right: truth(left) or truth(right)},
    {"&&": lambda left, right: truth(left) and truth(right)},
    {"==": _same, "!=": lambda left, right: not _same(left, right)},
    {
        "<": _ordered(lambda left, right: left < right),
        "<=": _ordered(lambda left, right: left <= right),
        ">": _ordered(lambda left, right: left > right),
        ">=": _ordered(lambda left, right: left >= right),
    },
    {
        "+": lambda left, right: _number(left) + _number(right),
        "-": lambda left, right: _number(left) - _number(right),
    },
    {"/": _divided, "%": _remainder},
)


class _Reading:
    """One expression while it is read from left to right; it is computed on the way."""

    def __init__(self, tokens: tuple[tuple[str, str], ...], scope: Scope, text: str) -> None:
        self._tokens = tokens
        self._scope = scope
        self._text = text
        self._place = 0

    def whole(self) -> object:
        value = self._level(0)
        if self._place < len(self._tokens):
            raise self._fault()
        return value

    def _level(self, level: int) -> object:
        if level == len(LEVELS):
            return self._operand()
        if LEVELS[level] is JOINED:
            return self._joined(level)
        value = self._level(level + 1)
        while (operator := self._operator()) in LEVELS[level]:
            self._place += 1
            value = LEVELS[level][operator](value, self._level(level + 1))
        return value

    def _joined(self, level: int) -> object:
        value = self._level(level + 1)
        while self._kind() in OPERANDS or self._operator() == "(":
            value = written(value) + written(self._level(level + 1))
        return value

    def _operand(self) -> object:
        kind, text = self._kind(), self._here()
        self._place += 1
        if kind == "reference":
            return self._referred(text)
        if kind == "string":
            return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
        if kind == "number":
            return _number(text)
        if text in ("true", "false"):
            return text == "true"
        return self._prefixed(text)

    def _prefixed(self, operator: str) -> object:
        if operator == "!":
            return not truth(self._operand())
        if operator == "-":
            return -_number(self._operand())
        if operator == "(":
            value = self._level(0)
            if self._operator() == ")":
                self._place += 1
                return value
        raise self._fault()

    def _referred(self, text: str) -> object:
        reference = REFERENCE.fullmatch(text)
        if reference is None:
            raise ExpressionFault(f"{text} refers to neither data, form nor screen")
        return look_up(reference[1], self._scope)

    def _kind(self) -> str:
        return self._tokens[self._place][0] if self._place < len(self._tokens) else ""

    def _here(self) -> str:
        return self._tokens[self._place][1] if self._place < len(self._tokens) else ""

    def _operator(self) -> str:
        return self._here() if self._kind() == "operator" else ""

    def _fault(self) -> ExpressionFault:
        return ExpressionFault(f"{self._text!r} is not an expression")
