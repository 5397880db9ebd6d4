"""What must be done for one Flow so that customers get it: pure decisions, no calls."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from engine.deployment.calls import MetaFlow
from engine.domain.ids import ProductId, TenantId
from engine.flow_ports import Deployment
from engine.flows.document import FlowJson

LIVE: Final = frozenset({"PUBLISHED", "THROTTLED", "BLOCKED"})
"""Statuses of a Flow that was published and not changed since."""

Verb = Literal[
    "register", "create", "clone", "edit", "upload", "publish", "map", "unchanged", "failed"
]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done, or that would be.

    Args:
        key: of the deployment, or the id of a phone number.
        reason: why.
    """

    key: str
    verb: Verb
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.verb}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A Flow as it should be at Meta."""

    flow: FlowJson
    key: str
    name: str
    place: str
    server: str

    @property
    def endpoint(self) -> str:
        """The address WhatsApp is to post its exchanges to."""
        return f"{self.server}{self.place}"

    @property
    def full_name(self) -> str:
        """Its name where `name` is another Flow's; it tells the content."""
        return f"{self.name}_{self.flow.digest[:6]}"

    def choose(self, listed: Sequence[MetaFlow], row: Deployment | None) -> MetaFlow | None:
        """Find it at Meta: by a name that tells its content, as known here, or by its name."""
        usable = [flow for flow in listed if flow.status != "DEPRECATED"]
        by_name = {flow.name: flow for flow in usable}
        by_id = {flow.id: flow for flow in usable}
        known = by_id.get(row.meta_id) if row else None
        return by_name.get(self.full_name) or known or by_name.get(self.name)


def flow_key(flow: str, language: str) -> str:
    """Give the key in `fbFlowMapping` of a Flow for all products."""
    return f"{flow}:{language}"


def wanted_flows(
    tenant: TenantId, flows: Iterable[FlowJson], *, public_url: str
) -> Iterator[Wanted]:
    """Tell how Flows for all products should be at Meta."""
    for flow in flows:
        key, name = flow_key(flow.flow, flow.language), f"{flow.flow}_{flow.language}"
        place = f"/flows/{flow.flow}/{quote(tenant, safe='')}"
        yield Wanted(flow, key, name, place, public_url.rstrip("/"))


def wanted_for(tenant: TenantId, flow: FlowJson, product: ProductId, *, public_url: str) -> Wanted:
    """Tell how a Flow for one product alone should be at Meta."""
    place = f"/flows/product/{quote(product, safe=':')}/{quote(tenant, safe='')}"
    return Wanted(flow, product, f"{flow.flow}_{product}", place, public_url.rstrip("/"))


@dataclass(frozen=True, slots=True)
class Plan:
    """What must be done for one Flow.

    Args:
        name: what it is to be called.
        found: the Flow at Meta, or None if there is none.
        row: its deployment as it is stored.
    """

    wanted: Wanted
    name: str
    found: MetaFlow | None
    row: Deployment | None
    steps: tuple[Step, ...]


def plan(
    wanted: Wanted,
    found: MetaFlow | None,
    row: Deployment | None,
    *,
    mapped: str | None,
    taken: frozenset[str],
) -> Plan:
    """Decide what must be done.

    Args:
        found: the Flow that `choose` found, with everything Meta tells.
        mapped: Meta's id of the Flow that customers get now.
        taken: names that the WhatsApp account has already.
    """
    if found is None:
        name = wanted.full_name if wanted.name in taken else wanted.name
        steps = _steps(wanted, ("create", f"the WhatsApp account has no Flow '{name}'"), *_FILL)
        return Plan(wanted, name, None, row, steps)
    is_known = row is not None and row.meta_id == found.id
    if not is_known and found.endpoint and not found.endpoint.endswith(wanted.place):
        whose = (
            f"the WhatsApp account has a Flow '{found.name}' ({found.id}) that belongs to "
            f"{found.endpoint}; rename or delete it there"
        )
        return Plan(wanted, found.name, found, row, _steps(wanted, ("failed", whose)))
    # A name that tells the content is given up when the content changes.
    name = wanted.name if found.name == wanted.name else wanted.full_name
    steps = _steps(wanted, *_changes(wanted, found, row, mapped))
    return Plan(wanted, name, found, row, steps)


def clone_steps(wanted: Wanted, flow_id: str) -> tuple[Step, ...]:
    """Tell what is done instead of editing a Flow that Meta does not let be edited."""
    reason = (
        f"Meta does not let the published Flow {flow_id} be edited; it stays for the chats "
        "that can still open it"
    )
    return _steps(wanted, ("clone", reason), *_FILL)


_FILL: Final[tuple[tuple[Verb, str], ...]] = (
    ("upload", "it has no Flow JSON yet"),
    ("publish", "so that customers get it"),
)


def _changes(
    wanted: Wanted, found: MetaFlow, row: Deployment | None, mapped: str | None
) -> Iterator[tuple[Verb, str]]:
    is_known = row is not None and row.meta_id == found.id
    has_content = is_known and row is not None and row.digest == wanted.flow.digest
    # Published under a name that tells the content: an earlier run was interrupted after it.
    has_content |= found.name == wanted.full_name and found.status in LIVE
    is_placed = found.endpoint == wanted.endpoint
    if has_content and is_placed and found.status in LIVE:
        if is_known and mapped == found.id:
            held = "" if found.status == "PUBLISHED" else f"; Meta holds it: {found.status}"
            yield "unchanged", f"the Flow {found.id} is as it should be{held}"
        else:
            yield "map", f"the Flow {found.id} is as it should be, but is not noted here"
        return
    if not is_placed:
        yield "edit", f"the Flow {found.id} posts to {found.endpoint or 'no address'}"
    elif found.name not in (wanted.name, wanted.full_name):
        yield "edit", f"the name '{found.name}' tells another content"
    if not has_content:
        yield "upload", f"the Flow {found.id} has another Flow JSON"
    yield "publish", "so that customers get it"


def _steps(wanted: Wanted, *steps: tuple[Verb, str]) -> tuple[Step, ...]:
    return tuple(Step(wanted.key, verb, reason) for verb, reason in steps)
