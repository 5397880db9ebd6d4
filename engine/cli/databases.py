"""Which database a command works on: the one of MONGODB_URI, else an embedded one in a folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from engine.settings import Settings
from engine.storage.embedded import EmbeddedServer

DATA = Path(".comanda/data")

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=DATA,
    show_default=True,
    help="Folder of the embedded database, used when MONGODB_URI is not set.",
)


@asynccontextmanager
async def database(settings: Settings, data: Path) -> AsyncIterator[Settings]:
    """Give settings whose database answers, starting an embedded one if none is named."""
    if settings.mongodb_uri:
        yield settings
        return
    server = EmbeddedServer(data)
    uri = await server.start()
    try:
        yield settings.model_copy(update={"mongodb_uri": uri})
    finally:
        await server.stop()
