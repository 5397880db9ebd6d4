"""What can be set when a sandbox is created; what changes while it runs is in `control`."""

import base64
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from engine.sandbox.faults import Fault
from engine.sandbox.limits import Limits
from engine.sandbox.mail import Mail
from engine.sandbox.state import PhoneNumber, Trouble
from engine.sandbox.weather import Weather


def system_time() -> datetime:
    """Return the present time."""
    # The sandbox imports nothing else of the engine, so it cannot ask the engine's Clock.
    return datetime.now(UTC)  # noqa: TID251


def new_wamid() -> str:
    """Return a message id that was never used."""
    return f"wamid.{base64.b64encode(secrets.token_bytes(30)).decode()}"


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """How a sandbox behaves.

    Args:
        phones: numbers registered from the start; a reset keeps these.
        faults: faults waiting from the start; a reset arms these again.
        statuses: what is sent is reported as sent and delivered; failures always are.
        read: customers read what is delivered, and a `read` status follows.
        frozen_flows: a Flow that was published cannot be changed, only cloned.
        enforce_window: free-form messages fail when the customer has not written for 24 hours.
        enforce_templates: only templates that were made and approved can be sent.
        weather: random trouble for sends.
        mail: trouble with the webhooks of messages and statuses.
        limits: how fast may be sent; nothing limits it unless it is set.
        media_delay: seconds until what shows an image, a video or a document reaches the customer.
        not_on_whatsapp: phone numbers nobody can be written to.
        retry_delays: seconds before each further attempt at a status the engine did not take.
        callback_timeout: seconds the engine has to answer a webhook.
        batch_delay: seconds Meta takes to work off a batch of items.
        hold_batches: batches of items wait until they are released.
        catalog_calls_per_minute: so many batches of items are taken for a catalogue.
        clock: tells the time.
        stopwatch: tells seconds that never run backwards.
        wamids: makes message ids.
    """

    phones: tuple[PhoneNumber, ...] = ()
    faults: tuple[Fault, ...] = ()
    statuses: bool = True
    read: bool = False
    frozen_flows: bool = False
    enforce_window: bool = False
    enforce_templates: bool = False
    weather: Weather = field(default_factory=Weather)
    mail: Mail = field(default_factory=Mail)
    limits: Limits = field(default_factory=Limits)
    media_delay: float = 0.0
    not_on_whatsapp: frozenset[str] = frozenset()
    retry_delays: tuple[float, ...] = (0.2, 1.0, 3.0)
    callback_timeout: float = 10.0
    batch_delay: float = 0.05
    hold_batches: bool = False
    catalog_calls_per_minute: int = 8
    clock: Callable[[], datetime] = system_time
    stopwatch: Callable[[], float] = time.monotonic
    wamids: Callable[[], str] = new_wamid

    @property
    def trouble(self) -> Trouble:
        """Return how bad Meta and the network are from the start."""
        return Trouble(self.weather, self.mail, self.limits, self.media_delay)
