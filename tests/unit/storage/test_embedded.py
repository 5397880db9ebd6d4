"""The embedded database: it starts, keeps what it acknowledged, and dies with its parent."""

import asyncio
import importlib.util
import os
import signal
import sys
import textwrap
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

import engine
from engine.errors import EngineError
from engine.storage.embedded import EmbeddedServer


async def insert(uri, *ids):
    client: AsyncMongoClient[dict[str, int]] = AsyncMongoClient(uri)
    async with client:
        await client.shop.rows.insert_many({"_id": n} for n in ids)


async def ids(uri):
    client: AsyncMongoClient[dict[str, int]] = AsyncMongoClient(uri)
    async with client:
        return [row["_id"] for row in await client.shop.rows.find({}).sort("_id", 1).to_list()]


def signalled(server, number):
    """Send a signal to a server's process."""
    os.kill(server.pid, number)


def is_gone(pid):
    """Tell whether a process that is not our child has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    # Where nobody reaps orphans they stay as zombies.
    return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()


async def gone(pid, within=10.0):
    """Wait until a process that is not our child has ended."""
    for _ in range(int(within / 0.05)):
        if is_gone(pid):
            return True
        await asyncio.sleep(0.05)
    return False


async def test_it_keeps_its_data_through_a_stop_and_a_kill(tmp_path):
    folder = tmp_path / "new" / "data"
    async with EmbeddedServer(folder) as server:
        await insert(server.uri, 1, 2)
    server = EmbeddedServer(folder)
    await server.start()
    assert await ids(server.uri) == [1, 2]
    await insert(server.uri, 3)
    signalled(server, signal.SIGKILL)
    await server.stop()
    assert server.pid is None
    async with EmbeddedServer(folder) as server:
        assert await ids(server.uri) == [1, 2, 3]


async def test_a_second_one_on_the_same_folder_says_so_and_leaves_the_first_alone(tmp_path):
    async with EmbeddedServer(tmp_path) as first:
        await insert(first.uri, 1)
        second = EmbeddedServer(tmp_path)
        with pytest.raises(EngineError) as caught:
            await second.start()
        assert str(caught.value) == (
            f"the embedded database in {tmp_path} is in use by another process: "
            "stop that one or set MONGODB_URI"
        )
        assert second.pid is None
        assert await ids(first.uri) == [1]


async def test_without_the_package_it_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"install comanda\[embedded\] or set MONGODB_URI"):
        await EmbeddedServer(tmp_path).start()


async def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="the embedded database in"):
        await EmbeddedServer(tmp_path / "file").start()


async def test_one_that_does_not_start_in_time_is_ended(tmp_path):
    server = EmbeddedServer(tmp_path, start_within=0.01)
    with pytest.raises(EngineError, match=r"did not start within 0\.01 seconds: see"):
        await server.start()
    assert server.pid is None


async def test_stopping_one_that_does_not_run_is_nothing(tmp_path):
    await EmbeddedServer(tmp_path).stop()


async def test_it_does_not_outlive_its_parent(tmp_path):
    program = textwrap.dedent(
        f"""
        import asyncio, pathlib
        from engine.storage.embedded import EmbeddedServer

        async def main():
            server = EmbeddedServer(pathlib.Path({str(tmp_path)!r}))
            await server.start()
            print(server.pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
        """
    )
    root = Path(engine.__file__).parents[1]
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=PIPE, cwd=root
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    assert await gone(pid)
