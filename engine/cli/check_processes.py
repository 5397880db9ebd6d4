"""Tenants checked in several processes, which share what was compiled before they began."""

import asyncio
import multiprocessing
import os
from multiprocessing.connection import Connection

from engine.authoring.check import Shared, check_tenant
from engine.cli.garbage import seldom_collected
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.rehearsal.unseen import Seen
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems

Told = tuple[set[Problem], Seen]


def check_tenants(
    library: Library, tenants: list[TenantId], problems: Problems, *, is_verbose: bool = False
) -> Seen:
    """Check tenants, with as many processes as there are processors; give what walks came to.

    Raises:
        EngineError: a process ended before it was done.
    """
    shared = Shared()
    count = min(os.cpu_count() or 1, len(tenants))
    with seldom_collected():
        if count < 2 or "fork" not in multiprocessing.get_all_start_methods():
            asyncio.run(_check(library, tenants, problems, shared, is_verbose=is_verbose))
            return shared.seen
        # Who is forked has what was made for the first tenant: the shared files, compiled.
        first = Problems()
        bundle = library.check(tenants[0], first)
        if bundle and not first.errors:
            shared.structures.of(bundle.chart)
        shares = [tenants[place::count] for place in range(count)]
        for found, seen in _in_processes(library, shares, shared, is_verbose=is_verbose):
            problems.found |= found
            shared.seen.merge(seen)
    return shared.seen


def _in_processes(
    library: Library, shares: list[list[TenantId]], shared: Shared, *, is_verbose: bool
) -> list[Told]:
    context = multiprocessing.get_context("fork")
    started = []
    for share in shares:
        receiving, sending = context.Pipe(duplex=False)
        arguments = (library, share, shared, is_verbose, sending)
        process = context.Process(target=_work, args=arguments, daemon=True)
        process.start()
        sending.close()
        started.append((process, receiving))
    made = [_received(receiving) for _, receiving in started]
    for process, _ in started:
        process.join()
    return made


def _received(connection: Connection) -> Told:
    try:
        told: Told = connection.recv()
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
    problems = Problems()
    asyncio.run(_check(library, tenants, problems, shared, is_verbose=is_verbose))
    connection.send((problems.found, shared.seen))
    connection.close()


async def _check(
    library: Library,
    tenants: list[TenantId],
    problems: Problems,
    shared: Shared,
    *,
    is_verbose: bool,
) -> None:
    for tenant in tenants:
        await check_tenant(library, tenant, problems, shared=shared, is_verbose=is_verbose)
