"""The authored texts: every tenant's are valid, and every language says the same things."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.verbs import all_verbs
from tests.content.conftest import ROOT

FOLDERS = [ROOT / "conversations/messages", *sorted(ROOT.glob("tenants/*/messages"))]


def parts(data: dict[str, Any], *path: str) -> Iterator[tuple[str, ...]]:
    for key, value in data.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from parts(value, *path, key)


def read(library: Library, path: Path) -> set[tuple[str, ...]]:
    problems = Problems()
    source = library.documents.read("messages", PurePosixPath(path.relative_to(ROOT)), problems)
    problems.raise_if_any()
    assert source is not None
    return set(parts(source.data))


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(ROOT, all_verbs())


def test_every_tenant_can_be_served_without_a_warning(library: Library) -> None:
    assert library.tenant_ids() == ["dona-lucha", "la-tavola"]
    for tenant in library.tenant_ids():
        problems = Problems()
        assert library.check(tenant, problems)
        assert problems.sorted() == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_languages_have_the_same_parts(folder: Path, library: Library) -> None:
    files = sorted(folder.glob("storefront.??.yaml"))
    assert [file.name for file in files] == ["storefront.en.yaml", "storefront.es.yaml"]
    english, spanish = (read(library, file) for file in files)

    assert english - spanish == set()
    assert spanish - english == set()
