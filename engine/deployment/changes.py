"""Carries out what was planned for a tenant's Flows, step by step, and notes what was done.

What must be done is decided in `plan`; HTTP is not spoken here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast, get_args

from engine.clock import Clock
from engine.deployment.calls import UNEDITABLE, Complaint, FlowCalls, MetaFlow, explain
from engine.deployment.plan import LIVE, Plan, Step, Wanted, clone_steps, plan
from engine.domain.ids import TenantId
from engine.errors import GraphError, GraphRetryable
from engine.flow_ports import Deployment, DeploymentRepository, FlowStatus
from engine.flows.document import FlowJson, Pointer
from engine.ports import Business
from engine.spec.problems import Problem, Span


@dataclass(slots=True)
class Report:
    """What a deployment did, or would do.

    Args:
        problems: what Meta refuses in the Flows, at the author's lines.
        flows: Meta's id of each Flow that customers get now, by key.
    """

    tenant: TenantId
    is_dry: bool = False
    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    flows: dict[str, str] = field(default_factory=dict)

    @property
    def has_failed(self) -> bool:
        """Tell whether something is not as it should be."""
        return any(step.verb == "failed" for step in self.steps)

    @property
    def is_idle(self) -> bool:
        """Tell whether there was nothing to do."""
        return all(step.verb == "unchanged" for step in self.steps)


class Businesses(Protocol):
    """Where the tenants' documents are, and the ids of their Flows in them."""

    async def by_tenant(self, tenant: TenantId) -> Business | None:
        """Find a business by its sub-domain."""
        ...

    async def map_flow(self, tenant: TenantId, key: str, meta_id: str) -> None:
        """Note Meta's id of a Flow in `fbFlowMapping`."""
        ...


class FlowChanges:
    """One deployment of one tenant."""

    def __init__(
        self,
        business: Business,
        *,
        graph: FlowCalls,
        deployments: DeploymentRepository,
        businesses: Businesses,
        clock: Clock,
        is_dry: bool,
    ) -> None:
        self._business = business
        self._waba_id = business.waba_id or ""
        self._mapping = business.flow_mapping or {}
        self._graph = graph
        self._deployments = deployments
        self._businesses = businesses
        self._clock = clock
        self.report = Report(business.tenant, is_dry)

    async def carry_out(self, flows: Sequence[Wanted], public_pem: str) -> None:
        """Plan and do it, Flow by Flow: one that Meta refuses does not stop the others.

        Raises:
            GraphError: Meta does not tell what it has; nothing is done.
        """
        listed = await self._graph.flows(self._waba_id)
        rows = {row.key: row for row in await self._deployments.all()}
        for number in self._business.phone_number_ids:
            if not await self._register(number, public_pem):
                return
        for wanted in flows:
            try:
                made = await self._plan(wanted, listed, rows.get(wanted.key))
                if self.report.is_dry:
                    self.report.steps += made.steps
                else:
                    await self._take(made, made.steps, self._draft(made))
            except GraphError as error:
                self._fail(wanted.key, explain(error))
                if isinstance(error, GraphRetryable):
                    return

    async def _plan(
        self, wanted: Wanted, listed: Sequence[MetaFlow], row: Deployment | None
    ) -> Plan:
        found = wanted.choose(listed, row)
        return plan(
            wanted,
            await self._graph.flow(found.id) if found else None,
            row,
            mapped=self._mapping.get(wanted.key),
            taken=frozenset(flow.name for flow in listed),
        )

    async def _register(self, number: str, pem: str) -> bool:
        try:
            known = await self._graph.public_key(number)
            if known and known.is_good(pem):
                return True
            if not self.report.is_dry:
                await self._graph.set_public_key(number, pem)
        except GraphError as error:
            self._fail(number, f"its public key cannot be registered: {explain(error)}")
            return False
        reason = "Meta has no public key for this phone number"
        if known:
            same = known.is_same(pem)
            reason = "Meta wants its public key again" if same else "Meta has another public key"
        self.report.steps.append(Step(number, "register", reason))
        return True

    async def _take(self, made: Plan, steps: Sequence[Step], row: Deployment) -> None:
        """Do the steps of a plan; a Flow that cannot be edited is cloned instead."""
        for step in steps:
            try:
                after = await self._do(step, made, row)
            except GraphError as error:
                if error.code != UNEDITABLE or step.verb not in ("edit", "upload"):
                    raise
                clone = replace(row, name=made.wanted.full_name, held_until=None)
                await self._take(made, clone_steps(made.wanted, row.meta_id), clone)
                return
            if after is None:
                return
            row = after
            self.report.steps.append(step)
        if made.row is None or row != replace(made.row, updated_at=row.updated_at):
            await self._deployments.save(row)
        if self._mapping.get(row.key) != row.meta_id:
            await self._businesses.map_flow(row.tenant, row.key, row.meta_id)
        self.report.flows[row.key] = row.meta_id

    async def _do(self, step: Step, made: Plan, row: Deployment) -> Deployment | None:
        """Do one step; give the deployment after it, or None if it ends here."""
        match step.verb:
            case "create" | "clone":
                categories = made.wanted.flow.categories
                return await self._create(row, categories)
            case "edit":
                await self._graph.metadata(row.meta_id, endpoint_uri=row.endpoint, name=row.name)
            case "upload":
                return await self._upload(made, row)
            case "publish":
                return await self._publish(made, row)
            case "failed":
                self.report.steps.append(step)
                return None
            case _:
                pass
        return row

    async def _create(self, row: Deployment, categories: Sequence[str]) -> Deployment:
        """Make a Flow, as a clone if there is one already."""
        made = await self._graph.create(
            self._waba_id, row.name, categories, row.endpoint, row.meta_id or None
        )
        return replace(row, meta_id=made, status="DRAFT")

    async def _upload(self, made: Plan, row: Deployment) -> Deployment | None:
        complaints = await self._graph.upload(row.meta_id, made.wanted.flow.text)
        # A note of a Flow that customers get is not replaced by one of its unfinished clone.
        is_noted = made.row is None or made.row.meta_id == row.meta_id
        if not complaints:
            draft = replace(row, digest=made.wanted.flow.digest, status="DRAFT")
            if is_noted:
                await self._deployments.save(draft)
            return draft
        self.report.problems += problems_of(made.wanted.flow, complaints)
        self._fail(row.key, f"Meta refuses the Flow JSON of {row.meta_id}; it is not published")
        if is_noted:
            # Meta keeps the refused draft, and perhaps lets nobody have the old one any more.
            status = status_of((await self._graph.flow(row.meta_id)).status)
            await self._deployments.save(replace(row, digest="", status=status))
        return None

    async def _publish(self, made: Plan, row: Deployment) -> Deployment:
        was_uploaded = any(step.verb == "upload" for step in made.steps)
        if not was_uploaded:
            # Not every change of the address makes a draft of a published Flow.
            status = (await self._graph.flow(row.meta_id)).status
            if status in LIVE:
                return replace(row, status=status_of(status))
        await self._graph.publish(row.meta_id)
        return replace(row, status="PUBLISHED")

    def _draft(self, made: Plan) -> Deployment:
        """Give the deployment as it is before the first step."""
        wanted, found, known = made.wanted, made.found, made.row
        # What Meta says now is newer than the webhook that a Flow is held.
        is_held = known and found and known.meta_id == found.id and found.status != "PUBLISHED"
        return Deployment(
            tenant=self.report.tenant,
            key=wanted.key,
            flow=wanted.flow.flow,
            language=wanted.flow.language,
            meta_id=found.id if found else "",
            name=made.name,
            digest=wanted.flow.digest,
            endpoint=wanted.endpoint,
            status=status_of(found.status) if found else "DRAFT",
            updated_at=self._clock.now(),
            held_until=known.held_until if known and is_held else None,
        )

    def _fail(self, key: str, reason: str) -> None:
        self.report.steps.append(Step(key, "failed", reason))


def problems_of(flow: FlowJson, complaints: Sequence[Complaint]) -> list[Problem]:
    """Place what Meta refuses at the lines that caused it."""
    return [Problem(_place(flow, each), "meta-refuses", _said(each)) for each in complaints]


def status_of(said: str) -> FlowStatus:
    """Read a status; a Flow with one that we do not know is not sent."""
    return cast(FlowStatus, said) if said in get_args(FlowStatus) else "BLOCKED"


def _said(complaint: Complaint) -> str:
    has_code = complaint.code and complaint.code != complaint.message
    return f"{complaint.message} ({complaint.code})" if has_code else complaint.message


def _place(flow: FlowJson, complaint: Complaint) -> Span:
    if complaint.pointer and _leads(flow.document, complaint.pointer):
        return flow.place_of(complaint.pointer)
    return flow.place_of_line(complaint.line or 0)


def _leads(value: Any, pointer: Pointer) -> bool:
    """Tell whether a path leads into a document; its last step may be what is missing there."""
    for step in pointer[:-1]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(value, Mapping | list | tuple)
