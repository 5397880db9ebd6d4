"""Checked documents as values: charts, messages and words, with their templates compiled.

Nothing here knows YAML, python-statemachine or a database.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from engine.phrases import PhraseBook
from engine.registry import Verb
from engine.spec.source import Layers
from engine.templating.language import Expression, Text

Value = Any
"""An argument: a Text, an Expression, a literal, or a mapping or list of such."""


@dataclass(frozen=True, slots=True)
class Call:
    """An action to take, with its arguments; `where` is its place in the YAML."""

    verb: Verb
    arguments: Mapping[str, Value]
    where: str


@dataclass(frozen=True, slots=True)
class Branch:
    """What an event does: if `condition` holds, take `calls`, say `say`, go to `go`.

    Args:
        path: its place in the merged document.
        go: id of a state, `resume`, or None to stay.
        error: in a Flow: stay on the screen and show this below it.
        quiet: the messages of this branch are not sent (nobody is there to read them).
    """

    where: str
    path: tuple[str | int, ...] = ()
    condition: Expression | None = None
    calls: tuple[Call, ...] = ()
    say: tuple[str, ...] = ()
    go: str | None = None
    error: Text | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """A state: on entry it takes `calls` and says `say`; then it waits for an event.

    Args:
        path: its place in the merged document.
        when: branches by event, in the author's order.
        after: branches by delay, as written (`30m`). The time runs from the entry until the
            state is left: who comes back, also by `resume`, is given all of it again.
        start: the state inside it that is entered first; None for one without states inside.
        finished: where to go when a final state inside it is reached.
        aside: it remembers where the customer was, for `resume`.
    """

    id: str
    where: str
    path: tuple[str | int, ...] = ()
    parent: str | None = None
    calls: tuple[Call, ...] = ()
    say: tuple[str, ...] = ()
    when: Mapping[str, tuple[Branch, ...]] = field(default_factory=dict)
    after: Mapping[str, tuple[Branch, ...]] = field(default_factory=dict)
    start: str | None = None
    finished: str | None = None
    final: bool = False
    aside: bool = False

    def branches(self) -> Iterator[tuple[str, tuple[Branch, ...]]]:
        """Give every event it reacts to with its branches, timers as `after.<state>.<delay>`."""
        yield from self.when.items()
        for delay, branches in self.after.items():
            yield timer_event(self.id, delay), branches


@dataclass(frozen=True, slots=True)
class Chart:
    """A state chart: what a conversation can be in, and what happens in it.

    Args:
        states: all states by id, the outer ones before the ones inside them.
        anywhere: branches that hold in every state.
        prefixes: events by the first word of a wire id: `cat` -> `view_category`.
        renamed: new id by old id, for conversations that are half way.
        careful: events that a text means only when it is the very phrase.
        digest: hash of the merged document.
        has_timers: one of its states has, or its actions set one.
    """

    id: str
    version: int
    start: str
    states: Mapping[str, State]
    anywhere: Mapping[str, tuple[Branch, ...]]
    prefixes: Mapping[str, str]
    renamed: Mapping[str, str]
    careful: frozenset[str]
    digest: str
    has_timers: bool = field(init=False, repr=False, compare=False)
    _events: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        states = self.states.values()
        own = {event for state in states for event, _ in state.branches()}
        # Every turn asks.
        object.__setattr__(self, "_events", frozenset(own | self.anywhere.keys()))
        has_timers = any(state.after or _sets_timer(state.calls) for state in states)
        object.__setattr__(self, "has_timers", has_timers)

    def path(self, leaf: str) -> tuple[str, ...]:
        """Give the ids from the outermost state to a state."""
        path = [leaf]
        while parent := self.states[path[0]].parent:
            path.insert(0, parent)
        return tuple(path)

    def events(self) -> frozenset[str]:
        """Give every event some state or `anywhere` reacts to."""
        return self._events

    def all_branches(self) -> Iterator[Branch]:
        """Give every branch of the chart."""
        for branches in self.anywhere.values():
            yield from branches
        for state in self.states.values():
            for _, branches in state.branches():
                yield from branches


SETS_TIMER = "staff.wait"
"""The action that sets a timer of the state it is of."""


TELLS_STAFF = "staff.notify"
"""The action that says a message to the staff."""


def told(calls: tuple[Call, ...]) -> Iterator[str]:
    """Give the messages that actions say to the staff, as far as they are written."""
    for call in calls:
        message = call.arguments.get("message") if call.verb.name == TELLS_STAFF else None
        name = message.literal if isinstance(message, Text) else message
        if isinstance(name, str):
            yield name


def _sets_timer(calls: tuple[Call, ...]) -> bool:
    return any(call.verb.name == SETS_TIMER for call in calls)


def timer_event(state: str, delay: str) -> str:
    """Name the event of a timer."""
    return f"after.{state}.{delay}"


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def delay_of(text: str) -> timedelta:
    """Read a delay such as `30m`, `24h` or `2d`."""
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


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


@dataclass(frozen=True, slots=True)
class Repeat:
    """A list in a screen's data: `item` once for every element of `each`."""

    each: Expression
    item: Value


@dataclass(frozen=True, slots=True)
class LayoutComponent:
    """A component of a Flow screen as authored.

    Args:
        id: its key in the layout; an input's name, unless it says another.
        properties: by Meta's names, without `type` and what holds components; leaf texts are
            templates that know the tenant and its words, no customer.
        event: what using it raises in the Flow's chart, with the screen's inputs.
        payload: what is sent with the event beside the inputs.
        inside: the components it holds, by the property that holds them: `then`, `else`,
            `children`, or the case's name of a Switch.
        groups: of ChoiceGroups: how many modifier groups it can show.
    """

    id: str
    type: str
    where: str
    path: tuple[str | int, ...]
    properties: Mapping[str, Value] = field(default_factory=dict)
    event: str | None = None
    payload: Mapping[str, str] = field(default_factory=dict)
    inside: Mapping[str, tuple["LayoutComponent", ...]] = field(default_factory=dict)
    groups: int = 0

    @property
    def name(self) -> str:
        """Give the name under which an input's value is sent."""
        return str(self.properties.get("name", self.id))

    def walk(self) -> Iterator["LayoutComponent"]:
        """Give it and everything inside it, in the order a customer sees it."""
        yield self
        for parts in self.inside.values():
            for part in parts:
                yield from part.walk()


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen of a Flow; the state of the same name says what happens on it.

    Args:
        data: what it shows, by name.
        params: of the end of the Flow: what the chat gets; None for a screen.
        refresh_on_back: our endpoint is asked when the customer goes back from it.
    """

    id: str
    where: str
    path: tuple[str | int, ...]
    title: Text
    layout: tuple[LayoutComponent, ...] = ()
    data: Mapping[str, Value] = field(default_factory=dict)
    params: Mapping[str, Value] | None = None
    refresh_on_back: bool = False

    def components(self) -> Iterator[LayoutComponent]:
        """Give every component, the ones inside others too."""
        for part in self.layout:
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class Takes:
    """The largest product a Flow can show; what is larger is customized in the chat."""

    presentations: int
    groups: int
    options: int


@dataclass(frozen=True, slots=True)
class Flow:
    """A WhatsApp Flow: a chart whose states are screens.

    Args:
        places: of its documents, for problems.
        chart: its states, without the screens' looks; the end is a state that waits for nothing.
        input: what it is opened with, by name; True for what it cannot do without.
        categories: Meta's, such as OTHER.
        takes: None if it shows no product.
        digest: hash of the merged document.
    """

    id: str
    version: int
    where: str
    places: Layers = field(repr=False, compare=False)
    chart: Chart
    screens: Mapping[str, Screen]
    input: Mapping[str, bool]
    categories: tuple[str, ...]
    digest: str
    takes: Takes | None = None

    def is_end(self, screen: str) -> bool:
        """Tell whether a screen is the end of the Flow."""
        return self.screens[screen].params is not None

    def shown(self) -> Iterator[Screen]:
        """Give the screens a customer sees."""
        return (screen for screen in self.screens.values() if screen.params is None)
