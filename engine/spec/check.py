"""The meaning of a chart and its messages: what the schema cannot see is checked here.

It works on the merged chart and names the file that holds the mistake. How messages fit with a
tenant's own data is not judged here.
"""

from collections.abc import Iterable, Iterator, Mapping, Set

from engine.spec.chart import Branch, Call, Chart, State, Value, told
from engine.spec.check_guards import GuardCheck, check_conditions
from engine.spec.flow import Repeat
from engine.spec.message import ListPart, Message, Vocabulary
from engine.spec.problems import Problems, Span, did_you_mean
from engine.spec.source import Layers, Path
from engine.spec.ways import Ways
from engine.templating.language import Expression, Text
from engine.whatsapp import limits

RESUME = "resume"
BUILT_IN = frozenset(
    {
        "event", "cart", "customer", "tenant", "language", "locale", "terms", "now", "is_new",
        "misses", "state", "item",
    }
)  # fmt: skip
"""Variables every text and guard may read; `item` only within `each`."""


def variables_of(chart: Chart) -> frozenset[str]:
    """Give the names the chart's own actions note or load."""
    names: set[str] = set()
    for call in calls_of(chart):
        names |= call.verb.gives
        if call.verb.takes_any:
            names |= call.arguments.keys()
    return frozenset(names)


def calls_of(chart: Chart) -> Iterator[Call]:
    """Give every call of a chart."""
    for state in chart.states.values():
        yield from state.calls
    for branch in chart.all_branches():
        yield from branch.calls


def templates_within(chart: Chart) -> Iterator[Text | Expression]:
    """Give every template of a chart."""
    for branch in chart.all_branches():
        yield from (one for one in (branch.condition, branch.error) if one)
    for call in calls_of(chart):
        yield from templates_of(dict(call.arguments))


def templates_of(value: Value) -> Iterator[Text | Expression]:
    """Give the templates inside an argument."""
    if isinstance(value, (Text, Expression)):
        yield value
    elif isinstance(value, Repeat):
        yield value.each
        yield from templates_of(value.item)
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from templates_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from templates_of(part)


def deleted_in(data: object) -> Iterator[str]:
    """Name what an overlay deletes."""
    for key, value in data.items() if isinstance(data, dict) else ():
        if value is None:
            yield key
        else:
            yield from deleted_in(value)


class ChartCheck:
    """Checks one merged chart; others may ask it for its `ways`, and what its overlay deletes."""

    def __init__(
        self, chart: Chart, places: Layers, problems: Problems, ways: Ways | None = None
    ) -> None:
        self.chart = chart
        self.places = places
        self.problems = problems
        self.ways = ways or Ways(chart)
        overlays = places.sources[:-1]
        self.deleted = frozenset(name for one in overlays for name in deleted_in(one.data))
        self.known = BUILT_IN | variables_of(chart)

    def over(self, problems: Problems) -> "ChartCheck":
        """Give the same check with other problems to add to."""
        return ChartCheck(self.chart, self.places, problems, self.ways)

    def run(self) -> None:
        """Note everything that is wrong."""
        if self._start():
            self._reachable()
        for state in self.chart.states.values():
            self._state(state)
        for branch in self.chart.all_branches():
            self._target(branch.go, (*branch.path, "go"))
        for name, target in self.chart.renamed.items():
            place = self.places.value_at(("renamed", name))
            if target not in self.chart.states and target not in self.chart.renamed:
                self._unknown_state(target, place)
        self._variables()

    def _start(self) -> bool:
        if not self.chart.start or not self.chart.states:
            missing = "start" if self.chart.states else "states"
            self.problems.add(self.places.at(()), "missing-key", f"'{missing}' is missing here")
            return False
        if self.chart.start not in self.chart.states:
            self._unknown_state(self.chart.start, self.places.value_at(("start",)))
            return False
        start = self.chart.states[self.chart.start]
        if start.parent is not None or start.aside:
            sentence = f"'{start.id}' cannot be the first: it lies inside another or is aside"
            self.problems.add(self.places.value_at(("start",)), "bad-start", sentence)
        return True

    def _unknown_state(self, name: str, span: Span) -> None:
        hint = did_you_mean(name, self.chart.states)
        self.problems.add(span, "unknown-state", f"there is no state '{name}'", hint)

    def _target(self, go: str | None, path: Path) -> None:
        if go is not None and go != RESUME and go not in self.chart.states:
            self._unknown_state(go, self.places.value_at(path))

    def _state(self, state: State) -> None:
        span = Span.of(state.where)
        children = [s for s in self.chart.states.values() if s.parent == state.id]
        if state.id == RESUME:
            self.problems.add(span, "wrong-name", f"'{RESUME}' leads back, no state has that name")
        if children and (state.start is None or state.start not in {c.id for c in children}):
            where = self.places.value_at((*state.path, "start")) if state.start else span
            wanted = f"'{state.start}' is none of them" if state.start else "no 'start'"
            sentence = f"'{state.id}' has states inside and {wanted}"
            self.problems.add(where, "bad-start", sentence, f"one of {_names(children)}")
        if not children and (state.start or state.finished):
            self.problems.add(span, "bad-start", f"'{state.id}' has no states inside it")
        if state.finished:
            self._target(state.finished, (*state.path, "finished"))
            if self._comes_back(state):
                sentence = f"'{state.id}' is finished as soon as it is entered, again and again"
                self.problems.add(span, "never-rests", sentence)
            if not any(c.final for c in children):
                sentence = f"no state inside '{state.id}' is final, so it never finishes"
                self.problems.add(span, "never-finishes", sentence)
        if state.final and (state.parent is None or state.when or state.after or children):
            sentence = f"'{state.id}' is final: it must lie inside a state and wait for nothing"
            self.problems.add(span, "bad-final", sentence)
        if state.aside and state.parent is not None:
            self.problems.add(span, "bad-aside", f"'{state.id}' is aside: it must lie outside all")

    def _comes_back(self, state: State) -> bool:
        """Tell whether what comes after the end of a state is its end, without a pause."""
        seen: set[str] = set()
        following: State | None = state
        while following and following.finished and following.id not in seen:
            seen.add(following.id)
            leaf = self.chart.states.get(following.finished)
            while leaf and leaf.start:
                inner = self.chart.states.get(leaf.start)
                leaf = inner if inner and inner.parent == leaf.id else None
            following = self.chart.states.get(leaf.parent or "") if leaf and leaf.final else None
        return following is not None and following.id == state.id

    def _reachable(self) -> None:
        reached = self.ways.reachable
        shared = self.places.sources[-1].file
        for state in self.chart.states.values():
            if state.id not in reached:
                span = Span.of(state.where)
                others = (name for name in self.chart.states if name != state.id)
                hint = did_you_mean(state.id, others) if span.file != shared else ""
                sentence = f"nothing leads to the state '{state.id}'"
                self.problems.add(span, "unreachable-state", sentence, hint)

    def _variables(self) -> None:
        for call in calls_of(self.chart):
            for value in call.arguments.values():
                for template in templates_of(value):
                    self.names(template)
        for branch in self.chart.all_branches():
            if branch.condition:
                self.names(branch.condition)

    def names(self, template: Text | Expression) -> None:
        """Note the variables of a template that nothing sets."""
        for name in sorted(template.names.keys() - self.known):
            hint = did_you_mean(name, self.known)
            sentence = f"nothing sets the variable '{name}'"
            span = Span.of(template.where).below(template.names[name])
            self.problems.add(span, "unknown-variable", sentence, hint)


def _names(states: Iterable[State]) -> str:
    return ", ".join(f"'{s.id}'" for s in states)


def note_unwritten(language: str, written: Set[str], span: Span, problems: Problems) -> None:
    """Note a language in which nobody has written messages."""
    known = ", ".join(f"'{name}'" for name in sorted(written))
    sentence = f"there are no messages in '{language}'"
    hint = did_you_mean(language, written) or (f"there are messages in {known}" if known else "")
    problems.add(span, "missing-translation", sentence, hint)


def said_by(chart: Chart) -> Mapping[str, Path]:
    """Give the messages that a chart says, with the place of one that does."""
    said: dict[str, Path] = {}
    parts: list[State | Branch] = [*chart.states.values(), *chart.all_branches()]
    for part in parts:
        said |= dict.fromkeys(part.say, (*part.path, "say"))
        said |= dict.fromkeys(told(part.calls), (*part.path, "do"))
    return said


def check_says(check: ChartCheck, vocabularies: Mapping[str, Vocabulary]) -> None:
    """Note messages that a chart says and a language does not have."""
    problems = check.problems
    for message, path in said_by(check.chart).items():
        span = check.places.value_at(path)
        lacking = [n for n, v in vocabularies.items() if message not in v.messages]
        if not lacking:
            continue
        if len(lacking) == len(vocabularies):
            known = next(iter(vocabularies.values())).messages
            problems.add(
                span, "unknown-message", f"there is no message '{message}'",
                did_you_mean(message, known),
            )  # fmt: skip
        else:
            sentence = f"the message '{message}' is missing in {', '.join(lacking)}"
            problems.add(span, "missing-translation", sentence)


def check_message(message: Message, chart: ChartCheck, kinds: list[str]) -> None:
    """Note what is wrong with one message by itself: kinds, events, variables and limits."""
    problems = chart.problems
    span = Span.of(message.where)
    if len(kinds) > 1:
        names = " and ".join(f"'{k}'" for k in kinds)
        problems.add(span, "mixed-message", f"{names} cannot be in one message")
    if message.kind not in ("image", "product", "template") and message.text is None:
        problems.add(span, "missing-key", f"the message '{message.id}' has no 'text'")
    if message.list and message.image:
        problems.add(span, "mixed-message", "a list cannot have an 'image'", "use a 'header'")
    accepted = chart.chart.events()
    for entry in message.entries():
        if entry.event not in accepted:
            sentence = f"no state reacts to the event '{entry.event}'"
            hint = did_you_mean(entry.event, accepted)
            problems.add(Span.of(entry.where), "unknown-event", sentence, hint)
    templates = list(templates_in(message))
    for template in templates:
        chart.names(template)
        check_conditions(template, problems)
    GuardCheck(chart.chart, problems, chart.deleted).message(message, templates)
    _check_parts(message, problems)
    _check_limits(message, problems)


def _check_parts(message: Message, problems: Problems) -> None:
    """Note parts that are not there; the schema cannot ask for them, for an overlay has few."""
    if message.template and not message.template.name:
        problems.add(Span.of(message.template.where), "missing-key", "'name' is missing here")
    for name, text in _needed(message):
        if text is None or text.literal == "":
            where = text.where if text else message.where
            problems.add(Span.of(where), "missing-key", f"'{name}' is missing here")


def _needed(message: Message) -> Iterator[tuple[str, Text | None]]:
    link, flow, products = message.link, message.flow, message.products
    if link:
        yield "url", link.url
    if flow:
        yield from (("id", flow.id), ("token", flow.token))
        if flow.data:
            yield "screen", flow.screen
    if products and message.kind in ("product", "products"):
        yield "catalog", products.catalog
    if products and message.kind == "product":
        yield "id", products.product
    if message.list:
        if message.list.more:
            yield from (("id", message.list.more.id), ("title", message.list.more.title))
        if len(message.list.sections) > 1:
            yield from (("title", section.title) for section in message.list.sections)


def templates_in(message: Message) -> Iterator[Text | Expression]:
    """Give every template of a message."""
    flow = message.flow
    lists = message.list
    parts: list[Text | Expression | None] = [
        message.text, message.header, message.footer, message.image, message.condition,
    ]  # fmt: skip
    for entry in message.entries():
        parts += [entry.title, entry.description, entry.argument, entry.id]
        parts += [entry.each, entry.condition]
    if lists:
        parts += [lists.button, *(s.title for s in lists.sections)]
        parts += [lists.more.title, lists.more.id] if lists.more else []
    if message.link:
        parts += [message.link.title, message.link.url]
    if message.products:
        p = message.products
        parts += [p.catalog, p.product, p.products, p.sections, p.title, p.thumbnail]
    if flow:
        parts += [flow.cta, flow.id, flow.token, flow.screen, *templates_of(flow.data)]
    if message.template:
        parts += message.template.parameters
    yield from (part for part in parts if part is not None)


_FIXED_ROWS = limits.LIST_ROWS - 2
"""Rows of a list with pages: one of the page's own and the one that leads on come after them."""


def _check_limits(message: Message, problems: Problems) -> None:
    body = limits.TEXT_BODY if message.kind == "text" else limits.INTERACTIVE_BODY
    _fits(message.text, body, "text", problems)
    _fits(message.header, limits.HEADER_TEXT, "header", problems)
    _fits(message.footer, limits.FOOTER, "footer", problems)
    fixed = [b for b in message.buttons if not b.condition and not b.each]
    if len(fixed) > limits.BUTTONS:
        sentence = f"WhatsApp shows {limits.BUTTONS} buttons, these are {len(fixed)}"
        problems.add(Span.of(fixed[limits.BUTTONS].where), "over-limit", sentence, "use a 'list'")
    for button in message.buttons:
        _fits(button.title, limits.BUTTON_TITLE, "title", problems)
    if message.list:
        _check_list(message.list, problems)
    if message.flow:
        _fits(message.flow.cta, limits.FLOW_CTA, "cta", problems)
    if message.link:
        _fits(message.link.title, limits.CTA_DISPLAY_TEXT, "title", problems)


def _check_list(part: ListPart, problems: Problems) -> None:
    _fits(part.button, limits.LIST_BUTTON, "button", problems)
    rows = [e for s in part.sections for e in s.entries]
    fixed = [r for r in rows if not r.condition and not r.each]
    if len(fixed) > limits.LIST_ROWS:
        sentence = f"WhatsApp shows {limits.LIST_ROWS} rows, these are {len(fixed)}"
        problems.add(Span.of(fixed[limits.LIST_ROWS].where), "over-limit", sentence)
    elif len(fixed) > _FIXED_ROWS and part.more:
        sentence = f"{_FIXED_ROWS} rows fit on every page, these are {len(fixed)}"
        problems.add(Span.of(fixed[_FIXED_ROWS].where), "over-limit", sentence)
    for row in rows:
        _fits(row.title, limits.ROW_TITLE, "title", problems)
        _fits(row.description, limits.ROW_DESCRIPTION, "description", problems)
    if part.more:
        _fits(part.more.title, limits.ROW_TITLE, "title", problems)
    for section in part.sections:
        _fits(section.title, limits.SECTION_TITLE, "title", problems)


def _fits(text: Text | None, limit: int, key: str, problems: Problems) -> None:
    if text is None or text.literal is None:
        return
    length = limits.length(text.literal)
    if length > limit:
        sentence = f"'{key}' has {length} characters, WhatsApp shows {limit}"
        problems.add(Span.of(text.where), "over-limit", sentence)
    if length == 0 and key in ("title", "button", "cta"):
        problems.add(Span.of(text.where), "missing-key", f"'{key}' is missing here")
