"""An alert says what Meta said, and what a person can do about it."""

import pytest

from engine.errors import GraphTerminal
from engine.sync.alerts import HINTS, alert_of
from engine.sync.catalogs import NoBusiness
from tests.unit.sync.scene import NOON


@pytest.mark.parametrize("code", [*HINTS, 201, 299])
def test_what_can_be_done_is_told(code):
    alert = alert_of(GraphTerminal("No", code=code, details="Really"), now=NOON, token="t")
    hint = HINTS.get(code, HINTS[200])
    assert alert.sentence == f"Meta refuses it (No Really); {hint}"
    assert (alert.code, alert.since, alert.token) == (code, NOON, "t")


@pytest.mark.parametrize("code", [0, 300, 131000])
def test_what_nobody_knows_a_remedy_for_is_told_as_it_is(code):
    alert = alert_of(GraphTerminal("No", code=code), now=NOON, token="")
    assert alert.sentence == "Meta refuses it (No)"


def test_what_meta_was_not_asked_is_not_blamed_on_it():
    alert = alert_of(NoBusiness("fbBusinessId is not set"), now=NOON, token="")
    assert alert.sentence == "fbBusinessId is not set"
