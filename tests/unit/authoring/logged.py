"""Turns taken in memory and logged as the database would have kept them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.box_ports import InboxRow
from engine.charts.timers import ENTRY
from engine.domain.ids import CustomerKey
from engine.ports import LoggedMessage, LoggedTurn, TurnRecord
from engine.transcript import Choice, choices
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import raised, restore_message
from tests.unit.runtime.flow_shop import ANA, NUMBER, TENANT, Shop, opened_by

PHONE = "15559998877"
NAME = "Beatriz Quispe"


@dataclass
class Diary:
    """A customer's conversation with La Tavola, and the log of its turns."""

    shop: Shop = field(default_factory=Shop)
    who: CustomerKey = ANA
    rows: dict[str, InboxRow] = field(default_factory=dict)
    wamids: dict[str, str] = field(default_factory=dict)
    turns: list[LoggedTurn] = field(default_factory=list)

    async def send(self, wire: dict[str, Any], answers: str | None = None) -> LoggedTurn:
        """Take the turn of a message in Meta's form."""
        wamid = f"wamid.{len(self.rows) + 1}"
        now = self.shop.clock.now()
        message = {
            "id": wamid, "from": PHONE, "timestamp": str(int(now.timestamp())), **wire,
            **({"context": {"id": answers}} if answers else {}),
        }  # fmt: skip
        contact = {"wa_id": PHONE, "user_id": self.who, "profile": {"name": NAME}}
        raw = {"phone_number_id": NUMBER, "contact": contact, "message": message}
        return await self._take(f"{NUMBER}:{wamid}", raw)

    async def say(self, text: str) -> LoggedTurn:
        """Write something."""
        return await self.send({"type": "text", "text": {"body": text}})

    async def tap(self, wire_id: str, *, answers: str | None = None) -> LoggedTurn:
        """Tap something that was offered, by its wire id."""
        title, wamid = self._offered(wire_id)
        reply = {"type": "button_reply", "button_reply": {"id": wire_id, "title": title}}
        return await self.send({"type": "interactive", "interactive": reply}, answers or wamid)

    async def fire(self, event: str) -> LoggedTurn:
        """Let a timer of the state he is in run out."""
        held = await self.shop.store.conversations.get(self.who)
        assert held is not None
        assert held.position is not None
        entry = held.entries.get(event.split(".")[1]) if "." in event else None
        raw = raised(Raised(event, {ENTRY: entry}), phone_number_id=NUMBER)
        return await self._take(f"timer:{len(self.rows)}", dict(raw))

    async def finish_flow(self) -> LoggedTurn:
        """Open the Flow of the pizza, fill it in, and log how it ends in the chat."""
        (*_, message) = self.shop.store.committed[-1].outbox
        self.shop.token = opened_by(message)["flow_token"]
        await self.shop.go()
        return self._log(self.shop.store.committed[-1], None)

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.shop.clock.move(timedelta(**by))

    async def _take(self, name: str, raw: dict[str, Any]) -> LoggedTurn:
        row = InboxRow(name, TENANT, self.who, 0, self.shop.clock.now(), raw)
        self.rows[name] = row
        await self.shop.turns.take(row, restore_message(raw))
        return self._log(self.shop.store.committed[-1], row)

    def _log(self, record: TurnRecord, row: InboxRow | None) -> LoggedTurn:
        messages = []
        for entry in record.outbox:
            wamid = f"wamid.out.{len(self.wamids) + 1}"
            self.wamids[wamid] = entry.id
            self.shop.store.sent[wamid] = entry
            messages.append(LoggedMessage(entry, wamid))
        made = LoggedTurn(
            record.inbox_id, TENANT, self.who, record.conversation.version, record.at,
            record.log, row, tuple(messages), record.given_up,
        )  # fmt: skip
        self.turns.append(made)
        return made

    def _offered(self, wire_id: str) -> tuple[str, str | None]:
        for turn in reversed(self.turns):
            for message in turn.messages:
                offered: list[Choice] = choices(message.entry.payload)
                found = next((c for c in offered if c.id == wire_id), None)
                if found:
                    return found.title, message.wamid
        return wire_id, None


async def an_order(diary: Diary) -> None:
    """Let her order two pizzas to an address, as her notes say."""
    await diary.say("hi")
    await diary.tap("cat:pizza")
    await diary.tap("prod:margherita")
    await diary.tap("customize:prod:margherita")
    await diary.finish_flow()
    await diary.tap("view_cart")
    diary.later(minutes=3)
    await diary.say("do you have focaccia")
