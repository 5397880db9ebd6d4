"""How the commands for Flows print what they found, as text or as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click
import orjson

from engine.deployment.changes import Report, problems_of
from engine.deployment.doctor import Item
from engine.deployment.listing import Listed
from engine.spec.problems import Problem


def show_report(report: Report, form: str, command: str) -> None:
    """Print what was done, or would be."""
    if form == "json":
        _json(
            {
                "tenant": report.tenant,
                "dry_run": report.is_dry,
                "failed": report.has_failed,
                "steps": [asdict(step) for step in report.steps],
                "problems": [_problem(problem) for problem in report.problems],
                "flows": report.flows,
            }
        )
        return
    for step in report.steps:
        click.echo(str(step))
    for problem in report.problems:
        click.echo(str(problem))
    click.echo(f"{command}: {report.tenant}: {_outcome(report)}")


def _outcome(report: Report) -> str:
    if report.has_failed:
        return "not everything could be done"
    if report.is_idle:
        return "there is nothing to do"
    if report.is_dry:
        return "this is what would be done; nothing was changed"
    return f"customers get {', '.join(f'{k} ({v})' for k, v in report.flows.items())}"


def show_listing(listed: Sequence[Listed], form: str) -> None:
    """Print Flows, a line each."""
    if form == "json":
        _json([_listed(each) for each in listed])
        return
    rows = [
        (each.key or "(not ours)", each.meta_id or "-", each.status, each.name) for each in listed
    ]
    widths = [max((len(row[n]) for row in rows), default=0) for n in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[3]]))
    ours = sum(1 for each in listed if each.key)
    click.echo(f"list: {ours} Flows, {len(listed) - ours} others in the WhatsApp account")


def show_status(found: Sequence[Listed], form: str) -> bool:
    """Print what Meta says of each Flow; tell whether it refuses none."""
    problems = [problem for each in found for problem in _problems(each)]
    if form == "json":
        _json([_status(each) for each in found])
        return not problems
    for each in found:
        click.echo(f"{each.key}: {each.status} {each.meta_id}".rstrip())
        if each.meta:
            health = " ".join((each.meta.health or "not told", *each.meta.ailments))
            click.echo(f"  health: {health}")
            click.echo(f"  Flow JSON: {each.meta.json_version or 'not told'}")
            click.echo(f"  endpoint: {each.meta.endpoint or 'none'}")
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"status: {len(found)} Flows, {len(problems)} problems")
    return not problems


def show_items(items: Sequence[Item], form: str) -> bool:
    """Print the doctor's verdicts; tell whether nothing is wrong."""
    counts = dict.fromkeys(("ok", "wrong", "unknown"), 0)
    for item in items:
        counts[item.verdict] += 1
    if form == "json":
        _json([asdict(item) for item in items])
    else:
        for item in items:
            mend = f"; mend it: {item.mend}" if item.mend and item.verdict != "ok" else ""
            click.echo(f"{item.verdict:7} {item.name}: {item.reason}{mend}")
        told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        click.echo(f"doctor: {told}")
    return not counts["wrong"]


def _listed(each: Listed) -> dict[str, Any]:
    return {
        "key": each.key or None,
        "meta_id": each.meta_id or None,
        "name": each.name,
        "status": each.status,
        "sent": each.is_sent,
    }


def _status(each: Listed) -> dict[str, Any]:
    meta = each.meta
    return _listed(each) | {
        "health": meta.health or None if meta else None,
        "ailments": list(meta.ailments) if meta else [],
        "json_version": meta.json_version or None if meta else None,
        "endpoint": meta.endpoint or None if meta else None,
        "problems": [_problem(problem) for problem in _problems(each)],
    }


def _problems(each: Listed) -> list[Problem]:
    if each.meta is None or each.wanted is None:
        return []
    return problems_of(each.wanted.flow, each.meta.complaints)


def _problem(problem: Problem) -> dict[str, Any]:
    """Write a problem as `comanda check` does."""
    parts = asdict(problem)
    span: dict[str, Any] = parts.pop("span")
    return span | parts


def _json(made: object) -> None:
    click.echo(orjson.dumps(made, option=orjson.OPT_INDENT_2))
