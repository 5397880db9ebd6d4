"""What our endpoint is about to show on a screen: as declared, and fit for what it fills.

A component that the customer does not see with this data is not judged: the texts and options of
an unused group may be blank and empty.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from engine.whatsapp.flow_json.declarations import ANSWER_MESSAGE, is_of
from engine.whatsapp.flow_json.declarations import check_value as check_declared
from engine.whatsapp.flow_json.expressions import (
    BadExpression,
    Node,
    Reference,
    Undecided,
    is_dynamic,
    read_condition,
    read_value,
    references,
    work_out,
)
from engine.whatsapp.flow_json.faults import (
    Faults,
    FlowFault,
    Pointer,
    cut,
    did_you_mean,
    wrong_type,
)
from engine.whatsapp.flow_json.literals import At, check_value
from engine.whatsapp.flow_json.properties import Property
from engine.whatsapp.flow_json.relations import Known, Whole, check_relations
from engine.whatsapp.flow_json.scope import TYPES
from engine.whatsapp.flow_json.screens import Placed, ScreenJson, read_screen
from engine.whatsapp.flow_json.values import check_nulls, check_sendable, check_size, plain
from engine.whatsapp.json_values import JsonObject, as_object

BYTES: Final = 1_000_000
"""Image section of flows/reference/components; a changelog says 10 MB since 5.1."""


def check_screen_data(
    document: Mapping[str, Any], screen: str, data: Mapping[str, Any]
) -> Iterator[FlowFault]:
    """Find what is wrong with the data of an answer; pointers lead into the data.

    Args:
        document: the Flow JSON; that it is right is not checked here.
        screen: id of the screen that is shown next.
        data: what is shown on it.
    """
    whole, values = plain(document), plain(data)
    shown = read_screen(as_object(whole), screen)
    if shown is None or any(check_sendable(shown.json)):
        sentence = f"the Flow has no screen '{screen!s:.60}' to be shown"
        yield FlowFault((), "bad-screen", sentence)
        return
    if not isinstance(values, dict):
        yield wrong_type(values, "a group of keys", pointer=(), name="data")
        return
    unsendable = list(check_sendable(values))
    yield from unsendable
    if unsendable:
        return
    yield from check_size(values, most=BYTES, what="the data")
    wrong = [*check_nulls(values), *_against_declarations(values, shown.declarations)]
    yield from wrong
    unfit = {fault.pointer[0] for fault in wrong if fault.pointer}
    usable = {key: value for key, value in values.items() if key not in unfit}
    yield from dict.fromkeys(_against_components(usable, shown))


def _against_declarations(values: JsonObject, declarations: JsonObject) -> Faults:
    for key in declarations:
        if key not in values:
            yield FlowFault((), "missing-key", f"'{cut(key)}' is missing")
    for key, value in values.items():
        if key in declarations:
            declaration = as_object(declarations[key])
            yield from check_declared(value, declaration, pointer=(key,), name=key)
        elif key == ANSWER_MESSAGE:
            yield from check_value(Property("text"), value, At((key,), key))
        else:
            hint = did_you_mean(key, declarations)
            yield FlowFault((key,), "unknown-data", f"'{cut(key)}' is not declared", hint)


def _against_components(values: JsonObject, screen: ScreenJson) -> Faults:
    source = _Source(values)
    for placed in screen.components:
        if placed.component is not None and _is_shown(placed, source):
            yield from _component(placed, placed.component.properties, source)


class _Source:
    """The values that expressions of the screen may name."""

    def __init__(self, values: JsonObject) -> None:
        self.values = values

    def find(self, reference: Reference) -> object:
        """Give a value of the data.

        Raises:
            Undecided: it is not there, or not of this screen's data.
        """
        if reference.store != "data" or reference.screen is not None:
            raise Undecided(f"{reference} is not known yet")
        value: object = self.values
        for key in reference.path:
            if not isinstance(value, dict) or key not in value:
                raise Undecided(f"{reference} is not there")
            value = value[key]
        return value

    def work_out(self, node: Node) -> tuple[object, Pointer]:
        """Give the value of an expression and where the first of its data is.

        Raises:
            Undecided: it depends on something else, or on nothing.
        """
        value = work_out(node, self.find)
        first = next(references(node), None)
        if first is None or value is None:
            raise Undecided("nothing comes from the data")
        return value, first.path


def _is_shown(placed: Placed, source: _Source) -> bool:
    """Tell whether a customer sees a component; True if that cannot be told."""
    return all(_is_taken(box, branch, source) for box, branch in placed.inside) and (
        _truth(placed.json.get("visible", True), source, read_value) is not False
    )


def _is_taken(box: Placed, branch: str, source: _Source) -> bool:
    if box.type == "If":
        found = _truth(box.json.get("condition"), source, read_condition)
        return not isinstance(found, bool) or found == (branch == "then")
    if box.type == "Switch":
        found = _truth(box.json.get("value"), source, read_condition)
        return not isinstance(found, str) or found == branch
    return True


def _truth(written: object, source: _Source, read: Callable[[str], Node]) -> object:
    """Work out what a branch or a component's being shown depends on; None if it is unknown."""
    if not isinstance(written, str):
        return written
    try:
        return source.work_out(read(written))[0]
    except (BadExpression, Undecided):
        return None


def _component(placed: Placed, rules: Mapping[str, Property], source: _Source) -> Faults:
    known: dict[str, Known] = {}
    for key, rule in rules.items():
        written = placed.json.get(key)
        for leaf, inner in _leaves(rule, written):
            try:
                value, pointer = source.work_out(read_value(inner))
            except (BadExpression, Undecided):
                continue
            if not any(is_of(value, declared) for declared in TYPES.get(leaf.kind, ())):
                continue
            if inner is written:
                known[key] = Known(value, pointer)
            hint = f"it is the '{key}' of a component of type {placed.type}"
            for fault in check_value(leaf, value, At(pointer, str(pointer[-1]))):
                yield replace(fault, hint=fault.hint or hint)
        if not isinstance(written, str) or not is_dynamic(written):
            known.setdefault(key, Known(written, (), is_told=False))
    yield from check_relations(Whole(placed, known, is_told=False))


def _leaves(rule: Property, written: object) -> Iterator[tuple[Property, str]]:
    """Give the expressions in a value, each with the rule for what it gives."""
    if isinstance(written, str) and is_dynamic(written):
        yield rule, written
    elif isinstance(written, dict) and rule.in_range == "pair":
        for inner in written.values():
            yield from _leaves(rule, inner)
    elif isinstance(written, dict):
        for key, inner_rule in rule.properties.items():
            yield from _leaves(inner_rule, written.get(key))
    elif isinstance(written, list | tuple) and rule.properties:
        for part in written:
            yield from _leaves(rule, part)
