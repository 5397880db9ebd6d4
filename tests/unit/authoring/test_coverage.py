"""What of a chart was reached, told from the steps of turn logs."""

import pytest

from engine.authoring.coverage import Coverage
from engine.rehearsal.acts import says
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import NOON, Rehearsal
from engine.spec.problems import Problems
from tests.unit.actions.shop import wait
from tests.unit.spec.content import CORNER, SHOP, lay, library


@pytest.fixture
def coverage(tmp_path):
    root = lay(tmp_path / "content", SHOP)
    return Coverage(library(root).load(CORNER))


def missing(coverage, kind):
    return {part.name: part for part in coverage.missing() if part.kind == kind}


def everything(coverage):
    key = {"state": "state", "branch": "branch"}
    for part in coverage.parts:
        if part.kind == "message":
            yield {"say": part.name.strip("'"), "at": str(part.where)}
        elif part.kind == "branch":
            yield {key[part.kind]: str(part.where), "event": "x"}
        else:
            yield {"state": part.name.strip("'")}


def test_at_first_nothing_is_reached(coverage):
    assert coverage.missing() == coverage.parts
    for kind, number in (("state", 7), ("branch", 12), ("message", 16)):
        share = coverage.share(kind)
        assert (share.reached, share.all, share.percent) == (0, number, 0)


def test_everything_is_reached_when_every_part_was(coverage):
    coverage.note(everything(coverage))
    assert coverage.missing() == ()
    assert coverage.share("branch").percent == 100


def test_who_is_in_an_inner_state_is_in_the_outer_one(coverage):
    coverage.note([{"state": "address"}])
    assert missing(coverage, "state").keys() == {
        "'menu'", "'product'", "'done'", "'thanks'", "'help'",
    }  # fmt: skip


def test_a_branch_is_told_with_its_place_its_state_and_its_guard(coverage):
    part = missing(coverage, "branch")["'checkout' in 'menu', if cart.count > 0"]
    assert (part.where.file, part.where.line) == ("conversations/shop.yaml", 22)
    assert str(part) == f"{part.where}: branch 'checkout' in 'menu', if cart.count > 0"
    names = missing(coverage, "branch").keys()
    assert "'after 30m' in 'product'" in names
    assert "'greet' anywhere" in names


def test_two_branches_of_an_event_are_two_parts(coverage):
    first, second = (p for p in coverage.parts if p.name.startswith("'nothing_matched'"))
    coverage.note([{"branch": str(second.where), "event": "nothing_matched"}])
    assert first in coverage.missing()
    assert second not in coverage.missing()


def test_what_no_dialog_can_bring_about_is_not_counted(coverage):
    assert not any("problem" in part.name for part in coverage.parts)
    # It is also said when an action refuses.
    assert "'sorry'" in missing(coverage, "message")


def test_each_language_is_counted_by_itself(coverage):
    english = next(p for p in coverage.parts if p.name == "'added'" and p.languages == ("en",))
    assert english.where.file == "conversations/messages/shop.en.yaml"
    coverage.note([{"say": "added", "at": str(english.where)}])
    assert coverage.share("message", "en").reached == 1
    assert coverage.share("message", "es").reached == 0
    assert coverage.share("message").reached == 1


def test_a_message_that_was_left_out_is_not_reached(coverage):
    added = next(p for p in coverage.parts if p.name == "'added'")
    coverage.note([{"say": "added", "at": str(added.where), "empty": True}])
    assert added in coverage.missing()


def test_messages_that_the_chart_never_says_are_not_counted(tmp_path):
    extra = "messages: {spare: Never said.}\n"
    files = {"tenants/corner/messages/shop.en.yaml": extra,
             "tenants/corner/messages/shop.es.yaml": extra}  # fmt: skip
    bundle = library(lay(tmp_path / "content", SHOP, files=files)).load(CORNER)
    assert "spare" in bundle.vocabularies["en"].messages
    assert "'spare'" not in {part.name for part in Coverage(bundle).parts}


def test_steps_of_a_chart_that_has_changed_do_no_harm(coverage):
    coverage.note([{"state": "gone"}, {"branch": "x.yaml:1:1", "event": "x"}, {"guard": "x"}])
    coverage.note([{"action": "cart.add", "at": "x.yaml:1:1"}, {}])
    assert coverage.missing() == coverage.parts


def test_hundred_per_cent_means_all(coverage):
    steps = list(everything(coverage))
    coverage.note(step for step in steps if step.get("state") != "help")
    assert coverage.share("state").percent == 85


def test_a_turn_logs_that_a_message_was_left_out(tmp_path):
    form = "messages: {main_menu: {if: cart.count > 99}}\n"
    root = lay(tmp_path / "content", SHOP, files={"tenants/corner/messages/shop.yaml": form})
    bundle = library(root).load(CORNER)
    coverage, menu = Coverage(bundle), library(root).menu(CORNER, Problems())
    assert menu is not None
    rehearsal = Rehearsal(bundle, MenuCatalog.of(menu))
    scene = wait(rehearsal.play(Moment(NOON), says("hi")))
    assert scene.said == ()
    coverage.note(scene.record.log.steps)
    assert missing(coverage, "state").keys() >= {"'help'"}
    assert "'menu'" not in missing(coverage, "state")
    assert "'main_menu'" in missing(coverage, "message")
    assert coverage.share("message").reached == 0
