"""Timers of states: when they start, when they are stale, and what one that fires does."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from engine.charts.inbound import Candidates, candidates
from engine.charts.run import TurnResult
from engine.charts.timers import entries_now, event_now, is_stale
from engine.domain.conversation import Conversation, Position
from engine.spec.bundle import Bundle
from engine.turn import Event, Turn
from engine.whatsapp.content import Raised
from tests.unit.charts.builders import (
    ANA,
    NOW,
    SHOP,
    bundle,
    event,
    run,
    said,
    text,
    timers,
    turn,
)
from tests.unit.charts.test_reference import EVENTS, charts


def chart(states: str, rest: str = "") -> Bundle:
    return bundle(f"chart: c\nstart: a\n{rest}\nstates: {{{states}}}\n")


def following(shop: Bundle, result: TurnResult, **changes: Any) -> Turn:
    """Begin the turn that comes after another one."""
    begun = turn(shop)
    begun.conversation = replace(result.turn.conversation, **changes)
    return begun


def fired(shop: Bundle, name: str, entry: int | None = 1) -> Candidates:
    """Read a timer's event as it comes from the inbox."""
    meant = candidates(Raised(name, {"entry": entry}), shop, "en")
    assert meant is not None
    return meant


async def through(shop: Bundle, *names: str) -> list[TurnResult]:
    """Take a new customer through some events, one turn each."""
    results = [await run(shop, turn(shop), text("hello"))]
    for name in names:
        results.append(await run(shop, following(shop, results[-1]), event(name)))
        assert results[-1].failure is None
    return results


def entries(result: TurnResult) -> Mapping[str, int]:
    return result.turn.conversation.entries


def live(shop: Bundle, *results: TurnResult) -> list[str]:
    """Name the timers of all turns that are not stale after the last."""
    conversation = results[-1].turn.conversation
    return [
        timer.event
        for result in results
        for timer in result.timers
        if not is_stale(shop.chart, timer.event, timer.entry, conversation)
    ]


# Starting ---------------------------------------------------------------------------------------

TIMED = chart(
    "a: {when: {go: b}}, b: {say: b, when: {stay: {say: hm}, again: b, no: {do: buy, go: c},"
    "  y: a}, after: {30m: {say: still_there}, 2d: {do: {save: {late: true}}, go: a}}},"
    "c: {do: refuse, after: {1h: a}}"
)


async def test_entering_a_state_starts_its_timers():
    begun = turn(TIMED, "a")
    begun.conversation.phone_number_id = "77"
    result = await run(TIMED, begun, event("go"))
    assert timers(result.timers) == [("after.b.30m", 30), ("after.b.2d", 2 * 24 * 60)]
    first = result.timers[0]
    assert (first.tenant, first.customer, first.entry) == ("shop", "ana", 1)
    assert first.id == "shop:ana:1:after.b.30m"
    assert first.phone_number_id == "77"
    assert first.due == NOW + timedelta(minutes=30)
    assert entries(result) == {"b": 1}


async def test_a_first_message_starts_the_timers_of_the_first_state():
    shop = chart("a: {after: {5s: {say: well}}}")
    result = await run(shop, turn(shop), text("hello"))
    assert [timer.event for timer in result.timers] == ["after.a.5s"]
    assert entries(result) == {"a": 1}


async def test_staying_starts_no_timer_and_entering_again_does():
    *before, entered = await through(TIMED, "go")
    stayed = await run(TIMED, following(TIMED, entered), event("stay"))
    assert stayed.timers == []
    assert live(TIMED, entered, stayed) == ["after.b.30m", "after.b.2d"]
    again = await run(TIMED, following(TIMED, stayed), event("again"))
    assert timers(again.timers) == [("after.b.30m", 30), ("after.b.2d", 2 * 24 * 60)]
    assert live(TIMED, *before, entered, stayed, again) == ["after.b.30m", "after.b.2d"]
    assert entries(again)["b"] > entries(entered)["b"]


async def test_leaving_a_state_makes_its_timers_stale():
    results = await through(TIMED, "go", "y")
    assert live(TIMED, *results) == []
    assert entries(results[-1]) == {"a": 3}


async def test_a_refused_entry_starts_no_timer_and_keeps_those_there_are():
    *_, entered = await through(TIMED, "go")
    with capture_logs():
        refused = await run(TIMED, following(TIMED, entered), event("no"))
    conversation = refused.turn.conversation
    assert (refused.timers, refused.target) == ([], "b")
    assert (conversation.entry, conversation.entries) == (2, {"b": 2})
    assert live(TIMED, entered, refused) == ["after.b.30m", "after.b.2d"]


async def test_a_failed_turn_sets_no_timer():
    shop = chart("a: {when: {go: b}}, b: {do: fail, after: {1h: a}}")
    begun = turn(shop, "a")
    before = begun.conversation.entries
    result = await run(shop, begun, event("go"))
    assert (result.timers, result.failure) == ([], "the oven is on fire")
    # The runtime keeps the conversation of before the turn, which must not have changed with it.
    assert before == {"a": 0}


async def test_a_state_that_is_only_passed_through_has_no_timer():
    shop = chart(
        "a: {when: {go: b}}, b: {do: {raise: {event: first}}, after: {1h: a}, when: {first: o}},"
        "o: {start: d, finished: e, after: {1h: a}, states: {d: {final: true}}},"
        "e: {after: {2h: a}}"
    )
    result = await run(shop, turn(shop, "a"), event("go"))
    assert [timer.event for timer in result.timers] == ["after.e.2h"]
    assert list(entries(result)) == ["e"]


# Outer and aside states -------------------------------------------------------------------------

OUTER = chart(
    "a: {when: {go: o}},"
    "o: {start: i, after: {1h: {say: hurry}}, when: {anew: o}, states: {"
    "  i: {when: {next: j}, after: {5m: {say: still_i}}}, j: {when: {back: i, out: a}}}},"
    "help: {aside: true, after: {1d: resume}, when: {on: resume}}",
    "anywhere: {help: help, leave: a}",
)


async def test_a_timer_of_an_outer_state_lasts_while_the_customer_is_inside():
    *before, entered = await through(OUTER, "go")
    assert [timer.event for timer in entered.timers] == ["after.o.1h", "after.i.5m"]
    moved = await run(OUTER, following(OUTER, entered), event("next"))
    assert live(OUTER, entered, moved) == ["after.o.1h"]
    back = await run(OUTER, following(OUTER, moved), event("back"))
    assert [timer.event for timer in back.timers] == ["after.i.5m"]
    assert live(OUTER, *before, entered, moved, back) == ["after.o.1h", "after.i.5m"]
    assert list(entries(back)) == ["o", "i"]


@pytest.mark.parametrize("name", ["out", "leave"])
async def test_leaving_an_outer_state_makes_its_timers_stale(name):
    results = await through(OUTER, "go", "next", name)
    assert live(OUTER, *results) == []


async def test_entering_an_outer_state_again_starts_all_its_timers_anew():
    *before, inside = await through(OUTER, "go", "next")
    again = await run(OUTER, following(OUTER, inside), event("anew"))
    assert [timer.event for timer in again.timers] == ["after.o.1h", "after.i.5m"]
    assert live(OUTER, *before, inside, again) == ["after.o.1h", "after.i.5m"]


async def test_aside_is_away_and_coming_back_is_entering_anew():
    *before, aside = await through(OUTER, "go", "next", "help")
    assert live(OUTER, *before, aside) == ["after.help.1d"]
    back = await run(OUTER, following(OUTER, aside), event("on"))
    assert back.target == "j"
    assert [timer.event for timer in back.timers] == ["after.o.1h"]
    assert live(OUTER, *before, aside, back) == ["after.o.1h"]


async def test_a_timer_may_lead_back_from_aside():
    *_, aside = await through(OUTER, "go", "next", "help")
    back = await run(OUTER, following(OUTER, aside), fired(OUTER, "after.help.1d"))
    assert (back.target, back.failure) == ("j", None)


# Firing -----------------------------------------------------------------------------------------

FIRING = chart(
    "a: {when: {go: o}, say: a},"
    "o: {start: i, after: {1h: [{if: lucky(), say: lucky}, {if: number == 3, say: three, go: a}],"
    "  2h: {do: refuse, go: a}, 3h: {do: {save: {late: true}}, say: bye, go: a, quiet: true}},"
    "  states: {i: {do: {save: {number: 0}}, after: {5m: {say: hm}, 6m: a}}}}",
    "anywhere: {nothing_matched: {say: pardon}, old_tap: {say: old}, refused: {say: no}}",
)


@pytest.mark.parametrize(
    ("name", "variables", "texts", "target"),
    [
        ("after.i.5m", {}, ["hm"], "i"),
        ("after.i.6m", {}, ["a"], "a"),
        ("after.o.1h", {"number": 7}, ["lucky"], "i"),
        ("after.o.1h", {"number": 3}, ["three", "a"], "a"),
        ("after.o.1h", {"number": 4}, [], "i"),  # no guard holds: nothing is said, least pardon
        ("after.o.2h", {}, ["no"], "i"),
        ("after.o.3h", {}, [], "a"),
        ("after.o.9h", {}, [], "i"),
        ("cart_expired", {}, [], "i"),
    ],
)
async def test_a_timer_that_fires_is_an_event_of_its_state(name, variables, texts, target):
    before = turn(FIRING, "i", variables=variables, misses=2)
    result = await run(FIRING, before, fired(FIRING, name))
    assert (said(result), result.target, result.failure) == (texts, target, None)
    assert result.turn.conversation.misses == 2  # the customer has said nothing


async def test_a_timer_of_a_state_fires_once_unless_it_is_entered_again():
    *_, inside = await through(FIRING, "go")
    result = await run(FIRING, following(FIRING, inside), fired(FIRING, "after.i.5m"))
    assert (said(result), result.timers) == (["hm"], [])
    assert entries(result) == entries(inside)


async def test_a_timer_that_fails_says_nothing():
    shop = chart("a: {after: {1h: {do: fail, say: hm}}}", "anywhere: {problem: {say: sorry}}")
    result = await run(shop, turn(shop, "a"), fired(shop, "after.a.1h"))
    assert (said(result), result.failure) == ([], "the oven is on fire")
    refused = candidates(Raised("after.a.1h", {"id": "x:1"}), shop, "en")
    assert refused is not None
    assert said(await run(shop, turn(shop, "a"), refused)) == ["sorry"]


async def test_a_timer_changes_no_language():
    before = turn(FIRING, "i", language="es")
    result = await run(FIRING, before, fired(FIRING, "after.i.5m"))
    assert said(result) == ["HM"]
    assert result.turn.conversation.language == "es"


async def test_nobody_can_tap_a_timer():
    result = await run(FIRING, turn(FIRING, "i"), Candidates("tap", (Event("", {}),)))
    assert said(result) == ["old"]


async def test_an_event_of_no_state_is_taken_where_the_chart_wants_it():
    shop = chart(
        "a: {when: {go: b}}, b: {when: {cart_expired: {say: mine, go: a}}}, c: {}",
        "anywhere: {cart_expired: {quiet: true, say: all, go: c}}",
    )
    assert "cart_expired" in shop.chart.events()
    for state, texts, target in (("a", [], "c"), ("b", ["mine"], "a")):
        result = await run(shop, turn(shop, state), fired(shop, "cart_expired", None))
        assert (said(result), result.target) == (texts, target)


def test_a_chart_that_wants_no_such_event_says_so():
    assert "cart_expired" not in OUTER.chart.events()
    assert OUTER.chart.has_timers
    assert not chart("a: {}").chart.has_timers


# States come into without being entered ---------------------------------------------------------


async def test_a_tap_on_an_old_message_starts_the_timers_of_where_it_leads():
    shop = chart(
        "a: {after: {1h: a}, when: {go: b}}, b: {after: {2h: a}, when: {pick: {say: picked}}}"
    )

    async def origin() -> str | None:
        return "b"

    *_, before = await through(shop)
    tapped = await run(shop, following(shop, before), event("pick"), origin)
    assert (said(tapped), tapped.target) == (["picked"], "b")
    assert [timer.event for timer in tapped.timers] == ["after.b.2h"]
    assert live(shop, before, tapped) == ["after.b.2h"]


async def test_a_conversation_from_before_there_were_entries_gets_its_timers():
    before = turn(TIMED, "b")
    before.conversation.entries = {}
    result = await run(TIMED, before, event("stay"))
    assert [timer.event for timer in result.timers] == ["after.b.30m", "after.b.2d"]
    assert live(TIMED, result) == ["after.b.30m", "after.b.2d"]


# Charts that change while a timer runs ----------------------------------------------------------

NEW = chart(
    "a: {}, o: {start: first, after: {1h: {say: hurry}}, states: {"
    "  first: {}, payment: {after: {30m: {say: pay_soon}, 9h: {say: stay}}, when: {x: a}}}}",
    "renamed: {pay: method, method: payment}\n"
    "anywhere: {moved: {say: moved, go: resume}, in: o, to: payment}",
)


def standing(leaf: str, *outer: str, **counts: int) -> Conversation:
    path = (*outer, leaf)
    place = Position("c", 1, "old", leaf, path)
    return Conversation(SHOP, ANA, "en", position=place, entry=9, entries=counts)


@pytest.mark.parametrize(
    ("name", "entry", "held", "stale"),
    [
        ("after.payment.30m", 5, {"payment": 5}, False),
        ("after.payment.30m", 4, {"payment": 5}, True),
        ("after.payment.30m", 5, {"o": 5}, True),
        ("after.payment.30m", 5, {}, True),
        ("after.payment.45m", 5, {"payment": 5}, True),  # the chart has it no more
        # Set before the state had another name; the conversation may have had a turn since.
        ("after.pay.30m", 5, {"pay": 5}, False),
        ("after.pay.30m", 5, {"payment": 5}, False),
        ("after.method.30m", 5, {"pay": 5}, False),
        ("after.pay.30m", 4, {"pay": 5}, True),
        ("after.gone.30m", 5, {"gone": 5}, True),
        ("after.unheard.30m", 5, {"unheard": 5}, True),
        # Of no state
        ("cart_expired", None, {"payment": 5}, False),
        ("cart_expired", None, {}, False),
        # Not a timer of a state, whatever is claimed
        ("cart_expired", 5, {"payment": 5}, True),
    ],
)
def test_a_timer_is_stale_when_its_state_was_left(name, entry, held, stale):
    assert is_stale(NEW.chart, name, entry, standing("payment", "o", **held)) == stale


@pytest.mark.parametrize(
    ("name", "now"),
    [
        ("after.pay.30m", "after.payment.30m"),
        ("after.payment.30m", "after.payment.30m"),
        ("after.unheard.30m", "after.unheard.30m"),
        ("cart_expired", "cart_expired"),
        ("flow.pay", "flow.pay"),
        ("flow.pay.done", "flow.pay.done"),
        ("after.pay", "after.pay"),
        ("", ""),
    ],
)
def test_an_event_has_the_name_of_its_state_now(name, now):
    assert event_now(NEW.chart, name) == now


def test_entries_have_the_names_of_their_states_now():
    assert entries_now(NEW.chart, {"o": 1, "pay": 2, "gone": 3}) == {"o": 1, "payment": 2}


async def test_a_timer_of_a_renamed_state_fires_under_its_new_name():
    before = turn(NEW)
    before.conversation = standing("pay", "o", o=4, pay=5)
    result = await run(NEW, before, fired(NEW, "after.pay.30m", 5))
    assert (said(result), result.target, result.event) == (
        ["pay_soon"], "payment", "after.payment.30m",
    )  # fmt: skip
    assert entries(result) == {"o": 4, "payment": 5}
    # The other one, which is set under the old name, lives on.
    assert not is_stale(NEW.chart, "after.pay.9h", 5, result.turn.conversation)


async def test_that_his_state_is_gone_is_told_when_the_customer_answers():
    """A timer of the state around it fires before; it is not what he waits for."""
    before = turn(NEW)
    before.conversation = standing("card", "o", o=4, card=5)
    hurried = await run(NEW, before, fired(NEW, "after.o.1h", 4))
    assert (said(hurried), hurried.failure) == (["hurry"], None)
    answered = await run(NEW, following(NEW, hurried), text("Calle 1, Lima"))
    assert said(answered) == ["moved"]
    assert answered.target == "first"


async def test_what_nobody_wants_does_not_tell_him_either():
    before = turn(NEW)
    before.conversation = standing("card", "o", o=4, card=5)
    result = await run(NEW, before, fired(NEW, "cart_expired", None))
    assert (said(result), result.timers) == ([], [])


# Random charts ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    made=charts(),
    script=st.lists(st.sampled_from([*EVENTS, "after.s0.30m", "after.s1.30m"]), max_size=8),
    number=st.sampled_from([None, 1]),
)
async def test_entries_are_of_the_states_he_is_in_and_change_when_these_are_entered(
    made, script, number
):
    shop = replace(OUTER, chart=replace(made, digest=repr(made)))
    result = await run(shop, turn(shop), text("hello"))
    for name in script:
        if result.failure:  # a chart in circles
            return
        before = entries(result)
        position = result.turn.conversation.position
        assert position is not None
        assert list(before) == list(position.path)
        assert len(set(before.values())) == len(before)
        assert max(before.values()) <= result.turn.conversation.entry
        variables = {"maybe": number}
        meant = fired(shop, name) if name.startswith("after.") else event(name)
        result = await run(shop, following(shop, result, variables=variables), meant)
        if result.failure:
            return
        entered = [step["state"] for step in result.steps if "state" in step]
        after = entries(result)
        assert {s for s in after if after[s] != before.get(s)} == set(entered) & set(after)
        expected = [
            (f"after.{state}.30m", after[state])
            for state in after
            if state in entered and shop.chart.states[state].after
        ]
        assert [(timer.event, timer.entry) for timer in result.timers] == expected
