"""What a business's own people type on its phone: the sandbox's route for it, and its webhook.

Meta tells of it in the field `smb_message_echoes`; the shape is from memory (`engine.whatsapp`
reads it tolerantly). What the engine sends through the Graph API has no echo.
"""

from dataclasses import dataclass
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.bodies import checked_body
from engine.sandbox.courier import Courier
from engine.sandbox.envelope import JsonObject
from engine.sandbox.options import SandboxOptions
from engine.sandbox.parcels import Letter
from engine.sandbox.phones import digits
from engine.sandbox.shapes import shape, text
from engine.sandbox.state import Person, PhoneNumber, World
from engine.sandbox.webhooks import timestamp

TYPED = shape({"phone_number_id": text(), "text": text(), "id?": text()})


@dataclass(frozen=True, slots=True)
class StaffControl:
    """The route with which programs let staff type on the business phone."""

    world: World
    courier: Courier
    options: SandboxOptions

    def routes(self) -> list[Route]:
        """Return the control route."""
        return [Route("/sandbox/customers/{phone}/echoes", self.type_, methods=["POST"])]

    async def type_(self, request: Request) -> Response:
        """Let staff type to a customer; an `id` makes a redelivery."""
        body = await checked_body(request, TYPED)
        number = self.world.phones.get(body["phone_number_id"])
        if number is None:
            raise HTTPException(404, f"No phone number {body['phone_number_id']} is registered")
        if not digits(request.path_params["phone"]):
            raise HTTPException(400, "A customer's phone number has digits")
        person = self.world.person(request.path_params["phone"])
        wamid: str = body.get("id") or self.options.wamids()
        webhook = echo_webhook(number, person, body["text"], wamid=wamid, at=self.options.clock())
        delivery = await self.courier.post(number, person, Letter("echo", wamid, webhook))
        return JSONResponse({"wamid": wamid, "status": delivery.status})


def echo_webhook(
    number: PhoneNumber, person: Person, words: str, *, wamid: str, at: datetime
) -> JsonObject:
    """Build the webhook of something staff typed to a customer."""
    business = digits(number.display_phone_number)
    echo = {
        "from": business,
        "to": person.phone,
        "id": wamid,
        "timestamp": timestamp(at),
        "type": "text",
        "text": {"body": words},
    }
    metadata = {"display_phone_number": business, "phone_number_id": number.phone_number_id}
    value = {"messaging_product": "whatsapp", "metadata": metadata, "message_echoes": [echo]}
    change = {"field": "smb_message_echoes", "value": value}
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": number.waba_id, "time": int(at.timestamp()), "changes": [change]}],
    }
