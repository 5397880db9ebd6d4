"""Ports that nobody listens on, and that only those are given who ask for them by number."""

import socket
from contextlib import suppress
from secrets import randbelow

FIRST, LAST = 20_000, 32_000
"""Below what Linux gives to those who leave the choice to it (32,768 and more): a process that is
replaced finds its port as it left it."""


def free_port() -> int:
    """Give one; it is free until somebody takes it."""
    while True:
        port = FIRST + randbelow(LAST - FIRST)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
