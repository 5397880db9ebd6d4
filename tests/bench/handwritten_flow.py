"""The smallest handler of Flow exchanges: it knows every answer beforehand.

It decrypts, does the reads and writes of each exchange in the same order, encrypts, and decides
nothing. The chat's part of it is the other hand-written handler's.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine.clock import Clock
from engine.flow_ports import FlowSession
from engine.storage.connection import Database
from engine.storage.flow_sessions import session_from_disk, session_to_disk
from engine.storage.meta_records import FlowKeyDocument
from engine.storage.records import FlowSessionDocument
from engine.storage.secrets import Vault
from engine.storage.unit_of_work import turn_to_disk
from engine.whatsapp.signature import verify
from tests.bench.flow_journey import Visit, name_of
from tests.bench.handwritten import Handwritten
from tests.bench.journey import TENANT, Step

Json = dict[str, Any]
PADDING = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)


class HandwrittenFlow(Handwritten):
    """The handler, over a database that has the tenant's catalog and key, and open sessions.

    Args:
        visits: the visit that a session is of follows from its id (`visit_of`).
        hello: any turn, for what is not of the Flow.
    """

    def __init__(
        self,
        database: Database,
        visits: tuple[Visit, ...],
        hello: Step,
        *,
        secret: str,
        graph: str,
        clock: Clock,
    ) -> None:
        super().__init__(database, (), secret=secret, graph=graph, clock=clock)
        self._visits = visits
        self._ends = tuple(replace(hello, record=visit.record) for visit in visits)
        self.web = Starlette(
            routes=[Route("/flows/{flow}/{tenant}", self.exchange, methods=["POST"])],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, web: Starlette) -> AsyncIterator[None]:
        async with super()._lifespan(web):
            sessions = self._database.collection(FlowSessionDocument)
            self._rows = {**self._rows, "sessions": sessions}
            row = await self._database.collection(FlowKeyDocument).find_one({"_id": TENANT})
            assert row is not None
            pem = Vault(self._secret).open(row["privateKey"])
            key = load_pem_private_key(pem.encode(), password=None)
            assert isinstance(key, RSAPrivateKey)
            self._key = key
            yield

    async def exchange(self, request: Request) -> Response:
        """Answer an exchange; send what it leads to afterwards."""
        body = await request.body()
        verify(body, request.headers.get("x-hub-signature-256"), self._secret)
        envelope = {name: base64.b64decode(text) for name, text in orjson.loads(body).items()}
        cipher = AESGCM(self._key.decrypt(envelope["encrypted_aes_key"], PADDING))
        iv = envelope["initial_vector"]
        document = orjson.loads(cipher.decrypt(iv, envelope["encrypted_flow_data"], None))
        answer = await self._answer(document)
        inverted = bytes(byte ^ 0xFF for byte in iv)
        sealed = cipher.encrypt(inverted, orjson.dumps(answer), None)
        return PlainTextResponse(base64.b64encode(sealed))

    async def _answer(self, document: Json) -> Json:
        name = document["flow_token"].partition(".")[0]
        found = await self._rows["sessions"].find_one({"_id": name, "tenant": TENANT})
        assert found is not None
        session = session_from_disk(found)
        place = visit_of(session, self._visits)
        exchange = self._visits[place].exchange(name_of(document))
        await self._talk_and_product(session)
        after = replace(exchange.session, id=session.id, customer=session.customer)
        if after.state == "open":
            await self._save(after)
            return exchange.answer
        await self._talk_and_product(session)
        await self._end(self._ends[place], after)
        params = exchange.answer["data"]["extension_message_response"]["params"]
        given = {"params": params | {"flow_token": document["flow_token"]}}
        return exchange.answer | {"data": {"extension_message_response": given}}

    async def _talk_and_product(self, session: FlowSession) -> None:
        key = f"{TENANT}:{session.customer}"
        await self._rows["conversations"].find_one({"_id": key, "tenant": TENANT})
        await self._read(("get_product_by_id", session.input["product"]), session.customer)

    async def _save(self, after: FlowSession) -> None:
        change = session_to_disk(after)
        before = {"_id": change.pop("_id"), "version": after.version - 1, "state": "open"}
        await self._rows["sessions"].update_one(before | {"tenant": TENANT}, {"$set": change})

    async def _end(self, step: Step, after: FlowSession) -> None:
        row = {"_id": f"flow:{after.id}", "customer": after.customer}
        outbox = self._entries(step, row, after.customer.partition(".")[2])
        before = {"_id": after.id, "version": after.version - 1, "state": "open"}
        async with self._database.transaction() as session:
            await self._rows["sessions"].replace_one(
                before | {"tenant": TENANT},
                session_to_disk(after) | {"tenant": TENANT},
                session=session,
            )
            await self._conversation(step, after.customer, session)
            await self._shop(step, after.customer, session)
            await self._rows["outbox"].insert_many(outbox, session=session)
            log = turn_to_disk(step.record) | row | {"tenant": TENANT}
            await self._rows["turns"].insert_one(log, session=session)
            await session.commit_transaction()
        task = asyncio.create_task(self._send_all(outbox))
        self._turns.add(task)
        task.add_done_callback(self._turns.discard)

    async def _send_all(self, outbox: list[Json]) -> None:
        for entry in outbox:
            await self._send(entry)


def visit_of(session: FlowSession, visits: tuple[Visit, ...]) -> int:
    """Tell which visit a session is of."""
    return int(session.id[:8], 16) % len(visits)
