"""JSON Schemas of the authored documents, made from the registries and models, and nothing else.

The same schemas complete and check in an editor (`schemas/`, first line of every YAML file) and
check here. They use if/then/else and never anyOf, so that a mistake is named and not "none of
these".
"""

from collections.abc import Callable, Mapping
from typing import Any

from engine.domain.menu import Menu
from engine.domain.tenant import Tenant
from engine.registry import Registry, Verb
from engine.spec.dialog import Dialog
from engine.whatsapp import limits

Schema = dict[str, Any]
KINDS = ("chart", "messages", "flow", "tenant", "catalog", "dialog")

ID = r"^[A-Za-z][A-Za-z0-9_]*$"
SCREEN = r"^[A-Z][A-Z_]*$"
EVENT = r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$"
DELAY = r"^[1-9][0-9]{0,3}[smhd]$"
_TEMPLATE: Schema = {"type": "string", "pattern": r"\{\{"}


def document_schema(kind: str, registry: Registry) -> Schema:
    """Make the schema of one kind of document.

    Args:
        kind: one of `KINDS`.
        registry: the actions and guards there are.
    """
    makers: dict[str, Callable[[], Schema]] = {
        "chart": lambda: _chart(registry),
        "messages": _messages,
        "flow": lambda: _flow(registry),
        "tenant": lambda: _plain(Tenant.model_json_schema()),
        "catalog": lambda: _plain(Menu.model_json_schema()),
        "dialog": lambda: _plain(Dialog.model_json_schema()),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{kind}.schema.json",
        "title": f"Comanda: {kind}",
    } | makers[kind]()


def _object(properties: Mapping[str, Any], *, about: str = "", **more: Any) -> Schema:
    schema: Schema = {"type": "object", "properties": dict(properties)}
    schema["additionalProperties"] = False
    return schema | ({"description": about} if about else {}) | more


def _part(properties: Mapping[str, Any], **more: Any) -> Schema:
    """A part that overlays lie over: each of its entries may be deleted with null."""
    return _object({name: _or_null(schema) for name, schema in properties.items()}, **more)


def _map(key: str, value: Schema, about: str = "") -> Schema:
    """A mapping with ids; in an overlay an entry may be deleted with null."""
    schema: Schema = {
        "type": "object",
        "propertyNames": {"pattern": key},
        "additionalProperties": _or_null(value),
    }
    return schema | ({"description": about} if about else {})


def _or_null(value: Schema) -> Schema:
    return {"if": {"type": "null"}, "then": True, "else": value}


def _if_type(kind: str, then: Schema, otherwise: Schema) -> Schema:
    return {"if": {"type": kind}, "then": then, "else": otherwise}


def _text(about: str = "") -> Schema:
    return {"type": "string", "description": about} if about else {"type": "string"}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


# Charts ------------------------------------------------------------------------------------------


def _chart(registry: Registry) -> Schema:
    properties = {
        "chart": _text("Id of the chart; the file has the same name.") | {"pattern": ID},
        "extends": _text("Id of the shared chart this one changes.") | {"pattern": ID},
        "version": {"type": "integer", "minimum": 1},
        "about": _text("What it is for, in a sentence."),
        "start": _text("The state a new conversation begins in.") | {"pattern": ID},
        "prefixes": _map(
            r"^[a-z]+$",
            {"type": "string", "pattern": EVENT},
            "Events by the first word of a wire id: a tap on `cat:pizza` is `view_category`.",
        ),
        "renamed": _map(
            ID,
            {"type": "string", "pattern": ID},
            "New state id by old id, for conversations that are half way.",
        ),
        "careful": {
            "type": "array",
            "items": {"type": "string", "pattern": EVENT},
            "description": "Events that a text means only when it is the very phrase.",
        },
        "anywhere": _map(EVENT, _ref("branches"), "What happens on an event in every state."),
        "states": _map(ID, _ref("state"), "The states by id."),
    }
    return _object(properties) | {"$defs": _chart_parts(registry)}


def _chart_parts(registry: Registry) -> Schema:
    say = _if_type(
        "string",
        {"pattern": ID},
        {"type": "array", "items": {"type": "string", "pattern": ID}, "maxItems": 3},
    )
    branch = _part(
        {
            "if": _text("Guard: an expression without braces; the first branch that holds wins."),
            "do": _ref("do"),
            "say": _ref("say"),
            "go": _text("State to go to, or `resume`; without it the customer stays."),
            "error": {"type": "object", "description": "Flow screens only."},
            "quiet": {"type": "boolean", "description": "Do not send what this branch says."},
        },
        minProperties=1,
    )
    state = _part(
        {
            "about": _text(),
            "say": _ref("say"),
            "do": _ref("do"),
            "when": _map(EVENT, _ref("branches"), "What happens on an event in this state."),
            "back": _text("Where the event `back` leads.") | {"pattern": ID},
            "after": _map(DELAY, _ref("branches"), "What happens after a time, such as `30m`."),
            "start": _text("The inner state entered first.") | {"pattern": ID},
            "finished": _text("Where to go when a final inner state is reached.")
            | {"pattern": ID},
            "final": {"type": "boolean"},
            "aside": {"type": "boolean", "description": "Remember where the customer was."},
            "states": _map(ID, _ref("state")),
            "replace": {"type": "boolean", "description": "Take this as it is, merge nothing."},
        }
    )
    target = {"type": "string", "pattern": ID}
    return {
        "say": say,
        "do": _do(registry.actions),
        "branch": _if_type("string", target, branch),
        "branches": _if_type("array", {"items": _ref("branch"), "minItems": 1}, _ref("branch")),
        "state": state,
    }


def _do(actions: Mapping[str, Verb]) -> Schema:
    bare = [name for name, verb in actions.items() if not _required(verb)]
    one = _if_type(
        "string",
        {"enum": sorted(bare)},
        _object(
            {name: _arguments(verb) for name, verb in sorted(actions.items())},
            minProperties=1,
            maxProperties=1,
        ),
    )
    return _if_type("array", {"items": one, "minItems": 1}, one)


def _required(verb: Verb) -> list[str]:
    return [n for n, f in verb.arguments.model_fields.items() if f.is_required()]


def _arguments(verb: Verb) -> Schema:
    schema = verb.arguments.model_json_schema()
    made = _plain(_inlined(schema, schema.pop("$defs", {})))
    made.pop("title", None)
    made["description"] = verb.summary
    made["properties"] = {
        name: {"if": _TEMPLATE, "then": True, "else": schema}
        for name, schema in made.get("properties", {}).items()
    }
    return made


def _inlined(part: Any, parts: Mapping[str, Any]) -> Any:
    """Write an argument's own types where they are used: a chart has no room for them beside."""
    if isinstance(part, list):
        return [_inlined(element, parts) for element in part]
    if not isinstance(part, dict):
        return part
    made = {key: _inlined(value, parts) for key, value in part.items() if key != "$ref"}
    if "$ref" in part:
        made = _inlined(parts[part["$ref"].rsplit("/", 1)[-1]], parts) | made
    return made


def _plain(schema: Schema) -> Schema:
    """Turn what pydantic writes into the if/else form, and drop its needless titles."""
    if "anyOf" in schema:
        options = [_plain(option) for option in schema.pop("anyOf")]
        # A Decimal may be written as a number or as a text of digits; authors write numbers.
        if any(o.get("type") == "number" for o in options):
            options = [o for o in options if o.get("type") != "string"]
        merged = options[-1]
        for option in reversed(options[:-1]):
            merged = {"if": {"type": option.get("type", "object")}, "then": option, "else": merged}
        schema |= merged
    out: Schema = {}
    for key, value in schema.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "patternProperties":  # a key of another shape is a mistake, too
            ((pattern, part),) = value.items()
            out |= {"propertyNames": {"pattern": pattern}, "additionalProperties": _plain(part)}
        elif key in ("properties", "$defs"):
            out[key] = {name: _plain(part) for name, part in value.items()}
        elif isinstance(value, dict) and key not in ("default", "examples"):
            out[key] = _plain(value)
        else:
            out[key] = value
    return out


# Messages ----------------------------------------------------------------------------------------


def _limited(limit: int, about: str) -> Schema:
    """A text whose own characters must fit; what templates bring in is fitted when it is said."""
    return {"type": "string", "description": f"{about} WhatsApp shows {limit} characters."}


def _entry(title: int, *, row: bool) -> Schema:
    properties: dict[str, Any] = {
        "title": _limited(title, "What the customer reads."),
        "argument": _text("Added to the wire id: `<event>:<argument>`."),
        "id": _text("A wire id of its own, such as `{{ item.id }}`."),
        "each": _text("Expression of a list: one entry for each `item` of it."),
        "if": _text("Guard: the entry is left out unless it holds."),
        "replace": {"type": "boolean"},
    }
    if row:
        properties["description"] = _limited(limits.ROW_DESCRIPTION, "The line below the title.")
    return _if_type("string", {}, _part(properties))


def _messages() -> Schema:
    rows = _map(EVENT, _ref("row"), "Rows by the event they raise.")
    part = _part(
        {
            "about": _text("A note to translators."),
            "if": _text("Guard: the message is not sent unless it holds."),
            "text": _text("The body; *bold*, _italic_ and ~struck~ as in WhatsApp."),
            "header": _limited(limits.HEADER_TEXT, "A bold line above the body."),
            "footer": _limited(limits.FOOTER, "A grey line below the body."),
            "image": _text("Web address of a picture; an empty one is left out."),
            "buttons": _map(EVENT, _ref("button"), f"At most {limits.BUTTONS} buttons by event."),
            "list": _part(
                {
                    "button": _limited(limits.LIST_BUTTON, "What opens the list."),
                    "rows": rows,
                    "sections": _map(ID, _part({"title": _text(), "rows": rows})),
                    "more": _part(
                        {
                            "title": _limited(limits.ROW_TITLE, "The row for the next page."),
                            "id": _text("Wire id of this list; `#2` is added to it."),
                        }
                    ),
                    "replace": {"type": "boolean"},
                }
            ),
            "link": _part({"title": _limited(limits.CTA_DISPLAY_TEXT, "."), "url": _text()}),
            "ask_location": {"type": "boolean", "description": "Show 'Send location'."},
            "product": _part({"catalog": _text(), "id": _text()}),
            "products": _part({"catalog": _text(), "each": _text(), "title": _text()}),
            "catalog": _part({"thumbnail": _text()}),
            "flow": _part(
                {
                    "cta": _limited(limits.FLOW_CTA, "What opens the Flow."),
                    "id": _text(),
                    "token": _text(),
                    "screen": _text(),
                    "data": {"type": "object"},
                }
            ),
            "template": _part(
                {"name": _text(), "parameters": {"type": "array", "items": _text()}}
            ),
            "replace": {"type": "boolean"},
        }
    )
    terms: Schema = _if_type(
        "object", {"additionalProperties": {"$ref": "#/$defs/terms"}}, {"type": ["string", "null"]}
    )
    phrases = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 100}}
    return _object(
        {
            "about": _text(),
            "messages": _map(ID, _if_type("string", {}, _ref("message"))),
            "terms": _ref("terms"),
            "intents": _map(EVENT, phrases, "What customers type, by the event it means."),
        }
    ) | {
        "$defs": {
            "message": part,
            "row": _entry(limits.ROW_TITLE, row=True),
            "button": _entry(limits.BUTTON_TITLE, row=False),
            "terms": terms,
        }
    }


# Flows -------------------------------------------------------------------------------------------


def _flow(registry: Registry) -> Schema:
    parts = _chart_parts(registry)
    screen = parts["state"]["properties"] | {
        "title": _text("Title of the screen."),
        "layout": {
            "type": "array",
            "items": {"type": "object", "required": ["type"]},
            "description": "Components from top to bottom.",
        },
        "data": {"type": "object", "description": "What the screen shows, by name."},
        "params": {"type": "object", "description": "What a final screen returns to the chat."},
    }
    parts["state"] = _object(
        screen | {name: _or_null(screen[name]) for name in ("title", "layout", "data", "params")}
    )
    return _object(
        {
            "flow": _text("Id of the Flow; the file has the same name.") | {"pattern": ID},
            "extends": _text("Id of the shared Flow this one changes.") | {"pattern": ID},
            "version": {"type": "integer", "minimum": 1},
            "about": _text(),
            "start": {"type": "string", "pattern": SCREEN},
            "input": _map(ID, {"enum": ["required", "optional"]}),
            "states": _map(SCREEN, _ref("state")),
            "anywhere": _map(EVENT, _ref("branches")),
        }
    ) | {"$defs": parts}
