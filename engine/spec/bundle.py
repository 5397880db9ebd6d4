"""Bundles: a tenant's charts, messages and settings, checked and merged over the shared ones.

Content is read from a folder with `conversations/`, `flows/` and `tenants/`. What a tenant does
not change is shared with all others: a thousand tenants that change texts hold one chart.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

import jsonschema
from pydantic import BaseModel, ValidationError

from engine.domain.catalog import Product
from engine.domain.ids import TenantId
from engine.domain.menu import Menu
from engine.domain.tenant import Tenant
from engine.errors import UnknownTenant
from engine.phrases import PhraseBook
from engine.registry import Registry
from engine.spec import merge as merging
from engine.spec.check import ChartCheck, check_message, check_says
from engine.spec.dialog import Dialog
from engine.spec.flow_shelf import FlowShelf
from engine.spec.model import Chart, Flow, Message, Vocabulary
from engine.spec.problems import Problem, Problems, Span, SpecError
from engine.spec.read import Reader, digest, expand, kinds_of
from engine.spec.schema import KINDS, document_schema
from engine.spec.source import Layers, Source, parse
from engine.spec.validate import validate, validator
from engine.templating.language import Language


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything one tenant's conversations are run with.

    Args:
        vocabularies: by language, the tenant's default language first.
        flows: its WhatsApp Flows by id.
        digest: names the content; two bundles of one digest behave alike.
        warnings: what is doubtful but not wrong.
    """

    tenant_id: TenantId
    tenant: Tenant
    chart: Chart
    vocabularies: Mapping[str, Vocabulary]
    digest: str
    flows: Mapping[str, Flow] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def vocabulary(self, language: str) -> Vocabulary:
        """Give the words of a language, else of the tenant's default one."""
        found = self.vocabularies.get(language)
        return found or self.vocabularies[self.tenant.languages[0]]


def _note_invalid(
    error: ValidationError, source: Source, problems: Problems, *, schema_fits: bool
) -> None:
    """Note what a model refuses, unless the schema has said it, and better."""
    told = {problem.span for problem in problems.found}
    places = [found["loc"] for found in error.errors()]
    for found in error.errors():
        place = found["loc"]
        where = Layers((source,)).value_at(place)
        inside = any(other[: len(place)] == place and other != place for other in places)
        known = where in told or not (schema_fits or found["type"] == "value_error")
        if not known and not inside:
            sentence = found["msg"].removeprefix("Value error, ")
            problems.add(where, "wrong-value", sentence)


@dataclass(slots=True)
class _Layer:
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
class _Shared:
    """A shared chart with its messages as read once, and what was compiled from them."""

    chart_source: Source
    layer: _Layer
    merged: dict[str, dict[str, Any]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    charts: dict[str, Chart] = field(default_factory=dict)
    compiled: dict[str, tuple[Vocabulary, set[Problem]]] = field(default_factory=dict)


class Library:
    """The content folder: reads, checks and merges what the tenants need.

    Args:
        root: folder with `conversations/`, `flows/` and `tenants/`.
        registry: the actions and guards charts may name.
    """

    def __init__(self, root: FilePath, registry: Registry) -> None:
        self.root = root
        self.registry = registry
        self.language = Language(registry.guard_functions())
        self._validators: dict[str, jsonschema.Draft202012Validator] = {
            kind: validator(document_schema(kind, registry)) for kind in KINDS
        }
        self._shared: dict[str, tuple[_Shared | None, Problems]] = {}
        self._flows = FlowShelf(root / "flows", self.read, self.language, registry)

    def tenant_ids(self) -> list[TenantId]:
        """Name the tenants that have a folder."""
        folders = (self.root / "tenants").glob("*/tenant.yaml")
        return sorted(TenantId(f.parent.name) for f in folders)

    def require(self, tenant_id: TenantId) -> None:
        """Make sure that there is a tenant.

        Raises:
            UnknownTenant: there is none of that name.
        """
        known = self.tenant_ids()
        if tenant_id not in known:
            raise UnknownTenant(f"there is no tenant '{tenant_id}'; there are {', '.join(known)}")

    # Documents -------------------------------------------------------------------------------

    def read(self, kind: str, path: FilePath, problems: Problems) -> Source | None:
        """Read a document and hold it against its schema; None if it is unusable or absent."""
        source = self._parsed(path, problems) if path.is_file() else None
        if source is None or not validate(source, self._validators[kind], problems):
            return None
        if kind == "messages":
            expand(source)
        return source

    def _parsed(self, path: FilePath, problems: Problems) -> Source | None:
        name = self._name(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.add(Span(name), "unreadable", f"the file cannot be read: {error}")
            return None
        source = parse(text, name, problems)
        if source and source.data is None:
            source.data = {}
        return source

    def _name(self, path: FilePath) -> str:
        """Name a file as problems do: from the content folder, if it lies there."""
        inside = path.is_relative_to(self.root)
        return str(path.relative_to(self.root)) if inside else str(path)

    def _model(
        self, kind: str, model: type[BaseModel], path: FilePath, problems: Problems
    ) -> tuple[Any, Source | None]:
        if not path.is_file():
            problems.add(Span(self._name(path)), "missing-file", "the file does not exist")
            return None, None
        source = self._parsed(path, problems)
        if source is None:
            return None, None
        fits = validate(source, self._validators[kind], problems)
        try:
            made = model.model_validate(source.data)
        except ValidationError as error:
            _note_invalid(error, source, problems, schema_fits=fits)
            return None, source
        return (made if fits else None), source

    def tenant(self, tenant_id: TenantId, problems: Problems) -> Tenant | None:
        """Read a tenant's settings."""
        path = self.root / "tenants" / tenant_id / "tenant.yaml"
        tenant, _ = self._model("tenant", Tenant, path, problems)
        return tenant if isinstance(tenant, Tenant) else None

    def dialog(self, path: FilePath, problems: Problems | None = None) -> Dialog:
        """Read a scripted conversation.

        Raises:
            SpecError: with every mistake in it, unless `problems` is given to take them.
        """
        found = Problems() if problems is None else problems
        dialog, _ = self._model("dialog", Dialog, path, found)
        if not isinstance(dialog, Dialog):
            raise SpecError(found.sorted())
        return dialog

    def check_dialogs(self, tenant_id: TenantId, problems: Problems) -> None:
        """Note what is wrong in a tenant's dialogs."""
        folder = self.root / "tenants" / tenant_id
        for file in sorted((folder / "dialogs").glob("*.yaml")):
            self._model("dialog", Dialog, file, problems)

    def menu(self, tenant_id: TenantId, problems: Problems) -> Menu | None:
        """Read a tenant's demo catalog."""
        found = self._menu(tenant_id, problems)
        return found[0] if found else None

    def products(self, tenant_id: TenantId, problems: Problems) -> Mapping[str, Product]:
        """Read the products of a tenant's demo catalog, by the places where they are written."""
        found = self._menu(tenant_id, problems)
        if found is None or problems.errors:
            return {}
        menu, places = found
        return {str(places.at(("products", rid))): menu.product(rid) for rid in menu.products}

    def _menu(self, tenant_id: TenantId, problems: Problems) -> tuple[Menu, Layers] | None:
        path = self.root / "tenants" / tenant_id / "catalog.yaml"
        menu, source = self._model("catalog", Menu, path, problems)
        if not isinstance(menu, Menu) or source is None:
            return None
        places = Layers((source,))
        for place, sentence in menu.dangling():
            problems.add(places.value_at(place), "unknown-value", sentence)
        return menu, places

    # Bundles ---------------------------------------------------------------------------------

    def load(self, tenant_id: TenantId) -> Bundle:
        """Make the bundle of a tenant.

        Raises:
            SpecError: with every mistake in the tenant's files and the shared ones.
        """
        problems = Problems()
        bundle = self.check(tenant_id, problems)
        problems.raise_if_any()
        if bundle is None:  # every reason for it is a problem
            raise SpecError(problems.sorted())
        warnings = tuple(str(p) for p in problems.sorted())
        return replace(bundle, warnings=warnings) if warnings else bundle

    def check(self, tenant_id: TenantId, problems: Problems) -> Bundle | None:
        """Make the bundle of a tenant if it can be made, noting everything that is wrong."""
        folder = self.root / "tenants" / tenant_id
        tenant = self.tenant(tenant_id, problems)
        if tenant is None:
            return None
        shared, found = self._shared_chart(tenant.chart)
        problems.found |= found.found
        own = self._layer(folder / "conversations", folder / "messages", tenant.chart, problems)
        if shared is None or "chart" in own.broken:
            return None  # every event and variable would seem unknown
        chart, check = self._chart(shared, own.chart, problems)
        words: dict[str, Vocabulary] = {}
        contents: list[Any] = [check.chart.digest, tenant.model_dump(mode="json")]
        for language in tenant.languages:
            if {"", language} & (shared.layer.broken | own.broken):
                continue
            overlays = [own.messages[name] for name in (language, "") if name in own.messages]
            words[language] = self._vocabulary(shared, language, overlays, check)
            contents += [shared.digests[language], [s.data for s in overlays]]
        if len(words) < len(tenant.languages):
            return None
        check_says(check, words)
        flows = self._flows.of(folder / "flows", problems)
        contents += [flow.digest for flow in flows.values()]
        return Bundle(tenant_id, tenant, chart, words, digest(contents), flows)

    def _layer(
        self, charts: FilePath, messages: FilePath, name: str, problems: Problems
    ) -> _Layer:
        layer = _Layer()
        path = charts / f"{name}.yaml"
        layer.chart = self.read("chart", path, problems)
        if layer.chart is None and path.is_file():
            layer.broken.add("chart")
        for file in [messages / f"{name}.yaml", *sorted(messages.glob(f"{name}.*.yaml"))]:
            language = file.stem.removeprefix(name).removeprefix(".")
            read = self.read("messages", file, problems)
            if read:
                layer.messages[language] = read
            elif file.is_file():
                layer.broken.add(language)
        return layer

    def _shared_chart(self, name: str) -> tuple[_Shared | None, Problems]:
        if name in self._shared:
            return self._shared[name]
        problems = Problems()
        folder = self.root / "conversations"
        layer = self._layer(folder, folder / "messages", name, problems)
        if layer.chart is None and "chart" not in layer.broken:
            missing = Span(self._name(folder / f"{name}.yaml"))
            problems.add(missing, "missing-file", "the file does not exist")
        for source in (layer.chart, *layer.messages.values()):
            if source:
                merging.note_nothing(source, problems)
                source.data = merging.merge({}, source.data)
        shared = _Shared(layer.chart, layer) if layer.chart else None
        self._shared[name] = shared, problems
        return shared, problems

    def _chart(
        self, shared: _Shared, overlay: Source | None, problems: Problems
    ) -> tuple[Chart, ChartCheck]:
        base = shared.chart_source
        data, layers = base.data, Layers((base,))
        if overlay:
            merging.note_unmatched(base.data, overlay, problems)
            data, layers = merging.merge(base.data, overlay.data), Layers((overlay, base))
        data = {k: v for k, v in data.items() if k != "extends"}
        known = shared.charts.get(digest(data))
        if known:
            return known, ChartCheck(known, layers, problems)
        found = Problems()
        chart = Reader(layers, self.language, self.registry, found).chart(data)
        ChartCheck(chart, layers, found).run()
        if not found.errors:
            shared.charts[chart.digest] = chart
        problems.found |= found.found
        return chart, ChartCheck(chart, layers, problems)

    # Vocabularies ----------------------------------------------------------------------------

    def _vocabulary(
        self, shared: _Shared, language: str, overlays: list[Source], check: ChartCheck
    ) -> Vocabulary:
        base = self._shared_words(shared, language)
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

    def _shared_words(self, shared: _Shared, language: str) -> dict[str, Any]:
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
            yield name, message
