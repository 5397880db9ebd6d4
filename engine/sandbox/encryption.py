"""The Graph routes for a phone number's public key, with which phones encrypt Flow exchanges."""

from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import parameters, permitted_number
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.state import World

KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class Encryption:
    """`/{version}/{phone_number_id}/whatsapp_business_encryption`."""

    world: World

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        path = "/{version}/{phone_number_id}/whatsapp_business_encryption"
        return [
            Route(path, self.upload, methods=["POST"]),
            Route(path, self.show, methods=["GET"]),
        ]

    async def upload(self, request: Request) -> Response:
        """Take a public key; it replaces the one before."""
        number = permitted_number(request, self.world)
        given = (await parameters(request)).get("business_public_key")
        if not isinstance(given, str):
            raise GraphRefusal(Complaint(100, "The parameter business_public_key is required"))
        problem = wrong_with(given)
        if problem:
            raise GraphRefusal(Complaint(100, f"Param business_public_key {problem}"))
        self.world.public_keys[number.phone_number_id] = given
        return JSONResponse({"success": True})

    async def show(self, request: Request) -> Response:
        """Answer with the public key."""
        number = permitted_number(request, self.world)
        key = self.world.public_keys.get(number.phone_number_id)
        entry: JsonObject = {
            "business_public_key": key,
            "business_public_key_signature_status": "VALID",
        }
        return JSONResponse({"data": [] if key is None else [entry]})


def wrong_with(pem: str) -> str:
    """Say why Meta does not take a text as public key; nothing if it does."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        return "is not a public key in PEM"
    if not isinstance(key, RSAPublicKey):
        return "is not an RSA key"
    if key.key_size != KEY_BITS:
        return f"must have {KEY_BITS} bits, it has {key.key_size}"
    return ""
