"""Checked messages as values, and the words of one language; templates are compiled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.phrases import PhraseBook
from engine.spec.chart import Value
from engine.templating.language import Expression, Text


@dataclass(frozen=True, slots=True)
class Entry:
    """A row or button, or with `each` one for every element of a list.

    Args:
        event: what tapping it raises; the wire id is `<event>` or `<event>:<argument>`.
        id: a wire id of its own, instead.
        condition: it is left out unless this holds.
    """

    event: str
    title: Text
    where: str
    description: Text | None = None
    argument: Text | None = None
    id: Text | None = None
    each: Expression | None = None
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a list with a title of its own."""

    entries: tuple[Entry, ...]
    title: Text | None = None


@dataclass(frozen=True, slots=True)
class More:
    """The last row of a list that is longer than WhatsApp allows: it leads to the next page.

    Args:
        id: wire id of the list itself; the page is added as `#2`.
    """

    title: Text
    id: Text


@dataclass(frozen=True, slots=True)
class ListPart:
    """An interactive list."""

    button: Text
    sections: tuple[Section, ...]
    more: More | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A button that opens a page."""

    title: Text
    url: Text


@dataclass(frozen=True, slots=True)
class ProductsPart:
    """Native product messages: one product, a list of them, or a list in sections.

    Args:
        products: a list of what has an `id`.
        sections: a list of what has a `title` and `items`, which are ids.
    """

    catalog: Text
    product: Text | None = None
    products: Expression | None = None
    sections: Expression | None = None
    title: Text | None = None
    thumbnail: Text | None = None


@dataclass(frozen=True, slots=True)
class FlowPart:
    """A button that opens a WhatsApp Flow."""

    cta: Text
    id: Text
    token: Text
    screen: Text | None = None
    data: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class TemplateButton:
    """A reply that a message template offers; a tap on it raises its event."""

    event: str
    title: str
    where: str


@dataclass(frozen=True, slots=True)
class TemplatePart:
    """A message template that Meta approved: all that may be said outside the 24-hour window.

    Args:
        parameters: of its body, in their order.
        category: Meta's, in small letters; empty if it is not declared.
        body: its text with `{{1}}` for each parameter; empty if somebody makes it at Meta by hand.
        examples: one for each parameter, for those who approve it.
        places: where its parts are written, by their keys.
    """

    name: str
    where: str
    parameters: tuple[Text, ...] = ()
    category: str = ""
    body: str = ""
    footer: str = ""
    examples: tuple[str, ...] = ()
    buttons: tuple[TemplateButton, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    def place(self, part: str) -> str:
        """Tell where a part of it is written, or it itself."""
        return self.places.get(part, self.where)


Kind = Literal[
    "text", "image", "buttons", "list", "link", "location", "product", "products", "catalog",
    "flow", "template",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """A message as authored, in one language.

    Args:
        template: all there is to a message of that kind; beside other content it takes its place
            when the 24-hour window is closed.
    """

    id: str
    kind: Kind
    where: str
    text: Text | None = None
    header: Text | None = None
    footer: Text | None = None
    image: Text | None = None
    condition: Expression | None = None
    buttons: tuple[Entry, ...] = ()
    list: ListPart | None = None
    link: Link | None = None
    products: ProductsPart | None = None
    flow: FlowPart | None = None
    template: TemplatePart | None = None

    def entries(self) -> Iterator[Entry]:
        """Give its buttons and rows."""
        yield from self.buttons
        if self.list:
            for section in self.list.sections:
                yield from section.entries


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is said and understood in one language.

    Args:
        messages: by id.
        terms: single words and phrases that texts use as `terms.<name>`.
        intents: its phrases and the events they mean.
    """

    language: str
    messages: Mapping[str, Message]
    terms: Mapping[str, Any]
    intents: PhraseBook
