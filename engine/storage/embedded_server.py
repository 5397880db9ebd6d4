# SPDX-License-Identifier: GPL-2.0-only
"""A small program of its own that serves an embedded MongoDB-compatible database.

    python -m engine.storage.embedded_server --data FOLDER [--port 0]

It is no part of the engine: it imports SecantusDB, which is under GPL-2.0, and nothing of the
engine; the engine talks to it over a socket as to any MongoDB. It prints one JSON line when it
answers, `{"port": n}`, or `{"error": "..."}` and ends with 1. It ends when its standard input
does, so it does not outlive the program that started it.
"""

import argparse
import contextlib
import json
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

import secantus

BUSY = "Device or resource busy"
"""What WiredTiger says of a folder that another process has open."""
IN_USE = "is in use by another process: stop that one or set MONGODB_URI"
TRANSACTION_SECONDS = 5
"""How long the documents of a killed client's transaction stay blocked; 60 is the default."""
SWEEP_SECONDS = 600
"""How often expired documents are removed. Nobody is served meanwhile: each time it reads all of
every collection that has some, and takes 1 to 6 ms for each that it removes."""


def main() -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description="Serve an embedded database.")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data")
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0: a free one")
    parser.add_argument("--test-commands", action="store_true", help="allow failpoints")
    options = parser.parse_args()
    # Ctrl-C reaches the whole process group; whoever started this one ends it in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    try:
        server = secantus.SecantusDBServer(
            port=options.port,
            storage_path=str(options.data),
            enable_test_commands=options.test_commands,
            sync_on_commit=True,
            transaction_lifetime_seconds=TRANSACTION_SECONDS,
            ttl_sweep_seconds=SWEEP_SECONDS,
        )
        server.start()
    except Exception as exc:  # noqa: BLE001
        # WiredTiger's own error class has no public name.
        _tell({"error": IN_USE if BUSY in str(exc) else f"cannot be opened: {exc}"})
        return 1
    address = server.address
    ended = threading.Event()
    reaper = threading.Thread(target=_reap, args=(server, ended))
    reaper.start()
    try:
        _tell({"port": address[1]})
        sys.stdin.buffer.read()
    finally:
        ended.set()
        reaper.join()
        # Closing a socket does not wake the thread that accepts on it, a last caller does; without
        # one `stop` waits two seconds for it.
        threading.Timer(0.05, _call, [address]).start()
        server.stop()
    return 0


def _reap(server: Any, ended: threading.Event) -> None:
    # The server looks for expired transactions only when another one does something; a plain
    # write that waits for one alone would wait until its client gives up.
    while not ended.wait(timeout=1):
        server.transactions.prune_expired()


def _call(address: tuple[str, int]) -> None:
    with contextlib.suppress(OSError):
        socket.create_connection(address, timeout=1).close()


def _tell(line: dict[str, object]) -> None:
    print(json.dumps(line), flush=True)  # noqa: T201


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
