"""What of an authored message a customer may read, as plain values to compare or to print.

Places, events and ids are left out: nobody reads them. Nothing is rendered here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from engine.spec.message import ListPart, Message
from engine.templating.language import Expression, Text

_UNREAD = frozenset(
    ("where", "places", "path", "id", "event", "argument", "token", "kind", "screen", "catalog")
)


def written(part: Any) -> Any:
    """Give what is written in a message, or a part of one; equal if customers read the same."""
    if isinstance(part, (Text, Expression)):
        return part.source.strip()
    if is_dataclass(part):
        return tuple(
            (field.name, written(getattr(part, field.name)))
            for field in fields(part)
            if field.name not in _UNREAD
        )
    if isinstance(part, Mapping):
        return tuple((key, written(value)) for key, value in part.items())
    if isinstance(part, (tuple, list)):
        return tuple(written(value) for value in part)
    return part


def written_lines(message: Message) -> tuple[str, ...]:
    """Write a message as its author did, laid out as a customer sees it."""
    return tuple(_lines(message))


def _lines(message: Message) -> Iterator[str]:
    if message.header:
        yield f"*{_source(message.header)}*"
    if message.text:
        yield from _source(message.text).split("\n")
    if message.footer:
        yield f"_{_source(message.footer)}_"
    if message.buttons:
        yield " ".join(f"[{_source(entry.title)}]" for entry in message.buttons)
    if message.list:
        yield from _list(message.list)
    yield from _rest(message)


def _list(part: ListPart) -> Iterator[str]:
    yield f"[{_source(part.button)}]"
    for section in part.sections:
        if section.title:
            yield f"  {_source(section.title)}"
        for entry in section.entries:
            about = f" - {_source(entry.description)}" if entry.description else ""
            yield f"  • {_source(entry.title)}{about}"


def _rest(message: Message) -> Iterator[str]:
    if message.link:
        yield f"[{_source(message.link.title)}] {_source(message.link.url)}"
    if message.flow:
        yield f"[{_source(message.flow.cta)}]"
    if message.template:
        parameters = "; ".join(_source(text) for text in message.template.parameters)
        yield f"[template {message.template.name}] {parameters}".rstrip()
        if message.template.body:
            yield f"  {message.template.body}"


def _source(text: Text) -> str:
    return text.source.strip()
