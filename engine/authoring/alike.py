"""Tenants that differ in messages alone: what one's customers come to, the other's do too."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.domain.tenant import Tenant
from engine.flows.document import FlowJson
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.walk import Walk
from engine.spec.bundle import Bundle
from engine.spec.content import TENANTS
from engine.spec.message import Message, Vocabulary

_NAMES = {"name", "phone", "address", "phone_number_ids", "waba_id", "business_id"}
"""Settings that nothing depends on: they are only told or addressed."""


@dataclass(frozen=True, slots=True, repr=False)
class Walked:
    """A tenant that was walked through.

    Args:
        has_findings: something was told of it.
        is_before: its files were read before others were saved.
    """

    walk: Walk
    catalog: MenuCatalog
    compiled: tuple[FlowJson, ...]
    has_findings: bool
    is_before: bool = False


def alike(known: Walked, bundle: Bundle, catalog: MenuCatalog) -> bool:
    """Tell whether a tenant differs from another one in the texts of messages alone."""
    other = known.walk.bundle
    return (
        other.chart.digest == bundle.chart.digest
        and (not known.is_before or list(_places(other)) == list(_places(bundle)))
        and _settings(other.tenant) == _settings(bundle.tenant)
        and {name: flow.digest for name, flow in other.flows.items()}
        == {name: flow.digest for name, flow in bundle.flows.items()}
        and all(
            _offers_alike(words, bundle.vocabularies[language])
            for language, words in other.vocabularies.items()
        )
        and known.catalog.categories == catalog.categories
        and known.catalog.products == catalog.products
    )


def _places(bundle: Bundle) -> Iterator[str]:
    """Give where the parts of a chart are written, in the tenant's folder or the shared ones."""
    own = f"{TENANTS}/{bundle.tenant_id}/"
    for state in bundle.chart.states.values():
        yield state.where.removeprefix(own)
    for branch in bundle.chart.all_branches():
        yield branch.where.removeprefix(own)


def _settings(tenant: Tenant) -> Mapping[str, object]:
    return {name: getattr(tenant, name) for name in Tenant.model_fields.keys() - _NAMES}


def _offers_alike(one: Vocabulary, other: Vocabulary) -> bool:
    """Tell whether two vocabularies understand the same, and their buttons mean the same."""
    if one.terms != other.terms or one.intents.phrases != other.intents.phrases:
        return False
    if one.messages.keys() != other.messages.keys():
        return False
    return all(
        message is other.messages[name]
        or list(_taps(message)) == list(_taps(other.messages[name]))
        for name, message in one.messages.items()
    )


def _taps(message: Message) -> Iterator[tuple[str | None, ...]]:
    """Give what decides which buttons a message has, and what they mean."""
    yield message.kind, message.condition.source if message.condition else None
    for entry in message.entries():
        parts = (entry.argument, entry.id, entry.each, entry.condition)
        yield entry.event, *(part.source if part else None for part in parts)
