"""A chart's picture as SVG, which every browser shows; states inside others are boxes in boxes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import TypeAlias

from engine.authoring.graph.drawing import Arrow, Graph, Node
from engine.authoring.graph.layout import Layout, Pair, Point, Size, layered
from engine.authoring.graph.mermaid import described, shortened

_LINE = 17.0
_LETTER = 7.0
"""The width of a letter, on the safe side."""
_BOLD = 9.0
"""The width of a letter of a name; many are capitals."""
_PAD = 10.0
_TOP = 74.0
"""The title and the legend of the whole."""
_LONGEST = 44
"""Letters of a line; the rest is told when the mouse rests on it."""
_SMALL = 6.0
"""The width of a letter of a label."""
_SHARES = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82, 0.1, 0.9)
"""Where on an arrow its label may be, the best place first."""
Rectangle: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom."""
_LEGEND = (
    ("shared", "shared"),
    ("changed", "shared, changed here"),
    ("own", "only here"),
    ("removed", "deleted here"),
    ("dead", "dead end or other problem"),
)
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.name { font-weight: 600 }
.small { font-size: 11px; fill: #57606a }
.title { font-size: 17px; font-weight: 600 }
rect { rx: 7px; stroke-width: 1.3px }
.shared { fill: #f4f4f5; stroke: #8a8f98 }
.changed { fill: #fff3c4; stroke: #b7791f }
.own { fill: #d9f2dd; stroke: #2f855a }
.removed { fill: #fff; stroke: #b0b0b0; stroke-dasharray: 4 3 }
.dead { fill: #fde2e1; stroke: #c53030; stroke-width: 2px }
.outer { fill-opacity: .35 }
path { fill: none; stroke: #6e7781; stroke-width: 1.3px }
path.tap { stroke: #a8b1bb; stroke-dasharray: 5 3 }
path.tenants { stroke: #2f855a; stroke-width: 2px }
path.head { fill: #6e7781; stroke: none }
.label { font-size: 11px; fill: #424a53; paint-order: stroke; stroke: #fff; stroke-width: 4px }
"""


def to_svg(graph: Graph) -> str:
    """Draw a picture."""
    return "\n".join(_Picture(graph).lines()) + "\n"


@dataclass(slots=True)
class _Picture:
    """One picture; boxes are laid out from the inside to the outside, then placed."""

    graph: Graph
    inner: dict[str | None, Layout] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    corners: dict[str, Point] = field(default_factory=dict)
    bends: dict[Pair, tuple[Point, ...]] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """Write it line by line."""
        whole = self._arrange(None)
        self._place(None, (_PAD * 2, _TOP))
        legend = 30.0 + sum(len(text) * _LETTER + 44 for _, text in _LEGEND)
        width = max(whole.width + _PAD * 4, legend, len(self.graph.title) * 11.0 + _PAD * 4)
        height = whole.height + _TOP + _PAD * 2
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
            f'viewBox="0 0 {width:.0f} {height:.0f}">'
        )
        yield f"<style>{_STYLE}</style>"
        yield (
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse">'
            '<path class="head" d="M0 0L8 4L0 8Z"/></marker></defs>'
        )
        yield '<rect width="100%" height="100%" fill="#fff"/>'
        yield f'<text class="title" x="{_PAD * 2}" y="28">{escape(self.graph.title)}</text>'
        yield from self._legend()
        yield from self._boxes(outer=True)
        routes = [(arrow, self._route(arrow)) for arrow in self.graph.arrows]
        for arrow, points in routes:
            yield _line(arrow, points)
        yield from self._boxes(outer=False)
        taken = [self._rectangle(node) for node in self.graph.nodes]
        for arrow, points in routes:
            yield _label(arrow, points, taken)
        yield "</svg>"

    def _legend(self) -> Iterator[str]:
        left = _PAD * 2
        for css, text in _LEGEND:
            yield f'<rect class="{css}" x="{left:.0f}" y="42" width="18" height="14"/>'
            yield f'<text class="small" x="{left + 24:.0f}" y="53">{escape(text)}</text>'
            left += len(text) * _LETTER + 44

    # Layout ----------------------------------------------------------------------------------

    def _arrange(self, parent: str | None) -> Size:
        """Lay out what is inside a box, and give the size of it."""
        boxes: dict[str, Size] = {}
        for node in self._inside(parent):
            boxes[node.id] = self._size(node)
        self.sizes |= boxes
        self.inner[parent] = layered(boxes, self._lifted(parent))
        return self.inner[parent].size

    def _inside(self, parent: str | None) -> list[Node]:
        return [node for node in self.graph.nodes if node.parent == parent]

    def _size(self, node: Node) -> Size:
        texts = [_cut(line) for line in described(node)]
        width = max([len(texts[0]) * _BOLD, *(len(t) * _LETTER for t in texts)]) + _PAD * 2
        height = len(texts) * _LINE + _PAD
        if node.shape != "outer":
            return Size(width, height)
        inside = self._arrange(node.id)
        return Size(max(width, inside.width + _PAD * 4), inside.height + height + _PAD * 3)

    def _lifted(self, parent: str | None) -> Iterator[Pair]:
        """Give the arrows within a box, between the boxes in it that hold their ends."""
        for arrow in self.graph.arrows:
            pair = self._ends(arrow)
            if pair and pair[2] == parent:
                yield pair[0], pair[1]

    def _ends(self, arrow: Arrow) -> tuple[str, str, str | None] | None:
        """Find the innermost box around both ends, and the boxes in it that hold them."""
        source, target = self._path(arrow.source), self._path(arrow.target)
        shared = 0
        while shared < min(len(source), len(target)) and source[shared] == target[shared]:
            shared += 1
        if shared in (len(source), len(target)):  # it leads to a box around its source
            return None
        around = source[shared - 1] if shared else None
        return source[shared], target[shared], around

    def _path(self, name: str) -> list[str]:
        parents = {node.id: node.parent for node in self.graph.nodes}
        path = [name]
        while parent := parents.get(path[0]):
            path.insert(0, parent)
        return path

    def _place(self, parent: str | None, corner: Point) -> None:
        layout = self.inner[parent]
        for name, (left, top) in layout.corners.items():
            self.corners[name] = (corner[0] + left, corner[1] + top)
        for pair, points in layout.bends.items():
            self.bends[pair] = tuple((corner[0] + x, corner[1] + y) for x, y in points)
        for node in self._inside(parent):
            if node.shape == "outer":
                left, top = self.corners[node.id]
                width = self.sizes[node.id].width
                spare = (width - self.inner[node.id].size.width) / 2
                head = len(described(node)) * _LINE + _PAD * 2
                self._place(node.id, (left + spare, top + head))

    # Drawing ---------------------------------------------------------------------------------

    def _boxes(self, *, outer: bool) -> Iterator[str]:
        for node in self.graph.nodes:
            if (node.shape == "outer") is outer:
                yield from self._box(node)

    def _box(self, node: Node) -> Iterator[str]:
        left, top = self.corners[node.id]
        size = self.sizes[node.id]
        css = "dead" if node.marks else node.origin
        outer = " outer" if node.shape == "outer" else ""
        round_ = ' style="rx:18px"' if node.shape in ("final", "resume") else ""
        yield f"<g><title>{escape(_told(node))}</title>"
        yield (
            f'<rect class="{css}{outer}"{round_} x="{left:.1f}" y="{top:.1f}" '
            f'width="{size.width:.1f}" height="{size.height:.1f}"/>'
        )
        for place, line in enumerate(described(node)):
            kind = "name" if place == 0 else "small"
            down = top + _PAD / 2 + _LINE * place + 13
            yield (
                f'<text class="{kind}" x="{left + _PAD:.1f}" y="{down:.1f}">'
                f"{escape(_cut(line))}</text>"
            )
        yield "</g>"

    def _route(self, arrow: Arrow) -> list[Point]:
        """Give the points an arrow goes through, from one box's edge to the other's."""
        ends = self._ends(arrow)
        bends = self.bends.get((ends[0], ends[1]), ()) if ends else ()
        source, target = self._spot(arrow, arrow.source), self._spot(arrow, arrow.target)
        is_down = source[1] < target[1]
        start = self._edge(arrow.source, source[0], bottom=is_down)
        end = self._edge(arrow.target, target[0], bottom=not is_down)
        return [start, *bends, end]

    def _spot(self, arrow: Arrow, name: str) -> Point:
        """Give each arrow of a box a place of its own on the box's width."""
        mine = [a for a in self.graph.arrows if name in (a.source, a.target)]
        mine.sort(key=lambda a: self._middle(a.target if a.source == name else a.source))
        left, top = self.corners[name]
        share = (mine.index(arrow) + 1) / (len(mine) + 1)
        return left + self.sizes[name].width * share, top + self.sizes[name].height / 2

    def _rectangle(self, node: Node) -> Rectangle:
        """Give the room that a box's own texts take."""
        (left, top), size = self.corners[node.id], self.sizes[node.id]
        height = size.height
        if node.shape == "outer":
            height = len(described(node)) * _LINE + _PAD
        return left, top, left + size.width, top + height

    def _middle(self, name: str) -> float:
        return self.corners[name][0] + self.sizes[name].width / 2

    def _edge(self, name: str, across: float, *, bottom: bool) -> Point:
        top = self.corners[name][1]
        return across, top + self.sizes[name].height if bottom else top


def _told(node: Node) -> str:
    """Tell all of a box, also what does not fit in it."""
    lines = [f"{node.id}: {dict(_LEGEND)[node.origin]}", *(f"says {one}" for one in node.says)]
    for title, events in (("from anywhere", node.anywhere), ("from within", node.within)):
        lines += [f"{title}: {', '.join(events)}"] if events else []
    return "\n".join([*lines, *node.marks])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _line(arrow: Arrow, points: list[Point]) -> str:
    marks = [" tap"] * arrow.is_tap + [" tenants"] * arrow.is_own
    return (
        f'<path class="line{"".join(marks)}" d="{_curve(points)}" marker-end="url(#head)">'
        f"<title>{escape(_said(arrow))}</title></path>"
    )


def _said(arrow: Arrow) -> str:
    return f"{arrow.source} → {arrow.target}: {', '.join(arrow.events)}"


def _curve(points: Iterable[Point]) -> str:
    first, *rest = points
    parts = [f"M{first[0]:.1f} {first[1]:.1f}"]
    before = first
    for x, y in rest:
        middle = (before[1] + y) / 2
        parts.append(f"C{before[0]:.1f} {middle:.1f} {x:.1f} {middle:.1f} {x:.1f} {y:.1f}")
        before = (x, y)
    return "".join(parts)


def _label(arrow: Arrow, points: list[Point], taken: list[Rectangle]) -> str:
    """Write an arrow's label where there is room on it, and note the room it takes."""
    text = _cut(", ".join(shortened(arrow.events)))
    half = len(text) * _SMALL / 2
    spots = [_on(points, share) for share in _SHARES]
    rooms = [(x - half, y - _LINE / 2, x + half, y + _LINE / 2) for x, y in spots]
    place = min(range(len(rooms)), key=lambda at: (_overlap(rooms[at], taken), at))
    taken.append(rooms[place])
    x, y = spots[place]
    return (
        f'<text class="label" text-anchor="middle" x="{x:.1f}" y="{y + 4:.1f}">'
        f"{escape(text)}<title>{escape(_said(arrow))}</title></text>"
    )


def _on(points: list[Point], share: float) -> Point:
    """Give the point at a share of an arrow's way."""
    place, t = divmod(share * (len(points) - 1), 1)
    (x, y), (to_x, to_y) = points[int(place)], points[int(place) + 1]
    # The curve leaves and arrives straight up or down: see `_curve`.
    return x + (to_x - x) * (3 - 2 * t) * t * t, y + (to_y - y) * (1.5 - 1.5 * t + t * t) * t


def _overlap(room: Rectangle, taken: list[Rectangle]) -> float:
    """Tell how much of a room is taken."""
    shared = (
        (min(room[2], other[2]) - max(room[0], other[0]),
         min(room[3], other[3]) - max(room[1], other[1]))
        for other in taken
    )  # fmt: skip
    return sum(width * height for width, height in shared if width > 0 and height > 0)
