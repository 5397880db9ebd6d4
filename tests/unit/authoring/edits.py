"""The shipped content, edited in memory, and the difference that the edits make."""

import asyncio
from functools import cache
from pathlib import Path

from engine.authoring.diff.contents import diff
from engine.spec.content import StoredContent
from engine.spec.library import Library
from engine.verbs import all_verbs

ROOT = Path(__file__).parents[3]
CHART = "conversations/storefront.yaml"
ENGLISH = "conversations/messages/storefront.en.yaml"
SPANISH = "conversations/messages/storefront.es.yaml"
SHAPES = "conversations/messages/storefront.yaml"
TAVOLA, LUCHA = "la-tavola", "dona-lucha"


@cache
def shipped() -> dict[str, str]:
    files = [f for d in ("conversations", "flows", "tenants") for f in (ROOT / d).rglob("*.yaml")]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in files}


@cache
def library() -> Library:
    return Library(StoredContent(shipped()), all_verbs())


def edited(*edits, without=(), **more):
    """Texts of the content in which every `(file, old, new)` was replaced, each at least once."""
    texts = {name: text for name, text in shipped().items() if not name.startswith(tuple(without))}
    for name, old, new in edits:
        assert old in texts[name], (name, old)
        texts[name] = texts[name].replace(old, new)
    return texts | more


def diffed(texts, *tenants, before=None, **options):
    """The difference between the shipped content and edited texts."""
    old = library() if before is None else library().over(StoredContent(before))
    new = library().over(StoredContent(texts))
    chosen = tenants or sorted({*old.tenant_ids(), *new.tenant_ids()})
    return asyncio.run(diff(old, new, chosen, **options))


def only(texts, *tenants, **options):
    found, problems = diffed(texts, *tenants, **options)
    assert problems == {}
    return found
