"""The customer's WhatsApp in an exchange of a Flow, written from Meta's guide.

It shares no code with the engine: flows/guides/implementingyourflowendpoint is its only source.
"""

import base64
import json
import os
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

TAG_BYTES = 16


class FlowClient:
    """One exchange: encrypts a request for a public key, decrypts the answer to it."""

    def __init__(self, public_pem: str, *, aes_key_bytes: int = 16, iv_bytes: int = 16) -> None:
        public_key = load_pem_public_key(public_pem.encode())
        assert isinstance(public_key, rsa.RSAPublicKey)
        self.public_key = public_key
        self.aes_key = os.urandom(aes_key_bytes)
        self.iv = os.urandom(iv_bytes)

    def ask(self, document: object) -> dict[str, str]:
        return self.ask_bytes(json.dumps(document).encode())

    def ask_bytes(self, text: bytes) -> dict[str, str]:
        encryptor = Cipher(algorithms.AES(self.aes_key), modes.GCM(self.iv)).encryptor()
        sealed = encryptor.update(text) + encryptor.finalize() + encryptor.tag
        return self.envelope(sealed)

    def envelope(self, sealed: bytes) -> dict[str, str]:
        sha256 = hashes.SHA256()
        oaep = padding.OAEP(mgf=padding.MGF1(sha256), algorithm=sha256, label=None)
        return {
            "encrypted_flow_data": base64.b64encode(sealed).decode(),
            "encrypted_aes_key": base64.b64encode(
                self.public_key.encrypt(self.aes_key, oaep)
            ).decode(),
            "initial_vector": base64.b64encode(self.iv).decode(),
        }

    def read(self, answer: str) -> Any:
        return json.loads(self.read_bytes(answer))

    def read_bytes(self, answer: str) -> bytes:
        sealed = base64.b64decode(answer, validate=True)
        inverted = (int.from_bytes(self.iv, "big") ^ (2 ** (8 * len(self.iv)) - 1)).to_bytes(
            len(self.iv), "big"
        )
        gcm = modes.GCM(inverted, sealed[-TAG_BYTES:])
        decryptor = Cipher(algorithms.AES(self.aes_key), gcm).decryptor()
        return decryptor.update(sealed[:-TAG_BYTES]) + decryptor.finalize()
