"""The meaning of a Flow: what the schema cannot see, and what needs no Flow JSON to be seen."""

from collections.abc import Iterator

from engine.spec.chart import Branch, State, Value
from engine.spec.check import BUILT_IN, deleted_in, templates_of, variables_of
from engine.spec.check_guards import GuardCheck
from engine.spec.check_parts import check_flow_parts
from engine.spec.check_ways import check_never_taken
from engine.spec.flow import Flow, LayoutComponent, Screen
from engine.spec.problems import Problems, Span, did_you_mean
from engine.spec.read_flow import CHOICE_GROUPS
from engine.spec.sights import sent_by
from engine.spec.source import Layers, Path
from engine.templating.language import Expression, Text

STATIC = frozenset({"tenant", "terms", "language", "locale"})
"""What a layout may read: it is the same for every customer."""
RESERVED = "product"
"""The word for a product's own address: /flows/product/<product>/<tenant>."""
EVENT = "event"
"""The key under which a request names its event."""
_OF_THE_EVENT = frozenset({EVENT, "name"})  # `event.name` is the event's


class FlowCheck:
    """Checks one merged Flow."""

    def __init__(self, flow: Flow, places: Layers, problems: Problems) -> None:
        self.flow = flow
        self.places = places
        self.problems = problems
        self.known = BUILT_IN | variables_of(flow.chart) | {"input"}

    def run(self) -> None:
        """Note everything that is wrong."""
        if self._start():
            self._reachable()
            self._forward()
        for screen in self.flow.screens.values():
            self._screen(screen)
        for branch in self.flow.chart.all_branches():
            self._branch(branch)
        check_never_taken(self.flow.chart, self.places, self.problems)
        overlays = self.places.sources[:-1]
        deleted = frozenset(name for source in overlays for name in deleted_in(source.data))
        GuardCheck(self.flow.chart, self.problems, deleted).branches()
        for state in self.flow.chart.states.values():
            for call in state.calls:
                self._names(call.arguments, self.known)
        check_flow_parts(self.flow, self.problems)

    # The chart -------------------------------------------------------------------------------

    def _start(self) -> bool:
        chart, whole = self.flow.chart, self.places.at(())
        if self.flow.id == RESERVED:
            where = self.places.value_at(("flow",))
            self.problems.add(where, "wrong-name", f"a Flow cannot be called '{RESERVED}'")
        if not chart.start or not chart.states:
            missing = "start" if chart.states else "states"
            self.problems.add(whole, "missing-key", f"'{missing}' is missing here")
            return False
        if chart.start not in chart.states:
            self._unknown(chart.start, ("start",))
            return False
        if not any(self.flow.is_end(name) for name in self.flow.screens):
            sentence = "no state is final, so the Flow never ends"
            self.problems.add(whole, "never-finishes", sentence, "add SUCCESS: {final: true}")
        return True

    def _unknown(self, name: str, path: Path) -> None:
        hint = did_you_mean(name, self.flow.screens)
        sentence = f"there is no state '{name}'"
        self.problems.add(self.places.value_at(path), "unknown-state", sentence, hint)

    def _reachable(self) -> None:
        seen: set[str] = set()
        waiting = [self.flow.chart.start]
        while waiting:
            name = waiting.pop()
            if name not in seen and name in self.flow.screens:
                seen.add(name)
                waiting += [target for _, target in routes(self.flow, name)]
        ends = {name for name in self.flow.screens if self.flow.is_end(name)}
        for name, screen in self.flow.screens.items():
            if name not in seen:
                sentence = f"nothing leads to the state '{name}'"
                self.problems.add(Span.of(screen.where), "unreachable-state", sentence)
            elif ends and not ends & seen and not any(routes(self.flow, name)):
                sentence = f"nothing leads on from the screen '{name}', so the Flow never ends"
                self.problems.add(Span.of(screen.where), "dead-end", sentence)

    def _forward(self) -> None:
        """Note ways back: WhatsApp lets customers go back by themselves, and only so."""
        start = self.flow.chart.start
        trail, done = [start], set[str]()
        left = {start: list(routes(self.flow, start))}
        while trail:  # as deep as the longest way through: no recursion
            name = trail[-1]
            if not left[name]:
                done.add(trail.pop())
                continue
            branch, target = left[name].pop(0)
            if target in left and target not in done:
                span = self.places.value_at((*branch.path, "go"))
                sentence = f"'{name}' leads back to '{target}': a Flow goes forward only"
                hint = "customers go back with the arrow; leave 'go' out to stay"
                self.problems.add(span, "leads-back", sentence, hint)
            elif target not in left and target in self.flow.screens:
                trail.append(target)
                left[target] = list(routes(self.flow, target))

    def _branch(self, branch: Branch) -> None:
        if branch.go and branch.go not in self.flow.screens:
            self._unknown(branch.go, (*branch.path, "go"))
        if branch.go and branch.error:
            span = self.places.at((*branch.path, "error"))
            self.problems.add(span, "bad-branch", "an 'error' is shown where the customer is",
                              "leave 'go' out")  # fmt: skip
        for call in branch.calls:
            self._names(call.arguments, self.known)
        self._names([branch.condition, branch.error], self.known)

    # Screens ---------------------------------------------------------------------------------

    def _screen(self, screen: Screen) -> None:
        state, span = self.flow.chart.states[screen.id], Span.of(screen.where)
        self._names(screen.data, self.known)
        if screen.params is not None:
            self._names(screen.params, self.known)
            if screen.layout or screen.data or state.when:
                sentence = f"'{screen.id}' is final: nobody sees it, nothing happens in it"
                self.problems.add(span, "bad-final", sentence)
            return
        if screen.title.literal == "":
            self.problems.add(span, "missing-key", f"the screen '{screen.id}' has no 'title'")
        if not screen.layout:
            self.problems.add(span, "missing-key", f"the screen '{screen.id}' has no 'layout'")
        self._names(screen.title, STATIC)
        for component in screen.components():
            self._component(component, state)

    def _component(self, component: LayoutComponent, state: State) -> None:
        span = Span.of(component.where)
        if not component.type:
            self.problems.add(span, "missing-key", "'type' is missing here")
        for name in sorted(_OF_THE_EVENT & set(sent_by(component))):
            sentence = f"nothing can be sent as '{name}': it says which event was raised"
            self.problems.add(span, "wrong-name", sentence)
        self._names(component.properties, STATIC)
        event = component.event
        accepted = state.when.keys() | self.flow.chart.anywhere.keys()
        if event and event not in accepted:
            sentence = f"the state '{state.id}' does not react to the event '{event}'"
            where = self.places.value_at((*component.path, "event"))
            self.problems.add(where, "unknown-event", sentence, did_you_mean(event, accepted))
        if component.type == CHOICE_GROUPS:
            self._choice_groups(component, span)

    def _choice_groups(self, component: LayoutComponent, span: Span) -> None:
        takes = self.flow.takes
        if "source" not in component.properties:
            self.problems.add(span, "missing-key", "'source' is missing here")
        if takes is None or component.groups < takes.groups:
            sentence = f"it shows {component.groups} groups, the Flow takes products with more"
            self.problems.add(span, "too-few-groups", sentence, "set 'groups' to 'takes.groups'")

    def _names(self, value: Value, known: frozenset[str]) -> None:
        for template in templates_of(value):
            self._known(template, known)

    def _known(self, template: Text | Expression, known: frozenset[str]) -> None:
        for name in sorted(template.names.keys() - known):
            span = Span.of(template.where).below(template.names[name])
            if known is STATIC and name in self.known:
                sentence = f"'{name}' is not known when the Flow is deployed"
                hint = "put it in 'data' and write ${data.<name>} here"
            else:
                sentence = f"nothing sets the variable '{name}'"
                hint = did_you_mean(name, known)
            self.problems.add(span, "unknown-variable", sentence, hint)


def routes(flow: Flow, name: str) -> Iterator[tuple[Branch, str]]:
    """Give the branches that lead from a screen to another one, or to an end, with where to."""
    branches = [*flow.chart.states[name].when.values()]
    if flow.screens[name].params is None:
        branches += flow.chart.anywhere.values()
    for branch in (b for part in branches for b in part):
        if branch.go and branch.go != name:
            yield branch, branch.go
