"""The signature on every webhook: it proves who sent a body, not that the body is well formed."""

import hashlib
import hmac

from engine.errors import BadSignature


def sign(body: bytes, secret: str) -> str:
    """Give the header `X-Hub-Signature-256` of a body: "sha256=" and 64 lowercase hex digits.

    HMAC-SHA256 of the raw bytes; the app secret is the key (webhooks/create-webhook-endpoint).
    """
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def verify(body: bytes, header: str | None, secret: str) -> None:
    """Check that a body was signed with the app secret; the comparison takes constant time.

    Args:
        body: the raw bytes as received; JSON that was parsed and written again does not verify.
        header: the value of `X-Hub-Signature-256`, in exactly the form that `sign` gives.
        secret: the app secret; an empty one verifies nothing.

    Raises:
        BadSignature: the header is missing or wrong, or there is no secret.
    """
    if not secret:
        raise BadSignature("there is no app secret to check the signature with")
    if header is None:
        raise BadSignature("the header X-Hub-Signature-256 is missing")
    if not hmac.compare_digest(sign(body, secret).encode(), header.encode("utf-8", "replace")):
        raise BadSignature("the header X-Hub-Signature-256 does not match the body")
