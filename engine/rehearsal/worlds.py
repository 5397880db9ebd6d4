"""The worlds a walk goes through: the tenant's own, and what may be different there meanwhile.

In a world there is a menu, WhatsApp Flows or none, WhatsApp's own catalogue or none, and a time.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.charts.compiler import Structures
from engine.charts.run import Heard
from engine.domain.tenant import Tenant
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import NOON, Rehearsal
from engine.rehearsal.shelves import dearer, emptied, scarce, sold_out
from engine.spec.bundle import Bundle

CLOSED_GUARD = "is_open"
"""A branch whose condition names it does something else while the tenant is closed."""
_SCARCE = "(meanwhile there is little left)"
_WEEK = 7 * 24
_READERS = ("catalog.", "cart.", "draft.", "order.", "native.")
"""Beginnings of the names of actions whose outcome is another where something has changed."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Where acts are played.

    Args:
        change: what has happened meanwhile, as a transcript says it; empty in the ordinary one.
        actions: beginnings of the names of the actions whose turns are played here again.
        raised: events that an action raised in the turns that are played here again.
        is_timed: turns that ask whether the tenant is open are played here again.
        is_last_first: what was done last is done again first: there is more in the cart.
        at: when it is; None if time has not passed.
    """

    rehearsal: Rehearsal
    change: str = ""
    actions: tuple[str, ...] = ()
    raised: frozenset[str] = frozenset()
    is_timed: bool = False
    is_last_first: bool = False
    at: datetime | None = None

    def shifted(self, moment: Moment) -> Moment:
        """Give a moment as it is in this world."""
        if self.at is None or self.at <= moment.now:
            return moment
        return replace(moment, now=self.at)


def worlds(
    bundle: Bundle,
    catalog: MenuCatalog,
    heard: Heard,
    *,
    customer: str,
    structures: Structures | None = None,
) -> tuple[World, tuple[World, ...]]:
    """Make the ordinary world, in which the chat does everything, and the others."""

    shared = structures or Structures()

    def rehearsal(menu: MenuCatalog, *, flows: bool = False, native: bool = False) -> Rehearsal:
        return Rehearsal(
            bundle, menu, has_flows=flows, has_native=native, heard=heard, customer=customer,
            structures=shared,
        )  # fmt: skip

    plain = rehearsal(catalog)
    others: list[World] = []
    if bundle.flows:
        others.append(
            World(rehearsal(catalog, flows=True), raised=frozenset({"flow_unavailable"}))
        )
    if bundle.tenant.catalog.mode == "single":
        native = frozenset({"native_unavailable", "native_taken", "native_not_taken"})
        others.append(World(rehearsal(catalog, native=True), raised=native))
    others += [
        World(rehearsal(sold_out(catalog)), "(meanwhile everything is sold out)", _READERS),
        World(rehearsal(scarce(catalog)), _SCARCE, _READERS, is_last_first=True),
        World(rehearsal(dearer(catalog)), "(meanwhile every price has risen)", _READERS),
        World(rehearsal(emptied()), "(meanwhile the menu has been emptied)", _READERS),
    ]
    closed = first_hour(bundle.tenant, is_open=False, after=opened(bundle.tenant))
    if closed is not None:
        others.append(
            World(plain, "(it is closed now)", ("order.place",), is_timed=True, at=closed)
        )
    return World(plain), tuple(others)


def opened(tenant: Tenant) -> datetime:
    """Give a time at which a tenant is open, if there is one."""
    return first_hour(tenant, is_open=True) or NOON


def first_hour(tenant: Tenant, *, is_open: bool, after: datetime = NOON) -> datetime | None:
    """Find the first hour at which a tenant is open, or closed, within a week."""
    hours = (after + timedelta(hours=hour) for hour in range(_WEEK))
    return next((hour for hour in hours if tenant.is_open(hour) is is_open), None)
