"""The environment, read once: every setting by its name, with a sentence for each mistake."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import SettingsError


class Settings(BaseSettings):
    """What the environment says; secrets never show in it when it is printed."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False)

    mongodb_uri: str = Field(default="", description="Empty: the embedded server is started.")
    mongodb_db_name: str = Field(default="comanda", pattern=r"^[A-Za-z0-9_-]{1,38}$")
    mongodb_max_pool_size: Annotated[int, Field(ge=1)] = 100
    mongodb_min_pool_size: Annotated[int, Field(ge=0)] = 0
    business_cache_ttl: Annotated[int, Field(ge=0)] = Field(default=300, description="Seconds.")
    business_cache_size: Annotated[int, Field(ge=1)] = 1000
    warmup_cache: bool = False
    encryption_secret: SecretStr = SecretStr("")
    encryption_secret_previous: SecretStr = Field(
        default=SecretStr(""),
        description="Also opens what is stored, while secrets are rotated; never seals.",
    )
    meta_app_secret: SecretStr = SecretStr("")
    meta_webhook_verify_token: SecretStr = SecretStr("")
    whatsapp_api_version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$")
    graph_api_url: str = Field(default="https://graph.facebook.com", pattern=r"^https?://")
    admin_token: SecretStr = SecretStr("")
    flow_private_key: SecretStr = SecretStr("")
    comanda_content: Path | None = Field(
        default=None, description="Folder that holds conversations/, flows/ and tenants/."
    )
    catalog_sync: bool = Field(
        default=True, description="This process keeps Meta's catalogues what the tenants sell."
    )
    inbox_max_age: Annotated[int, Field(ge=1)] = Field(
        default=60,
        description="Seconds a message may wait for its turn until the process is not ready.",
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=30, description="Days the turn log and finished messages are kept."
    )
    public_url: str = Field(default="", pattern=r"^(https?://.+)?$")

    def content(self) -> Path:
        """Give the content folder: as set, or the one here, or the checkout's.

        Raises:
            SettingsError: there is none.
        """
        checkout = Path(__file__).parents[1]
        choices = [self.comanda_content] if self.comanda_content else [Path.cwd(), checkout]
        for choice in choices:
            if (choice / "conversations").is_dir():
                return choice
        looked = choices[0]
        raise SettingsError(f"COMANDA_CONTENT: '{looked}' holds no folder 'conversations'")

    def retention(self) -> timedelta:
        """Tell how long the turn log and finished messages are kept."""
        return timedelta(days=self.retention_days)

    def is_meta(self) -> bool:
        """Tell whether the Graph API is Meta's own, and no sandbox."""
        host = urlsplit(self.graph_api_url).hostname or ""
        return host == "facebook.com" or host.endswith(".facebook.com")

    def encryption_secrets(self) -> tuple[str, ...]:
        """Give the secret that seals and signs, then those that only open."""
        previous = self.encryption_secret_previous.get_secret_value()
        several = re.findall(r"[^\s,]+", previous)
        # All of it is tried, too: a secret may itself hold a comma or a space.
        others = dict.fromkeys([previous, *several] if several else [])
        return (self.encryption_secret.get_secret_value(), *others)

    def require_secrets(self) -> None:
        """Check that what a server needs to be safe is there.

        Raises:
            SettingsError: with a sentence for each one that is missing.
        """
        needed = {
            "META_APP_SECRET": (self.meta_app_secret, "webhooks are signed with it"),
            "META_WEBHOOK_VERIFY_TOKEN": (
                self.meta_webhook_verify_token,
                "Meta sends it to verify the webhook",
            ),
            "ENCRYPTION_SECRET": (self.encryption_secret, "access tokens are stored under it"),
        }
        missing = [
            f"{name} is not set: {why}"
            for name, (value, why) in needed.items()
            if not value.get_secret_value()
        ]
        if missing:
            raise SettingsError("\n".join(missing))


def read_settings(**overrides: object) -> Settings:
    """Read the environment.

    Raises:
        SettingsError: with a sentence for each value that is malformed.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        sentences = []
        for found in error.errors(include_input=False):
            name = str(found["loc"][0]).upper()
            said = re.sub(r"^Value error, ", "", found["msg"])
            sentences.append(f"{name}: {said[0].lower()}{said[1:]}")
        raise SettingsError("\n".join(sentences)) from None
