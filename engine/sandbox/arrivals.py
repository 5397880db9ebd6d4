"""What becomes of a message that was taken: it comes into the chat or fails, and is reported."""

from dataclasses import dataclass

from engine.sandbox.courier import Courier
from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.options import SandboxOptions
from engine.sandbox.parcels import Letter
from engine.sandbox.state import World
from engine.sandbox.webhooks import Sent, status_webhook

MEDIA = ("image", "video", "document")


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The way of all messages of businesses."""

    world: World
    courier: Courier
    options: SandboxOptions

    def expect(self, sent: Sent, failure: Complaint | None) -> None:
        """Let a message arrive or fail: at once, or later if its medium takes time."""
        delay = self.world.media_delay
        if delay and shows_medium(sent.payload):
            self.courier.later(delay, lambda: self._arrive(sent, failure))
        else:
            self._arrive(sent, failure)

    def _arrive(self, sent: Sent, failure: Complaint | None) -> None:
        person = sent.person
        if failure is None:
            person.receive(sent.wamid, sent.number.phone_number_id, sent.payload)
            self.world.bell.ring(person.phone)
        statuses = self._journey(sent, failure)
        letters = (self._letter(sent, status, failure) for status in statuses)
        self.courier.dispatch(sent.number, person, letters)

    def _journey(self, sent: Sent, failure: Complaint | None) -> tuple[str, ...]:
        if failure is not None:
            return ("failed",)
        if not self.options.statuses:
            return ()
        # Meta reports no more than this about a reaction.
        if sent.payload["type"] == "reaction":
            return ("sent",)
        return ("sent", "delivered", "read") if self.options.read else ("sent", "delivered")

    def _letter(self, sent: Sent, status: str, failure: Complaint | None) -> Letter:
        body = status_webhook(sent, status, at=self.options.clock(), complaint=failure)
        return Letter(status, sent.wamid, body)


def shows_medium(payload: JsonObject) -> bool:
    """Tell whether a message shows an image, a video or a document."""
    kind: str = payload["type"]
    if kind == "interactive":
        kind = (payload["interactive"].get("header") or {}).get("type", "")
    return kind in MEDIA
