"""Posts webhooks to the engine, in order for each customer; it does not know what is in them."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import httpx

from engine.sandbox.background import Background
from engine.sandbox.envelope import JsonObject
from engine.sandbox.options import SandboxOptions
from engine.sandbox.state import Delivery, Person, PhoneNumber, World
from engine.sandbox.webhooks import SIGNATURE_HEADER, encode, signature


@dataclass(frozen=True, slots=True)
class Letter:
    """A webhook to post: what it tells, about which message, and how to write it in its turn.

    Of one about a Flow, `wamid` is the Flow's id; of one about a batch of items, its handle.
    """

    kind: str
    wamid: str
    write: Callable[[], JsonObject]


class Courier:
    """Carries webhooks; the order is kept for each customer of each number."""

    def __init__(self, world: World, options: SandboxOptions) -> None:
        self._world = world
        self._retry_delays = options.retry_delays
        # Shorter than uvicorn's five seconds: a connection must not be reused while it is closed.
        self._http = httpx.AsyncClient(
            timeout=options.callback_timeout,
            trust_env=False,
            limits=httpx.Limits(keepalive_expiry=2.0),
        )
        self._behind = Background()

    async def post(self, number: PhoneNumber, person: Person, letter: Letter) -> Delivery:
        """Post a webhook when its turn comes and return how that ended; it is tried once."""
        async with self._behind.lane(number.phone_number_id, person.phone):
            return await self._deliver(number, letter, ())

    def dispatch(self, number: PhoneNumber, person: Person, letters: Iterable[Letter]) -> None:
        """Post webhooks in the background, in order; what the engine refuses is tried again."""
        self._behind.start(self._post_all(number, person, tuple(letters)))

    async def tell(self, number: PhoneNumber, letter: Letter) -> Delivery:
        """Post a webhook about the number's account in its turn; it is tried once."""
        async with self._behind.lane(number.waba_id):
            return await self._deliver(number, letter, ())

    def announce(self, number: PhoneNumber, letter: Letter) -> None:
        """Post a webhook about the number's account in the background, if need be again."""
        self._behind.start(self._tell(number, letter))

    async def forget(self) -> None:
        """Drop what is under way."""
        await self._behind.forget()

    async def close(self) -> None:
        """Drop what is under way and close the connections."""
        await self.forget()
        await self._http.aclose()

    async def _post_all(
        self, number: PhoneNumber, person: Person, letters: tuple[Letter, ...]
    ) -> None:
        async with self._behind.lane(number.phone_number_id, person.phone):
            for letter in letters:
                await self._deliver(number, letter, self._retry_delays)

    async def _tell(self, number: PhoneNumber, letter: Letter) -> None:
        async with self._behind.lane(number.waba_id):
            await self._deliver(number, letter, self._retry_delays)

    async def _deliver(
        self, number: PhoneNumber, letter: Letter, delays: tuple[float, ...]
    ) -> Delivery:
        raw = encode(letter.write())
        attempts = 1
        status, error = await self._attempt(number, raw)
        for delay in delays:
            if status == 200:
                break
            await asyncio.sleep(delay)
            attempts += 1
            status, error = await self._attempt(number, raw)
        n = len(self._world.deliveries) + 1
        delivery = Delivery(n, letter.kind, letter.wamid, attempts, status, error)
        self._world.deliveries.append(delivery)
        await self._world.ring()
        return delivery

    async def _attempt(self, number: PhoneNumber, raw: bytes) -> tuple[int | None, str]:
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(number.app_secret, raw),
        }
        try:
            answer = await self._http.post(number.callback_url, content=raw, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return None, f"{type(problem).__name__}: {problem}"
        return answer.status_code, ""
