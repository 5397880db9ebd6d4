"""Checks of a tenant's numbers at Meta: that they can send, and what customers see on them."""

import asyncio
from typing import Final

from engine.deployment.calls import explain
from engine.doctor.findings import Finding, failed, ok, some, warning, worst
from engine.doctor.patient import Patient
from engine.doctor.registry import Registry
from engine.errors import GraphError
from engine.graph.accounts import MetaNumber
from engine.sync.calls import CommerceSettings

CONNECTED: Final = frozenset({"", "CONNECTED"})
GOOD: Final = frozenset({"", "GREEN", "UNKNOWN", "NA"})
"""Quality ratings that say nothing bad; a new number has none."""
CLOUD: Final = frozenset({"", "CLOUD_API"})

registry = Registry()
_ASKED: Final = ("business.numbers", "access.valid")


@registry.check(
    "phone.readable",
    "numbers",
    remedy="write the ids of the account's own numbers (WhatsApp Manager, Phone numbers) into "
    "tenants/{tenant}/tenant.yaml, and `comanda seed {tenant}`",
    needs=_ASKED,
)
async def readable(patient: Patient) -> Finding:
    """Does Meta know the tenant's numbers, and are they connected to the Cloud API?"""
    told: list[Finding] = []
    shown = []
    business, accounts = await patient.business(), await patient.accounts()
    for number in business.phone_number_ids:
        try:
            found = await accounts.number(number)
        except GraphError as error:
            told.append(failed(f"{number}: {explain(error)}"))
            continue
        told.append(_connected(found))
        shown.append(f"{found.id or number} ({found.verified_name or 'no name'})")
    return worst(told, well=some(shown))


@registry.check(
    "phone.quality",
    "quality",
    remedy="write less that nobody asked for: see WhatsApp Manager, Insights",
    needs=("phone.readable",),
)
async def quality(patient: Patient) -> Finding:
    """Do customers put up with what the numbers send?"""
    business, accounts = await patient.business(), await patient.accounts()
    found = await asyncio.gather(*map(accounts.number, business.phone_number_ids))
    told = [
        (failed if each.quality == "RED" else warning)(f"{each.id}: {each.quality}")
        for each in found
        if each.quality not in GOOD
    ]
    ratings = ", ".join(each.quality or "not told" for each in found)
    return worst(told, well=f"the rating is {ratings}")


async def _show(patient: Patient) -> str:
    calls, shown = await patient.catalogs(), []
    for number in (await patient.business()).phone_number_ids:
        if not _is_shown(await calls.commerce_settings(number)):
            await calls.show_catalog(number)
            shown.append(number)
    return f"catalogue and cart are shown on {some(shown)}"


@registry.check(
    "phone.commerce",
    "commerce settings",
    remedy="comanda doctor {tenant} --fix",
    needs=("phone.readable", "content.files"),
    mend=_show,
)
async def commerce(patient: Patient) -> Finding:
    """Are catalogue and cart shown on the numbers, if the tenant's catalogue mode needs them?"""
    if patient.bundle.tenant.catalog.mode != "single":
        return ok("catalog.mode is per_category: the chat shows the menu itself")
    calls, told = await patient.catalogs(), []
    for number in (await patient.business()).phone_number_ids:
        settings = await calls.commerce_settings(number)
        if settings is None:
            told.append(failed(f"{number}: none are set"))
        elif not _is_shown(settings):
            told.append(failed(f"{number}: {' and '.join(_hidden(settings))}"))
    return worst(told, well="catalogue and cart are shown")


def _connected(number: MetaNumber) -> Finding:
    if number.platform not in CLOUD:
        mend = "register the number for the Cloud API (WhatsApp Manager, or POST /{id}/register)"
        return failed(f"{number.id} is not on the Cloud API but on {number.platform}", mend)
    if number.status not in CONNECTED:
        mend = "see WhatsApp Manager, Phone numbers; one that is PENDING must be registered"
        return failed(f"{number.id} is {number.status}", mend)
    if number.name_status == "DECLINED":
        mend = "propose another display name in WhatsApp Manager"
        return warning(f"the display name of {number.id} was declined", mend)
    return ok(number.id)


def _is_shown(settings: CommerceSettings | None) -> bool:
    return settings is not None and settings.is_cart_enabled and settings.is_catalog_visible


def _hidden(settings: CommerceSettings) -> list[str]:
    told = []
    if not settings.is_catalog_visible:
        told.append("the catalogue is hidden")
    if not settings.is_cart_enabled:
        told.append("the cart is switched off")
    return told
