"""Checks of the environment: the settings that are there, and whether they can be right."""

from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from engine.doctor.findings import Finding, failed, ok, warning
from engine.doctor.patient import Installation
from engine.doctor.registry import Registry
from engine.errors import MalformedKey
from engine.whatsapp.flow_crypto import FlowKey

LATEST: Final = "v26.0"
VERSIONS: Final[dict[str, date | None]] = {
    "v26.0": None,
    "v25.0": date(2028, 7, 29),
    "v24.0": date(2028, 2, 18),
    "v23.0": date(2027, 10, 8),
    "v22.0": date(2027, 5, 20),
    "v21.0": date(2027, 1, 21),
    "v20.0": date(2026, 9, 24),
}
"""Until when a version of the Graph API answers (graph-api/changelog); None: no end is set."""
NEAR: Final = timedelta(days=90)
SHORT: Final = 16
"""Characters of a secret below which it can be guessed."""
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})

registry = Registry()


@registry.check(
    "environment.app_secret",
    "META_APP_SECRET",
    remedy="export META_APP_SECRET=...; it is in Meta's App Dashboard, App settings, Basic",
)
async def app_secret(installation: Installation) -> Finding:
    """Is the secret there with which Meta signs webhooks and Flow exchanges?"""
    return _secret(installation.settings.meta_app_secret, "no webhook can be verified")


@registry.check(
    "environment.verify_token",
    "META_WEBHOOK_VERIFY_TOKEN",
    remedy="export META_WEBHOOK_VERIFY_TOKEN=$(openssl rand -hex 16), and write the same into "
    "Meta's App Dashboard, WhatsApp, Configuration",
)
async def verify_token(installation: Installation) -> Finding:
    """Is the text there that Meta repeats when the webhook is set up?"""
    token = installation.settings.meta_webhook_verify_token
    return _secret(token, "Meta cannot verify the webhook")


@registry.check(
    "environment.encryption_secret",
    "ENCRYPTION_SECRET",
    remedy="export ENCRYPTION_SECRET=$(openssl rand -hex 32), keep it, and save the access tokens "
    "again: `comanda seed TENANT --token ...`",
)
async def encryption_secret(installation: Installation) -> Finding:
    """Is the secret there under which access tokens and keys are stored?"""
    secret = installation.settings.encryption_secret
    return _secret(secret, "no access token can be opened", is_ours=True)


@registry.check(
    "environment.admin_token",
    "ADMIN_TOKEN",
    remedy="export ADMIN_TOKEN=$(openssl rand -hex 32)",
)
async def admin_token(installation: Installation) -> Finding:
    """Is the bearer token of the operator routes there?"""
    token = installation.settings.admin_token
    if not token.get_secret_value():
        return warning("it is not set: the operator routes are shut")
    return _secret(token, "", is_ours=True)


@registry.check(
    "environment.database",
    "MONGODB_URI",
    remedy="export MONGODB_URI=mongodb://USER:PASSWORD@HOST1,HOST2,HOST3/?replicaSet=NAME",
)
async def mongodb_uri(installation: Installation) -> Finding:
    """Is a database named that is meant for production?"""
    if not installation.settings.mongodb_uri or installation.is_embedded:
        return warning("it is not set: a development run with an embedded server")
    return ok(f"it is set; the database is '{installation.settings.mongodb_db_name}'")


@registry.check(
    "environment.public_url",
    "PUBLIC_URL",
    remedy="export PUBLIC_URL=https://..., the address at which Meta reaches this server",
)
async def public_url(installation: Installation) -> Finding:
    """Is the address there at which Meta finds this server, and is it https?"""
    settings = installation.settings
    url = settings.public_url
    if not url:
        return failed("it is not set: Flows, items and the webhook need it")
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        return failed("it must be an address alone, without login, '?' and '#'")
    if not settings.is_meta():
        return ok(f"it is {url}")
    if parts.scheme != "https":
        return failed(f"it is {url}: Meta posts to https:// only")
    if parts.hostname in LOCAL:
        return failed(f"it is {url}: Meta cannot reach this machine by that name")
    return ok(f"it is {url}")


@registry.check(
    "environment.flow_key",
    "FLOW_PRIVATE_KEY",
    remedy="unset FLOW_PRIVATE_KEY and run `comanda flows keygen TENANT` for each tenant",
)
async def flow_key(installation: Installation) -> Finding:
    """Can the key of tenants that have no Flow key of their own be used, if there is one?"""
    pem = installation.settings.flow_private_key.get_secret_value()
    if not pem:
        return ok("it is not set: each tenant has a key of its own")
    try:
        key = FlowKey.parse(pem)
    except MalformedKey as error:
        return failed(str(error))
    return ok(f"it is the key {key.fingerprint}, for tenants that have none of their own")


@registry.check(
    "environment.graph_api",
    "GRAPH_API_URL",
    remedy="unset GRAPH_API_URL",
)
async def graph_api(installation: Installation) -> Finding:
    """Is it Meta that is talked to, and no sandbox?"""
    if installation.settings.is_meta():
        return ok("it is Meta's")
    return warning("it is not Meta's: no message reaches a customer")


@registry.check(
    "environment.graph_version",
    "WHATSAPP_API_VERSION",
    remedy=f"export WHATSAPP_API_VERSION={LATEST}",
)
async def graph_version(installation: Installation) -> Finding:
    """Does Meta answer this version of the Graph API for some time to come?"""
    version, today = installation.settings.whatsapp_api_version, installation.clock.now().date()
    if version not in VERSIONS:
        number = float(version.removeprefix("v"))
        if number > float(LATEST.removeprefix("v")):
            return warning(f"{version} is newer than what this was written for ({LATEST})")
        return failed(f"Meta does not answer {version} any more")
    end = VERSIONS[version]
    if end is None:
        return ok(f"{version}; Meta has set no end")
    if today >= end:
        return failed(f"Meta answers {version} no more since {end}")
    if end - today <= NEAR:
        return warning(f"Meta answers {version} until {end}: {(end - today).days} days")
    return ok(f"{version}; Meta answers it until {end}")


def _secret(secret: SecretStr, without: str, *, is_ours: bool = False) -> Finding:
    """Judge a secret without showing it.

    Args:
        without: what does not work without it.
        is_ours: we have made it up, so that it can be as long as we like.
    """
    value = secret.get_secret_value()
    if not value:
        return failed(f"it is not set: {without}")
    if value != value.strip():
        return failed("it begins or ends with a space or a line break")
    if is_ours and len(value) < SHORT:
        return warning(f"it has only {len(value)} characters: it can be guessed")
    return ok("it is set")
