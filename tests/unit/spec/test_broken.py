"""What an author is told: every kind of mistake, where it is, all of them at once.

Each folder of `broken/` is named after a problem code and holds files that are laid over the small
shop; `--` and a word tell cases of one code apart.
"""

import ast
import re
from pathlib import Path

import pytest

from engine.spec import problems as spec_problems
from tests.unit.spec.content import HERE, SHIPPED, SHOP, everything_wrong, lay, shown

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


def test_the_shop_under_the_mistakes_has_none(tmp_path):
    assert everything_wrong(lay(tmp_path / "content", SHOP)) == []


def test_every_problem_code_has_a_case():
    told = {code_of(case) for case in CASES} - {SEVERAL}
    assert told == codes_in_the_engine()


def codes_in_the_engine() -> set[str]:
    """Collect the codes that the engine's sources hold: words with hyphens, and what is added."""
    engine = SHIPPED / "engine"
    found: set[str] = set()
    sources = {*(engine / "spec").glob("*.py"), *(engine / "templating").glob("*.py")}
    for path in sources - {engine / "spec" / "codes.py"}:  # Flow JSON's own are there, too
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= {node.value} & _hyphened(node.value)
            if isinstance(node, ast.Call) and _adds(node.func):
                found |= {
                    a.value
                    for a in node.args[1:2]
                    if isinstance(a, ast.Constant) and isinstance(a.value, str)
                }
    return found - NO_CODES


NO_CODES = {"utf-8"}


def _hyphened(text: str) -> set[str]:
    return {text} if re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", text) else set()


def _adds(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr in {"add", "warn", "_add"}


def test_the_search_for_codes_finds_all_ways_to_note_a_problem():
    found = codes_in_the_engine()
    assert {"alias", "tag", "unreadable"} <= found  # one word, as an argument
    assert {"unknown-action", "unknown-value", "bad-template", "overrides-nothing"} <= found
    assert len(found) > 30


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
