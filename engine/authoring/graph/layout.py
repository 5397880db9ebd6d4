"""Where the boxes of a picture go: in rows from top to bottom, so that few lines cross.

The layered layout of Sugiyama, small and always the same: (1) arrows that lead back are turned
round, (2) each box is put below all that lead to it, (3) the boxes of a row are ordered by the
middle of their neighbours, (4) and moved as near to them as there is room. What a box is, is not
known here.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Pair = tuple[str, str]
GAP = 36.0
"""Between two boxes of a row."""
ROW_GAP = 64.0
"""Between two rows: a line's label is in it."""
_SWEEPS = 8
_MOVES = 12
_BEND = 18.0
"""The room a line takes that passes a row."""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a box."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything is.

    Args:
        corners: the upper left corner of each box.
        bends: by arrow, the points between its ends, from its source to its target.
    """

    corners: Mapping[str, Point]
    bends: Mapping[Pair, tuple[Point, ...]]
    size: Size


def layered(boxes: Mapping[str, Size], arrows: Iterable[Pair]) -> Layout:
    """Lay boxes out; arrows between others than these are left out."""
    wanted = [p for p in dict.fromkeys(arrows) if p[0] != p[1] and {*p} <= boxes.keys()]
    down = _downward(list(boxes), wanted)
    rows_of = _rows(list(boxes), set(down.values()))
    chains = {pair: _chain(pair, rows_of) for pair in dict.fromkeys(down.values())}
    sizes = dict(boxes)
    rows: list[list[str]] = [[] for _ in range(max(rows_of.values(), default=0) + 1)]
    for name in boxes:
        rows[rows_of[name]].append(name)
    for (source, _), chain in chains.items():
        for step, name in enumerate(chain, start=1):
            sizes[name] = Size(_BEND, 0)
            rows[rows_of[source] + step].append(name)
    links = [link for pair, chain in chains.items() for link in _links(pair, chain)]
    _order(rows, links)
    middles = _middles(rows, sizes, links)
    return _placed(boxes, sizes, rows, middles, {p: chains[d] for p, d in down.items()}, down)


def _downward(names: list[str], arrows: Sequence[Pair]) -> dict[Pair, Pair]:
    """Turn arrows that lead back; those of a circle that are met last."""
    following: dict[str, list[str]] = {name: [] for name in names}
    for source, target in arrows:
        following[source].append(target)
    state: dict[str, str] = {}
    turned: set[Pair] = set()
    for root in names:
        if root in state:
            continue
        trail = [(root, iter(following[root]))]
        state[root] = "open"
        while trail:
            name, rest = trail[-1]
            found = next(rest, None)
            if found is None:
                state[name] = "done"
                trail.pop()
                continue
            target = found
            if state.get(target) == "open":
                turned.add((name, target))
            elif target not in state:
                state[target] = "open"
                trail.append((target, iter(following[target])))
    return {(s, t): (t, s) if (s, t) in turned else (s, t) for s, t in arrows}


def _rows(names: list[str], arrows: set[Pair]) -> dict[str, int]:
    """Number the rows: a box is below everything that leads to it."""
    before: dict[str, list[str]] = {name: [] for name in names}
    for source, target in sorted(arrows):
        before[target].append(source)
    rows: dict[str, int] = {}
    waiting = list(names)
    while waiting:
        ready = [n for n in waiting if all(b in rows for b in before[n])]
        for name in ready:
            rows[name] = max((rows[b] + 1 for b in before[name]), default=0)
        waiting = [n for n in waiting if n not in rows]
    return rows


def _chain(pair: Pair, rows: Mapping[str, int]) -> tuple[str, ...]:
    """Name the points at which an arrow passes the rows between its ends."""
    source, target = pair
    return tuple(f"{source} {target} {row}" for row in range(rows[source] + 1, rows[target]))


def _links(pair: Pair, chain: Sequence[str]) -> list[Pair]:
    steps = [pair[0], *chain, pair[1]]
    return list(itertools.pairwise(steps))


def _order(rows: list[list[str]], links: Sequence[Pair]) -> None:
    """Order each row so that few links cross."""
    above, below = _neighbours(links)
    best, fewest = [list(row) for row in rows], _crossings(rows, above)
    for sweep in range(_SWEEPS):
        is_down = sweep % 2 == 0
        for row in rows if is_down else reversed(rows):
            near = above if is_down else below
            places = {name: place for held in rows for place, name in enumerate(held)}
            keys = {n: _mean([places[m] for m in near.get(n, ())], places[n]) for n in row}
            row.sort(key=keys.__getitem__)
        crossings = _crossings(rows, above)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best


def _neighbours(links: Sequence[Pair]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for source, target in links:
        above.setdefault(target, []).append(source)
        below.setdefault(source, []).append(target)
    return above, below


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _crossings(rows: list[list[str]], above: Mapping[str, list[str]]) -> int:
    count = 0
    for upper, lower in itertools.pairwise(rows):
        places = {name: place for place, name in enumerate(upper)}
        ends = [sorted(places[m] for m in above.get(n, ()) if m in places) for n in lower]
        flat = [place for part in ends for place in part]
        count += sum(1 for i, a in enumerate(flat) for b in flat[i + 1 :] if a > b)
    return count


def _middles(
    rows: list[list[str]], sizes: Mapping[str, Size], links: Sequence[Pair]
) -> dict[str, float]:
    """Find how far from the left the middle of each box is."""
    above, below = _neighbours(links)
    middles: dict[str, float] = {}
    for row in rows:
        left = 0.0
        for name in row:
            middles[name] = left + sizes[name].width / 2
            left += sizes[name].width + GAP
    for move in range(_MOVES):
        for row in rows if move % 2 == 0 else reversed(rows):
            near = above if move % 2 == 0 else below
            wanted = [_mean([middles[m] for m in near.get(n, ())], middles[n]) for n in row]
            for name, middle in zip(row, _apart(row, wanted, sizes), strict=True):
                middles[name] = middle
    return middles


def _apart(row: list[str], wanted: list[float], sizes: Mapping[str, Size]) -> list[float]:
    """Keep the boxes of a row apart, each as near as can be to where it is wanted."""
    between = [(sizes[a].width + sizes[b].width) / 2 + GAP for a, b in itertools.pairwise(row)]
    right = list(wanted)
    for place, room in enumerate(between, start=1):
        right[place] = max(right[place], right[place - 1] + room)
    left = list(wanted)
    for place in range(len(row) - 2, -1, -1):
        left[place] = min(left[place], left[place + 1] - between[place])
    return [(a + b) / 2 for a, b in zip(left, right, strict=True)]


def _placed(
    boxes: Mapping[str, Size],
    sizes: Mapping[str, Size],
    rows: list[list[str]],
    middles: Mapping[str, float],
    chains: Mapping[Pair, tuple[str, ...]],
    down: Mapping[Pair, Pair],
) -> Layout:
    start = min((middles[n] - sizes[n].width / 2 for n in sizes), default=0.0)
    end = max((middles[n] + sizes[n].width / 2 for n in sizes), default=0.0)
    tops: dict[str, float] = {}
    top = 0.0
    for row in rows:
        height = max((sizes[name].height for name in row), default=0.0)
        for name in row:
            tops[name] = top + (height - sizes[name].height) / 2
        top += height + ROW_GAP
    corners = {n: (middles[n] - start - boxes[n].width / 2, tops[n]) for n in boxes}
    bends: dict[Pair, tuple[Point, ...]] = {}
    for pair, chain in chains.items():
        points = tuple((middles[name] - start, tops[name]) for name in chain)
        bends[pair] = points if down[pair] == pair else points[::-1]
    return Layout(corners, bends, Size(end - start, max(top - ROW_GAP, 0.0)))
