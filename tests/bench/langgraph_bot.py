"""The same shop as a LangGraph graph: a router, a node per intent, a checkpoint per customer.

Actions, views and message templates are the engine's own, so that what differs is how a turn is
found, run and kept.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypedDict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from engine.actions import cart, catalog, draft, order
from engine.charts.inbound import candidates, tap_event
from engine.clock import SeededIds
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey
from engine.rendering.messages import render_all
from engine.rendering.views import cart_view, plain, tenant_view
from engine.spec.check import variables_of
from engine.storage.carts import cart_from_disk, cart_to_disk
from engine.templating.language import GUARD_TURN
from engine.turn import Event, Turn
from engine.whatsapp.content import Content, Tap, Text
from engine.whatsapp.outbound import to_payload
from tests.bench.journey import TENANT, Shop
from tests.memory import MemoryStore

CUSTOMER = CustomerKey("US.15550001")
PHONE = "15550001"
_PLACES = {"receiving": "address"}
"""What the customer is asked after a node, when that matters to what he types."""


class State(TypedDict, total=False):
    """What a customer's checkpoint holds."""

    message: str
    is_tap: bool
    event: dict[str, Any]
    place: str | None
    cart: dict[str, Any]
    variables: dict[str, Any]
    replies: list[dict[str, Any]]


Said = tuple[str, ...]
Work = Callable[[Turn, dict[str, Any]], Awaitable[Said]]


@dataclass(frozen=True, slots=True)
class Bot:
    """The nodes, and what all of them need."""

    shop: Shop
    store: MemoryStore
    names: tuple[str, ...]

    async def route(self, state: State) -> State:
        """Tell what a message means."""
        found = self._meaning(state)
        return {"event": {**found.data, "name": found.name}, "replies": []}

    def _meaning(self, state: State) -> Event:
        bundle = self.shop.bundle
        if state["is_tap"]:
            return tap_event(state["message"], bundle.chart.prefixes)
        if state.get("place") == "address":
            return Event("address", {"text": state["message"]})
        read = candidates(Text(state["message"]), bundle, "en")
        if read is None or not read.sure:
            return Event("text", {"text": state["message"]})
        return read.sure[0]

    def node(self, place: str, work: Work) -> Callable[[State], Awaitable[State]]:
        """Make a node that takes a turn and says what came of it."""

        async def run(state: State) -> State:
            turn, event = self._turn(state), state["event"]
            said = await work(turn, event)
            self.store.placed += turn.orders_placed
            messages = self.shop.bundle.vocabulary("en").messages
            context = self._context(turn, state)
            replies = [reply for name in said for reply in render_all(messages[name], context)]
            return {
                "place": place,
                "cart": cart_to_disk(turn.cart, CUSTOMER, turn.tenant.money),
                "variables": plain(turn.variables),
                "replies": [to_payload(reply, to=PHONE) for reply in replies],
            }

        return run

    def _turn(self, state: State) -> Turn:
        tenant = self.shop.bundle.tenant
        held = state.get("cart") or {"items": []}
        variables = state.get("variables") or {}
        return Turn(
            tenant=tenant,
            conversation=Conversation(
                TENANT, CUSTOMER, "en", phone=PHONE, name="Ana", variables=variables
            ),
            cart=cart_from_disk(held, tenant.money),
            catalog=self.store.catalog,
            orders=self.store.orders,
            ids=SeededIds(),
            now=self.shop.clock.now(),
            terms=self.shop.bundle.vocabulary("en").terms,
        )

    def _context(self, turn: Turn, state: State) -> dict[str, Any]:
        return {
            **dict.fromkeys(self.names),
            "event": state["event"],
            "cart": cart_view(turn.cart),
            "customer": {"name": "Ana", "phone": PHONE},
            "tenant": tenant_view(turn.tenant, "en"),
            "now": turn.now,
            "is_new": state.get("place") is None,
            "misses": 0,
            "language": "en",
            "locale": turn.tenant.locale("en"),
            "terms": turn.terms,
            GUARD_TURN: turn,
            **turn.variables,
            **turn.memory,
        }


def graph(shop: Shop, store: MemoryStore) -> Any:
    """Compile the graph, with its checkpoints in memory."""
    bot = Bot(shop, store, tuple(variables_of(shop.bundle.chart)))
    made: Any = StateGraph(State)  # its types do not know functions made by functions
    made.add_node("router", bot.route)
    made.add_edge(START, "router")
    for name, work in _NODES.items():
        made.add_node(name, bot.node(_PLACES.get(name, "elsewhere"), work))
        made.add_edge(name, END)
    made.add_conditional_edges("router", _following, list(_NODES))
    return made.compile(checkpointer=InMemorySaver())


async def _following(state: State) -> str:
    name: str = state["event"]["name"]
    return _INTENTS.get(name, name)


_INTENTS = {
    "greet": "menu",
    "browse_catalog": "categories",
    "view_category": "products",
    "view_product": "product",
    "size": "choosing",
    "choose": "choosing",
    "choose_done": "choosing",
    "quantity": "choosing",
    "customize": "choosing",
    "view_cart": "cart",
    "delivery": "receiving",
    "pay": "summary",
    "confirm": "thanks",
    "text": "product",
}


async def _menu(_turn: Turn, _event: dict[str, Any]) -> Said:
    return ("main_menu",)


async def _categories(turn: Turn, _event: dict[str, Any]) -> Said:
    await catalog.categories(turn)
    return ("categories",)


async def _products(turn: Turn, event: dict[str, Any]) -> Said:
    turn.variables["category_id"] = event["argument"]
    await catalog.category(turn, category=event["argument"])
    return ("products",)


async def _product(turn: Turn, event: dict[str, Any]) -> Said:
    wanted = event.get("argument") or event["text"]
    if not event.get("id"):
        found = await catalog.find(turn, text=wanted)
        assert isinstance(found, Event)
        wanted = found.data["argument"]
    turn.variables["product_id"] = wanted
    await catalog.product(turn, product=wanted)
    return ("product",)


async def _choosing(turn: Turn, event: dict[str, Any]) -> Said:
    product, *rest = event["arguments"]
    match event["name"]:
        case "customize":
            await draft.start(turn, product=product)
        case "size":
            await draft.size(turn, product=product, presentation=rest[0])
        case "choose":
            await draft.choose(turn, product=product, modifier=rest[0])
        case "choose_done":
            await draft.done(turn, product=product, group=rest[0])
        case _:
            await draft.quantity(turn, product=product, quantity=int(rest[0]))
    asked = await draft.advance(turn)
    assert isinstance(asked, Event)
    if asked.name == "draft_complete":
        await draft.add(turn)
        return ("added",)
    if asked.name == "draft_group":
        return ("ask_one" if turn.memory["group"]["maximum"] == 1 else "ask_several",)
    return ({"draft_size": "ask_size", "draft_quantity": "ask_quantity"}[asked.name],)


async def _add(turn: Turn, event: dict[str, Any]) -> Said:
    await cart.add(turn, product=event["argument"])
    return ("added",)


async def _cart(turn: Turn, _event: dict[str, Any]) -> Said:
    await cart.refresh(turn)
    return ("cart_changed", "cart")


async def _checkout(turn: Turn, _event: dict[str, Any]) -> Said:
    return ("ask_receiving" if turn.tenant.is_open(turn.now) else "closed",)


async def _receiving(turn: Turn, _event: dict[str, Any]) -> Said:
    await order.choose_type(turn, type="delivery")
    return ("ask_address",)


async def _address(turn: Turn, event: dict[str, Any]) -> Said:
    await order.choose_address(turn, text=event["text"])
    return ("ask_payment",)


async def _summary(turn: Turn, event: dict[str, Any]) -> Said:
    await order.choose_payment(turn, method=event["argument"])
    await order.quote(turn)
    return ("summary",)


async def _thanks(turn: Turn, event: dict[str, Any]) -> Said:
    await order.place(turn, seen=event["argument"])
    await order.load(turn)
    return ("confirmation",)


async def _status(turn: Turn, _event: dict[str, Any]) -> Said:
    await order.load(turn)
    return ("order_status",)


_NODES: dict[str, Work] = {
    "menu": _menu,
    "categories": _categories,
    "products": _products,
    "product": _product,
    "choosing": _choosing,
    "add_to_cart": _add,
    "cart": _cart,
    "checkout": _checkout,
    "receiving": _receiving,
    "address": _address,
    "summary": _summary,
    "thanks": _thanks,
    "order_status": _status,
}


def heard(content: Content) -> State:
    """Give the input of a message."""
    if isinstance(content, Tap):
        return {"message": content.id, "is_tap": True}
    assert isinstance(content, Text)
    return {"message": content.body, "is_tap": False}
