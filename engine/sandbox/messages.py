"""The Graph route for messages: takes sends and read receipts.

What a body may say is decided in `rules`, what goes wrong in `ordeal`, and what becomes of a send
that was taken in `arrivals`.
"""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import json_object, permitted_number
from engine.sandbox.arrivals import Arrivals
from engine.sandbox.catalog_messages import catalog_complaint
from engine.sandbox.courier import Courier
from engine.sandbox.cut_off import CutOff
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.flow_messages import flow_complaint, offered_flow
from engine.sandbox.options import SandboxOptions
from engine.sandbox.ordeal import ordeal
from engine.sandbox.phones import digits
from engine.sandbox.rules import complaint
from engine.sandbox.state import Acceptance, Person, PhoneNumber, Receipt, World
from engine.sandbox.template_state import refused_send
from engine.sandbox.webhooks import Sent

WINDOW = timedelta(hours=24)


class Messages:
    """`POST /{version}/{phone_number_id}/messages`."""

    def __init__(self, world: World, courier: Courier, options: SandboxOptions) -> None:
        self._world = world
        self._options = options
        self._arrivals = Arrivals(world, courier, options)
        self._not_on_whatsapp = frozenset(map(digits, options.not_on_whatsapp))

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        return [Route("/{version}/{phone_number_id}/messages", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """Take a send or a read receipt."""
        number = permitted_number(request, self._world)
        body = await json_object(request)
        problem = (
            complaint(body)
            or flow_complaint(self._world, number, body)
            or catalog_complaint(self._world.trade, number, body)
        )
        if problem is not None:
            raise GraphRefusal(problem)
        if body.get("status") is not None:
            return self._mark_read(number, body)
        return await self._send(number, body)

    def _mark_read(self, number: PhoneNumber, body: JsonObject) -> Response:
        receiver, person = self._world.said.get(body["message_id"], (None, None))
        if person is None or receiver != number.phone_number_id:
            raise GraphRefusal(Complaint(100, "Param message_id is not a message of this number"))
        person.receipts.append(Receipt(body["message_id"], bool(body.get("typing_indicator"))))
        return JSONResponse({"success": True})

    async def _send(self, number: PhoneNumber, body: JsonObject) -> Response:
        person = self._recipient(number, body)
        met = await ordeal(self._world, number.phone_number_id, person.phone)
        if met.answer is not None:
            return met.answer
        too_much = self._world.meter.take(number.phone_number_id, person.phone)
        if too_much is not None:
            raise GraphRefusal(too_much)
        if self._options.enforce_templates:
            unknown = refused_send(self._world.templates, number.waba_id, body)
            if unknown is not None:
                raise GraphRefusal(unknown)
        sent = Sent(self._options.wamids(), number, person, body)
        self._accept(sent, met.failure or self._failure(sent), is_cut=met.is_cut)
        return CutOff() if met.is_cut else _accepted(sent)

    def _accept(self, sent: Sent, failure: Complaint | None, *, is_cut: bool) -> None:
        flow = offered_flow(self._world, sent.number, sent.payload)
        if flow is not None:
            flow.sent += 1
        self._world.sends.append(
            Acceptance(
                n=len(self._world.sends) + 1,
                at=self._world.elapsed,
                phone_number_id=sent.number.phone_number_id,
                customer=sent.person.phone,
                wamid=sent.wamid,
                biz_opaque_callback_data=sent.payload.get("biz_opaque_callback_data"),
                type=sent.payload["type"],
                answer="cut" if is_cut else "written",
                failed=None if failure is None else failure.code,
            )
        )
        self._world.bell.ring("sends")
        self._arrivals.expect(sent, failure)

    def _recipient(self, number: PhoneNumber, body: JsonObject) -> Person:
        phone = digits(body.get("to") or "")
        if phone and phone == digits(number.display_phone_number):
            raise GraphRefusal(Complaint(131021, "Sender and recipient are the same number"))
        person = self._world.person(phone) if phone else self._world.person_with(body["recipient"])
        if person is None or person.phone in self._not_on_whatsapp:
            raise GraphRefusal(Complaint(131026, "The recipient is not on WhatsApp"))
        return person

    def _failure(self, sent: Sent) -> Complaint | None:
        if self._options.enforce_window and not self._window_open(sent):
            details = "More than 24 hours have passed since the customer last replied"
            return Complaint(131047, details)
        if sent.payload["type"] == "reaction" and not self._reacts_to_known(sent):
            return Complaint(131009, "The message to react to does not exist")
        return None

    def _window_open(self, sent: Sent) -> bool:
        if sent.payload["type"] == "template":
            return True
        spoke = sent.person.spoke.get(sent.number.phone_number_id)
        return spoke is not None and self._options.clock() - spoke < WINDOW

    def _reacts_to_known(self, sent: Sent) -> bool:
        target = sent.payload["reaction"]["message_id"]
        received = any(message.wamid == target for message in sent.person.messages)
        return received or target in self._world.said


def _accepted(sent: Sent) -> Response:
    message = {"id": sent.wamid}
    if sent.payload["type"] == "template":
        message["message_status"] = "accepted"
    contact = {
        "input": sent.payload["recipient"] if sent.by_user_id else sent.payload["to"],
        "wa_id": "" if sent.by_user_id else sent.person.phone,
        "user_id": sent.person.user_id,
    }
    return JSONResponse(
        {"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]}
    )
