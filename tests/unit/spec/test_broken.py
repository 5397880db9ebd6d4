"""What an author is told: every kind of mistake, where it is, all of them at once.

Each folder of `broken/` is named after a problem code and holds files that are laid over the small
shop; `--` and a word tell cases of one code apart.
"""

import ast
import re
from pathlib import Path

import pytest

from engine.spec import problems as spec_problems
from engine.spec.codes import CODES
from tests.unit.spec.content import (
    CORNER,
    HERE,
    KIOSK,
    SHIPPED,
    SHOP,
    everything_wrong,
    lay,
    library,
    shown,
)

BROKEN = sorted(path.name for path in (HERE / "broken").iterdir())
MADE = {"too-large": {"tenants/corner/messages/shop.en.yaml": "# " + "x" * (2 * 1024 * 1024)}}
"""Cases too big for a file of the repository."""
CASES = sorted({*BROKEN, *MADE})
SEVERAL = "all-at-once"


def code_of(case: str) -> str:
    return case.split("--", maxsplit=1)[0]


@pytest.mark.parametrize("case", CASES)
def test_the_author_is_told_every_mistake_and_its_place(case, tmp_path, snapshot):
    overlay = [HERE / "broken" / case] if case in BROKEN else []
    root = lay(tmp_path / "content", SHOP, *overlay, files=MADE.get(case))
    found = everything_wrong(root)
    assert shown(root, found) == snapshot
    if code_of(case) != SEVERAL:
        assert code_of(case) in {problem.code for problem in found}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_not_served_is_every_error_and_no_doubt(case, tmp_path):
    checked = library(lay(tmp_path / "content", SHOP, HERE / "broken" / case))
    loaded = library(checked.root)
    for tenant in (CORNER, KIOSK):
        problems = spec_problems.Problems()
        checked.check(tenant, problems)
        try:
            loaded.load(tenant)
        except spec_problems.SpecError as error:
            found = [problem for problem in error.problems if problem.severity == "error"]
            assert found == problems.errors
        else:
            assert problems.errors == []


def test_the_shop_under_the_mistakes_has_none(tmp_path):
    assert everything_wrong(lay(tmp_path / "content", SHOP)) == []


def test_every_problem_code_has_a_case():
    told = {code_of(case) for case in CASES} - {SEVERAL}
    assert told == CODES.keys() & words_of(SHIPPED / "engine/spec", SHIPPED / "engine/templating")


def test_every_declared_code_is_noted_somewhere():
    """Those of Flow JSON, of walks and of dialogs have their cases where they are noted."""
    assert CODES.keys() <= words_of(SHIPPED / "engine")


def words_of(*folders: Path) -> set[str]:
    """Collect the texts that sources hold, without the declarations of the codes."""
    return {
        node.value
        for folder in folders
        for path in folder.rglob("*.py")
        if path.name != "codes.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_codes_are_words_and_explained_in_a_sentence():
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", code) for code in CODES)
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in CODES.values())


def test_a_code_that_is_not_declared_is_refused():
    with pytest.raises(ValueError, match="'unknown-kee' is no code"):
        spec_problems.Problem(spec_problems.Span("a.yaml"), "unknown-kee", "'a'")


def test_a_problem_is_printed_with_its_hint_and_its_severity():
    span = spec_problems.Span("a/b.yaml", 3, 7)
    plain = spec_problems.Problem(span, "unknown-key", "'a' is not known here")
    hinted = spec_problems.Problem(
        span, "unknown-key", "'a' is not known here", "did you mean 'b'?"
    )
    doubt = spec_problems.Problem(span, "overrides-nothing", "there is no 'a'", severity="warning")
    assert str(plain) == "a/b.yaml:3:7: unknown-key: 'a' is not known here"
    assert str(hinted) == f"{plain}; did you mean 'b'?"
    assert str(doubt) == "a/b.yaml:3:7: warning: overrides-nothing: there is no 'a'"


def test_problems_come_by_place_and_each_once():
    problems = spec_problems.Problems()
    for line in (20, 3, 20):
        problems.add(spec_problems.Span("b.yaml", line, 1), "unknown-key", "'a'")
    problems.warn(spec_problems.Span("a.yaml", 9, 1), "overrides-nothing", "'b'")
    assert [str(p.span) for p in problems.sorted()] == ["a.yaml:9:1", "b.yaml:3:1", "b.yaml:20:1"]
    assert [str(p.span) for p in problems.errors] == ["b.yaml:3:1", "b.yaml:20:1"]
    with pytest.raises(spec_problems.SpecError, match=r"a.yaml:9:1.*\nb.yaml:3:1.*\nb.yaml:20:1"):
        problems.raise_if_any()


def test_warnings_alone_refuse_nothing():
    problems = spec_problems.Problems()
    problems.warn(spec_problems.Span("a.yaml"), "overrides-nothing", "'b'")
    problems.raise_if_any()
    assert problems.errors == []


@pytest.mark.parametrize("written", ["a.yaml:3:7", "C:/b/c.yaml:10:1"])
def test_a_place_is_read_as_it_is_written(written):
    assert str(spec_problems.Span.of(written)) == written


def test_the_lines_of_a_literal_block_are_the_files_and_no_others():
    assert spec_problems.Span("a.yaml", 5, 1).below(3) == spec_problems.Span("a.yaml", 7, 1)
    assert spec_problems.Span("a.yaml", 5, 9).below(3) == spec_problems.Span("a.yaml", 5, 9)


def test_broken_folders_hold_only_files_that_are_laid_over_the_shop():
    for case in BROKEN:
        files = [p for p in (HERE / "broken" / case).rglob("*") if p.is_file()]
        tops = {Path(f).relative_to(HERE / "broken" / case).parts[0] for f in files}
        assert tops <= {"conversations", "tenants", "flows"}
        assert files
