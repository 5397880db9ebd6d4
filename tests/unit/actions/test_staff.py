"""Hand-offs: who is told of a customer who wants a person, and who may give him back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.actions.staff import AGAIN, LONGEST_WORDS, NOTIFIED
from engine.domain.ids import CustomerKey
from engine.domain.refusals import Reason
from engine.domain.tenant import Staff
from engine.staff_ports import Spoken, StaffLine
from engine.turn import Turn
from tests.unit.actions.shop import OPEN, a_turn, done, la_tavola, reason

PHONE = "12125550143"
LINE = StaffLine(CustomerKey("US.staff"), PHONE, OPEN)


class People:
    """The staff: `engine.staff_ports.StaffDesk`."""

    def __init__(
        self,
        line: StaffLine | None = LINE,
        known: tuple[str, ...] = (),
        words: tuple[Spoken, ...] = (Spoken("text", "is there\n gluten?"),),
    ) -> None:
        self._line, self._known, self._words = line, known, words

    async def line(self) -> StaffLine | None:
        return self._line

    async def last_words(self) -> tuple[Spoken, ...]:
        return self._words

    async def is_known(self, handoff: str) -> bool:
        return handoff in self._known


def called(staff: People | None = None, **more: Any) -> Turn:
    """Make the turn of a customer who asks for a person."""
    turn = a_turn(**more)
    turn.staff = staff or People()
    return turn


def test_the_staff_is_told_who_and_of_what():
    turn = called()
    done(turn, "staff.notify", message="staff_notice")
    (notice,) = turn.notices
    assert (notice.message, notice.line) == ("staff_notice", LINE)
    shown = notice.data["handoff"]
    assert shown["id"] == notice.handoff
    assert len(notice.handoff) == 32
    assert (shown["name"], shown["phone"], shown["order"]) == ("Ana", "+12125550100", None)
    assert shown["words"] == [{"kind": "text", "text": "is there gluten?"}]


def test_what_he_wrote_is_bounded():
    turn = called(People(words=(Spoken("text", "x" * 5000),)))
    done(turn, "staff.notify", message="staff_notice")
    (word,) = turn.notices[0].data["handoff"]["words"]
    assert len(word["text"]) == LONGEST_WORDS


@pytest.mark.parametrize(
    ("after", "times"), [(timedelta(0), 0), (AGAIN - timedelta(seconds=1), 0), (AGAIN, 1)]
)
def test_nobody_is_told_again_within_some_minutes(after, times):
    turn = called(**{NOTIFIED: (OPEN - after).isoformat()})
    done(turn, "staff.notify", message="staff_notice")
    assert len(turn.notices) == times


@pytest.mark.parametrize("line", [None, replace(LINE, phone="12125550100")])
def test_without_a_number_or_with_his_own_nobody_is_told(line):
    turn = called(People(line=line))
    done(turn, "staff.notify", message="staff_notice")
    assert turn.notices == []
    assert NOTIFIED not in turn.variables


def test_the_bot_waits_as_long_as_the_tenant_says():
    turn = called(tenant=la_tavola(staff=Staff(after="90m")))
    turn.conversation.entry = 7
    done(turn, "staff.wait")
    (timer,) = turn.timers
    assert (timer.event, timer.entry) == ("handed_back", 7)
    assert timer.due == OPEN + timedelta(minutes=90)


def test_the_staff_gives_back_what_it_was_told_of():
    turn = called(People(known=("abc",)))
    turn.conversation.phone = turn.tenant.staff.digits
    done(turn, "staff.give_back", handoff="abc")
    assert turn.given_back == ["abc"]


@pytest.mark.parametrize(
    ("phone", "handoff"),
    [(PHONE, "abd"), (PHONE, ""), ("12125550100", "abc"), (None, "abc"), ("", "abc")],
    ids=["another id", "no id", "a customer", "somebody without a number", "an empty number"],
)
def test_nobody_else_can_and_nothing_else(phone, handoff):
    turn = called(People(known=("abc",)))
    turn.conversation.phone = phone
    assert reason(turn, "staff.give_back", handoff=handoff) is Reason.UNKNOWN_HANDOFF
    assert turn.given_back == []


def test_where_a_tenant_has_no_staff_an_empty_number_is_not_theirs():
    turn = called(People(known=("abc",)), tenant=la_tavola(staff=Staff()))
    for phone in ("", None):
        turn.conversation.phone = phone
        assert reason(turn, "staff.give_back", handoff="abc") is Reason.UNKNOWN_HANDOFF
