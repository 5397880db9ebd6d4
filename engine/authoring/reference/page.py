"""The reference as Markdown: everything an author may write, from the registries and examples.

Nothing in it is written by hand but the examples: what they show is what the engine answers.
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from engine.authoring.reference.shown import Mistake, Shop, read_examples
from engine.authoring.reference.stage import Stage, block, event_of
from engine.errors import EngineError
from engine.registry import Registry, Verb
from engine.spec.codes import CODES
from engine.spec.dialog import Expectation, Step
from engine.spec.message import Kind
from engine.spec.read_flow import CHOICE_GROUPS
from engine.templating.environment import TESTS
from engine.templating.filters import FILTERS, OWN_FILTERS
from engine.transcript import lines
from engine.whatsapp.flow_json.components import COMPONENTS, Component

MESSAGE_KINDS: Final[tuple[str, ...]] = get_args(Kind)
_LONGEST = 200
"""Characters of a line of an example that are shown."""
_TRANSCRIPT = 4
"""Lines of a conversation that are shown: how it ends."""
_HEAD = """\
# Reference

Everything that may be written in `conversations/`, `flows/` and `tenants/`. This file is made by
`comanda reference` from the engine itself; its examples are run by the tests. They belong to the
shop that `comanda new` makes. [GUIDE.md](GUIDE.md) says how to begin.
"""
_SECTIONS = (
    "Actions", "Guards", "Events", "Filters", "Tests", "Messages", "Flow components",
    "Steps of a dialog", "Problems",
)  # fmt: skip


async def reference(shop: Shop, registry: Registry) -> str:
    """Write the reference.

    Args:
        shop: one in which nothing has been changed.

    Raises:
        KeyError: something has no example.
        EngineError: an example is wrong.
    """
    problems = await _problems(shop)
    stage = await message_stage(shop)
    contents = [f"- [{name}](#{name.lower().replace(' ', '-')})" for name in _SECTIONS]
    parts: list[Iterable[str]] = [
        [_HEAD, *contents, ""],
        _title("Actions", "What `do` of a state or branch may call."),
        _verbs(registry.actions, _action_examples()),
        _title("Guards", "What `if` may ask, beside comparisons such as `cart.count > 0`."),
        _verbs(registry.guards, read_examples("guards")),
        _title("Events", _EVENTS),
        _events(),
        _title("Filters", "What a text may do with a value: `{{ value|filter }}`."),
        _filters(stage),
        _title("Tests", "What `is` may ask in a text or guard; each of these holds."),
        _tests(),
        _title("Messages", "What a message may be; below each is what the customer sees."),
        await _messages(stage),
        _title("Flow components", _COMPONENTS),
        _components(),
        _title("Steps of a dialog", "Each step of `dialogs/*.yaml` has one of these keys."),
        _fields(Step.model_fields),
        ["", "`expect` has:", ""],
        _fields(Expectation.model_fields),
        _title("Problems", "What `comanda check` tells; below each example is what it prints."),
        problems,
    ]
    text = "\n".join(line for part in parts for line in part)
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


_EVENTS = (
    "What the engine raises by itself; a state's `when` or the chart's `anywhere` takes it. All "
    "other events have the names that you give to buttons, rows, `prefixes`, `intents`, timers "
    "and components of Flows. Those in brackets are what texts read as `event.<key>`."
)
_COMPONENTS = (
    "What a screen of a Flow may show. The names are Meta's; `*` must be there, a number is the "
    "most characters. Any component with an `event` raises it with all inputs of the screen."
)


def _title(name: str, about: str) -> Iterator[str]:
    yield from ("", f"## {name}", "", about, "")


def _code(text: str, language: str = "yaml") -> Iterator[str]:
    yield f"```{language}"
    for line in text.rstrip().split("\n"):
        yield line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
    yield from ("```", "")


# Actions and guards ------------------------------------------------------------------------------


def _action_examples() -> Mapping[str, str]:
    return {name: data["do"] for name, data in read_examples("actions").items()}


def _verbs(verbs: Mapping[str, Verb], examples: Mapping[str, str]) -> Iterator[str]:
    for name, verb in sorted(verbs.items()):
        yield from (f"### {name}", "")
        yield from ((inspect.getdoc(verb.function) or "").replace("\n\n", "\n"), "")
        arguments = list(_arguments(verb))
        yield from arguments
        if verb.gives:
            yield f"- texts may then read {_listed(verb.gives)}"
        if verb.raises:
            yield f"- raises {_listed(verb.raises)}"
        if arguments or verb.gives or verb.raises:
            yield ""
        yield from _code(examples[name])


def _arguments(verb: Verb) -> Iterator[str]:
    for name, found in verb.arguments.model_fields.items():
        rest = "" if found.is_required() else " (may be left out)"
        yield f"- `{name}`: {_type(found.annotation)}{rest}"
    if verb.takes_any:
        yield "- any names, with their values"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


_PLAIN: Final[Mapping[Any, str]] = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false",
}  # fmt: skip


def _type(wanted: Any) -> str:
    """Write a type as an author would."""
    if get_origin(wanted) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(wanted))
    if get_origin(wanted) is Annotated:
        return _type(get_args(wanted)[0])
    if get_origin(wanted) in (Union, UnionType):
        return " or ".join(_type(part) for part in get_args(wanted) if part is not NoneType)
    if get_origin(wanted) is tuple:
        return "a list"
    return _PLAIN.get(wanted, "a value")


# Events, filters and tests -----------------------------------------------------------------------


def _events() -> Iterator[str]:
    for name, data in read_examples("events").items():
        keys = f" [{data['keys']}]" if "keys" in data else ""
        yield from (f"### {name}", "", f"{data['about']}{keys}", "")
        yield from _code(f"{name}: {data['example']}")


def _filters(stage: Stage) -> Iterator[str]:
    examples = read_examples("filters")
    for name in sorted(FILTERS):
        shown = stage.text(examples[name])
        about = f". {inspect.getdoc(OWN_FILTERS[name])}" if name in OWN_FILTERS else ""
        yield f"- `{name}`: `{examples[name]}` → `{shown}`{about}"


def _tests() -> Iterator[str]:
    examples = read_examples("tests")
    for name in sorted(TESTS):
        yield f"- `{name}`: `{examples[name]}`"


# Messages ----------------------------------------------------------------------------------------


async def message_stage(shop: Shop) -> Stage:
    """Lay the examples of messages over the storefront."""
    branches: list[str] = []
    messages: dict[str, str] = {}
    for kind, data in read_examples("messages").items():
        does = data.get("do", "").rstrip()
        said = f"say: {event_of(kind)}"
        branches.append(block(event_of(kind), f"{does}\n{said}" if does else said))
        messages[event_of(kind)] = data["yaml"]
    return await Stage.of(shop, branches, messages)


async def _messages(stage: Stage) -> list[str]:
    examples = read_examples("messages")
    made: list[str] = []
    for kind in MESSAGE_KINDS:
        scene = await stage.play(event_of(kind))
        shown = [line for entry in scene.said for line in lines(entry.payload)]
        made += [f"### {kind}", "", *_code(examples[kind]["yaml"])]
        made += _code("\n".join(shown), "text")
    return made


# Flow components ---------------------------------------------------------------------------------


def _components() -> Iterator[str]:
    examples = read_examples("components")
    for name, component in [*sorted(COMPONENTS.items()), (CHOICE_GROUPS, None)]:
        yield from (f"### {name}", "")
        if component is None:
            yield from ("The modifier groups of a product: radio buttons or check boxes each.", "")
        else:
            yield from (_properties(component), "")
        screen = examples[name].get("screen", "")
        layout = examples[name]["layout"]
        yield from _code(f"{screen}{block('layout', layout)}" if screen else layout)


def _properties(component: Component) -> str:
    told: list[str] = []
    for name, found in component.properties.items():
        mark = "*" if found.is_required else ""
        is_text = found.kind in ("text", "texts")
        most = f" {found.limit}" if found.limit and is_text else ""
        values = f" ({', '.join(found.values)})" if 0 < len(found.values) < 8 else ""
        told.append(f"`{name}`{mark}{most}{values}")
    return ", ".join(told)


# Dialogs and problems ----------------------------------------------------------------------------


def _fields(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, found in fields.items():
        yield f"- `{name}`: {found.description or ''}".rstrip(": ")


async def _problems(shop: Shop) -> list[str]:
    examples = read_examples("problems")
    made: list[str] = []
    for code in sorted(CODES):
        mistake = Mistake.of(code, examples[code])
        made += [f"### {code}", "", CODES[code], ""]
        if mistake.never:
            made += [mistake.never, ""]
            continue
        for path, text in mistake.shown():
            made += _code(f"# {path}\n{text}")
        told = await shop.told(mistake)
        if not told:
            raise EngineError(f"nothing is told of the example of '{code}'")
        for problem in told[:1]:
            last = problem.transcript[-_TRANSCRIPT:]
            before = ["    …"] if len(problem.transcript) > _TRANSCRIPT else []
            shown = [str(problem), *before, *(f"    {line}" for line in last)]
            made += _code("\n".join(shown), "text")
    return made
