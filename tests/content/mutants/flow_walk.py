"""WhatsApp Flows of a shop: walked through, and their JSON held against Meta's validator.

The validator is the sandbox's; the engine's own (`engine.whatsapp.flow_json`) is not asked.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.errors import EngineError
from engine.flows.compile import compile_flow
from engine.flows.exchange import Asked, Screens, Shown
from engine.flows.rehearsal import rehearse
from engine.flows.samples import fullest_product, margherita, plain_product
from engine.sandbox.flow_documents.check import faults_of
from engine.spec.bundle import Bundle
from engine.spec.flow import Flow
from engine.turn import Turn
from tests.content.mutants.shop import Shop
from tests.content.mutants.verdict import Harm

_DATA = re.compile(r"\$\{data\.(\w+)")


class _Recording(Screens):
    """Keeps what each end of a Flow gives."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[dict[str, Any]] = []

    async def show(self, flow: Flow, bundle: Bundle, turn: Turn, asked: Asked) -> Shown:
        shown = await super().show(flow, bundle, turn, asked)
        if shown.params is not None:
            self.ends.append(dict(shown.params))
        return shown


@dataclass(slots=True)
class _Seen:
    """What a walk through a Flow in one language saw."""

    screens: set[str] = field(default_factory=set)
    shows: list[Any] = field(default_factory=list)
    ends: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    document: Any = None

    @property
    def visible(self) -> object:
        """Give what a customer sees and what he gets; data that no screen shows is left out."""
        screens = self.document["screens"] if self.document else []
        layouts = [orjson.dumps([one["title"], one["layout"]]).decode() for one in screens]
        used = set(_DATA.findall("".join(layouts)))
        shows = [
            (name, {key: value for key, value in data.items() if key in used})
            for name, data in self.shows
        ]
        return layouts, shows, self.ends


class FlowJudge:
    """Knows what the shipped Flows of a tenant show."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], _Seen] = {}
        self._made_of: dict[tuple[str, str], tuple[object, ...]] = {}

    async def learn(self, shop: Shop) -> None:
        """Walk through the shipped Flows."""
        for flow, language in _pairs(shop):
            self._known[flow.id, language] = await _walked(flow, shop.bundle, language)
            self._made_of[flow.id, language] = _made_of(flow, shop.bundle, language)

    async def harm(self, shop: Shop) -> tuple[Harm | None, bool]:
        """Walk through the Flows of another shop; tell what is wrong, and whether they differ."""
        is_different = False
        for flow, language in _pairs(shop):
            known = self._known.get((flow.id, language), _Seen())
            if self._made_of.get((flow.id, language)) == _made_of(flow, shop.bundle, language):
                continue
            seen = await _walked(flow, shop.bundle, language)
            new = [fault for fault in seen.faults if fault not in known.faults]
            if new:
                return Harm(f"the Flow {flow.id}: {new[0]}"), True
            lost = known.screens & flow.screens.keys() - seen.screens
            if lost:
                return Harm(f"the Flow {flow.id}: nobody sees {sorted(lost)[0]}"), True
            is_different = is_different or seen.visible != known.visible
        return None, is_different


def _pairs(shop: Shop) -> list[tuple[Flow, str]]:
    flows = shop.bundle.flows.values()
    return [(flow, language) for flow in flows for language in shop.bundle.tenant.languages]


def _made_of(flow: Flow, bundle: Bundle, language: str) -> tuple[object, ...]:
    return flow.digest, bundle.vocabulary(language).terms, bundle.tenant


async def _walked(flow: Flow, bundle: Bundle, language: str) -> _Seen:
    seen = _Seen()
    screens = _Recording()
    products = [margherita()]
    if flow.takes:
        products += [plain_product(), fullest_product(flow.takes)]
    examples: dict[str, dict[str, list[Any]]] = {}
    for place, product in enumerate(products):
        walk = await rehearse(screens, flow, bundle, language, product, is_thorough=place == 0)
        seen.faults += walk.faults
        seen.screens |= walk.seen.keys()
        seen.shows += walk.shows
        for name, data in walk.shows:
            for key, value in data.items():
                examples.setdefault(name, {}).setdefault(key, []).append(value)
    seen.ends = screens.ends
    try:
        seen.document = dict(compile_flow(flow, bundle, language, examples).document)
    except EngineError as error:
        seen.faults.append(str(error))
        return seen
    seen.faults += [fault.message for fault in faults_of(seen.document)]
    return seen
