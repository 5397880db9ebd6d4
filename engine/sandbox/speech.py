"""What customers say: known to the sandbox, counted, and carried to the engine."""

from dataclasses import dataclass

from engine.sandbox.courier import Courier
from engine.sandbox.envelope import JsonObject
from engine.sandbox.options import SandboxOptions
from engine.sandbox.parcels import Letter
from engine.sandbox.state import Person, PhoneNumber, World
from engine.sandbox.webhooks import customer_webhook


@dataclass(frozen=True, slots=True)
class Speech:
    """The way of all messages of customers."""

    world: World
    courier: Courier
    options: SandboxOptions

    async def say(
        self, number: PhoneNumber, person: Person, message: JsonObject, *, retry: bool = False
    ) -> tuple[str, int | None]:
        """Send a message, and return its id and the status of the engine's answer.

        Args:
            message: in Meta's form; an `id` in it makes a redelivery.
            retry: it is repeated until the engine takes it; there is no status then.
        """
        wamid: str = message.get("id") or self.options.wamids()
        at = self.options.clock()
        person.spoke[number.phone_number_id] = at
        self.world.said[wamid] = (number.phone_number_id, person)
        self.world.meter.hear(number.phone_number_id)
        webhook = customer_webhook(number, person, message, wamid=wamid, at=at)
        letter = Letter("message", wamid, webhook)
        if retry:
            self.courier.repeat(number, person, letter)
            return wamid, None
        return wamid, (await self.courier.post(number, person, letter)).status
