"""Logged turns as a dialog that can be played, with what is personal masked."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.authoring.replay.dialog import NothingToSave, Saved, _span, dialog_of
from engine.authoring.replay.masks import ADDRESS, EMAIL, NAME, PHONE, Masks
from engine.authoring.replay.turns import Replay
from engine.domain.ids import CustomerKey
from engine.spec.dialog import Step
from engine.spec.library import Library
from engine.verbs import all_verbs
from tests.unit.actions.shop import ROOT, bundle
from tests.unit.authoring import logged
from tests.unit.authoring.logged import Diary, an_order

ZONE = ZoneInfo("America/New_York")
MULBERRY = "48 Mulberry Street, apartment 9"


async def saved(diary: Diary) -> Saved:
    played = await Replay(bundle()).through(diary.turns)
    return dialog_of(diary.turns, [each.record for each in played if each.record], ZONE)


def kinds(made: Saved) -> list[str]:
    return [str(step) for step in made.dialog.steps]


async def a_delivery(diary: Diary) -> None:
    await diary.say("hi")
    await diary.tap("add_to_cart:prod:focaccia")
    await diary.tap("checkout")
    await diary.tap("delivery")
    await diary.say(MULBERRY)


async def test_a_conversation_becomes_steps(tmp_path):
    diary = Diary()
    await a_delivery(diary)
    diary.later(minutes=5, seconds=20)
    await diary.send({"type": "audio", "audio": {"id": "m", "voice": True}})
    await diary.send({"type": "text", "text": {"body": "  "}})
    made = await saved(diary)
    assert kinds(made)[0] == "say: hi"
    assert kinds(made)[-4:] == ["wait: 320s", "send: voice", "send: empty", "expect"]
    assert made.dialog.customer == NAME
    assert made.dialog.at is not None
    assert made.dialog.at.tzinfo is None
    assert made.dialog.at == diary.turns[0].at.astimezone(ZONE).replace(tzinfo=None)
    assert made.left_out == ()
    file = tmp_path / "saved.yaml"
    file.write_text(made.text())
    assert Library(ROOT, all_verbs()).dialog(file) == made.dialog


async def test_nothing_personal_is_left():
    diary = Diary(who=CustomerKey("US.778899001122"))
    await a_delivery(diary)
    await diary.say(f"I am beatriz, call me at +1 (555) 222-3344 or bea@shop.example, {MULBERRY}!")
    place = {"latitude": 40.71931, "longitude": -73.99721, "name": "Bea's", "address": MULBERRY}
    await diary.send({"type": "location", "location": place})
    made = (await saved(diary)).text()
    for personal in (
        "Beatriz", "beatriz", "Quispe", logged.PHONE, "222-3344", "bea@shop", "Mulberry",
        "48", "40.7193", "73.997", "778899001122", "Bea's",
    ):  # fmt: skip
        assert personal not in made, personal
    for kept in (ADDRESS, PHONE, EMAIL, "I am Ana, call me at", "40.7"):
        assert kept in made, kept


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("two pizzas and 1 coke", "two pizzas and 1 coke"),
        ("al dente for Al", "Ana dente for Ana"),
        ("also", "also"),
        ("12345678", PHONE),
        ("order K7M2QX at 19:30", "order K7M2QX at 19:30"),
        ("cat:pizza#2", "cat:pizza#2"),
        ("12  Main\nSt", ADDRESS),
        ("a@b.co", EMAIL),
        ("2026-11-23", "15550001234"),
    ],
)
def test_a_text_is_masked_where_it_is_personal(text, masked):
    masks = Masks([("Al", NAME), ("12 Main St", ADDRESS), ("x", "never"), ("", "never")])
    assert masks(text) == masked
    assert masks.holds(text) == (text != masked)


def test_nothing_is_masked_where_nothing_is_known():
    assert Masks([])("Ana says hi") == "Ana says hi"


async def test_what_cannot_be_a_step_is_named():
    diary = Diary()
    await an_order(diary)
    await diary.send({"type": "document", "document": {"id": "m"}})
    made = await saved(diary)
    assert made.left_out == (
        "what he entered in the Flow product_customization (turn 5)",
        "what he sent, which no step can be: media (turn 8)",
    )
    assert made.dialog.flows
    assert "expect" not in kinds(made)
    assert "\n# Left out: what he entered in the Flow" in made.text()


async def test_what_was_said_before_the_log_begins_is_named():
    diary = Diary()
    await diary.say("hi")
    await diary.say("menu")
    diary.turns = diary.turns[1:]
    assert (await saved(diary)).left_out[0].startswith("what was said before")


async def test_a_timer_is_waited_for():
    diary = Diary()
    await diary.tap("add_to_cart:prod:coke")
    diary.later(hours=24, seconds=7)
    await diary.fire("cart_expired")
    diary.later(seconds=5)
    await diary.say("hi")
    diary.later(hours=30)
    await diary.fire("cart_expired")
    made = await saved(diary)
    assert [step.wait for step in made.dialog.steps if step.wait] == ["1441m", "30h"]
    assert kinds(made)[1] == "wait: 1441m"


async def test_an_old_button_is_tapped_as_an_old_one():
    diary = Diary()
    first = await diary.say("menu")
    await diary.say("menu")
    await diary.tap("cat:pizza", answers=first.messages[-1].wamid)
    await diary.say("menu")
    await diary.tap("cat:pizza")
    made = await saved(diary)
    taps = [step for step in made.dialog.steps if step.tap or step.tap_old]
    assert taps == [Step(tap_old="Pizza"), Step(tap="Pizza")]


async def test_a_tap_on_what_nobody_remembers_is_named_by_its_id():
    diary = Diary()
    await diary.say("hi")
    reply = {"type": "button_reply", "button_reply": {"id": "view_cart", "title": "My cart"}}
    await diary.send({"type": "interactive", "interactive": reply}, "wamid.gone")
    (tap,) = (step.tap for step in (await saved(diary)).dialog.steps if step.tap)
    assert tap in ("view_cart", "My cart")


def test_nothing_kept_is_a_sentence():
    with pytest.raises(NothingToSave):
        dialog_of([], [], UTC)


@pytest.mark.parametrize(
    ("seconds", "is_up", "span"),
    [
        (59, False, (59, "s")),
        (60, False, (1, "m")),
        (61, False, (61, "s")),
        (9999, False, (9999, "s")),
        (10001, False, (166, "m")),
        (10001, True, (167, "m")),
        (86400, False, (1, "d")),
        (86400 * 30, True, (30, "d")),
        (0, True, (0, "s")),
        (-5, False, (0, "s")),
        (86400 * 50000, False, (9999, "d")),
    ],
)
def test_a_wait_is_written_in_the_unit_it_fits(seconds, is_up, span):
    assert _span(timedelta(seconds=seconds), is_up=is_up) == span
