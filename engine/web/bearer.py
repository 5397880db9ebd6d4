"""The bearer token that opens the doors of operators; what is behind them is not known here."""

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


def refusal(request: Request, admin_token: str) -> Response | None:
    """Answer a request that does not bear the token; None if it does.

    Args:
        admin_token: empty keeps the doors shut.
    """
    if not admin_token:
        sentence = "ADMIN_TOKEN is not set: the routes of operators are shut"
        return JSONResponse({"error": sentence}, 503)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    # Starlette reads headers as Latin-1: this gives the bytes that came.
    given = token.strip().encode("latin-1")
    is_same = hmac.compare_digest(given, admin_token.encode())
    if scheme.lower() == "bearer" and is_same:
        return None
    sentence = "the bearer token is missing or wrong"
    return JSONResponse({"error": sentence}, 401, headers={"WWW-Authenticate": "Bearer"})
