"""Checks of what a tenant is served from: his files, and the version that was published."""

from engine.doctor.findings import Finding, failed, ok, warning
from engine.doctor.patient import Patient
from engine.doctor.registry import Registry
from engine.errors import EngineError, Unavailable
from engine.spec.check_staff import tells_staff
from engine.spec.problems import SpecError
from engine.storage.versions import MongoVersions
from engine.version_ports import FOLDER

registry = Registry()


@registry.check("content.files", "files", remedy="comanda check {tenant}")
async def files(patient: Patient) -> Finding:
    """Are the tenant's files right, so that it can be served?"""
    try:
        bundle = patient.bundle
    except SpecError as error:
        count = len([each for each in error.problems if each.severity == "error"])
        return failed(f"they have {count} mistakes, the first: {error.problems[0]}")
    languages = ", ".join(bundle.tenant.languages)
    return ok(f"bundle {bundle.digest}; it speaks {languages}")


@registry.check(
    "content.staff",
    "staff",
    remedy="write `staff: {phone: +51...}`, their own WhatsApp number, into "
    "tenants/{tenant}/tenant.yaml, and `comanda publish {tenant}` if it was published",
    needs=("content.files",),
)
async def staff(patient: Patient) -> Finding:
    """Is somebody told when a customer asks for a person?"""
    bundle = patient.bundle
    if not tells_staff(bundle.chart):
        return ok("the conversation calls nobody")
    if not bundle.tenant.staff.digits:
        return warning("nobody: there is no staff.phone; such a customer waits in silence")
    return ok(f"yes; the bot comes back after {bundle.tenant.staff.after} of silence")


@registry.check(
    "content.served",
    "served version",
    remedy="comanda publish {tenant}",
    needs=("content.files", "database.reachable"),
)
async def served(patient: Patient) -> Finding:
    """Is what customers are served what the folder says?"""
    versions = MongoVersions(patient.means.database)
    live = await versions.live_of(patient.tenant)
    if live is None or live.number == FOLDER:
        return ok("the folder is served: nothing was published")
    try:
        version = await versions.get(patient.tenant, live.number)
    except Unavailable:
        raise
    except EngineError as error:
        return failed(f"version {live.number} is damaged: {error}")
    if version is None:
        return failed(f"version {live.number} is live, and is not stored")
    if version.digest != patient.bundle.digest:
        return warning(f"version {live.number} is live; the folder says something else")
    return ok(f"version {live.number} is live, and is what the folder says")
