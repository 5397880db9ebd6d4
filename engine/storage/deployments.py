"""The tenants' Flows at Meta, on disk; nothing is deployed here."""

from datetime import datetime, timedelta

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from engine.domain.ids import TenantId
from engine.errors import Conflict
from engine.flow_ports import Deployment, FlowStatus
from engine.storage.connection import Json, reachable

RESOLUTION = timedelta(seconds=1)
"""Of the times in Meta's webhooks: two within it may have come in either order."""


class MongoDeployments:
    """The Flows of one tenant at Meta: `engine.flow_ports.DeploymentRepository`."""

    def __init__(self, rows: AsyncCollection[Json], *, tenant: TenantId) -> None:
        self._rows = rows
        self._tenant = tenant

    async def all(self) -> tuple[Deployment, ...]:
        """Give every deployment of the tenant, by key."""
        with reachable():
            found = await self._rows.find({"tenant": self._tenant}).sort("key", 1).to_list()
        return tuple(deployment_from_disk(document) for document in found)

    async def save(self, deployment: Deployment) -> None:
        """Write a deployment; there is one per key.

        Raises:
            Conflict: Meta's Flow is known under another key.
            ValueError: it is another tenant's.
        """
        if deployment.tenant != self._tenant:
            raise ValueError(
                f"a deployment of {deployment.tenant} cannot be written by {self._tenant}"
            )
        document = deployment_to_disk(deployment)
        with reachable():
            try:
                await self._rows.replace_one({"_id": document["_id"]}, document, upsert=True)
            except DuplicateKeyError as exc:
                raise Conflict(
                    f"Meta's Flow {deployment.meta_id} is deployed under another key already"
                ) from exc

    async def hold(
        self, meta_id: str, *, status: FlowStatus, until: datetime | None, at: datetime
    ) -> bool:
        """Note what Meta said of a Flow; tell whether it is known here.

        A status never replaces one that is newer.

        Args:
            until: the Flow is not sent before it.
            at: when Meta said it, to the second.
        """
        mine = {"metaId": meta_id, "tenant": self._tenant}
        older = {**mine, "updatedAt": {"$lt": at.replace(microsecond=0) + RESOLUTION}}
        news = {"status": status, "heldUntil": until, "updatedAt": at}
        with reachable():
            if (await self._rows.update_one(older, {"$set": news})).matched_count:
                return True
            return await self._rows.find_one(mine, {"_id": 1}) is not None


def deployment_to_disk(deployment: Deployment) -> Json:
    """Write a deployment; a tenant has no colon in it, so no two have one name."""
    return {
        "_id": f"{deployment.tenant}:{deployment.key}",
        "tenant": deployment.tenant,
        "key": deployment.key,
        "flow": deployment.flow,
        "language": deployment.language,
        "metaId": deployment.meta_id,
        "name": deployment.name,
        "digest": deployment.digest,
        "endpoint": deployment.endpoint,
        "status": deployment.status,
        "updatedAt": deployment.updated_at,
        "heldUntil": deployment.held_until,
    }


def deployment_from_disk(document: Json) -> Deployment:
    """Read a deployment back."""
    return Deployment(
        tenant=TenantId(document["tenant"]),
        key=document["key"],
        flow=document["flow"],
        language=document["language"],
        meta_id=document["metaId"],
        name=document["name"],
        digest=document["digest"],
        endpoint=document["endpoint"],
        status=document["status"],
        updated_at=document["updatedAt"],
        held_until=document.get("heldUntil"),
    )
