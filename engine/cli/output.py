"""What the commands share of printing: logs go to standard error, one event per line."""

from engine import logs


def log_to_stderr(*, level: str = "info") -> None:
    """Write logs to standard error: readable on a terminal, JSON elsewhere."""
    logs.configure(level=level)
