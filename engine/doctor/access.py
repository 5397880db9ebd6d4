"""Checks of a tenant's access token, as Meta tells them (`debug_token`)."""

from datetime import timedelta
from typing import Final

from engine.doctor.findings import Finding, failed, ok, some, warning
from engine.doctor.patient import Patient
from engine.doctor.registry import Registry
from engine.graph.accounts import CATALOG, MANAGEMENT, MESSAGING

NEEDED: Final = {
    MESSAGING: "messages are sent with it",
    MANAGEMENT: "Flows, numbers and subscriptions are managed with it",
    CATALOG: "catalogues are synced with it",
}
SOON: Final = timedelta(days=14)
_GIVE: Final = (
    "make a system user's token with the permissions, and `comanda seed {tenant} --token ...`"
)

registry = Registry()


@registry.check(
    "access.valid",
    "token is valid",
    remedy="comanda seed {tenant} --token ...",
    needs=("business.token",),
)
async def valid(patient: Patient) -> Finding:
    """Does Meta take the access token?"""
    access = await patient.access()
    if access is None:
        return warning(
            "Meta does not tell what it is good for", "look at it in Meta's Token Debugger"
        )
    if not access.is_valid:
        return failed(f"Meta does not take it{': ' if access.reason else ''}{access.reason}")
    return ok(f"it is of the app {access.app_id or 'that Meta does not name'}")


@registry.check(
    "access.expiry",
    "token lasts",
    remedy="make a system user's token, which never expires, and "
    "`comanda seed {tenant} --token ...`",
    needs=("access.valid",),
)
async def expiry(patient: Patient) -> Finding:
    """Will the access token still be taken in two weeks?"""
    access = await patient.access()
    if access is None:
        return warning("Meta does not tell")
    now = patient.means.clock.now()
    ends = [each for each in (access.expires_at, access.data_expires_at) if each is not None]
    if not ends:
        return ok("it never expires")
    end = min(ends)
    if end <= now:
        return failed(f"it expired on {end:%Y-%m-%d}")
    if end - now <= SOON:
        return warning(f"it expires on {end:%Y-%m-%d}, in {(end - now).days} days")
    return ok(f"it expires on {end:%Y-%m-%d}")


@registry.check(
    "access.permissions",
    "permissions",
    remedy=_GIVE,
    needs=("access.valid",),
)
async def permissions(patient: Patient) -> Finding:
    """Has the access token the permissions that messages, Flows and catalogues need?"""
    access = await patient.access()
    if access is None:
        return warning("Meta does not tell")
    missing = [f"{name} ({why})" for name, why in NEEDED.items() if name not in access.scopes]
    if missing:
        return failed(f"it lacks {some(missing)}")
    waba_id = (await patient.business()).waba_id
    barred = [
        name
        for name in (MESSAGING, MANAGEMENT)
        if waba_id and access.targets.get(name) and waba_id not in access.targets[name]
    ]
    if barred:
        mend = f"give its system user the WhatsApp account {waba_id} in Meta's business settings"
        return failed(f"{some(barred)}: not for the WhatsApp account {waba_id}", mend)
    return ok(f"it has {some(list(NEEDED))}")
