"""A rehearsal: one act after the other is played with a tenant's bundle, as a turn would be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from engine.box_ports import OutboxEntry, Timer
from engine.charts.compiler import Structures
from engine.charts.run import Heard, Runner
from engine.charts.timers import ENTRY
from engine.clock import ManualClock, SeededIds
from engine.domain.ids import CustomerKey, TenantId
from engine.flow_ports import FlowSession
from engine.ports import Business, TurnRecord
from engine.rehearsal.acts import Act
from engine.rehearsal.menu import MenuCatalog, MenuNative
from engine.rehearsal.moment import Moment, MomentStore
from engine.runtime.decision import Decisions
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.turn_record import Cause
from engine.spec.bundle import Bundle
from engine.transcript import lines
from engine.whatsapp.content import Raised, Sender
from engine.whatsapp.inbound import InboundMessage

NOON: Final = datetime(2030, 6, 14, 12, tzinfo=UTC)
CUSTOMER: Final = "15550001234"


@dataclass(frozen=True, slots=True)
class Scene:
    """An act and what came of it.

    Args:
        before, after: the moments around it.
        record: everything the turn would have written.
    """

    act: Act
    before: Moment
    record: TurnRecord
    after: Moment

    @property
    def said(self) -> tuple[OutboxEntry, ...]:
        """Give the messages of the turn, without read receipts."""
        return tuple(entry for entry in self.record.outbox if entry.said is not None)

    @property
    def failure(self) -> str | None:
        """Tell why the turn failed."""
        return self.record.log.error

    def transcript(self) -> Iterator[str]:
        """Write it as a person would have seen it."""
        yield self.act.shown
        for entry in self.said:
            first, *rest = lines(entry.payload)
            yield f"bot: {first}"
            yield from (f"     {line}" for line in rest)


class Rehearsal:
    """Plays acts with one bundle.

    Args:
        has_flows: the tenant's Flows are deployed.
        has_native: what the tenant sells is in WhatsApp's own catalogue.
        heard: is told of every message that is said, with what its texts read.
        customer: what he calls himself.
        structures: compiled structures that other rehearsals use too.
    """

    def __init__(
        self,
        bundle: Bundle,
        catalog: MenuCatalog,
        *,
        has_flows: bool = False,
        has_native: bool = False,
        heard: Heard | None = None,
        customer: str = "Ana",
        structures: Structures | None = None,
    ) -> None:
        self.bundle = bundle
        self.catalog = catalog
        self._native = MenuNative(catalog, is_there=has_native)
        self._flows = self._mapping() if has_flows else {}
        self._customer = customer
        self._clock = ManualClock(NOON)
        self._ids = SeededIds()
        numbers = bundle.tenant.phone_number_ids
        self._number = numbers[0] if numbers else "100000000000001"
        self._decisions = Decisions(
            business=self._business,
            tokens=FlowTokens("rehearsal"),
            clock=self._clock,
            ids=self._ids,
            runner=Runner(heard, structures),
        )

    def _mapping(self) -> dict[str, str]:
        return {
            f"{flow}:{language}": f"flow-{flow}-{language}"
            for flow in self.bundle.flows
            for language in self.bundle.tenant.languages
        }

    async def _business(self, tenant: TenantId) -> Business:
        numbers = self.bundle.tenant.phone_number_ids
        return Business(tenant, self.bundle.tenant.name, numbers, flow_mapping=self._flows)

    async def play(self, moment: Moment, act: Act) -> Scene:
        """Play an act."""
        return await self._played(moment, act, self._cause(moment, act))

    async def fire(self, moment: Moment, timer: Timer) -> Scene:
        """Let a timer run out; the time passes until then."""
        at = max(timer.due, moment.now)
        kept = tuple(each for each in moment.timers if each.id != timer.id)
        later = replace(moment, now=at, timers=kept)
        passed = timer.due - moment.now
        act = Act(f"({span(passed)} later)", Raised(timer.event, {ENTRY: timer.entry}))
        cause = self._cause(later, act, sender=Sender(None, None))
        return await self._played(later, act, cause)

    async def wait(self, moment: Moment, delay: timedelta) -> tuple[list[Scene], Moment]:
        """Let time pass; give what happens meanwhile, and the moment after it."""
        end = moment.now + delay
        scenes: list[Scene] = []
        while (timer := moment.next_timer) and timer.due <= end:
            scenes.append(await self.fire(moment, timer))
            moment = scenes[-1].after
        return scenes, replace(moment, now=end)

    async def _played(self, moment: Moment, act: Act, cause: Cause) -> Scene:
        self._clock.set(moment.now)
        self._ids.reset(moment.turns)
        catalog = self.catalog.without(moment.taken)
        store = MomentStore(moment, catalog, self._native)
        record = await self._decisions.of(cause, self.bundle, store)
        return Scene(act, moment, record, moment.after(record))

    def _cause(self, moment: Moment, act: Act, sender: Sender | None = None) -> Cause:
        tenant, customer = self.bundle.tenant_id, CustomerKey(CUSTOMER)
        if act.flow:
            session_id, params = act.flow
            held = moment.sessions[session_id]
            ended: FlowSession = replace(
                held, version=held.version + 1, state="done", params={**held.bound, **params}
            )
            name = f"flow:{session_id}"
            return Cause(name, tenant, customer, self._number, session=ended)
        assert act.content is not None
        is_ours = isinstance(act.content, Raised)
        wamid = "" if is_ours else f"wamid.{moment.turns + 1}"
        message = InboundMessage(
            wamid=wamid,
            phone_number_id=self._number,
            sender=sender or Sender(None, CUSTOMER, self._customer),
            timestamp=int(moment.now.timestamp()),
            content=act.content,
            context_id=act.answers,
            raw={},
        )
        name = f"{self._number}:{wamid or f'timer.{moment.turns + 1}'}"
        return Cause(name, tenant, customer, self._number, message=message)


def span(passed: timedelta) -> str:
    """Write a time as authors do: `90m`."""
    seconds = int(passed.total_seconds())
    units: tuple[tuple[str, int], ...] = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    return next(f"{seconds // size}{unit}" for unit, size in units if seconds % size == 0)


def view_of(scene: Scene) -> list[dict[str, Any]]:
    """Give the messages of a scene as Meta would get them, without what differs by itself."""
    return [
        {key: value for key, value in entry.payload.items() if key != "biz_opaque_callback_data"}
        for entry in scene.said
    ]
