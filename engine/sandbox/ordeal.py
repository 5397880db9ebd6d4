"""What a right send goes through before it is taken: an armed fault or else the weather."""

import asyncio
from dataclasses import dataclass

from starlette.responses import HTMLResponse, Response

from engine.sandbox.cut_off import CutOff
from engine.sandbox.envelope import Complaint, GraphRefusal
from engine.sandbox.faults import Fault
from engine.sandbox.state import World
from engine.sandbox.weather import Spell

INJECTED = "Injected by the sandbox"
TITLES = {502: "Bad Gateway", 504: "Gateway Timeout"}


@dataclass(frozen=True, slots=True)
class Ordeal:
    """How it ended, if it did not end with a refusal.

    Args:
        answer: it is not taken, and this is all the sender gets.
        is_cut: it is taken, and the sender is not told.
        failure: it is taken, and will be reported as failed.
    """

    answer: Response | None = None
    is_cut: bool = False
    failure: Complaint | None = None


async def ordeal(world: World, phone_number_id: str, phone: str) -> Ordeal:
    """Let a send meet what waits for it.

    Raises:
        GraphRefusal: it is refused.
    """
    fault = world.faults.take(phone_number_id, phone)
    if fault is not None:
        return await _suffered(fault)
    return await _weathered(world.sky.spell(phone_number_id, phone))


async def _suffered(fault: Fault) -> Ordeal:
    if fault.kind == "refuse":
        raise _refusal(fault.code, fault.http_status)
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
    failure = Complaint(fault.code, INJECTED) if fault.kind == "fail" else None
    return Ordeal(is_cut=fault.kind == "drop", failure=failure)


async def _weathered(spell: Spell) -> Ordeal:
    if spell.delay:
        await asyncio.sleep(spell.delay)
    match spell.blow:
        case "throttled":
            raise _refusal(130429, 429)
        case "pair":
            raise _refusal(131056)
        case "error":
            raise _refusal(spell.code)
        case "gateway":
            title = f"{spell.http_status} {TITLES[spell.http_status]}"
            page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
            return Ordeal(HTMLResponse(page, status_code=spell.http_status))
        case "cut_before":
            return Ordeal(CutOff())
    return Ordeal(is_cut=spell.blow == "cut_after")


def _refusal(code: int, http_status: int | None = None) -> GraphRefusal:
    return GraphRefusal(Complaint(code, INJECTED), http_status=http_status, injected=True)
