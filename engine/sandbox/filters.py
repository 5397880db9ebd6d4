"""Rules that pick items of a catalogue, such as `{"retailer_id": {"eq": "1"}}`; no routes."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from engine.sandbox.catalog_state import Catalog, Item
from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.item_fields import FIELDS, shown_field
from engine.sandbox.shapes import INVALID

JOINTS = ("and", "or")
OPERATORS: Mapping[str, Callable[[str, Any], bool]] = MappingProxyType(
    {
        "eq": lambda value, wanted: value == str(wanted),
        "neq": lambda value, wanted: value != str(wanted),
        "contains": lambda value, wanted: str(wanted) in value,
        "i_contains": lambda value, wanted: str(wanted).casefold() in value.casefold(),
        "i_not_contains": lambda value, wanted: str(wanted).casefold() not in value.casefold(),
        "is_any": lambda value, wanted: value in [str(one) for one in wanted],
        "is_not_any": lambda value, wanted: value not in [str(one) for one in wanted],
    }
)


def item_filter(path: str, rule: Any) -> Iterator[Complaint]:
    """Want a rule over fields of items."""
    if not isinstance(rule, dict):
        yield Complaint(INVALID, f"Param {path} must be an object")
        return
    for name, wanted in rule.items():
        if name in JOINTS:
            yield from _joined(f"{path}.{name}", wanted)
        elif name not in FIELDS:
            yield Complaint(INVALID, f"Param {path} names the unknown field {name}")
        else:
            yield from _compared(f"{path}.{name}", wanted)


def picked(catalog: Catalog, rule: JsonObject) -> list[Item]:
    """Return the items of a catalogue that a right rule picks; an empty one picks all."""
    one = rule.get("retailer_id", {}).get("eq") if len(rule) == 1 else None
    if one is not None:
        item = catalog.items.get(str(one))
        return [] if item is None else [item]
    return [item for item in catalog.items.values() if meets(item, rule)]


def meets(item: Item, rule: JsonObject) -> bool:
    """Tell whether a right rule picks an item."""
    return all(_meets_part(item, name, wanted) for name, wanted in rule.items())


def _meets_part(item: Item, name: str, wanted: Any) -> bool:
    if name == "and":
        return all(meets(item, rule) for rule in wanted)
    if name == "or":
        return any(meets(item, rule) for rule in wanted)
    value = shown_field(item, name)
    return all(OPERATORS[operator](value, operand) for operator, operand in wanted.items())


def _joined(path: str, rules: Any) -> Iterator[Complaint]:
    if not isinstance(rules, list):
        yield Complaint(INVALID, f"Param {path} must be an array")
        return
    for rule in rules:
        yield from item_filter(path, rule)


def _compared(path: str, wanted: Any) -> Iterator[Complaint]:
    if not isinstance(wanted, dict) or not wanted:
        yield Complaint(INVALID, f"Param {path} must be an object with an operator")
        return
    for operator, operand in wanted.items():
        if operator not in OPERATORS:
            yield Complaint(INVALID, f"Param {path} has the unknown operator {operator}")
        elif operator.endswith("_any") and not isinstance(operand, list):
            yield Complaint(INVALID, f"Param {path}.{operator} must be an array")
