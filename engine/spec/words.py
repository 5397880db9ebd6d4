"""A tenant's words: what its messages come to in each language; the shared ones are compiled once.

Which files there are is not known here.
"""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.phrases import PhraseBook
from engine.registry import Registry
from engine.spec import merge as merging
from engine.spec.check import ChartCheck, check_message, said_by
from engine.spec.check_template import check_template
from engine.spec.message import Message, Vocabulary
from engine.spec.problems import Problem, Problems
from engine.spec.read import Reader, digest, kinds_of
from engine.spec.source import Layers, Source
from engine.spec.ways import Ways
from engine.templating.language import Language


@dataclass(slots=True)
class Layer:
    """A chart and its messages as written in one place, the shared one or a tenant's.

    Args:
        chart: None if there is no file or it is unusable.
        messages: by language; under "" the ones for all.
        broken: languages whose messages are unusable, and "chart" if the chart is.
    """

    chart: Source | None = None
    messages: dict[str, Source] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)


@dataclass(slots=True)
class SharedChart:
    """A shared chart with its messages as read once, and what was compiled from them."""

    chart_source: Source
    layer: Layer
    merged: dict[str, dict[str, Any]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    charts: dict[str, tuple[Ways, set[Problem]]] = field(default_factory=dict)
    compiled: dict[str, tuple[Vocabulary, set[Problem]]] = field(default_factory=dict)
    wholes: dict[tuple[Hashable, ...], set[Problem]] = field(default_factory=dict)


class Words:
    """Makes the vocabularies of tenants.

    Args:
        registry: the actions and guards that texts may name.
    """

    def __init__(self, language: Language, registry: Registry) -> None:
        self.language = language
        self.registry = registry

    def lacks(
        self, shared: SharedChart, language: str, overlays: list[Source], check: ChartCheck
    ) -> bool:
        """Tell whether what is written for all languages is not enough for one.

        Args:
            overlays: the tenant's own documents, the strongest first.
            check: of the tenant's chart.
        """
        found = Problems()
        made = self.of(shared, language, overlays, check.over(found))
        return bool(found.errors) or not said_by(check.chart).keys() <= made.messages.keys()

    def of(
        self, shared: SharedChart, language: str, overlays: list[Source], check: ChartCheck
    ) -> Vocabulary:
        """Make a tenant's vocabulary of a language; what is wrong is noted with the check.

        Args:
            overlays: the tenant's own documents, the strongest first.
            check: of the tenant's chart.
        """
        base = self._merged(shared, language)
        texts = shared.layer.messages
        sources = [texts[name] for name in (language, "") if name in texts]
        held: Vocabulary | None = None
        if language in texts:
            key = f"{language} {check.chart.digest}"
            if key not in shared.compiled:
                found = Problems()
                made = self._compiled(base, sources, language, check.over(found), None, {})
                shared.compiled[key] = made, found.found
            held, problems = shared.compiled[key]
            check.problems.found |= problems
        if not overlays:
            return held or Vocabulary(language, {}, {}, PhraseBook({}))
        data = base
        for overlay in reversed(overlays):
            merging.note_unmatched(data, overlay, check.problems)
            data = merging.merge(data, overlay.data)
        # In a language of the tenant's own only the form of the messages is shared.
        return self._compiled(data, [*overlays, *sources], language, check, held, base)

    def _compiled(
        self,
        data: Mapping[str, Any],
        sources: list[Source],
        language: str,
        check: ChartCheck,
        held: Vocabulary | None,
        base: Mapping[str, Any],
    ) -> Vocabulary:
        reader = Reader(Layers(tuple(sources)), self.language, self.registry, check.problems)
        messages = dict(self._messages(data, base, held, reader, check))
        intents = data.get("intents", {})
        if held and intents is base.get("intents"):
            phrases = held.intents
        else:
            phrases = PhraseBook({event: tuple(said) for event, said in intents.items()})
        return Vocabulary(language, messages, data.get("terms", {}), phrases)

    def _merged(self, shared: SharedChart, language: str) -> dict[str, Any]:
        if language not in shared.merged:
            neutral, own = shared.layer.messages.get(""), shared.layer.messages.get(language)
            data = neutral.data if neutral else {}
            shared.merged[language] = merging.merge(data, own.data) if own else data
            shared.digests[language] = digest(shared.merged[language])
        return shared.merged[language]

    def _messages(
        self,
        data: Mapping[str, Any],
        base: Mapping[str, Any],
        held: Vocabulary | None,
        reader: Reader,
        check: ChartCheck,
    ) -> Iterator[tuple[str, Message]]:
        originals = base.get("messages", {})
        for name, body in data.get("messages", {}).items():
            if held and originals.get(name) is body:
                yield name, held.messages[name]
                continue
            message = reader.message(name, body)
            check_message(message, check, kinds_of(body))
            check_template(message, check.problems)
            yield name, message
