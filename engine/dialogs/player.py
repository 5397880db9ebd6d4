"""Plays the steps of a dialog on a playground, one after the other.

What the customer sees is shown line by line; whether it is what he should see is told elsewhere.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.clock import ManualClock, SeededIds
from engine.dialogs.staff import StaffPhone
from engine.dialogs.stage import DialogFailed, Stage
from engine.domain.ids import CustomerKey, TenantId
from engine.domain.order import Order
from engine.playground import Playground
from engine.ports import TenantStore
from engine.spec.chart import delay_of
from engine.spec.dialog import (
    Change,
    Dialog,
    Expectation,
    Move,
    NativeCart,
    Opening,
    Place,
    Sent,
    StaffActs,
    Step,
)
from engine.storage.amounts import to_disk
from engine.storage.documents import OrderDocument, ProductDocument
from engine.storage.records import TimerDocument

CATALOG_ID = "100200300400500"
"""The catalogue that native carts are of; which one counts only where it is connected by us."""
MEDIA = {"id": "media", "mime_type": "application/octet-stream", "sha256": "0"}
UNREADABLE: Mapping[Sent, Mapping[str, object]] = {
    "voice": {"type": "audio", "audio": {**MEDIA, "voice": True}},
    "image": {"type": "image", "image": MEDIA},
    "sticker": {"type": "sticker", "sticker": {**MEDIA, "animated": False}},
    "reaction": {"type": "reaction", "reaction": {"message_id": "wamid.x", "emoji": "👍"}},
    "contacts": {"type": "contacts", "contacts": [{"name": {"formatted_name": "Luis"}}]},
    "unknown": {"type": "hologram", "hologram": {"id": "1"}},
    "empty": {"type": "text", "text": {"body": "  "}},
}

Show = Callable[[str], None]


async def begin(
    opening: Opening, playground: Playground, tenant: TenantId, *, name: str, show: Show
) -> "Player":
    """Let a customer come to a playground; its clock and ids are set if they can be.

    Args:
        name: of the dialog; the customer's number and the order numbers are made from it.
    """
    engine = playground.engine
    seed = int(hashlib.blake2s(name.encode(), digest_size=4).hexdigest(), 16)
    if isinstance(engine.clock, ManualClock) and opening.at:
        zone = playground.bundle(tenant).tenant.zone
        engine.clock.set(opening.at.replace(tzinfo=zone).astimezone(UTC))
    if isinstance(engine.ids, SeededIds):
        engine.ids.reset(seed)
    await playground.offer_flows(tenant, offered=opening.flows)
    customer = playground.customer(tenant, f"1555{seed:010d}", opening.customer)
    staff = await StaffPhone.of(playground, tenant, show)
    stage = Stage(playground, customer, show=show)
    return Player(playground, tenant, stage, show, staff=staff)


async def play(
    dialog: Dialog, playground: Playground, tenant: TenantId, *, name: str, show: Show
) -> None:
    """Play a dialog.

    Args:
        name: of the dialog; the customer's number and the order numbers are made from it.

    Raises:
        DialogFailed: a step cannot be played, or what it expects does not hold.
    """
    player = await begin(dialog, playground, tenant, name=name, show=show)
    for place, step in enumerate(dialog.steps, start=1):
        try:
            await player.do(step)
        except DialogFailed as error:
            raise DialogFailed(f"step {place} ({step}): {error}") from error


class Player:
    """Does the steps of one dialog."""

    def __init__(
        self,
        playground: Playground,
        tenant: TenantId,
        stage: Stage,
        show: Show,
        *,
        staff: StaffPhone | None = None,
    ) -> None:
        self.stage = stage
        self._staff = staff
        self._told = 0
        self._playground = playground
        self._tenant = tenant
        self._show = show

    @property
    def customer(self) -> CustomerKey:
        """Tell whom the database knows the customer as."""
        return CustomerKey(self.stage.customer.user_id or self.stage.customer.phone)

    async def do(self, step: Step) -> None:
        """Do one step.

        Raises:
            DialogFailed: it cannot be played, or what it expects does not hold.
        """
        done: Mapping[str, Callable[[Any], Awaitable[None]]] = {
            "say": self.stage.say,
            "tap": self.stage.tap,
            "tap_old": self._tap_old,
            "flow": self._flow,
            "order": self._order,
            "location": self._location,
            "send": self._send,
            "wait": self._wait,
            "change": self._change,
            "move": self._move,
            "staff": self._staff_acts,
            "expect": self._expect,
        }
        await done[step.kind](getattr(step, step.kind))
        if self._staff:
            self._told += await self._staff.see()

    async def held(self) -> Expectation:
        """Tell how things stand, in the words of an expectation."""
        store = self._store
        conversation = await store.conversations.get(self.customer)
        cart = await store.carts.get(self.customer)
        position = conversation.position if conversation else None
        facts: dict[str, Any] = {"state": position.leaf} if position else {}
        orders = await self._orders()
        return Expectation(
            **facts, cart=cart.count if cart else 0, orders=orders, staff=self._told
        )

    async def _tap_old(self, wanted: str) -> None:
        await self.stage.tap(wanted, oldest=True)

    async def _flow(self, screens: tuple[dict[str, Any] | str, ...]) -> None:
        await self.stage.open_flow()
        doings = {"back": self.stage.go_back, "close": self.stage.close_flow}
        for screen in screens:
            if isinstance(screen, dict):
                await self.stage.fill(screen)
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
        await self.stage.send({"type": "order", "order": order}, f"a cart: {shown}")

    async def _location(self, place: Place) -> None:
        await self.stage.share(place.latitude, place.longitude, place.name, place.address)

    async def _send(self, kind: Sent) -> None:
        await self.stage.send(dict(UNREADABLE[kind]), kind)

    # What happens beside ---------------------------------------------------------------------

    async def _wait(self, delay: str) -> None:
        clock = self._playground.engine.clock
        if not isinstance(clock, ManualClock):
            raise DialogFailed("time cannot pass on the machine's own clock")
        told, end = clock.now(), clock.now() + delay_of(delay)
        while told < end:
            moment = await self._next_timer(after=clock.now(), until=end) or end
            clock.set(moment)
            came = await self.stage.look()
            if came or moment == end:
                passed = moment - told
                self._show(f"({delay if passed == delay_of(delay) else _span(passed)} later)")
                self.stage.show(came)
                told = moment

    async def _next_timer(self, *, after: datetime, until: datetime) -> datetime | None:
        """Tell when the customer's next timer is due."""
        rows = self._playground.engine.database.collection(TimerDocument)
        due = {"$gt": after, "$lte": until}
        own = {"tenant": self._tenant, "customer": self.customer, "due": due}
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

    async def _move(self, move: Move) -> None:
        order = await self._store.orders.get_latest(self.customer)
        if order is None:
            raise DialogFailed("the customer has no order that could be moved")
        engine = self._playground.engine
        key = {"orderNumber": order.number, "subDomain": self._tenant}
        rows = engine.database.collection(OrderDocument)
        known = await rows.find_one(key, {"updatedAt": 1}) or {}
        # A clock that stands still would have it written at no other time than before.
        at = max(engine.clock.now(), known["updatedAt"] + timedelta(milliseconds=1))
        written = {"status": move.status, "statusReason": move.reason, "updatedAt": at}
        await rows.update_one(key, {"$set": written})
        why = f": {move.reason}" if move.reason else ""
        self._show(f"(the shop moves the order to {move.status}{why})")
        await engine.parts.order_watch.look()
        self.stage.show(await self.stage.look())

    async def _staff_acts(self, acts: StaffActs) -> None:
        if self._staff is None:
            raise DialogFailed("the tenant has no `staff.phone`")
        await self._staff.do(acts, self.stage.customer)
        self.stage.show(await self.stage.look())

    # What must hold --------------------------------------------------------------------------

    async def _expect(self, wanted: Expectation) -> None:
        held = await self.held()
        for name in wanted.model_fields_set - {"order"}:
            _check(name, getattr(held, name), getattr(wanted, name))
        order = await self._store.orders.get_latest(self.customer) if wanted.order else None
        facts = _facts(order) if order else {}
        for name, value in wanted.order.items():
            _check(f"order.{name}", facts.get(name), value)

    async def _orders(self) -> int:
        rows = self._playground.engine.database.collection(OrderDocument)
        own = {"subDomain": self._tenant, "customer.userId": self.stage.customer.user_id}
        return await rows.count_documents(own)

    @property
    def _store(self) -> TenantStore:
        return self._playground.engine.store(self._tenant)


def _span(passed: timedelta) -> str:
    """Write a time as authors do: `90m`."""
    seconds = int(passed.total_seconds())
    units = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    return next(f"{seconds // size}{unit}" for unit, size in units if seconds % size == 0)


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
