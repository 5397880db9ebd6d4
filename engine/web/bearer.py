"""The bearer token that opens the doors of operators; what is behind them is not known here."""

import hmac

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope


def refusal(request: Request, admin_token: str) -> Response | None:
    """Answer a request that does not bear the token; None if it does.

    Args:
        admin_token: empty keeps the doors shut.
    """
    if not admin_token:
        sentence = "ADMIN_TOKEN is not set: the routes of operators are shut"
        return JSONResponse({"error": sentence}, 503)
    return None if is_borne(request, admin_token) else unborne()


def is_borne(request: Request, token: str) -> bool:
    """Tell, in constant time, whether a request bears a token that is not empty."""
    is_same = hmac.compare_digest(token_of(request.scope), token.encode())
    return bool(token) and is_same


def unborne() -> Response:
    """Answer a request that does not bear the token."""
    sentence = "the bearer token is missing or wrong"
    return JSONResponse({"error": sentence}, 401, headers={"WWW-Authenticate": "Bearer"})


def token_of(scope: Scope) -> bytes:
    """Give the bearer token of a request as its bytes came; empty if it has none."""
    said = HTTPConnection(scope).headers.get("authorization", "")
    scheme, _, token = said.partition(" ")
    # Starlette reads headers as Latin-1: this gives the bytes that came.
    return token.strip().encode("latin-1") if scheme.lower() == "bearer" else b""
