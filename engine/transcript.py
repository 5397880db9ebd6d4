"""A message's payload -> lines a person can read in a terminal, a test or a README."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a customer can tap."""

    id: str
    title: str
    description: str = ""


def choices(payload: Payload) -> list[Choice]:
    """Give what a customer can tap in a message, in the order he sees it."""
    interactive = payload.get("interactive", {})
    action = interactive.get("action", {})
    if interactive.get("type") == "button":
        replies = (button["reply"] for button in action["buttons"])
        return [Choice(reply["id"], reply["title"]) for reply in replies]
    return [
        Choice(row["id"], row["title"], row.get("description", ""))
        for section in action.get("sections", [])
        for row in section.get("rows", [])
    ]


def flow_button(payload: Payload) -> str | None:
    """Give the label of the button that opens a Flow, if the message has one."""
    interactive = payload.get("interactive", {})
    if interactive.get("type") != "flow":
        return None
    return str(interactive["action"]["parameters"]["flow_cta"])


def lines(payload: Payload) -> list[str]:
    """Write a message as a customer sees it; each tappable thing on a line of its own."""
    return list(_lines(payload))


def _lines(payload: Payload) -> Iterator[str]:
    kind = payload.get("type", "read")
    if kind == "text":
        yield from payload["text"]["body"].split("\n")
    elif kind == "image":
        yield f"[image {payload['image']['link']}]"
        yield from payload["image"].get("caption", "").split("\n")
    elif kind == "template":
        template = payload["template"]
        yield f"[template {template['name']} {template['language']['code']}]"
    elif kind == "interactive":
        yield from _interactive(payload["interactive"])
    else:
        yield f"[{kind}]"


def _interactive(content: Mapping[str, Any]) -> Iterator[str]:
    header = content.get("header", {})
    if header.get("type") == "image":
        yield f"[image {header['image'].get('link', '')}]"
    elif header:
        yield f"*{header.get('text', '')}*"
    yield from content.get("body", {}).get("text", "").split("\n")
    if "footer" in content:
        yield f"_{content['footer']['text']}_"
    yield from _action(content["type"], content["action"])


def _action(kind: str, action: Mapping[str, Any]) -> Iterator[str]:
    if kind == "button":
        yield " ".join(f"[{button['reply']['title']}]" for button in action["buttons"])
    elif kind == "list":
        yield f"[{action['button']}]"
        for section in action["sections"]:
            if section.get("title"):
                yield f"  {section['title']}"
            for row in section["rows"]:
                about = f" - {row['description']}" if row.get("description") else ""
                yield f"  • {row['title']}{about}"
    elif kind == "cta_url":
        parameters = action["parameters"]
        yield f"[{parameters['display_text']}] {parameters['url']}"
    elif kind == "flow":
        yield f"[{action['parameters']['flow_cta']}]"
    elif kind == "location_request_message":
        yield "[Send location]"
    else:
        yield f"[{kind}]"
