"""A Flow as a customer for programs has it open: over the control routes, like all he does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from engine.sandbox.device.form import NotPossible
from engine.sandbox.device.screen import screen_lines
from engine.sandbox.envelope import JsonObject

# What the transport may take on top of the seconds a long poll waits.
PATIENCE = 30.0


@dataclass(slots=True)
class OpenFlow:
    """A Flow that a customer has opened; it shows what he sees after each thing he does.

    Args:
        http: a client whose `base_url` is the sandbox.
        path: of the customer's Flows there.
        wamid: the message it was opened from.
        state: `open`, `finished`, `failed` or `closed`; a failed one may be tried again.
        screen: what he sees, if it is a screen.
        error: why it failed: `key`, `message`, and what is `shown` to him.
        reply: the message that ended it: `wamid`, `status` and `response`, if it was sent.
        status: the HTTP status of the endpoint's last answer.
        url: the web page that was opened.
    """

    http: httpx.AsyncClient
    path: str
    wamid: str
    state: str = field(default="open", init=False)
    screen: JsonObject | None = field(default=None, init=False)
    error: JsonObject | None = field(default=None, init=False)
    reply: JsonObject | None = field(default=None, init=False)
    status: int | None = field(default=None, init=False)
    url: str | None = field(default=None, init=False)

    @property
    def lines(self) -> list[str]:
        """Return the screen as lines for a terminal."""
        return [] if self.screen is None else screen_lines(self.screen)

    async def open(self) -> None:
        """Tap the message's button, perhaps again."""
        self._see(await self._post(self.path, {"wamid": self.wamid}))

    async def submit(
        self,
        values: Mapping[str, object] | None = None,
        *,
        component: str | None = None,
        reply: bool = True,
        omit_token: bool = False,
    ) -> None:
        """Fill in what is given and press a button.

        Args:
            values: by the inputs' names; of a choice the ids, or the titles as they are shown.
            component: what to press; the Footer by default.
            reply: the message that ends the Flow is sent; else the business never gets it.
            omit_token: it comes without the flow token, as from iOS.

        Raises:
            NotPossible: the phone does not let him do this.
        """
        pressed = {} if component is None else {"component": component}
        body = {"values": dict(values or {}), "reply": reply, "omit_token": omit_token} | pressed
        self._see(await self._post(self._own("submit"), body))

    async def select(self, name: str, value: object) -> None:
        """Enter something in one input, or choose.

        Raises:
            NotPossible: it does not take this.
        """
        self._see(await self._post(self._own("select"), {"name": name, "value": value}))

    async def back(self) -> None:
        """Go back to the screen before.

        Raises:
            NotPossible: there is none.
        """
        self._see(await self._post(self._own("back"), {}))

    async def close(self) -> None:
        """Leave the Flow without an answer to the business."""
        self._see(await self._post(self._own("close"), {}))

    async def raw(self, document: object) -> tuple[int | None, Any]:
        """Post any document, sealed and signed; return status and decrypted answer, unchecked."""
        answer = await self._post(self._own("submit"), {"raw": document})
        return answer["status"], answer["answer"]

    async def raw_body(self, text: str) -> tuple[int | None, Any]:
        """Post any text as it is, signed; return status and answer as they are."""
        answer = await self._post(self._own("submit"), {"raw_body": text})
        return answer["status"], answer["answer"]

    def _own(self, step: str) -> str:
        return f"{self.path}/{quote(self.wamid, safe='')}/{step}"

    async def _post(self, path: str, body: JsonObject) -> JsonObject:
        answer = await self.http.post(path, json=body, timeout=PATIENCE)
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise NotPossible(answer.text)
        answer.raise_for_status()
        said: JsonObject = answer.json()
        return said

    def _see(self, answer: JsonObject) -> None:
        self.state, self.screen, self.error = (answer[key] for key in ("state", "screen", "error"))
        self.reply, self.status, self.url = (answer[key] for key in ("reply", "status", "url"))
