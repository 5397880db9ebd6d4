"""The program that serves the embedded database: its own licence, nothing of the engine."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import engine.storage.embedded as embedded

SOURCE = embedded.PROGRAM.read_text()


def imported(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_it_says_its_licence_and_shares_no_process_with_the_engine():
    assert SOURCE.startswith("# SPDX-License-Identifier: GPL-2.0-only\n")
    assert "secantus" in imported(SOURCE)
    assert "engine" not in imported(SOURCE)


def test_nothing_else_imports_the_server():
    root = Path(embedded.__file__).parents[1]
    others = [path for path in root.rglob("*.py") if path != embedded.PROGRAM]
    assert [path for path in others if "secantus" in imported(path.read_text())] == []


def test_it_prints_one_line_and_ends_with_its_standard_input(tmp_path):
    for program in (["-P", str(embedded.PROGRAM)], ["-m", "engine.storage.embedded_server"]):
        ended = subprocess.run(
            [sys.executable, *program, "--data", str(tmp_path)],
            input="",
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            cwd=Path(embedded.__file__).parents[2],
        )
        assert ended.returncode == 0, ended.stderr
        (line,) = ended.stdout.splitlines()
        assert json.loads(line)["port"] > 0


def test_a_folder_it_cannot_use_is_one_line_too(tmp_path):
    (tmp_path / "file").touch()
    ended = subprocess.run(
        [sys.executable, "-P", embedded.PROGRAM, "--data", tmp_path / "file"],
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"].startswith("cannot be opened")
