"""Flow exchanges per second and how long an answer takes, beside a hand-written handler.

Both are served by uvicorn in a process of their own, over one database server, with the real
encryption; customers make products their own, alone and many at the same time. What they send is
encrypted beforehand, and what they get decrypted afterwards.
"""

import asyncio
import math
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from engine.clock import SystemClock
from engine.storage.connection import Database
from engine.storage.conversations import conversation_to_disk
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.flow_sessions import session_to_disk
from engine.storage.records import ConversationDocument, FlowSessionDocument
from engine.storage.secrets import Vault
from engine.whatsapp.flow_crypto import FlowKey
from tests.bench.flow_clients import Asked, Phone, Took, asked, session_of
from tests.bench.flow_journey import NAMES, Visit, play
from tests.bench.journey import TENANT, Shop
from tests.bench.measure import Row, in_turn
from tests.bench.served import SECRET
from tests.bench.serving import Phones, Server, _database, _seed, _side, _standing_in

CROWDS = (1, 16)
"""How many customers are there at the same time."""
VISITS = {1: 25, 16: 8}
"""How many visits each of them makes in one round."""
ROUNDS = 5
LONGEST_SECONDS = 1.0
"""The 99th percentile of every screen."""


async def measure() -> list[Row]:
    """Measure it."""
    shop = Shop.open()
    visits, key = await play(shop), FlowKey.generate()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="comanda-bench-"))
        uri = await stack.enter_async_context(_database(Path(folder)))
        graph = await stack.enter_async_context(_standing_in(Phones().web))
        sides = []
        for name, program in (("engine", "served"), ("handwritten", "flow_served")):
            await _seed(uri, name, shop)
            database = await stack.enter_async_context(Database(uri, name=name))
            await _keep(database, key)
            server = await stack.enter_async_context(_side(name, uri, graph, program=program))
            sides.append(Side(server, database, visits, key))
        ours, theirs = sides
        rows = []
        for crowd in CROWDS:
            rows += await _beside(ours, theirs, crowd)
    return [*rows, _cpu(ours, theirs), _commands(ours, theirs)]
