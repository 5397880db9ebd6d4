"""Pages of a list and fields of an object, as the Graph API shows them; it knows no object."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from starlette.requests import Request

from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject

PAGE = 25
LONGEST_PAGE = 100

Row = TypeVar("Row")


def page(
    rows: Sequence[Row],
    request: Request,
    show: Callable[[Row], JsonObject],
    *,
    longest: int = LONGEST_PAGE,
) -> JsonObject:
    """Return one page of a list, with the way to the next one."""
    query = request.query_params
    start = _position(query.get("after"))
    size = query.get("limit", str(PAGE))
    if not size.isdecimal() or not 1 <= int(size) <= longest:
        raise GraphRefusal(Complaint(100, "Param limit is not valid"))
    end = min(start + int(size), len(rows))
    data = [show(row) for row in rows[start:end]]
    if not data:
        return {"data": []}
    paging: JsonObject = {"cursors": {"before": _cursor(start), "after": _cursor(end)}}
    if end < len(rows):
        paging["next"] = str(request.url.include_query_params(after=_cursor(end)))
    return {"data": data, "paging": paging}


def field_names(fields: str) -> list[str]:
    """Read the names in a `fields` parameter; arguments such as `preview.invalidate(false)` go."""
    parts = re.split(r",(?![^()]*\))", fields)
    return [re.split(r"[.({]", part.strip())[0] for part in parts if part.strip()]


def shown(
    names: Iterable[str], table: Mapping[str, Callable[..., Any]], *subject: object
) -> JsonObject:
    """Return the wanted fields of a subject; a field without value is left out."""
    fields: JsonObject = {}
    for name in names:
        if name not in table:
            message = f"(#100) Tried accessing nonexisting field ({name})"
            raise GraphRefusal(Complaint(100, message=message))
        value = table[name](*subject)
        if value is not None:
            fields[name] = value
    return fields


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _position(cursor: str | None) -> int:
    try:
        return 0 if cursor is None else int(base64.urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error) as problem:
        raise GraphRefusal(Complaint(100, "Param after is not valid")) from problem
