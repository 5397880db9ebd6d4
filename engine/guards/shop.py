"""Guards on the tenant and what it offers."""

from typing import Literal

from engine.registry import Registry
from engine.turn import Turn

registry = Registry()


@registry.guard("is_open")
def is_open(turn: Turn) -> bool:
    """Tell whether the tenant takes orders now."""
    return turn.tenant.is_open(turn.now)


@registry.guard("offers")
def offers(turn: Turn, *, type: Literal["delivery", "pickup"]) -> bool:
    """Tell whether the tenant delivers, or lets customers fetch."""
    return (turn.tenant.delivery if type == "delivery" else turn.tenant.pickup) is not None


@registry.guard("speaks")
def speaks(turn: Turn, *, language: str) -> bool:
    """Tell whether the tenant has texts in a language."""
    return language in turn.tenant.languages


@registry.guard("accepts")
def accepts(turn: Turn, *, payment: str) -> bool:
    """Tell whether the tenant takes a way to pay."""
    return payment in turn.tenant.payment_methods
