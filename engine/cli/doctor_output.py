"""How `comanda doctor` prints what it found, as text or as JSON."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import click
import orjson

from engine.cli.texts import printable
from engine.doctor.examination import counts
from engine.doctor.findings import Result

INDENT = " " * 11


def show(results: Sequence[Result], form: str) -> None:
    """Print results, and how many of each verdict there are."""
    if form == "json":
        made = {"checks": [_as_json(result) for result in results], "counts": counts(results)}
        click.echo(orjson.dumps(made, option=orjson.OPT_INDENT_2))
        return
    for tenant, found in groupby(results, key=lambda result: result.tenant):
        click.echo(f"{tenant or 'Installation'}:")
        for line in _grouped(list(found)):
            click.echo(line)
        click.echo()
    told = counts(results)
    warnings = "warning" if told["warning"] == 1 else "warnings"
    click.echo(
        f"doctor: {told['ok']} ok, {told['warning']} {warnings}, {told['failed']} failed, "
        f"{told['skipped']} skipped"
    )


def _grouped(results: Sequence[Result]) -> Iterator[str]:
    for group, found in groupby(results, key=lambda result: result.group):
        yield f"  {group.capitalize()}"
        for result in found:
            yield f"  {result.verdict:8} {result.title}: {printable(result.reason)}"
            if result.mended:
                yield f"{INDENT}mended: {printable(result.mended)}"
            if result.remedy:
                yield f"{INDENT}mend it: {printable(result.remedy)}"


def _as_json(result: Result) -> dict[str, object]:
    return {
        "code": result.code,
        "group": result.group,
        "title": result.title,
        "tenant": result.tenant,
        "verdict": result.verdict,
        "reason": result.reason,
        "remedy": result.remedy or None,
        "mended": result.mended or None,
    }
