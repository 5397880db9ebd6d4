"""What is personal in a customer's turns, and what stands in its place where others read it.

A free text is kept unless it holds something of this kind. What nobody could know to be personal
(a friend's first name) is not found: whoever saves a conversation reads it before he shares it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from engine.domain.conversation import Conversation
from engine.domain.order import Order
from engine.flow_ports import FlowSession
from engine.ports import LoggedTurn, TurnRecord
from engine.whatsapp.content import Location
from engine.whatsapp.inbound import InboundMessage

NAME: Final = "Ana"
PHONE: Final = "15550001234"
ADDRESS: Final = "12 Sample Street"
EMAIL: Final = "ana@example.com"
NOTE: Final = "a note"
KEY: Final = "US.15550001234"

_PHONES: Final = re.compile(r"(?<![\w:|#])\+?\d(?:[ ().\-/]{0,2}\d){6,14}(?![\w:|#])")
_EMAILS: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_KINDS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (ADDRESS, re.compile(r"address|street|direcci|calle|place", re.IGNORECASE)),
    (NOTE, re.compile(r"note|nota|comment|instruc", re.IGNORECASE)),
    (EMAIL, re.compile(r"mail|correo", re.IGNORECASE)),
    (PHONE, re.compile(r"phone|tel|celular|whatsapp", re.IGNORECASE)),
    (NAME, re.compile(r"(^|_)(name|nombre|surname|apellido)", re.IGNORECASE)),
)
"""What a remembered text is, by the name it is remembered under."""
_SHORTEST: Final = 2
"""Characters of a text that is looked for."""
_SHORTEST_WORD: Final = 3
"""Characters of a part of a name that is looked for by itself."""
Found = Iterator[tuple[str, str]]
"""A personal text and what stands in its place."""


class Masks:
    """Masks the texts of one customer.

    Args:
        found: personal texts, each with what stands in its place; the first one counts.
    """

    def __init__(self, found: Iterable[tuple[str, str]]) -> None:
        self._known: dict[str, str] = {}
        for text, instead in found:
            key = " ".join(text.split()).casefold()
            if len(key) >= _SHORTEST:
                self._known.setdefault(key, instead)
        longest = sorted(self._known, key=len, reverse=True)
        words = ("".join(_spaced(key)) for key in longest)
        # As a word: a customer called Al is not in "also".
        self._any = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)

    def __call__(self, text: str) -> str:
        """Write a text without what is personal in it."""
        masked = self._any.sub(self._instead, text) if self._known else text
        masked = _EMAILS.sub(EMAIL, masked)
        return _PHONES.sub(PHONE, masked)

    def holds(self, text: str) -> bool:
        """Tell whether something personal is in a text."""
        return self(text) != text

    def _instead(self, found: re.Match[str]) -> str:
        return self._known.get(" ".join(found[0].split()).casefold(), NAME)


def _spaced(text: str) -> Iterator[str]:
    """Write a pattern of a text in which any white space is any other."""
    for place, word in enumerate(text.split(" ")):
        yield (r"\s+" if place else "") + re.escape(word)


def masks_of(turns: Sequence[LoggedTurn], records: Iterable[TurnRecord]) -> Masks:
    """Find what is personal in a customer's turns.

    Args:
        records: what they decide when they are replayed.
    """
    return Masks(_personal(turns, records))


def _personal(turns: Sequence[LoggedTurn], records: Iterable[TurnRecord]) -> Found:
    for turn in turns:
        yield str(turn.customer), KEY
        recording = turn.log.recording
        if recording is None:
            continue
        if recording.conversation:
            yield from _in_conversation(recording.conversation)
        for value in (recording.session, *(each.value for each in recording.readings)):
            if isinstance(value, FlowSession):
                yield from _in_values({**value.variables, **(value.params or {})})
            elif isinstance(value, Order):
                yield from _in_order(value)
    for record in records:
        yield from _in_conversation(record.conversation)
        for order in record.orders:
            yield from _in_order(order)


def personal_in(message: InboundMessage) -> Found:
    """Find what a message tells of who wrote it."""
    sender = message.sender
    if sender.name:
        yield from _names(sender.name)
    for text, instead in ((sender.username, NAME), (sender.phone, PHONE), (sender.user_id, KEY)):
        if text:
            yield text, instead
    if isinstance(message.content, Location):
        for part in (message.content.name, message.content.address):
            if part:
                yield part, ADDRESS


def _in_conversation(talk: Conversation) -> Found:
    if talk.name:
        yield from _names(talk.name)
    if talk.phone:
        yield talk.phone, PHONE
    if talk.user_id:
        yield talk.user_id, KEY
    yield from _in_values(talk.variables)


def _in_order(order: Order) -> Found:
    if order.customer_name:
        yield from _names(order.customer_name)
    if order.address and order.address.text:
        yield order.address.text, ADDRESS
    if order.notes:
        yield order.notes, NOTE
    if order.customer_phone:
        yield order.customer_phone, PHONE


def _in_values(values: Mapping[str, Any], within: str | None = None) -> Found:
    for key, value in values.items():
        kind = within or next((each for each, named in _KINDS if named.search(str(key))), None)
        if isinstance(value, Mapping):
            yield from _in_values(value, kind if kind == ADDRESS else None)
        elif isinstance(value, str) and value and kind:
            yield from (_names(value) if kind == NAME else ((value, kind),))


def _names(name: str) -> Found:
    yield name, NAME
    for word in name.split():
        if len(word) >= _SHORTEST_WORD:
            yield word, NAME
