"""What is to be done about a product in one catalogue: pure comparison, nothing is done here."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from engine.domain.ids import ProductId
from engine.sync.calls import Json
from engine.sync.item import Item, Misfit
from engine.sync.ports import CatalogKey, ItemState, ItemStatus, Sellable

UNDER_WAY: Final = frozenset({"sent", "removing"})
REMOVED: Final = "removed"
"""The digest of an item that Meta was told to delete."""
REMOVED_AGAIN: Final = timedelta(days=1)
"""When Meta is told again to delete what it did not: it is no longer to be sold."""


@dataclass(frozen=True, slots=True)
class Push:
    """One request of a batch, and the item's state once Meta has it.

    Args:
        is_known: Meta has the item already, as it was before.
    """

    state: ItemState
    request: Json
    is_known: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done about a product.

    Args:
        pushes: what Meta is to be told.
        put: states to write without a call: what cannot be sent.
        drop: states of what is nowhere any more.
        is_late: something changed that waits for its last batch: look again after it.
    """

    pushes: list[Push] = field(default_factory=list)
    put: list[ItemState] = field(default_factory=list)
    drop: list[ItemState] = field(default_factory=list)
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a product in a catalogue.

    Args:
        sellable: None if it is not sold, or belongs in another catalogue.
        wanted: what Meta is to have of it.
        rows: what was last done with its items in this catalogue.
        catalog_id: Meta's id of the catalogue; None if it is not made yet.
        resend_before: what was sent before it is sent again even if nothing changed.
    """

    product: ProductId
    sellable: Sellable | None
    wanted: tuple[Item | Misfit, ...]
    rows: Sequence[ItemState]
    catalog: CatalogKey
    catalog_id: str | None
    now: datetime
    resend_before: datetime | None = None


def judge(question: Question) -> Verdict:
    """Compare what a product should be at Meta with what was last done about it."""
    rows = {row.item: row for row in question.rows}
    pushes: list[Push] = []
    put: list[ItemState] = []
    drop: list[ItemState] = []
    late = False
    for item in question.wanted:
        row = _valid(rows.pop(item.item, None), question)
        is_misfit = isinstance(item, Misfit)
        if row and row.status in UNDER_WAY:
            late |= is_misfit or row.digest != item.digest or _is_stale(row, question)
        elif isinstance(item, Misfit):
            late |= _refuse(item, row, question, pushes, put)
        elif row is None or row.digest != item.digest or _is_stale(row, question):
            pushes.append(_told(item, row, question))
    for row in rows.values():
        late |= _remove(row, question, pushes, drop)
    return Verdict(pushes, put, drop, late)


def _valid(row: ItemState | None, question: Question) -> ItemState | None:
    """Give a row if it tells of this catalogue; somebody may have mapped another one."""
    if row is None or row.status == "refused" or row.catalog_id == (question.catalog_id or ""):
        return row
    return None


def _is_stale(row: ItemState, question: Question) -> bool:
    before = question.resend_before
    return before is not None and row.updated_at < before


def _told(item: Item, row: ItemState | None, question: Question) -> Push:
    state = _state(item, question, status="sent")
    # An update makes what is missing (`allow_upsert`).
    return Push(state, {"method": "UPDATE", "data": dict(item.fields)}, _is_known(row))


def _refuse(
    item: Misfit,
    row: ItemState | None,
    question: Question,
    pushes: list[Push],
    put: list[ItemState],
) -> bool:
    """Note why an item cannot be sent; what Meta has of it is deleted first, and then noted."""
    if row and row.status != "refused" and _is_to_go(row, question):
        pushes.append(_deleted(row, question))
        return True
    if row is None or row.digest not in (item.digest, REMOVED):
        refused = _state(item, question, status="refused", error=item.reason)
        put.append(replace(refused, catalog_id=""))
    return False


def _remove(row: ItemState, question: Question, pushes: list[Push], drop: list[ItemState]) -> bool:
    if row.status == "refused" or row.catalog_id != question.catalog_id:
        drop.append(row)
    elif row.status in UNDER_WAY:
        return row.status != "removing"
    elif _is_to_go(row, question):
        pushes.append(_deleted(row, question))
    return False


def _is_to_go(row: ItemState, question: Question) -> bool:
    """Tell whether Meta is to be told to delete an item; not at once again if it refused to."""
    is_again = row.updated_at + REMOVED_AGAIN <= question.now
    return row.digest != REMOVED or is_again or _is_stale(row, question)


def _deleted(row: ItemState, question: Question) -> Push:
    state = replace(
        row, status="removing", digest=REMOVED, updated_at=question.now, batch=None, error=None
    )
    return Push(state, {"method": "DELETE", "data": {"id": row.item}}, _is_known(row))


def _is_known(row: ItemState | None) -> bool:
    return row is not None and row.status == "synced"


def _state(
    item: Item | Misfit, question: Question, *, status: ItemStatus, error: str | None = None
) -> ItemState:
    return ItemState(
        catalog=question.catalog,
        item=item.item,
        product=item.product,
        catalog_id=question.catalog_id or "",
        digest=item.digest,
        status=status,
        updated_at=question.now,
        error=error,
        document=question.sellable.document if question.sellable else None,
    )
