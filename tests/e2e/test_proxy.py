"""The proxy operators are given: TLS, what is reached through it and what is not, and retries."""

import asyncio
import hashlib
import hmac
import ssl

import httpx
import pytest

from tests.e2e.serve_scene import town
from tests.e2e.sync_scene import APP_SECRET
from tests.e2e.test_webhook import body_of
from tests.torture.ports import free_port
from tests.torture.proxy import proxy_process

AUTHORITY = "proxy-data/caddy/pki/authorities/local/root.crt"
TOKEN = "the token of operators"


@pytest.fixture(scope="module")
async def place(tmp_path_factory):
    async with town(tmp_path_factory.mktemp("proxy")) as ground:
        yield ground


def post(client, body, **headers):
    signed = "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = headers | {"X-Hub-Signature-256": signed}
    return client.post("/whatsapp_response", content=body, headers=headers)


async def test_the_proxy(place, tmp_path):
    ports = [str(free_port()) for _ in range(2)]
    webs = [await place.start("web", "--port", port) for port in ports]
    async with (
        proxy_process([web.url for web in webs], tmp_path, scheme="https") as site,
        httpx.AsyncClient(
            base_url=site, verify=_trusting(tmp_path / AUTHORITY), timeout=20
        ) as client,
    ):
        await _reaches_only_what_is_public(client)
        await _takes_what_meta_sends(client)
        # One web process after another is told to end while Meta goes on sending.
        answers = asyncio.create_task(_busy(client))
        for web, port in zip(webs, ports, strict=True):
            await asyncio.sleep(0.3)
            assert await web.end() == 0
            await place.start("web", "--port", port)
        statuses = await answers
    assert statuses == [200] * 60


async def test_operator_routes_are_reached_from_the_named_networks_only(place, tmp_path):
    web = await place.start("web", ADMIN_TOKEN=TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for networks, status in (("127.0.0.1/32 ::1/128", 200), ("192.0.2.0/24", 404)):
        folder = tmp_path / str(status)
        folder.mkdir()
        async with (
            proxy_process([web.url], folder, OPERATOR_NETWORKS=networks) as site,
            httpx.AsyncClient(base_url=site, headers=bearer, timeout=20) as client,
        ):
            assert (await client.get("/api/v1/inbox/la-tavola")).status_code == status


def _trusting(authority):
    return ssl.create_default_context(cafile=str(authority))


async def _reaches_only_what_is_public(client):
    live = await client.get("/health/live")
    assert live.status_code == 200
    assert "server" not in live.headers
    assert (await client.get("/p/la-tavola/prod:margherita")).status_code == 200
    for path in ("/metrics", "/health/ready", "/", "/metrics/", "//metrics", "/flows/../metrics"):
        hidden = await client.get(path)
        assert hidden.status_code in (404, 405), path
        assert "comanda_" not in hidden.text
        assert "process_" not in hidden.text


async def _takes_what_meta_sends(client):
    assert (await post(client, body_of("hi", wamid="wamid.first"))).status_code == 200
    assert (await client.post("/whatsapp_response", content=b"{}")).status_code == 401
    # Three megabytes are Meta's limit: the engine is asked. Four stop at the proxy.
    assert (await post(client, b" " * 2_900_000)).status_code == 400
    assert await _announcing(client.base_url.port, 5_000_000) == 413


async def _announcing(port, length):
    """Say that a body of so many bytes comes, and read the answer to its beginning."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("localhost", port, ssl=trusting)
    writer.write(
        b"POST /whatsapp_response HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Length: %d\r\n\r\n" % length
    )
    # As much of a body as the proxy looks at before it answers at all.
    writer.write(b" " * 300_000)
    status = await asyncio.wait_for(reader.readline(), 10)
    writer.close()
    return int(status.split()[1])


async def _busy(client):
    statuses = []
    for number in range(60):
        statuses.append((await post(client, body_of("hi", wamid=f"w.{number}"))).status_code)
        await asyncio.sleep(0.1)
    return statuses
