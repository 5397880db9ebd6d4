"""`comanda graph`: a tenant's chart or Flow as a picture."""

from pathlib import Path, PurePosixPath

import click

from engine.authoring.graph.drawing import Graph, Sources, graph_of
from engine.authoring.graph.mermaid import to_mermaid
from engine.authoring.graph.svg import to_svg
from engine.cli.output import log_to_stderr
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.settings import read_settings
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.spec.problems import Problems, SpecError
from engine.spec.source import Source
from engine.verbs import all_verbs


@click.command()
@click.argument("tenant")
@click.option("--flow", help="Draw this WhatsApp Flow instead of the conversation.")
@click.option("--format", "form", type=click.Choice(["mermaid", "svg"]), default="mermaid",
              show_default=True)  # fmt: skip
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False),
              help="Write it to a file instead of printing it.")  # fmt: skip
def graph(tenant: str, *, flow: str | None, form: str, output: Path | None) -> None:
    """Draw the conversation of TENANT: its states, and what leads from one to another.

    \b
    Example: comanda graph dona-lucha --format svg --output dona-lucha.svg
    Example: comanda graph la-tavola --flow checkout
    Shared parts are grey, changed ones yellow, the tenant's own green, deleted ones dashed; a
    state with a problem, such as a dead end, is red. A name with ✎ is a text the tenant changed.
    """
    log_to_stderr(level="critical")
    library = Library(read_settings().content(), all_verbs())
    library.require(TenantId(tenant))
    made = graph_of_tenant(library, TenantId(tenant), flow)
    drawn = to_svg(made) if form == "svg" else to_mermaid(made)
    if output is None:
        click.echo(drawn, nl=False)
        return
    try:
        output.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise EngineError(f"'{output}' cannot be written: {error.strerror}") from error
    click.echo(f"graph: {output}: {len(made.nodes)} states, {len(made.arrows)} arrows")


def graph_of_tenant(library: Library, tenant: TenantId, flow: str | None) -> Graph:
    """Make the picture's content of a tenant's chart, or of one of its Flows.

    Raises:
        SpecError: the files are so wrong that there is nothing to draw.
        EngineError: there is no such Flow.
    """
    problems = Problems()
    bundle = library.check(tenant, problems)
    if bundle is None:
        raise SpecError(problems.sorted())
    if flow is not None and flow not in bundle.flows:
        known = ", ".join(bundle.flows) or "none"
        raise EngineError(f"there is no Flow '{flow}' of '{tenant}'; there are {known}")
    if flow is not None:
        sources = Sources(
            _read(library, "flow", f"flows/{flow}.yaml"),
            _read(library, "flow", f"tenants/{tenant}/flows/{flow}.yaml"),
        )
        chart = bundle.flows[flow].chart
        return graph_of(f"{tenant}: Flow {flow}", chart, sources, {}, problems.sorted())
    return _conversation(library, bundle, problems)


def _conversation(library: Library, bundle: Bundle, problems: Problems) -> Graph:
    name = bundle.tenant.chart
    sources = Sources(
        _read(library, "chart", f"conversations/{name}.yaml"),
        _read(library, "chart", f"tenants/{bundle.tenant_id}/conversations/{name}.yaml"),
    )
    words = bundle.vocabulary(bundle.tenant.languages[0])
    title = f"{bundle.tenant_id}: {name}"
    return graph_of(title, bundle.chart, sources, words.messages, problems.sorted())


def _read(library: Library, kind: str, path: str) -> Source | None:
    return library.documents.read(kind, PurePosixPath(path), Problems())
