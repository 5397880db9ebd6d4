"""The gate of dependencies: it fails for what is known, and never because nobody can be asked."""

import json
import sys

import pytest

from tests.audit import SKIPPED, main

FOUND = {"name": "left", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
CLEAN = {"name": "right", "version": "2.0", "vulns": []}


def program(said: str, code: int) -> list[str]:
    """A program that says something and ends, in the place of pip-audit."""
    return [sys.executable, "-c", f"import sys; print({said!r}); sys.exit({code})"]


@pytest.mark.parametrize(
    ("said", "code", "arguments", "ends", "told"),
    [
        (json.dumps({"dependencies": [CLEAN]}), 0, [], 0,
         "audit: 1 packages, no known vulnerabilities"),
        (json.dumps({"dependencies": [CLEAN, FOUND]}), 1, [], 1,
         "audit: left 1.0: CVE-1: mended in 1.1"),
        (json.dumps({"dependencies": [FOUND]}), 1, ["--if-reachable"], 1, "audit: left 1.0: CVE"),
        ("", 1, ["--if-reachable"], 0, SKIPPED),
        ("ConnectionError", 1, ["--if-reachable"], 0, SKIPPED),
        ("ConnectionError", 1, [], 1, SKIPPED),
    ],
)  # fmt: skip
def test_what_is_known_is_told(said, code, arguments, ends, told, capsys):
    assert main(arguments, program(said, code)) == ends
    assert capsys.readouterr().out.startswith(told)


def test_without_the_program_it_is_skipped(capsys):
    assert main(["--if-reachable"], ["/nowhere/pip-audit"]) == 0
    assert capsys.readouterr().out.strip() == SKIPPED
