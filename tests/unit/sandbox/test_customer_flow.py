import httpx
import pytest

from engine.sandbox import NotPossible
from tests.unit.sandbox.device.samples import EXTRAS_DATA, PIZZA, SIZE_DATA
from tests.unit.sandbox.device.scene import TOKEN, Plain, shows, succeeds

EXTRAS = shows("EXTRAS", **EXTRAS_DATA)


async def test_by_id_or_by_what_is_shown(phone):
    flow = await phone.opened(EXTRAS, succeeds())

    await flow.submit({"size": 'Large (16")', "quantity": 1})
    await flow.submit({"extras": ["Extra cheese"]})

    sent = [one["data"] for one in phone.endpoint.requests[1:]]
    assert [sent[0]["size"], sent[1]["extras"]] == ["large", ["cheese"]]
    assert flow.state == "finished"


async def test_lines(phone):
    flow = await phone.opened(succeeds())

    assert flow.lines == [
        "┌ Select size",
        "│ *Margherita Pizza*",
        "│ Choose size:",
        '│   ● Small (10") - $12.00',
        '│   ○ Large (16") - $18.00',
        "│   ○ (Huge)",
        "│ Quantity: []",
        "└ [Continue]",
    ]
    await flow.submit({"quantity": 1})
    assert flow.lines == []


async def test_what_is_not_possible_changes_nothing(phone):
    flow = await phone.opened()
    screen = flow.screen

    with pytest.raises(NotPossible, match=r"^'size' does not offer 'medium' but: small, large"):
        await flow.select("size", "medium")

    assert (flow.state, flow.screen) == ("open", screen)


async def test_select_and_back(phone):
    flow = await phone.opened(EXTRAS)
    await flow.select("quantity", 2)
    await flow.submit()
    await flow.select("extras", ["basil"])
    assert flow.lines[2:4] == ["│   ☐ Extra cheese - +$2.00", "│   ☑ Basil"]

    await flow.back()

    assert "│ Quantity: [2]" in flow.lines


async def test_the_newest_flow_message_or_a_named_one(phone):
    phone.publish(PIZZA)
    old = await phone.offer(flow_token="old")
    new = await phone.offer(flow_token="new")
    await phone.offer(to="5491100000009", flow_token="other")
    phone.endpoint.answers = [shows("SIZE", **SIZE_DATA)] * 2
    ana = phone.customer()

    assert (await ana.open_flow()).wamid == new
    assert (await ana.open_flow(old)).wamid == old
    assert [one["flow_token"] for one in phone.endpoint.requests] == ["new", "old"]


async def test_no_flow_message(phone):
    with pytest.raises(LookupError, match="5491122223333 received no flow message"):
        await phone.customer().open_flow()
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        await phone.customer().open_flow("wamid.none")


async def test_opening_may_fail(phone):
    phone.publish(PIZZA)
    await phone.offer()
    phone.endpoint.answers = [Plain(500)]

    flow = await phone.customer().open_flow()

    assert (flow.state, flow.screen, flow.status, flow.lines) == ("failed", None, 500, [])


async def test_two_flows_at_once(phone):
    first = await phone.opened(EXTRAS)
    second_wamid = await phone.offer(flow_token="second")
    phone.endpoint.answers.insert(0, shows("SIZE", **SIZE_DATA))
    second = await phone.customer().open_flow(second_wamid)

    await first.submit({"quantity": 1})

    assert first.screen["id"] == "EXTRAS"
    assert second.screen["id"] == "SIZE"
    tokens = [one["flow_token"] for one in phone.endpoint.requests]
    assert tokens == [TOKEN, "second", TOKEN]
