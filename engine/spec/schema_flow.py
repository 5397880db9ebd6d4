"""The JSON Schema of Flow documents; the components come from the table of Meta's rules."""

from collections.abc import Mapping
from typing import Any

from engine.spec import schema_parts as make
from engine.spec.read_flow import CHOICE_GROUPS
from engine.spec.schema_parts import EVENT, ID, Schema
from engine.whatsapp.flow_json.components import COMPONENTS, Component, Property

SCREEN = r"^[A-Z][A-Z_]*$"
NAME = r"^[a-z][a-z0-9_]*$"
CATEGORIES = (
    "SIGN_UP", "SIGN_IN", "APPOINTMENT_BOOKING", "LEAD_GENERATION", "CONTACT_US",
    "CUSTOMER_SUPPORT", "SURVEY", "OTHER",
)  # fmt: skip
"""Meta's categories of Flows (Flows API, create)."""
_TYPES: Mapping[str, Schema] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "dates": {"type": "array"},
    "objects": {"type": "array"},
    "options": {"type": "array"},
    "texts": {"type": ["string", "array"]},
    "action": {"type": "object"},
}


def flow_schema(do: Schema) -> Schema:
    """Make the schema of a Flow.

    Args:
        do: the schema of what a branch or state does.
    """
    branch = make.part(
        {
            "if": make.text("Guard: an expression without braces; the first that holds wins."),
            "do": make.ref("do"),
            "go": make.text("The screen to show next; without it the customer stays."),
            "error": make.text("What is shown below the screen the customer stays on."),
        },
        minProperties=1,
    )
    state = make.part(
        {
            "about": make.text(),
            "title": make.text("Title of the screen; at most 30 characters."),
            "do": make.ref("do"),
            "data": make.by_id(NAME, {}, "What the screen shows, by name: ${data.<name>}."),
            "layout": make.ref("layout"),
            "when": make.by_id(EVENT, make.ref("branches"), "What happens on an event here."),
            "refresh_on_back": {
                "type": "boolean",
                "description": "Show the screen before anew when the customer goes back.",
            },
            "final": {"type": "boolean", "description": "The Flow ends here; it is no screen."},
            "params": make.by_id(NAME, {}, "What the end gives to the chat as `event.<name>`."),
            "replace": {"type": "boolean"},
        }
    )
    largest = {"type": "integer", "minimum": 0, "maximum": 200}
    return make.mapping(
        {
            "flow": make.text("Id of the Flow; the file has the same name.") | {"pattern": NAME},
            "extends": make.text("Id of the shared Flow this one changes.") | {"pattern": NAME},
            "version": {"type": "integer", "minimum": 1},
            "about": make.text("What it is for, in a sentence."),
            "categories": {"type": "array", "items": {"enum": list(CATEGORIES)}, "minItems": 1},
            "start": {"type": "string", "pattern": SCREEN},
            "input": make.by_id(
                NAME, {"enum": ["required", "optional"]}, "What it is opened with: `input.<name>`."
            ),
            "takes": make.mapping(
                {"presentations": largest, "groups": largest, "options": largest},
                about="The largest product it shows; larger ones are customized in the chat.",
                required=["presentations", "groups", "options"],
            ),
            "states": make.by_id(SCREEN, make.ref("state"), "The screens, and the end."),
            "anywhere": make.by_id(EVENT, make.ref("branches"), "What happens on every screen."),
        }
    ) | {
        "$defs": {
            "do": do,
            "branch": make.if_type("string", {"pattern": SCREEN}, branch),
            "branches": make.if_type(
                "array", {"items": make.ref("branch"), "minItems": 1}, make.ref("branch")
            ),
            "state": state,
            "layout": make.by_id(ID, make.ref("component"), "Components from top to bottom."),
            "cases": {"type": "object", "additionalProperties": make.ref("layout")},
            "component": _component(),
        }
    }


def _component() -> Schema:
    """Choose by `type`; without one it is a part of an overlay, whose keys any type may have."""
    properties: dict[str, Any] = {}
    for component in COMPONENTS.values():
        properties |= {name: _property(p) for name, p in component.properties.items()}
    chosen: Schema = _closed(dict.fromkeys(properties, True))
    for name, component in COMPONENTS.items():
        chosen = _choice(name, _closed(_properties(component)), chosen)
    groups = {
        "source": make.text("The list in `data`: id, label, minimum, maximum, options."),
        "groups": {"type": "integer", "minimum": 1, "maximum": 20},
        "name": make.text("The event's key for the ids chosen."),
    }
    chosen = _choice(CHOICE_GROUPS, _closed(groups), chosen)
    known = [*COMPONENTS, CHOICE_GROUPS]
    return {"properties": {"type": make.or_null({"enum": known})}} | make.if_type(
        "object", chosen, {"type": "object"}
    )


def _choice(name: str, then: Schema, otherwise: Schema) -> Schema:
    wanted = {"properties": {"type": {"const": name}}, "required": ["type"]}
    return {"if": wanted, "then": then, "else": otherwise}


def _closed(properties: Mapping[str, Any]) -> Schema:
    ours = {
        "type": {"type": "string"},
        "event": make.text("What using it raises, with the screen's inputs.") | {"pattern": EVENT},
        "payload": {"type": "object", "additionalProperties": {"type": "string"}},
        "replace": {"type": "boolean"},
    }
    return make.part({**properties, **ours})


def _properties(component: Component) -> dict[str, Schema]:
    return {name: _property(p) for name, p in component.properties.items()}


def _property(wanted: Property) -> Schema:
    if wanted.kind in ("children", "cases"):
        return make.ref("layout" if wanted.kind == "children" else "cases")
    schema: Schema = dict(_TYPES.get(wanted.kind, {"type": "string"}))
    if wanted.values:
        schema["enum"] = list(wanted.values)
    if schema == {"type": "string"}:
        return schema
    # Any property may be an expression of Meta's or a template of ours.
    return {"if": {"type": "string", "pattern": r"\$\{|\{\{|^`"}, "then": True, "else": schema}
