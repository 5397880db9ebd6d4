"""Rehearsals: moments are values, and a rehearsed customer gets what a real one would."""

from datetime import timedelta

import pytest

from engine.errors import Conflict
from engine.rehearsal import acts
from engine.rehearsal.menu import MenuNative
from engine.rehearsal.moment import Moment, MomentStore
from engine.rehearsal.rehearsal import Rehearsal, Scene
from engine.rehearsal.worlds import first_hour
from engine.transcript import choices
from tests.unit.actions.shop import LIBRARY, bundle, wait
from tests.unit.rehearsal.edited import menu_of

MENU = menu_of(LIBRARY)


def rehearsal(*, has_flows: bool = False) -> Rehearsal:
    return Rehearsal(bundle(), MENU, has_flows=has_flows)


def opening() -> Moment:
    at = first_hour(bundle().tenant, is_open=True)
    assert at is not None
    return Moment(now=at)


def tapped(on: Rehearsal, scene: Scene, title: str) -> Scene:
    for entry in scene.said:
        for choice in choices(entry.payload):
            if choice.title == title:
                made: Scene = wait(on.play(scene.after, acts.taps(choice, entry.id)))
                return made
    raise AssertionError(f"nobody offered '{title}': {list(scene.transcript())}")


def test_any_number_of_acts_can_be_tried_from_one_moment():
    on = rehearsal()
    first = wait(on.play(opening(), acts.says("hello")))
    before = repr(first.after)
    menu = tapped(on, first, "See the menu")
    help_ = tapped(on, first, "Help")
    assert repr(first.after) == before
    assert (menu.after.state, help_.after.state) == ("categories", "help")
    assert list(tapped(on, first, "Help").transcript()) == list(help_.transcript())


def test_a_moment_holds_what_a_database_would():
    on = rehearsal()
    scene = wait(on.play(opening(), acts.says("give me a tiramisu")))
    assert scene.after.cart is not None
    assert scene.after.cart.count == 1
    assert scene.after.turns == 1
    assert scene.failure is None


def test_time_passes_and_timers_fire():
    on = Rehearsal(
        LIBRARY.load(LIBRARY.tenant_ids()[0]), menu_of(LIBRARY, LIBRARY.tenant_ids()[0])
    )
    at = first_hour(on.bundle.tenant, is_open=True)
    assert at is not None
    scene = wait(on.play(Moment(now=at), acts.says("quiero un " + next(
        p.name for p in on.catalog.products.values() if not p.is_customizable))))  # fmt: skip
    assert scene.after.next_timer is not None
    scenes, later = wait(on.wait(scene.after, timedelta(hours=3)))
    assert scenes[0].act.shown == "(2h later)"
    assert later.now == scene.after.now + timedelta(hours=3)


def test_flows_are_sent_only_where_they_are_deployed():
    told = []
    for has_flows in (False, True):
        on = rehearsal(has_flows=has_flows)
        scene = wait(on.play(opening(), acts.says("margherita")))
        told.append(tapped(on, scene, "Customize"))
    assert [len(scene.record.flow_sessions) for scene in told] == [0, 1]


def test_a_moment_is_not_written_to():
    store = MomentStore(opening(), MENU, MenuNative(MENU, is_there=False))
    with pytest.raises(Conflict):
        wait(store.commit(None))  # type: ignore[arg-type]
