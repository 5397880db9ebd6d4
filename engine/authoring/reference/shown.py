"""The examples of the reference, and the shop they are tried in: what `comanda new` makes.

They are in `examples/`, one file for each kind. An example that cannot be loaded, fails or does
not do what it is an example of is told by whoever tries it; nothing is written down here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.authoring.check import Shared, check_tenant
from engine.authoring.scaffold import NewTenant, files_of
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.flows.rehearsal import compile_flows
from engine.registry import Registry
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems, SpecError
from engine.spec.source import parse

FOLDER = Path(__file__).parent / "examples"
TENANT = TenantId("example")
_SHOP = NewTenant(
    TENANT, "My Place", ("en", "es"), country="US", currency="USD", time_zone="America/New_York"
)


def read_examples(kind: str) -> Mapping[str, Any]:
    """Read the examples of a kind: `actions`, `guards`, `events`, ... by what they show.

    Raises:
        SpecError: the file is no YAML.
    """
    file = FOLDER / f"{kind}.yaml"
    problems = Problems()
    source = parse(file.read_text(encoding="utf-8"), file.name, problems)
    if source is None or problems.errors:
        raise SpecError(problems.sorted())
    data: Mapping[str, Any] = source.data
    return data


@dataclass(frozen=True, slots=True)
class Mistake:
    """An example of a problem: what an author has written, and nothing else.

    Args:
        files: what is in a tenant's files, by path from its folder.
        shared: what is in shared files, by path from the content folder.
        never: why no author can make it; then there is nothing else.
    """

    code: str
    files: Mapping[str, str] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    changed: str | None = None
    find: str = ""
    instead: str = ""
    times: int = 1
    encoding: str = "utf-8"
    is_verbose: bool = False
    never: str = ""

    @classmethod
    def of(cls, code: str, data: Mapping[str, Any]) -> "Mistake":
        """Make it of what is written in `examples/problems.yaml`."""
        return cls(
            code,
            data.get("files", {}),
            data.get("shared", {}),
            data.get("change"),
            data.get("find", ""),
            data.get("instead", ""),
            data.get("times", 1),
            data.get("encoding", "utf-8"),
            data.get("verbose", False),
            data.get("never", ""),
        )

    def shown(self) -> Iterator[tuple[str, str]]:
        """Give the files as the reference shows them, by path from the content folder."""
        yield from self.shared.items()
        if self.changed:
            yield f"tenants/{TENANT}/{self.changed}", self.instead
        for path, text in self.files.items():
            more = f"\n(and so on, {self.times} times)" if self.times > 1 else ""
            yield f"tenants/{TENANT}/{path}", text + more


class Shop:
    """A content folder with one tenant, into which examples are written one after the other.

    Args:
        folder: an empty one.
        content: where the shared conversations and Flows are.
    """

    def __init__(self, folder: Path, content: Path, registry: Registry) -> None:
        self.root = folder
        for part in ("conversations", "conversations/messages", "flows"):
            (folder / part).mkdir(parents=True)
            for file in sorted((content / part).glob("*.yaml")):
                (folder / part / file.name).symlink_to(file.resolve())
        self.own = {f"tenants/{TENANT}/{path}": text for path, text in files_of(_SHOP).items()}
        self._write(self.own)
        self.library = Library(folder, registry)
        self._shared = Shared()

    def _write(self, files: Mapping[str, str], encoding: str = "utf-8") -> None:
        for path, text in files.items():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).write_text(text, encoding=encoding)

    def put(self, files: Mapping[str, str]) -> None:
        """Put files into the tenant's folder, by path from it."""
        self._write({f"tenants/{TENANT}/{path}": text for path, text in files.items()})

    async def told(self, mistake: Mistake) -> list[Problem]:
        """Give the problems of a mistake's code that are told where it is made; all is put back.

        Raises:
            EngineError: there is nothing where the example changes something.
        """
        files = {f"tenants/{TENANT}/{path}": text for path, text in mistake.files.items()}
        files |= mistake.shared
        if mistake.changed:
            path = f"tenants/{TENANT}/{mistake.changed}"
            if mistake.find not in self.own[path]:
                raise EngineError(f"{mistake.code}: there is no '{mistake.find}' in {path}")
            files[path] = self.own[path].replace(mistake.find, mistake.instead, 1)
        self._write({k: v * mistake.times for k, v in files.items()}, mistake.encoding)
        try:
            return await self._told(mistake)
        finally:
            for path in files:
                (self.root / path).unlink()
            self._write(self.own)

    async def _told(self, mistake: Mistake) -> list[Problem]:
        """Look no further than is needed: a walk through everything takes a second."""
        problems = Problems()
        self.library.check(TENANT, problems)
        self.library.check_dialogs(TENANT, problems)
        self.library.products(TENANT, problems)
        found = _of(mistake, problems)
        if found:
            return found
        problems = Problems()
        bundle = self.library.check(TENANT, problems)
        if bundle and not problems.errors:
            own = {k: f for k, f in bundle.flows.items() if f"flows/{k}.yaml" in mistake.files}
            await compile_flows(replace(bundle, flows=own), problems, self._shared.screens)
        found = _of(mistake, problems)
        if not found:
            checked = await check_tenant(
                self.library, TENANT, shared=self._shared, is_verbose=mistake.is_verbose
            )
            found = _of(mistake, checked.problems)
        return found


def _of(mistake: Mistake, problems: Problems) -> list[Problem]:
    """Give those of a mistake's code, the ones in its own files first."""
    own = {path for path, _ in mistake.shown()}
    told = [problem for problem in problems.sorted() if problem.code == mistake.code]
    return sorted(told, key=lambda problem: problem.span.file not in own)
