"""The conversation of a finding, as short as it can be and still show it."""

from collections.abc import Collection

from engine.rehearsal.findings import Finding, Judge
from engine.rehearsal.trail import Node, played_again
from engine.spec.problems import Problem, Problems

_MOST_SCENES = 2000
"""Scenes that are played to make one conversation short."""


async def shortened(finding: Finding, judge: Judge) -> Finding:
    """Leave out what is not needed: after each scene go on as late as can be."""
    path = finding.node.path()
    left, place = _MOST_SCENES if finding.is_error else _MOST_SCENES // 5, -1
    while place < len(path) - 2 and left > 0:
        before = path[place] if place >= 0 else None
        for later in range(len(path) - 1, place + 1, -1):
            node = await played_again(finding.node.start, path[later:], before)
            # What a customer cannot do is mostly found out at once.
            left -= len(path) - later if node else 2
            found = _same(finding, node, judge)
            if found:
                finding, path = found, found.node.path()
                break
            if left <= 0:
                break
        place += 1
    return finding


async def is_told(finding: Finding, told: Collection[Problem], judge: Judge) -> bool:
    """Tell whether all that a short conversation could tell is known from another tenant."""
    known = Problems()
    finding.note(known)
    if not all(problem in told for problem in known.found):
        return False
    if finding.is_error or not finding.is_certain:
        return True
    # Here, other than there, it may happen to a customer who does nothing odd: an error.
    path = [n for n in finding.node.path() if n is finding.node or not n.tried.is_odd]
    node = await played_again(finding.node.start, path)
    return _same(finding, node, judge) is None


async def fails_again(finding: Finding) -> bool:
    """Tell whether the conversation of a finding, played anew, shows it again."""
    judge = Judge(finding.node.world.rehearsal.bundle)
    node = await played_again(finding.node.start, finding.node.path())
    return _same(finding, node, judge) is not None


def _same(finding: Finding, node: Node | None, judge: Judge) -> Finding | None:
    found = judge.findings(node) if node else ()
    return next((one for one in found if one.key == finding.key), None)
