"""The Flows of all tenants: shared ones are read once, a tenant's changes are laid over them."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from engine.registry import Registry
from engine.spec import merge as merging
from engine.spec.check_flow import FlowCheck
from engine.spec.content import FLOWS, Content
from engine.spec.flow import Flow
from engine.spec.problems import Problems
from engine.spec.read import Reader
from engine.spec.read_flow import read_flow
from engine.spec.source import Layers, Source
from engine.templating.language import Language

Read = Callable[[str, PurePosixPath, Problems], Source | None]


class FlowShelf:
    """The Flow files of a content.

    Args:
        read: reads a document of a kind, noting what is wrong; None if it is unusable or absent.
    """

    def __init__(
        self, content: Content, read: Read, language: Language, registry: Registry
    ) -> None:
        self._content = content
        self._read = read
        self._language = language
        self._registry = registry
        self._shared: dict[str, tuple[Source | None, Flow | None, Problems]] = {}

    def of(self, own: PurePosixPath, problems: Problems) -> Mapping[str, Flow]:
        """Give the Flows of a tenant by id, noting what is wrong in them.

        Args:
            own: the folder of what the tenant changes.
        """
        content = self._content
        flows: dict[str, Flow] = {}
        for name in sorted(self.names(own)):
            base, shared, found = self._shared_flow(FLOWS / f"{name}.yaml")
            problems.found |= found.found
            path = own / f"{name}.yaml"
            overlay = self._read("flow", path, problems)
            flow = shared
            if overlay and (base or not content.has(FLOWS / path.name)):
                flow = self._flow(overlay, base, problems)
            if flow and (overlay or not content.has(path)):
                flows[name] = flow
        return flows

    def names(self, own: PurePosixPath) -> frozenset[str]:
        """Give the ids of a tenant's Flows, whether they can be read or not."""
        folders = (FLOWS, own)
        return frozenset(f.stem for each in folders for f in self._content.find(each, "*.yaml"))

    def _shared_flow(self, path: PurePosixPath) -> tuple[Source | None, Flow | None, Problems]:
        if path.stem not in self._shared:
            problems = Problems()
            source = self._read("flow", path, problems)
            flow = None
            if source:
                merging.note_nothing(source, problems)
                source.data = merging.merge({}, source.data)
                flow = self._flow(source, None, problems)
            self._shared[path.stem] = source, flow, problems
        return self._shared[path.stem]

    def _flow(self, source: Source, base: Source | None, problems: Problems) -> Flow:
        data, layers = source.data, Layers((source,))
        if base:
            merging.note_unmatched(base.data, source, problems)
            data, layers = merging.merge(base.data, data), Layers((source, base))
        data = {k: v for k, v in data.items() if k != "extends"}
        flow = read_flow(Reader(layers, self._language, self._registry, problems), data)
        name = PurePosixPath(source.file).stem
        if flow.id != name:
            sentence = f"the file is called '{name}', and so must the Flow be"
            problems.add(layers.value_at(("flow",)), "wrong-name", sentence)
        FlowCheck(flow, layers, problems).run()
        return flow
