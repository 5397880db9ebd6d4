"""Faults armed for the next sends, found by whom they meet; `ordeal` lets them be suffered."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from engine.sandbox.phones import digits

FaultKind = Literal["refuse", "fail", "drop", "delay"]

# The number and the customer a fault is for; None where it is for any.
Target = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with the next sends.

    Args:
        kind: `refuse` answers with the code; `fail` accepts and reports the code in a status;
            `drop` accepts and cuts the connection; `delay` accepts late.
        times: how many sends it meets.
        code: the Graph error code of `refuse` and `fail`.
        http_status: of `refuse`; the usual one of the code when absent.
        seconds: of `delay`.
        phone_number_id: only sends from this number; any when absent.
        to: only sends to this customer's phone; any when absent.
    """

    kind: FaultKind
    times: int = 1
    code: int = 131000
    http_status: int | None = None
    seconds: float = 0.0
    phone_number_id: str | None = None
    to: str | None = None


class Faults:
    """The faults that wait for their sends."""

    def __init__(self, first: Iterable[Fault] = ()) -> None:
        self._armed: dict[Target, deque[tuple[int, Fault]]] = {}
        self._places = count()
        for fault in first:
            self.arm(fault)

    def arm(self, fault: Fault) -> None:
        """Let a fault wait for its sends."""
        target = (fault.phone_number_id, None if fault.to is None else digits(fault.to))
        self._armed.setdefault(target, deque()).append((next(self._places), fault))

    def take(self, phone_number_id: str, phone: str) -> Fault | None:
        """Use up one time of the fault that meets this send; of several, of the oldest one."""
        numbers, phones = (phone_number_id, None), (phone, None)
        waiting = [
            armed
            for target in ((number, to) for number in numbers for to in phones)
            if (armed := self._armed.get(target))
        ]
        if not waiting:
            return None
        oldest = min(waiting, key=lambda armed: armed[0][0])
        place, fault = oldest.popleft()
        if fault.times > 1:
            oldest.appendleft((place, replace(fault, times=fault.times - 1)))
        return fault
