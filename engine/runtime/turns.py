"""A stored message or the end of a Flow -> its turn: load, run the chart, commit it whole."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from engine import metrics, tracing
from engine.box_ports import InboxRow, OutboxEntry
from engine.clock import Ids
from engine.domain.ids import TenantId
from engine.errors import Answered, Conflict, TurnError
from engine.flow_ports import FlowSession
from engine.logs import reason
from engine.ports import CatalogRepository, TenantStore, TurnRecord
from engine.runtime import handoff_counts
from engine.runtime.bundles import Bundles
from engine.runtime.decision import Decisions
from engine.runtime.tally import Tally
from engine.runtime.turn_record import Cause
from engine.spec.bundle import Bundle
from engine.whatsapp.inbound import InboundMessage

MAX_CONFLICTS = 8
"""Times a turn is taken again because another one changed its records first."""
CONFLICT_SECONDS = 0.005
"""What is waited after the first conflict, on the average; each further time twice as long."""

log = structlog.get_logger(__name__)


class Turns:
    """Takes turns."""

    def __init__(
        self,
        *,
        stores: Callable[[TenantId], TenantStore],
        bundles: Bundles,
        decisions: Decisions,
        ids: Ids,
    ) -> None:
        self._stores = stores
        self._bundles = bundles
        self._decisions = decisions
        self._ids = ids
        self._tally = Tally()

    async def take(self, row: InboxRow, message: InboundMessage) -> tuple[OutboxEntry, ...]:
        """Take the turn of a stored message.

        Returns:
            What is to be sent now.

        Raises:
            TurnError: the tenant has no bundle that can be served.
            Conflict: conflicts do not end; nothing is written.
            Unavailable: the database does not answer.
        """
        cause = _cause(row, message)
        try:
            return await self._take(cause)
        except Answered:
            log.info("turn.answered_already")
            metrics.turns.labels(outcome="answered").inc()
            return ()

    async def give_up(
        self, row: InboxRow, message: InboundMessage, *, error: str
    ) -> tuple[OutboxEntry, ...]:
        """Put a stored message aside for good, and say the chart's `problem` to its customer.

        Returns, Raises:
            as `take`.
        """
        cause = _cause(row, message)
        bundle = self._bundle(cause.tenant)
        store = self._stores(cause.tenant)
        begun = time.perf_counter()
        record = _traced(await self._decisions.problem(cause, bundle, store, error=error))
        try:
            await store.commit(record)
        except Answered:
            return ()
        self._tally.committed(record, seconds=time.perf_counter() - begun)
        return record.outbox

    async def end_flow(
        self, session: FlowSession, *, catalog: CatalogRepository | None = None
    ) -> tuple[OutboxEntry, ...]:
        """Take the turn of a Flow that came to its end, once.

        Args:
            session: with its `params`; its stored state must be open and of this version.
            catalog: what the last exchange has read of it just now.

        Returns:
            What is to be sent now.

        Raises:
            Conflict: the session has changed or is done: nothing is written.
            TurnError, Unavailable: as `take`.
        """
        name = f"flow:{session.id}"
        cause = Cause(
            name, session.tenant, session.customer, session.phone_number_id, session=session
        )
        try:
            return await self._take(cause, catalog)
        except Conflict as error:
            if await _is_current(self._stores(session.tenant), session):
                raise TurnError("the turn met conflicts that do not end") from error
            raise

    async def _take(
        self, cause: Cause, catalog: CatalogRepository | None = None
    ) -> tuple[OutboxEntry, ...]:
        bundle = self._bundle(cause.tenant)
        store = self._stores(cause.tenant)
        begun = time.perf_counter()
        for attempt in range(MAX_CONFLICTS):
            known = catalog if attempt == 0 else None
            record = _traced(await self._decisions.of(cause, bundle, store, known))
            try:
                await store.commit(record)
            except Answered:
                raise
            except Conflict as error:
                metrics.conflicts.inc()
                log.info("turn.conflict", attempt=attempt, reason=reason(error))
                if cause.session and not await _is_current(store, cause.session):
                    raise
                await asyncio.sleep(CONFLICT_SECONDS * 2**attempt * self._ids.jitter())
                continue
            tracing.note(outcome=record.log.outcome)
            self._tally.committed(record, seconds=time.perf_counter() - begun)
            handoff_counts.count(bundle, record, cause.message)
            # What others get, whoever sends for them finds.
            return tuple(e for e in record.outbox if e.customer == cause.customer)
        raise Conflict(f"the turn met {MAX_CONFLICTS} conflicts")

    def _bundle(self, tenant: TenantId) -> Bundle:
        bundle = self._bundles.get(tenant)
        if bundle is None:
            raise TurnError(f"the tenant '{tenant}' has no bundle that can be served")
        return bundle


async def _is_current(store: TenantStore, session: FlowSession) -> bool:
    """Tell whether a session that ends is still what it was when it was read."""
    stored = await store.flow_sessions.get(session.id)
    return stored is not None and (stored.state, stored.version) == ("open", session.version - 1)


def _traced(record: TurnRecord) -> TurnRecord:
    """Let what is sent for a turn be told of in its trace, if there is one."""
    trace = tracing.traceparent()
    if trace is None:
        return record
    return replace(record, outbox=tuple(replace(entry, trace=trace) for entry in record.outbox))


def _cause(row: InboxRow, message: InboundMessage) -> Cause:
    return Cause(row.id, row.tenant, row.customer, message.phone_number_id, message)
