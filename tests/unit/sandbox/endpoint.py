"""The endpoint of a Flow as a business has it: opens requests and answers what it is told to."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from engine.sandbox import serving

ACTIVE = {"data": {"status": "active"}}


def new_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_pem(key: Any) -> str:
    encoding, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    pem: bytes = key.public_key().public_bytes(encoding, kind)
    return pem.decode()


@dataclass
class Endpoint:
    """What arrived, and what is answered: some JSON, or a response as it is."""

    key: rsa.RSAPrivateKey
    url: str = ""
    answer: Any = field(default_factory=lambda: ACTIVE)
    raw: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        raw = await request.body()
        self.raw.append(raw)
        self.signatures.append(request.headers["X-Hub-Signature-256"])
        sealed = {name: base64.b64decode(value) for name, value in json.loads(raw).items()}
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        aes = AESGCM(self.key.decrypt(sealed["encrypted_aes_key"], oaep))
        iv = sealed["initial_vector"]
        self.asked.append(json.loads(aes.decrypt(iv, sealed["encrypted_flow_data"], None)))
        if isinstance(self.answer, Response):
            return self.answer
        flipped = bytes(byte ^ 255 for byte in iv)
        answer = aes.encrypt(flipped, json.dumps(self.answer).encode(), None)
        return PlainTextResponse(base64.b64encode(answer).decode())


@asynccontextmanager
async def served_endpoint(key: rsa.RSAPrivateKey) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint(key)
    app = Starlette(routes=[Route("/flows/customise", endpoint.take, methods=["POST"])])
    async with serving(app) as url:
        endpoint.url = f"{url}/flows/customise"
        yield endpoint
