"""What turns were decided from, on disk: small or personal parts in the turn's row, others once.

What a tenant sells is read by thousands of turns and changes rarely: each reading of it is stored
once, under its digest, and nothing of a customer is in it. Everything that is his lies in the row
of his turn, and goes with it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError

from engine.box_ports import Said
from engine.domain.cart import Cart
from engine.domain.catalog import Category, Product
from engine.domain.ids import CustomerKey, ProductId, TenantId
from engine.domain.order import Order
from engine.errors import EngineError, Unavailable
from engine.flow_ports import Deployment, FlowSession
from engine.logs import reason
from engine.ports import Reading, Recording
from engine.runtime.recording import (
    CATEGORIES,
    DEPLOYMENTS,
    HANDOFF,
    LATEST_ORDER,
    MAPPING,
    NAMES,
    NATIVE_CATALOG,
    NATIVE_ITEMS,
    ORDER,
    PRODUCT,
    PRODUCTS,
    SAID,
    SESSION,
    STAFF_LINE,
    STAFF_PEER,
    STAFF_WORDS,
    TOKEN,
)
from engine.staff_ports import Spoken, StaffLine
from engine.storage.bulk import require_only_known
from engine.storage.connection import Database, Json, reachable
from engine.storage.conversations import conversation_from_disk, conversation_to_disk
from engine.storage.flow_sessions import session_from_disk, session_to_disk
from engine.storage.records import ReadingDocument

AGAIN: Final = timedelta(days=1)
"""How long a process takes for granted that a reading it has written is there."""
REMEMBERED: Final = 512
"""Readings of one tenant that a process remembers to have written."""
SHORT: Final = 100
"""Bytes that lie in the turn's row, as a digest would take as many."""
LARGEST: Final = 4 * 1024 * 1024
"""Bytes of a reading; a larger one is not recorded."""

_TYPES: Final[Mapping[str, TypeAdapter[Any]]] = {
    CATEGORIES: TypeAdapter(tuple[Category, ...]),
    PRODUCTS: TypeAdapter(tuple[Product, ...]),
    PRODUCT: TypeAdapter(Product | None),
    NAMES: TypeAdapter(tuple[tuple[ProductId, str], ...]),
    NATIVE_CATALOG: TypeAdapter(str | None),
    NATIVE_ITEMS: TypeAdapter(dict[ProductId, tuple[str, ...]]),
    LATEST_ORDER: TypeAdapter(Order | None),
    ORDER: TypeAdapter(Order | None),
    MAPPING: TypeAdapter(dict[str, str]),
    DEPLOYMENTS: TypeAdapter(tuple[Deployment, ...]),
    TOKEN: TypeAdapter(str),
    SAID: TypeAdapter(Said | None),
    STAFF_LINE: TypeAdapter(StaffLine),
    STAFF_WORDS: TypeAdapter(tuple[Spoken, ...]),
    HANDOFF: TypeAdapter(bool),
    STAFF_PEER: TypeAdapter(CustomerKey | None),
}
_SHARED: Final = frozenset({CATEGORIES, PRODUCTS, PRODUCT, NAMES, NATIVE_ITEMS, DEPLOYMENTS})
"""What has nothing of a customer in it."""
_CART: Final[TypeAdapter[Cart]] = TypeAdapter(Cart)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Packed:
    """A recording as it is written.

    Args:
        part: what lies in the turn's row.
        texts: what is stored once, by digest.
    """

    part: Json
    texts: Mapping[str, str]


def packed(recording: Recording) -> Packed:
    """Write a recording."""
    texts: dict[str, str] = {}
    cart, talk = recording.cart, recording.conversation
    part: Json = {
        "before": None if talk is None else conversation_to_disk(talk),
        "cart": None if cart is None else _CART.dump_json(cart, warnings=False).decode(),
        "drawn": [list(pair) for pair in recording.drawn],
        "readings": [_reading_to_disk(reading, texts) for reading in recording.readings],
        "session": _session_to_disk(recording.session),
    }
    return Packed(part, texts)


def _reading_to_disk(reading: Reading, texts: dict[str, str]) -> Json:
    part: Json = {"call": reading.call, "arguments": list(reading.arguments)}
    value = reading.value
    if reading.call == SESSION:
        return {**part, "session": _session_to_disk(value)}
    if reading.call in (PRODUCT, PRODUCTS) and value is not None:
        value, counted = _uncounted(value)
        if counted:
            part["stock"] = counted
    try:
        text = _TYPES[reading.call].dump_json(value, warnings=False)
    except PydanticSerializationError as error:
        log.warning("recording.not_written", call=reading.call, error=reason(error))
        return part
    if len(text) <= SHORT or reading.call not in _SHARED:
        return {**part, "text": text.decode()}
    if len(text) > LARGEST:
        log.warning("recording.too_large", call=reading.call, bytes=len(text))
        return part
    digest = hashlib.blake2b(text, digest_size=16).hexdigest()
    texts[digest] = text.decode()
    return {**part, "digest": digest}


def _uncounted(value: Any) -> tuple[Any, list[list[Any]]]:
    """Take the units in stock out: they change with every order, the products do not."""
    products = value if isinstance(value, tuple) else (value,)
    counted = [[each.id, each.stock] for each in products if each.stock is not None]
    if not counted:
        return value, []
    bare = tuple(p if p.stock is None else replace(p, stock=None) for p in products)
    return (bare if isinstance(value, tuple) else bare[0]), counted


def _session_to_disk(session: Any) -> Json | None:
    return None if session is None else {**session_to_disk(session), "tenant": session.tenant}


def unpacked(
    part: Mapping[str, Any], texts: Mapping[str, str], tenant: TenantId, customer: CustomerKey
) -> Recording:
    """Read a recording back; what is not kept any more is left out of its readings."""
    talk, cart, session = part.get("before"), part.get("cart"), part.get("session")
    readings = (_reading_from_disk(each, texts) for each in part.get("readings") or ())
    return Recording(
        conversation=talk and conversation_from_disk({**talk, **_owner(tenant, customer)}),
        cart=None if cart is None else _CART.validate_json(cart),
        drawn=tuple((kind, made) for kind, made in part.get("drawn") or ()),
        readings=tuple(reading for reading in readings if reading is not None),
        session=None if session is None else session_from_disk(session),
    )


def digests(part: Mapping[str, Any]) -> list[str]:
    """Name the readings that are stored elsewhere."""
    found = (reading.get("digest") for reading in part.get("readings") or ())
    return [digest for digest in found if digest]


def _owner(tenant: TenantId, customer: CustomerKey) -> Json:
    return {"tenant": tenant, "customer": customer}


def _reading_from_disk(part: Mapping[str, Any], texts: Mapping[str, str]) -> Reading | None:
    call, arguments = part["call"], tuple(part["arguments"])
    if call == SESSION:
        session: FlowSession | None = part["session"] and session_from_disk(part["session"])
        return Reading(call, arguments, session)
    text = part.get("text") or texts.get(part.get("digest") or "")
    if text is None or call not in _TYPES:
        return None
    value = _TYPES[call].validate_json(text)
    if part.get("stock"):
        value = _counted(value, dict(part["stock"]))
    return Reading(call, arguments, value)


def _counted(value: Any, stock: Mapping[str, int]) -> Any:
    if isinstance(value, tuple):
        return tuple(replace(each, stock=stock.get(each.id)) for each in value)
    return replace(value, stock=stock.get(value.id))


class Readings:
    """What one tenant's turns have read, stored once.

    Args:
        retention: how long the log of a turn is kept.
    """

    def __init__(self, database: Database, tenant: TenantId, *, retention: timedelta) -> None:
        self._rows = database.collection(ReadingDocument)
        self._tenant = tenant
        self._kept = retention + 2 * AGAIN
        self._written: OrderedDict[str, datetime] = OrderedDict()

    async def keep(self, texts: Mapping[str, str], *, at: datetime) -> None:
        """Store what this process has not stored lately; that it cannot be is no turn's trouble.

        Raises:
            Unavailable: the database does not answer.
        """
        new = [digest for digest in texts if not self._is_known(digest, at)]
        if not new:
            return
        try:
            await self._write({digest: texts[digest] for digest in new}, at)
        except Unavailable:
            raise
        except EngineError as error:
            log.error("recording.not_kept", tenant=self._tenant, error=reason(error))
            return
        for digest in new:
            self._written[digest] = at
            self._written.move_to_end(digest)
        while len(self._written) > REMEMBERED:
            self._written.popitem(last=False)

    def _is_known(self, digest: str, at: datetime) -> bool:
        written = self._written.get(digest)
        if written is None or at - written >= AGAIN:
            return False
        self._written.move_to_end(digest)
        return True

    async def _write(self, texts: Mapping[str, str], at: datetime) -> None:
        documents = (
            {
                "_id": reading_id(self._tenant, digest),
                "tenant": self._tenant,
                "text": text,
                "expireAt": at + self._kept,
            }
            for digest, text in texts.items()
        )
        puts = [ReplaceOne({"_id": each["_id"]}, each, upsert=True) for each in documents]
        with reachable():
            try:
                await self._rows.bulk_write(puts, ordered=False)
            except BulkWriteError as exc:
                require_only_known(exc)  # another process was faster, with the same

    async def find(self, wanted: Sequence[str]) -> dict[str, str]:
        """Give what is stored under digests."""
        ids = [reading_id(self._tenant, digest) for digest in dict.fromkeys(wanted)]
        if not ids:
            return {}
        with reachable():
            found = await self._rows.find({"_id": {"$in": ids}, "tenant": self._tenant}).to_list()
        return {row["_id"].rpartition(":")[2]: row["text"] for row in found}


def reading_id(tenant: TenantId, digest: str) -> str:
    """Name a reading; a tenant has no colon in it."""
    return f"{tenant}:{digest}"
