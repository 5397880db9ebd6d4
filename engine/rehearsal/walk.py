"""A walk: made-up customers try everything in a tenant's dialogs, once, and what fails is told.

First the ordinary world, depth first, so that soon there is an order; then what was done there is
done again where something has changed meanwhile. The same files give the same walk.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.charts.compiler import Structures
from engine.domain.ids import ProductId
from engine.flow_ports import FlowSession
from engine.flows.exchange import Screens
from engine.flows.rehearsal import rehearse
from engine.flows.samples import plain_product
from engine.rehearsal.findings import Finding, Judge
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.shelves import fullest_cart, sample_menu
from engine.rehearsal.shorten import is_told, shortened
from engine.rehearsal.starts import beginning, starts
from engine.rehearsal.trail import Node, Start, Try, played
from engine.rehearsal.tries import Tries
from engine.rehearsal.worlds import CLOSED_GUARD, World, worlds
from engine.rendering.fitting import Context
from engine.spec.bundle import Bundle
from engine.spec.message import Message
from engine.spec.problems import Problem

MOST_TURNS = 3000
"""Turns of one walk; the storefront needs some hundreds."""
_ENDS = 3
"""Ends of one Flow that are tried."""
_SHORTENED = 30
"""Findings whose conversation is made short; so many have few causes."""
_NAME = "Bartholomew Constantine Featherstonehaugh"


@dataclass(slots=True)
class Guard:
    """How often a branch's guard was asked, and held."""

    asked: int = 0
    held: int = 0


@dataclass(slots=True, repr=False)
class Walk:
    """What a walk saw.

    Args:
        findings: what is wrong, each once.
        nodes: every scene, in the order they were played.
        states, branches, messages: what was reached; branches by their place, messages by id.
        guards: by place of the branch.
        is_whole: nothing was left to be tried.
    """

    bundle: Bundle
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    states: set[str] = field(default_factory=set)
    branches: set[str] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    guards: dict[str, Guard] = field(default_factory=dict)
    is_whole: bool = True


async def walk(
    bundle: Bundle,
    catalog: MenuCatalog | None = None,
    *,
    most: int = MOST_TURNS,
    structures: Structures | None = None,
    screens: Screens | None = None,
    told: Collection[Problem] = (),
) -> Walk:
    """Walk through a tenant's dialogs.

    Args:
        catalog: what it sells; something made up if it has nothing.
        most: turns after which it stops.
        structures, screens: compiled structures that others use too.
        told: what the author knows already, with a conversation: another is not made short.
    """
    menu = catalog if catalog and catalog.products else sample_menu()
    walker = _Walker(bundle, menu, most, structures or Structures(), screens or Screens())
    await walker.go()
    await walker.shorten(told)
    return walker.walk


class _Walker:
    """Walks."""

    def __init__(
        self,
        bundle: Bundle,
        catalog: MenuCatalog,
        most: int,
        structures: Structures,
        screens: Screens,
    ) -> None:
        self.walk = Walk(bundle)
        self._bundle = bundle
        self._catalog = catalog
        self._left = most
        self._heard: list[tuple[Message, Context]] = []
        self._plain, self._others = worlds(
            bundle, catalog, self._hear, customer=_NAME, structures=structures
        )
        self._tries = Tries(bundle, catalog)
        self._judge = Judge(bundle)
        self._tried: set[tuple[Any, ...]] = set()
        self._screens = screens
        self._timed = frozenset(
            branch.where
            for branch in bundle.chart.all_branches()
            if branch.condition and CLOSED_GUARD in branch.condition.source
        )

    def _hear(self, message: Message, context: Context) -> None:
        self._heard.append((message, dict(context)))

    async def go(self) -> None:
        """Walk from every start, then through the other worlds."""
        tenant = self._bundle.tenant
        greeted = await self._plain.rehearsal.play(beginning(tenant), self._tries.opening())
        until = greeted.after.now
        cart = fullest_cart(self._catalog, tenant.money, until=until)
        for start in starts(tenant, cart, greeted.after):
            await self._from(start)
        ordinary = list(self.walk.nodes)
        for world in self._others:
            await self._again(world, ordinary)

    async def shorten(self, told: Collection[Problem]) -> None:
        """Leave out of the path to each finding what it does without."""
        for key, finding in list(self.walk.findings.items())[:_SHORTENED]:
            if not await is_told(finding, told, self._judge):
                self.walk.findings[key] = await shortened(finding, self._judge)

    # Walking ---------------------------------------------------------------------------------

    async def _from(self, start: Start) -> None:
        for tried in self._tries.first(start):
            node = await self._play(start, self._plain, tried, None)
            await self._deeper(node)

    async def _deeper(self, node: Node | None) -> None:
        """Try everything after a scene, and after what comes of it."""
        stack = [(node, self._tries.after(node))] if node else []
        while stack:
            before, tries = stack[-1]
            tried = next(tries, None)
            if tried is None:
                stack.pop()
                continue
            made = await self._play(before.start, before.world, tried, before)
            if made:
                stack.append((made, self._tries.after(made)))

    async def _again(self, world: World, ordinary: list[Node]) -> None:
        """Play in another world what would come out differently there."""
        done: set[str] = set()
        for node in reversed(ordinary) if world.is_last_first else ordinary:
            parts = frozenset(self._different(world, node))
            if parts - done or (parts and world.is_last_first):
                done |= parts
                tried = Try(("again", id(world), parts), node.tried.act, node.tried.timer)
                await self._deeper(await self._play(node.start, world, tried, node.before))

    def _different(self, world: World, node: Node) -> Iterator[str]:
        for step in node.scene.record.log.steps:
            if "action" in step:
                reads = world.actions and step["action"].startswith(world.actions)
                if reads or step.get("raised") in world.raised:
                    yield step["at"]
            elif world.is_timed and step.get("guard") in self._timed:
                yield step["guard"]

    async def _play(
        self, start: Start, world: World, tried: Try, before: Node | None
    ) -> Node | None:
        if tried.key in self._tried:
            return None
        self._tried.add(tried.key)
        if self._left <= 0:
            self.walk.is_whole = False
            return None
        self._left -= 1
        self._heard = []
        moment = before.scene.after if before else start.moment
        scene = await played(world, moment, tried)
        node = Node(start, world, tried, scene, before, tuple(self._heard))
        for session in scene.record.flow_sessions:
            self._tries.ends[session.id] = await self._ends(session)
        self._note(node)
        return node

    async def _ends(self, session: FlowSession) -> list[Mapping[str, Any]]:
        """Tell what the end of a Flow may give, by filling it in."""
        flow = self._bundle.flows[session.flow]
        product = self._catalog.products.get(ProductId(session.input.get("product") or ""))
        walked = await rehearse(
            self._screens, flow, self._bundle, session.language, product or plain_product(),
            is_thorough=product is None,
        )  # fmt: skip
        return [{**params, **session.bound} for params in walked.ends[:_ENDS]]

    # What came of it -------------------------------------------------------------------------

    def _note(self, node: Node) -> None:
        walk = self.walk
        walk.nodes.append(node)
        walk.messages |= {message.id for message, _ in node.heard}
        for step in node.scene.record.log.steps:
            if "state" in step:
                walk.states.add(step["state"])
            elif "branch" in step:
                walk.branches.add(step["branch"])
            elif "guard" in step:
                guard = walk.guards.setdefault(step["guard"], Guard())
                guard.asked += 1
                guard.held += step["holds"]
        for finding in self._judge.findings(node):
            known = walk.findings.get(finding.key)
            if known is None or _rank(finding) < _rank(known):
                walk.findings[finding.key] = finding


def _rank(finding: Finding) -> tuple[bool, bool, int]:
    """Order findings of one mistake: the certain one first, then what takes least to see."""
    return not finding.is_error, bool(finding.node.world.change), finding.node.depth
