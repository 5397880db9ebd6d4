"""Reads the expressions of Flow JSON: what they refer to and the type they have; not their value.

A type is None when the document does not say it. Operators bind as in most languages, and strings
put side by side last of all; Meta's page gives `&&` another place than its samples do.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

TOKEN = re.compile(
    r"""\s*(?:
        (?P<reference>\$\{[^{}]*\})
      | (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_]\w*)
      | (?P<operator>==|!=|<=|>=|&&|\|\||[<>+\-/%!()])
      | (?P<other>\S)
    )""",
    re.VERBOSE | re.DOTALL,
)
REFERENCE = re.compile(
    r"(?:screen\.(?P<screen>[A-Za-z_]\w*)\.)?(?P<store>data|form)"
    r"(?P<names>(?:\.[^.\s{}$]+)+)"
)
# Loosest first: what the operators take, if not one type for both sides, and what they give.
LEVELS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("||",), "boolean", "boolean"),
    (("&&",), "boolean", "boolean"),
    (("==", "!="), "", "boolean"),
    (("<", "<=", ">", ">="), "number", "boolean"),
    (("+", "-"), "number", "number"),
    (("/", "%"), "number", "number"),
)
DEEPEST = 30

Type = str | None


class BadExpression(Exception):
    """An expression is not as Meta's rules want it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What `${...}` refers to: data or an input, of another screen if one is named."""

    text: str
    store: Literal["data", "form"]
    names: tuple[str, ...]
    screen: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """The type of a part of an expression; a literal refers to nothing."""

    type: Type
    is_literal: bool = False


Resolve = Callable[[Reference], Type]


def reference(text: str) -> Reference:
    """Read a `${...}`.

    Raises:
        BadExpression: it refers to nothing there can be.
    """
    found = REFERENCE.fullmatch(text[2:-1])
    if found is None:
        raise BadExpression(f"Invalid operand format '{text}' found.")
    store: Literal["data", "form"] = "data" if found["store"] == "data" else "form"
    return Reference(text, store, tuple(found["names"][1:].split(".")), found["screen"])


def type_of(value: str, resolve: Resolve) -> Type:
    """Return the type of a bound property: one `${...}`, or an expression in backticks.

    Raises:
        BadExpression: it is not right.
    """
    if not value.startswith("`"):
        return resolve(reference(value))
    return _Reader(value[1:-1], resolve).whole().type


def condition_type(value: str, resolve: Resolve) -> Type:
    """Return the type of what an `If` or a `Switch` looks at, which has no backticks.

    Raises:
        BadExpression: it is not right, or depends on nothing.
    """
    whole = _Reader(value, resolve).whole()
    if whole.is_literal:
        raise BadExpression("The only operand is a literal value.")
    return whole.type


class _Reader:
    """Goes through the tokens of one expression."""

    def __init__(self, text: str, resolve: Resolve) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._depth = 0
        self._resolve = resolve

    def whole(self) -> Part:
        if not self._tokens:
            raise BadExpression("Expected property to contain at least one operand.")
        part = self._row()
        if self._at < len(self._tokens):
            raise BadExpression(
                "Missing opening parenthesis for the closing parenthesis "
                f"at column {self._tokens[self._at][2]}."
            )
        return part

    def _row(self) -> Part:
        """Read operands side by side: more than one make a string."""
        part = self._level(0)
        while self._at < len(self._tokens) and self._peek() != ")":
            other = self._level(0)
            part = Part("string", part.is_literal and other.is_literal)
        return part

    def _level(self, level: int) -> Part:
        if level == len(LEVELS):
            return self._unary()
        operators, takes, gives = LEVELS[level]
        left = self._level(level + 1)
        while self._peek() in operators:
            _, operator, column = self._take()
            right = self._level(level + 1)
            if left.is_literal and right.is_literal:
                raise BadExpression(
                    "An operator cannot not have literals on both sides. "
                    f"Found invalid syntax at column {column}."
                )
            _agree(left, right, takes, operator, column)
            left = Part(gives)
        return left

    def _unary(self) -> Part:
        if self._peek() == "!":
            _, operator, column = self._take()
            part = self._deeper(self._unary)
            _agree(part, part, "boolean", operator, column)
            return Part("boolean", part.is_literal)
        if self._peek() == "-":
            self._take()
            part = self._deeper(self._unary)
            if part.type not in ("number", None):
                raise BadExpression("A numerical value is expected to follow the negative sign.")
            return Part("number", part.is_literal)
        return self._operand()

    def _operand(self) -> Part:
        kind, text, column = self._take()
        if text == "(":
            return self._parenthesis(column)
        if kind == "reference":
            return Part(self._resolve(reference(text)))
        if kind in ("string", "number"):
            return Part(kind, is_literal=True)
        if text in ("true", "false"):
            return Part("boolean", is_literal=True)
        if kind == "word":
            raise BadExpression(f"Invalid literal '{text}'.")
        if kind == "operator":
            raise BadExpression(f"Wrong positioning of operator '{text}' at column {column}.")
        problem = (
            "Missing closing quote for string."
            if text == "'"
            else (f"Unexpected character '{text}' found at column {column}.")
        )
        raise BadExpression(problem)

    def _parenthesis(self, column: int) -> Part:
        if self._peek() == ")":
            raise BadExpression(f"Found invalid empty parentheses at column {column}.")
        part = self._deeper(self._row)
        if self._peek() != ")":
            raise BadExpression("Missing closing parenthesis.")
        self._take()
        return part

    def _deeper(self, read: Callable[[], Part]) -> Part:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadExpression(f"The expression is nested more than {DEEPEST} times.")
        part = read()
        self._depth -= 1
        return part

    def _peek(self) -> str | None:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else None

    def _take(self) -> tuple[str, str, int]:
        if self._at == len(self._tokens):
            last = self._tokens[-1][1]
            raise BadExpression(f"Missing operand after last operator '{last}'.")
        self._at += 1
        return self._tokens[self._at - 1]


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    for found in TOKEN.finditer(text):
        kind = found.lastgroup
        assert kind is not None
        yield kind, found[kind], found.start(kind) + 1


def _agree(left: Part, right: Part, takes: str, operator: str, column: int) -> None:
    """Want the type an operator takes on both sides, or the same one."""
    types = {part.type for part in (left, right)} - {None}
    if takes and types - {takes}:
        raise BadExpression(f"Operator '{operator}' at column {column} expects {takes} operands.")
    if len(types) > 1 or (not takes and types & {"array", "object"}):
        raise BadExpression(f"Type mismatch in an equality operation at column {column}.")
