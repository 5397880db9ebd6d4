"""Bodies that operators send: a JSON object with one text."""

from typing import Final

import orjson
from starlette.requests import Request

from engine.errors import Malformed
from engine.web.requests import read_body

MAX_BODY: Final = 16 * 1024
LONGEST: Final = 2048
"""Characters of a text; a row's id holds two of Meta's, of 512 at most."""


async def read_text(request: Request, name: str) -> str:
    """Read a body that is a JSON object with one text.

    Raises:
        TooLarge: it is larger than any such body.
        Malformed: it is anything else.
        ClientDisconnect: the client went away before all of it came.
    """
    body = await read_body(request, MAX_BODY)
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed("the body is not JSON") from error
    if not isinstance(given, dict) or set(given) != {name}:
        raise Malformed(f"the body must be a JSON object with '{name}', and nothing else")
    return text(given[name], name)


def text(value: object, name: str) -> str:
    """Take a text that is neither empty nor longer than any of ours.

    Raises:
        Malformed: it is something else.
    """
    if not isinstance(value, str) or not value or len(value) > LONGEST:
        raise Malformed(f"'{name}' must be a text of 1 to {LONGEST} characters")
    return value
