"""How a walk came to a scene: the scenes before it, which can be written and played again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from engine.box_ports import OutboxEntry, Timer
from engine.rehearsal.acts import Act, taps
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import Scene
from engine.rehearsal.worlds import World
from engine.rendering.fitting import Context
from engine.spec.message import Message
from engine.transcript import choices, lines
from engine.whatsapp.content import Tap

Heard = tuple[tuple[Message, Context], ...]


@dataclass(frozen=True, slots=True)
class Try:
    """An act that a walk plays, once for each key.

    Args:
        key: names what it tries.
        act: None for a timer that runs out.
        is_fresh: it is a tap on what the customer has just been shown.
        where: the place of the row or button that is tapped.
        is_odd: he taps what an older message offers.
    """

    key: tuple[Any, ...]
    act: Act | None
    timer: Timer | None = None
    is_fresh: bool = False
    where: str = ""
    is_odd: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """What a made-up customer begins with.

    Args:
        name: short, for keys.
        about: as a transcript says it; empty for a new customer.
    """

    name: str
    about: str
    moment: Moment


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Node:
    """A scene of a walk.

    Args:
        before: the scene before it; None for the first one.
        heard: the messages said, with what their texts read.
    """

    start: Start
    world: World
    tried: Try
    scene: Scene
    before: "Node | None" = None
    heard: Heard = ()
    memo: dict[str, Any] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        """Count the scenes before it."""
        if "depth" not in self.memo:
            self.memo["depth"] = self.before.depth + 1 if self.before else 0
        depth: int = self.memo["depth"]
        return depth

    def path(self) -> "list[Node]":
        """Give the nodes from the first one to this one."""
        path = [self]
        while (earlier := path[-1].before) is not None:
            path.append(earlier)
        return path[::-1]

    def transcript(self) -> tuple[str, ...]:
        """Write the conversation until here: the last scene whole, of the others what matters."""
        return tuple(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.start.about:
            yield self.start.about
        path = self.path()
        world = None
        for node in path:
            if node.world is not world and node.world.change:
                yield node.world.change
            world = node.world
            yield node.scene.act.shown
            is_last = node is self
            for entry in node.scene.said:
                first, *rest = lines(entry.payload)
                yield f"bot: {first}{'' if is_last or not rest else ' …'}"
                yield from (f"     {line}" for line in rest if is_last)
            if is_last and not node.scene.said:
                yield "(no answer)"


async def played(world: World, moment: Moment, tried: Try) -> Scene:
    """Play an act, or let a timer run out, in a world."""
    shifted = world.shifted(moment)
    if tried.timer is not None:
        return await world.rehearsal.fire(shifted, tried.timer)
    assert tried.act is not None
    return await world.rehearsal.play(shifted, tried.act)


async def played_again(start: Start, path: list[Node], before: Node | None = None) -> Node | None:
    """Play the acts of some nodes one after the other; None if a customer could not do so.

    A button must have been shown, and just now if it had been; a timer must be running.

    Args:
        before: the scene after which they are played; none at the start.
    """
    moment, last = before.scene.after if before else start.moment, before
    for node in path:
        tried = _again(node.tried, moment, last)
        if tried is None:
            return None
        scene = await played(node.world, moment, tried)
        last = Node(start, node.world, tried, scene, last)
        moment = scene.after
    return last


def _again(tried: Try, moment: Moment, last: Node | None) -> Try | None:
    if tried.timer is not None:
        timers = (timer for timer in moment.timers if timer.event == tried.timer.event)
        timer = next(timers, None)
        return replace(tried, timer=timer) if timer else None
    act = tried.act
    assert act is not None
    if act.flow:
        return _flow_again(tried, act, moment)
    if not isinstance(act.content, Tap):
        return tried
    newest = {entry.id: entry for entry in last.scene.said} if last else {}
    shown: Mapping[str, OutboxEntry] = newest if tried.is_fresh else moment.sent
    for name, entry in reversed(list(shown.items())):
        for choice in choices(entry.payload):
            if choice.id == act.content.id:
                return replace(tried, act=taps(choice, name, is_old=name not in newest))
    return tried if act.answers is None else None


def _flow_again(tried: Try, act: Act, moment: Moment) -> Try | None:
    assert act.flow is not None
    flow = tried.key[1]
    open_ones = [s.id for s in moment.sessions.values() if s.flow == flow and s.state == "open"]
    return (
        replace(tried, act=replace(act, flow=(open_ones[-1], act.flow[1]))) if open_ones else None
    )
