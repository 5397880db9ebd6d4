"""Checks of the database: reached, durable, with our indexes, and removing what has expired."""

from datetime import timedelta
from typing import Final

from engine.doctor.findings import Finding, failed, ok, some, warning, worst
from engine.doctor.patient import Installation
from engine.doctor.registry import Registry
from engine.storage.connection import DURABLE
from engine.storage.inspection import (
    IndexFault,
    index_faults,
    is_ttl_running,
    members,
    overdue,
)

OVERDUE: Final = timedelta(minutes=15)
"""The TTL monitor runs every 60 s; after a start it may have much to do."""
DOUBTFUL: Final = 1.0
WRONG: Final = 2.0
"""Seconds: leases last six, and a turn's place is by time (README, Several processes)."""

registry = Registry()


@registry.check(
    "database.reachable",
    "reachable",
    remedy="look at MONGODB_URI, at the server, and at what is between it and this machine",
)
async def is_reachable(installation: Installation) -> Finding:
    """Does MongoDB answer, and let us in?"""
    server = await installation.server()
    if not server.is_writable:
        return failed("it answers, and has no primary: nothing can be written")
    return ok("it answers")


@registry.check(
    "database.replica_set",
    "replica set",
    remedy="start mongod with --replSet, and run rs.initiate() in mongosh",
    needs=("database.reachable",),
)
async def replica_set(installation: Installation) -> Finding:
    """Is it a replica set, without which there are no transactions and no change streams?"""
    if (await installation.server()).is_replica_set:
        return ok("it is one")
    return failed("it is a single server: a turn needs a transaction")


@registry.check(
    "database.write_concern",
    "write concern",
    remedy="bring the members of the replica set back that rs.status() shows as not healthy",
    needs=("database.replica_set",),
)
async def write_concern(installation: Installation) -> Finding:
    """Is what is acknowledged on a majority of healthy members, and in their journals?"""
    concern = installation.database.client.write_concern
    if concern.document != DURABLE.document:
        return failed(f"the client writes with {concern.document}", "report it")
    found = await members(installation.database)
    if found is None:
        return ok("majority, journaled; the server does not tell of its members")
    said = f"{found.healthy} of {found.total} members are healthy"
    if found.healthy < found.majority:
        return failed(f"{said}: a majority of {found.majority} cannot acknowledge")
    if found.healthy < found.total:
        return warning(said)
    if found.total == 1:
        more = "add members to the replica set: rs.add('HOST:27017') in mongosh"
        return warning("majority, journaled; there is one member: it must not be lost", more)
    return ok(f"majority, journaled; {said}")


async def _prepare(installation: Installation) -> str:
    before = await index_faults(installation.database)
    await installation.database.prepare()
    after = {(fault.collection, fault.name) for fault in await index_faults(installation.database)}
    done = [_named(each) for each in before if (each.collection, each.name) not in after]
    return f"made or replaced {some(done)}" if done else "nothing could be mended"


@registry.check(
    "database.indexes",
    "indexes",
    remedy="comanda doctor --fix",
    needs=("database.reachable",),
    mend=_prepare,
)
async def indexes(installation: Installation) -> Finding:
    """Is every index there, as this version declares it?"""
    faults = await index_faults(installation.database)
    told = []
    missing = [_named(each) for each in faults if each.kind == "missing"]
    if missing:
        told.append(failed(f"missing: {some(missing)}"))
    different = [each for each in faults if each.kind == "different"]
    if different:
        first = different[0]
        drop = (
            f"db.{first.collection}.dropIndex('{first.name}') in mongosh, then "
            "`comanda doctor --fix`"
        )
        told.append(failed(f"otherwise than declared: {some(list(map(_named, different)))}", drop))
    superseded = [_named(each) for each in faults if each.kind == "superseded"]
    if superseded:
        told.append(warning(f"of an earlier version: {some(superseded)}"))
    return worst(told, well="all are as declared")


@registry.check(
    "database.ttl",
    "expiry",
    remedy="db.adminCommand({setParameter: 1, ttlMonitorEnabled: true}) in mongosh",
    needs=("database.reachable",),
)
async def expiry(installation: Installation) -> Finding:
    """Does the server remove what has expired: carts, finished messages, logs?"""
    database = installation.database
    if await is_ttl_running(database) is False:
        return failed("its TTL monitor is switched off: nothing is ever removed")
    found = await overdue(database, before=installation.clock.now() - OVERDUE)
    if found:
        late = [f"{name} ({'100 or more' if n >= 100 else n})" for name, n in found.items()]
        return failed(f"expired for {OVERDUE.seconds // 60} minutes and still there: {some(late)}")
    return ok("nothing is overdue")


@registry.check(
    "database.clock",
    "clocks",
    remedy="let this machine and the database servers take their time from NTP (chronyd)",
    needs=("database.reachable",),
)
async def clocks(installation: Installation) -> Finding:
    """Do this machine's clock and the database server's agree?"""
    server = await installation.server()
    skew = abs(server.skew)
    direction = "ahead of" if server.skew > 0 else "behind"
    said = f"the server's is {skew:.1f} s {direction} ours (± {server.doubt:.1f} s)"
    if skew - server.doubt > WRONG:
        return failed(said)
    if skew - server.doubt > DOUBTFUL:
        return warning(said)
    return ok(f"they agree to {max(skew, server.doubt):.1f} s")


def _named(fault: IndexFault) -> str:
    return f"{fault.collection}.{fault.name}"
