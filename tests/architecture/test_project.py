"""Rules of the house that no other tool checks."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "engine").rglob("*.py"))
AUTHORED = sorted(
    p for folder in ("conversations", "flows", "tenants") for p in (ROOT / folder).rglob("*.yaml")
)
BANNED = re.compile(r"(Service|Manager|Helper|Utils?|Handler|Common|Base)$")


@pytest.mark.parametrize("path", AUTHORED, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_authored_file_names_its_schema_in_the_first_line(path):
    first = path.read_text().splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found, f"{path}: {first}"
    schema = (path.parent / found[1]).resolve()
    assert schema.is_file()
    assert schema.parent == ROOT / "schemas"


def test_there_are_files_to_check():
    assert len(AUTHORED) > 15
    assert len(MODULES) > 80


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_class_or_module_has_a_name_that_says_nothing(path):
    assert not BANNED.search(path.stem.title())
    names = [n.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ClassDef)]
    assert [name for name in names if BANNED.search(name)] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-bench.lock"])
def test_the_lock_pins_and_hashes_everything_and_names_no_index(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 40
    for entry in entries:
        assert re.match(r"[\w.-]+(\[[\w,]+\])?==\S+", entry), entry[:60]
        assert "--hash=sha256:" in entry, entry[:60]


def test_the_lock_holds_every_direct_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = {
        line.split("==")[0].lower().split("[")[0]
        for line in (ROOT / "requirements.lock").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["embedded"]]
    missing = {re.split(r"[\[<>=; ]", w)[0].lower() for w in wanted} - locked
    assert missing == set()


def test_no_file_names_a_registry_or_holds_a_key():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    hosts = "pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "BEGIN " + "PRIVATE KEY"
    for name in listed:
        path = ROOT / name
        if (
            path.suffix in (".py", ".md", ".yaml", ".toml", ".lock", ".json", "")
            and path.is_file()
        ):
            text = path.read_text(errors="replace")
            assert [h for h in hosts if h in text] == [], name
