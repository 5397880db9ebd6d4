"""Tenants checked in several processes, which share what was compiled before they began."""

import asyncio
import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing.connection import Connection

from engine.authoring.check import Shared, check_tenant
from engine.cli.garbage import seldom_collected
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.rehearsal.unseen import Seen
from engine.spec.library import Library
from engine.spec.problems import Problems


@dataclass(frozen=True, slots=True)
class Told:
    """What a process tells of a tenant; see `engine.authoring.check.Checked`."""

    problems: Problems
    seen: Seen
    stands_alone: bool


Tenants = dict[TenantId, Told]


def check_tenants(
    library: Library, tenants: list[TenantId], shared: Shared, *, is_verbose: bool = False
) -> Tenants:
    """Check tenants one after the other in this process, which then has their walks."""
    with seldom_collected():
        return asyncio.run(_check(library, tenants, shared, is_verbose=is_verbose))


def check_in_processes(
    library: Library, tenants: list[TenantId], *, is_verbose: bool = False
) -> Tenants:
    """Check tenants, with as many processes as there are processors.

    Raises:
        EngineError: a process ended before it was done.
    """
    shared = Shared()
    count = min(os.cpu_count() or 1, len(tenants))
    if count < 2 or "fork" not in multiprocessing.get_all_start_methods():
        return check_tenants(library, tenants, shared, is_verbose=is_verbose)
    with seldom_collected():
        # Who is forked has what was made for the first tenant: the shared files, compiled.
        first = Problems()
        bundle = library.check(tenants[0], first)
        if bundle and not first.errors:
            shared.structures.of(bundle.chart)
        shares = [tenants[place::count] for place in range(count)]
        return _in_processes(library, shares, shared, is_verbose=is_verbose)


def _in_processes(
    library: Library, shares: list[list[TenantId]], shared: Shared, *, is_verbose: bool
) -> Tenants:
    context = multiprocessing.get_context("fork")
    started = []
    for share in shares:
        receiving, sending = context.Pipe(duplex=False)
        arguments = (library, share, shared, is_verbose, sending)
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        sending.close()
        started.append((process, receiving))
    made: Tenants = {}
    for _, receiving in started:
        made |= _received(receiving)
    for process, _ in started:
        process.join()
    return made


def _received(connection: Connection) -> Tenants:
    try:
        told: Tenants = connection.recv()
    except EOFError:
        raise EngineError("a process of the check ended before it was done") from None
    return told


def _work(
    library: Library,
    tenants: list[TenantId],
    shared: Shared,
    is_verbose: bool,  # noqa: FBT001 - the arguments of a process have no names
    connection: Connection,
) -> None:
    connection.send(asyncio.run(_check(library, tenants, shared, is_verbose=is_verbose)))
    connection.close()


async def _check(
    library: Library, tenants: list[TenantId], shared: Shared, *, is_verbose: bool
) -> Tenants:
    made: Tenants = {}
    for tenant in tenants:
        checked = await check_tenant(library, tenant, shared=shared, is_verbose=is_verbose)
        made[tenant] = Told(checked.problems, checked.seen, checked.stands_alone)
    return made
