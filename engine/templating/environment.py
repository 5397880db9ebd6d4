"""Jinja2's environment, reaching keys and elements of plain data and nothing of Python."""

import time
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import pass_context

from engine.templating.caps import MAX_OUTPUT, MAX_SECONDS, MAX_STEPS
from engine.templating.filters import BOUNDED, JINJA_ALLOWED, OWN_FILTERS, shown

TESTS = frozenset(
    {
        "defined", "undefined", "none", "true", "false", "boolean", "number", "integer", "string",
        "mapping", "sequence", "odd", "even", "divisibleby", "in", "eq", "equalto", "==", "ne",
        "!=", "gt", "greaterthan", ">", "ge", ">=", "lt", "lessthan", "<", "le", "<=",
    }
)  # fmt: skip


class SafeEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 that reaches keys and elements of plain data only."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, undefined: type[Undefined]) -> None:
        super().__init__(undefined=undefined, autoescape=False, finalize=shown)
        self.globals.clear()
        self.filters.clear()
        self.filters.update({name: JINJA_FILTERS[name] for name in JINJA_ALLOWED})
        self.filters.update(BOUNDED)
        self.filters.update(OWN_FILTERS)
        self.filters["steps_"] = self.take_steps
        tests = dict(self.tests)
        self.tests.clear()
        self.tests.update({name: tests[name] for name in TESTS})
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


class Scope(Context):
    """What one rendering reads and notes; Jinja's own prepares for blocks, which nobody has."""

    def __init__(self, environment: SafeEnvironment, values: dict[str, Any]) -> None:
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
    return numbers and not is_huge(left) and not is_huge(right)


def is_huge(number: Any) -> bool:
    """Tell whether a number is beyond what a text may calculate with."""
    return bool(abs(number) >= 10**15)
