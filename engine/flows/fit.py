"""Which products a Flow can show; the others are customized in the chat."""

from engine.domain.catalog import ModifierGroup, Product
from engine.spec.flow import Flow


def misfit(flow: Flow, product: Product) -> str | None:
    """Tell why a Flow cannot show a product, or nothing if it can."""
    takes = flow.takes
    if takes is None:
        return "it shows no products"
    sizes, groups = len(product.presentations), len(product.groups)
    options = max((_options(group) for group in product.groups), default=0)
    for count, most, things in (
        (sizes, takes.presentations, "presentations"),
        (groups, takes.groups, "modifier groups"),
        (options, takes.options, "add-ons in one group"),
    ):
        if count > most:
            return f"'{product.name}' has {count} {things}, {most} fit"
    return None


def _options(group: ModifierGroup) -> int:
    """Count the options of a group; where one may be taken or none, "none" is one of them."""
    return len(group.modifiers) + (group.is_single and group.minimum == 0)
