"""Posts webhooks to the engine as the mail is at present; it does not know what is in them."""

import asyncio
from collections.abc import Callable, Iterable

import httpx

from engine.sandbox.background import Background
from engine.sandbox.bundles import bundled
from engine.sandbox.mail import USUAL_REPEATS, pauses
from engine.sandbox.options import SandboxOptions
from engine.sandbox.parcels import Letter, Mailbag, Parcel, mixed
from engine.sandbox.state import Delivery, Person, PhoneNumber, World
from engine.sandbox.webhooks import SIGNATURE_HEADER, encode, signature

# The client looks at all its connections each time: more of them are not faster.
AT_ONCE = 50


class Courier:
    """Carries webhooks; unless the mail is bad the order is kept for each customer of a number."""

    def __init__(self, world: World, options: SandboxOptions) -> None:
        self._world = world
        self._retry_delays = options.retry_delays
        # Shorter than uvicorn's five seconds: a connection must not be reused while it is closed.
        self._http = httpx.AsyncClient(
            timeout=options.callback_timeout,
            trust_env=False,
            limits=httpx.Limits(keepalive_expiry=2.0),
        )
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._behind = Background()
        self._bag = Mailbag(lambda parcels: self._behind.start(self._carry(parcels)))
        self._awaited: set[asyncio.Future[Delivery]] = set()

    async def post(self, number: PhoneNumber, person: Person, letter: Letter) -> Delivery:
        """Post a webhook when its turn comes and return how that ended; it is tried once."""
        done: asyncio.Future[Delivery] = asyncio.get_running_loop().create_future()
        self._awaited.add(done)
        try:
            self._take_up(number, person, letter, (), done)
            return await done
        finally:
            self._awaited.discard(done)

    def repeat(self, number: PhoneNumber, person: Person, letter: Letter) -> None:
        """Post a webhook in the background, again and again until the engine takes it."""
        repeats = pauses(self._world.mail.mail.repeat_for or USUAL_REPEATS)
        self._take_up(number, person, letter, repeats)

    def dispatch(self, number: PhoneNumber, person: Person, letters: Iterable[Letter]) -> None:
        """Post webhooks in the background, in order; what the engine refuses is tried again."""
        repeat_for = self._world.mail.mail.repeat_for
        for letter in letters:
            repeats = pauses(repeat_for) if repeat_for else self._retry_delays
            self._take_up(number, person, letter, repeats)

    async def tell(self, number: PhoneNumber, letter: Letter) -> Delivery:
        """Post a webhook about the number's account in its turn; it is tried once."""
        async with self._behind.lane(number.waba_id):
            return await self._deliver(number, letter, ())

    def announce(self, number: PhoneNumber, letter: Letter) -> None:
        """Post a webhook about the number's account in the background, if need be again."""
        self._behind.start(self._tell(number, letter))

    def later(self, seconds: float, step: Callable[[], None]) -> None:
        """Do something after a while, unless everything is dropped before."""
        self._behind.start(_after(seconds, step))

    async def forget(self) -> None:
        """Drop what is under way."""
        await self._behind.forget()
        self._bag.forget()
        for done in self._awaited:
            if not done.done():
                done.set_result(Delivery(0, "", "", 0, None, "dropped"))

    async def close(self) -> None:
        """Drop what is under way and close the connections."""
        await self.forget()
        await self._http.aclose()

    def _take_up(
        self,
        number: PhoneNumber,
        person: Person,
        letter: Letter,
        repeats: tuple[float, ...],
        done: asyncio.Future[Delivery] | None = None,
    ) -> None:
        mail = self._world.mail.mail
        lane = mail.lane(number.phone_number_id, person.phone, letter.kind)
        self._put(Parcel(number, letter, lane, repeats, mail.copies - 1, done))

    def _put(self, parcel: Parcel) -> None:
        office = self._world.mail
        office.counts["updates"] += 1
        office.counts["under_way"] += 1
        self._bag.put(parcel)
        delay = office.delay()
        if delay:
            self.later(delay, lambda: self._bag.ripen(parcel, self._world.mail.mail))
        else:
            self._bag.ripen(parcel, office.mail)

    async def _carry(self, parcels: list[Parcel]) -> None:
        office, number = self._world.mail, parcels[0].number
        for parcel in parcels:
            for _ in range(parcel.copies):
                self._put(Parcel(number, parcel.letter, None, parcel.pauses))
        parcels = mixed(parcels, office.dice)
        raw = encode(bundled([parcel.letter.body for parcel in parcels], office.dice))
        repeats = max((parcel.pauses for parcel in parcels), key=sum)
        attempts, status, error = await self._persist(number, raw, repeats)
        office.counts["posts"] += 1
        office.counts["attempts"] += attempts
        office.counts["under_way"] -= len(parcels)
        office.counts["given_up"] += 0 if status == 200 else len(parcels)
        for parcel in parcels:
            delivery = self._note(parcel.letter, attempts, status, error)
            if parcel.done is not None:
                parcel.done.set_result(delivery)
        if not office.counts["under_way"]:
            self._world.bell.ring("mail")
        self._bag.free(parcels, office.mail)

    async def _tell(self, number: PhoneNumber, letter: Letter) -> None:
        async with self._behind.lane(number.waba_id):
            await self._deliver(number, letter, self._retry_delays)

    async def _deliver(
        self, number: PhoneNumber, letter: Letter, repeats: tuple[float, ...]
    ) -> Delivery:
        return self._note(letter, *await self._persist(number, encode(letter.body), repeats))

    def _note(self, letter: Letter, attempts: int, status: int | None, error: str) -> Delivery:
        n = len(self._world.deliveries) + 1
        delivery = Delivery(n, letter.kind, letter.wamid, attempts, status, error)
        self._world.deliveries.append(delivery)
        self._world.bell.ring("deliveries")
        return delivery

    async def _persist(
        self, number: PhoneNumber, raw: bytes, repeats: tuple[float, ...]
    ) -> tuple[int, int | None, str]:
        attempts = 1
        status, error = await self._attempt(number, raw)
        for pause in repeats:
            if status == 200:
                break
            await asyncio.sleep(pause)
            attempts += 1
            status, error = await self._attempt(number, raw)
        return attempts, status, error

    async def _attempt(self, number: PhoneNumber, raw: bytes) -> tuple[int | None, str]:
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(number.app_secret, raw),
        }
        try:
            async with self._at_once:
                answer = await self._http.post(number.callback_url, content=raw, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            return None, f"{type(problem).__name__}: {problem}"
        return answer.status_code, ""


async def _after(seconds: float, step: Callable[[], None]) -> None:
    await asyncio.sleep(seconds)
    step()
