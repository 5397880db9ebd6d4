"""The smallest handler that could stand in the engine's place: it knows every answer beforehand.

It does the reads and writes of each turn of the journey, in the same order, and decides nothing.
No customer could be served by it: it is the floor that the engine is held against.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
import orjson
from pymongo.asynchronous.collection import AsyncCollection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine.clock import Clock
from engine.domain.money import Currency
from engine.storage.carts import cart_to_disk
from engine.storage.connection import Database
from engine.storage.conversations import conversation_to_disk
from engine.storage.documents import (
    CartDocument,
    CategoryDocument,
    ModifierDocument,
    OrderDocument,
    PresentationDocument,
    ProductDocument,
)
from engine.storage.orders import order_to_disk
from engine.storage.outbox import entry_to_disk
from engine.storage.records import (
    ConversationDocument,
    InboxDocument,
    OutboxDocument,
    TurnDocument,
)
from engine.storage.unit_of_work import turn_to_disk
from engine.whatsapp.signature import verify
from tests.bench.journey import TENANT, Read, Step

Json = dict[str, Any]


class Handwritten:
    """The handler, over a database that has the tenant's catalog."""

    def __init__(
        self, database: Database, steps: tuple[Step, ...], *, secret: str, graph: str, clock: Clock
    ) -> None:
        self._database = database
        self._steps = steps
        self._secret = secret
        self._clock = clock
        self._http = httpx.AsyncClient(base_url=graph, timeout=20.0)
        self._turns: set[asyncio.Task[None]] = set()
        self.web = Starlette(
            routes=[Route("/whatsapp_response", self.receive, methods=["POST"])],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with self._database, self._http:
            names = {
                "inbox": InboxDocument, "conversations": ConversationDocument,
                "carts": CartDocument, "orders": OrderDocument, "outbox": OutboxDocument,
                "turns": TurnDocument, "categories": CategoryDocument,
                "products": ProductDocument, "presentations": PresentationDocument,
                "modifiers": ModifierDocument,
            }  # fmt: skip
            self._rows: Mapping[str, AsyncCollection[Json]] = {
                name: self._database.collection(document) for name, document in names.items()
            }
            yield

    async def idle(self) -> None:
        """Wait until every turn is finished."""
        while self._turns:
            await asyncio.wait(set(self._turns))

    async def receive(self, request: Request) -> Response:
        """Store the message, answer 200, then take its turn."""
        body = await request.body()
        verify(body, request.headers.get("x-hub-signature-256"), self._secret)
        value = orjson.loads(body)["entry"][0]["changes"][0]["value"]
        message, contact = value["messages"][0], value["contacts"][0]
        number, now = value["metadata"]["phone_number_id"], self._clock.now()
        row = {
            "_id": f"{number}:{message['id']}",
            "tenant": TENANT,
            "customer": contact["user_id"],
            "timestamp": int(message["timestamp"]),
            "receivedAt": now,
            "raw": {"message": message, "contact": contact, "phone_number_id": number},
            "attempts": 0,
            "state": "new",
            "due": now,
        }
        await self._rows["inbox"].insert_one(row)
        task = asyncio.create_task(self._turn(row, message["from"]))
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)
        return PlainTextResponse("OK")

    async def _turn(self, row: Json, phone: str) -> None:
        customer = row["customer"]
        key = f"{TENANT}:{customer}"
        held = await self._rows["conversations"].find_one({"_id": key, "tenant": TENANT})
        if held and held["cartExpiresAt"]:
            await self._rows["carts"].find_one({"sessionId": customer, "subDomain": TENANT})
        step = self._steps[held["version"] if held else 0]
        for read in step.reads:
            await self._read(read, customer)
        outbox = self._entries(step, row, phone)
        await self._commit(step, row, outbox)
        for entry in outbox:
            await self._send(entry)

    # Reads -----------------------------------------------------------------------------------

    async def _read(self, read: Read, customer: str) -> None:
        method, *arguments = read
        match method:
            case "get_categories":
                await self._categories()
            case "get_products_by_category":
                wanted = {"categoryId": arguments[0], "isActive": True, "subDomain": TENANT}
                await self._parts(await self._find("products", wanted))
            case "get_product_by_id":
                wanted = {"rId": arguments[0], "subDomain": TENANT}
                product = await self._rows["products"].find_one(wanted)
                await self._parts([product] if product else [])
            case "get_product_names":
                fields = {"_id": 0, "rId": 1, "name": 1}
                await self._find("products", {"isActive": True, "subDomain": TENANT}, fields)
            case "get_latest":
                wanted = {"conversationId": f"{TENANT}:{customer}", "subDomain": TENANT}
                orders = self._rows["orders"].find(wanted, limit=1)
                await orders.sort([("createdAt", -1)]).to_list()
            case _:
                raise NotImplementedError(f"the handwritten handler cannot '{method}'")

    async def _find(self, name: str, wanted: Json, fields: Json | None = None) -> list[Json]:
        rows = self._rows[name].find(wanted, fields, limit=0 if fields else 200)
        return await rows.sort([("sortOrder", 1), ("rId", 1)]).to_list()

    async def _categories(self) -> None:
        found = await self._find("categories", {"isActive": True, "subDomain": TENANT})
        wanted = {
            "categoryId": {"$in": [row["rId"] for row in found]},
            "isActive": True,
            "subDomain": TENANT,
        }
        count = {"$group": {"_id": "$categoryId", "count": {"$sum": 1}}}
        await (await self._rows["products"].aggregate([{"$match": wanted}, count])).to_list()

    async def _parts(self, products: list[Json]) -> None:
        sizes = {size for product in products for size in product["presentations"]}
        groups = [group for product in products for group in product["modifiers"]]
        add_ons = {add_on for group in groups for add_on in group["modifiers"]}
        wanted = {"presentations": sizes, "modifiers": add_ons}
        await asyncio.gather(
            *(
                self._rows[name].find({"rId": {"$in": [*ids]}, "subDomain": TENANT}).to_list()
                for name, ids in wanted.items()
                if ids
            )
        )

    # Writes ----------------------------------------------------------------------------------

    def _entries(self, step: Step, row: Json, phone: str) -> list[Json]:
        made = []
        for place, entry in enumerate(step.record.outbox):
            name = f"{row['_id']}:{place}"
            own = {"to": f"+{phone}", "biz_opaque_callback_data": name} if entry.said else {}
            made.append(
                entry_to_disk(entry)
                | {"_id": name, "customer": row["customer"], "payload": {**entry.payload, **own}}
            )
        return made

    async def _commit(self, step: Step, row: Json, outbox: list[Json]) -> None:
        async with self._database.transaction() as session:
            done = {"$set": {"state": "done", "doneAt": row["due"], "expireAt": row["due"]}}
            new = {"_id": row["_id"], "state": "new", "tenant": TENANT}
            await self._rows["inbox"].update_one(new, done, session=session)
            await self._conversation(step, row["customer"], session)
            await self._shop(step, row["customer"], session)
            await self._rows["outbox"].insert_many(outbox, session=session)
            log = turn_to_disk(step.record) | {"_id": row["_id"], "customer": row["customer"]}
            await self._rows["turns"].insert_one(log | {"tenant": TENANT}, session=session)
            await session.commit_transaction()

    async def _conversation(self, step: Step, customer: str, session: Any) -> None:
        rows, version = self._rows["conversations"], step.record.conversation.version
        key = f"{TENANT}:{customer}"
        document = conversation_to_disk(step.record.conversation) | {
            "_id": key, "customer": customer, "tenant": TENANT,
        }  # fmt: skip
        if version == 1:
            await rows.insert_one(document, session=session)
            return
        before = {"_id": key, "version": version - 1, "tenant": TENANT}
        await rows.replace_one(before, document, session=session)

    async def _shop(self, step: Step, customer: str, session: Any) -> None:
        record, dollars = step.record, Currency("USD")
        mine = {"sessionId": customer, "subDomain": TENANT}
        if record.cart is not None and record.cart.lines:
            cart = cart_to_disk(record.cart, record.conversation.customer, dollars) | mine
            await self._rows["carts"].replace_one(mine, cart, upsert=True, session=session)
        elif record.cart is not None:
            await self._rows["carts"].delete_one(mine, session=session)
        key = f"{TENANT}:{customer}"
        for order in record.orders:
            made = order_to_disk(order, conversation=key, local_id=None, currency=dollars)
            own = {"orderNumber": customer, "subDomain": TENANT}
            await self._rows["orders"].insert_one(made | own, session=session)

    async def _send(self, entry: Json) -> None:
        headers = {"Authorization": "Bearer token"}
        path = f"/v26.0/{entry['phoneNumberId']}/messages"
        answer = (await self._http.post(path, json=entry["payload"], headers=headers)).json()
        now: datetime = self._clock.now()
        wamid = answer["messages"][0]["id"] if entry["said"] else ""
        sent = {"state": "sent", "providerId": wamid, "sentAt": now, "expireAt": now}
        queued = {"_id": entry["_id"], "state": "queued", "tenant": TENANT}
        await self._rows["outbox"].update_one(queued, {"$set": sent})
