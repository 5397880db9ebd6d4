"""The hand-written handler of exchanges, in a process of its own, as `served` has the others."""

import asyncio
import sys
import time

from engine.serving import serving
from engine.storage.connection import Database
from tests.bench.flow_journey import play
from tests.bench.handwritten_flow import HandwrittenFlow
from tests.bench.journey import Shop
from tests.bench.served import SECRET, Commands, OpenClock, _tell


async def _serve(name: str, uri: str, graph: str) -> None:
    shop, commands = Shop.open(), Commands()
    database = Database(uri, name=name, listeners=[commands])
    visits, hello = await play(shop), (await shop.play())[0]
    handler = HandwrittenFlow(
        database, visits, hello, secret=SECRET, graph=graph, clock=OpenClock()
    )
    async with serving(handler.web) as url:
        _tell({"url": url})
        cpu = time.process_time()
        while await asyncio.to_thread(sys.stdin.readline):
            await handler.idle()
            now = time.process_time()
            _tell({"cpu": now - cpu, "commands": dict(commands.seen)})
            cpu = now
            commands.seen.clear()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
