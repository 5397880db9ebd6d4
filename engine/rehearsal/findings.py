"""What is wrong with a scene: it fails, a button is dead, nobody takes what an action said.

Only what a customer can run into is found here; each finding has the conversation that shows it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.domain.refusals import Reason
from engine.rehearsal.rehearsal import Scene
from engine.rehearsal.trail import Node
from engine.spec.bundle import Bundle
from engine.spec.chart import Branch
from engine.spec.placed import placed
from engine.spec.problems import Problems, Span
from engine.spec.ways import ANY_REFUSAL

_FALLBACKS = frozenset({"old_tap", "nothing_matched"})
_AIMLESS = frozenset(
    reason.value
    for reason in Reason
    if reason.value.startswith("unknown_")
    or reason in (Reason.NOT_FOUND, Reason.NO_DRAFT, Reason.INVALID)
)
"""What is refused when a button does not say what it is a button for."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Finding:
    """Something a walk found.

    Args:
        where: the place of the mistake.
        node: the scene that shows it.
        is_certain: a customer runs into it; else it is only doubtful.
    """

    code: str
    where: str
    sentence: str
    node: Node
    hint: str = ""
    is_certain: bool = True

    @property
    def is_error(self) -> bool:
        """Tell whether a customer runs into it who does nothing odd.

        Who taps what is long gone, and then what he is told about it, does.
        """
        return self.is_certain and not any(node.tried.is_odd for node in self.node.path()[:-1])

    @property
    def key(self) -> tuple[str, str]:
        """Name what is told once."""
        return self.code, self.where

    def note(self, problems: Problems) -> None:
        """Note it for the author, with its transcript."""
        tell = problems.add if self.is_error else problems.warn
        tell(Span.of(self.where), self.code, self.sentence, self.hint, self.node.transcript())


class Judge:
    """Finds what is wrong with scenes of one tenant."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._chart = bundle.chart
        self._branches: dict[str, Branch] = {b.where: b for b in bundle.chart.all_branches()}
        words = bundle.vocabularies.values()
        self._fixed = {
            entry.where: entry.id.where
            for message in (message for book in words for message in book.messages.values())
            for entry in message.entries()
            if entry.id is not None and entry.id.literal is not None
        }

    def findings(self, node: Node) -> Iterator[Finding]:
        """Find what is wrong with a scene."""
        scene = node.scene
        steps = scene.record.log.steps
        if scene.failure:
            yield self._failing(node, scene.failure)
        for step in steps:
            if "failed" in step:
                where, said = self.placed(step["failed"], step["guard"])
                yield Finding(
                    "guard-fails", where, f"the guard cannot be calculated: {said}", node
                )
        if scene.failure:
            return
        is_fresh = node.tried.is_fresh and not node.world.change
        dead = list(self._dead(node, steps)) if is_fresh else []
        yield from dead
        if not node.tried.is_odd and not dead:
            yield from self._unusable(node, steps)
        if not scene.said and not self._is_quiet(steps):
            yield from self._unhandled(node, steps)

    def _failing(self, node: Node, failure: str) -> Finding:
        steps = node.scene.record.log.steps
        if failure.startswith("more than") or "never comes to rest" in failure:
            branches = Counter(str(step["branch"]) for step in steps if "branch" in step)
            most = [where for where, times in branches.items() if times == max(branches.values())]
            where = min(most, key=Span.of) if most else self._last_place(steps)
            return Finding("never-rests", where, f"it goes in circles: {failure}", node)
        where, said = self.placed(failure, self._last_place(steps))
        return Finding("turn-fails", where, said, node)

    def placed(self, text: str, otherwise: str) -> tuple[str, str]:
        """Part a failure from the place it names; give another place if it names none."""
        words = self._bundle.vocabularies.values()
        return placed(text, otherwise, (vocabulary.messages for vocabulary in words))

    def _last_place(self, steps: tuple[Any, ...]) -> str:
        for step in reversed(steps):
            if "state" in step:
                return self._chart.states[step["state"]].where
            found = step.get("at") or step.get("branch")
            if found:
                return str(found)
        return self._chart.states[self._chart.start].where

    def _dead(self, node: Node, steps: tuple[Any, ...]) -> Iterator[Finding]:
        """Find that what was tapped right away is not understood, or is for nothing."""
        title = node.scene.act.shown.partition(": ")[2]
        where, shown = node.tried.where, f"a tap on '{title}' right after it was shown"
        fallen = [step["event"] for step in steps if step.get("event") in _FALLBACKS]
        refused = [step for step in steps if step.get("refused") in _AIMLESS]
        if fallen:
            yield Finding("dead-tap", where, f"{shown} is not understood here", node)
        elif refused and refused[0].get("argument"):
            action, name = refused[0]["action"], refused[0]["argument"]
            sentence = f"{shown} does nothing: '{action}' cannot use what it gets as '{name}'"
            yield Finding("dead-tap", refused[0]["at"], sentence, node)
        elif refused:
            action, reason = refused[0]["action"], refused[0]["refused"]
            sentence = f"{shown} is refused: '{action}' says {reason}"
            # An id that an author wrote out is her mistake; any other was handed on by the chart.
            at = self._fixed.get(where, refused[0]["at"])
            yield Finding("dead-tap", at, sentence, node)
        elif not node.scene.said and not self._is_quiet(steps):
            hint = "with 'quiet: true' an author says that nothing is to be answered"
            yield Finding("dead-tap", where, f"{shown} is not answered", node, hint)

    def _unusable(self, node: Node, steps: tuple[Any, ...]) -> Iterator[Finding]:
        """Find an action that is given what it cannot use, where nobody answers that by itself."""
        for place, step in enumerate(steps):
            if not step.get("argument"):
                continue
            taken = next((s["event"] for s in steps[place:] if "branch" in s), ANY_REFUSAL)
            if taken == ANY_REFUSAL:
                sentence = f"'{step['action']}' cannot use what it gets as '{step['argument']}'"
                hint = f"give it something else, or answer '{ANY_REFUSAL}.{step['refused']}'"
                yield Finding("bad-argument", step["at"], sentence, node, hint, is_certain=False)

    def _unhandled(self, node: Node, steps: tuple[Any, ...]) -> Iterator[Finding]:
        for place, step in enumerate(steps):
            if "unhandled" in step:
                where = self._last_place(steps[:place])
                sentence = f"nothing reacts to '{step['unhandled']}': the customer gets no answer"
                yield Finding("unhandled-event", where, sentence, node)
                return
        if _is_message(node.scene) and not node.tried.is_fresh:
            # What lacks is a text, or a state to go to: it belongs to the branch.
            taken = tuple(step for step in steps if "branch" in step or "state" in step)
            where = self._last_place(taken or steps)
            hint = "with 'quiet: true' an author says that nothing is to be answered"
            sentence = "the customer gets no answer"
            yield Finding("no-answer", where, sentence, node, hint, is_certain=False)

    def _is_quiet(self, steps: tuple[Any, ...]) -> bool:
        taken = (self._branches.get(step["branch"]) for step in steps if "branch" in step)
        return any(branch is not None and branch.quiet for branch in taken)


def _is_message(scene: Scene) -> bool:
    """Tell whether a customer waits for an answer: not when a timer ran out."""
    return not scene.act.shown.startswith("(")
