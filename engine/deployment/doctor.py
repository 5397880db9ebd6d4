"""The doctor of Flows: everything they need, item by item, each with what mends it.

Nothing is changed here.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.deployment.calls import FlowCalls, explain
from engine.deployment.deployer import Deployer, business_faults, key_faults
from engine.deployment.listing import Listed, inspected
from engine.deployment.plan import Wanted
from engine.domain.ids import TenantId
from engine.errors import EngineError, GraphError, Unavailable
from engine.ports import Business
from engine.spec.problems import SpecError
from engine.whatsapp.flow_crypto import FlowKey

Verdict = Literal["ok", "wrong", "unknown"]
Part = Literal["start", "number", "flow", "endpoint"]
"""What an item is of: what comes before all, a number, a Flow at Meta, an address of ours."""
Ping = Callable[[str, str], Awaitable[str]]
"""Pings an endpoint with a public key, and tells what is wrong with it, or nothing."""

RIGHT = "whatsapp_business_management"
"""The permission with which Meta lets Flows be managed."""
_LIFT = "answer fast and without errors; Meta lifts it by itself"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was looked at.

    Args:
        mend: the command or deed that mends it, or nothing.
    """

    name: str
    verdict: Verdict
    reason: str
    mend: str = ""
    part: Part = "start"


@dataclass(frozen=True, slots=True)
class FlowDoctor:
    """Looks at a tenant's Flows."""

    deployer: Deployer
    ping: Ping

    async def examine(self, tenant: TenantId) -> tuple[Item, ...]:
        """Look at everything that a tenant's Flows need."""
        deployer = self.deployer
        wanted, problems = await self._wanted(tenant)
        business, faults = await self._business(tenant)
        key, lost = await self._key(tenant)
        address, keygen = list(deployer.address_faults()), f"comanda flows keygen {tenant}"
        items = [
            _judged("PUBLIC_URL", address, deployer.public_url, "set PUBLIC_URL"),
            _judged("files", problems, f"{len(wanted)} Flows", f"comanda check {tenant}"),
            _judged("business", faults, "it is complete", f"comanda seed {tenant}"),
            _judged("key", lost, key.fingerprint if key else "", keygen),
        ]
        if business is None or faults:
            items.append(Item("Meta", "unknown", "not asked: the business is not complete"))
        else:
            graph = deployer.graph(business.access_token)
            items.append(await self._token(tenant, business, graph))
            items += _of("number", await self._numbers(tenant, business, graph, key))
            items += _of("flow", await self._flows(tenant, wanted, has_files=not problems))
        items += _of("endpoint", await self._endpoints(wanted, key))
        return tuple(items)

    async def _business(self, tenant: TenantId) -> tuple[Business | None, list[str]]:
        try:
            business = await self.deployer.businesses.by_tenant(tenant)
        except Unavailable:
            raise
        except EngineError as error:
            return None, [f"it cannot be read: {error}"]
        return business, list(business_faults(tenant, business))

    async def _key(self, tenant: TenantId) -> tuple[FlowKey | None, list[str]]:
        try:
            key = await self.deployer.keys.get(tenant)
        except Unavailable:
            raise
        except EngineError as error:
            return None, [f"{error} (another one is made with --replace)"]
        return key, list(key_faults(tenant, key))

    async def _wanted(self, tenant: TenantId) -> tuple[tuple[Wanted, ...], list[str]]:
        try:
            return await self.deployer.wanted(tenant), []
        except SpecError as error:
            return (), [f"they have {len(error.problems)} problems"]

    async def _token(self, tenant: TenantId, business: Business, graph: FlowCalls) -> Item:
        mend = f"comanda seed {tenant} --token ..."
        try:
            await graph.flows(business.waba_id or "")
            rights = await graph.rights()
        except GraphError as error:
            return Item("token", "wrong" if error.code else "unknown", explain(error), mend)
        if rights is None:
            return Item("token", "unknown", "it reads the Flows; Meta does not tell its rights")
        if RIGHT not in rights:
            return Item("token", "wrong", f"it has not the permission {RIGHT}", mend)
        return Item("token", "ok", f"it has the permission {RIGHT}")

    async def _numbers(
        self, tenant: TenantId, business: Business, graph: FlowCalls, key: FlowKey | None
    ) -> list[Item]:
        items, mend = [], f"comanda flows deploy {tenant}"
        for number in business.phone_number_ids:
            name = f"public key of {number}"
            try:
                known = await graph.public_key(number)
            except GraphError as error:
                items.append(Item(name, "unknown", explain(error)))
                continue
            if known is None:
                items.append(Item(name, "wrong", "none is registered at Meta", mend))
            elif key is None or not known.is_same(key.public_pem):
                items.append(Item(name, "wrong", "Meta has one that is not ours", mend))
            elif known.signature == "VALID":
                items.append(Item(name, "ok", "it is ours, and its signature is VALID"))
            else:
                verdict: Verdict = "wrong" if known.signature == "MISMATCH" else "unknown"
                said = f"its signature is {known.signature or 'not told'}"
                items.append(Item(name, verdict, said, mend))
        return items

    async def _flows(
        self, tenant: TenantId, wanted: Sequence[Wanted], *, has_files: bool
    ) -> list[Item]:
        if not has_files:
            return [Item("Flows", "unknown", "not compared: the files are wrong")]
        try:
            found = await inspected(self.deployer, tenant, wanted)
        except GraphError as error:
            return [Item("Flows", "unknown", explain(error))]
        mend = f"comanda flows deploy {tenant}"
        return [item for each in found for item in _flow_items(each, mend)]

    async def _endpoints(self, wanted: Sequence[Wanted], key: FlowKey | None) -> list[Item]:
        if key is None or not self.deployer.public_url or not wanted:
            said = "not pinged: the files, the key or PUBLIC_URL are wanting"
            return [Item("endpoint", "unknown", said)]
        items = []
        for endpoint in sorted({each.endpoint for each in wanted}):
            fault = await self.ping(endpoint, key.public_pem)
            mend = "run `comanda serve` where PUBLIC_URL leads"
            faults = [fault] if fault else []
            items.append(_judged(f"endpoint {endpoint}", faults, "it answers the ping", mend))
        return items


def _of(part: Part, items: Iterable[Item]) -> Iterator[Item]:
    return (replace(item, part=part) for item in items)


def _judged(name: str, faults: list[str], well: str, mend: str) -> Item:
    return Item(name, "wrong", "; ".join(faults), mend) if faults else Item(name, "ok", well)


def _flow_items(each: Listed, mend: str) -> Iterator[Item]:
    meta, row, wanted = each.meta, each.row, each.wanted
    if row is None:
        yield Item(f"{each.key} deployed", "wrong", "it is not deployed", mend)
        return
    if meta is None:
        yield Item(f"{each.key} deployed", "wrong", f"Meta has no Flow {row.meta_id}", mend)
        return
    sent = [] if each.is_sent else [f"fbFlowMapping does not lead to {row.meta_id}"]
    yield _judged(f"{each.key} deployed", sent, f"it is the Flow {row.meta_id}", mend)
    if wanted:
        changed = [] if row.digest == wanted.flow.digest else ["the files have changed since"]
        yield _judged(f"{each.key} current", changed, "it is what the files say", mend)
        endpoint = meta.endpoint or "no address"
        moved = [] if meta.endpoint == wanted.endpoint else [f"it posts to {endpoint}"]
        yield _judged(f"{each.key} endpoint", moved, wanted.endpoint, mend)
    held = [] if meta.status == "PUBLISHED" else [f"Meta says {meta.status}"]
    lift = _LIFT if meta.status in ("THROTTLED", "BLOCKED") else mend
    yield _judged(f"{each.key} published", held, "it is published", lift)
    if not meta.health:
        yield Item(f"{each.key} health", "unknown", "Meta does not tell")
        return
    said = " ".join((meta.health, *meta.ailments))
    ill = [] if meta.health == "AVAILABLE" else [said]
    yield _judged(f"{each.key} health", ill, said, lift)
