"""Values for the tests of what the sync keeps: an item, a mark, a batch, a catalogue, a job."""

from dataclasses import replace
from datetime import timedelta

from engine.domain.ids import ProductId
from engine.sync.ports import SINGLE, Batch, ItemId, ItemState, Mark, TenantCatalog
from engine.sync.runs import Job
from tests.unit.storage.builders import NOW, PIZZERIA

MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)


def item(product="prod:a", name="", **changes):
    """An item of a product that Meta was given."""
    state = ItemState(
        catalog=SINGLE,
        item=ItemId(name or product),
        product=ProductId(product),
        catalog_id="catalog-1",
        digest="d1",
        status="sent",
        updated_at=NOW,
        batch="catalog-1:h1",
        document=f"doc:{product}",
    )
    return replace(state, **changes)


def mark(name="m1", product="prod:a", **changes):
    """A product that may have changed."""
    return replace(Mark(name, PIZZERIA, ProductId(product), NOW), **changes)


def batch(handle="h1", **changes):
    """Items given to Meta in one call."""
    made = Batch(
        id=f"catalog-1:{handle}",
        tenant=PIZZERIA,
        catalog=SINGLE,
        catalog_id="catalog-1",
        handles=(handle,),
        items=3,
        sent_at=NOW,
        check_at=NOW + MINUTE,
    )
    return replace(made, **changes)


def catalogue(**changes):
    """The pizzeria's catalogue at Meta."""
    return replace(TenantCatalog(PIZZERIA, SINGLE, "catalog-1", "Roma (pizzeria)"), **changes)


def job(name="j1", kind="changed", **changes):
    """A walk that is asked for."""
    return replace(Job(name, kind, requested_at=NOW), **changes)
