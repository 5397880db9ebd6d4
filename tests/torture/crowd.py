"""The customers' phones: hand every message to its customer's script, and send what he answers."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from random import Random

import httpx

from engine.sandbox.phones import digits
from engine.sandbox.state import Received
from tests.torture.customers import Script, Wire

FAVOURITES = {
    "la-tavola": ("coke", "diet-coke", "limonata", "tiramisu", "caprese"),
    "dona-lucha": ("inca-kola-zero", "causa-limena", "picarones", "aguadito", "suspiro-limeno"),
}
"""What two of three customers take, without looking around."""
GREETINGS = {"la-tavola": "hi", "dona-lucha": "hola"}
LISTEN_SECONDS = 0.1
LONGEST_PICTURE = 10.0


@dataclass
class Patron:
    """One customer at his phone.

    Args:
        said: ids of the messages he sent.
        seen: ids of the rows he has got: whoever gets a message a second time passes over it.
        since: when he last sent or got something.
        longest: seconds he waited for an answer at most.
        done: when he had his last confirmation; None before.
    """

    phone: str
    user_id: str
    tenant: str
    phone_number_id: str
    script: Script
    pause: float
    said: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    received: list[Received] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)
    longest: float = 0.0
    done: float | None = None


@dataclass
class Crowd:
    """All customers.

    Args:
        meta: a client of Meta's stand-in.
        is_over: whoever gets his confirmation from now on goes home.
    """

    meta: httpx.AsyncClient
    patrons: Sequence[Patron]
    is_over: bool = False
    _heard: int = 0
    _busy: set[asyncio.Task[None]] = field(default_factory=set)

    async def live(self) -> None:
        """Let everybody begin at once, and answer what comes until nobody waits any more."""
        by_phone = {patron.phone: patron for patron in self.patrons}
        for patron in self.patrons:
            self._later(self._say(patron, patron.script.begin()))
        while self.waiting():
            await asyncio.sleep(LISTEN_SECONDS)
            rung = {digits(phone) for phone in await self._receivers()}
            for phone in rung & by_phone.keys():
                self._later(self._look(by_phone[phone]))

    def waiting(self, *, longer_than: float = 0.0) -> list[Patron]:
        """Give the customers who wait for something, so long already."""
        now = time.monotonic()
        return [p for p in self.patrons if p.done is None and now - p.since >= longer_than]

    async def _receivers(self) -> list[str]:
        answer = await self.meta.get("/torture/receivers", params={"after": self._heard})
        receivers: list[str] = answer.raise_for_status().json()
        self._heard += len(receivers)
        return receivers

    async def _look(self, patron: Patron) -> None:
        # What Meta took is in the chat a little later if there is a picture in it.
        query = {"after": len(patron.received), "count": 1, "wait": LONGEST_PICTURE}
        path = f"/sandbox/customers/{patron.phone}/messages"
        answer = await self.meta.get(path, params=query)
        for row in answer.raise_for_status().json():
            if row["n"] > len(patron.received):
                patron.received.append(Received(**row))
                self._hear(patron, patron.received[-1])

    def _hear(self, patron: Patron, message: Received) -> None:
        opaque = message.payload.get("biz_opaque_callback_data", message.wamid)
        if opaque in patron.seen:
            return
        patron.seen.add(opaque)
        patron.longest = max(patron.longest, time.monotonic() - patron.since)
        patron.since = time.monotonic()
        answer = patron.script.hear(message, is_over=self.is_over)
        if answer is not None:
            self._later(self._say(patron, answer))
        elif not patron.script.awaiting:
            patron.done = patron.since

    def _later(self, doing: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(doing)
        self._busy.add(task)
        task.add_done_callback(self._busy.discard)

    async def _say(self, patron: Patron, answer: Wire) -> None:
        # A person reads before he taps; else all of them would go through in step.
        await asyncio.sleep(patron.script.chance.uniform(0.2, 1.0) * patron.pause)
        body = {
            "phone_number_id": patron.phone_number_id,
            "message": dict(answer),
            "name": "Ana",
            "user_id": patron.user_id,
            "retry": True,
        }
        said = await self.meta.post(f"/sandbox/customers/{patron.phone}/messages", json=body)
        patron.said.append(said.raise_for_status().json()["wamid"])
        patron.since = time.monotonic()


def patrons_of(
    numbers: Sequence[tuple[str, str]], *, count: int, seed: int, pause: float
) -> list[Patron]:
    """Make customers, in turn of each tenant.

    Args:
        numbers: tenants and their phone number ids.
        pause: seconds somebody takes at most to read a message.
    """
    patrons = []
    for place in range(count):
        tenant, number = numbers[place % len(numbers)]
        phone = f"1555{seed % 1000:03}{place:05}"
        liked = f"prod:{FAVOURITES[tenant][place % 5]}" if place % 3 else ""
        script = Script(Random(f"{seed} {phone}"), GREETINGS[tenant], liked)
        patrons.append(Patron(phone, f"US.{phone}", tenant, number, script, pause))
    return patrons
