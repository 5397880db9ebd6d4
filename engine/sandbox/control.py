"""The sandbox's own routes under `/sandbox`; Meta has nothing like them.

Programs register numbers here, let customers speak, see what happened and make things go wrong.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from engine.sandbox.batches import Batches
from engine.sandbox.bodies import checked_body
from engine.sandbox.courier import Courier
from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.faults import Fault, FaultKind
from engine.sandbox.flow_state import STATUSES, Flow
from engine.sandbox.listing import listing
from engine.sandbox.options import SandboxOptions
from engine.sandbox.parcels import Letter
from engine.sandbox.phones import digits
from engine.sandbox.shapes import flag, integer, number, one_of, shape, string, text
from engine.sandbox.speech import Speech
from engine.sandbox.state import Person, PhoneNumber, Received, World
from engine.sandbox.webhooks import flow_webhook

LONGEST_FAULT = 600

ADDRESS = text(like=r"https?://\S+")


def address_or_nothing(path: str, value: Any) -> Iterator[Complaint]:
    """Want a web address, or an empty string."""
    if value != "":
        yield from ADDRESS(path, value)


PHONE = shape(
    {
        "phone_number_id": text(),
        "display_phone_number": text(),
        "token": text(),
        "callback_url": ADDRESS,
        "app_secret": text(),
        "waba_id": text(),
        "business_id?": string,
        "catalog_callback_url?": address_or_nothing,
    }
)
TOKEN = shape({"token": text()})
SPEECH = shape(
    {
        "phone_number_id": text(),
        "message": shape({"type": text(), "id?": text()}, closed=False),
        "name?": text(),
        "user_id?": text(),
        "username?": text(),
        "hide_phone?": flag,
        "retry?": flag,
    }
)
FAULT = shape(
    {
        "kind": one_of(*get_args(FaultKind)),
        "times?": integer(1, 1_000_000),
        "code?": integer(0, 9_999_999),
        "http_status?": integer(400, 599),
        "seconds?": number(0, LONGEST_FAULT),
        "phone_number_id?": text(),
        "to?": text(),
    }
)
FLOW_CHANGE = shape({"status": one_of(*STATUSES)})


@dataclass(frozen=True, slots=True)
class Control:
    """The routes with which programs drive the sandbox."""

    world: World
    courier: Courier
    batches: Batches
    options: SandboxOptions

    @property
    def speech(self) -> Speech:
        """Return the way of what customers say."""
        return Speech(self.world, self.courier, self.options)

    def routes(self) -> list[Mount]:
        """Return the control routes."""
        messages = "/customers/{phone}/messages"
        return [
            Mount(
                "/sandbox",
                routes=[
                    Route("/phones", self.register, methods=["POST"]),
                    Route("/tokens/{phone_number_id}", self.change_token, methods=["POST"]),
                    Route(messages, self.speak, methods=["POST"]),
                    Route(messages, self.messages, methods=["GET"]),
                    Route("/customers/{phone}/receipts", self.receipts, methods=["GET"]),
                    Route("/flows", self.flows, methods=["GET"]),
                    Route("/flows/{flow_id}", self.change_flow, methods=["POST"]),
                    Route("/flows/{flow_id}/flow.json", self.flow_json, methods=["GET"]),
                    Route("/refusals", self.refusals, methods=["GET"]),
                    Route("/deliveries", self.deliveries, methods=["GET"]),
                    Route("/faults", self.break_next, methods=["POST"]),
                    Route("/reset", self.reset, methods=["POST"]),
                ],
            )
        ]

    async def register(self, request: Request) -> Response:
        """Register a business phone number, or replace it."""
        phone = PhoneNumber(**await checked_body(request, PHONE))
        self.world.phones[phone.phone_number_id] = phone
        return JSONResponse(asdict(phone), status_code=201)

    async def change_token(self, request: Request) -> Response:
        """Let a phone number accept another token; the one it had has expired."""
        number = self._number(request.path_params["phone_number_id"])
        number = replace(number, **await checked_body(request, TOKEN))
        self.world.phones[number.phone_number_id] = number
        return JSONResponse({"success": True})

    async def speak(self, request: Request) -> Response:
        """Let a customer send something, and answer with what the engine answered.

        When it is to be repeated until the engine takes it, the answer comes at once.
        """
        body = await checked_body(request, SPEECH)
        business = self._number(body["phone_number_id"])
        person = self._introduced(request.path_params["phone"], body)
        retry = body.get("retry", False)
        wamid, status = await self.speech.say(business, person, body["message"], retry=retry)
        return JSONResponse({"wamid": wamid, "status": status})

    async def messages(self, request: Request) -> Response:
        """List what a customer received, of one number if asked; waits for more when asked to."""
        phone = digits(request.path_params["phone"])
        only = request.query_params.get("phone_number_id")

        def received(after: int) -> list[Received]:
            person = self.world.people.get(phone)
            messages = person.messages[after:] if person is not None else []
            return [one for one in messages if only in (None, one.phone_number_id)]

        return await listing(request, self.world.bell, phone, received)

    async def receipts(self, request: Request) -> Response:
        """List which messages of a customer the business marked as read."""
        person = self.world.people.get(digits(request.path_params["phone"]))
        return JSONResponse([asdict(one) for one in person.receipts] if person is not None else [])

    async def flows(self, _: Request) -> Response:
        """List the Flows of all accounts, as Meta keeps them."""
        return JSONResponse([asdict(flow) for flow in self.world.flows.values()])

    async def change_flow(self, request: Request) -> Response:
        """Give a Flow another status, as Meta's monitoring does, and tell its account."""
        flow = self._flow(request)
        number = next(iter(self.world.numbers_of(flow.waba_id)), None)
        if number is None:
            raise HTTPException(404, f"No phone number of account {flow.waba_id} is registered")
        old_status = flow.become((await checked_body(request, FLOW_CHANGE))["status"])
        webhook = flow_webhook(flow, old_status, at=self.options.clock())
        letter = Letter("flow", flow.id, webhook)
        delivery = await self.courier.tell(number, letter)
        return JSONResponse({"id": flow.id, "status": delivery.status})

    async def flow_json(self, request: Request) -> Response:
        """Answer with the Flow JSON that was uploaded last, as it was written."""
        return Response(self._flow(request).text, media_type="application/json")

    async def refusals(self, request: Request) -> Response:
        """List the Graph requests that were refused, and why."""
        world = self.world
        return await listing(request, world.bell, "refusals", lambda after: world.refusals[after:])

    async def deliveries(self, request: Request) -> Response:
        """List the webhooks that were posted, and how that ended."""
        world = self.world
        return await listing(
            request, world.bell, "deliveries", lambda after: world.deliveries[after:]
        )

    async def break_next(self, request: Request) -> Response:
        """Arm a fault for the next sends."""
        wanted = await checked_body(request, FAULT)
        fault = Fault(**wanted | {"seconds": float(wanted.get("seconds", 0))})
        self.world.faults.arm(fault)
        return JSONResponse(asdict(fault), status_code=201)

    async def reset(self, _: Request) -> Response:
        """Forget everything but what the sandbox was started with."""
        await self.batches.forget()
        await self.courier.forget()
        self.world.reset()
        return JSONResponse({"success": True})

    def _number(self, phone_number_id: str) -> PhoneNumber:
        number = self.world.phones.get(phone_number_id)
        if number is None:
            raise HTTPException(404, f"No phone number {phone_number_id} is registered")
        return number

    def _flow(self, request: Request) -> Flow:
        flow = self.world.flows.get(request.path_params["flow_id"])
        if flow is None:
            raise HTTPException(404, f"There is no Flow {request.path_params['flow_id']}")
        return flow

    def _introduced(self, phone: str, body: JsonObject) -> Person:
        if not digits(phone):
            raise HTTPException(400, "A customer's phone number has digits")
        person = self.world.person(phone)
        person.name = body.get("name", person.name)
        self.world.identify(person, body.get("user_id", person.user_id))
        person.username = body.get("username", person.username)
        person.hides_phone = body.get("hide_phone", person.hides_phone)
        return person
