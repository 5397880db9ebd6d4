"""Check of the fields that Meta tells the app of: messages, and what staff types themselves.

They are the app's, not the account's: `webhook.subscribed` asks whether the two belong together.
"""

from typing import Final

from engine.charts.inbound import STAFF_WROTE
from engine.doctor.findings import Finding, failed, ok, some, warning
from engine.doctor.patient import Patient
from engine.doctor.registry import Registry
from engine.errors import EngineError
from engine.graph.webhook_fields import GraphWebhookFields, Hook
from engine.whatsapp.echoes import FIELD as ECHOES

MESSAGES: Final = "messages"
CALLBACK: Final = "/whatsapp_response"
_BY_HAND: Final = "look at the app's dashboard at Meta: WhatsApp, Configuration, Webhook fields"

registry = Registry()


async def _subscribe(patient: Patient) -> str:
    """Add what is missing; what the app hears of otherwise, and where, stays.

    Raises:
        EngineError: there is no address or no verify token that it could be done with.
    """
    settings, calls = patient.means.settings, await _calls(patient)
    if calls is None:
        raise EngineError(f"Meta does not tell which app it is; {_BY_HAND}")
    hook = await calls.hook()
    address = settings.public_url.rstrip("/")
    callback = hook.callback_url or (f"{address}{CALLBACK}" if address else "")
    token = settings.meta_webhook_verify_token.get_secret_value()
    if not callback or not token:
        raise EngineError("it needs PUBLIC_URL and META_WEBHOOK_VERIFY_TOKEN")
    missing = _needed(patient) - hook.fields
    await calls.subscribe(Hook(callback, hook.fields | missing), verify_token=token)
    return f"subscribed the app to {some(sorted(missing))}"


@registry.check(
    "webhook.fields",
    "fields",
    remedy="comanda doctor {tenant} --fix",
    needs=("access.valid", "environment.app_secret", "content.files"),
    mend=_subscribe,
)
async def fields(patient: Patient) -> Finding:
    """Is the app told of messages and, where a person may answer, of what staff types itself?"""
    calls = await _calls(patient)
    if calls is None:
        return warning("Meta does not tell which app it is", _BY_HAND)
    hook = await calls.hook()
    missing = _needed(patient) - hook.fields
    if MESSAGES in missing:
        return failed(f"the app is not subscribed to {some(sorted(missing))}: nothing comes")
    if missing:
        return warning(
            f"the app is not subscribed to {ECHOES}: the bot talks into what staff types on the "
            "business phone"
        )
    return ok(f"the app is subscribed to {some(sorted(_needed(patient)))}")


async def _calls(patient: Patient) -> GraphWebhookFields | None:
    access = await patient.access()
    if access is None or not access.app_id:
        return None
    secret = patient.means.settings.meta_app_secret.get_secret_value()
    return GraphWebhookFields(patient.means.graph, access.app_id, secret)


def _needed(patient: Patient) -> frozenset[str]:
    may_be_muted = STAFF_WROTE in patient.bundle.chart.events()
    return frozenset({MESSAGES, ECHOES} if may_be_muted else {MESSAGES})
