"""The one language of texts, guards and arguments: Jinja2, cut down to what cannot do harm.

It sees plain data (mappings, lists, texts, numbers) and nothing of Python: attributes are keys, no
method can be called, only listed filters and registered guards. Size, time and steps are capped.
Nothing else imports jinja2.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChainableUndefined, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.environment import Template as JinjaTemplate
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context

from engine.domain.money import format_money
from engine.errors import RenderFailed

MAX_SOURCE = 8_000
"""Characters of one template."""
MAX_OUTPUT = 16_000
"""Characters of one rendered text; WhatsApp takes 4,096."""
MAX_STEPS = 2_000
"""Rounds of all loops of one rendering."""
MAX_SECONDS = 0.25
"""Time of one rendering."""
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
        self.line = line
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


@pass_context
def _money(context: Context, amount: object) -> str:
    """Write an amount in the tenant's currency as the customer's language does."""
    tenant = context["tenant"]
    if not isinstance(amount, Decimal):
        amount = Decimal(str(amount))
    return format_money(amount, tenant["currency"], context["locale"])


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


def _number(value: object) -> str:
    """Write a number without a needless fraction, such as `8.875` or `18`."""
    return format(Decimal(str(value)).normalize(), "f")


def _plural(count: int, one: str, many: str) -> str:
    """Choose between two words by a count."""
    return one if count == 1 else many


def _replace(text: object, old: str, new: str) -> str:
    """Replace every occurrence of a text by another."""
    source = str(text)
    if not old or len(source) + source.count(old) * len(str(new)) > MAX_OUTPUT:
        raise SecurityError("'replace' would make a text that is too long")
    return source.replace(old, str(new))


OWN_FILTERS: Mapping[str, Callable[..., str]] = {
    "money": _money,
    "time": _time,
    "date": _date,
    "number": _number,
    "plural": _plural,
    "replace": _replace,
}
FILTERS = _FILTERS | OWN_FILTERS.keys()


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja2 that reaches keys and elements of plain data only."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, undefined: type[Undefined]) -> None:
        super().__init__(undefined=undefined, autoescape=False, keep_trailing_newline=False)
        self.globals.clear()
        known = dict(self.filters)
        self.filters.clear()
        self.filters.update({name: known[name] for name in _FILTERS})
        self.filters.update(OWN_FILTERS)
        self.filters["steps_"] = self.take_steps
        tests = dict(self.tests)
        self.tests.clear()
        self.tests.update({name: tests[name] for name in _TESTS})
        self.steps_left = MAX_STEPS

    def take_steps(self, iterable: Iterable[Any]) -> list[Any]:
        """Pay for the rounds of a loop before it runs."""
        items = list(iterable)
        self.steps_left -= len(items)
        if self.steps_left < 0:
            raise SecurityError(f"more than {MAX_STEPS} rounds of loops")
        return items

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Read a key of a mapping; nothing else has attributes, but the loop's counters."""
        if isinstance(obj, Mapping):
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
                return self.undefined(obj=obj, name=str(argument))
        return self.undefined(obj=obj, name=str(argument))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers, join texts; nothing that multiplies sizes."""
        if operator == "**" or not _calculable(operator, left, right):
            kinds = f"{type(left).__name__} {operator} {type(right).__name__}"
            raise SecurityError(f"'{kinds}' is not offered")
        return super().call_binop(context, operator, left, right)


_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex"})


def _calculable(operator: str, left: Any, right: Any) -> bool:
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return len(left) + len(right) <= MAX_OUTPUT
    numbers = isinstance(left, (int, float, Decimal)) and isinstance(right, (int, float, Decimal))
    return numbers and abs(left) < 10**15 and abs(right) < 10**15


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled text.

    Args:
        where: `file:line:column` of its source, for errors.
        names: the variables it reads.
        literal: the text itself when there is nothing to render.
    """

    where: Where
    names: frozenset[str]
    literal: str | None
    _template: JinjaTemplate | None

    def render(self, context: dict[str, Any]) -> str:
        """Render it.

        Raises:
            RenderFailed: a variable is missing, a cap is reached, or a value does not fit.
        """
        if self._template is None:
            return self.literal or ""
        environment = self._template.environment
        assert isinstance(environment, _Environment)
        environment.steps_left = MAX_STEPS
        chunks: list[str] = []
        size = 0
        deadline = time.perf_counter() + MAX_SECONDS
        try:
            jinja = self._template.new_context(context, shared=True)
            for chunk in self._template.root_render_func(jinja):
                size += len(chunk)
                if size > MAX_OUTPUT or time.perf_counter() > deadline:
                    raise RenderFailed(f"{self.where}: the text is too long or takes too long")
                chunks.append(chunk)
        except _FAILURES as error:
            raise RenderFailed(f"{self.where}: {_said(error)}") from error
        return "".join(chunks)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression: a guard, or an argument that keeps its type."""

    where: Where
    names: frozenset[str]
    source: str
    _compiled: TemplateExpression

    def evaluate(self, context: dict[str, Any]) -> Any:
        """Calculate its value; a missing part of a value counts as None.

        Raises:
            RenderFailed: it cannot be calculated from these values.
        """
        template = self._compiled._template
        environment = template.environment
        assert isinstance(environment, _Environment)
        environment.steps_left = MAX_STEPS
        try:
            jinja = template.new_context(context, shared=True)
            for _ in template.root_render_func(jinja):
                pass
            value = jinja.vars["result"]
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

    def text(self, source: str, where: Where) -> Text:
        """Compile a text with `{{ }}` and `{% %}`.

        Raises:
            TemplateProblem: it is not a template, or uses what is not offered.
        """
        if "{" not in source:
            return Text(where, frozenset(), source, None)
        tree = self._parsed(self._texts, source)
        names = frozenset(find_undeclared_variables(tree))
        self._rewrite(tree)
        return Text(where, names - self._guards, None, self._template(self._texts, tree))

    def expression(self, source: str, where: Where) -> Expression:
        """Compile an expression without braces.

        Raises:
            TemplateProblem: it is not an expression, or uses what is not offered.
        """
        if len(source) > MAX_SOURCE:
            raise TemplateProblem("bad-expression", f"it is longer than {MAX_SOURCE} characters")
        # Jinja has no public way to look at an expression before it is compiled.
        probe = self._parsed(self._expressions, "{{ (" + source + "\n) }}")
        outputs = [n for n in probe.body if not isinstance(n, nodes.Output) or len(n.nodes) != 1]
        if outputs or len(probe.body) != 1:
            raise TemplateProblem("bad-expression", "it is not one expression")
        names = frozenset(find_undeclared_variables(probe))
        self._rewrite(probe)
        output = probe.body[0]
        assert isinstance(output, nodes.Output)
        assign = nodes.Assign(nodes.Name("result", "store"), output.nodes[0], lineno=1)
        tree = nodes.Template([assign], lineno=1)
        tree.set_environment(self._expressions)
        template = self._template(self._expressions, tree)
        compiled = TemplateExpression(template, undefined_to_none=False)
        return Expression(where, names - self._guards, source.strip(), compiled)

    def argument(self, source: str, where: Where) -> Text | Expression:
        """Compile an argument: exactly one `{{ }}` keeps the type of its value."""
        single = _SINGLE.fullmatch(source.strip())
        return self.expression(single[1], where) if single else self.text(source, where)

    def _template(self, environment: _Environment, tree: nodes.Template) -> JinjaTemplate:
        try:
            code = environment.compile(tree)
        except TemplateSyntaxError as error:
            raise TemplateProblem("bad-template", _said(error), line=error.lineno) from error
        except RecursionError as error:
            raise TemplateProblem("bad-template", "it is nested too deeply") from error
        return JinjaTemplate.from_code(environment, code, environment.globals, None)

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

    def _rewrite(self, node: nodes.Node) -> None:
        """Make loops pay for their rounds and guards find their turn."""
        for child in list(node.iter_child_nodes()):
            self._rewrite(child)
        if isinstance(node, nodes.For):
            assert isinstance(node.iter, nodes.Expr)
            node.iter = _filter("steps_", node.iter, [], node)
        for name, value in list(node.iter_fields()):
            if isinstance(value, nodes.Call):
                setattr(node, name, self._guard(value))
            elif isinstance(value, list):
                setattr(node, name, [self._guard(v) for v in value])

    def _guard(self, node: Any) -> Any:
        if not isinstance(node, nodes.Call):
            return node
        assert isinstance(node.node, nodes.Name)
        turn = nodes.Name(GUARD_TURN, "load", lineno=node.lineno)
        return _filter(f"guard_{node.node.name}", turn, node.kwargs, node)


def _filter(
    name: str, value: nodes.Expr, kwargs: list[nodes.Keyword], at: nodes.Node
) -> nodes.Filter:
    made = nodes.Filter(value, name, [], kwargs, None, None, lineno=at.lineno)
    made.set_environment(at.environment)  # type: ignore[arg-type]
    return made
