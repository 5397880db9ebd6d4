"""The body of a control request, held against its shape; Graph requests have another door."""

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from engine.sandbox.envelope import JsonObject
from engine.sandbox.shapes import Shape


async def checked_body(request: Request, wanted: Shape) -> JsonObject:
    """Return the body of a request without its nulls; what is wrong with it is a 400."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as problem:
        raise HTTPException(400, f"The body is not JSON: {problem}") from problem
    complaint = next(wanted("", body), None)
    if complaint is not None:
        raise HTTPException(400, complaint.details)
    return {name: value for name, value in body.items() if value is not None}
