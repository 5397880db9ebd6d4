"""The whole: a tenant's chart with everything that is said and understood in it, to be checked.

What is wrong with it is told by the `check_*` modules; nothing is judged here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from engine.domain.order import OrderStatus
from engine.domain.refusals import Reason
from engine.domain.tenant import Tenant
from engine.spec.chart import Chart
from engine.spec.check import calls_of, deleted_in
from engine.spec.flow import Flow
from engine.spec.message import Entry, Message, Vocabulary
from engine.spec.problems import Problems
from engine.spec.shapes import KINDS
from engine.spec.source import Layers, Source
from engine.spec.ways import Ways
from engine.templating.language import Text

OURS = (
    "cart_expired", "flow_refused", "moved", "native_refused", "nothing_matched", "old_tap",
    "order_moved", "problem", "refused", "staff_wrote", "handed_back",
)  # fmt: skip
"""Events that the engine raises by itself."""
MOVED_TO = tuple(status.value for status in OrderStatus if status is not OrderStatus.PENDING)
"""The statuses an order is moved to, each with an event of its own: `order_moved.ready`."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button or row, and what tapping it raises.

    Args:
        event: None if that is only known when it is shown.
        written: it has an id of its own, which says the event.
    """

    event: str | None
    where: str
    written: bool = False
    is_always: bool = True


@dataclass(frozen=True)
class Whole:
    """A tenant's chart, its words, and the documents they were read from.

    Args:
        places: of the chart.
        words: by language, the tenant's default language first.
        texts: the documents of the messages, by language.
        known: the variables there are.
        flows: the tenant's Flows, by id.
        unread: the Flows that cannot be read: what they give is not known.
        overlays: the tenant's own documents.
        speaks: every language that the tenant or the shared texts have.
    """

    tenant: Tenant
    ways: Ways
    places: Layers
    words: Mapping[str, Vocabulary]
    texts: Mapping[str, Layers]
    problems: Problems
    known: frozenset[str] = frozenset()
    flows: Mapping[str, Flow] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    overlays: tuple[Source, ...] = ()
    speaks: frozenset[str] = frozenset()

    @property
    def chart(self) -> Chart:
        """Give the chart."""
        return self.ways.chart

    def buttons(self, message: Message) -> Iterator[Button]:
        """Give the buttons and rows of a message, with the row that leads to the next page."""
        for entry in message.entries():
            shown = entry.condition is None and entry.each is None
            yield self._button(entry, is_always=shown)
        if message.list and message.list.more:
            where = message.list.more.id
            yield Button(self._tapped(where), where.where, written=True, is_always=False)

    def _button(self, entry: Entry, *, is_always: bool) -> Button:
        if entry.id is None:
            event = self._named(entry.event)
            return Button(event, entry.where, is_always=is_always)
        return Button(self._tapped(entry.id), entry.id.where, written=True, is_always=is_always)

    def _tapped(self, wire_id: Text) -> str | None:
        """Tell the event of a wire id, as far as it is written and not calculated."""
        head = wire_id.reading.head
        if wire_id.literal is None and ":" not in head:
            return None
        return self._named(head.partition(":")[0].partition("#")[0])

    def _named(self, word: str) -> str:
        return word if "." in word else self.chart.prefixes.get(word, word)

    @cached_property
    def tapped(self) -> frozenset[str]:
        """Give the events that customers raise by what they tap or write."""
        found = set(self.chart.prefixes.values())
        for words in self.words.values():
            found |= {event for event, said in words.intents.phrases.items() if said}
            for message in words.messages.values():
                found |= {button.event for button in self.buttons(message) if button.event}
                found |= {entry.event for entry in message.entries()}
        return frozenset(found)

    @cached_property
    def raised(self) -> frozenset[str]:
        """Give the events that anybody raises: customers, actions, Flows, the engine."""
        found = {event for call in calls_of(self.chart) for event in call.raises()}
        found |= {f"refused.{reason.value}" for reason in Reason}
        found |= {f"flow.{flow}" for flow in self.unread.union(self.flows)}
        found |= {f"order_moved.{status}" for status in MOVED_TO}
        return frozenset(found | self.tapped | {*KINDS, *OURS})

    @cached_property
    def deleted(self) -> frozenset[str]:
        """Give the names that the tenant's own documents delete."""
        return frozenset(name for source in self.overlays for name in deleted_in(source.data))
