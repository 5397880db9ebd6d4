import asyncio

import httpx
import pytest

from engine.sandbox import create_sandbox, serving


async def test_serves_on_a_free_port_and_stops():
    async with (
        serving(create_sandbox()) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        assert url.startswith("http://127.0.0.1:")
        assert (await http.get("/sandbox/refusals")).json() == []

    host, port = url.removeprefix("http://").split(":")
    try:
        await asyncio.open_connection(host, int(port))
    except ConnectionRefusedError:
        return
    raise AssertionError("it still listens")


async def test_a_poll_nobody_waits_for_does_not_hold_up_the_end(caplog):
    async with (
        serving(create_sandbox()) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        with pytest.raises(httpx.ReadTimeout):
            await http.get("/sandbox/refusals", params={"wait": 600}, timeout=0.1)

    assert caplog.records == []
