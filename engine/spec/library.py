"""The library: it reads, checks and merges what tenants are served with.

Content is read from a folder with `conversations/`, `flows/` and `tenants/`, or from what was
stored of one. What a tenant does not change is shared with all others: a thousand tenants that
change texts hold one chart.
"""

import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from pathlib import PurePosixPath
from typing import Any, Final

from engine.domain.catalog import Product
from engine.domain.ids import TenantId
from engine.domain.menu import Menu
from engine.domain.tenant import Tenant
from engine.errors import EngineError, UnknownTenant
from engine.registry import Registry
from engine.spec import merge as merging
from engine.spec.bundle import Bundle
from engine.spec.chart import Chart
from engine.spec.check import ChartCheck, check_says, note_unwritten
from engine.spec.check_staff import check_staff
from engine.spec.check_ways import check_ways
from engine.spec.check_whole import advise_whole, check_whole
from engine.spec.content import (
    SHARED,
    TENANTS,
    FolderContent,
    StoredContent,
)
from engine.spec.dialog import Dialog
from engine.spec.documents import Documents, Schemas
from engine.spec.flow_shelf import FlowShelf
from engine.spec.message import Vocabulary
from engine.spec.problems import Problems, Span, SpecError
from engine.spec.read import Reader, digest
from engine.spec.source import Layers, Source
from engine.spec.whole import Whole
from engine.spec.words import Layer, SharedChart, Words
from engine.templating.language import Language

TENANT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""As the name of a folder, in an address and before the colon of an id."""


class Library:
    """The content: reads, checks and merges what the tenants need.

    Shared files are read once, a tenant's own each time it is loaded.

    Args:
        root: folder with `conversations/`, `flows/` and `tenants/`, or what was stored of one.
        registry: the actions and guards charts may name.
        schemas, language: if they were made already.
    """

    def __init__(
        self,
        root: FilePath | StoredContent,
        registry: Registry,
        *,
        schemas: Schemas | None = None,
        language: Language | None = None,
    ) -> None:
        self._root = root
        self.registry = registry
        self.language = language or Language(registry.guard_functions())
        content = root if isinstance(root, StoredContent) else FolderContent(root)
        self.documents = Documents(content, schemas or Schemas(registry))
        self._words = Words(self.language, registry)
        self._shared: dict[str, tuple[SharedChart | None, Problems]] = {}
        self._flows = FlowShelf(content, self.documents.read, self.language, registry)

    def over(self, root: FilePath | StoredContent, *, is_apart: bool = False) -> "Library":
        """Give a library of another content, or of the same one read anew.

        Args:
            is_apart: it is used in another thread: no compiled texts are shared.
        """
        language = None if is_apart else self.language
        return Library(root, self.registry, schemas=self.documents.schemas, language=language)

    @property
    def root(self) -> FilePath:
        """Give its folder.

        Raises:
            EngineError: it has none: its content was stored.
        """
        if isinstance(self._root, StoredContent):
            raise EngineError("what was stored of a content folder lies in no folder")
        return self._root

    def tenant_ids(self) -> list[TenantId]:
        """Name the tenants that have a folder."""
        found = self.documents.content.find(TENANTS, "*/tenant.yaml")
        return sorted(TenantId(file.parent.name) for file in found)

    def files(self, bundle: Bundle) -> dict[str, str]:
        """Tell what the bundle that was made last of its tenant was made of.

        Returns:
            By path, the hash of each file's text.
        """
        return self.documents.files(bundle.tenant_id, bundle.tenant.chart)

    def require(self, tenant_id: TenantId) -> None:
        """Make sure that there is a tenant.

        Raises:
            UnknownTenant: there is none of that name.
        """
        known = self.tenant_ids()
        if tenant_id not in known:
            raise UnknownTenant(f"there is no tenant '{tenant_id}'; there are {', '.join(known)}")

    # Documents -------------------------------------------------------------------------------

    def tenant(self, tenant_id: TenantId, problems: Problems) -> Tenant | None:
        """Read a tenant's settings."""
        return self._settings(tenant_id, problems)[0]

    def _settings(
        self, tenant_id: TenantId, problems: Problems
    ) -> tuple[Tenant | None, Source | None]:
        path = TENANTS / tenant_id / "tenant.yaml"
        if not TENANT_NAME.fullmatch(tenant_id):
            sentence = f"{ascii(tenant_id)[:80]} cannot be a tenant's name"
            hint = "it has letters, digits, dots, underscores and hyphens, 63 at most"
            problems.add(Span(ascii(str(path))[1:-1][:120]), "wrong-name", sentence, hint)
            return None, None
        tenant, source = self.documents.model("tenant", Tenant, path, problems)
        return (tenant if isinstance(tenant, Tenant) else None), source

    def dialog(self, path: FilePath, problems: Problems | None = None) -> Dialog:
        """Read a scripted conversation; its file may lie anywhere.

        Raises:
            SpecError: with every mistake in it, unless `problems` is given to take them.
        """
        found = Problems() if problems is None else problems
        file, root = path.absolute(), self.root.absolute()
        place = PurePosixPath(file.relative_to(root) if file.is_relative_to(root) else file)
        dialog, _ = self.documents.model("dialog", Dialog, place, found)
        if not isinstance(dialog, Dialog):
            raise SpecError(found.sorted())
        return dialog

    def check_dialogs(self, tenant_id: TenantId, problems: Problems) -> None:
        """Note what is wrong in a tenant's dialogs."""
        for file in self.documents.content.find(TENANTS / tenant_id / "dialogs", "*.yaml"):
            self.documents.model("dialog", Dialog, file, problems)

    def menu(self, tenant_id: TenantId, problems: Problems) -> Menu | None:
        """Read a tenant's demo catalog."""
        found = self._menu(tenant_id, problems)
        return found[0] if found else None

    def products(self, tenant_id: TenantId, problems: Problems) -> Mapping[str, Product]:
        """Read the products of a tenant's demo catalog, by the places where they are written."""
        return self.stock(tenant_id, problems)[1]

    def stock(
        self, tenant_id: TenantId, problems: Problems
    ) -> tuple[Menu | None, Mapping[str, Product]]:
        """Read a tenant's demo catalog once, with its products by their places."""
        found = self._menu(tenant_id, problems)
        if found is None or problems.errors:
            return None, {}
        menu, places = found
        by_place = {str(places.at(("products", rid))): menu.product(rid) for rid in menu.products}
        return menu, by_place

    def _menu(self, tenant_id: TenantId, problems: Problems) -> tuple[Menu, Layers] | None:
        path = TENANTS / tenant_id / "catalog.yaml"
        menu, source = self.documents.model("catalog", Menu, path, problems)
        if not isinstance(menu, Menu) or source is None:
            return None
        places = Layers((source,))
        for place, sentence in menu.dangling():
            problems.add(places.value_at(place), "unknown-value", sentence)
        return menu, places

    # Bundles ---------------------------------------------------------------------------------

    def load(self, tenant_id: TenantId) -> Bundle:
        """Make the bundle of a tenant, to serve it; nobody is told what is doubtful about it.

        Raises:
            SpecError: with every mistake in the tenant's files and the shared ones.
        """
        problems = Problems()
        bundle = self.check(tenant_id, problems, is_advising=False)
        problems.raise_if_any()
        if bundle is None:  # every reason for it is a problem
            raise SpecError(problems.sorted())
        return bundle

    def check(
        self, tenant_id: TenantId, problems: Problems, *, is_advising: bool = True
    ) -> Bundle | None:
        """Make the bundle of a tenant if it can be made, noting everything that is wrong.

        Args:
            is_advising: tell what is doubtful, too.
        """
        folder = TENANTS / tenant_id
        self.documents.forget(tenant_id)
        tenant, settings = self._settings(tenant_id, problems)
        if tenant is None or settings is None:
            return None
        shared, found = self._shared_chart(tenant.chart)
        problems.found |= found.found
        own = self._layer(folder / "conversations", folder / "messages", tenant.chart, problems)
        if shared is None or "chart" in own.broken:
            return None  # every event and variable would seem unknown
        chart, check = self._chart(shared, own.chart, problems)
        words: dict[str, Vocabulary] = {}
        contents: list[Any] = [check.chart.digest, tenant.model_dump(mode="json")]
        written = {*shared.layer.messages, *own.messages} - {""}
        for place, language in enumerate(tenant.languages):
            if {"", language} & (shared.layer.broken | own.broken):
                continue
            overlays = [own.messages[name] for name in (language, "") if name in own.messages]
            if language not in written and self._words.lacks(shared, language, overlays, check):
                # Everything that is said would be missed, one by one.
                span = Layers((settings,)).value_at(("languages", place))
                note_unwritten(language, written, span, problems)
                continue
            words[language] = self._words.of(shared, language, overlays, check)
            contents += [shared.digests[language], [s.data for s in overlays]]
        if len(words) < len(tenant.languages):
            return None
        check_says(check, words)
        check_staff(tenant, chart, f"{folder}/tenant.yaml", problems)
        flows = self._flows.of(folder / "flows", problems)
        contents += [flow.digest for flow in flows.values()]
        bundle = Bundle(tenant_id, tenant, chart, words, digest(contents), flows)
        unread = self._flows.names(folder / "flows").difference(flows)
        self._whole(shared, own, bundle, check, unread, is_advising=is_advising)
        return bundle

    def _whole(
        self,
        shared: SharedChart,
        own: Layer,
        bundle: Bundle,
        check: ChartCheck,
        unread: frozenset[str],
        *,
        is_advising: bool,
    ) -> None:
        """Note what is wrong with the chart and the words together."""
        texts = shared.layer.messages
        overlays = [source for source in (own.chart, *own.messages.values()) if source]
        languages = bundle.tenant.languages
        whole = Whole(
            tenant=bundle.tenant,
            ways=check.ways,
            places=check.places,
            words=bundle.vocabularies,
            texts={
                name: Layers(
                    tuple(m[key] for m in (own.messages, texts) for key in (name, "") if key in m)
                    or (shared.chart_source,)
                )
                for name in languages
            },
            problems=Problems(),
            known=check.known,
            flows=bundle.flows,
            unread=unread,
            overlays=tuple(overlays),
            speaks=frozenset({*languages, *texts} - {""}),
        )
        flows = tuple(flow.digest for flow in bundle.flows.values())
        hours = bundle.tenant.cart_hours
        key = (check.chart.digest, languages, flows, unread, hours, is_advising)
        if overlays or key not in shared.wholes:
            check_whole(whole)
            if is_advising:
                advise_whole(whole)
        if not overlays:  # tenants that change nothing are all told the same
            whole.problems.found |= shared.wholes.setdefault(key, whole.problems.found)
        check.problems.found |= whole.problems.found

    def _layer(
        self, charts: PurePosixPath, messages: PurePosixPath, name: str, problems: Problems
    ) -> Layer:
        layer = Layer()
        path = charts / f"{name}.yaml"
        layer.chart = self.documents.read("chart", path, problems)
        if layer.chart is None and self.documents.content.has(path):
            layer.broken.add("chart")
        files = self.documents.content.find(messages, f"{name}.*.yaml")
        for file in [messages / f"{name}.yaml", *files]:
            language = file.stem.removeprefix(name).removeprefix(".")
            read = self.documents.read("messages", file, problems)
            if read:
                layer.messages[language] = read
            elif self.documents.content.has(file):
                layer.broken.add(language)
        return layer

    def _shared_chart(self, name: str) -> tuple[SharedChart | None, Problems]:
        if name in self._shared:
            return self._shared[name]
        problems = Problems()
        layer = self._layer(SHARED, SHARED / "messages", name, problems)
        if layer.chart is None and "chart" not in layer.broken:
            missing = Span(str(SHARED / f"{name}.yaml"))
            problems.add(missing, "missing-file", "the file does not exist")
        for source in (layer.chart, *layer.messages.values()):
            if source:
                merging.note_nothing(source, problems)
                source.data = merging.merge({}, source.data)
        shared = SharedChart(layer.chart, layer) if layer.chart else None
        self._shared[name] = shared, problems
        return shared, problems

    def _chart(
        self, shared: SharedChart, overlay: Source | None, problems: Problems
    ) -> tuple[Chart, ChartCheck]:
        base = shared.chart_source
        data, layers = base.data, Layers((base,))
        if overlay:
            merging.note_unmatched(base.data, overlay, problems)
            data, layers = merging.merge(base.data, overlay.data), Layers((overlay, base))
        data = {k: v for k, v in data.items() if k != "extends"}
        known = shared.charts.get(digest(data))
        if known:
            ways, told = known
            problems.found |= told
            return ways.chart, ChartCheck(ways.chart, layers, problems, ways)
        found = Problems()
        chart = Reader(layers, self.language, self.registry, found).chart(data)
        check = ChartCheck(chart, layers, found)
        check.run()
        check_ways(check)
        if all(p.severity == "warning" and p.span.file == base.file for p in found.found):
            shared.charts[chart.digest] = check.ways, found.found
        problems.found |= found.found
        return chart, check.over(problems)
