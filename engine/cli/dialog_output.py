"""What `comanda test` prints: coverage for a person, verdicts and coverage for a program."""

from collections.abc import Iterator, Mapping, Sequence

import orjson

from engine.authoring.coverage import KINDS, Coverage, Part, Share
from engine.dialogs.verdict import Verdict
from engine.domain.ids import TenantId

PLURAL = {"state": "states", "branch": "branches", "message": "messages"}


def coverage_lines(tenant: TenantId, coverage: Coverage) -> Iterator[str]:
    """Write what dialogs reached: how much, and the place of everything they did not."""
    for part in coverage.missing():
        yield f"{part.where}: not reached: {str(part).removeprefix(f'{part.where}: ')}"
    told = [f"{PLURAL[kind]} {_share(coverage.share(kind))}" for kind in KINDS]
    spoken = (f"{each} {_share(coverage.share('message', each))}" for each in coverage.languages)
    yield f"coverage of {tenant}: {', '.join(told)} ({', '.join(spoken)})"


def _share(share: Share) -> str:
    return f"{share.percent} % ({share.reached}/{share.all})"


def as_json(verdicts: Sequence[Verdict], coverage: Mapping[TenantId, Coverage]) -> str:
    """Write all of it for a program."""
    made: dict[str, object] = {"dialogs": [_verdict(verdict) for verdict in verdicts]}
    if coverage:
        made["coverage"] = {tenant: _coverage(reached) for tenant, reached in coverage.items()}
    return orjson.dumps(made, option=orjson.OPT_INDENT_2).decode()


def _verdict(verdict: Verdict) -> dict[str, object]:
    return {
        "tenant": verdict.tenant,
        "dialog": verdict.name,
        "outcome": verdict.outcome,
        "file": verdict.where.file,
        "line": verdict.where.line,
        "column": verdict.where.column,
        "step": verdict.step or None,
        "sentence": verdict.sentence,
        "details": list(verdict.details),
        "accept": verdict.accept or None,
    }


def _coverage(coverage: Coverage) -> dict[str, object]:
    shares = {PLURAL[kind]: _numbers(coverage.share(kind)) for kind in KINDS}
    spoken = {each: _numbers(coverage.share("message", each)) for each in coverage.languages}
    missing = [_part(part) for part in coverage.missing()]
    return {**shares, "languages": spoken, "missing": missing}


def _numbers(share: Share) -> dict[str, int]:
    return {"reached": share.reached, "all": share.all, "percent": share.percent}


def _part(part: Part) -> dict[str, object]:
    return {
        "file": part.where.file,
        "line": part.where.line,
        "column": part.where.column,
        "kind": part.kind,
        "name": part.name,
        "languages": list(part.languages),
    }
