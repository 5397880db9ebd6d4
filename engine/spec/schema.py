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
from engine.spec import schema_parts as make
from engine.spec.dialog import Dialog
from engine.spec.schema_flow import flow_schema
from engine.spec.schema_parts import EVENT, ID, Schema
from engine.whatsapp import limits
from engine.whatsapp.templates import CATEGORIES

KINDS = ("chart", "messages", "flow", "tenant", "catalog", "dialog")

DELAY = r"^[1-9][0-9]{0,3}[smhd]$"
TEMPLATE_NAME = r"^[a-z0-9_]{1,512}$"
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
        "flow": lambda: flow_schema(do_schema(registry.actions)),
        "tenant": lambda: _plain(Tenant.model_json_schema()),
        "catalog": lambda: _plain(Menu.model_json_schema()),
        "dialog": lambda: _plain(Dialog.model_json_schema()),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{kind}.schema.json",
        "title": f"Comanda: {kind}",
    } | makers[kind]()


# Charts ------------------------------------------------------------------------------------------


def _chart(registry: Registry) -> Schema:
    properties = {
        "chart": make.text("Id of the chart; the file has the same name.") | {"pattern": ID},
        "extends": make.text("Id of the shared chart this one changes.") | {"pattern": ID},
        "version": {"type": "integer", "minimum": 1},
        "about": make.text("What it is for, in a sentence."),
        "start": make.text("The state a new conversation begins in.") | {"pattern": ID},
        "prefixes": make.by_id(
            r"^[a-z]+$",
            {"type": "string", "pattern": EVENT},
            "Events by the first word of a wire id: a tap on `cat:pizza` is `view_category`.",
        ),
        "renamed": make.by_id(
            ID,
            {"type": "string", "pattern": ID},
            "New state id by old id, for conversations that are half way.",
        ),
        "careful": {
            "type": "array",
            "items": {"type": "string", "pattern": EVENT},
            "description": "Events that a text means only when it is the very phrase.",
        },
        "anywhere": make.by_id(
            EVENT, make.ref("branches"), "What happens on an event in every state."
        ),
        "states": make.by_id(ID, make.ref("state"), "The states by id."),
    }
    return make.mapping(properties) | {"$defs": _chart_parts(registry)}


def _chart_parts(registry: Registry) -> Schema:
    say = make.if_type(
        "string",
        {"pattern": ID},
        {"type": "array", "items": {"type": "string", "pattern": ID}, "maxItems": 3},
    )
    branch = make.part(
        {
            "if": make.text(
                "Guard: an expression without braces; the first branch that holds wins."
            ),
            "do": make.ref("do"),
            "say": make.ref("say"),
            "go": make.text("State to go to, or `resume`; without it the customer stays."),
            "quiet": {"type": "boolean", "description": "Do not send what this branch says."},
        },
        minProperties=1,
    )
    state = make.part(
        {
            "about": make.text(),
            "say": make.ref("say"),
            "do": make.ref("do"),
            "when": make.by_id(
                EVENT, make.ref("branches"), "What happens on an event in this state."
            ),
            "back": make.text("Where the event `back` leads.") | {"pattern": ID},
            "after": make.by_id(
                DELAY,
                make.ref("branches"),
                "What happens after a time here, such as `30m`. Leaving the state ends it; coming "
                "back, also by `resume`, begins it anew.",
            ),
            "start": make.text("The inner state entered first.") | {"pattern": ID},
            "finished": make.text("Where to go when a final inner state is reached.")
            | {"pattern": ID},
            "final": {"type": "boolean"},
            "aside": {"type": "boolean", "description": "Remember where the customer was."},
            "states": make.by_id(ID, make.ref("state")),
            "replace": {"type": "boolean", "description": "Take this as it is, merge nothing."},
        }
    )
    target = {"type": "string", "pattern": ID}
    return {
        "say": say,
        "do": do_schema(registry.actions),
        "branch": make.if_type("string", target, branch),
        "branches": make.if_type(
            "array", {"items": make.ref("branch"), "minItems": 1}, make.ref("branch")
        ),
        "state": state,
    }


def do_schema(actions: Mapping[str, Verb]) -> Schema:
    """Make the schema of what a state or branch does: one action, or a list of them."""
    bare = [name for name, verb in actions.items() if not _required(verb)]
    one = make.if_type(
        "string",
        {"enum": sorted(bare)},
        make.mapping(
            {name: _arguments(verb) for name, verb in sorted(actions.items())},
            minProperties=1,
            maxProperties=1,
        ),
    )
    return make.if_type("array", {"items": one, "minItems": 1}, one)


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
        "argument": make.text("Added to the wire id: `<event>:<argument>`."),
        "id": make.text("A wire id of its own, such as `{{ item.id }}`."),
        "each": make.text("Expression of a list: one entry for each `item` of it."),
        "if": make.text("Guard: the entry is left out unless it holds."),
        "replace": {"type": "boolean"},
    }
    if row:
        properties["description"] = _limited(limits.ROW_DESCRIPTION, "The line below the title.")
    return make.if_type("string", {}, make.part(properties))


def _messages() -> Schema:
    rows = make.by_id(EVENT, make.ref("row"), "Rows by the event they raise.")
    part = make.part(
        {
            "about": make.text("A note to translators."),
            "if": make.text("Guard: the message is not sent unless it holds."),
            "text": make.text("The body; *bold*, _italic_ and ~struck~ as in WhatsApp."),
            "header": _limited(limits.HEADER_TEXT, "A bold line above the body."),
            "footer": _limited(limits.FOOTER, "A grey line below the body."),
            "image": make.text("Web address of a picture; an empty one is left out."),
            "buttons": make.by_id(
                EVENT, make.ref("button"), f"At most {limits.BUTTONS} buttons by event."
            ),
            "list": make.part(
                {
                    "button": _limited(limits.LIST_BUTTON, "What opens the list."),
                    "rows": rows,
                    "sections": make.by_id(ID, make.part({"title": make.text(), "rows": rows})),
                    "more": make.part(
                        {
                            "title": _limited(limits.ROW_TITLE, "The row for the next page."),
                            "id": make.text("Wire id of this list; `#2` is added to it."),
                        }
                    ),
                    "replace": {"type": "boolean"},
                }
            ),
            "link": make.part(
                {"title": _limited(limits.CTA_DISPLAY_TEXT, "."), "url": make.text()}
            ),
            "ask_location": {"type": "boolean", "description": "Show 'Send location'."},
            "product": make.part({"catalog": make.text(), "id": make.text()}),
            "products": make.part(
                {
                    "catalog": make.text("Meta's id of the catalogue."),
                    "each": make.text("Expression of a list; the `id` of each `item` is shown."),
                    "title": make.text("The title of that list."),
                    "sections": make.text(
                        "Instead of `each`: expression of a list of `title` and `items` (ids)."
                    ),
                }
            ),
            "catalog": make.part({"thumbnail": make.text()}),
            "flow": make.part(
                {
                    "cta": _limited(limits.FLOW_CTA, "What opens the Flow."),
                    "id": make.text(),
                    "token": make.text(),
                    "screen": make.text(),
                    "data": {"type": "object"},
                }
            ),
            "template": make.part(
                {
                    "name": make.text("As Meta approved it.") | {"pattern": TEMPLATE_NAME},
                    "parameters": {
                        "type": "array",
                        "items": make.text(),
                        "description": "Of its body, in their order; each is one line.",
                    },
                    "category": {
                        "enum": list(CATEGORIES),
                        "description": "Meta's: `utility` is for news of an order, anything that "
                        "sells is `marketing`.",
                    },
                    "body": _limited(
                        limits.TEMPLATE_BODY,
                        "Its text, as `comanda templates sync` creates it at Meta; {{1}} is the "
                        "first of the parameters.",
                    ),
                    "footer": _limited(limits.TEMPLATE_FOOTER, "A grey line below the body."),
                    "examples": {
                        "type": "array",
                        "items": make.text(),
                        "description": "One for each parameter, for those at Meta who approve it.",
                    },
                    "buttons": make.by_id(
                        EVENT,
                        _limited(limits.TEMPLATE_BUTTON, "What the customer reads."),
                        f"At most {limits.TEMPLATE_BUTTONS} replies by event.",
                    ),
                },
                description="The message; or, beside a text or anything else, what takes its "
                "place when the customer has not written for 24 hours.",
            ),
            "replace": {"type": "boolean"},
        }
    )
    terms: Schema = make.if_type(
        "object", {"additionalProperties": {"$ref": "#/$defs/terms"}}, {"type": ["string", "null"]}
    )
    phrases = {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 100}}
    return make.mapping(
        {
            "about": make.text(),
            "messages": make.by_id(ID, make.if_type("string", {}, make.ref("message"))),
            "terms": make.ref("terms"),
            "intents": make.by_id(EVENT, phrases, "What customers type, by the event it means."),
        }
    ) | {
        "$defs": {
            "message": part,
            "row": _entry(limits.ROW_TITLE, row=True),
            "button": _entry(limits.BUTTON_TITLE, row=False),
            "terms": terms,
        }
    }
