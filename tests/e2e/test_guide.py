"""The guide, followed: its files are written, its commands typed, and they print what it shows."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.e2e.test_commands import ROOT, comanda

GUIDE = (ROOT / "conversations/GUIDE.md").read_text()
BLOCK = re.compile(
    r"(?:<!-- (?P<how>write|append|change) (?P<file>\S+) -->\n)?"
    r"```(?P<language>\w+)\n(?P<text>.*?)```",
    re.DOTALL,
)


def blocks():
    return list(BLOCK.finditer(GUIDE))


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """Copy what is shared, so that nothing of the checkout is changed."""
    root = tmp_path_factory.mktemp("guide")
    for part in ("conversations", "flows", "schemas"):
        shutil.copytree(ROOT / part, root / part)
    (root / "tenants").mkdir()
    return root


def test_the_guide_leads_to_a_shop(content):
    ran = []
    done = None
    for block in blocks():
        if block["file"]:
            edit(content / block["file"], block["how"], block["text"])
        elif block["language"] == "sh":
            for line in block["text"].splitlines():
                words = shlex.split(line, comments=True)
                if words[0] == "comanda":
                    done = comanda(*words[1:], cwd=content, COMANDA_CONTENT=str(content))
                    ran.append(line)
                    assert "Traceback" not in done.stderr
                    assert done.returncode == (1 if "mistake" in line else 0), done.stderr
        elif block["language"] == "text":
            shows(block["text"], done)
    assert len(ran) == 13
    assert (content / "my-place.svg").read_text().startswith("<svg")


def edit(file, how, text):
    assert how == "write" or file.is_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    if how == "change":
        # All that belongs to the first line's name.
        name = re.escape(text.partition("\n")[0])
        before = file.read_text()
        text, times = re.subn(rf"^{name}\n(?: .*\n)+", lambda _: text, before, flags=re.MULTILINE)
        assert times == 1, f"{file} has no '{name}'"
    file.write_text(file.read_text() + text if how == "append" else text)


def shows(text, done):
    """Each piece between two `…` stands in what was printed, in this order."""
    printed = folded(done.stdout + done.stderr)
    place = 0
    assert text.strip()
    for piece in text.split("…\n"):
        found = printed.find(folded(piece), place)
        assert found >= 0, f"{done.args} does not print:\n{piece}\nbut:\n{printed}"
        place = found + len(folded(piece))


def folded(text):
    """Write a text in one line: the guide breaks long ones."""
    return " ".join(text.split())


def test_no_line_of_the_guide_is_longer_than_an_editor_shows():
    prose = re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL)
    assert [line for line in prose.splitlines() if len(line) > 100] == []
    sentences = re.split(r"[.:!?]\s", prose)
    assert [s for s in sentences if len(s.split()) > 40] == []


def test_every_file_of_the_guide_names_its_schema():
    written = [b["text"] for b in blocks() if b["how"] == "write"]
    assert len(written) == 9
    assert all(text.startswith("# yaml-language-server: $schema=") for text in written)


def test_links_of_the_authors_pages_lead_somewhere():
    for page in ("README.md", "GUIDE.md", "REFERENCE.md"):
        text = (ROOT / "conversations" / page).read_text()
        for target in re.findall(
            r"\]\(([^)#]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        ):
            assert (ROOT / "conversations" / Path(target)).is_file(), target
