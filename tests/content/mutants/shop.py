"""A tenant's content made ready to be played, whether or not the checker likes it.

Only what nobody could play is refused: YAML that cannot be read, a document against its schema, a
template that cannot be compiled. `engine.spec.check` is not asked.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from engine.domain.ids import TenantId
from engine.domain.menu import Menu
from engine.domain.tenant import Tenant
from engine.phrases import PhraseBook
from engine.registry import Registry
from engine.spec.bundle import Bundle
from engine.spec.chart import Chart
from engine.spec.flow import Flow
from engine.spec.merge import merge
from engine.spec.message import Message, Vocabulary
from engine.spec.problems import Problems, Span
from engine.spec.read import Reader, expand
from engine.spec.read_flow import read_flow
from engine.spec.schema import KINDS, document_schema
from engine.spec.source import Layers, Source, parse
from engine.spec.validate import Validator, validate
from engine.templating.language import Language
from tests.content.mutants.roles import kind_of

Texts = Mapping[str, str]
Place = tuple[str, int]
"""A file and a line."""


class Unservable(Exception):
    """Nobody could play this content."""


def read_texts(root: FilePath) -> dict[str, str]:
    """Read the files of a content folder, without dialogs."""
    found = [*root.glob("conversations/**/*.yaml"), *root.glob("flows/*.yaml")]
    found += [file for file in root.glob("tenants/**/*.yaml") if "dialogs" not in file.parts]
    return {str(file.relative_to(root)): file.read_text("utf-8") for file in sorted(found)}


@dataclass(slots=True)
class Shop:
    """A tenant's content.

    Args:
        phrases: what the customer may say, by language and event.
        phrase_places: where those of an event are written.
    """

    bundle: Bundle
    menu: Menu
    phrases: Mapping[str, Mapping[str, tuple[str, ...]]]
    phrase_places: Mapping[tuple[str, str], Place]


@dataclass(slots=True)
class _Words:
    data: dict[str, Any]
    layers: Layers
    vocabulary: Vocabulary
    expanded: dict[str, Any] = field(default_factory=dict)


def place_of(where: str | Span) -> Place:
    """Give the file and line of a place."""
    span = Span.of(where) if isinstance(where, str) else where
    return span.file, span.line


class Workshop:
    """Makes shops; what two contents share is made once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._language = Language(registry.guard_functions())
        self._validators = {kind: Validator(document_schema(kind, registry)) for kind in KINDS}
        self._sources: dict[str, Source | str] = {}
        self._charts: dict[str, Chart] = {}
        self._flows: dict[str, Flow] = {}
        self._words: dict[tuple[TenantId, str], _Words] = {}

    def shop(self, texts: Texts, tenant_id: TenantId) -> Shop:
        """Make a tenant's shop.

        Raises:
            Unservable: nobody could play it.
        """
        try:
            return self._shop(texts, tenant_id)
        except Unservable:
            raise
        except ValidationError as error:
            raise Unservable(str(error.errors()[0]["msg"])) from error
        except Exception as error:
            raise Unservable(f"{type(error).__name__}: {error}") from error

    def _shop(self, texts: Texts, tenant_id: TenantId) -> Shop:
        folder = f"tenants/{tenant_id}"
        tenant = Tenant.model_validate(self._source(texts, f"{folder}/tenant.yaml").data)
        menu = Menu.model_validate(self._source(texts, f"{folder}/catalog.yaml").data)
        for _, sentence in menu.dangling():
            raise Unservable(sentence)
        chart = self._chart(texts, folder, tenant.chart)
        words = {
            name: self._vocabulary(texts, tenant_id, tenant.chart, name)
            for name in tenant.languages
        }
        flows = dict(self._all_flows(texts, folder))
        own = {name: text for name, text in texts.items() if _concerns(name, folder)}
        bundle = Bundle(
            tenant_id,
            tenant,
            chart,
            {name: held.vocabulary for name, held in words.items()},
            _digest(*own.values()),
            flows,
        )
        phrases = {
            name: {event: tuple(said) for event, said in held.data.get("intents", {}).items()}
            for name, held in words.items()
        }
        places = {
            (name, event): place_of(words[name].layers.at(("intents", event)))
            for name, said in phrases.items()
            for event in said
        }
        return Shop(bundle, menu, phrases, places)

    def _source(self, texts: Texts, file: str) -> Source:
        key = _digest(file, texts[file])
        if key not in self._sources:
            self._sources[key] = self._read(file, texts[file])
        found = self._sources[key]
        if isinstance(found, str):
            raise Unservable(found)
        return found

    def _read(self, file: str, text: str) -> Source | str:
        problems = Problems()
        source = parse(text, file, problems)
        if source is None or problems.errors:
            return str(problems.errors[0])
        source.data = source.data or {}
        kind = kind_of(file)
        if not validate(source, self._validators[kind], problems):
            return str(problems.errors[0])
        if kind == "messages":
            expand(source)
        return source

    def _reader(self, sources: list[Source], problems: Problems) -> Reader:
        return Reader(Layers(tuple(sources)), self._language, self._registry, problems)

    def _merged(self, texts: Texts, *files: str) -> tuple[dict[str, Any], list[Source]]:
        """Lay the files over one another, the weakest first; those that are not there are not."""
        data: dict[str, Any] = {}
        sources: list[Source] = []
        for file in files:
            if file in texts:
                sources.insert(0, self._source(texts, file))
                data = merge(data, sources[0].data)
        return data, sources

    def _chart(self, texts: Texts, folder: str, name: str) -> Chart:
        files = (f"conversations/{name}.yaml", f"{folder}/conversations/{name}.yaml")
        key = _digest(*(texts.get(file, "") for file in files))
        if key not in self._charts:
            data, sources = self._merged(texts, *files)
            problems = Problems()
            data = {key: value for key, value in data.items() if key != "extends"}
            chart = self._reader(sources, problems).chart(data)
            _refuse(problems)
            self._charts = {**dict(list(self._charts.items())[-8:]), key: chart}
        return self._charts[key]

    def _all_flows(self, texts: Texts, folder: str) -> Iterator[tuple[str, Flow]]:
        names = {FilePath(f).stem for f in texts if f.startswith(("flows/", f"{folder}/flows/"))}
        for name in sorted(names):
            files = (f"flows/{name}.yaml", f"{folder}/flows/{name}.yaml")
            key = _digest(*(texts.get(file, "") for file in files))
            if key not in self._flows:
                data, sources = self._merged(texts, *files)
                problems = Problems()
                flow = read_flow(self._reader(sources, problems), data)
                _refuse(problems)
                self._flows = {**dict(list(self._flows.items())[-8:]), key: flow}
            yield name, self._flows[key]

    def _vocabulary(self, texts: Texts, tenant: TenantId, chart: str, language: str) -> _Words:
        names = (f"{chart}.yaml", f"{chart}.{language}.yaml")
        shared = [f"conversations/messages/{name}" for name in names]
        own = [f"tenants/{tenant}/messages/{name}" for name in names]
        data, sources = self._merged(texts, *shared, *own)
        problems = Problems()
        reader = self._reader(sources, problems)
        known = self._words.get((tenant, language))
        messages: dict[str, Message] = {}
        for name, body in data.get("messages", {}).items():
            if known and known.expanded.get(name) == body:
                messages[name] = known.vocabulary.messages[name]
            else:
                messages[name] = reader.message(name, body)
        _refuse(problems)
        said = data.get("intents", {})
        same = known is not None and known.data.get("intents") == said
        if known and same:
            phrases = known.vocabulary.intents
        else:
            phrases = PhraseBook({event: tuple(each) for event, each in said.items()})
        vocabulary = Vocabulary(language, messages, data.get("terms", {}), phrases)
        made = _Words(data, Layers(tuple(sources)), vocabulary, data.get("messages", {}))
        self._words.setdefault((tenant, language), made)  # the first shop made is the shipped one
        return made


def _refuse(problems: Problems) -> None:
    if problems.errors:
        raise Unservable(str(problems.errors[0]))


def _concerns(file: str, folder: str) -> bool:
    return not file.startswith("tenants/") or file.startswith(f"{folder}/")


def _digest(*texts: str) -> str:
    return hashlib.blake2s("\0".join(texts).encode(), digest_size=12).hexdigest()
