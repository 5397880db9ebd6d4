"""Sealing of the tenants' access tokens and keys; passwords and signatures are not its part.

A sealed text is `v2:<id of the key>:<token>`; `v1:<token>`, which names no key, is opened too.
"""

import base64
import re
from dataclasses import dataclass
from typing import Self

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.errors import EngineError, SettingsError

_CLAIMED = re.compile(r"v\d+:")
_SEALED = re.compile(r"(?:v1|v2:(?P<key>[0-9a-f]{8})):(?P<token>[A-Za-z0-9_=-]+)")


class Vault:
    """Seals texts with a key derived from one secret, and opens those of others.

    Args:
        secret: what is sealed with; any text, the longer the better.
        previous: secrets that are being rotated out or in; they only open.

    Raises:
        SettingsError: there is no secret.
    """

    def __init__(self, secret: str, *previous: str) -> None:
        if not secret:
            raise SettingsError(
                "ENCRYPTION_SECRET is empty: access tokens and keys cannot be sealed"
            )
        self._keys = tuple(_Key.of(each) for each in dict.fromkeys((secret, *previous)) if each)

    def seal(self, text: str) -> str:
        """Seal a text; the same text sealed twice looks different."""
        first = self._keys[0]
        return f"v2:{first.id}:{first.fernet.encrypt(text.encode()).decode()}"

    def open(self, sealed: str) -> str:
        """Give the text that was sealed.

        Raises:
            EngineError: it was sealed with a secret that is not known, or not by a vault.
        """
        if not is_sealed(sealed):
            raise EngineError(
                "an access token or key in the database is not sealed; save it again, "
                "or run `comanda secrets rotate --seal-plain`"
            )
        found = _SEALED.fullmatch(sealed)
        if found is None:
            raise _unopened("it is damaged, or a newer version sealed it")
        fitting = [key for key in self._keys if found["key"] in (None, key.id)]
        for key in fitting:
            opened = key.open(found["token"])
            if opened is not None:
                return opened
        if fitting and found["key"]:
            raise _unopened("it is damaged")
        raise _unopened("it was sealed with another ENCRYPTION_SECRET")

    def is_current(self, sealed: str) -> bool:
        """Tell whether a text is sealed as it would be now: with the first secret, as `v2:`."""
        found, first = _SEALED.fullmatch(sealed), self._keys[0]
        return (
            found is not None
            and found["key"] == first.id
            and first.open(found["token"]) is not None
        )


def is_sealed(text: str) -> bool:
    """Tell whether a text says of itself that a vault sealed it, be it damaged or not."""
    return _CLAIMED.match(text) is not None


def _unopened(reason: str) -> EngineError:
    return EngineError(f"an access token or key in the database cannot be opened: {reason}")


@dataclass(frozen=True, slots=True)
class _Key:
    """What a secret makes: a key, and a name for it that says nothing of the secret."""

    id: str
    fernet: Fernet

    @classmethod
    def of(cls, secret: str) -> Self:
        # What the tokens were sealed with first; another `info` would be another key.
        key = _derived(secret, b"access tokens v1", length=32)
        return cls(
            _derived(secret, b"key id v1", length=4).hex(), Fernet(base64.urlsafe_b64encode(key))
        )

    def open(self, token: str) -> str | None:
        try:
            return self.fernet.decrypt(token).decode()
        except InvalidToken:
            return None


def _derived(secret: str, info: bytes, *, length: int) -> bytes:
    return HKDF(SHA256(), length=length, salt=b"comanda", info=info).derive(secret.encode())
