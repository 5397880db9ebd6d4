"""Several processes over the same boxes, a Meta, and customers, in one event loop of virtual time.

Every await of a process on the database or on Meta is a point at which a test can break it:
`Process.reach`. Nothing here knows what must come out; that is in `exactly_once_ledger`.
"""

import asyncio
import contextvars
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from engine.box_ports import InboxRow, OutboxEntry, Timer
from engine.clock import SeededIds
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import GraphNoAnswer, GraphRetryable, GraphTerminal, Unavailable
from engine.ports import TurnRecord
from engine.runtime.bundles import Bundles
from engine.runtime.claims import Claims
from engine.runtime.decision import Decisions
from engine.runtime.echoes import Echoes
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.message_refusals import MessageRefusals
from engine.runtime.pace import Pace
from engine.runtime.reception import Reception
from engine.runtime.relay import Relay
from engine.runtime.sender import Sender, is_receipt
from engine.runtime.statuses import Statuses
from engine.runtime.timers import Alarm
from engine.runtime.turns import Turns
from engine.runtime.worker import Worker
from engine.slots import slot_of
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.staff_ports import Spoken, StaffLine
from engine.whatsapp.echoes import FIELD as ECHOES
from engine.whatsapp.inbound import (
    InboundMessage,
    OtherChange,
    Status,
    StatusError,
    Webhook,
    restore_message,
)
from tests.memory import MemoryCatalog, MemoryStore
from tests.memory_boxes import Boxes
from tests.unit.actions.shop import OPEN, ROOT, VERBS, menu
from tests.unit.runtime.flow_shop import NUMBER, TENANT, Businesses, deployment
from tests.unit.runtime.virtual_time import LoopClock, VirtualLoop

CUSTOMERS = tuple(CustomerKey(f"US.{n}") for n in range(1, 4))
STAFF = CustomerKey("US.99")
PHONES = {each: f"1212555020{n}" for n, each in enumerate(CUSTOMERS)} | {STAFF: "12125550143"}
"""The staff's is the one in La Tavola's settings."""
TYPED = "staff_wrote"
HELLO = "hello"
"""What customers type; all else they tap."""
POISON = "poison"
"""What a turn fails at, again and again."""
TIMERS = """
extends: storefront
anywhere:
  cart_expired: {say: all_right}
states:
  menu:
    after:
      1m: {say: all_right}
  added:
    after:
      1m: {if: cart.count > 0, say: cart_reminder}
"""
SEND_SECONDS = 5.0
META_PATIENCE = 5.0
"""Seconds after which Meta gives a webhook up, and delivers it again."""
LATENCIES = (0.0, 0.0, 0.0, 0.0, 0.0, 0.002, 0.02, 0.15)
STATUS_DELAYS = (0.0, 0.0, 0.01, 0.3, 2.0, 9.0, 25.0)
RETRYABLE = frozenset({131056, 130429, 131000})
PROCESS: contextvars.ContextVar["Process"] = contextvars.ContextVar("process")
SENDING: contextvars.ContextVar["Sending"] = contextvars.ContextVar("sending")
Lane = tuple[TenantId, CustomerKey]


@cache
def bundle() -> Bundle:
    """Give La Tavola with timers: carts live an hour, the menu and the cart call back."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for part in ("conversations", "flows"):
            (root / part).symlink_to(ROOT / part)
        own = root / "tenants" / TENANT
        shutil.copytree(ROOT / "tenants" / TENANT, own)
        with (own / "tenant.yaml").open("a") as settings:
            settings.write("cart_hours: 1\n")
        (own / "conversations").mkdir(exist_ok=True)
        (own / "conversations" / "storefront.yaml").write_text(
            TIMERS.replace("chart: storefront\n", "", 1)
        )
        return Library(root, VERBS).load(TENANT)


@dataclass
class Fault:
    """What will happen to the next process that comes to a point.

    Args:
        kind: `kill`, `away`, `pause`.
        where: the beginning of the names of the points it may happen at.
        after: so many of those points are passed before.
        seconds: of a pause, or of the database's absence; a single call if 0.
    """

    kind: str
    where: str = ""
    after: int = 0
    seconds: float = 0.0


@dataclass
class Sending:
    """A message as a process gives it to Meta.

    Args:
        was_owner: the process had the customer's slot when it began.
    """

    entry: OutboxEntry
    process: "Process"
    was_owner: bool


@dataclass
class Acceptance:
    """A message that Meta took.

    Args:
        was_stalled: the process had lost the slot before Meta took what it had begun to send.
        was_cut: Meta did not answer.
        is_noted: it was noted while the process still had the slot; None as long as it is not.
    """

    sending: Sending
    wamid: str
    at: float
    was_stalled: bool
    was_cut: bool
    is_noted: bool | None = None


@dataclass
class Taking:
    """A turn that a process took, or tried to.

    Args:
        was_owner: the process had the customer's slot when it began.
    """

    row: InboxRow
    at: float
    was_owner: bool


@dataclass
class Overtaken:
    """A turn that was committed while a message waited that was earlier in every respect."""

    row: InboxRow
    waiting: InboxRow


class Process:
    """One process: the real parts, until it is killed, paused or ended."""

    def __init__(self, world: "World", name: str) -> None:
        self.world, self.name = world, name
        self.is_alive, self.is_ending = True, False
        self.away_until = 0.0
        self.running = asyncio.Event()
        self.running.set()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.context = contextvars.copy_context()
        self.context.run(PROCESS.set, self)
        self._assemble()
        self._loops = [self.spawn(run()) for run in self._runs()]

    def _assemble(self) -> None:
        """Put the parts together as `engine.parts` does."""
        world, clock, boxes = self.world, self.world.clock, self.world.boxes
        businesses: Any = Struck("businesses", world.businesses)
        refusals = MessageRefusals(
            inbox=boxes.inbox, businesses=businesses, stores=world.store, clock=clock,
            offer=lambda row: self.worker.offer(row),
        )  # fmt: skip

        async def spoke_at(tenant: TenantId, customer: CustomerKey) -> datetime | None:
            held = await world.store(tenant).conversations.get(customer)
            return held.spoke_at if held else None

        pace = Pace(share=lambda: self.claims.share, ticks=world.loop.time)
        sender: Any = _Sender(
            self, outbox=boxes.outbox, businesses=businesses, graph=world.meta, clock=clock,
            ids=world.ids, pace=pace, spoke_at=spoke_at, refused=refusals.entry,
        )  # fmt: skip
        self.relay = Relay(
            outbox=boxes.outbox, sender=sender, pace=pace, clock=clock, claims=lambda: self.claims
        )
        turns: Any = _Turns(
            self, stores=world.store, bundles=world.bundles, ids=world.ids,
            decisions=Decisions(
                business=businesses.by_tenant, tokens=FlowTokens("secret"), clock=clock,
                ids=world.ids,
            ),
        )  # fmt: skip
        self.worker = Worker(
            inbox=boxes.inbox, turns=turns, clock=clock, claims=lambda: self.claims,
            send=self.relay.offer,
        )  # fmt: skip
        self.alarm = Alarm(
            timers=boxes.timers, inbox=boxes.inbox, clock=clock,
            slots=lambda: self.claims.terms().keys(), offer=self.worker.offer,
        )  # fmt: skip
        self.claims = Claims(
            tables=boxes.slots, clock=clock, member=self.name,
            busy=lambda: self.worker.busy() | self.relay.busy(), prepare=self.alarm.fire,
        )  # fmt: skip
        self.reception = Reception(
            inbox=boxes.inbox,
            statuses=Statuses(outbox=boxes.outbox, refusals=refusals, clock=clock),
            businesses=businesses, clock=clock, offer=self.worker.offer, refusals=refusals,
            commerce=_NoCommerce(),
            echoes=Echoes(
                inbox=boxes.inbox, outbox=boxes.outbox, businesses=businesses, clock=clock,
                stores=world.store, settings=lambda _: bundle().tenant, offer=self.worker.offer,
            ),
        )  # fmt: skip

    def _runs(self) -> tuple[Callable[[], Coroutine[None, None, None]], ...]:
        return self.claims.run, self.alarm.run, self.worker.run, self.relay.run

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Let the process do something."""
        return self.world.loop.create_task(work, context=self.context)

    def owns(self, lane: Lane) -> bool:
        """Tell whether the process has a customer's slot, by the table."""
        table = self.world.boxes.table
        member = table.members.get(self.name)
        is_mine = table.owners.get(slot_of(*lane)) == self.name
        return is_mine and member is not None and member.until > self.world.clock.now()

    # What breaks it ----------------------------------------------------------------------------

    async def reach(self, where: str) -> None:
        """Come to a point at which it may be broken."""
        if not self.is_alive:
            raise asyncio.CancelledError
        self.world.passed.add(where)
        fault = self._due(where)
        if fault:
            await self._break(fault, where)
        await asyncio.sleep(self.world.chance.choice(LATENCIES))
        while not self.running.is_set():
            await self.running.wait()
        if self.away_until > self.world.loop.time() and not where.startswith("meta."):
            raise Unavailable(f"{self.name} does not reach the database: {where}")

    def _due(self, where: str) -> Fault | None:
        faults = self.world.faults
        fault = next((f for f in faults if where.startswith(f.where)), None)
        if fault is None or (fault.kind == "away" and where.startswith("meta.")):
            return None
        if fault.after:
            fault.after -= 1
            return None
        faults.remove(fault)
        return fault

    async def _break(self, fault: Fault, where: str) -> None:
        self.world.note(f"{self.name}: {fault.kind} at {where}")
        if fault.kind == "kill":
            self.kill()
            raise asyncio.CancelledError
        if fault.kind == "pause":
            self.pause(fault.seconds)
        elif fault.seconds:
            self.away_until = self.world.loop.time() + fault.seconds
        else:
            raise Unavailable(f"once: {where}")

    def kill(self) -> None:
        """End it at once; nothing of its memory survives."""
        self.is_alive = False
        for task in tuple(self.tasks):
            task.cancel()

    def pause(self, seconds: float) -> None:
        """Let it do nothing more at its points, for a time."""
        self.running.clear()
        self.world.loop.call_later(seconds, self.running.set)

    async def end(self) -> None:
        """Drain it, as `engine.parts` does."""
        self.is_ending = True
        self.alarm.stop()
        await self.claims.retire()
        await self.worker.end()
        await self.relay.end(within=SEND_SECONDS)
        await self.claims.leave()
        await asyncio.gather(*self._loops)
        self.is_alive = False

    def crash(self) -> BaseException | None:
        """Give what a loop of it has died of, other than being killed."""
        ended = (task for task in self._loops if task.done() and not task.cancelled())
        return next((error for task in ended if (error := task.exception())), None)


class Struck:
    """Anything with methods that wait, with a point before and after each."""

    def __init__(self, name: str, inner: Any) -> None:
        self._name, self._inner = name, inner

    def __getattr__(self, method: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        call = getattr(self._inner, method)

        async def struck(*given: Any, **named: Any) -> Any:
            await strike(f"{self._name}.{method}")
            found = await call(*given, **named)
            await strike(f"{self._name}.{method}.done")
            return found

        return struck


async def strike(where: str) -> None:
    """Let the process whose call this is come to a point; the test's own calls have none."""
    process = PROCESS.get(None)
    if process is not None:
        process.world.see(where)
        await process.reach(where)


class _Sender(Sender):
    def __init__(self, process: Process, **parts: Any) -> None:
        super().__init__(**parts)
        self._process = process

    async def send(self, entry: OutboxEntry) -> bool:
        lane = entry.tenant, entry.customer
        sending = Sending(entry, self._process, self._process.owns(lane))
        self._process.world.sendings.append(sending)
        self._process.world.note(f"{self._process.name}: sends {entry.id}")
        SENDING.set(sending)
        return await super().send(entry)


class _Turns(Turns):
    def __init__(self, process: Process, **parts: Any) -> None:
        super().__init__(**parts)
        self._process = process

    async def take(self, row: InboxRow, message: InboundMessage) -> tuple[OutboxEntry, ...]:
        world = self._process.world
        taking = Taking(row, world.loop.time(), self._process.owns((row.tenant, row.customer)))
        world.takings.append(taking)
        return await super().take(row, message)


class _NoCommerce:
    async def take(self, changes: Sequence[Any]) -> None:
        return None


class _HandOffs:
    """The hand-offs there are: `engine.staff_ports.HandOffRepository`."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def line(self, phone: str) -> StaffLine:
        found = self._by_phone(phone)
        if found is None:
            return StaffLine(CustomerKey(phone), phone)
        return StaffLine(found.customer, phone, found.spoke_at)

    async def last_words(self, customer: CustomerKey) -> Sequence[Spoken]:
        return ()

    async def is_known(self, handoff: str) -> bool:
        return handoff in self._world.handoffs()

    async def key_of(self, *, phone: str) -> CustomerKey | None:
        found = self._by_phone(phone)
        return found.customer if found else None

    def _by_phone(self, phone: str) -> Conversation | None:
        held = self._world.conversations.values()
        # Who has a number now is who wrote from it last.
        return max(
            (talk for talk in held if talk.phone == phone),
            key=lambda talk: (talk.spoke_at is not None, talk.spoke_at, talk.updated_at),
            default=None,
        )


class _Store(MemoryStore):
    """La Tavola's store; it cannot write turns of poisoned messages."""

    def __init__(self, world: "World") -> None:
        super().__init__(MemoryCatalog(menu()), world.boxes)
        self._world = world
        handoffs: Any = _HandOffs(world)
        self.handoffs = handoffs
        for name in (
            "handoffs",
            "conversations",
            "carts",
            "orders",
            "flow_sessions",
            "deployments",
        ):
            setattr(self, name, Struck(name, getattr(self, name)))

    async def commit(self, record: TurnRecord) -> None:
        if record.inbox_id in self._world.poisoned and record.given_up is None:
            await strike("turn.commit")
            raise RuntimeError("the oven is on fire")
        await super().commit(record)


class Meta:
    """Takes messages or not as it is told, and tells what became of them.

    Args:
        moods: what it does with the next messages, one for each: an error code; `cut` or `lost`
            for no answer to what it has taken or not; `late` and a code for what it takes, and
            fails to deliver.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self.moods: list[tuple[str, int]] = []
        self.accepted: list[Acceptance] = []
        self.refused: dict[str, set[int]] = {}

    async def send(self, phone_number_id: str, *, token: str, payload: Mapping[str, Any]) -> str:
        sending = SENDING.get()
        if payload.get("status") == "read":
            await strike("meta.read")
            return ""
        await strike("meta.send")
        kind, code = self.moods.pop(0) if self.moods else ("taken", 0)
        if kind != "taken":
            self._world.note(f"Meta: {kind} {code} for {sending.entry.id}")
        if kind in ("refused", "lost", "cut"):
            self.refused.setdefault(sending.entry.id, set()).add(code)
        if kind == "refused":
            raise (GraphRetryable if code in RETRYABLE else GraphTerminal)("no", code=code)
        if kind == "lost":
            raise GraphNoAnswer("no answer")
        wamid = self._take(sending, late=code, was_cut=kind == "cut")
        if kind == "cut":
            raise GraphNoAnswer("no answer")
        await strike("meta.sent")
        return wamid

    def _take(self, sending: Sending, *, late: int, was_cut: bool) -> str:
        world, entry = self._world, sending.entry
        lane = entry.tenant, entry.customer
        wamid = f"wamid.out.{len(self.accepted) + 1}"
        was_stalled = not sending.process.owns(lane)
        world.note(f"Meta takes {entry.id} as {wamid}{' (stalled)' * was_stalled}")
        at = world.loop.time()
        self.accepted.append(Acceptance(sending, wamid, at, was_stalled, was_cut))
        if not is_receipt(entry):
            for status in ("failed",) if late else ("sent", "delivered", "read"):
                told = Status(
                    wamid, status, int(world.clock.now().timestamp()), NUMBER, opaque=entry.id,
                    errors=(StatusError(late, "late", "late"),) if late else (),
                )  # fmt: skip
                for _ in range(world.chance.choice((1, 1, 2))):
                    world.deliver(Webhook((), (told,), ()), world.chance.choice(STATUS_DELAYS))
        return wamid


@dataclass
class World:
    """Everything.

    Args:
        seed: of what nobody decides: latencies, and who gets which webhook.
        fired: timers that were dropped by who fires them.
        timers: those that were there when somebody looked last.
        passed: the points that processes came to.
    """

    seed: int = 0
    processes: list[Process] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    sendings: list[Sending] = field(default_factory=list)
    takings: list[Taking] = field(default_factory=list)
    overtaken: list[Overtaken] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    poisoned: set[str] = field(default_factory=set)
    fired: list[Timer] = field(default_factory=list)
    timers: dict[str, Timer] = field(default_factory=dict)
    stored_at: dict[str, float] = field(default_factory=dict)
    errors: list[BaseException] = field(default_factory=list)
    diary: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.loop = VirtualLoop()
        self.loop.set_task_factory(_owned)
        self.clock = LoopClock(self.loop, OPEN)
        self.chance = Random(self.seed)
        self.ids = SeededIds(self.seed)
        self.boxes = Boxes(strike=strike)
        self.businesses = Businesses()
        self.bundles = Bundles(None)  # type: ignore[arg-type]
        self.bundles._served[TENANT] = bundle()
        self._store = _Store(self)
        self.meta = Meta(self)
        self._webhooks: set[asyncio.Task[None]] = set()
        self._committed = 0
        self.run(self._store.deployments.save(deployment("checkout:en", "88")))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something, while everything else goes on."""
        return self.loop.run_until_complete(work)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.run(asyncio.sleep(seconds))

    def close(self) -> None:
        """End everything."""
        for process in self.processes:
            process.kill()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.wait(0)
        self.wait(0)
        self.loop.close()

    def note(self, what: str) -> None:
        """Note what happens, for who reads a failure."""
        self.diary.append(f"{self.loop.time():9.3f} {what}")

    def store(self, tenant: TenantId) -> Any:
        """Give the tenant's store."""
        return self._store

    @property
    def turns(self) -> list[TurnRecord]:
        """Give the turns that were committed."""
        return self._store.committed

    @property
    def placed(self) -> list[Any]:
        """Give the orders that were placed."""
        return self._store.placed

    @property
    def conversations(self) -> Mapping[CustomerKey, Conversation]:
        """Give the conversations by customer."""
        return self._store._conversations.held

    def handoffs(self) -> dict[str, CustomerKey]:
        """Give the hand-offs that the staff was told of, and whose they are."""
        rows = (held.row for held in self.boxes.outbox_rows.values())
        return {row.handoff: row.about for row in rows if row.handoff}

    # Processes -----------------------------------------------------------------------------------

    def start(self) -> Process:
        """Start a process."""

        async def started() -> Process:
            return Process(self, f"p{len(self.processes) + 1}")

        process: Process = self.run(started())
        self.processes.append(process)
        self.note(f"{process.name}: started")
        return process

    @property
    def alive(self) -> list[Process]:
        """Give the processes that are there."""
        return [process for process in self.processes if process.is_alive]

    # What is seen ----------------------------------------------------------------------------

    def see(self, where: str) -> None:
        """Look at what a call has done just now."""
        if where == "inbox.accepted":
            for row_id in self.boxes.inbox_rows.keys() - self.stored_at.keys():
                self.stored_at[row_id] = self.loop.time()
        elif where in ("outbox.sent_noted", "outbox.statuses_noted"):
            for taken in self.meta.accepted:
                entry = taken.sending.entry
                held = self.boxes.outbox_rows[entry.id]
                if taken.is_noted is None and held.wamid == taken.wamid:
                    taken.is_noted = taken.sending.process.owns((entry.tenant, entry.customer))
                    self.note(f"{taken.wamid} is noted{' late' * (not taken.is_noted)}")
        elif where == "turn.committed":
            for row_id in self.boxes.inbox_rows.keys() - self.stored_at.keys():
                self.stored_at[row_id] = self.loop.time()
            for record in self.turns[self._committed :]:
                self._see_turn(record)
            self._committed = len(self.turns)
            self.timers = dict(self.boxes.timer_rows)
        elif where == "timers.dropped":
            gone = self.timers.keys() - self.boxes.timer_rows.keys()
            self.fired += [self.timers[name] for name in sorted(gone)]
            self.timers = dict(self.boxes.timer_rows)

    def _see_turn(self, record: TurnRecord) -> None:
        row = self.boxes.inbox_rows[record.inbox_id].row
        self.note(f"turn of {row.id} ({self.said.get(row.id, 'event')}) -> {record.log.target}")
        for held in self.boxes.inbox_rows.values():
            other = held.row
            is_earlier = other.customer == row.customer and _place(other) < _place(row)
            # What is stored after it, may be found after it.
            is_earlier = is_earlier and self.stored_at[other.id] < self.stored_at[row.id]
            if is_earlier and held.state == "new":
                self.overtaken.append(Overtaken(row, other))

    # Webhooks --------------------------------------------------------------------------------

    def write(self, customer: CustomerKey, what: str) -> InboundMessage:
        """Let a customer tap something."""
        wamid = f"wamid.{len(self.said) + 1}"
        reply = {"id": what, "title": what}
        tap = {"type": "button_reply", "button_reply": reply}
        said: dict[str, Any] = {"type": "interactive", "interactive": tap}
        if what == HELLO:
            said = {"type": "text", "text": {"body": what}}
        raw = {
            "phone_number_id": NUMBER,
            "contact": {},
            "message": {
                "id": wamid, "from": PHONES[customer], "from_user_id": customer,
                "timestamp": str(int(self.clock.now().timestamp())), **said,
            },
        }  # fmt: skip
        name = f"{NUMBER}:{wamid}"
        self.said[name] = what
        if what == POISON:
            self.poisoned.add(name)
        self.note(f"{customer} taps {what}: {wamid}")
        return restore_message(raw)

    def type_to(self, customer: CustomerKey) -> OtherChange:
        """Let staff type to a customer on the business phone; only his number is told."""
        wamid = f"wamid.{len(self.said) + 1}"
        self.said[f"{NUMBER}:{wamid}"] = TYPED
        self.note(f"staff types to {customer}: {wamid}")
        echo = {
            "to": PHONES[customer], "id": wamid,
            "timestamp": str(int(self.clock.now().timestamp())),
        }  # fmt: skip
        value = {"metadata": {"phone_number_id": NUMBER}, "message_echoes": [echo]}
        return OtherChange(ECHOES, "waba-1", value)

    def deliver(self, webhook: Webhook, delay: float = 0.0) -> None:
        """Deliver a webhook until somebody says that he has it."""
        task = self.loop.create_task(self._deliver(webhook, delay), context=contextvars.Context())
        self._webhooks.add(task)
        task.add_done_callback(self._webhooks.discard)

    async def _deliver(self, webhook: Webhook, delay: float) -> None:
        is_taken = False
        while not is_taken:
            await asyncio.sleep(delay)
            is_taken = await self._taken(webhook)
            delay = self.chance.choice((0.5, 2.0))

    async def _taken(self, webhook: Webhook) -> bool:
        doors = [process for process in self.alive if not process.is_ending]
        if not doors:
            return False
        request = self.chance.choice(doors).spawn(_received(self, webhook, doors))
        await asyncio.wait({request}, timeout=META_PATIENCE)
        if not request.done() or request.cancelled():
            return False
        error = request.exception()
        if error is not None and not isinstance(error, Unavailable):
            self.errors.append(error)
            self.note(f"request failed: {error!r}")
        return error is None

    def has_been_told(self, customer: CustomerKey, words: str) -> bool:
        """Tell whether a message with these words waits for a customer, or has gone."""
        rows = (held.row for held in self.boxes.outbox_rows.values())
        return any(row.customer == customer and words in str(row.payload) for row in rows)

    def until(self, is_so: Callable[[], Any]) -> None:
        """Let time pass until something is so, with somebody there to make it so."""
        for _ in range(200):
            if is_so():
                return
            if not self.alive:
                self.start()
            self.wait(0.5)
        raise AssertionError("it does not become so")

    # Peace -------------------------------------------------------------------------------------

    def calm(self) -> None:
        """Let nothing break any more, and let at least one process be there."""
        self.meta.moods.clear()
        self.faults.clear()
        for process in self.alive:
            process.away_until = 0.0
            process.running.set()
        if not any(not process.is_ending for process in self.alive):
            self.start()

    def is_quiet(self) -> bool:
        """Tell whether nothing is left to be done now or later, but for timers."""
        boxes = self.boxes
        return not (
            self._webhooks
            or any(held.state == "new" for held in boxes.inbox_rows.values())
            or any(held.state == "queued" for held in boxes.outbox_rows.values())
            or any(timer.due <= self.clock.now() for timer in boxes.timer_rows.values())
            or any(process.is_ending for process in self.alive)
        )

    def settle(self) -> None:
        """Let everything that waits come to its end, also the timers."""
        self.calm()
        for _ in range(6):
            self._settle()
            dues = [timer.due for timer in self.boxes.timer_rows.values()]
            if not dues:
                break
            self._pass(max(dues))
        self.wait(16)

    def _settle(self) -> None:
        for _ in range(400):
            self.wait(2)
            if self.is_quiet():
                return
            dues = [h.due for h in self.boxes.inbox_rows.values() if h.state == "new"]
            dues += [h.due for h in self.boxes.outbox_rows.values() if h.state == "queued"]
            if dues and not self._webhooks:
                self._pass(min(dues))
        raise AssertionError("it does not come to an end")

    def _pass(self, until: datetime) -> None:
        """Let the whole machine sleep until a time."""
        seconds = (until - self.clock.now()).total_seconds()
        if seconds > 10:
            self.loop.jump(seconds)


async def _received(world: World, webhook: Webhook, doors: list[Process]) -> None:
    await PROCESS.get().reception.receive(webhook)


def _owned(loop: Any, work: Any, **options: Any) -> asyncio.Task[Any]:
    """Make a task, and note whose it is."""
    task = asyncio.Task(work, loop=loop, **options)
    context = options.get("context")
    process = context.get(PROCESS) if context is not None else PROCESS.get(None)
    if process is not None:
        process.tasks.add(task)
        task.add_done_callback(process.tasks.discard)
    return task


def _place(row: InboxRow) -> tuple[int, datetime, str]:
    return row.timestamp, row.received_at, row.id
