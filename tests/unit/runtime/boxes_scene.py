"""Everything between the inbox and Meta in memory, for one process or several: a clock that a test
moves, a Meta that does what it is told.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from engine.box_ports import OutboxEntry, Said
from engine.clock import ManualClock, SeededIds
from engine.domain.ids import CustomerKey, TenantId
from engine.ports import Business
from engine.runtime.pace import Pace
from engine.runtime.relay import Relay
from engine.runtime.sender import Sender
from engine.slots import SLOTS
from tests.memory_boxes import Boxes
from tests.unit.actions.shop import OPEN
from tests.unit.runtime.flow_shop import ANA, NUMBER, TENANT, Businesses

SAID = Said("storefront", 1, "menu", 1)


class Mine:
    """Claims of a process that has every slot in one term, until a test changes that."""

    share = 1.0

    def __init__(self) -> None:
        self.held: int | None = 1

    def term(self, tenant: TenantId, customer: CustomerKey) -> int | None:
        return self.held

    def terms(self) -> dict[int, int]:
        return {} if self.held is None else dict.fromkeys(range(SLOTS), self.held)


def entry(
    n: int = 1, *, who: CustomerKey = ANA, at: datetime = OPEN, **changes: Any
) -> OutboxEntry:
    """Give a text that waits to be sent."""
    made = OutboxEntry(
        id=f"{NUMBER}:wamid.{who}.{n}:1",
        tenant=TENANT,
        customer=who,
        phone_number_id=NUMBER,
        sequence=n * 100 + 1,
        payload={"type": "text", "text": {"body": f"{n}"}},
        created_at=at,
        said=SAID,
        window_ends=at + timedelta(hours=24),
    )
    return replace(made, **changes)


class Meta:
    """Takes messages, or fails as it is told, once for each error."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Any]] = []
        self.tokens: list[str] = []
        self.errors: deque[Exception] = deque()

    async def send(self, phone_number_id: str, *, token: str, payload: Mapping[str, Any]) -> str:
        self.tokens.append(token)
        if self.errors:
            raise self.errors.popleft()
        self.taken.append((phone_number_id, payload))
        return f"wamid.out.{len(self.taken)}"

    def texts(self) -> list[str]:
        return [payload["text"]["body"] for _, payload in self.taken if "text" in payload]


class Post:
    """A relay and its sender."""

    def __init__(self) -> None:
        self.clock = ManualClock(OPEN)
        self.boxes = Boxes()
        self.businesses = Businesses()
        self.meta = Meta()
        self.claims = Mine()
        self.ticks = 0.0
        self.spoke: datetime | None = OPEN
        self.refused: list[tuple[str, int]] = []
        claims: Any = self.claims
        self.pace = Pace(share=lambda: 1.0, ticks=lambda: self.ticks)
        self.sender = Sender(
            outbox=self.boxes.outbox, businesses=self.businesses, graph=self.meta,
            clock=self.clock, ids=SeededIds(), pace=self.pace, spoke_at=self._spoke_at,
            refused=self._refused,
        )  # fmt: skip
        self.relay = Relay(
            outbox=self.boxes.outbox, sender=self.sender, pace=self.pace, clock=self.clock,
            claims=lambda: claims,
        )  # fmt: skip

    async def _spoke_at(self, tenant: TenantId, customer: CustomerKey) -> datetime | None:
        return self.spoke

    async def _refused(self, entry: OutboxEntry, code: int) -> None:
        self.refused.append((entry.id, code))

    def put(self, *entries: OutboxEntry) -> None:
        """Store entries, as turns do."""
        for each in entries:
            self.boxes.put_out(each)

    async def look(self, after: timedelta = timedelta()) -> None:
        """Let time pass, and send what is due."""
        self.clock.move(after)
        self.ticks += after.total_seconds()
        await self.relay.look()
        await self.relay.idle()

    def state(self, of: OutboxEntry) -> tuple[str, int]:
        """Tell the state of an entry, and how often it was tried in vain."""
        held = self.boxes.outbox_rows[of.id]
        return held.state, held.row.attempts

    def wait(self, of: OutboxEntry) -> float:
        """Tell in how many seconds an entry is due."""
        return (self.boxes.outbox_rows[of.id].due - self.clock.now()).total_seconds()

    def change_business(self, **changes: Any) -> None:
        """Write the tenant's document."""
        held: Business = self.businesses.held[TENANT]
        self.businesses.held[TENANT] = replace(held, **changes)
