"""Checks of a tenant's business document: what Meta must be asked with."""

from engine.doctor.findings import Finding, failed, ok, some, warning, worst
from engine.doctor.patient import Patient
from engine.doctor.registry import Registry
from engine.errors import EngineError
from engine.spec.problems import SpecError
from engine.storage.connection import Json
from engine.storage.documents import BusinessDocument
from engine.storage.inspection import is_shared, spellings

registry = Registry()


@registry.check(
    "business.document",
    "document",
    remedy="comanda seed {tenant}",
    needs=("database.reachable",),
)
async def document(patient: Patient) -> Finding:
    """Has the tenant a document in `businesses`?"""
    row = await patient.row()
    if row is not None:
        return ok("it is there")
    alike = await spellings(patient.means.database, BusinessDocument, patient.tenant)
    if alike:
        names = some([repr(name) for name in alike])
        mend = f"write its subDomain as '{patient.tenant}'"
        return failed(f"there is none, but one with the subDomain {names}", mend)
    return failed("there is none: nobody is answered")


@registry.check(
    "business.active",
    "served",
    remedy="db.businesses.updateOne({subDomain: '{tenant}'}, {$set: {isActive: true, "
    "whatsappEnabled: true}}) in mongosh",
    needs=("business.document",),
)
async def active(patient: Patient) -> Finding:
    """Is the business switched on for WhatsApp?"""
    row = await _row(patient)
    off = [name for name in ("isActive", "whatsappEnabled") if row.get(name) is not True]
    if off:
        return failed(f"{' and '.join(off)} not true: its messages are not taken")
    return ok("isActive and whatsappEnabled are true")


@registry.check(
    "business.numbers",
    "phone numbers",
    remedy="write phone_number_ids into tenants/{tenant}/tenant.yaml, and `comanda seed {tenant}`",
    needs=("business.document",),
)
async def numbers(patient: Patient) -> Finding:
    """Does the business name its WhatsApp numbers, and nobody else names them?"""
    found = (await _row(patient)).get("whatsappPhoneNumberIds") or []
    if not found:
        return failed("it has none: no message can be its own")
    odd = [str(each) for each in found if not (isinstance(each, str) and each.isdecimal())]
    if odd:
        return failed(f"{some(odd)}: Meta's id is wanted, digits alone")
    told = []
    taken = [n for n in found if await is_shared(patient.means.database, n, patient.tenant)]
    if taken:
        mend = "take the number out of one of the businesses: who is answered is left to chance"
        told.append(failed(f"another business has {some(taken)}, too", mend))
    missing = sorted(set(await _wanted(patient)) - set(found))
    if missing:
        told.append(warning(f"tenant.yaml has {some(missing)}, too"))
    return worst(told, well=f"{some(found)}")


@registry.check(
    "business.account",
    "WhatsApp account",
    remedy="write waba_id into tenants/{tenant}/tenant.yaml, and `comanda seed {tenant}`",
    needs=("business.document",),
)
async def account(patient: Patient) -> Finding:
    """Does the business name its WhatsApp account (`wabaId`)?"""
    return _id(await _row(patient), "wabaId", "Flows, webhooks and the catalogue belong to it")


@registry.check(
    "business.portfolio",
    "business portfolio",
    remedy="write business_id into tenants/{tenant}/tenant.yaml, and `comanda seed {tenant}`",
    needs=("business.document",),
)
async def portfolio(patient: Patient) -> Finding:
    """Does the business name its portfolio (`fbBusinessId`), in which catalogues are made?"""
    return _id(await _row(patient), "fbBusinessId", "no catalogue can be made")


@registry.check(
    "business.token",
    "access token",
    remedy="comanda seed {tenant} --token ...",
    needs=("business.document", "environment.encryption_secret"),
)
async def token(patient: Patient) -> Finding:
    """Is there an access token that ENCRYPTION_SECRET opens?"""
    sealed = (await _row(patient)).get("accessToken")
    if not sealed:
        return failed("there is none: nothing can be sent")
    try:
        opened = patient.installation.vault.open(sealed)
    except EngineError as error:
        return failed(str(error))
    if opened != opened.strip() or not opened.isascii():
        return failed("it has a space, a line break or a character in it that no token has")
    if not patient.installation.vault.is_current(sealed):
        return warning("an earlier secret opens it", "comanda secrets rotate")
    return ok("it is there, and opens")


async def _row(patient: Patient) -> Json:
    row = await patient.row()
    if row is None:
        raise EngineError("the business is not in the database")
    return row


async def _wanted(patient: Patient) -> tuple[str, ...]:
    try:
        return patient.bundle.tenant.phone_number_ids
    except SpecError:
        return ()


def _id(row: Json, field: str, why: str) -> Finding:
    value = row.get(field)
    if not value:
        return failed(f"{field} is not set: {why}")
    if not (isinstance(value, str) and value.isdecimal()):
        return failed(f"{field} is not an id of Meta's, which has digits alone")
    return ok(value)
