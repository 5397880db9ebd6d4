"""A chart's picture as Mermaid text, which GitHub and many editors show as a picture."""

from collections.abc import Iterator

from engine.authoring.graph.drawing import Graph, Node, Origin, Shape

_STYLES: dict[Origin | str, str] = {
    "shared": "fill:#f4f4f5,stroke:#8a8f98,color:#1f2328",
    "changed": "fill:#fff3c4,stroke:#b7791f,color:#1f2328",
    "own": "fill:#d9f2dd,stroke:#2f855a,color:#1f2328",
    "removed": "fill:#ffffff,stroke:#b0b0b0,color:#8a8f98,stroke-dasharray:4 3",
    "dead": "fill:#fde2e1,stroke:#c53030,color:#9b1c1c,stroke-width:2px",
}
_SHAPES: dict[Shape, tuple[str, str]] = {
    "state": ("[", "]"),
    "outer": ("[", "]"),
    "final": ("([", "])"),
    "resume": ("([", "])"),
}
_MOST_EVENTS = 4
"""Events of a line that are named; more make it unreadable."""


def to_mermaid(graph: Graph) -> str:
    """Write a picture as Mermaid."""
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: Graph) -> Iterator[str]:
    yield "flowchart TB"
    yield f"  %% {graph.title}"
    yield "  %% grey: shared; yellow: shared and changed here; green: only here; dashed: deleted"
    yield "  %% here; red: a dead end, or another problem that 'comanda check' tells of"
    for name, style in _STYLES.items():
        yield f"  classDef {name} {style}"
    yield from _inside(graph, None, "  ")
    for arrow in graph.arrows:
        line = "-.->" if arrow.is_tap else "==>" if arrow.is_own else "-->"
        label = _escaped(", ".join(shortened(arrow.events)))
        yield f'  {_id(arrow.source)} {line}|"{label}"| {_id(arrow.target)}'


def _inside(graph: Graph, parent: str | None, indent: str) -> Iterator[str]:
    for node in graph.nodes:
        if node.parent != parent:
            continue
        css = "dead" if node.marks else node.origin
        if node.shape == "outer":
            yield f'{indent}subgraph {_id(node.id)}["{_label(node)}"]'
            yield from _inside(graph, node.id, indent + "  ")
            yield f"{indent}end"
            yield f"{indent}class {_id(node.id)} {css}"
        else:
            opened, closed = _SHAPES[node.shape]
            yield f'{indent}{_id(node.id)}{opened}"{_label(node)}"{closed}:::{css}'


def _id(name: str) -> str:
    return f"s_{name}"  # `end` and other words mean something to Mermaid


def _label(node: Node) -> str:
    return "<br/>".join(_escaped(line) for line in described(node))


def _escaped(text: str) -> str:
    marks = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "|": "#124;"}
    return "".join(marks.get(each, each) for each in text)


def described(node: Node) -> list[str]:
    """Tell in a few lines what a box stands for; the first is its name."""
    if node.shape == "resume":
        name = "back to where the customer was"
    else:
        name = f"{'● ' if node.is_first else ''}{node.id}{' (aside)' if node.is_aside else ''}"
    lines = [name]
    lines += [f"says {one}{' ✎' if one in node.own_texts else ''}" for one in node.says]
    if node.anywhere:
        lines.append(f"from anywhere: {', '.join(shortened(node.anywhere))}")
    if node.within:
        lines.append(f"from within {node.parent}: {', '.join(shortened(node.within))}")
    return lines + [f"⚠ {code}" for code in node.marks]


def shortened(events: tuple[str, ...]) -> list[str]:
    """Name some events, and the number of the rest."""
    if len(events) <= _MOST_EVENTS:
        return list(events)
    rest = len(events) - _MOST_EVENTS + 1
    return [*events[: _MOST_EVENTS - 1], f"{rest} more"]
