"""Plays a scripted conversation on a playground and writes it down as a transcript."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.clock import ManualClock, SeededIds
from engine.domain.ids import CustomerKey, TenantId
from engine.domain.order import Order
from engine.errors import EngineError
from engine.playground import Playground
from engine.ports import TenantStore
from engine.sandbox import Customer, OpenFlow
from engine.sandbox.choices import Choice, choices
from engine.sandbox.device.form import NotPossible
from engine.sandbox.state import Received
from engine.spec.dialog import Change, Dialog, Expectation, NativeCart, Place, Step
from engine.spec.model import delay_of
from engine.storage.amounts import to_disk
from engine.storage.documents import OrderDocument, ProductDocument
from engine.storage.records import TimerDocument
from engine.transcript import lines

CATALOG_ID = "100200300400500"
"""The catalogue that native carts are of; which one counts only where it is connected by us."""
MEDIA = {"id": "media", "mime_type": "application/octet-stream", "sha256": "0"}
UNREADABLE: dict[str, dict[str, object]] = {
    "voice": {"type": "audio", "audio": {**MEDIA, "voice": True}},
    "image": {"type": "image", "image": MEDIA},
    "sticker": {"type": "sticker", "sticker": {**MEDIA, "animated": False}},
    "reaction": {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}},
    "contacts": {"type": "contacts", "contacts": [{"name": {"formatted_name": "Luis"}}]},
    "unknown": {"type": "hologram", "hologram": {"id": "1"}},
    "empty": {"type": "text", "text": {"body": "  "}},
}


class DialogFailed(EngineError):
    """A step cannot be played, or what it expects does not hold."""


class Stage:
    """One customer's conversation: what he does, and what he sees of it.

    Args:
        show: gets every line of the transcript as it comes.
    """

    def __init__(
        self,
        playground: Playground,
        tenant: TenantId,
        customer: Customer,
        *,
        show: Callable[[str], None],
    ) -> None:
        self._playground = playground
        self._tenant = tenant
        self._customer = customer
        self._show = show
        self._received: list[Received] = []
        self._flow: OpenFlow | None = None

    @property
    def received(self) -> list[Received]:
        """Give every message the customer got."""
        return self._received

    async def say(self, text: str) -> None:
        """Write something, and see the answer."""
        self._show(f"customer: {text}")
        await self._customer.say(text)
        await self.see()

    async def tap(self, wanted: str, *, oldest: bool = False) -> None:
        """Tap a row or button by its title or wire id, the newest one unless told otherwise."""
        found = self._find(wanted, oldest=oldest)
        if found is None:
            raise DialogFailed(f"nothing to tap is called '{wanted}'")
        old = " (of an older message)" if found.wamid != self._received[-1].wamid else ""
        self._show(f"customer taps: {found.title}{old}")
        await self._customer.send_raw(found.reply())
        await self.see()

    def _find(self, wanted: str, *, oldest: bool) -> Choice | None:
        messages = self._received if oldest else reversed(self._received)
        offered = (choice for message in messages for choice in choices(message))
        return next((c for c in offered if wanted in (c.title, c.id)), None)

    async def send(self, message: dict[str, object], shown: str) -> None:
        """Send a message as WhatsApp would, and see the answer."""
        self._show(f"customer sends: {shown}")
        await self._customer.send_raw(message)
        await self.see()

    async def share(self, latitude: float, longitude: float, name: str, address: str) -> None:
        """Share a place, and see the answer."""
        self._show(f"customer shares a place: {name or f'{latitude}, {longitude}'}")
        await self._customer.share_location(
            latitude, longitude, name=name or None, address=address or None
        )
        await self.see()

    async def open_flow(self) -> None:
        """Open the newest Flow, and see its first screen."""
        self._flow = await self._customer.open_flow()
        self._show("customer opens the Flow")
        await self._see_flow()

    async def fill(self, values: Mapping[str, Any]) -> None:
        """Fill in a screen and tap its button, and see what comes of it.

        Args:
            values: by the inputs' labels as shown, or their names.
        """
        flow = self._open()
        shown = (flow.screen or {}).get("components", ())
        button = next((one["label"] for one in shown if one["type"] == "Footer"), "")
        said = "; ".join(_written(value) for value in values.values())
        self._show(
            f"customer enters: {said}; taps: {button}" if said else f"customer taps: {button}"
        )
        names = {one["label"]: one["name"] for one in shown if "name" in one and "label" in one}
        await self._do(flow.submit({names.get(key, key): v for key, v in values.items()}))

    async def go_back(self) -> None:
        """Go back to the screen before."""
        self._show("customer goes back")
        await self._do(self._open().back())

    async def close_flow(self) -> None:
        """Leave the Flow without finishing it."""
        self._show("customer closes the Flow")
        await self._do(self._open().close())

    async def _do(self, done: Awaitable[None]) -> None:
        try:
            await done
        except NotPossible as error:
            raise DialogFailed(f"the phone does not let him: {error}") from error
        await self._see_flow()

    def _open(self) -> OpenFlow:
        if self._flow is None or self._flow.state != "open":
            raise DialogFailed("no Flow is open")
        return self._flow

    @property
    def flow(self) -> OpenFlow | None:
        """Give the Flow he has open."""
        return self._flow if self._flow and self._flow.state == "open" else None

    async def _see_flow(self) -> None:
        flow = self._flow
        assert flow is not None
        if flow.state == "open":
            for line in flow.lines:
                self._show(f"      {line}".rstrip())
            return
        if flow.state == "failed":
            raise DialogFailed(f"the Flow failed: {flow.error}")
        self._show(f"(the Flow is {flow.state})")
        if flow.state == "finished":
            await self.see()

    async def see(self) -> None:
        """Show what has come since, which should be an answer."""
        fresh = await self.look()
        self.show(fresh)
        if not fresh:
            self._show("(no answer)")

    async def look(self) -> list[Received]:
        """Give what has come since."""
        await self._playground.engine.idle()
        after = self._received[-1].n if self._received else 0
        fresh = await self._customer.messages(after=after)
        self._received += fresh
        return list(fresh)

    def show(self, messages: list[Received]) -> None:
        """Show messages."""
        for message in messages:
            shown = lines(message.payload)
            self._show(f"shop: {shown[0]}".rstrip())
            for line in shown[1:]:
                self._show(f"      {line}".rstrip())


async def play(
    dialog: Dialog,
    playground: Playground,
    tenant: TenantId,
    *,
    name: str,
    show: Callable[[str], None],
) -> None:
    """Play a dialog on a playground whose clock and ids can be set.

    Args:
        name: of the dialog; the customer's number and the order numbers are made from it.

    Raises:
        DialogFailed: a step cannot be played, or what it expects does not hold.
    """
    engine = playground.engine
    seed = int(hashlib.blake2s(name.encode(), digest_size=4).hexdigest(), 16)
    if isinstance(engine.clock, ManualClock) and dialog.at:
        zone = playground.bundle(tenant).tenant.zone
        engine.clock.set(dialog.at.replace(tzinfo=zone).astimezone(UTC))
    if isinstance(engine.ids, SeededIds):
        engine.ids.reset(seed)
    await playground.offer_flows(tenant, offered=dialog.flows)
    customer = playground.customer(tenant, f"1555{seed:010d}", dialog.customer)
    stage = Stage(playground, tenant, customer, show=show)
    for place, step in enumerate(dialog.steps, start=1):
        try:
            await _Act(playground, tenant, customer, stage, show).do(step)
        except DialogFailed as error:
            raise DialogFailed(f"step {place}: {error}") from error


class _Act:
    """Does one step."""

    def __init__(
        self,
        playground: Playground,
        tenant: TenantId,
        customer: Customer,
        stage: Stage,
        show: Callable[[str], None],
    ) -> None:
        self._playground = playground
        self._tenant = tenant
        self._customer = customer
        self._stage = stage
        self._show = show

    async def do(self, step: Step) -> None:
        name = next(iter(step.model_fields_set))
        await getattr(self, f"_{name}")(getattr(step, name))

    async def _say(self, text: str) -> None:
        await self._stage.say(text)

    async def _tap(self, wanted: str) -> None:
        await self._stage.tap(wanted)

    async def _tap_old(self, wanted: str) -> None:
        await self._stage.tap(wanted, oldest=True)

    async def _flow(self, screens: tuple[dict[str, Any] | str, ...]) -> None:
        await self._stage.open_flow()
        doings = {"back": self._stage.go_back, "close": self._stage.close_flow}
        for screen in screens:
            if isinstance(screen, dict):
                await self._stage.fill(screen)
            elif screen in doings:
                await doings[screen]()
            else:
                raise DialogFailed(f"'{screen}' is neither `back` nor `close`")

    async def _order(self, cart: NativeCart) -> None:
        currency = self._playground.bundle(self._tenant).tenant.currency
        items = [
            {
                "product_retailer_id": line.item,
                "quantity": line.quantity,
                "item_price": float(line.price),
                "currency": line.currency or currency,
            }
            for line in cart.items
        ]
        order: dict[str, object] = {"catalog_id": CATALOG_ID, "product_items": items}
        shown = "; ".join(
            f"{line.quantity}× {line.item} at {line.price} {line.currency or ''}".rstrip()
            for line in cart.items
        )
        if cart.note:
            order["text"] = cart.note
            shown += f"; note: {cart.note}"
        await self._stage.send({"type": "order", "order": order}, f"a cart: {shown}")

    async def _location(self, place: Place) -> None:
        await self._stage.share(place.latitude, place.longitude, place.name, place.address)

    async def _send(self, kind: str) -> None:
        await self._stage.send(dict(UNREADABLE[kind]), kind)

    async def _wait(self, delay: str) -> None:
        clock = self._playground.engine.clock
        if not isinstance(clock, ManualClock):
            raise DialogFailed("time cannot pass on the machine's own clock")
        told, end = clock.now(), clock.now() + delay_of(delay)
        while told < end:
            moment = await self._next_timer(after=clock.now(), until=end) or end
            clock.set(moment)
            came = await self._stage.look()
            if came or moment == end:
                passed = moment - told
                self._show(f"({delay if passed == delay_of(delay) else _span(passed)} later)")
                self._stage.show(came)
                told = moment

    async def _next_timer(self, *, after: datetime, until: datetime) -> datetime | None:
        """Tell when the customer's next timer is due."""
        rows = self._playground.engine.database.collection(TimerDocument)
        due = {"$gt": after, "$lte": until}
        own = {"tenant": self._tenant, "customer": self._key, "due": due}
        found = await rows.find_one(own, sort=[("due", 1)])
        return found["due"].replace(tzinfo=UTC) if found else None

    async def _change(self, change: Change) -> None:
        rows = self._playground.engine.database.collection(ProductDocument)
        fields: dict[str, object] = {}
        if change.price is not None:
            money = self._playground.bundle(self._tenant).tenant.money
            fields["basePrice"] = to_disk(change.price, money)
        if change.available is not None:
            fields["isAvailable"] = change.available
        key = {"rId": change.product, "subDomain": self._tenant}
        found = await rows.update_one(key, {"$set": fields})
        if not found.matched_count:
            raise DialogFailed(f"there is no product '{change.product}'")
        said = ", ".join(f"{name} {value}" for name, value in fields.items())
        self._show(f"(the back end changes {change.product}: {said})")

    async def _expect(self, wanted: Expectation) -> None:
        for name in wanted.model_fields_set - {"order"}:
            await self._holds(name, getattr(wanted, name))
        order = await self._store.orders.get_latest(self._key) if wanted.order else None
        facts = _facts(order) if order else {}
        for name, value in wanted.order.items():
            _check(f"order.{name}", facts.get(name), value)

    async def _holds(self, name: str, value: object) -> None:
        held: object
        if name == "state":
            conversation = await self._store.conversations.get(self._key)
            held = conversation and conversation.position and conversation.position.leaf
        elif name == "cart":
            cart = await self._store.carts.get(self._key)
            held = cart.count if cart else 0
        else:
            orders = self._playground.engine.database.collection(OrderDocument)
            own = {"subDomain": self._tenant, "customer.userId": self._customer.user_id}
            held = await orders.count_documents(own)
        _check(name, held, value)

    @property
    def _store(self) -> TenantStore:
        return self._playground.engine.store(self._tenant)

    @property
    def _key(self) -> CustomerKey:
        return CustomerKey(self._customer.user_id or self._customer.phone)


def _span(passed: timedelta) -> str:
    """Write a time as authors do: `90m`."""
    seconds = int(passed.total_seconds())
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    return next(f"{seconds // size}{unit}" for unit, size in units if seconds % size == 0)


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _facts(order: Order) -> dict[str, object]:
    return {
        "total": order.total,
        "subtotal": order.quote.subtotal,
        "tax": order.quote.tax,
        "deliveryFee": order.quote.delivery_fee,
        "type": order.type.value,
        "paymentMethod": order.payment_kind,
        "status": order.status.value,
    }


def _check(name: str, held: object, wanted: object) -> None:
    if not _same(held, wanted):
        raise DialogFailed(f"expected {name} {wanted}, it is {held}")


def _same(held: object, wanted: object) -> bool:
    """Compare a fact with what a dialog's YAML says of it: an amount of 37.00 is written 37.0."""
    if isinstance(held, Decimal) and isinstance(wanted, (int, float)):
        return held == Decimal(str(wanted))
    return str(held) == str(wanted)
