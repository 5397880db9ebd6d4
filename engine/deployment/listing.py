"""A tenant's Flows side by side: as his files want them, as noted here, as Meta has them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.deployment.calls import FlowCalls, MetaFlow, explain
from engine.deployment.changes import Report
from engine.deployment.deployer import Deployer
from engine.deployment.plan import Step, Wanted
from engine.domain.ids import TenantId
from engine.errors import GraphError, GraphRetryable
from engine.flow_ports import Deployment


@dataclass(frozen=True, slots=True)
class Listed:
    """A Flow.

    Args:
        key: its key in `fbFlowMapping`; empty for one that is not the tenant's.
        wanted: as his files want it; None if they know nothing of it (any more).
        row: as it is noted here.
        meta: as Meta has it.
        is_sent: customers get it.
    """

    key: str
    wanted: Wanted | None = None
    row: Deployment | None = None
    meta: MetaFlow | None = None
    is_sent: bool = False

    @property
    def meta_id(self) -> str:
        """Give Meta's id of it, or nothing."""
        return self.meta.id if self.meta else self.row.meta_id if self.row else ""

    @property
    def name(self) -> str:
        """Give what Meta calls it, or would."""
        known = self.meta or self.row or self.wanted
        return known.name if known else ""

    @property
    def status(self) -> str:
        """Give its status in one word."""
        if self.meta:
            return self.meta.status
        return "GONE" if self.row else "NOT_DEPLOYED"


async def listing(
    deployer: Deployer, tenant: TenantId, wanted: Sequence[Wanted]
) -> tuple[Listed, ...]:
    """Give a tenant's Flows by key, then those of his WhatsApp account that are not his.

    Args:
        wanted: as his files want them.

    Raises:
        NotDeployable: Meta cannot be asked.
        GraphError: Meta does not tell.
    """
    business = await deployer.require_business(tenant)
    listed = await deployer.graph(business.access_token).flows(business.waba_id or "")
    rows = {row.key: row for row in await deployer.stores(tenant).deployments.all()}
    return tuple(_side_by_side(wanted, rows, listed, business.flow_mapping or {}))


async def inspected(
    deployer: Deployer, tenant: TenantId, wanted: Sequence[Wanted]
) -> tuple[Listed, ...]:
    """Give a tenant's own Flows by key, with everything Meta tells of them.

    Raises:
        NotDeployable: Meta cannot be asked.
        GraphError: Meta does not tell.
    """
    graph = await _graph(deployer, tenant)
    found = []
    for each in await listing(deployer, tenant, wanted):
        if each.key:
            meta = await graph.flow(each.meta.id) if each.meta else None
            found.append(replace(each, meta=meta))
    return tuple(found)


async def publish(deployer: Deployer, tenant: TenantId) -> Report:
    """Publish a tenant's drafts as they are at Meta.

    Raises:
        NotDeployable: Meta cannot be asked.
        GraphError: Meta does not tell what it has.
    """
    graph, report = await _graph(deployer, tenant), Report(tenant)
    deployments = deployer.stores(tenant).deployments
    for each in await listing(deployer, tenant, ()):
        row = each.row
        if row is None or each.status != "DRAFT":
            continue
        try:
            await graph.publish(row.meta_id)
        except GraphError as error:
            report.steps.append(Step(row.key, "failed", explain(error)))
            if isinstance(error, GraphRetryable):
                break
            continue
        now = deployer.clock.now()
        await deployments.save(replace(row, status="PUBLISHED", updated_at=now))
        await deployer.businesses.map_flow(tenant, row.key, row.meta_id)
        report.steps.append(Step(row.key, "publish", f"customers get the Flow {row.meta_id}"))
        report.flows[row.key] = row.meta_id
    return report


async def _graph(deployer: Deployer, tenant: TenantId) -> FlowCalls:
    business = await deployer.require_business(tenant)
    return deployer.graph(business.access_token)


def _side_by_side(
    wanted: Sequence[Wanted],
    rows: Mapping[str, Deployment],
    listed: Sequence[MetaFlow],
    mapping: Mapping[str, str],
) -> Iterator[Listed]:
    by_id = {flow.id: flow for flow in listed}
    by_key = {each.key: each for each in wanted}
    for key in sorted(by_key.keys() | rows.keys()):
        row = rows.get(key)
        meta = by_id.pop(row.meta_id, None) if row else None
        is_sent = row is not None and mapping.get(key) == row.meta_id
        yield Listed(key, by_key.get(key), row, meta, is_sent)
    for flow in by_id.values():
        yield Listed("", meta=flow)
