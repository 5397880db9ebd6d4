"""Checks of the webhook: Meta posts to us, and we take what is signed and nothing else.

PUBLIC_URL is asked as Meta asks it.
"""

import secrets
from typing import Final

import httpx

from engine.doctor.findings import Finding, failed, ok, some, warning, worst
from engine.doctor.patient import Installation, Patient
from engine.doctor.registry import Registry
from engine.errors import EngineError
from engine.graph.accounts import SubscribedApp
from engine.whatsapp.signature import sign

WEBHOOKS: Final = ("/whatsapp_response", "/meta/webhook")
READY: Final = "/health/ready"
EMPTY: Final = b'{"object":"whatsapp_business_account","entry":[]}'
"""What Meta's form is, with nothing in it."""
_REFUSED: Final = (401, 403, 429)
"""The last one after many in a row, such as those of a doctor who comes too often."""
_UP: Final = "run `comanda serve` where PUBLIC_URL leads, and let proxy and firewall pass it"

registry = Registry()


@registry.check(
    "webhook.ready",
    "server",
    remedy=_UP,
    needs=("environment.public_url",),
)
async def ready(installation: Installation) -> Finding:
    """Is there a server behind PUBLIC_URL, and can it do its work?"""
    answer = await _asked(installation, "GET", READY)
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return failed(f"it is not ready: {answer.text[:200]}", "look at its logs")
    if answer.status_code != httpx.codes.OK:
        return failed(f"{READY} answers HTTP {answer.status_code}: it is no server of Comanda")
    return ok("it is ready")


@registry.check(
    "webhook.verification",
    "verification",
    remedy="start `comanda serve` with the same META_WEBHOOK_VERIFY_TOKEN as this command",
    needs=("webhook.ready", "environment.verify_token"),
)
async def verification(installation: Installation) -> Finding:
    """Does the webhook answer Meta's verification, and refuse a wrong verify token?"""
    token = installation.settings.meta_webhook_verify_token.get_secret_value()
    told = []
    for path in WEBHOOKS:
        challenge = secrets.token_hex(8)
        right = await _verified(installation, path, token, challenge)
        wrong = await _verified(installation, path, f"{token}-wrong", challenge)
        if right.status_code == httpx.codes.TOO_MANY_REQUESTS:
            told.append(warning(f"GET {path} was asked too often", "ask again in a minute"))
        elif right.status_code != httpx.codes.OK or right.text != challenge:
            told.append(failed(f"GET {path} answers HTTP {right.status_code}, not the challenge"))
        elif wrong.status_code == httpx.codes.OK:
            told.append(failed(f"GET {path} takes any verify token", _UP))
    return worst(told, well=f"{' and '.join(WEBHOOKS)} answer")


@registry.check(
    "webhook.signature",
    "signed self-test",
    remedy="start `comanda serve` with the same META_APP_SECRET as this command; let the proxy "
    "pass bodies and X-Hub-Signature-256 unchanged",
    needs=("webhook.ready", "environment.app_secret"),
)
async def signature(installation: Installation) -> Finding:
    """Does the webhook take what the app secret signed, and refuse what it did not sign?"""
    app_secret = installation.settings.meta_app_secret.get_secret_value()
    told = []
    for path in WEBHOOKS:
        signed = await _posted(installation, path, app_secret)
        forged = await _posted(installation, path, f"{app_secret}-forged")
        if signed.status_code != httpx.codes.OK:
            told.append(failed(f"POST {path}, signed, answers HTTP {signed.status_code}"))
        if forged.status_code not in _REFUSED:
            told.append(failed(f"POST {path}, wrongly signed, answers {forged.status_code}", _UP))
    return worst(told, well="signed ones are taken, forged ones refused")


async def _subscribe(patient: Patient) -> str:
    waba_id = (await patient.business()).waba_id or ""
    await (await patient.accounts()).subscribe(waba_id)
    return f"subscribed the app to the WhatsApp account {waba_id}"


@registry.check(
    "webhook.subscribed",
    "subscription",
    remedy="comanda doctor {tenant} --fix",
    needs=("access.valid", "business.account"),
    mend=_subscribe,
)
async def subscribed(patient: Patient) -> Finding:
    """Is the app subscribed to the tenant's WhatsApp account, so that its messages come here?"""
    business = await patient.business()
    apps = await (await patient.accounts()).apps(business.waba_id or "")
    if not apps:
        return failed("no app is: no message of a customer comes")
    access = await patient.access()
    ours = [app for app in apps if access and app.id == access.app_id]
    if access and access.app_id and not ours:
        return failed(f"the app {access.app_id} is not, others are: {some([a.id for a in apps])}")
    return _addressed(ours, patient.installation.settings.public_url)


def _addressed(ours: list[SubscribedApp], public_url: str) -> Finding:
    elsewhere = [app.address for app in ours if app.address]
    if elsewhere and public_url and not elsewhere[0].startswith(f"{public_url.rstrip('/')}/"):
        mend = "set the callback of the WhatsApp account to PUBLIC_URL/whatsapp_response"
        return warning(f"its messages are posted to {elsewhere[0]}", mend)
    named = f"the app {ours[0].id} is" if ours else "an app is; Meta does not tell whether ours"
    return ok(named)


async def _verified(
    installation: Installation, path: str, token: str, challenge: str
) -> httpx.Response:
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    return await _asked(installation, "GET", path, query=query)


async def _posted(installation: Installation, path: str, secret: str) -> httpx.Response:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(EMPTY, secret)}
    return await _asked(installation, "POST", path, headers=headers)


async def _asked(
    installation: Installation,
    method: str,
    path: str,
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Ask PUBLIC_URL.

    Raises:
        EngineError: it does not answer.
    """
    url = f"{installation.settings.public_url.rstrip('/')}{path}"
    content = EMPTY if method == "POST" else None
    try:
        return await installation.means.http.request(
            method, url, params=query, headers=headers, content=content
        )
    except httpx.ConnectError as error:
        if "CERTIFICATE" in str(error).upper():
            reason = "its certificate is not trusted: Meta wants one that an authority signed"
            raise EngineError(reason) from error
        raise EngineError("nobody answers there") from error
    except httpx.TimeoutException as error:
        raise EngineError("it does not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EngineError(f"it cannot be asked ({type(error).__name__})") from error
