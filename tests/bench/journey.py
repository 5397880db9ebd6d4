"""The conversation that is measured: a customer browses, customises, orders and asks back.

`Shop.play` plays it once, so that everything a customer sends is known before the clock runs.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from engine.box_ports import InboxRow
from engine.clock import Clock, ManualClock, SeededIds
from engine.domain.ids import TenantId
from engine.domain.menu import Menu
from engine.ports import CatalogRepository, OrderRepository, TurnRecord
from engine.runtime.bundles import Bundles
from engine.runtime.decision import Decisions
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.turns import Turns
from engine.sandbox.state import Person, PhoneNumber
from engine.sandbox.webhooks import customer_webhook, encode
from engine.settings import read_settings
from engine.spec.bundle import Bundle
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.transcript import Choice, choices
from engine.verbs import all_verbs
from engine.whatsapp.inbound import InboundMessage, parse_webhook
from tests.memory import MemoryBusinesses, MemoryCatalog, MemoryStore

TENANT = TenantId("la-tavola")
FRIDAY_EVENING = datetime(2030, 6, 14, 22, 0, tzinfo=UTC)
"""La Tavola is open."""

# (say, what he types) or (tap, how the wire id begins of what he taps)
SCRIPT = (
    ("say", "hi"),
    ("say", "menu"),
    ("tap", "cat:pizza"),
    ("tap", "prod:margherita"),
    ("tap", "customize:prod:margherita"),
    ("tap", "size:prod:margherita|pres:margherita-large"),
    ("tap", "choose:prod:margherita|mod:thin-crust"),
    ("tap", "choose:prod:margherita|mod:extra-cheese"),
    ("tap", "choose:prod:margherita|mod:mushrooms"),
    ("tap", "choose_done:prod:margherita"),
    ("tap", "quantity:prod:margherita|2"),
    ("say", "do you have focaccia"),
    ("tap", "add_to_cart:prod:focaccia"),
    ("tap", "view_cart"),
    ("tap", "checkout"),
    ("tap", "delivery"),
    ("say", "12 Mulberry Street, apartment 3"),
    ("tap", "pay:cash"),
    ("tap", "confirm"),
    ("say", "where is my order"),
    ("say", "margarita"),
)
Wire = dict[str, Any]
Read = tuple[str | None, ...]
"""A method of a repository, and its arguments."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A customer with a number of his own."""

    number: PhoneNumber
    phone: str

    def webhook(self, wire: Wire, *, wamid: str, at: datetime) -> bytes:
        """Write the webhook of something he sends."""
        return encode(customer_webhook(self.number, self.person, wire, wamid=wamid, at=at))

    @property
    def person(self) -> Person:
        """Give him as WhatsApp knows him."""
        return Person(phone=self.phone, user_id=f"US.{self.phone}", name="Ana")


@dataclass(frozen=True, slots=True)
class Step:
    """One turn of the conversation, as it must come out.

    Args:
        wire: what the customer sends, in Meta's form.
        message: the same, read.
        record: what the turn writes.
        reads: what it reads of catalog and orders.
    """

    wire: Wire
    message: InboundMessage
    row: InboxRow
    record: TurnRecord
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Shop:
    """The tenant that is measured, without a database."""

    library: Library
    bundles: Bundles
    bundle: Bundle
    menu: Menu
    clock: Clock

    @classmethod
    def open(cls, content: Path | None = None) -> "Shop":
        """Load the shipped one."""
        library = Library(content or read_settings().content(), all_verbs())
        bundles = Bundles(library)
        bundle, menu = bundles.reload(TENANT), library.menu(TENANT, Problems())
        if bundle is None or menu is None:
            raise SystemExit(f"the content of {TENANT} is wrong: run comanda check")
        # What follows a picture waits for its status, which no stand-in of the bench sends.
        plain = {
            rid: sold.model_copy(update={"image": None}) for rid, sold in menu.products.items()
        }
        menu = menu.model_copy(update={"products": plain})
        return cls(library, bundles, bundle, menu, ManualClock(FRIDAY_EVENING))

    def number(self) -> PhoneNumber:
        """Give the number customers write to."""
        return PhoneNumber(
            phone_number_id=self.bundle.tenant.phone_number_ids[0],
            display_phone_number=self.bundle.tenant.phone,
            token="token",
            callback_url="",
            app_secret="",
            waba_id="waba",
        )

    def turns(self, store: Callable[[], MemoryStore]) -> Turns:
        """Give what takes turns, over a store in memory."""
        ids = SeededIds()
        decisions = Decisions(
            business=MemoryBusinesses().by_tenant,
            tokens=FlowTokens("bench"),
            clock=self.clock,
            ids=ids,
        )
        return Turns(stores=lambda _: store(), bundles=self.bundles, decisions=decisions, ids=ids)

    def store(self) -> MemoryStore:
        """Give an empty store with the menu in it."""
        return MemoryStore(MemoryCatalog(self.menu))

    async def play(self) -> tuple[Step, ...]:
        """Play the script once, to know every turn of it."""
        reads: list[Read] = []
        store = self.store()
        store.catalog = cast(CatalogRepository, _Noting(store.catalog, reads))
        store.orders = cast(OrderRepository, _Noting(store.orders, reads))
        take, caller = self.turns(lambda: store).take, Caller(self.number(), "15550001")
        steps: list[Step] = []
        for place, (kind, words) in enumerate(SCRIPT):
            wire = _text(words) if kind == "say" else _tap(words, steps)
            at = self.clock.now()
            body = caller.webhook(wire, wamid=f"wamid.{place:04}", at=at)
            message = parse_webhook(body).messages[0]
            row = inbox_row(message, at)
            await take(row, message)
            if store.committed[-1].log.outcome != "done":
                raise SystemExit(f"the bench's script fails: {store.committed[-1].log.error}")
            steps.append(Step(wire, message, row, store.committed[-1], tuple(reads)))
            reads.clear()
        return tuple(steps)


def inbox_row(message: InboundMessage, at: datetime) -> InboxRow:
    """Make the row that reception stores."""
    return InboxRow(
        id=f"{message.phone_number_id}:{message.wamid}",
        tenant=TENANT,
        customer=message.sender.key,  # type: ignore[arg-type]
        timestamp=message.timestamp,
        received_at=at,
        raw=message.raw,
    )


def _text(words: str) -> Wire:
    return {"type": "text", "text": {"body": words}}


def _tap(beginning: str, steps: list[Step]) -> Wire:
    payloads = [entry.payload for step in reversed(steps) for entry in step.record.outbox]
    offered = (choice for payload in payloads for choice in choices(payload))
    found = next((choice for choice in offered if choice.id.startswith(beginning)), None)
    if found is None:
        raise SystemExit(f"the bench's script is out of date: nothing offers '{beginning}'")
    return _reply(found)


def _reply(choice: Choice) -> Wire:
    reply = {"id": choice.id, "title": choice.title}
    return {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": reply}}


class _Noting:
    """A repository that notes what is read of it."""

    def __init__(self, repository: object, reads: list[Read]) -> None:
        self._repository = repository
        self._reads = reads

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def read(*arguments: str | None, **options: Any) -> Any:
            self._reads.append((method, *arguments))
            return await getattr(self._repository, method)(*arguments, **options)

        return read
