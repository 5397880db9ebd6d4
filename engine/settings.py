"""The environment, read once: every setting by its name, with a sentence for each mistake."""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import SettingsError

Network: TypeAlias = IPv4Network | IPv6Network
"""Addresses of the internet that begin alike; one alone, too."""


class Settings(BaseSettings):
    """What the environment says; secrets never show in it when it is printed."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False)

    mongodb_uri: str = Field(
        default="",
        repr=False,  # it may hold a password
        description="A MongoDB replica set; empty: a development run with an embedded server.",
    )
    mongodb_db_name: str = Field(
        default="comanda", pattern=r"^[A-Za-z0-9_-]{1,38}$", description="The database in it."
    )
    mongodb_max_pool_size: Annotated[int, Field(ge=1)] = Field(
        default=100, description="Most connections of a process to MongoDB."
    )
    mongodb_min_pool_size: Annotated[int, Field(ge=0)] = Field(
        default=0, description="Connections to MongoDB that are kept open."
    )
    business_cache_ttl: Annotated[int, Field(ge=0)] = Field(
        default=300, description="Seconds until a business document is read again."
    )
    business_cache_size: Annotated[int, Field(ge=1)] = Field(
        default=1000, description="Business documents kept in memory."
    )
    warmup_cache: bool = Field(
        default=False, description="All business documents are read at the start."
    )
    encryption_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Access tokens, Flow keys and tokens of Flows are made unreadable with it.",
    )
    encryption_secret_previous: SecretStr = Field(
        default=SecretStr(""),
        description="Others that only open what is stored, while the first is replaced.",
    )
    meta_app_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Meta's app secret: webhooks and Flows are signed with it.",
    )
    meta_webhook_verify_token: SecretStr = Field(
        default=SecretStr(""), description="Meta repeats it when the webhook is set up."
    )
    whatsapp_api_version: str = Field(
        default="v26.0", pattern=r"^v\d+\.\d+$", description="Version of the Graph API."
    )
    graph_api_url: str = Field(
        default="https://graph.facebook.com",
        pattern=r"^https?://",
        description="Meta, or a sandbox in its place.",
    )
    admin_token: SecretStr = Field(
        default=SecretStr(""),
        description="Bearer token of operators' routes (`/meta/catalog/sync/<tenant>` and what "
        "is below `/api/v1/`); empty: they are shut.",
    )
    flow_private_key: SecretStr = Field(
        default=SecretStr(""),
        description="PEM of the Flow key of tenants that have none of their own "
        "(`comanda flows keygen`).",
    )
    comanda_content: Path | None = Field(
        default=None, description="Folder that holds conversations/, flows/ and tenants/."
    )
    catalog_sync: bool = Field(
        default=True, description="This process keeps Meta's catalogues what the tenants sell."
    )
    inbox_max_age: Annotated[int, Field(ge=1)] = Field(
        default=60,
        description="Seconds a message may wait for its turn until `/health/ready` says 503; "
        "webhooks are taken all the same.",
    )
    retention_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=30,
        description="Days the turn log, what turns have read, and finished messages are kept "
        "(messages at least 8).",
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="Where Meta finds this server; Flows are deployed with it, items link to it.",
    )

    metrics_token: SecretStr = Field(
        default=SecretStr(""),
        description="Bearer token that /metrics asks for; empty: it asks for none.",
    )
    audit_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        default=365, description="Days it is kept what operators did."
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks (10.0.0.0/8) of the proxies before us, with commas or "
        "spaces between: X-Forwarded-For is believed of them and of nobody else.",
    )
    rate_limit_factor: Annotated[float, Field(ge=0, le=1000)] = Field(
        default=1.0,
        description="Multiplies how many requests a second a client may send; 0: any number.",
    )

    # OpenTelemetry's own variables; the SDK reads the others itself.
    otel_exporter_otlp_endpoint: str = Field(
        default="",
        pattern=r"^(https?://.+)?$",
        description="Where traces go by OTLP over HTTP; empty: nothing is traced. Every other "
        "OTEL_* variable counts, too.",
    )
    otel_exporter_otlp_traces_endpoint: str = Field(
        default="", pattern=r"^(https?://.+)?$", description="The same, for traces alone."
    )
    otel_traces_exporter: str = Field(
        default="", pattern=r"^(otlp|none)?$", description="'otlp' traces, 'none' does not."
    )
    otel_sdk_disabled: bool = Field(default=False, description="Nothing is traced.")

    @field_validator("trusted_proxies")
    @classmethod
    def _is_networks(cls, value: str) -> str:
        for part in re.findall(r"[^\s,]+", value):
            try:
                ip_network(part, strict=False)
            except ValueError:
                raise ValueError(f"'{part[:60]}' is no address and no network") from None
        return value

    def proxies(self) -> tuple[Network, ...]:
        """Give the networks of the proxies that are believed."""
        parts = re.findall(r"[^\s,]+", self.trusted_proxies)
        return tuple(ip_network(part, strict=False) for part in parts)

    def audited_for(self) -> timedelta:
        """Tell how long it is kept what operators did."""
        return timedelta(days=self.audit_days)

    def is_https(self) -> bool:
        """Tell whether the world reaches us by HTTPS."""
        return urlsplit(self.public_url).scheme == "https"

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

    def is_traced(self) -> bool:
        """Tell whether traces are sent somewhere."""
        told = self.otel_exporter_otlp_endpoint or self.otel_exporter_otlp_traces_endpoint
        is_wanted = self.otel_traces_exporter == "otlp" or bool(told)
        return is_wanted and self.otel_traces_exporter != "none" and not self.otel_sdk_disabled

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
