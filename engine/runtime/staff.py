"""The staff as one turn reaches them; nothing is sent here."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from engine.domain.ids import CustomerKey
from engine.domain.tenant import Tenant
from engine.errors import Malformed
from engine.runtime.recording import HANDOFF, STAFF_LINE, STAFF_WORDS, Recorder
from engine.staff_ports import HandOffRepository, Spoken, StaffLine
from engine.whatsapp.content import Content, Location, Media, Raised, Tap, Text
from engine.whatsapp.inbound import restore_message

MOST_WORDS: Final = 5
"""Messages of the customer that the staff is shown."""
LOOKED_AT: Final = 20
"""Rows that are looked through for them: some are events of ours."""


class TurnStaff:
    """The staff of one turn's tenant: `engine.staff_ports.StaffDesk`.

    Args:
        customer: whose turn it is.
    """

    def __init__(
        self,
        tenant: Tenant,
        customer: CustomerKey,
        *,
        handoffs: HandOffRepository,
        recorder: Recorder,
    ) -> None:
        self._phone = tenant.staff.digits
        self._customer = customer
        self._handoffs = handoffs
        self._recorder = recorder

    async def line(self) -> StaffLine | None:
        """Give the number to notify; None if the tenant has none."""
        if not self._phone:
            return None
        ask = partial(self._handoffs.line, self._phone)
        return await self._recorder.ask(ask, STAFF_LINE, self._phone)

    async def last_words(self) -> Sequence[Spoken]:
        """Give what the customer sent last, the oldest first."""
        ask = partial(self._handoffs.last_words, self._customer)
        return await self._recorder.ask(ask, STAFF_WORDS)

    async def is_known(self, handoff: str) -> bool:
        """Tell whether the staff was told of a hand-off, and it is not forgotten."""
        ask = partial(self._handoffs.is_known, handoff)
        return await self._recorder.ask(ask, HANDOFF, handoff)


def words_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Spoken, ...]:
    """Give what a customer said, the oldest first.

    Args:
        rows: the `raw` of what is in his inbox, the oldest first.
    """
    words = [spoken for row in rows if (spoken := _spoken(row))]
    return tuple(words[-MOST_WORDS:])


def _spoken(raw: Mapping[str, Any]) -> Spoken | None:
    try:
        content = restore_message(raw).content
    except Malformed:  # such as one that was emptied
        return None
    return None if isinstance(content, Raised) else _words(content)


def _words(content: Content) -> Spoken:
    if isinstance(content, Text):
        return Spoken("text", content.body)
    if isinstance(content, Tap):
        return Spoken("tap", content.title)
    if isinstance(content, Location):
        return Spoken("location", content.name or content.address or "")
    if isinstance(content, Media):
        return Spoken("voice" if content.voice else content.kind, content.caption or "")
    return Spoken("other", "")
