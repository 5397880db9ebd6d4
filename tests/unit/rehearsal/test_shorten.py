"""Conversations of findings that are known already: they are not made short once more."""

from dataclasses import replace

import pytest

from engine.rehearsal import walk as walking
from engine.rehearsal.findings import Finding, Judge
from engine.rehearsal.shorten import is_told
from engine.rehearsal.trail import Node
from engine.rehearsal.walk import walk
from engine.spec.problems import Problem, Problems
from tests.unit.actions.shop import wait
from tests.unit.rehearsal.edited import EN, TENANT, edited, menu_of, walked

MISTAKE = (EN, "{{ removed }}* is out", "{{ removed.name.first }}* is out")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return edited(tmp_path_factory.mktemp("content"), MISTAKE)


@pytest.fixture(scope="module")
def finding(library) -> Finding:
    (found,) = (f for f in walked(library).findings.values() if f.is_error)
    return found


@pytest.fixture(scope="module")
def judge(library) -> Judge:
    return Judge(library.load(TENANT))


def noted(finding: Finding) -> set[Problem]:
    problems = Problems()
    finding.note(problems)
    return problems.found


def along(path: list[Node], *, odd: int) -> Node:
    """Chain nodes anew; in one of them the customer does something odd."""
    before = None
    for place, node in enumerate(path):
        tried = replace(node.tried, is_odd=place == odd)
        before = replace(node, tried=tried, before=before, memo={})
    assert before is not None
    return before


def test_an_error_that_is_known_is_told(finding, judge):
    assert wait(is_told(finding, noted(finding), judge))
    assert not wait(is_told(finding, (), judge))
    others = {replace(problem, severity="warning") for problem in noted(finding)}
    assert not wait(is_told(finding, others, judge))


def test_a_hint_is_told_unless_it_may_be_an_error_here(finding, judge):
    path = finding.node.path()
    needed = replace(finding, node=along(path, odd=0))
    assert {p.severity for p in noted(needed)} == {"warning"}
    assert wait(is_told(needed, noted(needed), judge))
    # The odd thing is done beside all that is needed: without it the same comes out.
    spare = replace(finding, node=along([path[0], *path], odd=0))
    assert {p.severity for p in noted(spare)} == {"warning"}
    assert not wait(is_told(spare, noted(spare), judge))
    doubtful = replace(spare, is_certain=False)
    assert wait(is_told(doubtful, noted(doubtful), judge))


def test_what_is_told_is_not_made_short_once_more(library, finding, monkeypatch):
    made: list[Finding] = []

    async def noting(found: Finding, judge: Judge) -> Finding:
        made.append(found)
        return found

    monkeypatch.setattr(walking, "shortened", noting)
    bundle, menu = library.load(TENANT), menu_of(library)
    again = wait(walk(bundle, menu, told=noted(finding)))
    assert finding.key in again.findings
    assert finding.key not in {found.key for found in made}
    wait(walk(bundle, menu))
    assert finding.key in {found.key for found in made}
