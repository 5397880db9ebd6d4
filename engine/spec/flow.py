"""A checked WhatsApp Flow as a value: its screens, and the chart that leads through them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.spec.chart import Chart, Value
from engine.spec.source import Layers
from engine.templating.language import Expression, Text


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
