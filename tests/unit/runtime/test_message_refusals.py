"""What Meta says of Flows: the chat goes on in its place, once, and the Flow rests a while."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from engine.box_ports import InboxRow, OutboxEntry
from engine.clock import SeededIds
from engine.domain.ids import TenantId
from engine.errors import EngineError, GraphError, GraphRetryable, GraphTerminal, TurnError
from engine.runtime.message_refusals import HELD, MessageRefusals
from engine.runtime.pace import Pace
from engine.runtime.reception import Reception
from engine.runtime.relay import Relay
from engine.runtime.sender import MAX_ATTEMPTS, Sender
from engine.runtime.statuses import Statuses
from engine.slots import SLOTS
from engine.whatsapp.content import Raised
from engine.whatsapp.inbound import InboundMessage, parse_webhook, restore_message
from tests.memory_boxes import Boxes
from tests.unit.actions.shop import OPEN
from tests.unit.runtime.flow_shop import (
    ANA,
    FLOW,
    NUMBER,
    OTHER,
    PIZZA,
    TENANT,
    WABA,
    Shop,
    deployment,
    texts,
)

WHOLE_CHAT = frozenset({131026, 131031, 131042, 131045, 131047, 131049, 130403, 190, 368})
"""Codes that would meet any other message to the customer just the same."""

EN = f"{FLOW}:en"
THROTTLED, BLOCKED = 132069, 132068


class Mine:
    """Claims of a process that has every slot."""

    share = 1.0

    def term(self, tenant: TenantId, customer: Any) -> int:
        return 1

    def terms(self) -> dict[int, int]:
        return dict.fromkeys(range(SLOTS), 1)


class House:
    """The shop with what listens to Meta.

    Args:
        offered: what was given to be worked on at once.
    """

    def __init__(self) -> None:
        self.shop = Shop()
        self.shop.store.deployments.held[EN] = deployment(EN, "77")  # type: ignore[attr-defined]
        self.boxes = Boxes()
        self.offered: list[tuple[InboxRow, InboundMessage]] = []
        clock, outbox = self.shop.clock, self.boxes.outbox
        listening: dict[str, Any] = {
            "inbox": self.boxes.inbox, "offer": self._offer,
            "businesses": self.shop.businesses, "clock": clock,
        }  # fmt: skip
        self.refusals = MessageRefusals(stores=self.shop.stores.__getitem__, **listening)
        statuses = Statuses(outbox=outbox, refusals=self.refusals, clock=clock)
        self.reception = Reception(
            statuses=statuses, refusals=self.refusals, commerce=self, echoes=self, **listening
        )
        self.error: GraphError = GraphTerminal("no", code=THROTTLED)
        claims: Any = Mine()
        pace = Pace(share=lambda: 1.0)
        self.sender = Sender(
            outbox=outbox, businesses=self.shop.businesses, graph=self, clock=clock,
            ids=SeededIds(), pace=pace, spoke_at=self._spoke_at, refused=self.refusals.entry,
        )  # fmt: skip
        self.relay = Relay(
            outbox=outbox, sender=self.sender, pace=pace, clock=clock, claims=lambda: claims
        )

    async def _spoke_at(self, tenant: TenantId, customer: Any) -> datetime | None:
        return self.shop.clock.now()

    def _offer(self, row: InboxRow) -> None:
        self.offered.append((row, restore_message(row.raw)))

    async def take(self, changes: Any) -> None:
        """Be nobody who wants to know of other changes."""

    async def send(self, phone_number_id: str, *, token: str, payload: Mapping[str, Any]) -> str:
        """Be Meta, which does not take it."""
        raise self.error

    async def flow_message(self) -> OutboxEntry:
        """Let the chat send a Flow, and give the message as Meta has it."""
        await self.shop.open()
        entry: OutboxEntry = self.shop.store.sent["wamid.flow"]
        self.boxes.put_out(entry)
        self.boxes.outbox_rows[entry.id].wamid = "wamid.flow"
        return entry

    def outcome(self, entry: OutboxEntry) -> tuple[str, int]:
        """Tell what became of an entry, and how often it was tried in vain."""
        held = self.boxes.outbox_rows[entry.id]
        return held.state, held.row.attempts

    async def deployed(self) -> tuple[str, datetime | None]:
        """Give the status of the Flow, and until when it is held."""
        (found,) = await self.shop.store.deployments.all()
        return found.status, found.held_until

    async def answer(self) -> list[str]:
        """Take the turns of what was offered, and give what is said."""
        taken = [await self.shop.turns.take(row, message) for row, message in self.offered]
        return [text for entries in taken for text in texts(entries)]


@pytest.mark.parametrize(
    ("code", "status", "hours"), [(THROTTLED, "THROTTLED", 1), (BLOCKED, "BLOCKED", 6)]
)
async def test_a_flow_that_meta_holds_back_rests_and_the_chat_goes_on(code, status, hours):
    house = House()
    entry = await house.flow_message()
    for _ in range(2):  # the status may come twice, or after the refusal of the send
        await house.refusals.entry(entry, code)
    assert await house.deployed() == (status, OPEN + timedelta(hours=hours))
    ((row, message),) = house.offered
    assert (row.id, row.tenant, row.customer) == (f"{entry.id}:flow_refused", TENANT, ANA)
    assert list(house.boxes.inbox_rows) == [row.id]
    assert message.content == Raised("flow_refused", {"id": entry.id})
    assert message.phone_number_id == NUMBER
    (asked,) = await house.answer()
    assert "which size" in asked
    assert await house.shop.state() == "choosing"
    (only,) = house.shop.store.committed[-1].outbox  # nobody wrote: nothing is marked as read
    assert only.payload["type"] == "interactive"


async def test_a_flow_that_rests_is_sent_again_afterwards():
    house = House()
    await house.refusals.entry(await house.flow_message(), THROTTLED)
    kinds = []
    for minutes in (0, 59, 1):
        house.shop.clock.move(timedelta(minutes=minutes))
        (*_, message) = await house.shop.tap(f"customize:{PIZZA}")
        kinds.append(message.payload["interactive"]["type"])
    assert kinds == ["list", "list", "flow"]


async def test_a_customer_who_went_on_is_not_called_back():
    house = House()
    await house.refusals.entry(await house.flow_message(), THROTTLED)
    await house.shop.tap("view_cart")
    assert await house.answer() == []
    assert await house.shop.state() == "cart"


@pytest.mark.parametrize("code", [0, 1, 131000, 131053, 100, 1026, *sorted(WHOLE_CHAT), *HELD])
async def test_what_another_error_means(code):
    house = House()
    await house.refusals.entry(await house.flow_message(), code)
    # Where no other message would arrive either, the chat would only fail once more.
    assert len(house.offered) == (code not in WHOLE_CHAT)
    status, until = await house.deployed()
    assert (status == "PUBLISHED", until is None) == (code not in HELD, code not in HELD)


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "text", "text": {"body": "Hello"}},
        {"type": "interactive", "interactive": {"type": "button", "action": {}}},
        {"type": "interactive", "interactive": "flow"},
        {"type": "interactive", "interactive": {"type": ["flow"]}},
        {"type": "interactive", "interactive": {}},
        {"status": "read", "message_id": "wamid.1"},
        {},
    ],
)
async def test_a_message_the_chat_has_nothing_for_is_of_no_interest(payload):
    house = House()
    entry = OutboxEntry("x:1", TENANT, ANA, NUMBER, 1, payload, OPEN)
    await house.refusals.entry(entry, THROTTLED)
    assert (house.offered, house.boxes.inbox_rows) == ([], {})
    assert await house.deployed() == ("PUBLISHED", None)


@pytest.mark.parametrize("kind", ["product", "product_list", "catalog_message"])
@pytest.mark.parametrize("code", [131009, 100, *sorted(WHOLE_CHAT)])
async def test_products_that_meta_does_not_show_are_shown_in_the_chat(kind, code):
    house = House()
    payload = {"type": "interactive", "interactive": {"type": kind, "action": {}}}
    entry = OutboxEntry("x:1", TENANT, ANA, NUMBER, 1, payload, OPEN)
    for _ in range(2):
        await house.refusals.entry(entry, code)
    contents = [message.content for _, message in house.offered]
    assert contents == [Raised("native_refused", {"id": "x:1"})] * (code not in WHOLE_CHAT)
    assert await house.deployed() == ("PUBLISHED", None)


async def test_a_flow_that_another_back_end_deployed_is_not_held_but_the_chat_goes_on():
    house = House()
    house.shop.store.deployments.held.clear()  # type: ignore[attr-defined]
    await house.refusals.entry(await house.flow_message(), THROTTLED)
    assert len(house.offered) == 1


# Where it is heard ------------------------------------------------------------------------------


async def relayed(house: House, error: GraphError) -> OutboxEntry:
    entry = await house.flow_message()
    house.error = error
    house.relay.offer([entry], 1)
    await house.relay.idle()
    return entry


async def test_a_send_that_meta_refuses_is_heard_before_it_is_buried():
    house = House()
    entry = await relayed(house, GraphTerminal("(#132069) throttled", code=THROTTLED))
    assert [row.id for row, _ in house.offered] == [f"{entry.id}:flow_refused"]
    assert house.outcome(entry) == ("dead", 0)
    assert (await house.deployed())[0] == "THROTTLED"


async def test_a_send_that_is_tried_again_is_not_refused_yet():
    house = House()
    entry = await relayed(house, GraphRetryable("busy", code=130429))
    assert (house.offered, house.outcome(entry)) == ([], ("queued", 1))
    held = house.boxes.outbox_rows[entry.id]
    held.row, held.due = replace(entry, attempts=MAX_ATTEMPTS), entry.created_at
    await house.relay.look()
    await house.relay.idle()
    assert len(house.offered) == 1


def webhook(value: dict[str, Any], *, field: str = "messages", **entry: Any) -> Any:
    changes = [{"field": field, "value": value}]
    body = {
        "object": "whatsapp_business_account",
        "entry": [{"id": WABA, "changes": changes, **entry}],
    }
    return parse_webhook(orjson.dumps(body))


def status(wamid: str, state: str, *codes: int, number: str = NUMBER) -> Any:
    told = {
        "id": wamid, "status": state, "timestamp": "1749416383", "recipient_user_id": ANA,
        "errors": [{"code": code, "title": "x", "message": "x"} for code in codes],
    }  # fmt: skip
    metadata = {"display_phone_number": "1", "phone_number_id": number}
    return webhook({"messaging_product": "whatsapp", "metadata": metadata, "statuses": [told]})


@pytest.mark.parametrize(
    ("told", "is_heard"),
    [
        (status("wamid.flow", "failed", THROTTLED), True),
        (status("wamid.flow", "failed", 131047), False),
        (status("wamid.flow", "failed"), False),
        (status("wamid.flow", "delivered"), False),
        (status("wamid.other", "failed", THROTTLED), False),
        (status("wamid.flow", "failed", THROTTLED, number="202"), False),  # another tenant's
        (status("wamid.flow", "failed", THROTTLED, number="999"), False),  # nobody's
    ],
)
async def test_a_message_that_failed_later_is_heard(told, is_heard):
    house = House()
    sent = await house.flow_message()
    house.boxes.outbox_rows[sent.id].state = "sent"
    for _ in range(2):
        await house.reception.receive(told)
    assert len(house.offered) == is_heard
    if is_heard:
        assert "which size" in (await house.answer())[0]


LATER = int((OPEN + timedelta(minutes=5)).timestamp())


@pytest.mark.parametrize(
    ("value", "status_now"),
    [
        ({"event": "FLOW_STATUS_CHANGE", "flow_id": "77", "new_status": "BLOCKED"}, "BLOCKED"),
        ({"event": "FLOW_STATUS_CHANGE", "flow_id": "77", "old_status": "PUBLISHED",
          "new_status": "THROTTLED", "message": "x"}, "THROTTLED"),
        ({"event": "FLOW_STATUS_CHANGE", "flow_id": "77", "new_status": "DEPRECATED"},
         "DEPRECATED"),
        ({"event": "FLOW_STATUS_CHANGE", "flow_id": "78", "new_status": "BLOCKED"}, "PUBLISHED"),
        ({"event": "FLOW_STATUS_CHANGE", "flow_id": "77", "new_status": "ODD"}, "PUBLISHED"),
        ({"event": "FLOW_STATUS_CHANGE", "flow_id": "77"}, "PUBLISHED"),
        ({"event": "FLOW_STATUS_CHANGE", "new_status": "BLOCKED"}, "PUBLISHED"),
        ({"event": "ENDPOINT_LATENCY", "flow_id": "77", "new_status": "BLOCKED",
          "alert_state": "ACTIVATED"}, "PUBLISHED"),
        ({"event": {"x": 1}, "flow_id": 77, "new_status": ["BLOCKED"]}, "PUBLISHED"),
        ({}, "PUBLISHED"),
    ],
)  # fmt: skip
async def test_a_change_of_a_flows_status_is_noted(value, status_now):
    house = House()
    await house.reception.receive(webhook(value, field="flows", time=LATER))
    assert await house.deployed() == (status_now, None)
    assert house.offered == []


async def test_a_flow_that_meta_gives_free_is_sent_again():
    house = House()
    entry = await house.flow_message()
    await house.refusals.entry(entry, BLOCKED)
    free = {"event": "FLOW_STATUS_CHANGE", "flow_id": "77", "new_status": "PUBLISHED"}
    await house.reception.receive(webhook(free, field="flows", time=LATER))
    assert await house.deployed() == ("PUBLISHED", None)
    (*_, message) = await house.shop.tap(f"customize:{PIZZA}")
    assert message.payload["interactive"]["type"] == "flow"


@pytest.mark.parametrize(
    ("time", "at"), [(LATER, datetime.fromtimestamp(LATER, UTC)), (None, OPEN), (0, OPEN)]
)
async def test_a_change_is_of_metas_time_for_every_tenant_of_the_account(time, at):
    house = House()
    other = house.shop.stores[OTHER].deployments
    other.held[EN] = deployment(EN, "77")  # type: ignore[attr-defined]
    value = {"event": "FLOW_STATUS_CHANGE", "flow_id": "77", "new_status": "BLOCKED"}
    entry = {} if time is None else {"time": time}
    await house.reception.receive(webhook(value, field="flows", **entry))
    for store in house.shop.stores.values():
        (found,) = await store.deployments.all()
        assert (found.status, found.updated_at) == ("BLOCKED", at)


async def test_a_tenant_that_is_not_served_does_not_keep_others_of_the_account_from_hearing():
    house = House()
    stores = house.shop.stores

    def served(tenant: Any) -> Any:
        if tenant == OTHER:
            raise TurnError("no bundle that can be served")
        return stores[tenant]

    house.refusals._stores = served
    blocked = {"event": "FLOW_STATUS_CHANGE", "flow_id": "77", "new_status": "BLOCKED"}
    await house.reception.receive(webhook(blocked, field="flows", time=LATER))
    assert await house.deployed() == ("BLOCKED", None)


async def test_an_access_token_that_cannot_be_opened_puts_its_messages_off():
    house = House()
    entry = await house.flow_message()

    async def sealed(tenant: Any) -> Any:
        raise EngineError("an access token cannot be opened")

    house.sender._businesses.by_tenant = sealed  # type: ignore[method-assign]
    house.relay.offer([entry], 1)
    await house.relay.idle()
    assert house.outcome(entry) == ("queued", 0)
    held = house.boxes.outbox_rows[entry.id]
    assert held.due == house.shop.clock.now() + timedelta(minutes=1)


@pytest.mark.parametrize("field", ["account_update", "message_template_status_update"])
async def test_other_changes_do_not_touch_flows(field):
    house = House()
    value = {"event": "FLOW_STATUS_CHANGE", "flow_id": "77", "new_status": "BLOCKED"}
    await house.reception.receive(webhook(value, field=field, time=LATER))
    assert await house.deployed() == ("PUBLISHED", None)
