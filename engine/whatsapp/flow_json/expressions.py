"""The expressions of a Flow JSON: `${data.total}`, `` `'Total: ' ${data.total}` ``, conditions.

They are read, typed, and worked out as far as the values are known; whether what they name exists
is not known here. Syntax and operators: flows/reference/flowjson, from 6.0.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from engine.errors import EngineError

Store: TypeAlias = Literal["data", "form"]


class BadExpression(EngineError):
    """A text is no expression that WhatsApp understands; the message says why."""


class Undecided(EngineError):
    """An expression needs a value that is not known here."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that is named.

    Args:
        store: of a screen's data, or of its inputs.
        path: its name, and the keys that lead further into it.
        screen: id of the screen; None for the one the expression is on.
    """

    store: Store
    path: tuple[str, ...]
    screen: str | None = None

    def __str__(self) -> str:
        screen = ("screen", self.screen) if self.screen else ()
        return "${" + ".".join((*screen, self.store, *self.path)) + "}"


@dataclass(frozen=True, slots=True)
class Literally:
    """A value that is written."""

    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator with one operand or two; " " puts texts together."""

    operator: str
    operands: tuple["Node", ...]


Node: TypeAlias = Reference | Literally | Operation

_DEEPEST: Final = 40
_MOST_TOKENS: Final = 200
_LARGEST: Final = 1e18
_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<reference>\$\{[^{}]*\})
    |(?P<text>'(?:\\.|[^'\\])*')
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<word>[A-Za-z_][A-Za-z0-9_.]*)
    |(?P<operator>==|!=|<=|>=|&&|\|\||[-<>+*/%!()])
    )""",
    re.VERBOSE | re.DOTALL,
)
_NAMED: Final = re.compile(
    r"\$\{(?:screen\.(?P<screen>[A-Za-z_]+)\.)?(?P<store>data|form)(?P<path>(?:\.[A-Za-z0-9_]+)+)\}"
)
_STRENGTH: Final = {
    "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4,
    "+": 5, "-": 5, "/": 6, "%": 6,
}  # fmt: skip
_WORDS: Final = {"true": True, "false": False}


def is_whole(text: str) -> bool:
    """Tell whether a text is one name, such as `${data.total}`."""
    return text.startswith("${") and text.endswith("}") and text.count("${") == 1


def is_dynamic(text: str) -> bool:
    """Tell whether a text is, or was meant to be, more than it says."""
    return "${" in text or (len(text) > 1 and text.startswith("`") and text.endswith("`"))


def read_value(text: str) -> Node:
    """Read the value of a property that is dynamic.

    Raises:
        BadExpression: it is none, or cannot be read.
    """
    if text.startswith("`") and text.endswith("`") and len(text) > 1:
        return _Reader(text[1:-1]).read()
    if is_whole(text):
        return _reference(text)
    raise BadExpression(f"WhatsApp would show '{text[:60]}' as it stands")


def read_condition(text: str) -> Node:
    """Read an expression of an If or a Switch, which has no backticks.

    Raises:
        BadExpression: it cannot be read, or there is nothing in it that changes.
    """
    if text.startswith("`"):
        raise BadExpression("this is written without backticks")
    node = _Reader(text).read()
    if not any(True for _ in references(node)):
        raise BadExpression("nothing in this ever changes")
    return node


def references(node: Node) -> Iterator[Reference]:
    """Give everything an expression names."""
    if isinstance(node, Reference):
        yield node
    elif isinstance(node, Operation):
        for operand in node.operands:
            yield from references(operand)


def _reference(text: str) -> Reference:
    found = _NAMED.fullmatch(text)
    if found is None:
        raise BadExpression(f"'{text[:60]}' names nothing: write ${{data.…}} or ${{form.…}}")
    path = tuple(found["path"][1:].split("."))
    return Reference(cast("Store", found["store"]), path, found["screen"])


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


class _Reader:
    """Reads one expression, by the strength of its operators."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.index = 0

    def read(self) -> Node:
        if not self.tokens:
            raise BadExpression("there is nothing in this expression")
        parts = [self._operation(1, 0)]
        while self._next() is not None:
            parts.append(self._operation(1, 0))
        return parts[0] if len(parts) == 1 else Operation(" ", tuple(parts))

    def _next(self) -> _Token | None:
        return self.tokens[self.index] if self.index < len(self.tokens) else None

    def _operation(self, strength: int, depth: int) -> Node:
        left = self._operand(depth)
        while True:
            token = self._next()
            found = _STRENGTH.get(token.text, 0) if token and token.kind == "operator" else 0
            if token is None or found < strength:
                return left
            self.index += 1
            left = Operation(token.text, (left, self._operation(found + 1, depth)))

    def _operand(self, depth: int) -> Node:
        token = self._next()
        if token is None:
            raise BadExpression("the expression ends too early")
        if depth > _DEEPEST:
            raise BadExpression("the brackets go too deep")
        self.index += 1
        if token.kind != "operator":
            return _leaf(token)
        if token.text in ("!", "-"):
            return Operation(token.text, (self._operand(depth + 1),))
        if token.text != "(":
            raise BadExpression(f"'{token.text}' has nothing before it")
        inner = self._operation(1, depth + 1)
        closing = self._next()
        if closing is None or closing.text != ")":
            raise BadExpression("a bracket is not closed")
        self.index += 1
        return inner


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise BadExpression(f"'{text[position:].strip()[:20]}' cannot be read here")
        if len(tokens) == _MOST_TOKENS:
            raise BadExpression(f"the expression has more than {_MOST_TOKENS} parts")
        tokens.append(_Token(found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


def _leaf(token: _Token) -> Node:
    match token.kind:
        case "reference":
            return _reference(token.text)
        case "text":
            return Literally(re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL))
        case "number":
            return Literally(float(token.text))
    if token.text not in _WORDS:
        raise BadExpression(f"'{token.text[:40]}' is no value: a text stands in single quotes")
    return Literally(_WORDS[token.text])


def type_of(node: Node, lookup: Callable[[Reference], str | None]) -> str | None:
    """Tell what type an expression gives; None if it depends on something unknown.

    Args:
        lookup: gives the type of what is named: "string", "number", "boolean", "array", "object".

    Raises:
        BadExpression: an operator is used with something it does not take.
    """
    if isinstance(node, Reference):
        return lookup(node)
    if isinstance(node, Literally):
        if isinstance(node.value, bool):
            return "boolean"
        return "string" if isinstance(node.value, str) else "number"
    types = [type_of(operand, lookup) for operand in node.operands]
    return _type_of_operation(node.operator, types)


def _type_of_operation(operator: str, types: list[str | None]) -> str:
    if operator == " ":
        return "string"
    known = {found for found in types if found is not None}
    if operator in ("==", "!="):
        if len(known) > 1:
            raise BadExpression(f"'{operator}' compares a {' with a '.join(sorted(known))}")
        return "boolean"
    wanted = "boolean" if operator in ("!", "&&", "||") else "number"
    for found in known - {wanted}:
        raise BadExpression(f"'{operator}' works on {wanted}s, this is a {found}")
    return wanted if operator not in ("<", "<=", ">", ">=") else "boolean"


def work_out(node: Node, lookup: Callable[[Reference], object]) -> object:
    """Work an expression out.

    Args:
        lookup: gives the value of what is named.

    Raises:
        Undecided: `lookup` raised it, or a value is not of the type its operator takes.
    """
    if isinstance(node, Reference):
        return lookup(node)
    if isinstance(node, Literally):
        return node.value
    return _result(node.operator, [work_out(operand, lookup) for operand in node.operands])


def _result(operator: str, values: list[object]) -> object:
    if operator == " ":
        return "".join(map(_shown, values))
    if operator in ("==", "!="):
        return (values[0] == values[1]) == (operator == "==")
    if operator in ("!", "&&", "||"):
        truths = [_truth(value) for value in values]
        return {"!": not truths[0], "&&": all(truths), "||": any(truths)}[operator]
    numbers = [_number(value) for value in values]
    if len(numbers) == 1:
        return -numbers[0]
    return _ARITHMETIC[operator](*numbers)


_ARITHMETIC: Final[dict[str, Callable[[float, float], object]]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    # Rounded as the client does; through zero is zero.
    "+": lambda left, right: round(left + right, 2),
    "-": lambda left, right: round(left - right, 2),
    "/": lambda left, right: round(left / right, 2) if right else 0.0,
    "%": lambda left, right: round(math.fmod(left, right), 2) if right else 0.0,
}


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise Undecided("not a truth")
    return value


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST:
        return value
    raise Undecided("not a number")


def _shown(value: object) -> str:
    """Write a value as the client shows it in a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple | dict):
        raise Undecided("not shown in a text")
    return str(value)
