"""What the Dockerfile does, done without Docker: its lock and its wheel, installed by themselves.

The steps are read from the Dockerfile: the tools that make the wheel are those its `awk` takes of
the lock, and the content is what it copies.
"""

import os
import re
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LOCK = (ROOT / "requirements.lock").read_text()
SERVE = (ROOT / "requirements-serve.lock").read_text()


def entries(lock):
    """Give each requirement of a lock, with its hashes, without who wants it."""
    plain = re.sub(r"^\s*#.*\n?", "", lock, flags=re.MULTILINE)
    found = re.split(r"^(?=[a-z])", plain, flags=re.MULTILINE)
    return {re.split(r"[=\s]", each)[0]: each.strip() for each in found if each.strip()}


def test_what_is_served_is_what_was_tested():
    """The image's lock is a part of the whole one, hash by hash."""
    whole, part = entries(LOCK), entries(SERVE)
    assert len(part) > 30
    assert {n: whole.get(n, "")[:60] for n in part} == {n: part[n][:60] for n in part}
    hashes = {name: set(re.findall(r"sha256:\w+", text)) for name, text in whole.items()}
    for name, text in part.items():
        assert set(re.findall(r"sha256:\w+", text)) == hashes[name], name


def test_the_image_has_what_the_engine_wants_and_no_tools():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[<>=~]", each)[0] for each in project["dependencies"]}
    names = entries(SERVE).keys()
    assert wanted <= names
    assert names.isdisjoint({"hatchling", "pip", "setuptools", "pytest", "ruff", "secantusdb"})


def test_the_steps_of_the_dockerfile(tmp_path):
    content = tmp_path / "content"
    content.mkdir()
    for source, target in re.findall(r"^COPY (\w+) /srv/comanda/(\w+)$", DOCKERFILE, re.MULTILINE):
        (content / target).symlink_to(ROOT / source)
    tools = _environment(tmp_path / "tools")
    (tmp_path / "requirements-build.lock").write_text(_tools_of_the_lock())
    install = ("-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps", "-r")
    _run(tools, *install, tmp_path / "requirements-build.lock")
    served = _environment(tmp_path / "served")
    _run(served, *install, ROOT / "requirements-serve.lock")
    _copied(tmp_path / "build")
    _run(
        tools, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
        "-w", tmp_path / "dist", tmp_path / "build",
    )  # fmt: skip
    (wheel,) = (tmp_path / "dist").glob("comanda-*.whl")
    _run(served, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel)
    _run(served, "-m", "pip", "check")
    comanda = served.with_name("comanda")
    assert "serve" in _run(comanda, "--help")
    for arguments in (("serve", "--help"), ("check",), ("schema", "--help")):
        _run(comanda, *arguments, COMANDA_CONTENT=content)
    # Without the content it is a sentence, and nothing is found beside the packages.
    with pytest.raises(AssertionError, match="COMANDA_CONTENT"):
        _run(comanda, "check", COMANDA_CONTENT=tmp_path / "nowhere")


def _tools_of_the_lock():
    (pattern,) = re.findall(r"keep = /(\^\(.*\)==)/", DOCKERFILE)
    found = [text for text in entries(LOCK).values() if re.match(pattern, text)]
    assert len(found) == 5
    return "\n".join(found)


def _copied(folder):
    """Copy what the wheel is made of, without what .dockerignore keeps away."""
    folder.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    for path in (ROOT / "engine").rglob("*"):
        place = folder / path.relative_to(ROOT)
        if path.is_file() and not {"__pycache__", "operations"} & set(path.parts):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())


def _environment(folder):
    venv.create(folder, with_pip=True, symlinks=True)
    return folder / "bin/python"


def _run(program, *arguments, **environment):
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("COMANDA", "MONGODB"))}
    done = subprocess.run(
        [str(program), *map(str, arguments)],
        cwd=Path(program).parent, env=plain | {k: str(v) for k, v in environment.items()},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
