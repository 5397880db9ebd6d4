"""Checks of a tenant's catalogues at Meta: mapped, there, connected, and in step with the menu."""

from datetime import datetime, timedelta
from typing import Final

from engine.clock import RandomIds
from engine.doctor.findings import Finding, counted, failed, ok, some, warning
from engine.doctor.patient import Patient
from engine.doctor.registry import Registry
from engine.storage.sync import MongoSync
from engine.sync.ports import SINGLE
from engine.sync.report import MOST_ERRORS, SyncReports

STALE: Final = timedelta(hours=1)
"""A tenant is compared every 15 minutes (`engine.sync`)."""
_SYNC: Final = "comanda sync {tenant}"

registry = Registry()


@registry.check(
    "catalogs.mapping",
    "mapping",
    remedy=_SYNC,
    needs=("content.files", "business.document", "business.token"),
)
async def mapping(patient: Patient) -> Finding:
    """Has every category a catalogue in `fbCatalogMapping`, or all of them the single one?"""
    tenant = patient.bundle.tenant
    known = (await patient.business()).catalog_mapping or {}
    if tenant.catalog.mode == "single":
        if SINGLE in known:
            return ok(f"'{SINGLE}' is {known[SINGLE]}")
        return failed(f"catalog.mode is single, and '{SINGLE}' is not in fbCatalogMapping")
    counts = (
        await MongoSync(patient.means.database)
        .sellables(patient.tenant, tenant.money)
        .categories()
    )
    wanted = [category for category, count in counts.items() if category and count]
    missing = [category for category in wanted if category not in known]
    if missing:
        return failed(f"without a catalogue: {some(missing)}")
    return ok(f"{counted(len(wanted), 'category')} mapped")


@registry.check(
    "catalogs.there",
    "at Meta",
    remedy="take the key out of fbCatalogMapping, and `comanda sync {tenant}` makes it again",
    needs=("catalogs.mapping", "access.permissions"),
)
async def there(patient: Patient) -> Finding:
    """Has Meta the catalogues that `fbCatalogMapping` names, and may the token use them?"""
    business = await patient.business()
    known = business.catalog_mapping or {}
    owned: set[str] = set()
    if business.fb_business_id:
        found = await (await patient.catalogs()).catalogs(business.fb_business_id)
        owned = {each.id for each in found}
    accounts = await patient.accounts()
    gone = [
        f"{key} ({catalog_id})"
        for key, catalog_id in known.items()
        if catalog_id not in owned and not await accounts.has(catalog_id)
    ]
    if gone:
        return failed(f"not there, or not for this token: {some(gone)}")
    return ok(f"{counted(len(known), 'catalogue')} there")


@registry.check(
    "catalogs.connected",
    "connected",
    remedy=_SYNC,
    needs=("catalogs.there", "business.account"),
)
async def connected(patient: Patient) -> Finding:
    """Is the single catalogue connected to the WhatsApp account, if there is to be one?"""
    if patient.bundle.tenant.catalog.mode != "single":
        return ok("catalog.mode is per_category: none has to be")
    business = await patient.business()
    ours = (business.catalog_mapping or {}).get(SINGLE, "")
    found = await (await patient.catalogs()).connected(business.waba_id or "")
    if ours in {each.id for each in found}:
        return ok(f"{ours} is")
    if found:
        mend = "disconnect it in WhatsApp Manager, then `comanda sync {tenant}`"
        return failed(f"another one is: {some([each.id for each in found])}", mend)
    return failed(f"{ours} is not: no product list can be sent")


@registry.check(
    "catalogs.sync",
    "sync",
    remedy=_SYNC,
    needs=("catalogs.mapping",),
)
async def sync(patient: Patient) -> Finding:
    """Has the sync looked lately, and did Meta take every product?"""
    database, clock = MongoSync(patient.means.database), patient.means.clock
    reports = SyncReports(
        runs=database.runs,
        states=database.states,
        clock=clock,
        ids=RandomIds(),
        wake=lambda: None,
    )
    report = await reports.report(patient.tenant)
    if report is None:
        return failed("it never ran")
    if report.status == "blocked":
        return failed(f"it is blocked: {report.reason}")
    if report.failed:
        told = [f"{product}: {why}" for product, why in report.errors]
        said = f"not at Meta as wanted: {some(told)}"
        states = await database.states(patient.tenant).errors(MOST_ERRORS)
        if any(state.status == "failed" for state in states):
            return failed(said)
        # Meta was not even asked: what it wants is not there, and the shop may leave it so.
        return warning(said, "let the back end complete these products")
    run = await database.runs.get(patient.tenant)
    looked = (
        max(
            (at for at in (run.compared_at, run.last.finished_at if run.last else None) if at),
            default=None,
        )
        if run
        else None
    )
    said = f"{counted(report.synced, 'product')} at Meta"
    if report.status == "running":
        return ok(f"{said}; a sync is under way")
    return _aged(said, looked, clock.now())


def _aged(said: str, looked: datetime | None, now: datetime) -> Finding:
    if looked is None or now - looked <= STALE:
        return ok(said)
    hours = int((now - looked).total_seconds() // 3600)
    mend = "run a `comanda serve` whose CATALOG_SYNC is true, or `comanda sync {tenant}`"
    return warning(f"{said}; nobody has looked for {counted(hours, 'hour')}", mend)
