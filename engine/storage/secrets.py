"""Sealing of the tenants' access tokens and keys; passwords and signatures are not its part."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.errors import EngineError, SettingsError

SEALED = "v1:"
"""What a sealed text begins with; another way of sealing gets another number."""


class Vault:
    """Seals texts with a key derived from one secret.

    Args:
        secret: any text; the longer the better.

    Raises:
        SettingsError: there is no secret.
    """

    def __init__(self, secret: str) -> None:
        if not secret:
            raise SettingsError(
                "ENCRYPTION_SECRET is empty: access tokens and keys cannot be sealed"
            )
        # What the tokens were sealed with first; another `info` would be another key.
        derivation = HKDF(SHA256(), length=32, salt=b"comanda", info=b"access tokens v1")
        self._fernet = Fernet(base64.urlsafe_b64encode(derivation.derive(secret.encode())))

    def seal(self, text: str) -> str:
        """Seal a text; the same text sealed twice looks different."""
        return SEALED + self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Give the text that was sealed.

        Raises:
            EngineError: it was sealed with another secret, or not by a vault.
        """
        if not sealed.startswith(SEALED):
            raise EngineError(
                "an access token or key in the database is not sealed; save it again"
            )
        try:
            return self._fernet.decrypt(sealed.removeprefix(SEALED)).decode()
        except InvalidToken as exc:
            raise EngineError(
                "an access token or key in the database cannot be opened: "
                "it was sealed with another ENCRYPTION_SECRET"
            ) from exc
