"""Texts and expressions compiled; they see plain data, listed filters and registered guards.

Attributes are keys and no method can be called. Size, time and steps are capped.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from jinja2 import ChainableUndefined, StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.environment import Template as JinjaTemplate
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined

from engine.errors import RenderFailed
from engine.templating.caps import (
    MAX_LOOP_DEPTH,
    MAX_NODE_DEPTH,
    MAX_OUTPUT,
    MAX_SOURCE,
    PROGRAMS,
)
from engine.templating.environment import TESTS, SafeEnvironment, Scope, is_huge
from engine.templating.filters import FILTERS
from engine.templating.reading import Reading, reading_of, stray_in

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


_STATEMENTS = (nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Template)


@dataclass(frozen=True, slots=True)
class _Program:
    """A compiled source, shared by all places where it is written."""

    environment: SafeEnvironment
    names: Mapping[str, int]
    root: Callable[[Context], Iterator[str]]
    reading: Reading

    def run(self, values: dict[str, Any]) -> tuple[Scope, Iterator[str]]:
        """Begin a rendering."""
        self.environment.begin()
        scope = Scope(self.environment, values)
        return scope, self.root(scope)


@dataclass(frozen=True, slots=True)
class Text:
    """A compiled text.

    Args:
        where: `file:line:column` of its source, for errors.
        names: the variables it reads, with the line where each is read first.
        literal: the text itself when there is nothing to render.
        source: as its author wrote it.
    """

    where: Where
    names: Mapping[str, int]
    literal: str | None
    _program: _Program | None
    source: str = ""
    _reading: Reading | None = None

    @property
    def reading(self) -> Reading:
        """Tell what it reads."""
        if self._program:
            return self._reading or self._program.reading
        literal = self.literal or ""
        return Reading(head=literal, stray=stray_in(literal))

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
    _reading: Reading | None = None

    @property
    def reading(self) -> Reading:
        """Tell what it reads."""
        return self._reading or self._program.reading

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
        self._texts = SafeEnvironment(StrictUndefined)
        self._expressions = SafeEnvironment(ChainableUndefined)
        self._guards = frozenset(guards or {})
        for environment in (self._texts, self._expressions):
            for name, guard in (guards or {}).items():
                environment.filters[f"guard_{name}"] = guard
        # Tenants that change a message in part leave the same sources in the rest of it.
        self._text = lru_cache(maxsize=PROGRAMS)(self._compile_text)
        self._expression = lru_cache(maxsize=PROGRAMS)(self._compile_expression)

    def text(self, source: str, where: Where, lines: str | None = None) -> Text:
        """Compile a text with `{{ }}` and `{% %}`.

        Args:
            lines: the text as it stands in its file, if it was folded there: what is told of it
                counts these lines.

        Raises:
            TemplateProblem: it is not a template, or uses what is not offered.
        """
        if "{" not in source:
            return Text(where, {}, source, None, source)
        seen = self._text(lines) if lines is not None else None
        program = self._text(source)
        reading = replace(seen.reading, head=program.reading.head) if seen else None
        return Text(where, (seen or program).names, None, program, source, reading)

    def _compile_text(self, source: str) -> _Program:
        tree = self._parsed(self._texts, source)
        names, reading = self._variables(tree), reading_of(tree)
        self._rewrite(tree)
        return self._program(self._texts, tree, names, reading)

    def expression(self, source: str, where: Where, lines: str | None = None) -> Expression:
        """Compile an expression without braces.

        Args:
            lines: as for `text`.

        Raises:
            TemplateProblem: it is not an expression, or uses what is not offered.
        """
        seen = self._expression(lines.rstrip()) if lines is not None else None
        program = self._expression(source.strip())
        names, reading = (seen.names, seen.reading) if seen else (program.names, None)
        return Expression(where, names, source.strip(), program, reading)

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
        names, reading = self._variables(probe), reading_of(probe)
        self._rewrite(probe)
        output = probe.body[0]
        assert isinstance(output, nodes.Output)
        assign = nodes.Assign(nodes.Name("result", "store"), output.nodes[0], lineno=1)
        tree = nodes.Template([assign], lineno=1)
        tree.set_environment(self._expressions)
        return self._program(self._expressions, tree, names, reading)

    def argument(self, source: str, where: Where, lines: str | None = None) -> Text | Expression:
        """Compile an argument: exactly one `{{ }}` keeps the type of its value.

        Args:
            lines: as for `text`.
        """
        single = _SINGLE.fullmatch(source.strip())
        if single is None:
            return self.text(source, where, lines)
        written = _SINGLE.fullmatch((lines or "").strip())
        return self.expression(single[1], where, written[1] if written else None)

    def _program(
        self,
        environment: SafeEnvironment,
        tree: nodes.Template,
        names: Mapping[str, int],
        reading: Reading,
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
        return _Program(environment, names, template.root_render_func, reading)

    def _variables(self, tree: nodes.Template) -> Mapping[str, int]:
        names: dict[str, int] = {}
        for node in _reads(tree, frozenset()):
            if node.name not in self._guards:
                names[node.name] = min(node.lineno, names.get(node.name, node.lineno))
        return names

    def _parsed(self, environment: SafeEnvironment, source: str) -> nodes.Template:
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
        if isinstance(node, nodes.Test) and node.name not in TESTS:
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
        if isinstance(node, nodes.Const) and isinstance(node.value, int) and is_huge(node.value):
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
