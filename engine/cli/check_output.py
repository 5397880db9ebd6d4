"""Problems as lines of text, JSON, annotations on GitHub, or SARIF."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import orjson

from engine.spec.codes import CODES
from engine.spec.problems import Problem, Problems

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
Json = dict[str, object]


def written(form: str, problems: Problems, *, root: Path, tenants: int) -> Iterator[str]:
    """Write problems.

    Args:
        form: one of `FORMATS`.
        root: the content folder, from which problems name files.
        tenants: how many were checked.
    """
    return _WRITERS[form](problems, root, tenants)


def _text(problems: Problems, root: Path, tenants: int) -> Iterator[str]:  # noqa: ARG001
    found = problems.sorted()
    for problem in found:
        yield str(problem)
        yield from (f"    {line}" for line in problem.transcript)
    yield _summary(problems, tenants)


def _summary(problems: Problems, tenants: int) -> str:
    errors = len(problems.errors)
    warnings = len(problems.found) - errors
    return f"check: {tenants} tenants, {errors} errors, {warnings} warnings"


def _json(problems: Problems, root: Path, tenants: int) -> Iterator[str]:  # noqa: ARG001
    found = [problem_as_json(problem) for problem in problems.sorted()]
    yield orjson.dumps(found, option=orjson.OPT_INDENT_2).decode()


def problem_as_json(problem: Problem) -> dict[str, object]:
    """Write a problem for a program."""
    return {
        "file": problem.span.file,
        "line": problem.span.line,
        "column": problem.span.column,
        "severity": problem.severity,
        "code": problem.code,
        "sentence": problem.sentence,
        "hint": problem.hint,
        "transcript": list(problem.transcript),
    }


def _github(problems: Problems, root: Path, tenants: int) -> Iterator[str]:
    """Write workflow commands, which GitHub shows beside the lines of a pull request."""
    for problem in problems.sorted():
        place = {
            "file": _from_here(root, problem.span.file),
            "line": str(problem.span.line),
            "col": str(problem.span.column),
            "title": problem.code,
        }
        fields = ",".join(f"{key}={_escaped(value)}" for key, value in place.items())
        told = "\n".join((_sentence(problem), *problem.transcript))
        yield f"::{problem.severity} {fields}::{_escaped(told, is_field=False)}"
    yield _summary(problems, tenants)


def _escaped(text: str, *, is_field: bool = True) -> str:
    marks = {"%": "%25", "\r": "%0D", "\n": "%0A"}
    marks |= {":": "%3A", ",": "%2C"} if is_field else {}
    return "".join(marks.get(mark, mark) for mark in text)


def _sarif(problems: Problems, root: Path, tenants: int) -> Iterator[str]:  # noqa: ARG001
    found = problems.sorted()
    codes = sorted({problem.code for problem in found})
    driver: Json = {
        "name": "comanda",
        "rules": [{"id": code, "shortDescription": {"text": CODES[code]}} for code in codes],
    }
    results = [_result(problem, codes.index(problem.code), root) for problem in found]
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    log: Json = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    yield orjson.dumps(log, option=orjson.OPT_INDENT_2).decode()


def _result(problem: Problem, rule: int, root: Path) -> Json:
    region = {"startLine": problem.span.line, "startColumn": problem.span.column}
    artifact = {"uri": _from_here(root, problem.span.file)}
    made: Json = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": _sentence(problem)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }
    if problem.transcript:
        made["properties"] = {"transcript": list(problem.transcript)}
    return made


def _sentence(problem: Problem) -> str:
    return f"{problem.sentence}; {problem.hint}" if problem.hint else problem.sentence


def _from_here(root: Path, file: str) -> str:
    """Name a file from the folder the command is run in, as a repository does."""
    path, here = (root / file).absolute(), Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


_WRITERS: Mapping[str, Callable[[Problems, Path, int], Iterator[str]]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "sarif": _sarif,
}
FORMATS = tuple(_WRITERS)
