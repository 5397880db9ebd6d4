"""The one language of texts, guards and arguments: Jinja2, cut down to what cannot do harm.

It sees plain data (mappings, lists, texts, numbers) and nothing of Python: attributes are keys, no
method can be called, only listed filters and registered guards. Size, time and steps are capped.
Nothing else imports jinja2.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache, wraps
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChainableUndefined, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.environment import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context, pass_environment

from engine.domain.money import LARGEST, format_money
from engine.domain.tenant import WEEKDAYS
from engine.errors import RenderFailed

MAX_SOURCE = 8_000
"""Characters of one template."""
MAX_OUTPUT = 64_000
"""Characters of one rendered text; a full cart goes out in several messages of 4,096."""
MAX_STEPS = 4_000
"""Rounds of all loops of one rendering."""
MAX_SECONDS = 0.25
"""Processor time of one rendering; a stalled machine is not the template's fault."""
PROGRAMS = 4096
"""Compiled sources kept for others that are the same."""
MAX_LOOP_DEPTH = 2
MAX_NODE_DEPTH = 40
GUARD_TURN = "turn_"
"""The name under which guards find the turn; authors cannot write it."""

Where = str


class TemplateProblem(Exception):
    """A template cannot be used: why, and the line in it."""

    def __init__(self, code: str, sentence: str, *, line: int = 1, name: str = "") -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.line = line or 1  # Jinja does not know the line of every part
        self.name = name


_FILTERS = frozenset(
    {
        "abs", "capitalize", "count", "default", "first", "float", "int", "join", "last", "length",
        "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round", "select",
        "selectattr", "sort", "string", "sum", "title", "trim", "unique", "upper",
    }
)  # fmt: skip
_TESTS = frozenset(
    {
        "defined", "undefined", "none", "true", "false", "boolean", "number", "integer", "string",
        "mapping", "sequence", "odd", "even", "divisibleby", "in", "eq", "equalto", "==", "ne",
        "!=", "gt", "greaterthan", ">", "ge", ">=", "lt", "lessthan", "<", "le", "<=",
    }
)  # fmt: skip
_STATEMENTS = (nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Template)


_SHOWN = (str, int, float, Decimal, datetime, type(None), Undefined)


def _shown(value: Any) -> Any:
    """Give back what may become a text; a list could hold itself a billion times over."""
    if not isinstance(value, _SHOWN):
        raise SecurityError(f"a {type(value).__name__} cannot be written")
    return value


def _amount(value: object) -> Decimal:
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(_shown(value)))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) >= LARGEST:
        raise ValueError("not an amount")
    return amount


@pass_context
def _money(context: Context, amount: object) -> str:
    """Write an amount in the tenant's currency as the customer's language does."""
    return format_money(_amount(amount), context["tenant"]["currency"], context["locale"])


@pass_context
def _time(context: Context, at: object) -> str:
    """Write the time of day of a moment as the tenant's clocks show it, such as `19:30`."""
    if not isinstance(at, datetime):
        raise TypeError("not a moment")
    return at.astimezone(ZoneInfo(context["tenant"]["time_zone"])).strftime("%H:%M")


@pass_context
def _date(context: Context, at: object) -> str:
    """Write the day of a moment in the tenant's time zone, such as `2026-11-23`."""
    if not isinstance(at, datetime):
        raise TypeError("not a moment")
    return at.astimezone(ZoneInfo(context["tenant"]["time_zone"])).strftime("%Y-%m-%d")


@pass_context
def _weekday(context: Context, at: object) -> str:
    """Name the day of the week of a moment in the tenant's time zone, such as `friday`."""
    if not isinstance(at, datetime):
        raise TypeError("not a moment")
    return WEEKDAYS[at.astimezone(ZoneInfo(context["tenant"]["time_zone"])).weekday()]


def _number(value: object) -> str:
    """Write a number without a needless fraction, such as `8.875` or `18`."""
    return format(_amount(value).normalize(), "f")


def _plural(count: int, one: str, many: str) -> str:
    """Choose between two words by a count."""
    return one if count == 1 else many


def _replace(text: object, old: str, new: str) -> str:
    """Replace every occurrence of a text by another."""
    source, instead = str(_shown(text)), str(_shown(new))
    if not old or len(source) + source.count(old) * len(instead) > MAX_OUTPUT:
        raise SecurityError("'replace' would make a text that is too long")
    return source.replace(old, instead)


@pass_environment
def _join(
    environment: "_Environment",
    values: Iterable[Any],
    separator: object = "",
    attribute: str | None = None,
) -> str:
    """Join values to one text."""
    between, parts, size = str(_shown(separator)), [], 0
    for value in values:
        for key in attribute.split(".") if attribute else ():
            value = environment.getitem(value, key)
        parts.append(str(_shown(value)))
        size += len(parts[-1]) + len(between)
        if size > MAX_OUTPUT + len(between):
            raise SecurityError("'join' would make a text that is too long")
    return between.join(parts)


@pass_environment
def _sum(environment: "_Environment", values: Iterable[Any], attribute: str | None = None) -> Any:
    """Add up numbers; Jinja's own would join lists as well."""
    return JINJA_FILTERS["sum"](environment, values, attribute)


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Round a number."""
    if precision not in range(-9, 10):
        raise SecurityError("'round' takes a precision of -9 to 9")
    return JINJA_FILTERS["round"](value, precision, method)


@pass_context
def _map(context: Context, values: Any, *arguments: Any, **options: Any) -> list[Any]:
    """Take a filter to each value; only one that authors may use themselves."""
    if arguments and arguments[0] not in FILTERS:
        raise SecurityError(f"there is no filter '{arguments[0]}'")
    return list(JINJA_FILTERS["map"](context, values, *arguments, **options))


def _of_text(known: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(known)
    def filtered(value: Any, *arguments: Any, **options: Any) -> Any:
        return known(_shown(value), *arguments, **options)

    return filtered


def _listing(known: Callable[..., Any]) -> Callable[..., Any]:
    """Make a filter give a list: the generator it gives counts as true even if it is empty."""

    @wraps(known)
    def filtered(*arguments: Any, **options: Any) -> Any:
        found = known(*arguments, **options)
        return found if isinstance(found, str) else list(found)

    return filtered


_OF_TEXT = ("capitalize", "lower", "string", "title", "trim", "upper")
_LISTING = ("reject", "rejectattr", "reverse", "select", "selectattr", "unique")
_BOUNDED: Mapping[str, Callable[..., Any]] = {
    "join": _join,
    "map": _map,
    "sum": _sum,
    "round": _round,
    **{name: _of_text(JINJA_FILTERS[name]) for name in _OF_TEXT},
    **{name: _listing(JINJA_FILTERS[name]) for name in _LISTING},
}

OWN_FILTERS: Mapping[str, Callable[..., str]] = {
    "money": _money,
    "time": _time,
    "date": _date,
    "weekday": _weekday,
    "number": _number,
    "plural": _plural,
    "replace": _replace,
}
FILTERS = _FILTERS | OWN_FILTERS.keys()


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2 that reaches keys and elements of plain data only."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, undefined: type[Undefined]) -> None:
        super().__init__(undefined=undefined, autoescape=False, finalize=_shown)
        self.globals.clear()
        self.filters.clear()
        self.filters.update({name: JINJA_FILTERS[name] for name in _FILTERS})
        self.filters.update(_BOUNDED)
        self.filters.update(OWN_FILTERS)
        self.filters["steps_"] = self.take_steps
        tests = dict(self.tests)
        self.tests.clear()
        self.tests.update({name: tests[name] for name in _TESTS})
        self.steps_left = MAX_STEPS
        self._look_closer = self._deadline = 0.0
        self.evaluation = nodes.EvalContext(self)

    def begin(self) -> None:
        """Give a rendering its rounds and its time."""
        self.steps_left = MAX_STEPS
        self._look_closer = time.perf_counter() + MAX_SECONDS
        self._deadline = 0.0

    def is_late(self) -> bool:
        """Tell whether a rendering has used up its time."""
        # Asking for processor time takes the system ten times as long as asking for the clock's:
        # it is counted only from when the clock's is over.
        if time.perf_counter() < self._look_closer:
            return False
        if not self._deadline:
            self._deadline = time.thread_time() + MAX_SECONDS
        return time.thread_time() > self._deadline

    # It asks for the context so that Jinja does not run it once and for all when it compiles.
    @pass_context
    def take_steps(self, _: Context, iterable: Iterable[Any]) -> Iterator[Any]:
        """Pay for each round of a loop."""
        for item in iterable:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise SecurityError(f"more than {MAX_STEPS} rounds of loops")
            if self.is_late():
                raise SecurityError("it takes too long")
            yield item

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a key of a mapping; nothing else has attributes, but the loop's counters."""
        # Nearly every object is a dict, and asking for a Mapping takes ten times as long.
        if isinstance(obj, dict) or isinstance(obj, Mapping):  # noqa: SIM101
            if attribute in obj:
                return obj[attribute]
        elif isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Read a key of a mapping or an element of a list or text."""
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        if isinstance(obj, (list, tuple, str)) and isinstance(argument, (int, slice)):
            try:
                return obj[argument]
            except IndexError:
                pass
        name = str(argument) if isinstance(argument, int) else type(argument).__name__
        return self.undefined(obj=obj, name=name)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers, join texts; nothing that multiplies sizes."""
        if operator == "**" or not _calculable(operator, left, right):
            kinds = f"{type(left).__name__} {operator} {type(right).__name__}"
            raise SecurityError(f"'{kinds}' is not offered")
        return super().call_binop(context, operator, left, right)


class _Scope(Context):
    """What one rendering reads and notes; Jinja's own prepares for blocks, which nobody has."""

    def __init__(self, environment: _Environment, values: dict[str, Any]) -> None:
        self.environment = environment
        self.parent = values
        self.vars = {}
        self.exported_vars = set()
        self.eval_ctx = environment.evaluation


_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex"})


def _calculable(operator: str, left: Any, right: Any) -> bool:
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return len(left) + len(right) <= MAX_OUTPUT
    numbers = isinstance(left, (int, float, Decimal)) and isinstance(right, (int, float, Decimal))
    return numbers and not _huge(left) and not _huge(right)


def _huge(number: Any) -> bool:
    return bool(abs(number) >= 10**15)


@dataclass(frozen=True, slots=True)
class _Program:
    """A compiled source, shared by all places where it is written."""

    environment: _Environment
    names: Mapping[str, int]
    root: Callable[[Context], Iterator[str]]

    def run(self, values: dict[str, Any]) -> tuple[_Scope, Iterator[str]]:
        """Begin a rendering."""
        self.environment.begin()
        scope = _Scope(self.environment, values)
        return scope, self.root(scope)


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled text.

    Args:
        where: `file:line:column` of its source, for errors.
        names: the variables it reads, with the line where each is read first.
        literal: the text itself when there is nothing to render.
    """

    where: Where
    names: Mapping[str, int]
    literal: str | None
    _program: _Program | None

    def render(self, context: dict[str, Any]) -> str:
        """Render it.

        Raises:
            RenderFailed: a variable is missing, a cap is reached, or a value does not fit.
        """
        program = self._program
        if program is None:
            return self.literal or ""
        chunks: list[str] = []
        size = 0
        try:
            for chunk in program.run(context)[1]:
                size += len(chunk)
                if size > MAX_OUTPUT or program.environment.is_late():
                    raise RenderFailed(f"{self.where}: the text is too long or takes too long")
                chunks.append(chunk)
        except _FAILURES as error:
            raise RenderFailed(f"{self.where}: {_said(error)}") from error
        return "".join(chunks)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: a guard, or an argument that keeps its type."""

    where: Where
    names: Mapping[str, int]
    source: str
    _program: _Program

    def evaluate(self, context: dict[str, Any]) -> Any:
        """Calculate its value; a missing part of a value counts as None.

        Raises:
            RenderFailed: it cannot be calculated from these values.
        """
        try:
            scope, chunks = self._program.run(context)
            for _ in chunks:
                pass
            value = scope.vars["result"]
        except _FAILURES as error:
            raise RenderFailed(f"{self.where}: {_said(error)}") from error
        return None if isinstance(value, Undefined) else value

    def holds(self, context: dict[str, Any]) -> bool:
        """Tell whether it is true."""
        return bool(self.evaluate(context))


_FAILURES = (TemplateError, SecurityError, TypeError, ValueError, ArithmeticError, LookupError,
             RecursionError, AttributeError)  # fmt: skip


def _said(error: Exception) -> str:
    return str(error).split("\n", 1)[0] or type(error).__name__


_SINGLE = re.compile(r"\{\{((?:(?!\{\{|\}\}).)*)\}\}", re.DOTALL)


class Language:
    """Compiles texts and expressions; one for all tenants, it holds no data."""

    def __init__(self, guards: Mapping[str, Callable[..., bool]] | None = None) -> None:
        self._texts = _Environment(StrictUndefined)
        self._expressions = _Environment(ChainableUndefined)
        self._guards = frozenset(guards or {})
        for environment in (self._texts, self._expressions):
            for name, guard in (guards or {}).items():
                environment.filters[f"guard_{name}"] = guard
        # Tenants that change a message in part leave the same sources in the rest of it.
        self._text = lru_cache(maxsize=PROGRAMS)(self._compile_text)
        self._expression = lru_cache(maxsize=PROGRAMS)(self._compile_expression)

    def text(self, source: str, where: Where) -> Text:
        """Compile a text with `{{ }}` and `{% %}`.

        Raises:
            TemplateProblem: it is not a template, or uses what is not offered.
        """
        if "{" not in source:
            return Text(where, {}, source, None)
        program = self._text(source)
        return Text(where, program.names, None, program)

    def _compile_text(self, source: str) -> _Program:
        tree = self._parsed(self._texts, source)
        names = self._variables(tree)
        self._rewrite(tree)
        return self._program(self._texts, tree, names)

    def expression(self, source: str, where: Where) -> Expression:
        """Compile an expression without braces.

        Raises:
            TemplateProblem: it is not an expression, or uses what is not offered.
        """
        program = self._expression(source.strip())
        return Expression(where, program.names, source.strip(), program)

    def _compile_expression(self, source: str) -> _Program:
        if len(source) > MAX_SOURCE:
            raise TemplateProblem("bad-expression", f"it is longer than {MAX_SOURCE} characters")
        if not source:
            raise TemplateProblem("bad-expression", "it is empty")
        # Jinja has no public way to look at an expression before it is compiled.
        try:
            probe = self._parsed(self._expressions, "{{ (" + source + "\n) }}")
        except TemplateProblem as problem:
            if problem.code != "bad-template":
                raise
            told = "write it without braces" if "{{" in source else problem.sentence
            raise TemplateProblem("bad-expression", told, line=problem.line) from problem
        outputs = [n for n in probe.body if not isinstance(n, nodes.Output) or len(n.nodes) != 1]
        if outputs or len(probe.body) != 1:
            raise TemplateProblem("bad-expression", "it is not one expression")
        names = self._variables(probe)
        self._rewrite(probe)
        output = probe.body[0]
        assert isinstance(output, nodes.Output)
        assign = nodes.Assign(nodes.Name("result", "store"), output.nodes[0], lineno=1)
        tree = nodes.Template([assign], lineno=1)
        tree.set_environment(self._expressions)
        return self._program(self._expressions, tree, names)

    def argument(self, source: str, where: Where) -> Text | Expression:
        """Compile an argument: exactly one `{{ }}` keeps the type of its value."""
        single = _SINGLE.fullmatch(source.strip())
        return self.expression(single[1], where) if single else self.text(source, where)

    def _program(
        self, environment: _Environment, tree: nodes.Template, names: Mapping[str, int]
    ) -> _Program:
        try:
            code = environment.compile(tree)
        except TemplateSyntaxError as error:
            raise TemplateProblem("bad-template", _said(error), line=error.lineno) from error
        except RecursionError as error:
            raise TemplateProblem("bad-template", "it is nested too deeply") from error
        except _FAILURES as error:  # a part that is always the same is calculated here
            raise TemplateProblem("bad-template", _said(error)) from error
        template = JinjaTemplate.from_code(environment, code, environment.globals, None)
        return _Program(environment, names, template.root_render_func)

    def _variables(self, tree: nodes.Template) -> Mapping[str, int]:
        names: dict[str, int] = {}
        for node in _reads(tree, frozenset()):
            if node.name not in self._guards:
                names[node.name] = min(node.lineno, names.get(node.name, node.lineno))
        return names

    def _parsed(self, environment: _Environment, source: str) -> nodes.Template:
        if len(source) > MAX_SOURCE:
            raise TemplateProblem("bad-template", f"it is longer than {MAX_SOURCE} characters")
        try:
            tree = environment.parse(source)
            self._inspect(tree, loops=0, depth=0)
        except TemplateSyntaxError as error:
            raise TemplateProblem("bad-template", _said(error), line=error.lineno) from error
        except RecursionError as error:
            raise TemplateProblem("bad-template", "it is nested too deeply") from error
        except ValueError as error:
            raise TemplateProblem("bad-template", "a number in it is too long") from error
        return tree

    def _inspect(self, node: nodes.Node, *, loops: int, depth: int) -> None:
        if depth > MAX_NODE_DEPTH:
            raise TemplateProblem("bad-template", "it is nested too deeply", line=node.lineno)
        if isinstance(node, nodes.Stmt) and not isinstance(node, _STATEMENTS):
            kind = type(node).__name__.lower()
            raise TemplateProblem("bad-template", f"'{kind}' is not offered", line=node.lineno)
        if isinstance(node, nodes.For):
            loops += 1
            if loops > MAX_LOOP_DEPTH or node.recursive:
                sentence = f"loops are nested deeper than {MAX_LOOP_DEPTH}"
                raise TemplateProblem("bad-template", sentence, line=node.lineno)
        self._inspect_names(node)
        for child in node.iter_child_nodes():
            self._inspect(child, loops=loops, depth=depth + 1)

    def _inspect_names(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise TemplateProblem(
                "unknown-filter", f"there is no filter '{node.name}'", line=node.lineno,
                name=node.name,
            )  # fmt: skip
        if isinstance(node, nodes.Test) and node.name not in _TESTS:
            raise TemplateProblem(
                "unknown-test", f"there is no test '{node.name}'", line=node.lineno, name=node.name
            )
        if isinstance(node, nodes.Call):
            name = node.node.name if isinstance(node.node, nodes.Name) else ""
            if name not in self._guards or node.args or node.dyn_args or node.dyn_kwargs:
                shown = name or "a method"
                sentence = f"'{shown}' cannot be called; guards take named arguments"
                raise TemplateProblem("unknown-guard", sentence, line=node.lineno, name=name)
        if isinstance(node, nodes.Name) and node.name.endswith("_"):
            sentence = f"'{node.name}' is not a variable"
            raise TemplateProblem("unknown-variable", sentence, line=node.lineno, name=node.name)
        if isinstance(node, nodes.Const) and isinstance(node.value, int) and _huge(node.value):
            raise TemplateProblem("bad-template", "a number in it is too long", line=node.lineno)

    def _rewrite(self, node: nodes.Node) -> None:
        """Make loops pay for their rounds, guards find their turn and `~` keep to its limit."""
        for child in list(node.iter_child_nodes()):
            self._rewrite(child)
        if isinstance(node, nodes.For):
            assert isinstance(node.iter, nodes.Expr)
            node.iter = _filter("steps_", node.iter, [], node)
        for name, value in list(node.iter_fields()):
            if isinstance(value, nodes.Expr):
                setattr(node, name, _harmless(value))
            elif isinstance(value, list):
                setattr(node, name, [_harmless(v) for v in value])


def _harmless(node: Any) -> Any:
    if isinstance(node, nodes.Call):
        assert isinstance(node.node, nodes.Name)
        turn = nodes.Name(GUARD_TURN, "load", lineno=node.lineno)
        return _filter(f"guard_{node.node.name}", turn, node.kwargs, node)
    if isinstance(node, nodes.Concat):
        return _filter("join", nodes.List(node.nodes, lineno=node.lineno), [], node)
    if isinstance(node, nodes.Tuple) and node.ctx == "load":
        # A list has no hash, whose price grows with everything that is inside.
        return nodes.List(node.items, lineno=node.lineno)
    return node


def _reads(node: nodes.Node, bound: frozenset[str]) -> Iterator[nodes.Name]:
    """Find where variables are read; Jinja's own search generates all code to tell their names."""
    if isinstance(node, nodes.Name):
        if node.ctx == "load" and node.name not in bound:
            yield node
    elif isinstance(node, nodes.For):
        inside = bound | {"loop", *(name.name for name in node.target.find_all(nodes.Name))}
        inside |= {node.target.name} if isinstance(node.target, nodes.Name) else set()
        for part in (node.iter, *node.else_):
            yield from _reads(part, bound)
        for part in (*node.body, *([node.test] if node.test else ())):
            yield from _reads(part, inside)
    else:
        for child in node.iter_child_nodes():
            yield from _reads(child, bound)


def _filter(
    name: str, value: nodes.Expr, kwargs: list[nodes.Keyword], at: nodes.Node
) -> nodes.Filter:
    made = nodes.Filter(value, name, [], kwargs, None, None, lineno=at.lineno)
    made.set_environment(at.environment)  # type: ignore[arg-type]
    return made
