"""The visits to a Flow that are measured: a customer makes a product his own and adds it.

`play` plays each once in memory, so that every request and every answer is known before the clock
runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson

from engine.clock import SeededIds
from engine.domain.catalog import ModifierGroup, Presentation, Product
from engine.domain.conversation import Conversation
from engine.flow_ports import FlowSession
from engine.ports import TurnRecord
from engine.runtime.exchanges import Exchanges
from engine.runtime.flow_tokens import FlowTokens
from engine.whatsapp.flow_crypto import dump
from engine.whatsapp.flow_exchange import parse_flow_request
from engine.whatsapp.inbound import parse_webhook
from tests.bench.journey import TENANT, Caller, Shop, inbox_row
from tests.memory import MemoryCatalog, MemoryStore

FLOW = "product_customization"
VERSION = "3.0"
NAMES = ("INIT", "SIZE_SELECTION", "MODIFIERS_SELECTION", "ORDER_SUMMARY")
"""What an exchange is called: the screen that it comes from, or that the Flow opens."""
MOST_GROUPS = 8

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange, as it must come out.

    Args:
        document: the request, without the token.
        answer: the answer, without the token.
        session: the session as it is then.
    """

    name: str
    document: Json
    answer: Json
    session: FlowSession


@dataclass(frozen=True, slots=True)
class Visit:
    """One customer's way through the Flow.

    Args:
        talk: his conversation before.
        opened: the session that the Flow was sent with.
        record: what the turn at the end writes.
    """

    talk: Conversation
    opened: FlowSession
    exchanges: tuple[Exchange, ...]
    record: TurnRecord

    def exchange(self, name: str) -> Exchange:
        """Give the exchange of a name."""
        return self.exchanges[NAMES.index(name)]


def name_of(document: Mapping[str, Any]) -> str:
    """Name an exchange by its request."""
    return "INIT" if document["action"] == "INIT" else document["screen"]


async def play(shop: Shop) -> tuple[Visit, ...]:
    """Play a visit for every size of every product that has sizes and add-ons."""
    catalog = MemoryCatalog(shop.menu)
    choices = [
        (product, size)
        for product in catalog.products.values()
        for size in product.presentations
        if product.is_available and product.groups and size.is_available
    ]
    # Neighbours are of other products.
    choices.sort(key=lambda choice: choice[0].presentations.index(choice[1]))
    return tuple([await _Player(shop, *choice).play() for choice in choices])


class _Player:
    """Plays one visit, over a store in memory."""

    def __init__(self, shop: Shop, product: Product, size: Presentation) -> None:
        self._shop = shop
        self._store = MemoryStore(MemoryCatalog(shop.menu))
        self._turns = shop.turns(lambda: self._store)
        self._tokens = FlowTokens("bench")
        self._product = product
        self._size = size
        self._exchanges = Exchanges(
            stores=lambda _: self._store,
            bundles=shop.bundles,
            turns=self._turns,
            tokens=self._tokens,
            clock=shop.clock,
            ids=SeededIds(),
            send=lambda _: None,
        )

    async def play(self) -> Visit:
        """Play it."""
        talk = await self._greeted()
        opened = self._session(talk)
        self._store.flow_sessions.held[opened.id] = opened  # type: ignore[attr-defined]
        exchanges: list[Exchange] = []
        for name in NAMES:
            shown = exchanges[-1].answer["data"] if exchanges else {}
            exchanges.append(await self._exchange(name, shown, opened))
        last = exchanges[-1]
        if last.answer["screen"] != "SUCCESS" or last.session.state != "done":
            raise SystemExit(f"the bench's visit to a Flow fails: {last.answer}")
        return Visit(talk, opened, tuple(exchanges), self._store.committed[-1])

    async def _greeted(self) -> Conversation:
        wire = {"type": "text", "text": {"body": "hi"}}
        at = self._shop.clock.now()
        caller = Caller(self._shop.number(), "15550001")
        message = parse_webhook(caller.webhook(wire, wamid="wamid.hi", at=at)).messages[0]
        await self._turns.take(inbox_row(message, at), message)
        return self._store.committed[-1].conversation

    def _session(self, talk: Conversation) -> FlowSession:
        now = self._shop.clock.now()
        return FlowSession(
            id="0" * 32,
            tenant=TENANT,
            customer=talk.customer,
            flow=FLOW,
            language=talk.language,
            input={"product": self._product.id},
            phone_number_id=self._shop.number().phone_number_id,
            created_at=now,
            expires_at=now + timedelta(days=1),
        )

    async def _exchange(self, name: str, shown: Json, opened: FlowSession) -> Exchange:
        document: Json = {"version": VERSION, "action": "INIT"}
        if name != "INIT":
            document |= {"action": "data_exchange", "screen": name}
            document["data"] = {"event": "submit"} | self._sent(name, shown)
        token = {"flow_token": self._tokens.sign(opened)}
        request = parse_flow_request(document | token)
        answer = await self._exchanges.take(TENANT, request, flow=FLOW, product=None)
        if answer.status != 200 or "error_message" in answer.body.get("data", {}):
            raise SystemExit(f"the bench's visit to a Flow fails: {answer.body}")
        session = await self._store.flow_sessions.get(opened.id)
        assert session is not None
        return Exchange(name, document, without_token(orjson.loads(dump(answer.body))), session)

    def _sent(self, name: str, shown: Json) -> Json:
        """Give what he fills in; the inputs that are not shown are sent too, empty."""
        if name == "SIZE_SELECTION":
            return {"selected_size": self._size.id, "quantity": "2"}
        if name == "ORDER_SUMMARY":
            return {"seen": shown["total_text"]}
        blank: Json = {}
        for place in range(1, MOST_GROUPS + 1):
            blank |= {f"modifiers_{place}_one": "", f"modifiers_{place}_many": []}
        return blank | dict(self._chosen(shown))

    def _chosen(self, shown: Json) -> Iterator[tuple[str, str | list[str]]]:
        for place, group in enumerate(self._product.groups, start=1):
            ids = _wanted(group)
            if shown[f"groups_{place}_is_single"]:
                yield f"modifiers_{place}_one", ids[0]
            else:
                yield f"modifiers_{place}_many", ids


def _wanted(group: ModifierGroup) -> list[str]:
    """Choose what must be chosen, and two where nothing must."""
    offered = [modifier.id for modifier in group.modifiers if modifier.is_available]
    return list(offered[: group.minimum or min(2, group.maximum)])


def without_token(answer: Json) -> Json:
    """Take the token out of an answer: it is another one every time."""
    ended = answer.get("data", {}).get("extension_message_response")
    if ended is None:
        return answer
    params = {key: value for key, value in ended["params"].items() if key != "flow_token"}
    return answer | {"data": {"extension_message_response": {"params": params}}}
