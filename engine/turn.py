"""A turn as actions and guards see it: one event, one customer, what is known and what is decided.

An action changes nothing outside it: what it decides is committed by the runtime, as a whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from engine.box_ports import Timer
from engine.clock import Ids
from engine.domain.cart import Cart
from engine.domain.conversation import Conversation
from engine.domain.ids import ProductId
from engine.domain.order import Order
from engine.domain.tenant import Tenant
from engine.flow_ports import FlowDesk, FlowSession
from engine.ports import CatalogRepository, NativeCatalog, OrderRepository
from engine.staff_ports import Notice, StaffDesk

EVENT_KEYS = (
    "name", "id", "title", "argument", "arguments", "text", "number", "quantity", "kind",
    "latitude", "longitude", "items", "catalog", "response", "reason", "product", "product_id",
    "group", "minimum", "maximum",
)  # fmt: skip
"""What every event says, or None; the end of a Flow says more, and a tap its `page`."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, under the name the chart knows it by.

    Args:
        name: such as `view_category`, `text`, `refused.sold_out`.
        data: plain values texts and guards read as `event.<key>`.
    """

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Turn:
    """The state of one turn.

    Args:
        conversation: a copy this turn may change.
        cart: the customer's cart; assign a new one to change it.
        flows: None where no Flow can be sent.
        memory: what actions loaded for the texts of this turn; forgotten after it.
        orders_placed: orders to store.
        stock_taken: units to take from counted products.
        flow_sessions: Flows that are sent.
        native: None where WhatsApp's own catalogue cannot be shown.
        sync_products: products to be compared with Meta's catalogue soon.
        staff: None where nobody can be called.
        notices: messages to the staff.
        given_back: hand-offs that end, by their ids.
        timers: of the states that are entered; see `engine.charts.timers`.
    """

    tenant: Tenant
    conversation: Conversation
    cart: Cart
    catalog: CatalogRepository
    orders: OrderRepository
    ids: Ids
    now: datetime
    terms: Mapping[str, Any]
    flows: FlowDesk | None = None
    memory: dict[str, Any] = field(default_factory=dict)
    orders_placed: list[Order] = field(default_factory=list)
    stock_taken: list[tuple[ProductId, int]] = field(default_factory=list)
    flow_sessions: list[FlowSession] = field(default_factory=list)
    native: NativeCatalog | None = None
    sync_products: list[ProductId] = field(default_factory=list)
    staff: StaffDesk | None = None
    notices: list[Notice] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, Any]:
        """Give what the conversation remembers from turn to turn."""
        return self.conversation.variables

    @property
    def cart_expiry(self) -> datetime:
        """Tell when a cart touched now is emptied."""
        return self.now + timedelta(hours=self.tenant.cart_hours)
