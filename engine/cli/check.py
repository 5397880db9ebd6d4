"""`comanda check`: every mistake in the tenants' files, with its place."""

import asyncio
from collections.abc import Mapping

import click
import orjson

from engine.cli.output import log_to_stderr
from engine.domain.catalog import Product
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.flows.rehearsal import compile_flows, misfits
from engine.settings import read_settings
from engine.spec.bundle import Bundle, Library
from engine.spec.problems import Problem, Problems
from engine.verbs import all_verbs


@click.command()
@click.argument("tenants", nargs=-1)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def check(tenants: tuple[str, ...], *, form: str) -> None:
    """Tell what is wrong in the files of TENANTS, or of all of them.

    \b
    Example: comanda check la-tavola
    Prints file:line:column: code: sentence. Exits with 1 if there is an error.
    """
    log_to_stderr(level="critical")
    library = Library(read_settings().content(), all_verbs())
    chosen = [TenantId(name) for name in tenants] or library.tenant_ids()
    for tenant in chosen:
        library.require(tenant)
    if not chosen:
        raise EngineError(f"there is no tenant in {library.root / 'tenants'}")
    problems = Problems()
    for tenant in chosen:
        _check(library, tenant, problems)
    found = problems.sorted()
    if form == "json":
        click.echo(orjson.dumps([_as_json(p) for p in found], option=orjson.OPT_INDENT_2))
    else:
        for problem in found:
            click.echo(str(problem))
        errors = len(problems.errors)
        click.echo(
            f"check: {len(chosen)} tenants, {errors} errors, {len(found) - errors} warnings"
        )
    if problems.errors:
        raise SystemExit(1)


def _check(library: Library, tenant: TenantId, problems: Problems) -> None:
    own = Problems()
    bundle = library.check(tenant, own)
    library.check_dialogs(tenant, own)
    has_catalog = (library.root / "tenants" / tenant / "catalog.yaml").is_file()
    products = library.products(tenant, own) if has_catalog else {}
    if bundle and not own.errors:
        asyncio.run(_check_flows(bundle, products, own))
    problems.found |= own.found


async def _check_flows(bundle: Bundle, products: Mapping[str, Product], own: Problems) -> None:
    compiled = await compile_flows(bundle, own)
    if not own.errors:
        await misfits(bundle, compiled, products, own)


def _as_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.span.file,
        "line": problem.span.line,
        "column": problem.span.column,
        "severity": problem.severity,
        "code": problem.code,
        "sentence": problem.sentence,
        "hint": problem.hint,
    }
