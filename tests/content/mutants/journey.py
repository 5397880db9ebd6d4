"""Everything a customer can do in a shop, tried within a budget; and the same done in another.

A journey keeps only the ways on which something happened for the first time: to go them again
before a changed shop takes a fraction of the time.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from engine.transcript import choices
from tests.content.mutants.scripts import Script
from tests.content.mutants.stage import Covered, Do, Outcome, Stage, Stand, begin

BUDGET = 6000
"""Acts of the journey through the shipped shop."""
_HUBS = frozenset({"menu", "cart", "summary"})
"""States in which it matters whether there is a cart or an order."""
_OF_SHELVES = frozenset({"view_cart", "checkout", "confirm", "view_product", "add_to_cart"})
"""What is said again when the menu has changed."""
_KINDS = ("voice", "image", "contacts", "unknown", "empty", "reply", "welcome")
_TEXTS = ("qwertz uiop", "3", "0", "12 Mulberry Street, floor 4", "500", "yes")


@dataclass(slots=True)
class Step:
    """An act and what came of it in the shipped shop."""

    do: Do
    stand: Stand
    view: list[dict[str, object]]
    event: str
    is_fallback: bool
    offered: frozenset[str]
    noises: frozenset[str]
    is_late: bool
    fails: bool
    covered: frozenset[Covered]
    following: list["Step"] = field(default_factory=list)


@dataclass(slots=True)
class Journey:
    """The ways on which every part was reached first.

    Args:
        beginnings: with the act after each.
        covered: what was reached, with the turn in which it was first.
        hits: how often.
    """

    beginnings: list[tuple[Stand, Step]]
    covered: dict[Covered, int]
    hits: Counter[Covered]
    turns: int

    def steps(self) -> Iterator[Step]:
        """Give every step."""
        waiting = [step for _, step in self.beginnings]
        while waiting:
            step = waiting.pop()
            yield step
            waiting += step.following


@dataclass(slots=True)
class _Node:
    step: Step
    before: "_Node | Stand"
    news: bool


async def explore(
    stage: Stage,
    scripts: Iterable[Script],
    *,
    budget: int = BUDGET,
    wanted: Iterable[Covered] | None = None,
) -> Journey:
    """Try everything.

    Args:
        scripts: what is done first.
        wanted: end as soon as all of this was reached.
    """
    explorer = _Explorer(stage, set(wanted) if wanted is not None else None)
    for stand, doings in scripts:
        await explorer.follow(stand, doings)
    for stand, do in begin(stage.shop):
        await explorer.go(stand, stand, do)
    while explorer.waiting and explorer.turns < budget and explorer.left != set():
        await explorer.further()
    return Journey(_pruned(explorer.nodes), explorer.covered, explorer.hits, explorer.turns)


class _Explorer:
    """Tries acts, each once, and goes on from wherever they lead that is new."""

    def __init__(self, stage: Stage, left: set[Covered] | None) -> None:
        self._stage = stage
        self.left = left
        self.covered: dict[Covered, int] = {}
        self.hits: Counter[Covered] = Counter()
        self.nodes: list[_Node] = []
        self.waiting: list[tuple[int, int, _Node]] = []
        self.turns = 0
        self._stood: set[object] = set()
        self._tried: set[object] = set()
        self._visits: dict[object, int] = {}

    async def follow(self, stand: Stand, doings: Iterable[Do]) -> None:
        """Do one thing after the other; what is not possible is left out."""
        before: _Node | Stand = stand
        for do in doings:
            here = before.step.stand if isinstance(before, _Node) else before
            before = await self.go(before, here, do) or before

    async def further(self) -> None:
        """Try everything at the most promising place."""
        _, _, node = heapq.heappop(self.waiting)
        stand = node.step.stand
        for do in _doings(self._stage, stand):
            key = _try_key(stand, do)
            if key not in self._tried:
                self._tried.add(key)
                await self.go(node, stand, do)

    async def go(self, before: "_Node | Stand", stand: Stand, do: Do) -> "_Node | None":
        """Do something; None if that is not possible."""
        outcome = await self._stage.play(stand, do)
        self.turns += 1
        if outcome is None:
            return None
        new = outcome.covered - self.covered.keys()
        self.hits.update(outcome.covered)
        self.covered.update(dict.fromkeys(new, self.turns))
        if self.left is not None:
            self.left -= new
        node = _Node(_step(do, outcome), before, bool(new))
        self.nodes.append(node)
        key = _key(outcome.stand)
        if key not in self._stood and outcome.failure is None:
            self._stood.add(key)
            place = _where(outcome.stand)
            visits = self._visits[place] = self._visits.get(place, 0) + 1
            # What is new leads on first, and the newest of it: soon there is an order.
            heapq.heappush(self.waiting, (0 if new else visits, -len(self.nodes), node))
        return node


def _step(do: Do, outcome: Outcome) -> Step:
    offered = frozenset(c.id for s in outcome.scenes for e in s.said for c in choices(e.payload))
    return Step(
        do,
        outcome.stand,
        outcome.view,
        outcome.stand.event,
        outcome.is_fallback,
        offered,
        frozenset(outcome.noises),
        bool(outcome.late),
        outcome.failure is not None,
        frozenset(outcome.covered),
    )


def _pruned(nodes: list[_Node]) -> list[tuple[Stand, Step]]:
    kept: set[int] = set()
    beginnings: list[tuple[Stand, Step]] = []
    for node in nodes:
        one: _Node | Stand = node
        while node.news and isinstance(one, _Node) and id(one) not in kept:
            kept.add(id(one))
            if isinstance(one.before, _Node):
                one.before.step.following.append(one.step)
            else:
                beginnings.append((one.before, one.step))
            one = one.before
    return beginnings


def _key(stand: Stand) -> object:
    """Tell what matters of where a conversation stands: the same is gone on from once."""
    moment = stand.moment
    position = moment.conversation.position if moment.conversation else None
    count = len(moment.cart.lines) if moment.cart else 0
    return (
        *_where(stand),
        stand.said,
        min(count, 2),
        bool(moment.orders),
        bool(moment.sessions),
        len({choice.id.partition(":")[0] for _, choice in stand.choices}),
        position is not None and position.resume is not None,
    )


def _where(stand: Stand) -> tuple[str | None, ...]:
    moment = stand.moment
    language = moment.conversation.language if moment.conversation else ""
    return stand.world, stand.shelf, language, moment.state


def _try_key(stand: Stand, do: Do) -> object:
    """Name a try: a tap is of the message, what is said or sent is of the state."""
    moment = stand.moment
    has = bool(moment.cart and moment.cart.lines), bool(moment.orders)
    if do[0] == "tap":
        return *_where(stand), stand.said, do[1], has[0]
    if stand.world == "chat" and moment.state in _HUBS:
        return *_where(stand), do, has
    return *_where(stand), do


def _doings(stage: Stage, stand: Stand) -> Iterator[Do]:
    """Give what a customer can do, the likeliest first."""
    by_word: dict[tuple[str, bool], list[str]] = {}
    for _, choice in stand.choices:
        word = choice.id.partition(":")[0], "#" in choice.id
        by_word.setdefault(word, []).append(choice.id)
    for ids in by_word.values():
        yield from (("tap", wire) for wire in dict.fromkeys((ids[0], ids[-1], ids[len(ids) // 2])))
    if any(session.state == "open" for session in stand.moment.sessions.values()):
        yield from (("end", "delivery"), ("end", "pickup"))
    if not stand.shelf and (stand.moment.cart or stand.moment.turns < 5):
        yield from (("shelf", name) for name in ("sold out", "dearer", "few"))
    yield from _words(stage, stand)
    if stand.shelf:
        return
    yield from (("say", text) for text in _TEXTS)
    yield from (("say", choice.title) for _, choice in stand.choices[:2])
    yield ("place",)
    yield from (("send", kind) for kind in _KINDS)
    if stand.world == "native" or stand.moment.turns < 2:
        yield from (("order", which) for which in ("simple", "sizes", "wrong", "gone"))
    yield from (("wait", "3h"), ("wait", "26h"))
    newest = {choice.id for _, choice in stand.choices}
    seen: set[str] = set()
    for entry in stand.moment.sent.values():
        for choice in choices(entry.payload):
            name = choice.id.partition(":")[0]
            if choice.id not in newest and name not in seen:
                seen.add(name)
                yield "old", choice.id


def _words(stage: Stage, stand: Stand) -> Iterator[Do]:
    language = stand.moment.conversation.language if stand.moment.conversation else ""
    products = [p.name for p in stage.shop.menu.products.values() if p.available]
    plain = [
        p.name for p in stage.shop.menu.products.values() if not (p.groups or p.presentations)
    ]
    for event, said in stage.shop.phrases.get(language, {}).items():
        if stand.shelf and event not in _OF_SHELVES:
            continue
        fixed = next((phrase for phrase in said if "{" not in phrase), None)
        if fixed:
            yield "say", fixed
        slotted = next((phrase for phrase in said if "{" in phrase), None)
        if slotted:
            names = (*products[:1], *plain[:1]) if "{product}" in slotted else ("K7M2QX",)
            yield from (("say", slotted.format(product=name, number=name)) for name in names)
    yield from (("say", name) for name in (*products[:1], *plain[:1]))
