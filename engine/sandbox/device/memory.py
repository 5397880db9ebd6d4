"""What customers' phones remember: open Flows, buttons that are disabled, what went wrong."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field

from engine.sandbox.device.flow import Failure, FlowRun
from engine.sandbox.device.line import TOKEN_IS_OVER
from engine.sandbox.state import Person


@dataclass(frozen=True, slots=True)
class FlowError:
    """A Flow that could not go on, on a customer's phone, and why."""

    n: int
    phone: str
    wamid: str
    screen: str | None
    key: str
    message: str
    status: int | None


@dataclass(slots=True)
class Memory:
    """What the phones of some people remember.

    Args:
        people: whose phones these are.
        runs: the Flows that were opened, by the message they were opened from.
        disabled: why a message's button cannot be tapped any more.
        locks: a person does one thing after the other.
    """

    people: dict[str, Person]
    runs: dict[str, FlowRun] = field(default_factory=dict)
    disabled: dict[str, Failure] = field(default_factory=dict)
    errors: list[FlowError] = field(default_factory=list)
    locks: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    def note(
        self, person: Person, wamid: str, failure: Failure, run: FlowRun | None = None
    ) -> None:
        """Note that a Flow could not be opened, or that one could not go on."""
        status = None if run is None else run.status
        seen = None if run is None else run.screen
        if status == TOKEN_IS_OVER:
            self.disabled[wamid] = failure
        self.errors.append(
            FlowError(
                n=len(self.errors) + 1,
                phone=person.phone,
                wamid=wamid,
                screen=None if seen is None else seen["id"],
                key=failure.key,
                message=failure.message,
                status=status,
            )
        )
