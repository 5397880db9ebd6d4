"""The judge: plays a mutant beside the shipped content and tells whether it harms.

It knows the engine, which plays, and Meta's rules as the sandbox has them; it does not know the
checker. What was planted is known by its nature: some mistakes are wrong whatever comes of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import orjson
import yaml

from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.rendering.fitting import FITTED, Context
from engine.rendering.messages import render_all
from engine.rendering.views import tenant_view
from engine.sandbox.rules import complaint
from engine.spec.message import Message
from engine.transcript import choices
from engine.verbs import all_verbs
from engine.whatsapp.outbound import to_payload
from tests.content.mutants.flow_walk import FlowJudge
from tests.content.mutants.journey import BUDGET, Journey, Step, explore
from tests.content.mutants.mutant import Mutant
from tests.content.mutants.scripts import Script, scripts_of
from tests.content.mutants.shop import (
    Place,
    Shop,
    Texts,
    Unservable,
    Workshop,
    place_of,
    read_texts,
)
from tests.content.mutants.stage import Covered, Outcome, Stage, Stand, parts_of
from tests.content.mutants.verdict import Harm, Verdict

_OFTEN = 5
"""What the shipped shop was seen to use so often is dead if nothing leads there: no bad luck."""
_PLACE = re.compile(r"([^\s:]+\.yaml):(\d+):\d+: ")
_PASSIVE = ("wait", "shelf", "change")


@dataclass(slots=True)
class _Ears:
    """What was heard: each message is rendered again, in every language.

    Args:
        cut: texts that WhatsApp would not show whole, by where they are written.
        failed: messages that cannot be rendered, by where they are written.
        lacking: choices that only another language offers, with where the message is written.
    """

    shop: Shop
    cut: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    seen: set[tuple[object, ...]] = field(default_factory=set)

    def forget(self, shop: Shop) -> None:
        """Hear another shop."""
        self.shop = shop
        for held in (self.cut, self.failed, self.lacking, self.seen):
            held.clear()

    def __call__(self, message: Message, context: Context) -> None:
        """Render a message again and note what did not fit."""
        offered: dict[str, set[str]] = {}
        for language, words in self.shop.bundle.vocabularies.items():
            said = words.messages.get(message.id)
            shown = bool(context["cart"]["count"]), bool(context.get("last_order"))
            key = (message.id, id(said), context["event"]["name"], *shown)
            if said is not None and key not in self.seen:
                self.seen.add(key)
                offered[language] = self._rendered(said, language, context)
        for language, ids in offered.items():
            others = set[str]().union(*offered.values()) - ids
            if others and len(offered) == len(self.shop.bundle.vocabularies):
                where = self.shop.bundle.vocabularies[language].messages[message.id].where
                self.lacking[f"{where} {sorted(others)[0]}"] = where

    def _rendered(self, message: Message, language: str, context: Context) -> set[str]:
        """Render a message in a language; give what it offers."""
        tenant = self.shop.bundle.tenant
        fitted: list[Any] = []
        spoken = {
            "language": language,
            "locale": tenant.locale(language),
            "terms": self.shop.bundle.vocabulary(language).terms,
            "tenant": tenant_view(tenant, language),
            FITTED: fitted,
        }
        try:
            made = render_all(message, {**context, **spoken})
        except EngineError as error:
            self.failed[message.where] = str(error)
            return set()
        for one in fitted:
            if one.how in ("cut", "left_out"):
                self.cut[one.where] = f"{one.how}: {one.size} of {one.limit}"
        payloads = [to_payload(each, to="15550001234", opaque="") for each in made]
        found = [choice for payload in payloads for choice in choices(payload)]
        for choice in found:
            if choice.id.startswith(choice.title.rstrip("…")):  # for want of a title
                self.lacking[f"{message.where} the title of {choice.id}"] = message.where
        return {choice.id for choice in found}


@dataclass(slots=True)
class _Reference:
    """The shipped shop of a tenant, and the journey through it."""

    shop: Shop
    stage: Stage
    journey: Journey
    ears: _Ears
    cut: frozenset[str]
    lacking: frozenset[str]
    flows: FlowJudge
    scripts: tuple[Script, ...]
    payloads: set[bytes] = field(default_factory=set)


class Judge:
    """Judges mutants of the content of a folder.

    Args:
        budget: acts of the journey through a shipped shop.
    """

    def __init__(self, root: FilePath, *, budget: int = BUDGET) -> None:
        self._budget = budget
        self._root = root
        self.texts: Texts = read_texts(root)
        self._workshop = Workshop(all_verbs())
        self._references: dict[TenantId, _Reference] = {}

    async def reference(self, tenant: TenantId) -> _Reference:
        """Go through the shipped shop of a tenant, once."""
        if tenant not in self._references:
            shop = self._workshop.shop(self.texts, tenant)
            ears = _Ears(shop)
            stage = Stage(shop, ears)
            scripts = scripts_of(self._root, shop)
            journey = await explore(stage, scripts, budget=self._budget)
            flows = FlowJudge()
            await flows.learn(shop)
            self._references[tenant] = _Reference(
                shop,
                stage,
                journey,
                ears,
                frozenset(ears.cut),
                frozenset(ears.lacking),
                flows,
                scripts,
            )
        return self._references[tenant]

    def shop_of(self, mutant: Mutant, tenant: TenantId) -> Shop:
        """Make the shop of a tenant with a mutant in it.

        Raises:
            Unservable: nobody could play it.
        """
        return self._workshop.shop({**self.texts, mutant.file: mutant.text}, tenant)

    async def judge(self, mutant: Mutant, tenant: TenantId) -> Verdict:
        """Tell whether a mutant harms the customers of a tenant, or its owner."""
        shipped = self.texts[mutant.file]
        if _data(shipped) == _data(mutant.text) is not None and mutant.operator != "duplicate-key":
            return Verdict("unseen")
        if mutant.nature == "wrong":
            return Verdict("harmful", Harm(f"{mutant.note} cannot be meant"))
        held = await self.reference(tenant)
        try:
            shop = self.shop_of(mutant, tenant)
        except Unservable as error:
            return Verdict("harmful", Harm(f"it cannot be served: {error}"))
        try:
            trial = _Trial(held, shop)
            harm = await trial.harm()
            if harm is None:
                harm, is_other = await held.flows.harm(shop)
                trial.is_different = trial.is_different or is_other
            if harm is None:
                harm = await trial.unreached()
        except Exception as error:  # noqa: BLE001 - the engine itself gives up
            harm = Harm(f"it cannot be played: {type(error).__name__}: {error}")
        finally:
            held.stage.show(held.shop)
            held.ears.forget(held.shop)
        if harm is None and trial.is_different and mutant.nature == "slip":
            harm = Harm("nobody means to write that, and customers see it")
        if harm is not None:
            return Verdict("harmful", harm)
        return Verdict("different" if trial.is_different else "unseen")


def _data(text: str) -> object:
    try:
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, TypeError):
        return None


def _touches(before: Stand, step: Step, changed: frozenset[str]) -> bool:
    """Tell whether one of some messages is said in a step, or tapped."""
    tapped = before.said if step.do[0] in ("tap", "old", "press", "press old") else ()
    return bool(changed & {*step.stand.said, *tapped})


class _Trial:
    """One shop held against the shipped one."""

    def __init__(self, held: _Reference, shop: Shop) -> None:
        self._held = held
        self._shop = shop
        self._stage = held.stage
        self._stage.show(shop)
        self._ears = held.ears
        self._ears.forget(shop)
        self._covered: set[Covered] = set()
        self.is_different = False

    async def harm(self) -> Harm | None:
        """Go the ways of the journey again; tell what goes wrong first."""
        changed = self._changed_messages()
        waiting = list(reversed(self._held.journey.beginnings))
        while waiting:
            before, step = waiting.pop()
            if changed is not None and not _touches(before, step, changed):
                self._covered |= step.covered
                waiting += [(step.stand, one) for one in reversed(step.following)]
                continue
            outcome = await self._stage.play(before, step.do)
            if outcome is None:
                self.is_different = True
                continue
            self._covered |= outcome.covered
            found = self._wrong(before, step, outcome) or await self._new_choices(step, outcome)
            if found:
                return found
            if outcome.view != step.view:
                self.is_different = True
            waiting += [(outcome.stand, one) for one in reversed(step.following)]
        return self._heard()

    def _heard(self) -> Harm | None:
        """Tell what is wrong with a message in any language."""
        for where, told in self._ears.failed.items():
            return Harm(f"a message cannot be said: {told}", (place_of(where),))
        for lacking, where in self._ears.lacking.items():
            if lacking not in self._held.lacking:
                return Harm(f"missing in one language: {lacking}", (place_of(where),))
        for where, told in self._ears.cut.items():
            if where not in self._held.cut:
                return Harm(f"a text is not shown whole ({told})", (place_of(where),))
        return None

    def _changed_messages(self) -> frozenset[str] | None:
        """Name the messages that are others, if nothing else is."""
        old, new = self._held.shop, self._shop
        if old.bundle.chart is not new.bundle.chart or old.bundle.tenant != new.bundle.tenant:
            return None
        if old.menu != new.menu or old.phrases != new.phrases:
            return None
        changed: set[str] = set()
        for language, words in old.bundle.vocabularies.items():
            other = new.bundle.vocabularies[language]
            if words.terms != other.terms:
                return None
            names = words.messages.keys() | other.messages.keys()
            changed |= {n for n in names if words.messages.get(n) is not other.messages.get(n)}
        return frozenset(changed)

    def _wrong(self, before: Stand, step: Step, outcome: Outcome) -> Harm | None:
        places = tuple(self._places(before, outcome))
        if outcome.failure and not step.fails:
            return Harm(f"{step.do}: the turn fails: {outcome.failure}", places)
        for noise in outcome.noises:
            if noise not in step.noises:
                return Harm(f"{step.do}: {noise}", places)
        refused = next(self._refused(outcome), None)
        if refused:
            return Harm(f"{step.do}: Meta refuses the message: {refused}", places)
        if step.do[0] in ("tap", "press") and outcome.is_fallback and not step.is_fallback:
            return Harm(f"{step.do}: the tap does nothing", places)
        if step.do[0] not in _PASSIVE and step.view and not outcome.view:
            return Harm(f"{step.do}: there is no answer", places)
        if outcome.late and not step.is_late:
            return Harm(f"{step.do}: said after 24 hours without a template", places)
        return None

    async def _new_choices(self, step: Step, outcome: Outcome) -> Harm | None:
        """Tap what the shipped shop does not offer."""
        seen = {wire.partition(":")[0] for wire in step.offered}
        for entry in outcome.stand.newest:
            for choice in choices(entry.payload):
                word = choice.id.partition(":")[0]
                if word in seen or choice.id in step.offered:
                    continue
                seen.add(word)
                tapped = await self._stage.play(outcome.stand, ("tap", choice.id))
                if tapped is None:
                    continue
                self._covered |= tapped.covered
                places = tuple(self._places(outcome.stand, tapped))
                if tapped.is_fallback:
                    return Harm(f"a tap on '{choice.title}' does nothing", places)
                if tapped.failure:
                    return Harm(f"a tap on '{choice.title}' fails: {tapped.failure}", places)
        return None

    def _refused(self, outcome: Outcome) -> Iterator[str]:
        for scene in outcome.scenes:
            for entry in scene.said:
                key = orjson.dumps(entry.payload.get(str(entry.payload.get("type"))))
                if key not in self._held.payloads:
                    found = complaint(dict(entry.payload))
                    if found:
                        yield str(found)
                    self._held.payloads.add(key)

    def _places(self, before: Stand, outcome: Outcome) -> Iterator[Place]:
        """Name the parts that had to do with what happened last."""
        words = self._shop.bundle.vocabularies
        for scene in outcome.scenes:
            named = _PLACE.match(scene.failure or "")
            if named:
                yield named[1], int(named[2])
            for step in scene.record.log.steps:
                for key in ("branch", "at", "guard"):
                    if key in step:
                        yield place_of(step[key])
        for name in (*before.said, *outcome.stand.said):
            for vocabulary in words.values():
                message = vocabulary.messages.get(name)
                if message:
                    yield place_of(message.where)
                    yield from (place_of(entry.where) for entry in message.entries())

    async def unreached(self) -> Harm | None:
        """Find a part that the shipped shop uses, that is still written, and that is dead now."""
        often = {part for part, hits in self._held.journey.hits.items() if hits >= _OFTEN}
        left = (often & parts_of(self._shop)) - self._covered
        if not left:
            return None
        budget = self._held.journey.turns
        again = await explore(self._stage, self._held.scripts, budget=budget, wanted=left)
        dead = sorted(left - again.covered.keys())
        if not dead:
            return None
        kind, language, file, line = dead[0]
        of = f" ({language})" if language else ""
        return Harm(
            f"nothing leads to the {kind}{of} at {file}:{line} any more",
            tuple((part[2], part[3]) for part in dead),
        )
