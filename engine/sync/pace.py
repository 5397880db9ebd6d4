"""When a catalogue may be given the next batch; it neither waits nor sends."""

from datetime import datetime, timedelta
from typing import Final

from engine.errors import EngineError
from engine.sync.calls import Taken
from engine.sync.ports import Batches

CALLS: Final = 8
"""Batches a minute that Meta takes for a new catalogue (Marketing API rate limits: 8 + 8 log2)."""
MINUTE: Final = timedelta(seconds=60)
NEARLY: Final = 90
"""Percent of a limit that is used up: the rest is left to others who use the same account."""


class NotNow(EngineError):
    """Meta takes no batch for a catalogue before a time.

    Args:
        at: the time.
    """

    def __init__(self, at: datetime) -> None:
        super().__init__(f"Meta takes no batch before {at.isoformat()}")
        self.at = at


class Pace:
    """Counts the batches that were sent, so that it holds over restarts and processes."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._holds: dict[str, datetime] = {}

    async def want(self, catalog_id: str, *, now: datetime) -> None:
        """Ask whether a batch may be sent to a catalogue.

        Raises:
            NotNow: with the time when it may.
        """
        held = self._holds.get(catalog_id)
        if held and held > now:
            raise NotNow(held)
        self._holds.pop(catalog_id, None)
        since = now - MINUTE
        sent = [at for at in await self._batches.sent_since(catalog_id, since) if at > since]
        if len(sent) >= CALLS:
            raise NotNow(sent[-CALLS] + MINUTE)

    def note(self, catalog_id: str, taken: Taken, *, now: datetime) -> None:
        """Heed what Meta said of its limits with an answer."""
        if taken.wait:
            self.hold(catalog_id, until=now + timedelta(seconds=taken.wait))
        elif taken.usage >= NEARLY:
            self.hold(catalog_id, until=now + MINUTE / CALLS)

    def hold(self, catalog_id: str, *, until: datetime) -> None:
        """Send nothing to a catalogue before a time."""
        self._holds[catalog_id] = until
