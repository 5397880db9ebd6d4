"""What the sandbox knows: numbers, customers, Flows, catalogues, refusals, deliveries, faults.

All of it is in memory and gone with the process. Nothing here speaks HTTP.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import Literal

from engine.sandbox.catalog_state import Trade
from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_state import Flow

FaultKind = Literal["refuse", "fail", "drop", "delay"]


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A business phone number: who may send from it, and where its webhooks go.

    Args:
        business_id: whose catalogues its token may use.
        catalog_callback_url: where webhooks about those go; none are posted when it is empty.
    """

    phone_number_id: str
    display_phone_number: str
    token: str
    callback_url: str
    app_secret: str
    waba_id: str
    business_id: str = ""
    catalog_callback_url: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """One message that reached a customer; `n` counts from 1 for each customer."""

    n: int
    wamid: str
    phone_number_id: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Receipt:
    """The business marked a customer's message as read, perhaps typing an answer."""

    message_id: str
    typing: bool


@dataclass(slots=True)
class Person:
    """A customer on WhatsApp; the sandbox knows his phone number even when WhatsApp hides it."""

    phone: str
    user_id: str
    name: str = "Customer"
    username: str | None = None
    hides_phone: bool = False
    messages: list[Received] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    spoke: dict[str, datetime] = field(default_factory=dict)

    def receive(self, wamid: str, phone_number_id: str, payload: JsonObject) -> None:
        """Put a message of the business in the customer's chat."""
        n = len(self.messages) + 1
        self.messages.append(Received(n, wamid, phone_number_id, payload))


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A Graph request that was not taken, and why; `injected` when a fault asked for it."""

    n: int
    path: str
    http_status: int
    code: int
    details: str
    body: object
    injected: bool


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the posting of a webhook ended: the last HTTP status, or the error if there was none."""

    n: int
    kind: str
    wamid: str
    attempts: int
    status: int | None
    error: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with the next sends.

    Args:
        kind: `refuse` answers with the code; `fail` accepts and reports the code in a status;
            `drop` accepts and cuts the connection; `delay` accepts late.
        times: how many sends it meets.
        code: the Graph error code of `refuse` and `fail`.
        http_status: of `refuse`; the usual one of the code when absent.
        seconds: of `delay`.
        phone_number_id: only sends from this number; any when absent.
        to: only sends to this customer's phone; any when absent.
    """

    kind: FaultKind
    times: int = 1
    code: int = 131000
    http_status: int | None = None
    seconds: float = 0.0
    phone_number_id: str | None = None
    to: str | None = None

    def meets(self, phone_number_id: str, phone: str) -> bool:
        """Tell whether it happens to a send from this number to this customer."""
        return self.phone_number_id in (None, phone_number_id) and (
            self.to is None or digits(self.to) == phone
        )


class World:
    """Everything the sandbox knows, and the bell that rings when it changes."""

    def __init__(
        self,
        phones: Iterable[PhoneNumber] = (),
        faults: Iterable[Fault] = (),
        *,
        holds_batches: bool = False,
    ) -> None:
        self._first_phones = tuple(phones)
        self._first_faults = tuple(faults)
        self._holds_batches = holds_batches
        self._changed = asyncio.Condition()
        self.reset()

    def reset(self) -> None:
        """Forget everything but what the sandbox was started with."""
        self.phones = {phone.phone_number_id: phone for phone in self._first_phones}
        self.faults = list(self._first_faults)
        self.people: dict[str, Person] = {}
        self.said: dict[str, tuple[str, Person]] = {}
        self.refusals: list[RefusedRequest] = []
        self.deliveries: list[Delivery] = []
        self.flows: dict[str, Flow] = {}
        self.public_keys: dict[str, str] = {}
        self.trade = Trade(holds_batches=self._holds_batches)
        self._flow_ids = count(10**15 + 1)

    def person(self, phone: str) -> Person:
        """Return the customer with a phone number, who is on WhatsApp from now on."""
        number = digits(phone)
        return self.people.setdefault(number, Person(number, default_user_id(number)))

    def person_with(self, user_id: str) -> Person | None:
        """Return the customer with a business-scoped user id."""
        return next((one for one in self.people.values() if one.user_id == user_id), None)

    def numbers_of(self, waba_id: str) -> list[PhoneNumber]:
        """Return the phone numbers of a WhatsApp account; the first one's callback is its own."""
        return [phone for phone in self.phones.values() if phone.waba_id == waba_id]

    def catalog_numbers_of(self, business_id: str) -> list[PhoneNumber]:
        """Return where a business is told of its catalogues: one number for each address."""
        told = (
            phone
            for phone in self.phones.values()
            if phone.business_id == business_id and phone.catalog_callback_url
        )
        return list({phone.catalog_callback_url: phone for phone in told}.values())

    def flows_of(self, waba_id: str) -> list[Flow]:
        """Return the Flows of a WhatsApp account, the oldest first."""
        return [flow for flow in self.flows.values() if flow.waba_id == waba_id]

    def new_flow_id(self) -> str:
        """Return an id that no Flow has or had."""
        return str(next(self._flow_ids))

    def take_fault(self, phone_number_id: str, phone: str) -> Fault | None:
        """Use up one time of the first fault that meets this send."""
        for index, fault in enumerate(self.faults):
            if fault.meets(phone_number_id, phone):
                left = replace(fault, times=fault.times - 1)
                self.faults[index : index + 1] = [left] if left.times > 0 else []
                return fault
        return None

    async def ring(self) -> None:
        """Wake everyone who waits for a change."""
        async with self._changed:
            self._changed.notify_all()

    async def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Return when the condition holds, or when the time is over."""
        async with self._changed:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._changed.wait_for(ready)


def digits(phone: str) -> str:
    """Return a phone number as WhatsApp writes it in `wa_id`: digits only."""
    return "".join(character for character in phone if character in "0123456789")


def default_user_id(phone: str) -> str:
    """Make up the business-scoped user id of a phone number, always the same one."""
    return f"US.{int(sha256(phone.encode()).hexdigest(), 16) % 10**20:020d}"
