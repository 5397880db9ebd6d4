"""A transcript that the checker reports, played again from its lines alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.rehearsal import acts
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import Rehearsal, Scene
from engine.rehearsal.starts import beginning
from engine.spec.chart import delay_of
from engine.spec.problems import Problem
from engine.transcript import choices
from tests.content.mutants.shop import Place, Shop, place_of
from tests.content.mutants.stage import FALLBACKS

CODES = frozenset({"turn-fails", "dead-tap", "unhandled-event", "never-rests", "guard-fails"})
"""Problems that a customer runs into."""
_OLD = " (of an older message)"
_LATER = re.compile(r"\((\d+[smhd]) later\)")


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of a transcript that was played again.

    Args:
        fails: it ends as badly as is said.
        places: the parts that its last turn had to do with.
    """

    fails: bool
    places: frozenset[Place]


async def replay(problem: Problem, shop: Shop) -> Replay | None:
    """Play a transcript; None if it cannot be played from its lines.

    Those that begin with a customer who is no new one, or in which something changes meanwhile,
    are not played: their lines do not say all of it.
    """
    lines = [line for line in problem.transcript if not line.startswith(("bot: ", "     "))]
    rehearsal = Rehearsal(shop.bundle, MenuCatalog.of(shop.menu))
    moment, last = beginning(shop.bundle.tenant), None
    for line in lines:
        later = _LATER.fullmatch(line)
        if later:
            scenes, moment = await rehearsal.wait(moment, delay_of(later[1]))
            last = scenes[-1] if scenes else last
            continue
        act = _act(line, moment)
        if act is None:
            return None
        last = await rehearsal.play(moment, act)
        moment = last.after
    if last is None:
        return None
    return Replay(_is_bad(problem.code, last), frozenset(_places(last, shop)))


def _places(scene: Scene, shop: Shop) -> Iterator[Place]:
    states = shop.bundle.chart.states
    for step in scene.record.log.steps:
        yield from (place_of(step[key]) for key in ("branch", "at", "guard") if key in step)
        if step.get("state") in states:
            yield place_of(states[step["state"]].where)


def _act(line: str, moment: Moment) -> acts.Act | None:
    kind, _, said = line.partition(": ")
    if kind == "customer":
        return acts.says(said)
    if kind == "customer sends" and said in acts.KINDS:
        return acts.sends(said)
    if kind != "customer taps":
        return None
    title = said.removesuffix(_OLD)
    for entry in reversed(list(moment.sent.values())):
        for choice in choices(entry.payload):
            if choice.title == title:
                return acts.taps(choice, entry.id)
    return None


def _is_bad(code: str, scene: Scene) -> bool:
    steps = scene.record.log.steps
    if code == "guard-fails":
        return any("failed" in step for step in steps)
    if scene.failure:
        return True
    fallen = any(step.get("event") in FALLBACKS for step in steps)
    refused = any("refused" in step for step in steps)
    return code in ("dead-tap", "unhandled-event") and (fallen or refused or not scene.said)
