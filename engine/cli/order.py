"""`comanda order`: orders of a tenant listed, shown, and moved; their customers hear of it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from engine.box_ports import OutboxEntry
from engine.charts.inbound import ORDER_MOVED
from engine.cli.audited import note
from engine.cli.databases import data_option
from engine.cli.opened import Opened, opened
from engine.cli.texts import TEXT, printable
from engine.clock import RandomIds
from engine.domain.ids import CustomerKey, OrderNumber, TenantId
from engine.domain.money import Currency
from engine.domain.order import OrderStatus
from engine.errors import EngineError, Malformed
from engine.row_ports import OrderSummary
from engine.runtime.decision import Decisions
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.order_answers import (
    STATUSES,
    answer,
    number_of,
    reason_of,
    refused,
    status_of,
)
from engine.runtime.turn_record import Cause
from engine.storage.operator_orders import MongoOperatorOrders
from engine.storage.repositories import MongoTenantStore
from engine.storage.turn_logs import MongoTurnLogs
from engine.transcript import lines
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import raised, restore_message

format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text"
)


@click.group()
def order() -> None:
    """See orders and move them; their customers are told of every move.

    \b
    Example: comanda order list la-tavola
    Example: comanda order set la-tavola K7M2QX on_the_way
    """


@order.command("list")
@click.argument("tenant")
@click.option(
    "--status", "statuses", type=click.Choice(STATUSES), multiple=True, help="Only these."
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@format_option
@data_option
def list_(tenant: str, *, statuses: Sequence[str], limit: int, form: str, data: Path) -> None:
    """List orders of TENANT, the newest first.

    \b
    Example: comanda order list la-tavola --status pending --status confirmed
    """

    async def work() -> tuple[OrderSummary, ...]:
        async with opened(tenant, data) as parts:
            return await _orders(parts).list(statuses=statuses, limit=limit)

    found = asyncio.run(work())
    if form == "json":
        _json([answer(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))
    click.echo(f"order: {tenant}: {len(found)} orders")


@order.command("show")
@click.argument("tenant")
@click.argument("number", type=TEXT)
@format_option
@data_option
def show(tenant: str, *, number: str, form: str, data: Path) -> None:
    """Show the order NUMBER of TENANT, and the statuses it may take.

    \b
    Example: comanda order show la-tavola K7M2QX
    Nothing of its customer is shown. Exits with 1 if there is no such order.
    """

    async def work() -> OrderSummary:
        async with opened(tenant, data) as parts:
            return await _known(parts, number_of(number))

    found = asyncio.run(work())
    if form == "json":
        _json(answer(found))
        return
    click.echo(_line(found))
    if found.reason:
        click.echo(f"reason: {printable(found.reason)}")
    told = "nothing: it is from before moves were told" if found.told is None else ""
    click.echo(f"told: {told or ', '.join(found.told or ())}")
    click.echo(f"may become: {', '.join(found.moves) or 'nothing any more'}")


@order.command("set")
@click.argument("tenant")
@click.argument("number", type=TEXT)
@click.argument("status", type=TEXT)
@click.option("--reason", type=TEXT, default=None, help="What the customer is told of why.")
@format_option
@data_option
def set_(
    tenant: str, *, number: str, status: str, reason: str | None, form: str, data: Path
) -> None:
    """Give the order NUMBER of TENANT another STATUS, and print what its customer is told.

    \b
    Example: comanda order set la-tavola K7M2QX confirmed
    Example: comanda order set la-tavola K7M2QX rejected --reason "We do not deliver there"

    The processes that serve the tenant tell him, at once or at their next start. Exits with 1 if
    there is no such order, or if it cannot take that status.
    """
    try:
        wanted, why = status_of(status), reason_of(reason or "")
    except Malformed as error:
        raise click.UsageError(str(error)) from error
    done = asyncio.run(_set(tenant, number_of(number), wanted, why, data))
    if form == "json":
        _json(done.answer())
        return
    click.echo(f"order: {tenant}: {done.number} was {done.before} and is {done.status.value}")
    if not done.told:
        click.echo("nothing is told: the conversation says nothing of it, or nobody is to be told")
    for line in done.told:
        click.echo(f"  {printable(line)}")
    for line in done.template:
        click.echo(f"  after 24 hours of silence: {printable(line)}")


@dataclass(frozen=True, slots=True)
class _Done:
    """An order that was moved, and what its customer is told."""

    number: OrderNumber
    before: str
    status: OrderStatus
    told: Sequence[str]
    template: Sequence[str]

    def answer(self) -> Mapping[str, Any]:
        return {
            "number": self.number,
            "before": self.before,
            "status": self.status.value,
            "told": list(self.told),
            "template": list(self.template),
        }


async def _set(
    tenant: str, number: OrderNumber, status: OrderStatus, reason: str, data: Path
) -> _Done:
    async with opened(tenant, data) as parts:
        parts.bundle(parts.tenant)
        asked = await _orders(parts).move(number, status, at=parts.clock.now(), reason=reason)
        if asked is None:
            raise EngineError(_unknown(parts.tenant, number))
        if not asked.is_legal:
            raise EngineError(f"{number}: {refused(asked)}")
        await note(parts.database, parts.settings, "order set", tenant=parts.tenant)
        found = await _known(parts, number)
        said = await _said(parts, found, reason)
    told = [line for entry in said for line in lines(entry.payload)]
    template = [line for entry in said if entry.template for line in _template(entry)]
    return _Done(number, asked.before, status, told, template)


async def _said(parts: Opened, order: OrderSummary, reason: str) -> tuple[OutboxEntry, ...]:
    """Decide what the customer is told, as whoever serves the tenant does; write nothing."""
    customer = await MongoTurnLogs(parts.database, parts.tenant).customer_of(order.number)
    if customer is None or order.told is None:
        return ()
    data = {"order": order.number, "status": order.status, "reason": reason, "type": order.type}
    message = restore_message(raised(Raised(ORDER_MOVED, data), phone_number_id=""))
    bundle = parts.bundle(parts.tenant)
    decisions = Decisions(
        business=parts.businesses.by_tenant,
        tokens=FlowTokens(*parts.settings.encryption_secrets()),
        clock=parts.clock,
        ids=RandomIds(),
    )
    store = MongoTenantStore(
        parts.database, tenant=parts.tenant, currency=Currency(bundle.tenant.currency)
    )
    cause = Cause("order", parts.tenant, CustomerKey(customer), "", message)
    return (await decisions.of(cause, bundle, store)).outbox


def _template(entry: OutboxEntry) -> list[str]:
    template: Mapping[str, Any] = (entry.template or {}).get("template", {})
    given = [
        str(parameter.get("text"))
        for component in template.get("components", ())
        for parameter in component.get("parameters", ())
        if parameter.get("type") == "text"
    ]
    return [*lines(entry.template or {}), *([", ".join(given)] if given else [])]


def _orders(parts: Opened) -> MongoOperatorOrders:
    currency = Currency(parts.bundle(parts.tenant).tenant.currency)
    return MongoOperatorOrders(parts.database, parts.tenant, currency=currency)


async def _known(parts: Opened, number: OrderNumber) -> OrderSummary:
    found = await _orders(parts).show(number)
    if found is None:
        raise EngineError(_unknown(parts.tenant, number))
    return found


def _unknown(tenant: TenantId, number: OrderNumber) -> str:
    return f"'{tenant}' has no order {printable(number)}"


def _line(order: OrderSummary) -> str:
    at = order.at.strftime("%Y-%m-%d %H:%M")
    status, kind = printable(order.status), printable(order.type)
    return f"{order.number}  {status:<11} {kind:<9} {order.total:>9}  {at} UTC"


def _json(content: object) -> None:
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
