"""A program that starts `comanda` processes at once: what they import is imported already.

    python -m tests.torture.nursery

It reads one JSON object per line: `{"start": label, "arguments": [...], "environment": {...},
"log": file}` or `{"signal": label, "number": 9}`, and writes one for every process that ends:
`{"ended": label, "status": n}`. A process is a fork that runs the real command with its own
environment. When its standard input ends, it kills what is left and ends.
"""

import gc
import json
import os
import select
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from engine.cli import main as comanda
from engine.cli import serve  # noqa: F401 - so that no process has to import it

TICK = 0.02
"""Seconds until the end of a process is noticed."""


class Nursery:
    """Processes by label, and what happens to them."""

    def __init__(self) -> None:
        self._running: dict[int, str] = {}

    def serve(self) -> None:
        """Do as told until standard input ends."""
        waiting = b""
        while True:
            ready, _, _ = select.select([sys.stdin.fileno()], [], [], TICK)
            if ready:
                read = os.read(sys.stdin.fileno(), 65_536)
                if not read:
                    break
                *lines, waiting = (waiting + read).split(b"\n")
                for line in lines:
                    self._do(json.loads(line))
            self._reap()
        for process in self._running:
            os.kill(process, signal.SIGKILL)

    def _do(self, order: Mapping[str, Any]) -> None:
        if "start" in order:
            process = os.fork()
            if process == 0:
                _become(order["arguments"], order["environment"], Path(order["log"]))
            self._running[process] = order["start"]
            return
        # Only this process reaps: a number in `_running` is no other's by now.
        for process, label in self._running.items():
            if label == order["signal"]:
                os.kill(process, order["number"])

    def _reap(self) -> None:
        while self._running:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return
            label = self._running.pop(process)
            _tell({"ended": label, "status": os.waitstatus_to_exitcode(status)})


def _become(arguments: list[str], environment: Mapping[str, str], log: Path) -> NoReturn:
    status = 70
    try:
        nothing = os.open(os.devnull, os.O_RDONLY)
        written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for old, new in ((nothing, 0), (written, 1), (written, 2)):
            os.dup2(old, new)
        os.environ.clear()
        os.environ.update(environment)
        comanda(arguments, prog_name="comanda")
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - it is told in the log, as Python would
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        # Not the way out of Python: what the parent had open is not this process's to close.
        os._exit(status)


def _tell(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    gc.freeze()
    _tell({"ready": True})
    Nursery().serve()
