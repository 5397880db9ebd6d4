"""The client's side of a Flow exchange's encryption; what is exchanged is not looked at."""

import base64
import secrets
from dataclasses import dataclass, field

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.sandbox.envelope import JsonObject

AES_KEY_BYTES = 16
IV_BYTES = 16
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


class Unreadable(Exception):
    """An answer is not what this request's key encrypts, or not JSON within."""


@dataclass(frozen=True, slots=True)
class Key:
    """The AES key and the initialisation vector of one request; the answer uses both again."""

    aes: bytes = field(repr=False)
    iv: bytes = field(repr=False)

    def open_answer(self, text: str) -> object:
        """Decrypt the endpoint's answer and return what its JSON says.

        Raises:
            Unreadable: it is not base64, not of this key, or not JSON.
        """
        flipped = bytes(byte ^ 0xFF for byte in self.iv)
        try:
            sealed = base64.b64decode(text, validate=True)
            return orjson.loads(AESGCM(self.aes).decrypt(flipped, sealed, None))
        except InvalidTag as problem:
            sentence = "The answer is not encrypted with the key of its request"
            raise Unreadable(sentence) from problem
        except orjson.JSONDecodeError as problem:
            raise Unreadable(f"The decrypted answer is not JSON: {problem}") from problem
        except ValueError as problem:
            raise Unreadable(f"The answer is not base64: {problem}") from problem


def seal_request(public_pem: str, document: object) -> tuple[bytes, Key]:
    """Encrypt a request for the holder of the private key; each one has a key of its own.

    Raises:
        ValueError: the PEM holds no RSA public key.
    """
    public = serialization.load_pem_public_key(public_pem.encode())
    if not isinstance(public, rsa.RSAPublicKey):
        raise ValueError("The public key is not an RSA key")
    key = Key(secrets.token_bytes(AES_KEY_BYTES), secrets.token_bytes(IV_BYTES))
    envelope: JsonObject = {
        "encrypted_flow_data": _base64(
            AESGCM(key.aes).encrypt(key.iv, orjson.dumps(document), None)
        ),
        "encrypted_aes_key": _base64(public.encrypt(key.aes, OAEP)),
        "initial_vector": _base64(key.iv),
    }
    return orjson.dumps(envelope), key


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
