"""Sending one message: it is given to Meta, and what Meta did not take is seen to.

When it may be sent, and in which order, is not known here. What Meta's codes mean is in
`engine.whatsapp.send_errors`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from engine import metrics, tracing
from engine.box_ports import Outbox, OutboxEntry
from engine.clock import Clock, Ids
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import (
    EngineError,
    GraphError,
    GraphNoAnswer,
    GraphRetryable,
    GraphTerminal,
    Unavailable,
)
from engine.logs import digest, reason
from engine.ports import BusinessRepository
from engine.runtime.pace import Pace
from engine.runtime.turn_record import WINDOW
from engine.whatsapp.outbound import ReadReceipt
from engine.whatsapp.send_errors import FEW, Course, course_of

MAX_ATTEMPTS: Final = 10
FEW_ATTEMPTS: Final = 3
LONGEST_WAIT: Final = 300
"""Seconds between two attempts at most."""
LONGEST_PAIR_WAIT: Final = 4**6
ANSWER_WAIT: Final = timedelta(seconds=10)
"""How long a status may take that tells whether a send without an answer was taken."""
ACCOUNT_WAIT: Final = timedelta(minutes=1)
STOP: Final = timedelta(minutes=5)
"""How soon it is tried again whether somebody has mended a tenant's account."""
NO_TOKEN: Final = 190
"""Meta's code for an access token that is none."""
NOT_THERE: Final = 132001
"""Meta's code for a template that is not there in this language, or not approved."""
UNAPPROVED: Final = frozenset({NOT_THERE, 132015})
"""Those for which a message waits; with the second one a template is paused."""
APPROVED: Final = "APPROVED"
NOTE_SECONDS: Final = 0.5
MOST_NOTES: Final = 120

log = structlog.get_logger(__name__)


class Graph(Protocol):
    """What sending needs of Meta."""

    async def send(self, phone_number_id: str, *, token: str, payload: Mapping[str, Any]) -> str:
        """Send a message and give the wamid Meta called it."""
        ...


class Approvals(Protocol):
    """What is known of the approval of message templates."""

    async def status_of(self, tenant: TenantId, name: str, language: str) -> str | None:
        """Give a template's status at Meta; None if nothing is known of it."""
        ...

    async def release(self, tenant: TenantId, name: str, language: str) -> int:
        """Let the messages go that wait for a template."""
        ...


class Sender:
    """Sends one entry after the other, as it is told.

    Args:
        pace: is told what did not go out, and of numbers that are too fast.
        spoke_at: gives when a customer wrote last.
        refused: is told of an entry that Meta will never take, and its error code.
        approvals: without them every template is sent.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        businesses: BusinessRepository,
        graph: Graph,
        clock: Clock,
        ids: Ids,
        pace: Pace,
        spoke_at: Callable[[TenantId, CustomerKey], Awaitable[datetime | None]],
        refused: Callable[[OutboxEntry, int], Awaitable[None]],
        approvals: Approvals | None = None,
    ) -> None:
        self._outbox = outbox
        self._businesses = businesses
        self._graph = graph
        self._clock = clock
        self._ids = ids
        self._pace = pace
        self._spoke_at = spoke_at
        self._refused = refused
        self._approvals = approvals
        self._stops: dict[TenantId, tuple[datetime, str]] = {}

    async def send(self, entry: OutboxEntry) -> bool:
        """Send an entry, or see to it that it is tried again, or never.

        Returns:
            Whether the customer's next entry may go on.

        Raises:
            Unavailable: the database does not answer.
        """
        try:
            with tracing.resumed("send", entry.trace, tenant=entry.tenant):
                return await self._send(entry)
        except Unavailable:
            raise
        except Exception as error:
            # Nothing else of the tenant waits for it.
            log.exception("relay.broke", entry=digest(entry.id))
            broken = GraphRetryable(f"{type(error).__name__}: it cannot be sent")
            return await self._failed(entry, broken, "")

    async def _send(self, entry: OutboxEntry) -> bool:
        if entry.is_unknown and await self._outbox.status_of(entry) is not None:
            return True  # a status has settled it since it was read
        token = await self._token(entry)
        if token is None:
            return False
        if until := self._stopped_until(entry.tenant, token):
            error = "sending for this tenant is stopped"
            await self._outbox.postpone(entry, until=until, error=error, counts=False)
            return False
        if not token:
            nobody = GraphTerminal("the tenant has no access token", code=NO_TOKEN)
            return await self._failed(entry, nobody, token)
        if await self._is_closed(entry):
            return await self._outside_window(entry, "more than 24 hours since he wrote")
        if await self._is_unapproved(entry):
            return True
        if entry.reads and entry.attempts == 0:
            await self._mark_read(entry, entry.reads, token)
        try:
            wamid = await self._graph.send(
                entry.phone_number_id, token=token, payload=entry.payload
            )
        except GraphError as error:
            return await self._failed(entry, error, token)
        kind = metrics.kind_of(entry.payload)
        metrics.sends.labels(kind=kind, outcome="sent", code="0").inc()
        if entry.is_unknown:
            # Nothing told that the first one had arrived.
            metrics.sends.labels(kind=kind, outcome="repeated", code="0").inc()
        await self._note(entry, wamid)
        return True

    async def _mark_read(self, entry: OutboxEntry, message: str, token: str) -> None:
        """Show the customer that he was read, and that an answer comes; if Meta will not, not."""
        receipt = ReadReceipt(message, typing=True).to_wire()
        try:
            await self._graph.send(entry.phone_number_id, token=token, payload=receipt)
        except GraphError as error:
            # What concerns the whole account, the message meets at once.
            metrics.sends.labels(kind="receipt", outcome="dropped", code=str(error.code)).inc()

    async def _token(self, entry: OutboxEntry) -> str | None:
        """Give the access token, empty if there is none; None if a person must mend it first."""
        try:
            business = await self._businesses.by_tenant(entry.tenant)
        except Unavailable:
            raise
        except EngineError as error:
            # Such as one that cannot be opened.
            log.error("relay.broken", entry=digest(entry.id), error=reason(error))
            until = self._clock.now() + ACCOUNT_WAIT
            await self._outbox.postpone_all(entry.tenant, until=until, error=str(error))
            return None
        return business.access_token if business else ""

    async def _note(self, entry: OutboxEntry, wamid: str) -> None:
        """Note that an entry was taken, however long the database is away: else it goes twice."""
        now = self._clock.now()
        metrics.relay_seconds.observe(max((now - entry.created_at).total_seconds(), 0.0))
        for attempt in range(MOST_NOTES):
            try:
                await self._outbox.sent(entry, wamid=wamid, at=now)
            except EngineError as error:
                if attempt == 0:
                    log.warning("relay.database_away", entry=digest(entry.id), error=reason(error))
                await asyncio.sleep(NOTE_SECONDS)
            else:
                return
        log.error("relay.unnoted", entry=digest(entry.id))

    def _stopped_until(self, tenant: TenantId, token: str) -> datetime | None:
        until, refused = self._stops.get(tenant, (None, ""))
        if until is None:
            return None
        if until <= self._clock.now() or token != refused:
            del self._stops[tenant]
            return None
        return until

    async def _is_closed(self, entry: OutboxEntry) -> bool:
        """Tell whether the 24-hour window is closed; he may have written since the entry was."""
        now = self._clock.now()
        if entry.window_ends is None or now < entry.window_ends:
            return False
        if entry.payload.get("type") == "template":
            return False
        spoke_at = await self._spoke_at(entry.tenant, entry.customer)
        return spoke_at is None or spoke_at + WINDOW <= now

    async def _outside_window(self, entry: OutboxEntry, why: str) -> bool:
        now = self._clock.now()
        if entry.template is not None and not entry.template:
            await self._outbox.discard(entry, reason=f"{why}: a template was sent for it")
            return True
        if entry.template and await self._outbox.switch(entry, payload=entry.template, at=now):
            log.info("relay.template", entry=digest(entry.id))
            return False
        kind = metrics.kind_of(entry.payload)
        metrics.sends.labels(kind=kind, outcome="held", code="131047").inc()
        log.warning("relay.held", entry=digest(entry.id), tenant=entry.tenant)
        await self._outbox.hold(entry, reason=why)
        return True

    async def _is_unapproved(self, entry: OutboxEntry) -> bool:
        """Hold back a template that is not approved, and tell so; it goes when it is."""
        template = template_of(entry)
        if template is None or self._approvals is None:
            return False
        status = await self._approvals.status_of(entry.tenant, *template)
        if status is None or status == APPROVED:
            return False
        why = f"the template '{template[0]}' is {status.lower()}"
        await self._hold_for(entry, template, why, code=NOT_THERE)
        if await self._approvals.status_of(entry.tenant, *template) == APPROVED:
            # It was approved just before there was anything to let go.
            await self._approvals.release(entry.tenant, *template)
        return True

    async def _hold_for(
        self, entry: OutboxEntry, template: tuple[str, str], why: str, *, code: int
    ) -> None:
        metrics.sends.labels(kind="template", outcome="held", code=str(code)).inc()
        name, language = template
        log.warning(
            "relay.held",
            entry=digest(entry.id), tenant=entry.tenant,
            template=name, language=language, code=code,
        )  # fmt: skip
        await self._outbox.hold(entry, reason=why, waits_for=":".join(template))

    # What Meta did not take --------------------------------------------------------------------

    async def _failed(self, entry: OutboxEntry, error: GraphError, token: str) -> bool:
        """Do what Meta's code asks for; tell whether the customer's next entry may go on."""
        code, said = str(error.code), f"{error} {error.details}".strip()
        course, kind = course_of(error), metrics.kind_of(entry.payload)
        if course in (Course.STOP_TENANT, Course.WAIT_FOR_ACCOUNT):
            needs_somebody = course is Course.STOP_TENANT
            await self._stop(entry, error, token, said, needs_somebody=needs_somebody)
            return False
        if is_receipt(entry):
            # Not worth a second try; the message after it is.
            metrics.sends.labels(kind=kind, outcome="dropped", code=code).inc()
            await self._outbox.discard(entry, reason=said)
            return True
        if course is Course.TEMPLATE:
            return await self._outside_window(entry, said)
        template = template_of(entry)
        if template and error.code in UNAPPROVED and self._approvals:
            name, language = template
            why = f"Meta does not send the template '{name}' in {language} now: {code}: {said}"
            await self._hold_for(entry, template, why, code=error.code)
            return True
        attempts = FEW_ATTEMPTS if error.code in FEW else MAX_ATTEMPTS
        if course is Course.GIVE_UP or entry.attempts + 1 >= attempts:
            metrics.sends.labels(kind=kind, outcome="refused", code=code).inc()
            log.error("relay.refused", entry=digest(entry.id), code=code, kind=kind)
            # First: if the process dies in between, the entry is refused once more.
            await self._refused(entry, error.code)
            await self._outbox.bury(entry, error=f"{code}: {said}")
            return True
        await self._later(entry, error, course, said)
        return False

    async def _later(
        self, entry: OutboxEntry, error: GraphError, course: Course, said: str
    ) -> None:
        is_unknown = isinstance(error, GraphNoAnswer)
        if not is_unknown:
            self._pace.give_back(entry.tenant, entry.customer)
        if course is Course.WAIT_FOR_CUSTOMER:
            wait = timedelta(seconds=min(4**entry.attempts, LONGEST_PAIR_WAIT))
        elif is_unknown:
            wait = max(ANSWER_WAIT, timedelta(seconds=min(2**entry.attempts, LONGEST_WAIT)))
        else:
            wait = timedelta(seconds=self._ids.jitter() * min(2**entry.attempts, LONGEST_WAIT))
        if course is Course.WAIT_FOR_NUMBER:
            self._pace.slow_down(entry.phone_number_id)
        kind = metrics.kind_of(entry.payload)
        outcome = "unknown" if is_unknown else "retried"
        metrics.sends.labels(kind=kind, outcome=outcome, code=str(error.code)).inc()
        name = digest(entry.id)
        if is_unknown:
            log.warning("relay.unknown", entry=name, code=error.code, kind=kind)
        else:
            log.warning("relay.retried", entry=name, code=error.code, kind=kind)
        await self._outbox.postpone(
            entry, until=self._clock.now() + wait, error=said, is_unknown=is_unknown
        )

    async def _stop(
        self,
        entry: OutboxEntry,
        error: GraphError,
        token: str,
        said: str,
        *,
        needs_somebody: bool,
    ) -> None:
        wait = STOP if needs_somebody else ACCOUNT_WAIT
        if isinstance(error, GraphRetryable) and error.wait:
            wait = max(wait, timedelta(seconds=error.wait))
        until = self._clock.now() + wait
        self._stops[entry.tenant] = until, token
        kind = metrics.kind_of(entry.payload)
        metrics.sends.labels(kind=kind, outcome="stopped", code=str(error.code)).inc()
        say = log.error if needs_somebody else log.warning
        say("relay.tenant_stopped", tenant=entry.tenant, code=error.code, until=until.isoformat())
        sentence = f"{error.code}: {said}"
        await self._outbox.postpone_all(entry.tenant, until=until, error=sentence)


def is_receipt(entry: OutboxEntry) -> bool:
    """Tell whether an entry is only the sign that a message was read, and no message."""
    return entry.payload.get("status") == "read"


def template_of(entry: OutboxEntry) -> tuple[str, str] | None:
    """Give the name and the language of the template that an entry is, if it is one."""
    if entry.payload.get("type") != "template":
        return None
    template = entry.payload["template"]
    return template["name"], template["language"]["code"]
