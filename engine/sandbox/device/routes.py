"""The routes with which programs use a customer's phone: open a Flow, fill it in, leave it."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.bodies import checked_body
from engine.sandbox.courier import Courier
from engine.sandbox.device.components import FOOTER
from engine.sandbox.device.crypto import Unreadable
from engine.sandbox.device.flow import Failure, FlowRun
from engine.sandbox.device.form import NotPossible
from engine.sandbox.device.invitation import flow_parameters, flow_reply, invitation
from engine.sandbox.device.line import PATIENCE, Line, NoAnswer
from engine.sandbox.device.memory import Memory
from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.options import SandboxOptions
from engine.sandbox.phones import digits
from engine.sandbox.shapes import flag, mapping, shape, string, text
from engine.sandbox.speech import Speech
from engine.sandbox.state import Person, Received, World


def anything(_path: str, _value: Any) -> Iterator[Complaint]:
    """Want no more than that it is there."""
    return iter(())


OPENING = shape({"wamid": text()})
SUBMISSION = shape(
    {
        "values?": mapping(),
        "component?": text(),
        "reply?": flag,
        "omit_token?": flag,
        "raw?": anything,
        "raw_body?": string,
    }
)
SELECTION = shape({"name": text(), "value": anything})


class Devices:
    """The customers' phones.

    Args:
        patience: seconds an endpoint has to answer.
    """

    def __init__(
        self,
        world: World,
        courier: Courier,
        options: SandboxOptions,
        *,
        patience: float = PATIENCE,
    ) -> None:
        self._world = world
        self._speech = Speech(world, courier, options)
        self._line = Line(world, patience=patience)
        self._remembered = Memory(world.people)

    def routes(self) -> list[Route]:
        """Return the routes; they begin with `/sandbox`, so they go before `Control`'s mount."""
        flows = "/sandbox/customers/{phone}/flows"
        # A message's id may hold a slash.
        flow = f"{flows}/{{wamid:path}}"
        return [
            Route(flows, self.open, methods=["POST"]),
            Route(f"{flow}/submit", self.submit, methods=["POST"]),
            Route(f"{flow}/select", self.select, methods=["POST"]),
            Route(f"{flow}/back", self.back, methods=["POST"]),
            Route(f"{flow}/close", self.close, methods=["POST"]),
            Route("/sandbox/flow-errors", self.errors, methods=["GET"]),
        ]

    async def open(self, request: Request) -> Response:
        """Tap the button of a flow message."""
        body = await checked_body(request, OPENING)
        person, message = self._received(request, body["wamid"])
        memory = self._memory()
        failure = memory.disabled.get(message.wamid)
        if failure is not None:
            return JSONResponse(_answer(state="failed", error=asdict(failure)))
        try:
            run = FlowRun(invitation(self._world, person, message), self._line)
        except NoAnswer as problem:
            failure = Failure(problem.key, problem.sentence, problem.shown)
            memory.note(person, message.wamid, failure)
            return JSONResponse(_answer(state="failed", error=asdict(failure)))
        memory.runs[message.wamid] = run
        return await self._use(run, run.open)

    async def submit(self, request: Request) -> Response:
        """Fill in the form and press a button; or post something as it is given."""
        body = await checked_body(request, SUBMISSION)
        wamid = request.path_params["wamid"]
        if "raw" in body or "raw_body" in body:
            return await self._post(*self._received(request, wamid), body)
        run = self._run(request)

        async def fill_and_press() -> None:
            failure = run.failure
            for name, value in body.get("values", {}).items():
                await run.choose(name, value)
                if run.state == "finished" or run.failure is not failure:
                    return
            await run.press(body.get("component", FOOTER))

        reply = {key: body[key] for key in ("reply", "omit_token") if key in body}
        return await self._use(run, fill_and_press, **reply)

    async def select(self, request: Request) -> Response:
        """Enter something in one input, or choose."""
        body = await checked_body(request, SELECTION)
        run = self._run(request)
        return await self._use(run, lambda: run.choose(body["name"], body["value"]))

    async def back(self, request: Request) -> Response:
        """Go back to the screen before."""
        run = self._run(request)
        return await self._use(run, run.back)

    async def close(self, request: Request) -> Response:
        """Leave the Flow."""
        run = self._run(request)
        run.close()
        return JSONResponse(_answer_of(run))

    async def errors(self, _: Request) -> Response:
        """List the Flows that could not go on, and why."""
        return JSONResponse([asdict(one) for one in self._memory().errors])

    def _memory(self) -> Memory:
        # After a reset the world has other people: what the phones remember is gone with theirs.
        if self._remembered.people is not self._world.people:
            self._remembered = Memory(self._world.people)
            self._line.forget()
        return self._remembered

    def _received(self, request: Request, wamid: str) -> tuple[Person, Received]:
        person = self._world.people.get(digits(request.path_params["phone"]))
        messages = [] if person is None else person.messages
        for message in messages:
            if person is not None and message.wamid == wamid and flow_parameters(message):
                return person, message
        raise HTTPException(404, f"This customer received no flow message {wamid}")

    def _run(self, request: Request) -> FlowRun:
        wamid = request.path_params["wamid"]
        run = self._memory().runs.get(wamid)
        if run is None or run.invitation.person.phone != digits(request.path_params["phone"]):
            raise HTTPException(404, f"This customer has no Flow open from the message {wamid}")
        return run

    async def _use(
        self,
        run: FlowRun,
        step: Callable[[], Awaitable[None]],
        *,
        reply: bool = True,
        omit_token: bool = False,
    ) -> Response:
        """Let the person do something, one thing after the other, and tell what he sees then."""
        wamid = run.invitation.wamid
        memory = self._memory()
        sent: JsonObject | None = None
        async with memory.locks[wamid]:
            failure = run.failure
            try:
                await step()
            except NotPossible as reason:
                raise HTTPException(400, str(reason)) from reason
            if run.failure is not None and run.failure is not failure:
                memory.note(run.invitation.person, wamid, run.failure, run)
            if run.state == "finished" and reply:
                sent = await self._reply(run, omit_token=omit_token)
        return JSONResponse(_answer_of(run) | {"reply": sent})

    async def _reply(self, run: FlowRun, *, omit_token: bool) -> JsonObject:
        """Send the message that ends a Flow; on iOS it may come without the token."""
        response = dict(run.outcome or {})
        if omit_token:
            response.pop("flow_token", None)
        opened = run.invitation
        message = flow_reply(response, opened.wamid)
        wamid, status = await self._speech.say(opened.number, opened.person, message)
        return {"wamid": wamid, "status": status, "response": response}

    async def _post(self, person: Person, message: Received, body: JsonObject) -> Response:
        """Post a request as no phone would word it, and tell what came back, unchecked."""
        try:
            opened = invitation(self._world, person, message)
            if "raw_body" in body:
                raw = body["raw_body"].encode()
                answer = await self._line.post(opened.number, opened.endpoint, raw)
                return JSONResponse({"status": answer.status, "answer": answer.text})
            answer, key = await self._line.exchange(opened.number, opened.endpoint, body["raw"])
        except NoAnswer as problem:
            return JSONResponse({"status": None, "answer": None, "error": problem.sentence})
        try:
            said = key.open_answer(answer.text)
        except Unreadable:
            said = answer.text
        return JSONResponse({"status": answer.status, "answer": said})


def _answer_of(run: FlowRun) -> JsonObject:
    error = None if run.failure is None else asdict(run.failure)
    answer = _answer(state=run.state, error=error)
    return answer | {"screen": run.screen, "status": run.status, "url": run.url}


def _answer(*, state: str, error: JsonObject | None) -> JsonObject:
    nothing: JsonObject = dict.fromkeys(("screen", "reply", "status", "url"))
    return {"state": state, "error": error} | nothing
