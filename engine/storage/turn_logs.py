"""The logs of turns, read back with what came and what was said; turns are written elsewhere."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from beanie import Document

from engine.domain.ids import CustomerKey, OrderNumber, TenantId
from engine.ports import LoggedMessage, LoggedTurn, TurnLog
from engine.storage.bulk import chunks
from engine.storage.connection import Database, Json, reachable
from engine.storage.conversations import conversation_id
from engine.storage.documents import OrderDocument
from engine.storage.inbox import row_from_disk
from engine.storage.outbox import entry_from_disk
from engine.storage.recordings import Readings, digests, unpacked
from engine.storage.records import RETENTION, InboxDocument, OutboxDocument, TurnDocument
from engine.storage.tenancy import TenantCollection

PER_TURN = 100
"""The messages of a conversation's turn are numbered from its version times this."""


class MongoTurnLogs:
    """The logs of one tenant's turns: `engine.ports.TurnLogs`."""

    def __init__(self, database: Database, tenant: TenantId) -> None:
        def own(document: type[Document]) -> TenantCollection:
            return TenantCollection(database.collection(document), "tenant", tenant)

        self._tenant = tenant
        self._turns = own(TurnDocument)
        self._inbox = own(InboxDocument)
        self._outbox = own(OutboxDocument)
        self._orders = TenantCollection(database.collection(OrderDocument), "subDomain", tenant)
        self._readings = Readings(database, tenant, retention=RETENTION)

    async def of(
        self, customer: CustomerKey, *, until: datetime | None = None, limit: int = 0
    ) -> tuple[LoggedTurn, ...]:
        """Give a customer's turns, the oldest first.

        Args:
            until: those that were taken at this time or before.
            limit: the newest of them; 0 for all.
        """
        wanted: Json = {"customer": customer}
        if until is not None:
            wanted["at"] = {"$lte": until}
        with reachable():
            found = self._turns.find(wanted, sort=(("version", -1),), limit=limit)
            turns = (await found.to_list())[::-1]
            rows = await self._rows([turn["_id"] for turn in turns])
            said = await self._said(customer, turns)
        wanted_texts = [
            digest for turn in turns for digest in digests(turn.get("recording") or {})
        ]
        texts: dict[str, str] = {}
        for part in chunks(list(dict.fromkeys(wanted_texts))):
            texts |= await self._readings.find(part)
        return tuple(self._logged(turn, rows, said, texts) for turn in turns)

    async def customer_of(self, number: OrderNumber) -> CustomerKey | None:
        """Give the customer who placed an order; None if there is no such order, or nobody."""
        with reachable():
            found = await self._orders.find_one(
                {"orderNumber": number}, projection={"conversationId": 1}
            )
        prefix = conversation_id(self._tenant, CustomerKey(""))
        name = str((found or {}).get("conversationId") or "")
        return CustomerKey(name.removeprefix(prefix)) if name.startswith(prefix) else None

    async def _rows(self, ids: Sequence[str]) -> dict[str, Json]:
        rows: dict[str, Json] = {}
        for part in chunks(ids):
            found = await self._inbox.find({"_id": {"$in": list(part)}}).to_list()
            rows |= {row["_id"]: row for row in found if row.get("raw")}
        return rows

    async def _said(
        self, customer: CustomerKey, turns: Sequence[Json]
    ) -> dict[int, list[LoggedMessage]]:
        said: dict[int, list[LoggedMessage]] = defaultdict(list)
        if not turns:
            return said
        first, last = turns[0]["version"], turns[-1]["version"]
        spoken = {"$gte": first * PER_TURN, "$lt": (last + 1) * PER_TURN}
        wanted = {"customer": customer, "sequence": spoken}
        for row in await self._outbox.find(wanted, sort=(("sequence", 1),)).to_list():
            said[row["sequence"] // PER_TURN].append(
                LoggedMessage(
                    entry_from_disk(row), row.get("providerId"), bool(row.get("isSwitched"))
                )
            )
        return said

    def _logged(
        self,
        turn: Json,
        rows: dict[str, Json],
        said: dict[int, list[LoggedMessage]],
        texts: dict[str, str],
    ) -> LoggedTurn:
        customer, row = CustomerKey(turn["customer"]), rows.get(turn["_id"])
        recording: Any = turn.get("recording")
        return LoggedTurn(
            id=turn["_id"],
            tenant=self._tenant,
            customer=customer,
            version=turn["version"],
            at=turn["at"],
            log=TurnLog(
                event=turn["event"],
                source=turn.get("source"),
                target=turn.get("target"),
                steps=tuple(turn.get("steps") or ()),
                bundle=turn["bundle"],
                outcome=turn["outcome"],
                error=turn.get("error"),
                recording=recording and unpacked(recording, texts, self._tenant, customer),
            ),
            row=row_from_disk(row) if row else None,
            messages=tuple(
                message
                for message in said.get(turn["version"], ())
                if message.entry.id.startswith(f"{turn['_id']}:")
            ),
            given_up=turn.get("givenUp"),
        )
