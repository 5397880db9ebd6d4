"""Flow tokens: a session's id and expiry, signed over everything the session is bound to."""

import hashlib
import hmac
import re
from typing import Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.flow_ports import FlowSession, FlowSessionRepository

_TOKEN = re.compile(r"([0-9a-f]{32})\.[0-9]{1,12}\.[0-9a-f]{32}")


class Tokens(Protocol):
    """What a turn needs of tokens."""

    def sign(self, session: FlowSession) -> str:
        """Give the token of a session."""
        ...

    async def session(self, token: object, sessions: FlowSessionRepository) -> FlowSession | None:
        """Find the session a token was signed for among a tenant's; None if it is forged."""
        ...


class FlowTokens:
    """Signs and reads flow tokens.

    Args:
        secret: what is signed with; the same in every process.
        previous: secrets that are being rotated out or in: what they signed is read, too.
    """

    def __init__(self, secret: str, *previous: str) -> None:
        self._key = _key(secret)
        # An empty one is none: everybody could sign with it.
        self._others = tuple(_key(each) for each in dict.fromkeys(previous) if each)

    def sign(self, session: FlowSession) -> str:
        """Give the token of a session: nobody else can make it, and it fits no other one."""
        return _signed(session, self._key)

    def session_id(self, token: object) -> str | None:
        """Name the session a token is of, if it looks like one of ours; it may be forged."""
        found = _TOKEN.fullmatch(token) if isinstance(token, str) else None
        return found[1] if found else None

    def is_of(self, token: object, session: FlowSession) -> bool:
        """Tell whether a token was signed for a session."""
        given = token.encode(errors="replace") if isinstance(token, str) else b""
        return any(
            hmac.compare_digest(given, _signed(session, key).encode())
            for key in (self._key, *self._others)
        )

    async def session(self, token: object, sessions: FlowSessionRepository) -> FlowSession | None:
        """Find the session a token was signed for among a tenant's; None if it is forged."""
        name = self.session_id(token)
        session = await sessions.get(name) if name else None
        return session if session and self.is_of(token, session) else None


def _key(secret: str) -> bytes:
    derivation = HKDF(SHA256(), length=32, salt=b"comanda", info=b"flow tokens v1")
    return derivation.derive(secret.encode())


def _signed(session: FlowSession, key: bytes) -> str:
    expiry = int(session.expires_at.timestamp())
    # The conversation is the customer's at the tenant: there is one.
    bound = "\x1f".join(
        (
            "v1", session.id, str(expiry), session.tenant, session.customer, session.flow,
            str(session.input.get("product") or ""),
        )
    )  # fmt: skip
    mac = hmac.new(key, bound.encode(), hashlib.sha256).hexdigest()[:32]
    return f"{session.id}.{expiry}.{mac}"
