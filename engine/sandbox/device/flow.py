"""A Flow that is open on a customer's phone: the way he takes through its screens.

What an answer must be is decided in `device_checks`, what can be entered in `device_form`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.sandbox.device.checks import SCHEMA, BadAnswer, Move, check_move
from engine.sandbox.device.components import FOOTER, actions_of_choice, pressed
from engine.sandbox.device.expressions import ExpressionFault
from engine.sandbox.device.form import NotPossible, hindrances
from engine.sandbox.device.invitation import Invitation
from engine.sandbox.device.line import GENERIC, Line, NoAnswer
from engine.sandbox.device.visit import Visit
from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.routing import entry_screens

State = Literal["open", "finished", "failed", "closed"]

BAD_ACTION = "invalid-action"
BAD_EXPRESSION = "invalid-expression"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a Flow cannot go on; `shown` is what the person reads."""

    key: str
    message: str
    shown: str = GENERIC


class FlowRun:
    """One opening of a Flow, from the tap on the message's button on.

    After a failure the person sees the last right screen and may try again.

    Args:
        invitation: what opens it.
        line: the way to the endpoint.
    """

    def __init__(self, invitation: Invitation, line: Line) -> None:
        self.invitation = invitation
        self.state: State = "open"
        self.status: int | None = None
        self.failure: Failure | None = None
        self.outcome: JsonObject | None = None
        self.url: str | None = None
        self._line = line
        self._trail: list[Visit] = []
        self._passed: dict[str, Visit] = {}

    @property
    def screen(self) -> JsonObject | None:
        """Return the screen as the person sees it, if there is one."""
        over = not self._trail or self.state in ("finished", "closed")
        return None if over else self._trail[-1].described()

    async def open(self) -> None:
        """Show the first screen."""
        parameters = self.invitation.parameters
        if parameters.get("flow_action") == "data_exchange":
            await self._ask("INIT", {})
            return
        given = parameters.get("flow_action_payload", {})
        first = given.get("screen") or entry_screens(self.invitation.document)[0]
        try:
            self._show([], self._visit(first, given.get("data", {})))
        except (BadAnswer, ExpressionFault) as problem:
            self._fail(_failure(problem))

    async def choose(self, name: str, given: object) -> None:
        """Enter something in an input, or choose; what hangs on the choice is done.

        Raises:
            NotPossible: there is no such input, or it does not take this.
        """
        visit = self._here()
        component, before, after = visit.take(name, given)
        if after == before:
            return
        try:
            visit.draw()
        except (BadAnswer, ExpressionFault) as problem:
            self._fail(_failure(problem))
            return
        for action in actions_of_choice(component, before, after):
            await self._do(visit, action)

    async def press(self, wanted: str = FOOTER) -> None:
        """Press a button, a link or an entry of a list.

        Raises:
            NotPossible: there is none, it is disabled, or the form is not filled in.
        """
        visit = self._here()
        found = pressed(visit.components, wanted)
        if found is None:
            raise NotPossible(f"{visit.screen} has nothing to press that is called {wanted!r}")
        component, action = found
        if not component.is_enabled:
            raise NotPossible(f"{component.label!r} is disabled")
        if component.type == FOOTER:
            inputs = [one for one in visit.components if one.is_input]
            reasons = (why for one in inputs for why in hindrances(one, visit.form[one.name]))
            reason = next(reasons, None)
            if reason is not None:
                raise NotPossible(reason)
        await self._do(visit, action)

    async def back(self) -> None:
        """Go back to the screen before.

        Raises:
            NotPossible: this is the first one.
        """
        visit = self._here()
        if len(self._trail) == 1:
            raise NotPossible(f"There is no screen before {visit.screen}; it can be closed")
        if visit.body.get("refresh_on_back"):
            await self._ask("BACK", {})
            return
        self._trail.pop()
        self._trail[-1].message = None
        self._recover()

    def close(self) -> None:
        """Leave the Flow; the business does not hear of it."""
        if self.state != "finished":
            self.state = "closed"

    def _here(self) -> Visit:
        if not self._trail or self.state in ("finished", "closed"):
            raise NotPossible(f"The Flow shows no screen: it is {self.state}")
        self.url = None
        return self._trail[-1]

    def _visit(self, screen: str, data: JsonObject) -> Visit:
        return Visit(self.invitation.document, screen, data, self._passed)

    def _check_move(self, action: str, target: str) -> None:
        trail = [one.screen for one in self._trail]
        check_move(self.invitation.document, Move(action, trail, target))

    def _show(self, before: list[Visit], visit: Visit) -> None:
        """Go to a screen, unless something is wrong with it."""
        visit.draw()
        self._trail = [*before, visit]
        self._passed[visit.screen] = visit
        self._recover()

    async def _do(self, visit: Visit, action: JsonObject) -> None:
        try:
            payload = visit.resolve(action.get("payload", {}))
            if action["name"] == "navigate":
                self._navigate(action["next"]["name"], payload)
            elif action["name"] == "complete":
                self._complete(visit, payload)
            elif action["name"] == "update_data":
                visit.data = visit.data | payload
                visit.draw()
            elif action["name"] == "open_url":
                self.url = str(visit.resolve(action["url"]))
        except (BadAnswer, ExpressionFault) as problem:
            self._fail(_failure(problem))
            return
        if action["name"] == "data_exchange":
            await self._ask("data_exchange", payload)

    def _navigate(self, target: str, payload: JsonObject) -> None:
        visit = self._visit(target, payload)
        self._check_move("navigate", target)
        self._show(self._trail, visit)

    def _complete(self, visit: Visit, payload: JsonObject) -> None:
        if not visit.body.get("terminal"):
            raise BadAnswer(BAD_ACTION, f"{visit.screen} is not terminal: it cannot complete")
        self._finish({"flow_token": self.invitation.token} | payload)

    def _finish(self, outcome: JsonObject) -> None:
        self.outcome = outcome
        self.state = "finished"
        self.failure = None

    async def _ask(self, action: str, data: JsonObject) -> None:
        """Ask the endpoint what to show, and show it."""
        here = self._trail[-1].screen if self._trail else ""
        request = self.invitation.request(action, here, data)
        try:
            answer, said = await self._line.ask(
                self.invitation.number, self.invitation.endpoint, request
            )
        except NoAnswer as problem:
            self.status = problem.status
            self._fail(Failure(problem.key, problem.sentence, problem.shown))
            return
        self.status = answer.status
        try:
            self._take(action, said)
        except (BadAnswer, ExpressionFault) as problem:
            self._fail(_failure(problem))
            await self._complain(action, here, _failure(problem))

    def _take(self, action: str, said: object) -> None:
        target, data = _read(said)
        if target.upper() == "SUCCESS":
            self._finish(_outcome(data))
            return
        visit = self._visit(target, data)
        self._check_move(action, target)
        before = self._trail
        for place, one in enumerate(self._trail):
            if one.screen == target:
                before = self._trail[:place]
                visit.keep(one)
        self._show(before, visit)

    async def _complain(self, action: str, screen: str, failure: Failure) -> None:
        """Tell the endpoint that its answer was bad; what it says to that matters to nobody."""
        named = "INIT" if action == "INIT" else "data_exchange"
        data = {"error": failure.key, "error_message": failure.message}
        notice = self.invitation.request(named, screen, data)
        try:
            await self._line.ask(self.invitation.number, self.invitation.endpoint, notice)
        except NoAnswer:
            return

    def _fail(self, failure: Failure) -> None:
        self.state = "failed"
        self.failure = failure

    def _recover(self) -> None:
        self.state = "open"
        self.failure = None


def _failure(problem: BadAnswer | ExpressionFault) -> Failure:
    key = problem.key if isinstance(problem, BadAnswer) else BAD_EXPRESSION
    return Failure(key, str(problem))


def _read(said: object) -> tuple[str, JsonObject]:
    if not isinstance(said, dict) or not isinstance(said.get("screen"), str):
        raise BadAnswer(SCHEMA, "The answer names no screen")
    data = said.get("data", {})
    if not isinstance(data, dict):
        raise BadAnswer(SCHEMA, "The data of the answer must be an object")
    return said["screen"], data


def _outcome(data: Mapping[str, object]) -> JsonObject:
    response = data.get("extension_message_response")
    params = response.get("params") if isinstance(response, dict) else None
    if not isinstance(params, dict):
        raise BadAnswer(SCHEMA, "SUCCESS needs data.extension_message_response.params")
    return params
