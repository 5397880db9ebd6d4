"""Registries: every action and guard a chart may name, with the shape of its arguments.

A verb is a typed, documented function with keyword-only arguments; its schema, its check at load
and its reference all come from the signature, so that they cannot differ.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from engine.domain.refusals import Refusal
from engine.turn import Event, Turn

Outcome = Refusal | Event | None
"""What an action answers: done, refused, or an event for the chart to go on with."""
ActionFunction = Callable[..., Awaitable[Outcome]]
GuardFunction = Callable[..., bool]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Verb:
    """A registered action or guard.

    Args:
        arguments: model of the keyword arguments.
        gives: names of the variables it puts at the disposal of texts and guards.
        raises: events it may answer with.
    """

    name: str
    function: Callable[..., Any]
    arguments: type[BaseModel]
    gives: frozenset[str] = frozenset()
    raises: frozenset[str] = frozenset()

    @property
    def summary(self) -> str:
        """Give the first sentence of its documentation."""
        return (inspect.getdoc(self.function) or "").split("\n\n", 1)[0].replace("\n", " ")

    @property
    def choices(self) -> Mapping[str, frozenset[str]]:
        """Give the words between which arguments choose, by argument."""
        hints = {name: field.annotation for name, field in self.arguments.model_fields.items()}
        return {
            name: frozenset(map(str, get_args(hint)))
            for name, hint in hints.items()
            if get_origin(hint) is Literal
        }

    @property
    def takes_any(self) -> bool:
        """Tell whether it takes arguments of any name."""
        return self.arguments.model_config.get("extra") == "allow"

    def bind(self, values: dict[str, Any]) -> dict[str, Any]:
        """Check arguments and give them in the types the function wants.

        Raises:
            pydantic.ValidationError: an argument is missing, unknown or of a wrong type.
        """
        bound = self.arguments.model_validate(values)
        given = {name: getattr(bound, name) for name in type(bound).model_fields}
        return given | (bound.model_extra or {})


class Registry:
    """The verbs of one module; `merge` makes one of many."""

    def __init__(self) -> None:
        self.actions: dict[str, Verb] = {}
        self.guards: dict[str, Verb] = {}

    def action(
        self, name: str, *, gives: tuple[str, ...] = (), raises: tuple[str, ...] = ()
    ) -> Callable[[F], F]:
        """Register an action: `async def f(turn, *, ...) -> Refusal | Event | None`."""

        def register(function: F) -> F:
            _claim(name, self.actions)
            self.actions[name] = Verb(
                name, function, _arguments(name, function), frozenset(gives), frozenset(raises)
            )
            return function

        return register

    def guard(self, name: str) -> Callable[[F], F]:
        """Register a guard: `def f(turn, *, ...) -> bool`; it must not read the database."""

        def register(function: F) -> F:
            _claim(name, self.guards)
            self.guards[name] = Verb(name, function, _arguments(name, function))
            return function

        return register

    def merge(self, others: Iterator["Registry"]) -> "Registry":
        """Add the verbs of others to this one."""
        for other in others:
            for mine, theirs in ((self.actions, other.actions), (self.guards, other.guards)):
                for name, verb in theirs.items():
                    _claim(name, mine)
                    mine[name] = verb
        return self

    def guard_functions(self) -> dict[str, GuardFunction]:
        """Give the guards as the template language calls them: `guard(turn, **arguments)`."""
        return {name: _checked(verb) for name, verb in self.guards.items()}


def _claim(name: str, known: dict[str, Verb]) -> None:
    if name in known:
        raise ValueError(f"'{name}' is registered twice")


def _checked(verb: Verb) -> GuardFunction:
    def guard(turn: Turn, **arguments: Any) -> bool:
        try:
            bound = verb.bind(arguments)
        except ValidationError as error:
            raise ValueError(f"{verb.name}: {error.errors()[0]['msg']}") from error
        return bool(verb.function(turn, **bound))

    return guard


def _arguments(name: str, function: Callable[..., Any]) -> type[BaseModel]:
    first, *rest = inspect.signature(function).parameters.values()
    if first.name != "turn" or not function.__doc__:
        raise TypeError(f"{name}: takes 'turn' first and needs a docstring")
    fields: dict[str, Any] = {}
    extra = "forbid"
    for parameter in rest:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            fields[parameter.name] = (parameter.annotation, default)
        else:
            raise TypeError(f"{name}: '{parameter.name}' must be keyword-only")
    config = ConfigDict(extra=extra, frozen=True)  # type: ignore[typeddict-item]
    return create_model(name.replace(".", "_"), __config__=config, **fields)
