"""How an exchange of a Flow is encrypted: an RSA key opens it, an AES key comes with it.

The answer is sealed with the AES key of the question. Where keys are kept is not known here.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from engine.errors import Malformed, MalformedKey, Undecipherable
from engine.whatsapp.json_values import load

# Meta takes RSA keys of 2048 bits (flows/guides/implementingyourflowendpoint).
_BITS: Final = 2048
_AES_KEY_BYTES: Final = 16
_IV_BYTES: Final = 16
_PADDING: Final = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)
_MAKE_ONE: Final = "make one with `comanda flows keygen`"
# Integers up to here are the same in every language that reads JSON.
_EXACT: Final = 2.0**53


@dataclass(frozen=True, slots=True)
class OpenedExchange:
    """A decrypted request, and what its answer is encrypted with."""

    document: dict[str, Any] = field(repr=False)
    _aes_key: bytes = field(repr=False)
    _iv: bytes = field(repr=False)

    def seal(self, body: Mapping[str, Any]) -> str:
        """Encrypt an answer as WhatsApp wants it: every bit of the IV inverted, as base64."""
        iv = bytes(byte ^ 0xFF for byte in self._iv)
        return base64.b64encode(AESGCM(self._aes_key).encrypt(iv, dump(body), None)).decode()


class FlowKey:
    """An RSA private key, parsed once: parsing takes much longer than opening an exchange."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key

    def __repr__(self) -> str:
        return f"FlowKey({self.fingerprint})"

    @classmethod
    def parse(cls, pem: str) -> "FlowKey":
        r"""Read a private key in PEM; line ends may be written `\n`, as in environment variables.

        Raises:
            MalformedKey: it is not an unencrypted RSA private key of 2048 bits or more.
        """
        text = pem.replace("\\r", "").replace("\\n", "\n").strip()
        if "PRIVATE KEY-----" not in text:
            raise MalformedKey(_what_it_is(text))
        try:
            key = load_pem_private_key(text.encode(), password=None)
        except TypeError:
            raise MalformedKey(
                "the private key is encrypted with a password; store it without one"
            ) from None
        except (ValueError, UnsupportedAlgorithm):
            raise MalformedKey(
                f"the private key is cut or damaged; copy it again with every line, or {_MAKE_ONE}"
            ) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise MalformedKey(f"the private key is not an RSA key; {_MAKE_ONE}")
        if key.key_size < _BITS:
            raise MalformedKey(
                f"the RSA key has {key.key_size} bits, WhatsApp wants {_BITS}; {_MAKE_ONE}"
            )
        return cls(key)

    @classmethod
    def generate(cls) -> "FlowKey":
        """Make a new key of 2048 bits."""
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=_BITS))

    @property
    def private_pem(self) -> str:
        """The private key in PEM (PKCS8, not encrypted)."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def public_pem(self) -> str:
        """The public key in PEM, as Meta takes it."""
        return self._public(Encoding.PEM).decode()

    @property
    def fingerprint(self) -> str:
        """Tells keys apart: 16 hexadecimal digits of the public key's SHA-256."""
        return hashlib.sha256(self._public(Encoding.DER)).hexdigest()[:16]

    def _public(self, encoding: Encoding) -> bytes:
        return self._key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)

    def open(self, envelope: object) -> OpenedExchange:
        """Decrypt a request.

        Args:
            envelope: the JSON that was posted.

        Raises:
            Undecipherable: it was encrypted for another key, or changed on the way.
            Malformed: it is no envelope, or what it holds is not a JSON object.
        """
        sealed_key = _bytes(envelope, "encrypted_aes_key")
        iv = _bytes(envelope, "initial_vector")
        sealed = _bytes(envelope, "encrypted_flow_data")
        if len(iv) != _IV_BYTES:
            raise Undecipherable(f"initial_vector has {len(iv)} bytes, not {_IV_BYTES}")
        aes_key = self._unwrap(sealed_key)
        try:
            text = AESGCM(aes_key).decrypt(iv, sealed, None)
        except InvalidTag:
            raise Undecipherable("encrypted_flow_data is not what was encrypted") from None
        document = load(text)
        if not isinstance(document, dict):
            raise Malformed("the decrypted request is not a JSON object")
        return OpenedExchange(document, aes_key, iv)

    def _unwrap(self, sealed_key: bytes) -> bytes:
        try:
            aes_key = self._key.decrypt(sealed_key, _PADDING)
        except ValueError:
            raise Undecipherable(
                f"encrypted_aes_key was not made for the key {self.fingerprint}"
            ) from None
        if len(aes_key) != _AES_KEY_BYTES:
            raise Undecipherable(f"the AES key has {len(aes_key)} bytes, not {_AES_KEY_BYTES}")
        return aes_key


def dump(body: Mapping[str, Any]) -> bytes:
    """Write an answer as JSON: amounts as numbers, half a surrogate pair as U+FFFD."""
    try:
        return orjson.dumps(body, default=_plain)
    except orjson.JSONEncodeError:
        return orjson.dumps(_whole(body), default=_plain)


def _what_it_is(text: str) -> str:
    if "-----BEGIN" not in text:
        return f"this is not a key in PEM, which begins with five dashes; {_MAKE_ONE}"
    if "PUBLIC KEY-----" in text or "CERTIFICATE-----" in text:
        return "this is the public part of a key; the private key is wanted"
    return f"this PEM holds no private key; {_MAKE_ONE}"


def _bytes(envelope: object, name: str) -> bytes:
    if not isinstance(envelope, dict):
        raise Malformed("the request is not a JSON object")
    text = envelope.get(name)
    if not isinstance(text, str):
        raise Malformed(f"{name} is not a text" if name in envelope else f"{name} is missing")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed(f"{name} is not base64") from None


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) <= _EXACT else number
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"an answer cannot hold a {type(value).__name__}")


def _whole(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_whole(name): _whole(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(element) for element in value]
    return value
