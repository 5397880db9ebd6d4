"""What Meta tells of a message is noted; what failed late is sent again, or told to the chat."""

from datetime import timedelta
from typing import Any

import pytest

from engine.runtime.sender import STOP
from engine.runtime.statuses import Statuses
from engine.whatsapp.inbound import Status, StatusError
from tests.unit.actions.shop import OPEN
from tests.unit.runtime.boxes_scene import Post, entry
from tests.unit.runtime.flow_shop import EVA, NUMBER, OTHER, TENANT

TEMPLATE = {
    "type": "template",
    "template": {"name": "come_back", "language": {"code": "en_US"}},
}


class Desk:
    """An entry that was sent, and whoever hears of its statuses."""

    def __init__(self, **changes) -> None:
        self.post = Post()
        self.sent = entry(1, **changes)
        self.post.put(self.sent, entry(1, who=EVA))
        self.told: list[int] = []
        refusals: Any = self
        self.statuses = Statuses(
            outbox=self.post.boxes.outbox, refusals=refusals, clock=self.post.clock
        )

    def has_stand_in(self, entry) -> bool:
        return "interactive" in entry.payload

    async def entry(self, entry, code) -> None:
        self.told.append(code)

    async def hear(
        self, status: str, code: int | None = None, *, tenant=TENANT, opaque=True,
        wamid="wamid.out.1",
    ):  # fmt: skip
        errors = () if code is None else (StatusError(code, "title", "details"),)
        told = Status(
            wamid, status, int(OPEN.timestamp()), NUMBER,
            opaque=self.sent.id if opaque else None, errors=errors,
        )  # fmt: skip
        await self.statuses.note(tenant, [told])

    @property
    def held(self):
        return self.post.boxes.outbox_rows[self.sent.id]


async def test_a_status_settles_a_message_whose_sending_nobody_noted():
    desk = Desk()
    await desk.hear("sent")
    assert (desk.held.state, desk.held.wamid, desk.held.status) == ("sent", "wamid.out.1", "sent")
    await desk.post.look()
    assert desk.post.meta.texts() == ["1"]  # the other customer's


async def test_a_status_never_moves_back():
    desk = Desk()
    for status in ("read", "sent", "delivered", "failed"):
        await desk.hear(status)
    assert desk.held.status == "read"


async def test_another_tenants_status_changes_nothing():
    desk = Desk()
    await desk.hear("failed", 131026, tenant=OTHER)
    assert (desk.held.state, desk.told) == ("queued", [])


@pytest.mark.parametrize("code", [131026, 132069, 999999])
async def test_what_meta_will_not_deliver_is_told_also_when_it_is_repeated(code):
    desk = Desk()
    for _ in range(2):
        await desk.hear("failed", code)
    assert desk.held.state == "failed"
    assert desk.told == [code, code]  # who hears it has to make one of it


@pytest.mark.parametrize("code", [131000, 130429, 131056])
async def test_what_failed_for_now_is_sent_once_more(code):
    desk = Desk()
    await desk.post.look()
    await desk.hear("failed", code, opaque=False)
    await desk.hear("failed", code, opaque=False)
    await desk.post.look()
    assert desk.post.meta.texts().count("1") == 3  # two of Ana's, one of Eva's
    await desk.hear("failed", code)  # what is told of the first sending is old
    assert desk.held.state == "sent"
    await desk.hear("failed", code, wamid="wamid.out.3")
    await desk.post.look()
    assert len(desk.post.meta.taken) == 3
    assert desk.held.state == "failed"


async def test_what_the_chat_can_do_without_is_not_sent_again():
    desk = Desk(payload={"type": "interactive", "interactive": {"type": "flow"}})
    await desk.hear("failed", 131000)
    assert desk.told == [131000]
    assert desk.held.state == "failed"


@pytest.mark.parametrize(("template", "sent"), [(TEMPLATE, 1), (None, 0)])
async def test_a_window_that_was_closed_after_all_takes_the_template(template, sent):
    desk = Desk(template=template)
    await desk.post.look()
    await desk.hear("failed", 131047)
    await desk.post.look()
    assert [p for _, p in desk.post.meta.taken].count(TEMPLATE) == sent
    assert desk.held.state == ("sent" if template else "failed")


async def test_a_locked_account_stops_everything_that_waits():
    desk = Desk()
    later = entry(2, who=EVA)
    desk.post.put(later)
    await desk.hear("failed", 131031)
    assert desk.post.boxes.outbox_rows[later.id].due == desk.post.clock.now() + STOP
    assert desk.held.state == "failed"
    await desk.post.look(STOP + timedelta(seconds=1))
    assert desk.post.state(later)[0] == "sent"
