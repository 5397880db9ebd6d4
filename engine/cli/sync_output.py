"""What `comanda sync` prints: a bar while it runs, then the report, the plan or the drift."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import click
import orjson

from engine.sync.drift import Drifted
from engine.sync.plan import Plan
from engine.sync.ports import SINGLE, CatalogKey
from engine.sync.report import SyncReport


class Progress:
    """A bar on standard error, if that is a terminal."""

    def __init__(self, tenant: str, stack: ExitStack) -> None:
        self._tenant = tenant
        self._stack = stack
        self._bar: Any = None
        self._done = 0

    def show(self, report: SyncReport) -> None:
        """Show how far it is."""
        if not report.total_products or not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = self._stack.enter_context(
                click.progressbar(
                    length=report.total_products, label=f"sync: {self._tenant}", file=sys.stderr
                )
            )
        self._bar.update(report.done - self._done)
        self._done = report.done


@contextmanager
def progress(tenant: str) -> Iterator[Progress]:
    """Show a bar while the block runs."""
    with ExitStack() as stack:
        yield Progress(tenant, stack)


def show_report(report: SyncReport, tenant: str, form: str) -> None:
    """Print how a sync ended."""
    if form == "json":
        _json(report.answer())
        return
    for product, error in report.errors:
        click.echo(f"{product}: {error}")
    products = _count(report.total_products, "product")
    counts = f"{products}, {report.synced} synced, {report.failed} failed"
    if report.status != "blocked":
        click.echo(f"sync: {tenant}: {report.status}: {counts}")
    if report.reason:
        state = "blocked: " if report.status == "blocked" else ""
        click.echo(f"sync: {tenant}: {state}{report.reason}")


def show_plan(plan: Plan, tenant: str, form: str) -> None:
    """Print what a sync would do."""
    if form == "json":
        _json(
            {
                "products": plan.products,
                "calls": plan.calls,
                "send": dict(plan.sends),
                "delete": dict(plan.deletes),
                "make": plan.new,
                "errors": [
                    {"product_id": item, "error": error} for item, error in plan.errors.items()
                ],
            }
        )
        return
    for key in plan.new:
        click.echo(f"{_shelf(key)}: a catalogue would be made")
    for key in sorted(plan.sends.keys() | plan.deletes.keys()):
        if plan.sends[key] or plan.deletes[key]:
            told = f"{_count(plan.sends[key], 'item')} would be sent, {plan.deletes[key]} deleted"
            click.echo(f"{_shelf(key)}: {told}")
    for item, error in plan.errors.items():
        click.echo(f"{item}: cannot be sent: {error}")
    counts = f"{_count(plan.products, 'product')}, {_count(plan.calls, 'call')}"
    click.echo(f"sync: {tenant}: {counts}; nothing was sent")


def show_drift(
    found: Sequence[Drifted], mended: Sequence[Drifted], tenant: str, form: str
) -> None:
    """Print what is not at Meta as it should be."""
    if form == "json":
        _json({"drift": [_drifted(each) for each in found], "mended": len(mended)})
        return
    for each in found:
        if each.kind != "different":
            click.echo(f"{_shelf(each.catalog)}: {each.item}: {each.kind}")
        for one in each.differences:
            click.echo(
                f"{_shelf(each.catalog)}: {each.item}: {one.field}: "
                f"ours is {one.ours!r}, Meta's is {one.metas!r}"
            )
    kinds = [each.kind for each in found]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("missing", "different", "extra"))
    click.echo(f"sync: {tenant}: drift: {counts}; {len(mended)} mended")


def _drifted(drifted: Drifted) -> dict[str, Any]:
    return {
        "kind": drifted.kind,
        "catalog": drifted.catalog,
        "catalog_id": drifted.catalog_id,
        "item": drifted.item,
        "product_id": drifted.product,
        "differences": [
            {"field": one.field, "ours": one.ours, "metas": one.metas}
            for one in drifted.differences
        ],
    }


def _shelf(key: CatalogKey) -> str:
    return "all categories" if key == SINGLE else key


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _json(content: dict[str, Any]) -> None:
    click.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
