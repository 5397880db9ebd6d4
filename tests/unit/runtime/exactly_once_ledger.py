"""What must be, whatever broke: a ledger of what customers wrote, what was done and what they got.

It knows of the engine only what is in the boxes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from engine.box_ports import OutboxEntry
from engine.charts.timers import HANDED_BACK
from engine.domain.ids import CustomerKey
from engine.ports import TurnRecord
from engine.runtime.sender import is_receipt
from engine.runtime.timers import _name
from engine.slots import SLOTS
from tests.unit.runtime.exactly_once_scene import (
    CUSTOMERS,
    HELLO,
    POISON,
    TYPED,
    Acceptance,
    World,
)
from tests.unit.runtime.flow_shop import texts

CODES_OF: dict[str, frozenset[int]] = {
    "dead": frozenset({131026, 132068}),
    "held": frozenset({131047}),
}
"""With which of Meta's codes an entry may end in a state."""
PROBLEM = "something went wrong on our side"
BACK = "I am here for you again"
"""What a customer is told when a person gives him back."""
MUTE = "human"
"""The state in which a person answers."""


@dataclass
class Shopper:
    """A customer as he sees it: the simple reference of what his taps do, one after the other."""

    cart: int = 0
    stage: str = ""
    orders: tuple[int, ...] = ()

    def tap(self, what: str) -> None:
        """Do something."""
        if what.startswith("add_to_cart"):
            self.cart, self.stage = self.cart + 1, ""
        elif what in ("view_cart", "greet", "human", TYPED):
            self.stage = ""
        elif what == "checkout":
            self.stage = "checkout" if self.cart else self.stage
        elif what == "pickup":
            self.stage = "payment" if self.stage else ""
        elif what == "pay:cash":
            self.stage = "summary" if self.stage in ("payment", "summary") else self.stage
        elif what == "confirm" and self.stage == "summary":
            self.orders, self.cart, self.stage = (*self.orders, self.cart), 0, ""


def check_always(world: World) -> None:
    """Check what must be at every moment."""
    assert not world.errors, world.errors
    assert not [crash for process in world.processes if (crash := process.crash())]
    assert all(taking.was_owner for taking in world.takings), "a turn without the slot"
    assert all(sending.was_owner for sending in world.sendings), "a send without the slot"
    turns = Counter(record.inbox_id for record in world.turns)
    assert all(number == 1 for number in turns.values()), "a message was answered twice"
    assert not world.overtaken, "a turn was taken before that of an earlier message"
    for customer in CUSTOMERS:
        versions = [record.conversation.version for record in _turns_of(world, customer)]
        assert versions == list(range(1, len(versions) + 1)), "turns of one conversation overlap"
        firsts = [entry.sequence for entry in _firsts(world, customer)]
        assert firsts == sorted(firsts), "messages went out in another order"
    for name, taken in _accepted(world).items():
        assert not _is_doubled(world, name, taken), f"Meta has {name} once too often"


def check_settled(world: World) -> None:
    """Check what must be when nothing is left to be done."""
    check_always(world)
    boxes = world.boxes
    assert set(world.said) <= boxes.inbox_rows.keys(), "a message is lost"
    for name, held in boxes.inbox_rows.items():
        assert held.state == ("dead" if name in world.poisoned else "done")
    _check_messages(world)
    _check_orders(world)
    _check_handoffs(world)
    for name in world.poisoned:
        told = [texts((entry,)) for entry in _entries(world) if entry.id.startswith(f"{name}:")]
        assert sum(PROBLEM in str(each) for each in told) == 1, "a dead message was not told of"
    members = {process.name for process in world.alive}
    assert set(boxes.table.members) == members, "a lease was left behind"
    assert set(boxes.table.owners) == set(range(SLOTS)), "a slot is nobody's"
    assert set(boxes.table.owners.values()) <= members
    assert all(timer.due > world.clock.now() for timer in boxes.timer_rows.values())
    _check_timers(world)


def _check_messages(world: World) -> None:
    """Check that every message went out, or did not for a reason that Meta gave."""
    accepted = _accepted(world)
    for name, held in world.boxes.outbox_rows.items():
        refused = world.meta.refused.get(name, set())
        if held.state == "sent":
            # What is only marked as read, nobody reads.
            assert name in accepted or is_receipt(held.row)
        elif held.state == "failed":
            assert name in accepted
            assert held.status == "failed"
        elif held.state in CODES_OF:
            assert refused & CODES_OF[held.state], f"{name} is {held.state}: {held.error}"
        else:
            # Only receipts are not worth a second try.
            assert held.state == "discarded"
            assert held.row.said is None
            assert refused


def _check_orders(world: World) -> None:
    """Check that there is an order for every confirmation, as the customer saw it; and one."""
    for customer in CUSTOMERS:
        shopper = Shopper()
        for record in _turns_of(world, customer):
            assert record.log.outcome != "failed" or record.given_up, record.log.error
            what = _meaning(world, record)
            # Whoever is with a person is not greeted.
            if what != POISON and not (what == HELLO and record.log.source == MUTE):
                shopper.tap("greet" if what == HELLO else what)
        placed = [order for order in world.placed if order.customer == customer]
        units = tuple(sum(line.quantity for line in order.lines) for order in placed)
        assert units == shopper.orders
        for order in placed:
            told = [
                e.id for e in _entries(world) if f"#{order.number}* confirmed" in str(e.payload)
            ]
            assert len(told) == 1, f"order {order.number} was confirmed by {told}"


def _check_handoffs(world: World) -> None:
    """Check that the bot is silent where a person answers, and comes back once."""
    entries = [entry for entry in _entries(world) if entry.said]
    for record in world.turns:
        customer, log = record.conversation.customer, record.log
        if log.outcome == "ignored" or record.given_up:
            continue
        told = [texts((e,)) for e in entries if e.id.startswith(f"{record.inbox_id}:")]
        event = _meaning(world, record)
        if event == TYPED:
            assert (log.target, told) == (MUTE, []), f"what staff typed did not mute {customer}"
        elif event == HELLO and log.source == MUTE:
            assert (log.target, told) == (MUTE, []), f"the bot talks into it: {customer}"
        elif event == HELLO and customer in CUSTOMERS:
            assert told, f"{customer} was not answered"
        elif event == HANDED_BACK and log.source == MUTE and customer in CUSTOMERS:
            assert BACK in str(told), f"{customer} was not told of it"
            assert len(told) == 1
    for handoff in {each for record in world.turns for each in record.given_back}:
        about = world.handoffs()[handoff]
        (row,) = (
            held.row for held in world.boxes.inbox_rows.values()
            if held.row.id.startswith(HANDED_BACK) and held.row.id.endswith(f":{handoff}")
        )  # fmt: skip
        assert row.customer == about


def _meaning(world: World, record: TurnRecord) -> str:
    """Name what a customer or the staff did, or the event that it is."""
    event = world.boxes.inbox_rows[record.inbox_id].row.raw.get("event") or {}
    return world.said.get(record.inbox_id) or str(event.get("name", ""))


def _check_timers(world: World) -> None:
    """Check that no timer was dropped that has not become an event."""
    events = {_name(timer, int(timer.due.timestamp())) for timer in world.fired}
    assert events <= world.boxes.inbox_rows.keys()


def _turns_of(world: World, customer: CustomerKey) -> list[TurnRecord]:
    return [record for record in world.turns if record.conversation.customer == customer]


def _entries(world: World) -> Iterator[OutboxEntry]:
    return (held.row for held in world.boxes.outbox_rows.values())


def _accepted(world: World) -> dict[str, list[Acceptance]]:
    found: dict[str, list[Acceptance]] = defaultdict(list)
    for taken in world.meta.accepted:
        found[taken.sending.entry.id].append(taken)
    return found


def _firsts(world: World, customer: CustomerKey) -> list[OutboxEntry]:
    """Give what Meta took for a customer in its order, each message once.

    What a process had begun to send when it lost the slot, it could not call back: it comes late.
    """
    found = (taken.sending.entry for taken in world.meta.accepted if not taken.was_stalled)
    mine = {entry.id: entry for entry in found if entry.customer == customer}
    return list(mine.values())


def _is_doubled(world: World, name: str, taken: list[Acceptance]) -> bool:
    """Tell whether Meta has a message once too often.

    It may have it once; once more if it failed late; and once more each time nobody could know
    that it had it: Meta did not answer, or the process had lost the slot to another one before it
    noted the answer. What a process had begun to send when it lost the slot, it could not call
    back.
    """
    left = 1 + world.boxes.outbox_rows[name].is_switched
    for place, each in enumerate(taken):
        if each.was_stalled:
            continue
        left -= 1
        if left < 0:
            return True
        others = {later.sending.process.name for later in taken[place + 1 :]}
        is_lost = not each.is_noted and each.sending.process.name not in others
        left += each.was_cut or is_lost
    return False
