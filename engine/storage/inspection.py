"""A database looked at from outside: server, indexes, what should be gone; nothing is changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from beanie import Document
from pymongo.errors import OperationFailure

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.storage.connection import Database, Json, collection_name, reachable
from engine.storage.documents import BusinessDocument
from engine.storage.records import DOCUMENTS, SUPERSEDED

# MongoDB's codes, from its `error_codes.yml`: a role may not, a command is not there.
_UNTOLD: Final = frozenset({13, 59, 72, 115})
_NO_COLLECTION: Final = 26
_HEALTHY: Final = frozenset({1, 2})
"""States of a member that holds the data: primary and secondary (MongoDB's replica set states)."""
_COMPARED: Final = ("unique", "sparse", "expireAfterSeconds", "partialFilterExpression")


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server tells of itself.

    Args:
        is_writable: it takes writes, or leads to one that does.
        skew: seconds by which its clock is ahead of ours; half of what the question took may be
            wrong with it.
    """

    is_replica_set: bool
    is_writable: bool
    skew: float
    doubt: float


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a replica set that hold its data."""

    total: int
    healthy: int
    majority: int


@dataclass(frozen=True, slots=True)
class IndexFault:
    """An index that is not as this version declares it."""

    collection: str
    name: str
    kind: Literal["missing", "different", "superseded"]


async def server_facts(database: Database, clock: Clock) -> ServerFacts:
    """Ask a server for what it is.

    Raises:
        Unavailable: it does not answer.
    """
    with reachable():
        # The connection is made first: that takes longer than the question.
        await database.client.admin.command("ping")
        before = clock.now()
        hello = await database.client.admin.command("hello")
        after = clock.now()
    took = (after - before).total_seconds()
    theirs = hello.get("localTime")
    middle = before + (after - before) / 2
    if isinstance(theirs, datetime):
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=before.tzinfo)
        skew = (theirs - middle).total_seconds()
    else:
        skew = 0.0
    is_sharded = hello.get("msg") == "isdbgrid"
    return ServerFacts(
        is_replica_set="setName" in hello or is_sharded,
        is_writable=bool(hello.get("isWritablePrimary") or hello.get("primary") or is_sharded),
        skew=skew,
        doubt=took / 2,
    )


async def members(database: Database) -> Members | None:
    """Count a replica set's members; None if the server does not tell (rights, or a `mongos`)."""
    status = await _told(database, {"replSetGetStatus": 1})
    found = (status or {}).get("members")
    if not isinstance(found, list):
        return None
    holding = [each for each in found if each.get("stateStr") != "ARBITER"]
    healthy = [m for m in holding if m.get("health", 1) == 1 and m.get("state") in _HEALTHY]
    majority = (status or {}).get("writeMajorityCount")
    counted = majority if isinstance(majority, int) else len(found) // 2 + 1
    return Members(len(holding), len(healthy), counted)


async def is_ttl_running(database: Database) -> bool | None:
    """Tell whether the server removes what has expired; None if it does not tell."""
    told = (await _told(database, {"getParameter": 1, "ttlMonitorEnabled": 1})) or {}
    value = told.get("ttlMonitorEnabled")
    return value if isinstance(value, bool) else None


async def overdue(database: Database, *, before: datetime) -> Mapping[str, int]:
    """Count what should have been removed before a time, by collection, up to a hundred each."""
    found: dict[str, int] = {}
    for document in DOCUMENTS:
        for field in _expiring(document):
            rows = database.collection(document).find({field: {"$lt": before}}, {"_id": 1})
            with reachable():
                count = len(await rows.limit(100).to_list())
            if count:
                found[collection_name(document)] = count
    return found


async def index_faults(database: Database) -> tuple[IndexFault, ...]:
    """Compare the indexes that are there with those that this version declares.

    Others may be there, too: the Node back end has its own.
    """
    found: list[IndexFault] = []
    for document in DOCUMENTS:
        name = collection_name(document)
        there = await _indexes(database, document)
        found += (IndexFault(name, *fault) for fault in _faults(document, there))
    return tuple(found)


async def spellings(
    database: Database, document: type[Document], tenant: TenantId
) -> Mapping[str, int]:
    """Count the documents whose `subDomain` seems to mean a tenant, and is spelled otherwise."""
    rows, wanted = database.collection(document), _plain(tenant)
    with reachable():
        names = await rows.distinct("subDomain")
        alike = [
            name
            for name in names
            if isinstance(name, str) and name != tenant and _plain(name) == wanted
        ]
        return {name: await rows.count_documents({"subDomain": name}) for name in alike}


async def business_row(database: Database, tenant: TenantId) -> Json | None:
    """Give a tenant's business as it lies there, with the token sealed."""
    with reachable():
        return await database.collection(BusinessDocument).find_one({"subDomain": tenant})


async def is_shared(database: Database, phone_number_id: str, tenant: TenantId) -> bool:
    """Tell whether another business that is served has a tenant's number, too."""
    served = {"whatsappPhoneNumberIds": phone_number_id, "whatsappEnabled": True, "isActive": True}
    rows = database.collection(BusinessDocument)
    with reachable():
        names = [row["subDomain"] async for row in rows.find(served, {"subDomain": 1}).limit(5)]
    return any(name != tenant for name in names)


async def _told(database: Database, command: Json) -> Json | None:
    with reachable():
        try:
            return dict(await database.client.admin.command(command))
        except OperationFailure as exc:
            if exc.code in _UNTOLD:
                return None
            raise


async def _indexes(database: Database, document: type[Document]) -> Mapping[str, Json]:
    with reachable():
        try:
            return await database.collection(document).index_information()
        except OperationFailure as exc:
            if exc.code == _NO_COLLECTION:
                return {}
            raise


def _faults(
    document: type[Document], there: Mapping[str, Json]
) -> Iterator[tuple[str, Literal["missing", "different", "superseded"]]]:
    by_keys = {_keys(each["key"]): each for each in there.values()}
    for declared in _declared(document):
        known = by_keys.get(_keys(declared["key"].items()))
        if known is None:
            yield declared["name"], "missing"
        elif _options(known) != _options(declared):
            yield declared["name"], "different"
    for name in SUPERSEDED.get(document, ()):
        if name in there:
            yield name, "superseded"


def _declared(document: type[Document]) -> list[Json]:
    settings = getattr(document, "Settings", None)
    return [dict(each.document) for each in getattr(settings, "indexes", ())]


def _expiring(document: type[Document]) -> Iterator[str]:
    for declared in _declared(document):
        if declared.get("expireAfterSeconds") == 0:
            yield from declared["key"]


def _keys(keys: Any) -> tuple[tuple[str, int], ...]:
    # Some servers write a direction as 1.0.
    return tuple((str(field), int(direction)) for field, direction in keys)


def _options(index: Mapping[str, Any]) -> Json:
    """Give the options that change what an index does; one that is not set is not there."""
    return {
        name: _value(index[name]) for name in _COMPARED if index.get(name) not in (None, False)
    }


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _value(each) for key, each in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain(name: str) -> str:
    return "".join(each for each in name.casefold() if each.isalnum())
