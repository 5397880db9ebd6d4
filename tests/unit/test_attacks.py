"""Every known attack is stopped in a second of work and 64 MiB, and told in a clear sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.attacks import ATTACKS, SECONDS

ROOT = Path(__file__).parents[2]
SEVERAL = {
    "document: billion laughs", "document: merge bomb", "document: alias to itself",
    "document: one key, often", "document: anchors", "document: python object",
}  # fmt: skip
"""Of these every place is told, up to the most that are."""


@pytest.fixture(scope="module")
def told():
    """What became of each attack; a warm process is asked, as those are that serve."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.attacks"], cwd=ROOT, capture_output=True, text=True,
        timeout=300, check=True,
    )  # fmt: skip
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_stopped(told, name):
    found = told[name]
    assert found["failed"] == ""
    assert found["seconds"] < SECONDS
    sentences = found["said"]
    assert 1 <= len(sentences) <= 101
    if name not in SEVERAL:
        assert len(sentences) == 1, sentences
    for sentence in sentences:
        assert 8 <= len(sentence) < 400
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        assert "root:" not in sentence


def test_an_attack_that_is_not_stopped_is_found():
    """The measure itself: what takes too much memory or time does not pass."""
    program = (
        "import json\nfrom tests.unit import attacks as a\n"
        "a.ATTACKS = {'m': (lambda: ['x' * 10] * 10**8, a.ROOM),\n"
        "             't': (lambda: [str(sum(range(10**8)))], a.ROOM)}\n"
        "print(json.dumps([a.contained('m'), a.contained('t')]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120,
        check=True,
    )  # fmt: skip
    memory, seconds = json.loads(done.stdout)
    assert memory["failed"].startswith("MemoryError")
    assert seconds["seconds"] > SECONDS
