import asyncio
import json
import sys

import httpx

from engine.sandbox.__main__ import arguments


async def test_prints_its_url_and_serves():
    command = ("-m", "engine.sandbox", "--port", "0", "--json")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            url = json.loads(await process.stdout.readline())["url"]
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            assert (await http.get("/sandbox/refusals")).json() == []
    finally:
        process.terminate()
        await process.communicate()


def test_arguments():
    given = arguments(["--read", "--port", "8900"])

    assert (given.host, given.port, given.read) == ("127.0.0.1", 8900, True)
    assert not given.enforce_window
