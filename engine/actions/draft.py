"""Actions on a draft: a product whose size, add-ons and quantity are being chosen in the chat.

A draft is the variable `draft`: `{product, presentation, modifiers, done, group, quantity}`; the
prices are never in it.
"""

from typing import Annotated, Any

from pydantic import Field

from engine.actions.cart import put
from engine.domain.catalog import ModifierGroup, Product
from engine.domain.pricing import check_group, price_line
from engine.domain.refusals import Reason, Refusal
from engine.phrases import closest
from engine.registry import Registry
from engine.rendering.views import group_view, product_view
from engine.turn import Event, Turn

registry = Registry()
Quantity = Annotated[int, Field(ge=1, le=99)]


def _draft(turn: Turn) -> dict[str, Any] | None:
    held = turn.variables.get("draft")
    return dict(held) if isinstance(held, dict) else None


async def _product(turn: Turn, wanted: str) -> Product | Refusal:
    found = await turn.catalog.get_product_by_id(wanted)
    if found is None:
        return Refusal(Reason.UNKNOWN_PRODUCT)
    if found.is_sold_out:
        return Refusal(Reason.SOLD_OUT, {"product": found.name})
    return found


def _blank(product: Product, quantity: int | None = None) -> dict[str, Any]:
    return {
        "product": product.id,
        "presentation": None,
        "modifiers": [],
        "done": [],
        "quantity": quantity,
    }


@registry.action("draft.start", gives=("draft",))
async def start(
    turn: Turn, *, product: str, presentation: str | None = None, quantity: Quantity | None = None
) -> Refusal | None:
    """Begin to customize a product; an earlier draft is dropped.

    A presentation that is not offered is asked for.
    """
    found = await _product(turn, product)
    if isinstance(found, Refusal):
        return found
    turn.variables["draft"] = _blank(found, quantity) | {"presentation": presentation}
    return None


@registry.action(
    "draft.next",
    gives=("draft", "product", "group", "unit_price"),
    raises=("draft_size", "draft_group", "draft_quantity", "draft_complete"),
)
async def advance(turn: Turn) -> Refusal | Event:
    """Tell what is still to be chosen, as an event, and load `product` and `group` for it.

    What is no longer offered is taken out of the draft and asked for again.
    """
    draft = _draft(turn)
    if draft is None:
        return Refusal(Reason.NO_DRAFT)
    product = await _product(turn, draft["product"])
    if isinstance(product, Refusal):
        return product
    draft = turn.variables["draft"] = _still_offered(product, draft)
    turn.memory["product"] = product_view(product)
    if product.presentations and draft["presentation"] is None:
        return Event("draft_size")
    group = _open_group(product, draft)
    if group:
        turn.memory["group"] = group_view(group, tuple(draft["modifiers"]))
        return Event("draft_group")
    if draft["quantity"] is None:
        line = _line(turn, product, draft | {"quantity": 1})
        if isinstance(line, Refusal):
            return line
        turn.memory["unit_price"] = line.unit_price
        return Event("draft_quantity")
    return Event("draft_complete")


def _still_offered(product: Product, draft: dict[str, Any]) -> dict[str, Any]:
    size = product.presentation(draft["presentation"])
    offered = {m.id for g in product.groups for m in g.modifiers if m.is_available}
    taken = [m for m in draft["modifiers"] if m in offered]
    done = [
        g.id
        for g in product.groups
        if g.id in draft["done"] and check_group(g, _count(g, taken)) is None
    ]
    presentation = size.id if size and size.is_available else None
    return draft | {"presentation": presentation, "modifiers": taken, "done": done}


def _count(group: ModifierGroup, taken: list[str]) -> int:
    return sum(1 for m in group.modifiers if m.id in taken)


def _line(turn: Turn, product: Product, draft: dict[str, Any]) -> Any:
    return price_line(
        product,
        presentation=draft["presentation"],
        modifiers=draft["modifiers"],
        quantity=draft["quantity"],
        currency=turn.tenant.money,
    )


@registry.action("draft.size", gives=("draft",))
async def size(turn: Turn, *, product: str, presentation: str) -> Refusal | None:
    """Choose the presentation; a tap on an old message begins a new draft of its product."""
    found = await _product(turn, product)
    if isinstance(found, Refusal):
        return found
    chosen = found.presentation(presentation)
    if chosen is None:
        return Refusal(Reason.UNKNOWN_PRESENTATION, {"product": found.name})
    if not chosen.is_available:
        return _choice_sold_out(found, f"{found.name}, {chosen.name}")
    draft = _draft(turn)
    if draft is None or draft["product"] != product:
        draft = _blank(found)
    draft["presentation"] = presentation
    turn.variables["draft"] = draft
    return None


def _choice_sold_out(product: Product, name: str) -> Refusal:
    """Refuse a choice; `product_id` tells that the product itself is still to be had."""
    return Refusal(Reason.SOLD_OUT, {"product": name, "product_id": product.id})


@registry.action("draft.choose", gives=("draft",))
async def choose(turn: Turn, *, product: str, modifier: str) -> Refusal | None:
    """Take an add-on, or give it back if it was taken; a single choice ends its group."""
    found = await _product(turn, product)
    if isinstance(found, Refusal):
        return found
    group = _group_of(found, modifier)
    if group is None:
        return Refusal(Reason.UNKNOWN_MODIFIER, {"product": found.name})
    if not all(m.is_available for m in group.modifiers if m.id == modifier):
        name = next(m.name for m in group.modifiers if m.id == modifier)
        return _choice_sold_out(found, name)
    draft = _draft(turn)
    if draft is None or draft["product"] != product:
        draft = _blank(found)
    return _toggle(turn, draft, group, modifier)


def _toggle(
    turn: Turn, draft: dict[str, Any], group: ModifierGroup, modifier: str
) -> Refusal | None:
    of_group = {m.id for m in group.modifiers}
    taken = [m for m in draft["modifiers"] if m in of_group]
    others = [m for m in draft["modifiers"] if m not in of_group]
    done = [g for g in draft["done"] if g != group.id]
    if group.is_single:
        taken, done = [modifier], [*done, group.id]
    elif modifier in taken:
        taken.remove(modifier)
    elif len(taken) >= group.maximum:
        return check_group(group, len(taken) + 1)
    else:
        taken.append(modifier)
        if len(taken) == group.maximum:
            done.append(group.id)
    turn.variables["draft"] = draft | {"modifiers": [*others, *taken], "done": done}
    return None


@registry.action("draft.answer", gives=("draft",))
async def answer(turn: Turn, *, text: str) -> Refusal | None:
    """Choose the size or add-on whose name the customer typed."""
    draft = _draft(turn)
    if draft is None:
        return Refusal(Reason.NO_DRAFT)
    product = await _product(turn, draft["product"])
    if isinstance(product, Refusal):
        return product
    if product.presentations and draft["presentation"] is None:
        sizes = {str(p.id): p.name for p in product.presentations}
        found = closest(text, sizes)
        return await size(turn, product=product.id, presentation=found[0] if found else "")
    group = _open_group(product, draft)
    modifiers = {str(m.id): m.name for m in group.modifiers} if group else {}
    found = closest(text, modifiers)
    return await choose(turn, product=product.id, modifier=found[0] if found else "")


def _group_of(product: Product, modifier: str) -> ModifierGroup | None:
    return next((g for g in product.groups if any(m.id == modifier for m in g.modifiers)), None)


@registry.action("draft.done", gives=("draft",))
async def done(turn: Turn, *, product: str, group: str | None = None) -> Refusal | None:
    """Leave a modifier group (the one being asked for, if none is named) as it is.

    Refuses too few add-ons.
    """
    draft = _draft(turn)
    if draft is None or draft["product"] != product:
        return Refusal(Reason.NO_DRAFT)
    found = await _product(turn, product)
    if isinstance(found, Refusal):
        return found
    if group is None and found.presentations and draft["presentation"] is None:
        return Refusal(Reason.UNKNOWN_PRESENTATION, {"product": found.name})
    wanted = _open_group(found, draft) if group is None else _named_group(found, group)
    if wanted is None:
        return Refusal(Reason.UNKNOWN_MODIFIER, {"product": found.name})
    refusal = check_group(wanted, _count(wanted, draft["modifiers"]))
    if refusal:
        return refusal
    if wanted.id not in draft["done"]:
        turn.variables["draft"] = draft | {"done": [*draft["done"], wanted.id]}
    return None


def _open_group(product: Product, draft: dict[str, Any]) -> ModifierGroup | None:
    return next((g for g in product.groups if g.id not in draft["done"]), None)


def _named_group(product: Product, group: str) -> ModifierGroup | None:
    return next((g for g in product.groups if g.id == group), None)


@registry.action("draft.quantity", gives=("draft",))
async def quantity(turn: Turn, *, product: str, quantity: int | None = None) -> Refusal | None:
    """Choose how many; without a number it is asked again."""
    draft = _draft(turn)
    if draft is None or draft["product"] != product:
        return Refusal(Reason.NO_DRAFT)
    if quantity is not None and not 1 <= quantity <= 99:
        return Refusal(Reason.QUANTITY_OUT_OF_RANGE, {"maximum": 99})
    turn.variables["draft"] = draft | {"quantity": quantity}
    return None


@registry.action("draft.add", gives=("added", "draft"))
async def add(turn: Turn) -> Refusal | None:
    """Put the finished draft in the cart; `added` is the line."""
    draft = _draft(turn)
    if draft is None:
        return Refusal(Reason.NO_DRAFT)
    product = await _product(turn, draft["product"])
    if isinstance(product, Refusal):
        return product
    line = _line(turn, product, draft | {"quantity": draft["quantity"] or 1})
    if isinstance(line, Refusal):
        return line
    refusal = put(turn, line, stock=product.stock)
    if refusal is None:
        turn.variables["draft"] = None
    return refusal
