"""Checks of a tenant's Flows: what `comanda flows doctor` finds, as lines of this one."""

import asyncio
from collections.abc import Sequence
from typing import Final

from engine.deployment.doctor import Item, Part
from engine.doctor.findings import Finding, failed, ok, some, warning
from engine.doctor.patient import Patient
from engine.doctor.registry import Registry
from engine.whatsapp.flow_crypto import FlowKey

NONE: Final = "the tenant has no Flows"
_DEPLOY: Final = "comanda flows deploy {tenant}"

registry = Registry()


async def _make_key(patient: Patient) -> str:
    # One that is there and cannot be opened raises here: it is not thrown away unasked.
    if await patient.keys.get(patient.tenant) is not None:
        return "there is one by now"
    key = await asyncio.to_thread(FlowKey.generate)
    await patient.keys.save(patient.tenant, key)
    return f"made a Flow key with the fingerprint {key.fingerprint}"


@registry.check(
    "flows.key",
    "key",
    remedy="comanda flows keygen {tenant}",
    needs=(
        "content.files",
        "database.reachable",
        "environment.encryption_secret",
        "environment.flow_key",
    ),
    mend=_make_key,
)
async def key(patient: Patient) -> Finding:
    """Is there a key that decrypts the exchanges of the tenant's Flows?"""
    if not patient.bundle.flows:
        return ok(NONE)
    found = await patient.keys.get(patient.tenant)
    if found is None:
        return failed("there is none: no Flow can be opened")
    return ok(f"its fingerprint is {found.fingerprint}")


async def _register(patient: Patient) -> str:
    found = await patient.keys.get(patient.tenant)
    assert found is not None
    calls, done = await patient.flow_calls(), []
    for number in (await patient.business()).phone_number_ids:
        known = await calls.public_key(number)
        if known is None or not known.is_good(found.public_pem):
            await calls.set_public_key(number, found.public_pem)
            done.append(number)
    return f"registered the public key for {some(done)}"


@registry.check(
    "flows.registered",
    "public key at Meta",
    remedy=_DEPLOY,
    needs=("flows.key", "business.numbers", "access.valid"),
    mend=_register,
)
async def registered(patient: Patient) -> Finding:
    """Is the public key registered at Meta for each number, and its signature valid?"""
    return await _judged(patient, "number", "it is ours, and its signature is VALID")


@registry.check(
    "flows.deployed",
    "deployed",
    remedy=_DEPLOY,
    needs=("flows.key", "business.account", "access.valid"),
)
async def deployed(patient: Patient) -> Finding:
    """Are Meta's Flows what the files say, published, healthy, and in `fbFlowMapping`?"""
    return await _judged(patient, "flow", "they are published, and healthy")


@registry.check(
    "flows.endpoint",
    "endpoint",
    remedy="run `comanda serve` where PUBLIC_URL leads",
    needs=("flows.key", "business.document", "webhook.ready"),
)
async def endpoint(patient: Patient) -> Finding:
    """Does the address that WhatsApp posts Flow exchanges to answer its ping?"""
    return await _judged(patient, "endpoint", "it answers the ping")


async def _judged(patient: Patient, part: Part, well: str) -> Finding:
    if not patient.bundle.flows:
        return ok(NONE)
    items = [item for item in await patient.flows() if item.part == part]
    wrong = [item for item in items if item.verdict == "wrong"]
    unknown = [item for item in items if item.verdict == "unknown"]
    if wrong:
        return failed(_sentence(wrong), wrong[0].mend)
    if unknown or not items:
        return warning(_sentence(unknown) or "nothing is told of it", "ask again later")
    return ok(well)


def _sentence(items: Sequence[Item]) -> str:
    return some([f"{item.name}: {item.reason}" for item in items])
