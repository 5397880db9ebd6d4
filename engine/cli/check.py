"""`comanda check`: every mistake in the tenants' files, with its place."""

import click
import orjson

from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.settings import read_settings
from engine.spec.bundle import Library
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
    library = Library(read_settings().content(), all_verbs())
    chosen = [TenantId(name) for name in tenants] or library.tenant_ids()
    for tenant in chosen:
        library.require(tenant)
    if not chosen:
        raise EngineError(f"there is no tenant in {library.root / 'tenants'}")
    problems = Problems()
    for tenant in chosen:
        library.check(tenant, problems)
        library.check_files(tenant, problems)
    library.check_flows(problems)
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
