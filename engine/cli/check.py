"""`comanda check`: everything that is wrong with the tenants' files, before a customer sees it."""

from contextlib import suppress

import click

from engine.cli.check_output import FORMATS, written
from engine.cli.check_processes import check_tenants
from engine.cli.output import log_to_stderr
from engine.cli.watching import changes
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.settings import read_settings
from engine.spec.bundle import Library
from engine.spec.problems import Problems
from engine.verbs import all_verbs


@click.command()
@click.argument("tenants", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="`github` annotates a pull request, `sarif` is what code scanners write.",
)
@click.option("--verbose", "is_verbose", is_flag=True, help="Tell of overflow rules that apply.")
@click.option("--watch", "is_watching", is_flag=True, help="Check again when a file is saved.")
def check(tenants: tuple[str, ...], *, form: str, is_verbose: bool, is_watching: bool) -> None:
    """Tell what is wrong in the files of TENANTS, or of all of them.

    \b
    Example: comanda check la-tavola
    Made-up customers try everything, too: what fails comes with the conversation that shows it.
    Prints file:line:column: code: sentence. Exits with 1 if there is an error.
    """
    log_to_stderr(level="critical")
    library = Library(read_settings().content(), all_verbs())
    saved = changes(library.root)  # what is saved while it checks counts, too
    problems = _checked(library, tenants, form, is_verbose=is_verbose)
    if not is_watching:
        raise SystemExit(1 if problems.errors else 0)
    click.echo("check: waiting for changes; Ctrl-C ends it", err=True)
    with suppress(KeyboardInterrupt):
        for _ in saved:
            _check_again(library.over(library.root), tenants, form, is_verbose=is_verbose)


def _check_again(
    library: Library, tenants: tuple[str, ...], form: str, *, is_verbose: bool
) -> None:
    click.echo()
    try:
        _checked(library, tenants, form, is_verbose=is_verbose)
    except EngineError as error:  # what is missing may be saved next
        click.echo(str(error), err=True)


def _checked(
    library: Library, tenants: tuple[str, ...], form: str, *, is_verbose: bool
) -> Problems:
    chosen = [TenantId(name) for name in tenants] or library.tenant_ids()
    for tenant in chosen:
        library.require(tenant)
    if not chosen:
        raise EngineError(f"there is no tenant in {library.root / 'tenants'}")
    problems = Problems()
    seen = check_tenants(library, chosen, problems, is_verbose=is_verbose)
    if not tenants:
        seen.note(problems, is_shared=True)
    for line in written(form, problems, root=library.root, tenants=len(chosen)):
        click.echo(line)
    if form == "text":
        for tenant in chosen:
            _hint(library, tenant)
    return problems


def _hint(library: Library, tenant: TenantId) -> None:
    """Tell of a tenant with nobody to call: the conversation works, and is not wrong."""
    found = library.tenant(tenant, Problems())
    if found and not found.staff.digits:
        sentence = "nobody is told of customers who ask for a person"
        where = f"tenants/{tenant}/tenant.yaml"
        click.echo(f"{where}: hint: {sentence}; write staff: {{phone: +51...}}", err=True)
