"""What is told of a dialog: which one, which step, what has changed, and how that is accepted."""

import pytest

from engine.dialogs.scripts import Broken, Script, read_script
from engine.dialogs.snapshots import Snapshots
from engine.dialogs.theatre import Line, Played
from engine.dialogs.verdict import broken, judge, stale
from engine.errors import EngineError
from engine.spec.problems import Problem, Span
from tests.unit.spec.content import CORNER, SHOP, lay, library

FILE = "tenants/corner/dialogs/it's hello.yaml"
SNAPSHOT = "tenants/corner/dialogs/snapshots/it's hello.txt"
ACCEPT = """comanda test corner --only='it'"'"'s hello' --update"""
LINES = (
    (0, "Hello."), (1, ""), (1, "customer: hi"), (1, "shop: Welcome!"), (1, "      [Help]"),
    (2, ""), (2, "customer taps: Help"), (2, "shop: What do you need?"), (2, "      [Go on]"),
    (3, ""), (3, "customer taps: Go on"), (3, "shop: Welcome!"), (3, "      [Help]"),
)  # fmt: skip
TEXT = "".join(f"{text}\n" for _, text in LINES)


@pytest.fixture
def root(tmp_path):
    dialog = "about: Hello.\nsteps:\n  - say: hi\n  - tap: Help\n  - tap: Go on\n"
    return lay(tmp_path / "content", SHOP, files={FILE: dialog})


@pytest.fixture
def snapshots(root):
    return Snapshots(root, CORNER)


def played(root, lines=LINES, step=3, **more):
    script = read_script(library(root), CORNER, root / FILE)
    assert isinstance(script, Script)
    return Played(script, tuple(Line(*line) for line in lines), step, **more)


def told(verdict):
    return "\n".join(verdict.lines())


def test_a_transcript_that_is_its_snapshot_passes(root, snapshots):
    for held in (TEXT, TEXT.rstrip("\n"), TEXT.replace("\n", "\r\n")):
        snapshots.write("it's hello", held)
        verdict = judge(played(root), snapshots)
        assert verdict.is_fine
        assert verdict.outcome == "passed"


def test_a_changed_transcript_names_the_step_and_shows_the_difference(root, snapshots):
    snapshots.write("it's hello", TEXT.replace("What do you need?", "How can I help?"))
    verdict = judge(played(root), snapshots)
    assert not verdict.is_fine
    assert (verdict.outcome, verdict.step, verdict.where) == ("changed", 2, Span(FILE, 4, 5))
    assert (
        told(verdict)
        == f"""\
{FILE}:4:5: changed: step 2 (tap: Help): what the customer sees is not what the snapshot says
    --- {SNAPSHOT}
    +++ {FILE}, as it is played now
    @@ -5,7 +5,7 @@ step 2
           [Help]

     customer taps: Help
    -shop: How can I help?
    +shop: What do you need?
           [Go on]

     customer taps: Go on
  if this is right: {ACCEPT}"""
    )


@pytest.mark.parametrize(
    ("old", "new", "step"),
    [
        ("Hello.", "Hi.", 0),
        ("shop: What do you need?\n", "shop: What do you need?\nshop: Anything?\n", 2),
        ("shop: What do you need?\n      [Go on]\n", "", 2),
        ("\ncustomer taps: Go on\nshop: Welcome!\n      [Help]\n", "", 3),
        ("customer taps: Go on\n", "(no answer)\n", 3),
    ],
)
def test_the_step_is_the_first_that_differs(root, snapshots, old, new, step):
    snapshots.write("it's hello", TEXT.replace(old, new))
    assert judge(played(root), snapshots).step == step


def test_what_was_lost_at_the_end_is_of_the_last_step(root, snapshots):
    snapshots.write("it's hello", TEXT + "\n(2h later)\nshop: Still there?\n")
    assert judge(played(root), snapshots).step == 3


def test_several_places_each_have_their_step(root, snapshots):
    many = [(step, f"line {step}") for step in range(40)]
    held = [text if step not in (3, 33) else "other" for step, text in many]
    snapshots.write("it's hello", "\n".join(held))
    headings = [line for line in judge(played(root, many), snapshots).details if "@@" in line]
    assert headings == ["@@ -1,7 +1,7 @@ step 3", "@@ -31,7 +31,7 @@ step 33"]


def test_without_a_snapshot_the_transcript_is_shown(root, snapshots):
    verdict = judge(played(root), snapshots)
    assert (verdict.outcome, verdict.is_fine) == ("new", False)
    assert "\n".join(verdict.details) + "\n" == TEXT
    assert verdict.accept == ACCEPT


def test_update_writes_what_differs_and_then_it_passes(root, snapshots):
    assert judge(played(root), snapshots, update=True).outcome == "written"
    assert (root / SNAPSHOT).read_text() == TEXT
    assert judge(played(root), snapshots, update=True).outcome == "passed"
    assert judge(played(root, LINES[:4]), snapshots, update=True).outcome == "written"
    assert (root / SNAPSHOT).read_text() == "Hello.\n\ncustomer: hi\nshop: Welcome!\n"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"failure": "expected cart 2, it is 1"}, "step 2 (tap: Help): expected cart 2, it is 1"),
        ({"troubles": ("a turn failed: x.yaml:1:1: no",)}, "a turn failed: x.yaml:1:1: no"),
    ],
)
def test_a_dialog_that_fails_is_never_accepted(root, snapshots, wrong, said):
    verdict = judge(played(root, LINES[:9], 2, **wrong), snapshots, update=True)
    assert (verdict.outcome, verdict.sentence, verdict.accept) == ("failed", said, "")
    assert verdict.details[-1] == "      [Go on]"
    assert snapshots.names() == []


def test_only_the_end_of_a_long_transcript_is_shown(root, snapshots):
    lines = [(1, f"line {n}") for n in range(1000)]
    details = judge(played(root, lines, 1, failure="no"), snapshots).details
    assert details[0] == "…"
    assert details[-1] == "line 999"
    assert len(details) < 50


def test_a_snapshot_that_is_no_text_has_changed(root, snapshots):
    snapshots.write("it's hello", "")
    (root / SNAPSHOT).write_bytes(b"\xff\xfe\x00" + TEXT.encode())
    assert judge(played(root), snapshots).outcome == "changed"


def test_a_snapshot_that_cannot_be_read_or_written_is_a_sentence(root, snapshots):
    (root / SNAPSHOT).mkdir(parents=True)
    with pytest.raises(EngineError, match="cannot be read"):
        judge(played(root), snapshots)
    with pytest.raises(EngineError, match="cannot be written"):
        snapshots.write("it's hello", "")
    with pytest.raises(EngineError, match="cannot be written"):
        snapshots.write("x" * 300, "")
    with pytest.raises(EngineError, match="cannot be removed"):
        snapshots.remove("nothing")


def test_a_snapshot_without_a_dialog_is_told_and_goes_with_update(snapshots):
    snapshots.write("gone", "x")
    verdict = stale(CORNER, snapshots, "gone", update=False)
    assert (verdict.outcome, verdict.accept) == ("stale", "comanda test corner --update")
    assert snapshots.names() == ["gone"]
    assert stale(CORNER, snapshots, "gone", update=True).is_fine
    assert snapshots.names() == []


def test_other_files_beside_snapshots_are_left_alone(root, snapshots):
    snapshots.write("a", "x")
    (root / "tenants/corner/dialogs/snapshots/README.md").write_text("mine")
    assert snapshots.names() == ["a"]


def test_a_broken_dialog_is_told_with_all_its_problems():
    problems = tuple(Problem(Span("a.yaml", n), "unknown-key", "'x'", "hint") for n in (3, 4))
    verdict = broken(Broken(CORNER, "a", "a.yaml", problems))
    assert told(verdict) == (
        "a.yaml:3:1: broken: unknown-key: 'x'; hint\n    a.yaml:4:1: unknown-key: 'x'; hint"
    )
