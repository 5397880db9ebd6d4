"""A development run: without MONGODB_URI, secrets that are not set are made once and kept."""

import secrets
from pathlib import Path

import orjson
from pydantic import SecretStr

from engine.settings import Settings

NAMES = ("meta_app_secret", "meta_webhook_verify_token", "encryption_secret", "admin_token")


def with_secrets(settings: Settings, data: Path) -> Settings:
    """Give settings with every secret set; production must set its own.

    Args:
        data: folder of the embedded database; the secrets made are kept beside it, readable by
            its owner only, because what is stored under them must stay readable.

    Raises:
        SettingsError: MONGODB_URI is set and a secret is not.
    """
    if settings.mongodb_uri:
        settings.require_secrets()
        return settings
    file = data.with_name(f"{data.name}-secrets.json")
    kept: dict[str, str] = orjson.loads(file.read_bytes()) if file.is_file() else {}
    made = {name: kept.get(name) or secrets.token_hex(24) for name in NAMES}
    if made != kept:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(orjson.dumps(made, option=orjson.OPT_INDENT_2))
    missing = {
        name: SecretStr(value)
        for name, value in made.items()
        if not getattr(settings, name).get_secret_value()
    }
    return settings.model_copy(update=missing)
