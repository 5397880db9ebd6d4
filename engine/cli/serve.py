"""`comanda serve`: the engine behind its HTTP doors, until it is told to stop."""

import asyncio
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

import click
import uvicorn

from engine import tracing
from engine.app import Engine, Role
from engine.cli.databases import data_option, database
from engine.cli.development import with_secrets
from engine.cli.output import log_to_stderr
from engine.cli.seed import seed_tenant
from engine.errors import EngineError, SettingsError
from engine.serving import listen
from engine.settings import read_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ways:
    """How a process serves."""

    role: Role
    is_seeding: bool
    is_reloading: bool


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option(
    "--role",
    type=click.Choice(["web", "worker", "all"]),
    default="all",
    show_default=True,
    help="Take what comes by HTTP, take turns and send, or both.",
)
@click.option("--seed", "is_seeding", is_flag=True, help="Load every tenant's demo catalog first.")
@click.option(
    "--reload", "is_reloading", is_flag=True,
    help="Serve each file of the content folder as soon as it is saved, whatever is published.",
)  # fmt: skip
@data_option
def serve(
    host: str, port: int, role: Role, *, is_seeding: bool, is_reloading: bool, data: Path
) -> None:
    """Take webhooks and answer customers.

    \b
    Example: MONGODB_URI=mongodb://... comanda serve --host 0.0.0.0
    Example: comanda serve --role worker --port 8001
    Example: comanda serve --seed --reload
    Any number of processes of each role may work on one MongoDB. A worker answers at /health and
    /metrics only. SIGTERM lets a process finish what is under way; the others take over the rest.
    Without MONGODB_URI it is a development run: an embedded database is started, and secrets
    that are not set are made and kept beside its folder.
    """
    log_to_stderr()
    ways = _Ways(role=role, is_seeding=is_seeding, is_reloading=is_reloading)
    asyncio.run(_serve(host, port, ways, data))


async def _serve(host: str, port: int, ways: _Ways, data: Path) -> None:
    settings = with_secrets(read_settings(), data)
    if ways.role != "all" and not settings.mongodb_uri:
        raise SettingsError(
            f"MONGODB_URI is not set: --role {ways.role} is one process of several"
        )
    if settings.is_traced():
        tracing.switch_on()
    async with database(settings, data) as ready:
        engine = Engine(
            ready,
            is_development=not settings.mongodb_uri,
            is_reloading=ways.is_reloading,
            role=ways.role,
        )
        if ways.is_seeding:
            for tenant in engine.library.tenant_ids():
                await seed_tenant(ready, tenant)
        listener, url = _listen(host, port)
        click.echo(f"comanda: {url} (Graph API: {ready.graph_api_url})", err=True)
        # Somebody may wait for a sync: he is told to ask again rather than keep the process.
        config = uvicorn.Config(
            engine.web,
            log_config=None,
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=10,
            # Nobody learns what serves him; whose X-Forwarded-For counts, the engine decides.
            server_header=False,
            proxy_headers=False,
        )
        # uvicorn raises the signal that stopped it once more: then it must not kill what is left.
        for told in (signal.SIGTERM, signal.SIGINT):
            signal.signal(told, lambda *_: None)
        try:
            await uvicorn.Server(config).serve(sockets=[listener])
        finally:
            tracing.switch_off()


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    try:
        return listen(host, port)
    except OSError as error:
        raise EngineError(f"cannot listen on {host}:{port}: {error.strerror}") from error
