"""A customer for programs: talks over the sandbox's control routes and never sees the engine."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import httpx

from engine.sandbox.choices import Choice, choices
from engine.sandbox.customer_flow import PATIENCE, OpenFlow
from engine.sandbox.device.invitation import flow_parameters, flow_reply
from engine.sandbox.envelope import JsonObject
from engine.sandbox.phones import digits
from engine.sandbox.state import Received

# So many messages are looked through before all of them are.
FEW = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What a customer sent: its message id and the HTTP status of the engine's answer, if any."""

    wamid: str
    status: int | None


@dataclass(slots=True)
class Customer:
    """One customer in the chat of one business phone number.

    Args:
        http: a client whose `base_url` is the sandbox.
        phone: the customer's phone number; it names him even when he hides it.
        phone_number_id: the business phone number he writes to.
        name: his profile name.
        user_id: his business-scoped user id; made from the phone number when absent.
        username: the username he adopted.
        hide_phone: webhooks do not tell his phone number.
        retry: what he sends is repeated until the engine takes it, and not waited for.
    """

    http: httpx.AsyncClient
    phone: str
    phone_number_id: str
    name: str | None = None
    user_id: str | None = None
    username: str | None = None
    hide_phone: bool = False
    retry: bool = False
    _heard: int = field(default=0, init=False)

    async def say(self, words: str, *, answering: str | None = None) -> Said:
        """Send a text, as a reply to a message if one is named."""
        return await self.send_raw({"type": "text", "text": {"body": words}} | _context(answering))

    async def tap(
        self, choice: str, *, title: str | None = None, answering: str | None = None
    ) -> Said:
        """Tap a list row or a button by its id.

        It is looked for in the named message, else in all received ones, the newest first; with a
        title, something that was never offered can be tapped too.
        """
        offered = await self._offered(choice, answering)
        if offered is None and title is None:
            raise LookupError(f"nothing that {self.phone} received offers {choice!r}")
        if offered is None:
            offered = Choice(answering or "", await self._kind(answering), choice, title or "")
        elif title is not None:
            offered = Choice(offered.wamid, offered.kind, offered.id, title, offered.description)
        return await self.send_raw(offered.reply())

    async def share_location(
        self,
        latitude: float,
        longitude: float,
        *,
        name: str | None = None,
        address: str | None = None,
        answering: str | None = None,
    ) -> Said:
        """Send a location."""
        place: JsonObject = {"latitude": latitude, "longitude": longitude}
        named = {"name": name, "address": address}
        place |= {key: value for key, value in named.items() if value is not None}
        return await self.send_raw({"type": "location", "location": place} | _context(answering))

    async def order(
        self, catalog_id: str, items: Iterable[Mapping[str, object]], *, text: str | None = None
    ) -> Said:
        """Send a cart filled in the catalogue on the phone.

        Args:
            items: `{product_retailer_id, quantity, item_price, currency}` each.
        """
        note = {} if text is None else {"text": text}
        order: JsonObject = {"catalog_id": catalog_id} | note
        order["product_items"] = [dict(item) for item in items]
        return await self.send_raw({"type": "order", "order": order})

    async def reply_flow(self, response: Mapping[str, object], *, answering: str) -> Said:
        """Finish the Flow that a message opened, with what its last screen hands over."""
        return await self.send_raw(flow_reply(response, answering))

    async def open_flow(self, wamid: str | None = None) -> OpenFlow:
        """Tap the button of a flow message: the named one, or else the newest."""
        if wamid is None:
            messages = [one for one in await self.messages() if flow_parameters(one) is not None]
            if not messages:
                raise LookupError(f"{self.phone} received no flow message")
            wamid = messages[-1].wamid
        flow = OpenFlow(self.http, f"/sandbox/customers/{digits(self.phone)}/flows", wamid)
        await flow.open()
        return flow

    async def send_raw(self, message: Mapping[str, object]) -> Said:
        """Send any message in Meta's form; an `id` in it makes a redelivery."""
        profile = {"name": self.name, "user_id": self.user_id, "username": self.username}
        body: JsonObject = {
            "phone_number_id": self.phone_number_id,
            "message": dict(message),
            "hide_phone": self.hide_phone,
            "retry": self.retry,
        }
        body |= {key: value for key, value in profile.items() if value is not None}
        answer = await self.http.post(self._messages, json=body, timeout=PATIENCE)
        answer.raise_for_status()
        said = answer.json()
        return Said(said["wamid"], said["status"])

    async def hear_from_staff(self, words: str, *, wamid: str | None = None) -> Said:
        """Get a text that staff types on the business phone; a `wamid` makes a redelivery."""
        body: JsonObject = {"phone_number_id": self.phone_number_id, "text": words}
        body |= {} if wamid is None else {"id": wamid}
        path = f"/sandbox/customers/{digits(self.phone)}/echoes"
        answer = await self.http.post(path, json=body, timeout=PATIENCE)
        answer.raise_for_status()
        typed = answer.json()
        return Said(typed["wamid"], typed["status"])

    async def messages(self, *, after: int = 0) -> list[Received]:
        """Return what this customer received from the business, from message number `after` on."""
        return await self._poll(after=after, count=0, seconds=0.0)

    async def wait_for(
        self, count: int = 1, *, idle: float | None = None, within: float = 10.0
    ) -> list[Received]:
        """Return what arrived since the last wait, once there is enough of it.

        Args:
            count: how many messages are enough.
            idle: wait further until no more arrive for so many seconds.
            within: after so many seconds too few messages are a TimeoutError.
        """
        fresh = await self._poll(after=self._heard, count=count, seconds=within)
        if len(fresh) < count:
            raise TimeoutError(
                f"{self.phone} received {len(fresh)} of {count} messages within {within:g} s"
            )
        self._heard = _last(fresh, self._heard)
        while idle is not None:
            more = await self._poll(after=self._heard, count=1, seconds=idle)
            if not more:
                break
            fresh += more
            self._heard = _last(more, self._heard)
        return fresh

    async def hear(
        self, wanted: Callable[[Received], bool], *, within: float = 10.0
    ) -> list[Received]:
        """Return what arrived since the last wait, up to the first message that is wanted.

        What arrives after it is left for the next wait.

        Args:
            within: after so many seconds without it there is a TimeoutError.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        heard: list[Received] = []
        while True:
            left = max(0.0, end - loop.time())
            fresh = await self._poll(after=_last(heard, self._heard), count=1, seconds=left)
            for message in fresh:
                heard.append(message)
                if wanted(message):
                    self._heard = message.n
                    return heard
            if not fresh:
                raise TimeoutError(
                    f"{self.phone} received {len(heard)} messages within {within:g} s, "
                    "none of them the one that is wanted"
                )

    @property
    def _messages(self) -> str:
        return f"/sandbox/customers/{digits(self.phone)}/messages"

    async def _poll(
        self, *, after: int, count: int, seconds: float, last: int | None = None
    ) -> list[Received]:
        query: dict[str, str | int | float] = {
            "after": after,
            "count": count,
            "wait": seconds,
            "phone_number_id": self.phone_number_id,
        }
        if last is not None:
            query["last"] = last
        answer = await self.http.get(self._messages, params=query, timeout=seconds + PATIENCE)
        answer.raise_for_status()
        return [Received(**row) for row in answer.json()]

    async def _offered(self, choice: str, answering: str | None) -> Choice | None:
        for last in (FEW, None):
            newest_first = reversed(await self._poll(after=0, count=0, seconds=0.0, last=last))
            candidates = (one for one in newest_first if answering in (None, one.wamid))
            offered = (offer for message in candidates for offer in choices(message))
            found = next((offer for offer in offered if offer.id == choice), None)
            if found is not None:
                return found
        return None

    async def _kind(self, answering: str | None) -> str:
        answered = [one for one in await self.messages() if one.wamid == answering]
        lists = any(one.payload.get("interactive", {}).get("type") == "list" for one in answered)
        return "list_reply" if lists else "button_reply"


def _last(messages: list[Received], otherwise: int) -> int:
    return messages[-1].n if messages else otherwise


def _context(answering: str | None) -> JsonObject:
    return {} if answering is None else {"context": {"id": answering}}
