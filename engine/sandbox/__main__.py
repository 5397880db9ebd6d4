"""`python -m engine.sandbox`: the sandbox as its own process.

It prints its URL as soon as it takes connections; it does not start anything else.
"""

import argparse
import json
from collections.abc import Sequence
from contextlib import suppress

from engine.sandbox.app import create_sandbox
from engine.sandbox.options import SandboxOptions
from engine.serving import LOOPBACK, listen, server


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m engine.sandbox",
        description="A stand-in for Meta's Graph API.",
        epilog="example: python -m engine.sandbox --port 8900 --read",
    )
    parser.add_argument("--host", default=LOOPBACK, help="address to listen on")
    parser.add_argument(
        "--port", type=int, default=0, help="port to listen on; 0 takes a free one"
    )
    parser.add_argument("--json", action="store_true", help='print {"url": ...} when ready')
    parser.add_argument("--read", action="store_true", help="customers read what they receive")
    parser.add_argument(
        "--enforce-window", action="store_true", help="keep to the 24-hour service window"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Serve a sandbox until the process is told to stop."""
    given = arguments(argv)
    app = create_sandbox(SandboxOptions(read=given.read, enforce_window=given.enforce_window))
    listener, url = listen(given.host, given.port)
    ready = json.dumps({"url": url}) if given.json else f"sandbox: {url}"
    print(ready, flush=True)  # noqa: T201
    with suppress(KeyboardInterrupt):
        server(app).run(sockets=[listener])


if __name__ == "__main__":
    main()
