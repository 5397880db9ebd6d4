"""A turn at La Tavola, and verbs called as the runner calls them: with checked arguments.

The ports are in memory and never wait, so no event loop is needed.
"""

from collections.abc import Coroutine, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from engine.clock import SeededIds
from engine.domain.cart import Cart, CartLine
from engine.domain.catalog import Product
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, ProductId, TenantId
from engine.domain.menu import Menu
from engine.domain.pricing import price_line
from engine.domain.refusals import Reason, Refusal
from engine.domain.tenant import Tenant
from engine.flow_ports import FlowDesk, FlowSession
from engine.ports import CatalogRepository, NativeCatalog
from engine.registry import Outcome
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.turn import Event, Turn
from engine.verbs import all_verbs
from tests.memory import MemoryCatalog, MemoryNative, MemoryOrders

ROOT = Path(__file__).parents[3]
VERBS = all_verbs()
LIBRARY = Library(ROOT, VERBS)
OPEN = datetime(2026, 11, 24, 17, 30, tzinfo=UTC)
"""A Tuesday, 12:30 in New York."""
CLOSED = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
CUSTOMER = CustomerKey("US.1349120")


@dataclass
class OpenDesk:
    """A desk that sends Flows: `engine.flow_ports.FlowDesk`.

    Args:
        deployed: Meta's ids by Flow, or by product for what is deployed for it alone.
        too_large: products that no Flow can show.
    """

    deployed: dict[str, str] = field(
        default_factory=lambda: {"product_customization": "77", "checkout": "88"}
    )
    too_large: frozenset[str] = frozenset()
    phone_number_id: str = "101"

    def misfit(self, flow: str, product: Product) -> str | None:
        return "too large" if product.id in self.too_large else None

    async def meta_id(self, flow: str, *, product: str | None, language: str) -> str | None:
        return self.deployed.get(product or "") or self.deployed.get(flow)

    def token(self, session: FlowSession) -> str:
        return f"token of {session.id}"


FREE_NAMES = frozenset({"save", "forget"})
"""Actions that note values under the author's own names."""


@cache
def bundle(tenant: str = "la-tavola") -> Bundle:
    return LIBRARY.load(TenantId(tenant))


@cache
def menu(tenant: str = "la-tavola") -> Menu:
    problems = Problems()
    found = LIBRARY.menu(TenantId(tenant), problems)
    problems.raise_if_any()
    assert found is not None
    return found


def la_tavola(**changes: Any) -> Tenant:
    """Give the tenant, some settings changed."""
    return bundle().tenant.model_copy(update=changes)


def a_turn(
    *,
    of: Menu | None = None,
    tenant: Tenant | None = None,
    now: datetime = OPEN,
    language: str = "en",
    changes: Mapping[str, Mapping[str, Any] | None] | None = None,
    cart: Cart | None = None,
    flows: FlowDesk | None = None,
    native: NativeCatalog | None = None,
    **variables: Any,
) -> Turn:
    """Make a turn.

    Args:
        changes: what is different about products; None for one that is gone.
        flows: None where no Flow can be sent.
        native: None where WhatsApp's own catalogue cannot be shown.
    """
    catalog = MemoryCatalog(of or menu())
    for rid, change in (changes or {}).items():
        alter(catalog, rid, change)
    who = Conversation(
        TenantId("la-tavola"), CUSTOMER, language, phone="12125550100", name="Ana",
        variables=variables,
    )  # fmt: skip
    return Turn(
        tenant=tenant or la_tavola(),
        conversation=who,
        cart=cart or Cart(),
        catalog=catalog,
        orders=MemoryOrders(),
        ids=SeededIds(7),
        now=now,
        terms=bundle().vocabulary(language).terms,
        flows=flows,
        native=native,
    )


def shown(taken: Mapping[str, tuple[str, ...]], *, connected: str | None = "900") -> MemoryNative:
    """Make Meta's catalogue with the items it has taken, by product."""
    native = MemoryNative()
    native.connected = connected
    native.held = {key(rid): items for rid, items in taken.items()}
    return native


def alter(catalog: CatalogRepository, rid: str, change: Mapping[str, Any] | None) -> None:
    """Change a product of a catalog, or take it out."""
    assert isinstance(catalog, MemoryCatalog)
    if change is None:
        del catalog.products[key(rid)]
    else:
        catalog.products[rid] = replace(catalog.products[rid], **change)


def products(turn: Turn) -> dict[str, Product]:
    assert isinstance(turn.catalog, MemoryCatalog)
    return turn.catalog.products


def product(turn: Turn, rid: str) -> Product:
    return products(turn)[rid]


def priced(
    turn: Turn, rid: str, *modifiers: str, size: str | None = None, quantity: int = 1
) -> CartLine:
    """Price a line as the ladder does."""
    line = price_line(
        product(turn, rid), presentation=size, modifiers=modifiers, quantity=quantity,
        currency=turn.tenant.money,
    )  # fmt: skip
    assert isinstance(line, CartLine), line
    return line


def decided(turn: Turn) -> Any:
    """Give everything that a turn would save."""
    who = turn.conversation
    return (
        deepcopy(who.variables), who.language, turn.cart, tuple(turn.orders_placed),
        tuple(turn.stock_taken), tuple(turn.flow_sessions), tuple(turn.sync_products),
        tuple(turn.notices), tuple(turn.given_back), tuple(turn.timers),
    )  # fmt: skip


def wait(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run what never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")


def act(turn: Turn, name: str, **arguments: Any) -> Outcome:
    """Take an action, and check what holds for every one of them.

    A refusal changes nothing that is saved; nothing is loaded or noted and no event raised that
    the action does not tell of.
    """
    verb = VERBS.actions[name]
    before, loaded = decided(turn), dict(turn.memory)
    outcome: Outcome = wait(verb.function(turn, **verb.bind(arguments)))
    if isinstance(outcome, Refusal):
        assert decided(turn) == before
    if isinstance(outcome, Event):
        assert outcome.name in verb.raises
    told = {key for key, value in turn.memory.items() if value is not loaded.get(key)}
    assert told <= verb.gives, name
    noted = {
        key for key in turn.variables | before[0]
        if turn.variables.get(key) != before[0].get(key)
    }  # fmt: skip
    if name not in FREE_NAMES and name != "order.place":
        assert noted <= verb.gives, name
    return outcome


def done(turn: Turn, name: str, **arguments: Any) -> None:
    """Take an action that must not refuse."""
    outcome = act(turn, name, **arguments)
    assert outcome is None, outcome


def refused(turn: Turn, name: str, **arguments: Any) -> Refusal:
    """Take an action that must refuse."""
    outcome = act(turn, name, **arguments)
    assert isinstance(outcome, Refusal), outcome
    return outcome


def reason(turn: Turn, name: str, **arguments: Any) -> Reason:
    return refused(turn, name, **arguments).reason


def raised(turn: Turn, name: str, **arguments: Any) -> Event:
    """Take an action that must answer with an event."""
    outcome = act(turn, name, **arguments)
    assert isinstance(outcome, Event), outcome
    return outcome


def ask(turn: Turn, name: str, **arguments: Any) -> bool:
    """Ask a guard, as a template does."""
    return VERBS.guard_functions()[name](turn, **arguments)


def money(text: str) -> Decimal:
    return Decimal(text)


def key(rid: str) -> ProductId:
    return ProductId(rid)
