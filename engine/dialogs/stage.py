"""A stage: one customer's conversation, what he does in it and what he sees of it, line by line.

What a dialog's steps are is not known here.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import httpx

from engine.errors import EngineError
from engine.playground import Playground
from engine.sandbox import Customer, NotPossible, OpenFlow, Received
from engine.sandbox.choices import Choice, choices
from engine.spec.problems import did_you_mean
from engine.transcript import lines

MOST_OFFERED = 12
"""So many titles are listed to who looks for one that is not there."""


class DialogFailed(EngineError):
    """A step cannot be played, or what it expects does not hold."""


class Stage:
    """One customer's conversation: what he does, and what he sees of it.

    Args:
        show: gets every line of the transcript as it comes.
    """

    def __init__(
        self, playground: Playground, customer: Customer, *, show: Callable[[str], None]
    ) -> None:
        self.customer = customer
        self.received: list[Received] = []
        self._playground = playground
        self._show = show
        self._flow: OpenFlow | None = None

    # What he does ----------------------------------------------------------------------------

    async def say(self, text: str) -> None:
        """Write something, and see the answer."""
        self._show(f"customer: {text}")
        await self._sent(self.customer.say(text))
        await self.see()

    async def tap(self, wanted: str, *, oldest: bool = False) -> None:
        """Tap a row or button by its title or wire id, the newest one unless told otherwise.

        Raises:
            DialogFailed: nothing is called so.
        """
        found = self.offered(wanted, oldest=oldest)
        if found is None:
            raise DialogFailed(self._nothing_called(wanted))
        await self.choose(found)

    async def choose(self, choice: Choice) -> None:
        """Tap a row or button, and see the answer."""
        old = " (of an older message)" if choice.wamid != self.received[-1].wamid else ""
        self._show(f"customer taps: {choice.title}{old}")
        await self._sent(self.customer.send_raw(choice.reply()))
        await self.see()

    def offered(self, wanted: str, *, oldest: bool = False) -> Choice | None:
        """Find a row or button by its title or wire id, the newest one unless told otherwise."""
        messages = self.received if oldest else reversed(self.received)
        offered = (choice for message in messages for choice in choices(message))
        return next((c for c in offered if wanted in (c.title, c.id)), None)

    def _nothing_called(self, wanted: str) -> str:
        titles = [c.title for m in reversed(self.received) for c in choices(m)]
        known = list(dict.fromkeys(titles))
        if not known:
            return f"nothing to tap is called '{wanted}': no message offers anything yet"
        hint = did_you_mean(wanted, known) or f"there are: {', '.join(known[:MOST_OFFERED])}"
        return f"nothing to tap is called '{wanted}'; {hint}"

    async def send(self, message: dict[str, object], shown: str) -> None:
        """Send a message as WhatsApp would, and see the answer."""
        self._show(f"customer sends: {shown}")
        await self._sent(self.customer.send_raw(message))
        await self.see()

    async def share(self, latitude: float, longitude: float, name: str, address: str) -> None:
        """Share a place, and see the answer."""
        self._show(f"customer shares a place: {name or f'{latitude}, {longitude}'}")
        await self._sent(
            self.customer.share_location(
                latitude, longitude, name=name or None, address=address or None
            )
        )
        await self.see()

    async def _sent(self, sending: Awaitable[object]) -> None:
        try:
            await sending
        except httpx.HTTPStatusError as error:
            raise DialogFailed(f"WhatsApp does not send this: {error.response.text}") from error

    # Flows -----------------------------------------------------------------------------------

    @property
    def flow(self) -> OpenFlow | None:
        """Give the Flow he has open."""
        return self._flow if self._flow and self._flow.state == "open" else None

    async def open_flow(self) -> None:
        """Open the newest Flow, and see its first screen.

        Raises:
            DialogFailed: there is none, or it does not open.
        """
        try:
            self._flow = await self.customer.open_flow()
        except LookupError as error:
            raise DialogFailed("no message with a Flow has come; are `flows` on?") from error
        self._show("customer opens the Flow")
        await self._see_flow()

    async def enter(self, name: str, value: object) -> None:
        """Enter something in an input of the screen, or choose, by the input's name.

        Raises:
            DialogFailed: it does not take this.
        """
        flow = self._open()
        await self._possible(flow.select(name, value))
        if flow.state != "open":
            await self._see_flow()

    async def fill(self, values: Mapping[str, Any]) -> None:
        """Fill in a screen and tap its button, and see what comes of it.

        Args:
            values: by the inputs' labels as shown, or their names.

        Raises:
            DialogFailed: it cannot be filled in so, or the Flow fails.
        """
        flow = self._open()
        shown = (flow.screen or {}).get("components", ())
        button = next((one["label"] for one in shown if one["type"] == "Footer"), "")
        said = "; ".join(_written(value) for value in values.values())
        self._show(
            f"customer enters: {said}; taps: {button}" if said else f"customer taps: {button}"
        )
        names = {one["label"]: one["name"] for one in shown if "name" in one and "label" in one}
        await self._possible(flow.submit({names.get(key, key): v for key, v in values.items()}))
        await self._see_flow()

    async def go_back(self) -> None:
        """Go back to the screen before."""
        self._show("customer goes back")
        await self._possible(self._open().back())
        await self._see_flow()

    async def close_flow(self) -> None:
        """Leave the Flow without finishing it."""
        self._show("customer closes the Flow")
        await self._possible(self._open().close())
        await self._see_flow()

    async def _possible(self, done: Awaitable[None]) -> None:
        try:
            await done
        except NotPossible as error:
            raise DialogFailed(f"the phone does not let him: {error}") from error

    def _open(self) -> OpenFlow:
        if self._flow is None or self._flow.state != "open":
            raise DialogFailed("no Flow is open")
        return self._flow

    async def _see_flow(self) -> None:
        flow = self._flow
        assert flow is not None
        if flow.state == "open":
            for line in flow.lines:
                self._show(f"      {line}".rstrip())
            return
        if flow.state == "failed":
            raise DialogFailed(f"the Flow failed: {flow.error}")
        self._show(f"(the Flow is {flow.state})")
        if flow.state == "finished":
            await self.see()

    # What he sees ----------------------------------------------------------------------------

    async def see(self) -> None:
        """Show what has come since, which should be an answer."""
        fresh = await self.look()
        self.show(fresh)
        if not fresh:
            self._show("(no answer)")

    async def look(self) -> list[Received]:
        """Give what has come since."""
        await self._playground.engine.idle()
        after = self.received[-1].n if self.received else 0
        fresh = await self.customer.messages(after=after)
        self.received += fresh
        return list(fresh)

    def show(self, messages: Iterable[Received]) -> None:
        """Show messages."""
        for message in messages:
            shown = lines(message.payload)
            self._show(f"shop: {shown[0]}".rstrip())
            for line in shown[1:]:
                self._show(f"      {line}".rstrip())


def _written(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
