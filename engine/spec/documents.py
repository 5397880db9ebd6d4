"""Documents of a content: read, held against their schemas, and named by their hashes.

What they mean together is not known here.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from engine.domain.ids import TenantId
from engine.domain.menu import Misplaced
from engine.errors import EngineError
from engine.registry import Registry
from engine.spec.content import Content, is_served, owner, text_hash
from engine.spec.problems import Problems, Span
from engine.spec.read import expand
from engine.spec.schema import KINDS, document_schema
from engine.spec.source import Layers, Source, parse
from engine.spec.validate import Validator, validate

MOST_KNOWN: Final = 20_000
"""Texts of which it is remembered that they fit their schema."""


class Schemas:
    """Holds documents against the schema of their kind; a text that fits, once only."""

    def __init__(self, registry: Registry) -> None:
        self._validators = {kind: Validator(document_schema(kind, registry)) for kind in KINDS}
        self._fitting: set[tuple[str, str]] = set()

    def fit(self, kind: str, source: Source, known: str, problems: Problems) -> bool:
        """Note every deviation of a document; tell whether there is none.

        Args:
            known: the hash of its text.
        """
        if (kind, known) in self._fitting:
            return True
        fits = validate(source, self._validators[kind], problems)
        if fits:
            if len(self._fitting) >= MOST_KNOWN:
                self._fitting.clear()
            self._fitting.add((kind, known))
        return fits


class Documents:
    """Reads documents, and remembers what it has read of each."""

    def __init__(self, content: Content, schemas: Schemas) -> None:
        self.content = content
        self.schemas = schemas
        self._hashes: dict[TenantId | None, dict[PurePosixPath, str]] = {}

    def read(self, kind: str, path: PurePosixPath, problems: Problems) -> Source | None:
        """Read a document and hold it against its schema; None if it is unusable or absent."""
        source, known = self._parsed(path, problems) if self.content.has(path) else (None, "")
        if source is None or not self.schemas.fit(kind, source, known, problems):
            return None
        if kind == "messages":
            expand(source)
        return source

    def model(
        self, kind: str, model: type[BaseModel], path: PurePosixPath, problems: Problems
    ) -> tuple[Any, Source | None]:
        """Read a document that must be there, as a value; None if it is unusable."""
        if not self.content.has(path):
            problems.add(Span(str(path)), "missing-file", "the file does not exist")
            return None, None
        source, known = self._parsed(path, problems)
        if source is None:
            return None, None
        fits = self.schemas.fit(kind, source, known, problems)
        try:
            made = model.model_validate(source.data)
        except ValidationError as error:
            _note_invalid(error, source, problems, schema_fits=fits)
            return None, source
        return (made if fits else None), source

    def _parsed(self, path: PurePosixPath, problems: Problems) -> tuple[Source | None, str]:
        """Parse a file; give the hash of its text, too."""
        name = str(path)
        try:
            text = self.content.text(path)
        except (OSError, UnicodeDecodeError) as error:
            problems.add(Span(name), "unreadable", f"the file cannot be read: {error}")
            return None, ""
        known = text_hash(text)
        self._hashes.setdefault(owner(path), {})[path] = known
        source = parse(text, name, problems, is_recorded="dialogs" in path.parts)
        if source and source.data is None:
            source.data = {}
        return source, known

    # What was read ---------------------------------------------------------------------------

    def forget(self, tenant: TenantId) -> None:
        """Forget what was read of a tenant's own files: they are read again."""
        self._hashes.pop(tenant, None)

    def files(self, tenant: TenantId, chart: str) -> dict[str, str]:
        """Tell which files that serve a tenant were read: the hash of each text, by path."""
        read = {**self._hashes.get(None, {}), **self._hashes.get(tenant, {})}
        return {str(path): read[path] for path in sorted(read) if is_served(path, chart)}

    def texts(self, files: Mapping[str, str]) -> dict[str, str]:
        """Read files again.

        Args:
            files: by path, the hash of its text.

        Raises:
            EngineError: one of them is gone, or not what it was.
        """
        texts: dict[str, str] = {}
        for path, wanted in files.items():
            try:
                texts[path] = self.content.text(PurePosixPath(path))
            except (OSError, UnicodeDecodeError) as error:
                raise EngineError(f"the file {path} cannot be read any more: {error}") from error
            if text_hash(texts[path]) != wanted:
                raise EngineError(f"the file {path} was changed after it was read")
        return texts


def _note_invalid(
    error: ValidationError, source: Source, problems: Problems, *, schema_fits: bool
) -> None:
    """Note what a model refuses, unless the schema has said it, and better."""
    told = {problem.span for problem in problems.found}
    places = [found["loc"] for found in error.errors()]
    for found in error.errors():
        place = found["loc"]
        raised = found.get("ctx", {}).get("error")
        part = (raised.name,) if isinstance(raised, Misplaced) else ()
        where = Layers((source,)).value_at((*place, *part))
        inside = any(other[: len(place)] == place and other != place for other in places)
        known = where in told or not (schema_fits or found["type"] == "value_error")
        if not known and not inside:
            sentence = found["msg"].removeprefix("Value error, ")
            problems.add(where, "wrong-value", sentence)
