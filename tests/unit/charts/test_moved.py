"""Conversations that are half way when the chart changes: where they stand, and what is said."""

import pytest

from engine.charts.inbound import Candidates
from engine.charts.place import locate
from engine.domain.conversation import Position
from engine.spec.bundle import Bundle
from engine.turn import Event, Turn
from tests.unit.charts.builders import bundle, event, run, said, text, turn

NOW = """
chart: c
version: 8
start: menu
renamed:
  pay: method
  payment: pay
  a: b
  b: a
  r1: r2
  r2: r3
  r3: r4
  r4: r5
  r5: r6
  r6: r7
  r7: r8
  r8: r9
  r9: menu
  lost: nowhere_now
  nowhere_now: help
anywhere:
  menu: menu
  help: help
  moved: {say: moved, go: resume}
  nothing_matched: {say: pardon}
  old_tap: {say: old}
states:
  menu: {say: main_menu, when: {buy: checkout}}
  checkout:
    start: address
    say: checkout
    states:
      address: {say: address, when: {text: {say: noted}, next: method}}
      method: {say: method, when: {pay: thanks}}
  thanks: {say: thanks}
  basket:
    start: items
    states:
      items:
        start: list
        states:
          list: {when: {menu: menu}}
  offers: {when: {buy: basket}}
  help: {aside: true, say: help, when: {back: resume, offers: offers}}
"""
CHART = bundle(NOW)


def position(leaf: str, *outer: str, resume: str | None = None) -> Position:
    return Position("c", 7, "old", leaf, (*outer, leaf), resume)


@pytest.mark.parametrize(
    ("leaf", "outer", "after", "moved"),
    [
        ("method", ["checkout"], "method", False),
        ("menu", [], "menu", False),
        # It is an outer state now: down to its first one.
        ("checkout", [], "address", False),
        ("basket", [], "list", False),
        # It has another name now, perhaps for the second time.
        ("pay", ["checkout"], "method", False),
        ("payment", ["checkout"], "method", False),
        ("lost", [], "help", False),
        ("r2", [], "menu", False),
        # A state that is gone: the nearest one around it, else the start.
        ("card", ["checkout"], "address", True),
        ("card", ["checkout", "method"], "method", True),
        ("card", ["shop", "till"], "menu", True),
        ("card", ["shop", "basket", "till"], "list", True),
        ("card", [], "menu", True),
        # Names that lead in a circle, or through too many others.
        ("a", [], "menu", True),
        ("r1", [], "menu", True),
    ],
)
def test_a_conversation_stands_where_its_state_is_now(leaf, outer, after, moved):
    place = locate(CHART.chart, position(leaf, *outer))
    assert (place.leaf, place.moved) == (after, moved)


def test_a_new_conversation_stands_nowhere():
    place = locate(CHART.chart, None)
    assert (place.leaf, place.resume, place.moved) == (None, None, False)


@pytest.mark.parametrize(
    ("resume", "after"),
    [
        ("method", "method"),
        ("payment", "method"),
        ("checkout", "address"),  # an outer state now
        ("basket", "list"),
        ("card", None),
        (None, None),
        ("help", None),  # aside now: nothing leads back to it
        ("lost", None),
    ],
)
def test_what_is_to_be_resumed_is_looked_up_too(resume, after):
    assert locate(CHART.chart, position("help", resume=resume)).resume == after


@pytest.mark.parametrize(
    ("resume", "after"),
    [("method", "method"), ("basket", "list"), ("card", "menu"), ("lost", "menu")],
)
async def test_a_customer_comes_back_from_aside_although_the_chart_changed(resume, after):
    result = await run(CHART, standing(position("help", resume=resume)), event("back"))
    assert (result.target, result.failure) == (after, None)


def standing(place: Position, shop: Bundle = CHART) -> Turn:
    begun = turn(shop)
    begun.conversation.position = place
    return begun


async def test_a_customer_whose_state_is_gone_is_told_and_asked_again():
    """What he answered to the vanished state must not be misread by another one."""
    result = await run(CHART, standing(position("card", "checkout")), text("Calle 1, Lima"))
    assert said(result) == ["moved", "checkout", "address"]
    assert (result.target, result.source) == ("address", "address")
    again = await run(CHART, turn(CHART, "address"), text("Calle 1, Lima"))
    assert said(again) == ["noted"]


async def test_a_tap_is_not_fed_to_the_state_around_either():
    result = await run(CHART, standing(position("card", "checkout")), event("next"))
    assert (said(result), result.target) == (["moved", "checkout", "address"], "address")


async def test_what_is_understood_anywhere_is_understood_there():
    result = await run(CHART, standing(position("card", "checkout")), event("help"))
    assert (said(result), result.target) == (["help"], "help")
    place = result.turn.conversation.position
    assert place is not None
    assert place.resume == "address"


async def test_a_renamed_state_is_no_news_to_the_customer():
    result = await run(CHART, standing(position("payment", "checkout")), event("pay"))
    assert (said(result), result.target) == (["thanks"], "thanks")


async def test_from_then_on_the_conversation_is_of_the_new_chart():
    result = await run(CHART, standing(position("payment", "checkout")), event("pay"))
    place = result.turn.conversation.position
    assert place is not None
    assert (place.chart, place.version, place.path) == ("c", 8, ("thanks",))
    assert place.structure not in ("", "old")


async def test_without_a_word_for_it_a_moved_customer_is_not_understood():
    shop = bundle(
        "chart: c\nstart: a\nanywhere: {nothing_matched: {say: pardon}}\nstates: {a: {}}\n"
    )
    result = await run(shop, standing(position("gone"), shop), text("hm"))
    assert (said(result), result.target) == (["pardon"], "a")


async def test_an_old_button_of_a_renamed_state_works():
    async def origin() -> str | None:
        return "payment"

    meant = Candidates("tap", (Event("pay"),))
    result = await run(CHART, turn(CHART, "menu"), meant, origin)
    assert (said(result), result.target) == (["thanks"], "thanks")


@pytest.mark.parametrize("answer", ["text", "location"])
async def test_an_answer_to_a_question_that_is_gone_is_no_search(answer):
    """The shared chart takes any text anywhere, as the name of a product."""
    shop = bundle(
        "chart: c\nstart: a\n"
        "anywhere: {text: {say: found}, location: {say: found}, moved: {say: moved, go: a}}\n"
        "states: {a: {say: begin}}\n"
    )
    meant = Candidates(answer, data={"text": "Calle 1, Lima"})
    result = await run(shop, standing(position("gone"), shop), meant)
    assert said(result) == ["moved", "begin"]
