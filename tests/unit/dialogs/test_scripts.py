"""Dialogs are found, named and read with the place of every step."""

from engine.dialogs.scripts import Broken, Script, files_of, scripts_of
from engine.spec.problems import Span
from tests.unit.spec.content import CORNER, SHOP, lay, library

HELLO = "about: Hello.\nsteps:\n  - say: hi\n  - {tap: Help}\n"


def read(root, **more):
    return list(scripts_of(library(root), CORNER, **more))


def lay_dialogs(tmp_path, **texts):
    files = {f"tenants/corner/dialogs/{name}.yaml": text for name, text in texts.items()}
    return lay(tmp_path / "content", SHOP, files=files)


def test_a_script_knows_where_its_steps_are(tmp_path):
    (script,) = read(lay_dialogs(tmp_path, hello=HELLO))
    assert isinstance(script, Script)
    file = "tenants/corner/dialogs/hello.yaml"
    assert (script.name, script.file) == ("hello", file)
    assert script.place(2) == Span(file, 4, 5)
    assert script.place(0) == Span(file)
    assert script.called(2) == "step 2 (tap: Help)"


def test_a_long_step_is_named_by_its_beginning(tmp_path):
    (script,) = read(lay_dialogs(tmp_path, a=f"about: A.\nsteps: [{{say: {'very ' * 40}}}]\n"))
    assert len(script.called(1)) < 80
    assert script.called(1).endswith("…)")


def test_a_dialog_that_cannot_be_read_is_told_with_its_problems(tmp_path):
    root = lay_dialogs(tmp_path, a=HELLO, b="about: B.\nsteps:\n  - sing: la\n", c="{")
    good, bad, worse = read(root)
    assert isinstance(good, Script)
    assert isinstance(bad, Broken)
    assert isinstance(worse, Broken)
    assert [(p.code, p.span.line) for p in bad.problems] == [("unknown-key", 3)]
    assert [p.code for p in worse.problems] == ["yaml-syntax"]


def test_names_may_be_odd_but_must_be_seen(tmp_path):
    odd = ("x[1]", "a b", "*", "-rf", "ñandú", "a.b", "'quoted'", ".hidden", "new\nline", "\udcff")
    root = lay_dialogs(tmp_path, **dict.fromkeys(odd, HELLO))
    found = read(root)
    names = {s.name for s in found if isinstance(s, Script)}
    assert names == {"x[1]", "a b", "*", "-rf", "ñandú", "a.b", "'quoted'"}
    bad = {s.name: s.problems for s in found if isinstance(s, Broken)}
    assert bad.keys() == {"new\\nline", "\\udcff"}
    for (problem,) in bad.values():
        assert problem.code == "wrong-name"
        assert str(problem).isprintable()


def test_only_the_wanted_ones_are_read(tmp_path):
    root = lay_dialogs(tmp_path, a=HELLO, b="{", c=HELLO)
    assert [script.name for script in read(root, only=frozenset({"c"}))] == ["c"]
    assert list(files_of(root, CORNER)) == ["a", "b", "c"]


def test_a_folder_or_a_link_to_nothing_is_no_dialog_that_can_be_read(tmp_path):
    root = lay_dialogs(tmp_path, a=HELLO)
    folder = root / "tenants/corner/dialogs"
    (folder / "b.yaml").mkdir()
    (folder / "c.yaml").symlink_to("nowhere.yaml")
    good, *bad = read(root)
    assert good.name == "a"
    assert [[p.code for p in script.problems] for script in bad] == [["missing-file"]] * 2
