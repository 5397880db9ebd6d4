"""The Graph route for messages: takes sends and read receipts and reports statuses.

What a body may say is not decided here but in `rules`.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import json_object, permitted_number
from engine.sandbox.catalog_messages import catalog_complaint
from engine.sandbox.courier import Courier, Letter
from engine.sandbox.cut_off import CutOff
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.flow_messages import flow_complaint, offered_flow
from engine.sandbox.options import SandboxOptions
from engine.sandbox.rules import complaint
from engine.sandbox.state import Fault, Person, PhoneNumber, Receipt, World, digits
from engine.sandbox.webhooks import Sent, status_webhook

WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Messages:
    """`POST /{version}/{phone_number_id}/messages`."""

    world: World
    courier: Courier
    options: SandboxOptions

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        return [Route("/{version}/{phone_number_id}/messages", self.take, methods=["POST"])]

    async def take(self, request: Request) -> Response:
        """Take a send or a read receipt."""
        number = permitted_number(request, self.world)
        body = await json_object(request)
        problem = (
            complaint(body)
            or flow_complaint(self.world, number, body)
            or catalog_complaint(self.world.trade, number, body)
        )
        if problem is not None:
            raise GraphRefusal(problem)
        if body.get("status") is not None:
            return self._mark_read(number, body)
        return await self._send(number, body)

    def _mark_read(self, number: PhoneNumber, body: JsonObject) -> Response:
        receiver, person = self.world.said.get(body["message_id"], (None, None))
        if person is None or receiver != number.phone_number_id:
            raise GraphRefusal(Complaint(100, "Param message_id is not a message of this number"))
        person.receipts.append(Receipt(body["message_id"], bool(body.get("typing_indicator"))))
        return JSONResponse({"success": True})

    async def _send(self, number: PhoneNumber, body: JsonObject) -> Response:
        person = self._recipient(number, body)
        fault = self.world.take_fault(number.phone_number_id, person.phone)
        if fault is not None:
            await _suffer(fault)
        flow = offered_flow(self.world, number, body)
        if flow is not None:
            flow.sent += 1
        sent = Sent(self.options.wamids(), number, person, body)
        failure = self._failure(sent, fault)
        if failure is None:
            person.receive(sent.wamid, number.phone_number_id, body)
        self.courier.dispatch(number, person, self._statuses(sent, failure))
        await self.world.ring()
        return CutOff() if fault is not None and fault.kind == "drop" else _accepted(sent)

    def _recipient(self, number: PhoneNumber, body: JsonObject) -> Person:
        phone = digits(body.get("to") or "")
        if phone and phone == digits(number.display_phone_number):
            raise GraphRefusal(Complaint(131021, "Sender and recipient are the same number"))
        person = self.world.person(phone) if phone else self.world.person_with(body["recipient"])
        if person is None or person.phone in map(digits, self.options.not_on_whatsapp):
            raise GraphRefusal(Complaint(131026, "The recipient is not on WhatsApp"))
        return person

    def _failure(self, sent: Sent, fault: Fault | None) -> Complaint | None:
        if fault is not None and fault.kind == "fail":
            return Complaint(fault.code, "Injected by the sandbox")
        if self.options.enforce_window and not self._window_open(sent):
            details = "More than 24 hours have passed since the customer last replied"
            return Complaint(131047, details)
        if sent.payload["type"] == "reaction" and not self._reacts_to_known(sent):
            return Complaint(131009, "The message to react to does not exist")
        return None

    def _window_open(self, sent: Sent) -> bool:
        if sent.payload["type"] == "template":
            return True
        spoke = sent.person.spoke.get(sent.number.phone_number_id)
        return spoke is not None and self.options.clock() - spoke < WINDOW

    def _reacts_to_known(self, sent: Sent) -> bool:
        target = sent.payload["reaction"]["message_id"]
        received = any(message.wamid == target for message in sent.person.messages)
        return received or target in self.world.said

    def _statuses(self, sent: Sent, failure: Complaint | None) -> Iterator[Letter]:
        for status in self._journey(sent, failure):
            write = partial(self._status, sent, status, failure)
            yield Letter(status, sent.wamid, write)

    def _journey(self, sent: Sent, failure: Complaint | None) -> tuple[str, ...]:
        if failure is not None:
            return ("failed",)
        if not self.options.statuses:
            return ()
        # Meta reports no more than this about a reaction.
        if sent.payload["type"] == "reaction":
            return ("sent",)
        return ("sent", "delivered", "read") if self.options.read else ("sent", "delivered")

    def _status(self, sent: Sent, status: str, failure: Complaint | None) -> JsonObject:
        return status_webhook(sent, status, at=self.options.clock(), complaint=failure)


async def _suffer(fault: Fault) -> None:
    if fault.kind == "refuse":
        reason = Complaint(fault.code, "Injected by the sandbox")
        raise GraphRefusal(reason, http_status=fault.http_status, injected=True)
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)


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
