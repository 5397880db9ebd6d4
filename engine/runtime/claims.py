"""The slots this process has: which conversations' turns it may take and messages it may send.

Its lease is renewed here again and again; whoever works asks here first. What is done in a slot is
not known here.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final

import structlog

from engine import metrics
from engine.box_ports import SlotTables
from engine.clock import Clock
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import EngineError, Unavailable
from engine.logs import reason
from engine.runtime.polling import Poll
from engine.slots import LEASE, SLOTS, SlotTable, left, renewed, slot_of, surplus

RENEW_SECONDS: Final = 1.5
MARGIN_SECONDS: Final = 1.0
"""So much before its end nothing is begun under a lease any more."""
SWAPS: Final = 10
"""Times the table is tried to be changed while other processes change it."""
PREPARE_SECONDS: Final = 1.5
"""How long what comes first may keep the lease from being renewed; then it goes on afterwards."""

log = structlog.get_logger(__name__)


class Claims:
    """The slots of one process.

    Args:
        member: name of this process; no other has or had it.
        busy: gives the slots with work under way.
        prepare: does what comes before everything else in slots that were taken.
    """

    def __init__(
        self,
        *,
        tables: SlotTables,
        clock: Clock,
        member: str,
        busy: Callable[[], Collection[int]],
        prepare: Callable[[Collection[int]], Awaitable[None]],
    ) -> None:
        self._tables = tables
        self._clock = clock
        self._member = member
        self._busy = busy
        self._prepare = prepare
        # By slot, the how manieth taking it was: one that was lost meanwhile has another number.
        self._terms: dict[int, int] = {}
        self._unprepared: dict[int, int] = {}
        # Those in which nothing new is begun, so that they can be given back.
        self._closing: frozenset[int] = frozenset()
        self._takings = 0
        # By the machine's own pace, not its clock: that one may be set while a lease runs.
        self._valid_until = 0.0
        self._patient_until = 0.0
        self._is_leaving = False
        self._poll = Poll(self.renew, every=RENEW_SECONDS)
        self._renewing = asyncio.Lock()

    def term(self, tenant: TenantId, customer: CustomerKey) -> int | None:
        """Give the term in which this process has a conversation's slot; None if it has it not.

        A slot that was another's for a while has another term afterwards.
        """
        return self.terms().get(slot_of(tenant, customer))

    def terms(self) -> Mapping[int, int]:
        """Give the slots this process has, with their terms."""
        if time.monotonic() >= self._valid_until:
            return {}
        return {slot: term for slot, term in self._terms.items() if slot not in self._closing}

    @property
    def share(self) -> float:
        """Give the part of all slots that this process has."""
        return len(self._terms) / SLOTS

    async def run(self) -> None:
        """Renew the lease until `leave`."""
        await self._poll.run()

    async def renew(self) -> None:
        """Renew the lease, give back and take slots; without the database nothing changes."""
        async with self._renewing:
            try:
                await self._renew()
                await self._ready_taken()
            except Unavailable as error:
                # The others could not renew theirs either: they are given the time to.
                self._patient_until = time.monotonic() + LEASE.total_seconds()
                log.warning("claims.database_away", error=reason(error))
            metrics.slots.set(len(self.terms()))

    async def _renew(self) -> None:
        for _ in range(SWAPS):
            begun = time.monotonic()
            table = await self._tables.read()
            if self._member not in table.members:
                self._forget()
            after = renewed(
                table,
                self._member,
                now=self._clock.now(),
                busy=self._busy(),
                is_leaving=self._is_leaving,
                is_patient=begun < self._patient_until,
            )
            # First here, then in the table: nothing may be begun in a slot that is given back.
            given_back = self._drop(after)
            if await self._tables.swap(after):
                self._valid_until = begun + LEASE.total_seconds() - MARGIN_SECONDS
                self._take(after)
                # A slot that is never without work would never be given back.
                is_staying = not self._is_leaving
                self._closing = surplus(after, self._member) if is_staying else frozenset()
                return
            self._terms |= given_back
        log.warning("claims.table_contended", swaps=SWAPS)

    def _forget(self) -> None:
        if self._terms:
            log.warning("claims.lease_lost", slots=len(self._terms))
        self._terms.clear()
        self._unprepared.clear()

    def _drop(self, after: SlotTable) -> dict[int, int]:
        mine = after.of(self._member)
        dropped = {slot: term for slot, term in self._terms.items() if slot not in mine}
        for held in (self._terms, self._unprepared):
            for slot in [slot for slot in held if slot not in mine]:
                del held[slot]
        return dropped

    def _take(self, after: SlotTable) -> None:
        fresh = after.of(self._member) - self._terms.keys() - self._unprepared.keys()
        self._takings += 1
        self._unprepared |= dict.fromkeys(fresh, self._takings)
        if fresh:
            log.info("claims.taken", slots=len(fresh), members=len(after.members))

    async def _ready_taken(self) -> None:
        if self._unprepared:
            taken = dict(self._unprepared)
            try:
                await asyncio.wait_for(self._prepare(taken.keys()), PREPARE_SECONDS)
            except TimeoutError:
                log.info("claims.prepared_in_part", slots=len(taken))
                return
            self._terms |= taken
            self._unprepared.clear()

    async def retire(self) -> None:
        """Give back every slot without work under way, and take none from now on."""
        self._is_leaving = True
        await self.renew()

    async def leave(self) -> None:
        """Give back everything, and stop renewing: no lease is left behind."""
        self._poll.stop()
        async with self._renewing:
            self._terms.clear()
            self._unprepared.clear()
            try:
                for _ in range(SWAPS):
                    table = await self._tables.read()
                    if self._member not in table.members:
                        return
                    if await self._tables.swap(left(table, self._member)):
                        return
            except EngineError as error:
                # The others wait until the lease is over.
                log.warning("claims.not_left", error=reason(error))
