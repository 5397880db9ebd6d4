"""The Graph client before a server whose answers a test writes."""

import pytest

from engine.graph.client import GraphClient
from engine.serving import serving
from tests.unit.graph.scripted import Scripted


@pytest.fixture(scope="package")
async def server():
    scripted = Scripted()
    async with serving(scripted.app()) as url:
        yield scripted, url


@pytest.fixture
def scripted(server):
    """The server, with an empty script."""
    script, _ = server
    script.answers.clear()
    script.asked.clear()
    return script


@pytest.fixture
def url(server):
    return server[1]


@pytest.fixture
async def client(url):
    made = GraphClient(url, "v26.0")
    yield made
    await made.close()
