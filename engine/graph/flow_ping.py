"""Pings a Flow's endpoint as WhatsApp does: encrypted for the tenant's key, signed by the app."""

import base64
import secrets
from dataclasses import dataclass, field
from typing import Final

import httpx
import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from engine.whatsapp.signature import sign

_PING: Final = {"version": "3.0", "action": "ping"}
_TIMEOUT: Final = 10.0
"""Seconds after which WhatsApp gives an endpoint up."""
_MEANINGS: Final = {
    404: "this address is not there, or the server does not know the tenant",
    421: "the server could not decrypt it: it has another key",
    432: "the server found the signature wrong: it has another META_APP_SECRET",
    503: "the server is up, but its database does not answer",
}


@dataclass(frozen=True, slots=True)
class FlowPing:
    """Asks an endpoint for a sign of life.

    Args:
        app_secret: signs what is posted.
    """

    app_secret: str = field(repr=False)

    async def __call__(self, endpoint: str, public_pem: str) -> str:
        """Tell what is wrong with an endpoint, or nothing."""
        aes_key, iv = secrets.token_bytes(16), secrets.token_bytes(16)
        body = _sealed(public_pem, aes_key, iv)
        headers = {
            "Content-Type": "application/json",
            "X-Hub-Signature-256": sign(body, self.app_secret),
        }
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT) as http:
                answer = await http.post(endpoint, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"it does not answer ({type(error).__name__})"
        if answer.status_code != httpx.codes.OK:
            meaning = _MEANINGS.get(answer.status_code, "")
            return f"it answers with HTTP {answer.status_code}{': ' if meaning else ''}{meaning}"
        return _fault(answer.text, aes_key, iv)


def _sealed(public_pem: str, aes_key: bytes, iv: bytes) -> bytes:
    public = load_pem_public_key(public_pem.encode())
    assert isinstance(public, rsa.RSAPublicKey)
    padding = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)
    parts = {
        "encrypted_flow_data": AESGCM(aes_key).encrypt(iv, orjson.dumps(_PING), None),
        "encrypted_aes_key": public.encrypt(aes_key, padding),
        "initial_vector": iv,
    }
    return orjson.dumps({name: base64.b64encode(part).decode() for name, part in parts.items()})


def _fault(text: str, aes_key: bytes, iv: bytes) -> str:
    flipped = bytes(byte ^ 0xFF for byte in iv)
    try:
        opened = AESGCM(aes_key).decrypt(flipped, base64.b64decode(text, validate=True), None)
        said = orjson.loads(opened)
    except (ValueError, InvalidTag):
        return "its answer is not encrypted as WhatsApp wants it"
    data = said.get("data") if isinstance(said, dict) else None
    if not isinstance(data, dict) or data.get("status") != "active":
        return "its answer does not say that it is active"
    return ""
