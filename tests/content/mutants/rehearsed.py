"""What the tenants' own dialogs say of a mutant: `comanda test` plays them in a copy.

For a mistake that only changes what is meant: no checker can tell it from what the author wants.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path as FilePath

from engine.dialogs.verdict import FINE
from tests.content.mutants.checker import FOLDERS
from tests.content.mutants.mutant import Mutant


def differing(content: FilePath, mutant: Mutant) -> list[str]:
    """Name the dialogs that differ from their snapshots, or fail, once a mistake is planted."""
    with tempfile.TemporaryDirectory(prefix="comanda-mutants-") as place:
        root = FilePath(place)
        for folder in FOLDERS:
            shutil.copytree(content / folder, root / folder)
        (root / mutant.file).write_text(mutant.text, "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "engine", "test", "--format", "json"],
            capture_output=True, check=False, env=os.environ | {"COMANDA_CONTENT": place},
        )  # fmt: skip
    try:
        told = json.loads(done.stdout)
    except ValueError:
        return ["(no dialog can be played)"]
    wrong = [one for one in told["dialogs"] if one["outcome"] not in FINE]
    return [f"{one['tenant']}: {one['dialog']}" for one in wrong]
