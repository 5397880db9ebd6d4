"""`comanda demo`: a customer browses, customises, orders and is confirmed, before your eyes."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import click
import orjson

from engine.cli.output import log_to_stderr
from engine.clock import ManualClock, SystemClock
from engine.dialogs import play
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.playground import Playground, playground
from engine.storage.documents import OrderDocument

TENANT = TenantId("la-tavola")


@click.command()
def demo() -> None:
    """Watch a customer order, over real HTTP against the sandbox; then the order is shown.

    \b
    Example: comanda demo
    """
    log_to_stderr(level="error")
    asyncio.run(_demo())


async def _demo() -> None:
    clock = ManualClock(SystemClock().now())
    async with playground(clock=clock) as ground:
        engine = ground.engine
        shop = ground.bundle(TENANT).tenant
        # The shop may be closed while you watch: the demo takes place when it is open next.
        while not shop.is_open(clock.now()):
            clock.move(timedelta(minutes=15))
        when = shop.local_time(clock.now())
        click.echo(f"demo: {shop.name}, {when:%A %H:%M}; engine at {ground.engine_url}\n")
        file = engine.library.root / "tenants" / TENANT / "dialogs" / "demo.yaml"
        dialog = engine.library.dialog(file).model_copy(update={"at": None})
        await play(dialog, ground, TENANT, name="demo", show=click.echo)
        await _show_order(ground)


async def _show_order(ground: Playground) -> None:
    orders = ground.engine.database.collection(OrderDocument)
    order = await orders.find_one({"subDomain": TENANT})
    if order is None:
        raise EngineError("the demo ended without an order")
    order.pop("_id")
    click.echo("\nThe order in MongoDB:")
    click.echo(orjson.dumps(order, default=_plain, option=orjson.OPT_INDENT_2))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else str(value)
