"""Logged turns decided again: as they were, and beside other content."""

from dataclasses import replace
from typing import Any

from engine.authoring.replay.turns import NO_MESSAGE, NO_RECORDING, Replay, Replayed
from engine.ports import LoggedTurn
from engine.runtime.turn_record import Cause
from engine.spec.bundle import Bundle
from engine.spec.chart import Branch
from engine.whatsapp.inbound import restore_message
from tests.unit.actions.shop import bundle
from tests.unit.authoring.logged import Diary, an_order
from tests.unit.runtime.flow_shop import ANA, FLOW, NUMBER, TENANT


async def replayed(turns: list[LoggedTurn], made: Bundle | None = None) -> list[Replayed]:
    replay = Replay(made or bundle())
    return [await replay.as_it_was(turn) for turn in turns]


def without(made: Bundle, message: str) -> Bundle:
    """Give a bundle whose message says something else in every language."""
    words = {
        language: replace(known, messages={**known.messages, message: known.messages["help"]})
        for language, known in made.vocabularies.items()
    }
    return replace(made, vocabularies=words, digest="edited")


async def test_every_turn_of_an_order_comes_out_as_it_was():
    diary = Diary()
    await an_order(diary)
    assert len(diary.turns) == 7
    for played in await replayed(diary.turns):
        assert played.record is not None, played.reason
        assert played.differences == ()
        assert not played.parts


async def test_what_was_read_and_drawn_comes_from_the_log_alone():
    diary = Diary()
    await an_order(diary)
    diary.shop.businesses.held.clear()
    catalog: Any = diary.shop.store.catalog
    catalog.products = {}
    assert [each.differences for each in await replayed(diary.turns)] == [()] * 7


async def test_replayed_in_a_chain_it_is_the_same():
    diary = Diary()
    await an_order(diary)
    chain = await Replay(bundle()).through(diary.turns)
    assert [each.differences for each in chain] == [()] * 7


async def test_a_timer_and_an_old_tap_come_out_as_they_were():
    diary = Diary()
    shown = await diary.say("menu")
    old = shown.messages[-1].wamid
    await diary.tap("add_to_cart:prod:coke")
    diary.later(hours=30)
    await diary.fire("cart_expired")
    await diary.tap("cat:pizza", answers=old)
    chain = await Replay(bundle()).through(diary.turns)
    assert [each.differences for each in chain] == [()] * len(diary.turns)
    assert all(each.record for each in chain)


async def test_a_difference_is_told_to_the_byte():
    diary = Diary()
    turn = await diary.say("hi")
    (first, *others) = turn.messages
    payload = {**first.entry.payload, "to": "+1"}
    changed = replace(first, entry=replace(first.entry, payload=payload))
    altered = replace(turn, messages=(changed, *others))
    (played,) = await replayed([altered])
    (difference,) = played.differences
    assert difference.startswith(f"{first.entry.id}: payload: ")
    assert played.parts


async def test_a_log_that_says_otherwise_is_a_difference():
    diary = Diary()
    turn = await diary.say("hi")
    altered = replace(turn, log=replace(turn.log, target="cart"), messages=turn.messages[:-1])
    (played,) = await replayed([altered])
    assert [line.split(":")[0] for line in played.differences] == ["target", "messages"]


async def test_one_that_was_switched_went_out_as_its_template():
    diary = Diary()
    turn = await diary.say("hi")
    (first, *others) = turn.messages
    body = replace(first.entry, payload={"type": "template"}, template=None)
    switched = replace(turn, messages=(replace(first, entry=body, is_switched=True), *others))
    (played,) = await replayed([switched])
    assert played.record is not None
    template = {"type": "template"}
    outbox = (replace(played.record.outbox[0], template=template), *played.record.outbox[1:])
    assert replace(played, record=replace(played.record, outbox=outbox)).differences == ()
    assert played.differences != ()


async def test_what_an_earlier_version_took_is_not_recorded():
    diary = Diary()
    turn = await diary.say("hi")
    old = replace(turn, log=replace(turn.log, recording=None))
    for played in (*await replayed([old]), *await Replay(bundle()).through([old])):
        assert (played.record, played.reason, played.parts) == (None, NO_RECORDING, False)
        assert played.differences == ()


async def test_a_message_that_is_not_kept_cannot_be_replayed():
    diary = Diary()
    turn = await diary.say("hi")
    (played,) = await replayed([replace(turn, row=None)])
    assert (played.record, played.reason) == (None, NO_MESSAGE)


async def test_a_message_that_cannot_be_read_is_a_sentence():
    diary = Diary()
    turn = await diary.say("hi")
    assert turn.row is not None
    (played,) = await replayed([replace(turn, row=replace(turn.row, raw={"message": 7}))])
    assert played.reason == "it fails: this is not the raw form of a message"


async def test_a_turn_that_was_given_up_says_what_it_said():
    diary = Diary()
    turn = await diary.say("hi")
    shop = diary.shop
    assert turn.row is not None
    message = restore_message(turn.row.raw)
    cause = Cause(turn.id, TENANT, ANA, NUMBER, message)
    decisions = shop.turns._decisions
    record = await decisions.problem(cause, bundle(), shop.store, error="stuck")
    logged = diary._log(record, turn.row)
    assert logged.given_up == "stuck"
    (played,) = await replayed([logged])
    assert played.differences == ()


# Beside other content ---------------------------------------------------------------------------


async def test_an_edited_message_parts_where_it_is_said():
    diary = Diary()
    await an_order(diary)
    (name, *_) = sorted(step["say"] for step in diary.turns[1].log.steps if "say" in step)
    chain = await Replay(without(bundle(), name)).through(diary.turns)
    parts = [each.turn.version for each in chain if each.parts]
    assert diary.turns[1].version in parts
    assert diary.turns[0].version not in parts


async def test_after_an_edit_he_goes_on_from_where_he_stands_now():
    diary = Diary()
    await diary.say("hi")
    await diary.tap("add_to_cart:prod:coke")
    await diary.tap("view_cart")
    made = bundle()
    stays = {**made.chart.anywhere, "add_to_cart": (Branch("x:1:1", say=("help",)),)}
    edited = replace(made, chart=replace(made.chart, anywhere=stays, digest="edited"))
    states = {
        key: replace(s, when={k: v for k, v in s.when.items() if k != "add_to_cart"})
        for key, s in made.chart.states.items()
    }
    edited = replace(made, chart=replace(edited.chart, states=states, digest="edited"))
    chain = await Replay(edited).through(diary.turns)
    assert [each.parts for each in chain] == [False, True, True]
    assert chain[1].record is not None
    assert chain[1].record.cart is None
    # The cart that he has not filled now is not there in the next turn.
    assert chain[2].record is not None
    assert chain[2].record.log.recording is not None
    assert chain[2].record.log.recording.cart is None


async def test_what_an_edit_asks_and_nobody_asked_then_cannot_be_told():
    diary = Diary()
    await diary.say("hi")
    turn = await diary.say("menu")
    assert turn.log.recording is not None
    bare = replace(turn.log.recording, readings=())
    asked = replace(turn, log=replace(turn.log, recording=bare))
    first = diary.turns[0]
    assert first.log.recording is not None
    first = replace(
        first, log=replace(first.log, recording=replace(first.log.recording, readings=()))
    )
    (_, played) = await Replay(bundle()).through([first, asked])
    assert played.record is None
    assert played.reason is not None
    assert played.reason.startswith("it asks what nobody had asked: catalog.")


async def test_a_gap_in_the_log_starts_from_what_was_stored():
    diary = Diary()
    await an_order(diary)
    kept = [diary.turns[0], *diary.turns[4:]]
    chain = await Replay(bundle()).through(kept)
    assert [each.differences for each in chain] == [()] * len(kept)


async def test_the_end_of_a_flow_is_replayed_with_what_it_gave():
    diary = Diary()
    await an_order(diary)
    (end,) = (turn for turn in diary.turns if turn.id.startswith("flow:"))
    assert end.row is None
    (played,) = await replayed([end])
    assert played.record is not None
    assert played.record.flow_done is not None
    assert played.record.flow_done.flow == FLOW
    assert played.differences == ()
