"""The runs of the sync on disk: how far each tenant is, and which process works on it."""

from dataclasses import asdict
from datetime import datetime

from pymongo.errors import DuplicateKeyError

from engine.domain.ids import ProductId, TenantId
from engine.errors import Conflict, Unavailable
from engine.storage.connection import Database, Json, reachable
from engine.storage.leases import FREE, take
from engine.storage.sync_records import SyncRunDocument
from engine.sync.ports import CatalogKey
from engine.sync.runs import Alert, Job, SyncRun

ATTEMPTS = 20
"""How often a change is tried that another process was faster than."""


class MongoSyncRuns:
    """The runs of all tenants: `engine.sync.runs.SyncRuns`.

    A run that is woken while somebody works on it stays due: `save` does not put it off.
    """

    def __init__(self, database: Database) -> None:
        self._rows = database.collection(SyncRunDocument)

    async def get(self, tenant: TenantId) -> SyncRun | None:
        """Give a tenant's run."""
        with reachable():
            found = await self._rows.find_one({"_id": tenant})
        return None if found is None else run_from_disk(found)

    async def due(self, *, now: datetime, limit: int) -> tuple[TenantId, ...]:
        """Name the tenants that are due and nobody works on, the longest waiting first."""
        free = {"due": {"$lte": now}, "until": {"$lte": now}}
        with reachable():
            found = self._rows.find(free, {"_id": 1}).sort([("due", 1), ("_id", 1)])
            documents = await found.limit(limit).to_list()
        return tuple(TenantId(document["_id"]) for document in documents)

    async def claim(
        self, tenant: TenantId, *, owner: str, now: datetime, until: datetime
    ) -> SyncRun | None:
        """Take a tenant, making its run if there is none; None while another process has it."""
        with reachable():
            is_ours = await take(
                (self._rows, tenant),
                owner=owner,
                now=now,
                until=until,
                blank=_blank(SyncRun(tenant, due=now)),
                # What it was woken for until now is seen by whoever works on it now.
                change={"$unset": {"woken": ""}},
            )
            found = is_ours and await self._rows.find_one({"_id": tenant, "owner": owner})
        return run_from_disk(found) if found else None

    async def save(self, run: SyncRun, *, owner: str, until: datetime) -> None:
        """Write a run and stay its owner; `requested` is left as it is stored.

        Raises:
            Conflict: another process has taken the tenant over.
        """
        mine = {"_id": run.tenant, "owner": owner}
        await self._write(mine, run_to_disk(run) | {"until": until})

    async def begin(self, run: SyncRun, *, owner: str) -> None:
        """Write a run whose `job` is the stored `requested` one, and clear that.

        Raises:
            Conflict: another process has taken the tenant over, or the walk is begun already.
        """
        wanted = None if run.job is None else run.job.id
        mine = {"_id": run.tenant, "owner": owner, "requested.id": wanted or ""}
        await self._write(mine, run_to_disk(run) | {"requested": None})

    async def release(self, tenant: TenantId, *, owner: str) -> None:
        """Let others have a tenant."""
        free = {"$set": {"owner": None, "until": FREE}}
        with reachable():
            await self._rows.update_one({"_id": tenant, "owner": owner}, free)

    async def request(self, tenant: TenantId, job: Job) -> Job:
        """Ask for a walk now.

        Returns:
            The job, or the one that is requested already or under way, which is joined if it
            does as much.
        """
        with reachable():
            for _ in range(ATTEMPTS):
                run = await self.get(tenant)
                if run is None:
                    await self._make(SyncRun(tenant, due=job.requested_at))
                    continue
                joined = run.joined(job)
                if joined is not None:
                    return joined
                idle = {
                    "_id": tenant,
                    **_seen("requested", run.requested),
                    **_seen("job", run.job),
                }
                change = _wake(job.requested_at) | {"$set": {"requested": job_to_disk(job)}}
                if (await self._rows.update_one(idle, change)).matched_count:
                    return job
        raise Unavailable("the run changes too fast to ask for a walk")

    async def wake(self, tenant: TenantId, *, at: datetime) -> None:
        """Let a tenant be due at a time, if it is not earlier; make its run if there is none."""
        with reachable():
            if not (await self._rows.update_one({"_id": tenant}, _wake(at))).matched_count:
                await self._make(SyncRun(tenant, due=at))
                await self._rows.update_one({"_id": tenant}, _wake(at))

    async def _make(self, run: SyncRun) -> None:
        try:
            await self._rows.insert_one({**_blank(run), "owner": None, "until": FREE})
        except DuplicateKeyError:
            return

    async def _write(self, mine: Json, fields: Json) -> None:
        """Write fields; if the run was woken since it was claimed, it is due no later than that.

        Raises:
            Conflict: it is not ours.
        """
        woken: datetime | None = None
        with reachable():
            for _ in range(ATTEMPTS):
                due = min(fields["due"], woken or fields["due"])
                change = {"$set": {**fields, "due": due}}
                done = await self._rows.update_one({**mine, "woken": woken}, change)
                if done.matched_count:
                    return
                found = await self._rows.find_one(mine, {"woken": 1})
                if found is None:
                    raise Conflict(f"another process works on {mine['_id']}")
                woken = found.get("woken")
        raise Unavailable("the run changes too fast to be written")


def _seen(field: str, job: Job | None) -> Json:
    return {field: None} if job is None else {f"{field}.id": job.id}


def _wake(at: datetime) -> Json:
    # $min sets a field that is missing, but leaves one that is null: `woken` is never null.
    return {"$min": {"due": at, "woken": at}}


def _blank(run: SyncRun) -> Json:
    return {"_id": run.tenant, **run_to_disk(run), "requested": None}


def run_to_disk(run: SyncRun) -> Json:
    """Write a run, but for what others write in it: its owner, and the walk that is requested."""
    alert = run.alert
    return {
        "due": run.due,
        "job": None if run.job is None else job_to_disk(run.job),
        "last": None if run.last is None else job_to_disk(run.last),
        "failures": run.failures,
        "heldUntil": run.held_until,
        "alert": None if alert is None else asdict(alert),
        "comparedAt": run.compared_at,
        "verifiedAt": run.verified_at,
    }


def run_from_disk(document: Json) -> SyncRun:
    """Read a run back."""
    alert = document["alert"]
    return SyncRun(
        tenant=TenantId(document["_id"]),
        due=document["due"],
        job=_job_from_disk(document["job"]),
        last=_job_from_disk(document["last"]),
        requested=_job_from_disk(document["requested"]),
        failures=document["failures"],
        held_until=document["heldUntil"],
        alert=None if alert is None else Alert(**alert),
        compared_at=document["comparedAt"],
        verified_at=document["verifiedAt"],
    )


def job_to_disk(job: Job) -> Json:
    """Write a job."""
    return {
        "id": job.id,
        "kind": job.kind,
        "requestedAt": job.requested_at,
        "startedAt": job.started_at,
        "total": job.total,
        "done": job.done,
        "shelf": job.shelf,
        "position": job.position,
        "walked": job.walked,
        "finishedAt": job.finished_at,
    }


def _job_from_disk(part: Json | None) -> Job | None:
    if part is None:
        return None
    return Job(
        id=part["id"],
        kind=part["kind"],
        requested_at=part["requestedAt"],
        started_at=part["startedAt"],
        total=part["total"],
        done=part["done"],
        shelf=None if part["shelf"] is None else CatalogKey(part["shelf"]),
        position=None if part["position"] is None else ProductId(part["position"]),
        walked=part["walked"],
        finished_at=part["finishedAt"],
    )
