"""Actions on Meta's copy of the catalog; none of them talks to Meta."""

from engine.domain.ids import ProductId
from engine.registry import Registry
from engine.turn import Turn

registry = Registry()


@registry.action("meta.sync_product")
async def sync_product(turn: Turn, *, product: str) -> None:
    """Let a product be compared with Meta's catalogue soon; one that is gone is deleted there."""
    if product not in turn.sync_products:
        turn.sync_products.append(ProductId(product))
