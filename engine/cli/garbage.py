"""When a command looks for garbage: seldom, for what it makes stays, or goes by itself."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_SELDOM: Final = 200_000
"""New objects after which garbage is looked for."""


@contextmanager
def never_collected() -> Iterator[None]:
    """Look for no garbage while the block runs: for imports, of which it takes a third."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def not_collected_at_exit() -> None:
    """Let a command end without looking for garbage: what it has made goes with its process."""
    atexit.register(gc.freeze)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage seldom while the block runs, also in processes that it starts."""
    before = gc.get_threshold()
    gc.set_threshold(_SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
