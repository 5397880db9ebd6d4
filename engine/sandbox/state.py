"""What the sandbox knows: numbers, customers, sends, deliveries, Flows, catalogues, trouble.

All of it is in memory and gone with the process. Nothing here speaks HTTP.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import count
from typing import Literal

from engine.sandbox.account_state import Accounts
from engine.sandbox.bell import Bell
from engine.sandbox.catalog_state import Trade
from engine.sandbox.envelope import JsonObject
from engine.sandbox.faults import Fault, Faults
from engine.sandbox.flow_state import Flow
from engine.sandbox.limits import Limits, Meter
from engine.sandbox.mail import Mail, PostOffice
from engine.sandbox.phones import digits
from engine.sandbox.template_state import Shelf
from engine.sandbox.weather import Sky, Weather

EPOCH = datetime.fromtimestamp(0, UTC)
"""The time without a clock: no access token has expired by then."""


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
class Acceptance:
    """A send that was taken.

    Args:
        at: seconds since the sandbox began, or since its last reset.
        answer: whether the sender was told, or the connection cut.
        failed: the code with which it was reported as failed; it then is in nobody's chat.
    """

    n: int
    at: float
    phone_number_id: str
    customer: str
    wamid: str
    biz_opaque_callback_data: str | None
    type: str
    answer: Literal["written", "cut"]
    failed: int | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """How bad Meta and the network are, each of it as its own module says."""

    weather: Weather = field(default_factory=Weather)
    mail: Mail = field(default_factory=Mail)
    limits: Limits = field(default_factory=Limits)
    media_delay: float = 0.0


class World:
    """Everything the sandbox knows, and the bell that rings when it changes.

    It rings for `refusals`, `deliveries`, `sends` and `calls`, for `mail` when none is under way
    any more, and with a customer's phone number for the messages he receives.

    Args:
        stopwatch: tells seconds that never run backwards.
        clock: tells the time at which access tokens expire.
    """

    def __init__(
        self,
        phones: Iterable[PhoneNumber] = (),
        faults: Iterable[Fault] = (),
        *,
        holds_batches: bool = False,
        trouble: Trouble | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: EPOCH,
    ) -> None:
        self._clock = clock
        self._first_phones = tuple(phones)
        self._first_faults = tuple(faults)
        self._first_trouble = trouble or Trouble()
        self._holds_batches = holds_batches
        self._stopwatch = stopwatch
        self.bell = Bell()
        self.reset()

    def reset(self) -> None:
        """Forget everything but what the sandbox was started with."""
        trouble = self._first_trouble
        self.phones = {phone.phone_number_id: phone for phone in self._first_phones}
        self.faults = Faults(self._first_faults)
        self.sky = Sky(trouble.weather)
        self.mail = PostOffice(trouble.mail)
        self.meter = Meter(trouble.limits, self._stopwatch)
        self.media_delay = trouble.media_delay
        self.people: dict[str, Person] = {}
        self._people_by_id: dict[str, Person] = {}
        self.said: dict[str, tuple[str, Person]] = {}
        self.sends: list[Acceptance] = []
        self.refusals: list[RefusedRequest] = []
        self.deliveries: list[Delivery] = []
        self.flows: dict[str, Flow] = {}
        self.public_keys: dict[str, str] = {}
        self.templates = Shelf()
        self.accounts = Accounts(self._clock)
        self.trade = Trade(holds_batches=self._holds_batches)
        self._flow_ids = count(10**15 + 1)
        self._began = self._stopwatch()

    @property
    def elapsed(self) -> float:
        """Return the seconds since it began."""
        return self._stopwatch() - self._began

    def person(self, phone: str) -> Person:
        """Return the customer with a phone number, who is on WhatsApp from now on."""
        number = digits(phone)
        known = self.people.get(number)
        if known is None:
            known = self.people[number] = Person(number, default_user_id(number))
            self._people_by_id.setdefault(known.user_id, known)
        return known

    def person_with(self, user_id: str) -> Person | None:
        """Return the customer with a business-scoped user id."""
        return self._people_by_id.get(user_id)

    def identify(self, person: Person, user_id: str) -> None:
        """Give a customer another business-scoped user id."""
        if self._people_by_id.get(person.user_id) is person:
            del self._people_by_id[person.user_id]
        person.user_id = user_id
        self._people_by_id[user_id] = person

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


def default_user_id(phone: str) -> str:
    """Make up the business-scoped user id of a phone number, always the same one."""
    return f"US.{int(sha256(phone.encode()).hexdigest(), 16) % 10**20:020d}"
