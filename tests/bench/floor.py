"""A door that checks the signature, reads the webhook and stores nothing, in its own process.

It is what an acknowledgement would take without a database; no customer is ever answered.
"""

import asyncio
import json
import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine.serving import serving
from engine.whatsapp.inbound import parse_webhook
from engine.whatsapp.signature import verify
from tests.bench.served import SECRET


async def receive(request: Request) -> Response:
    """Check and read a webhook."""
    body = await request.body()
    verify(body, request.headers.get("x-hub-signature-256"), SECRET)
    parse_webhook(body)
    return PlainTextResponse("OK")


async def _serve() -> None:
    web = Starlette(routes=[Route("/whatsapp_response", receive, methods=["POST"])])
    async with serving(web) as url:
        print(json.dumps({"url": url}), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
