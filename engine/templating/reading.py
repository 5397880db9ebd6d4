"""What a template reads, compares and asks, told from its source; nothing is calculated here."""

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes


@dataclass(frozen=True, slots=True)
class Compared:
    """A part of a value held against a text: `state == 'menu'`.

    Args:
        path: what is compared, such as `event.name`.
        word: the text it is compared with.
        line: where, in the template.
    """

    path: str
    word: str
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a template reads.

    Args:
        paths: the values it reads, as deep as is written: `cart.count`.
        compared: what it holds against texts.
        asked: the guards it asks.
        head: the text before the first thing that is calculated.
    """

    paths: frozenset[str] = frozenset()
    compared: tuple[Compared, ...] = ()
    asked: frozenset[str] = frozenset()
    head: str = ""

    @property
    def is_constant(self) -> bool:
        """Tell whether it always gives the same."""
        return not self.paths and not self.asked


_EQUAL = frozenset({"eq", "ne", "in", "notin"})


def reading_of(tree: nodes.Template) -> Reading:
    """Tell what a parsed template reads."""
    found = list(_found(tree, frozenset()))
    return Reading(
        frozenset(one for one in found if isinstance(one, str)),
        tuple(one for one in found if isinstance(one, Compared)),
        frozenset(
            call.node.name
            for call in tree.find_all(nodes.Call)
            if isinstance(call.node, nodes.Name)
        ),
        _head(tree),
    )


def _head(tree: nodes.Template) -> str:
    first = tree.body[0] if tree.body else None
    part = first.nodes[0] if isinstance(first, nodes.Output) and first.nodes else None
    return part.data if isinstance(part, nodes.TemplateData) else ""


def _found(node: nodes.Node, bound: frozenset[str]) -> Iterator[str | Compared]:
    """Find values that are read, and comparisons; what a loop names is none."""
    path = _path(node, bound)
    if path:
        yield path
        return
    if isinstance(node, nodes.For):
        names = {name.name for name in node.target.find_all(nodes.Name)}
        names |= {node.target.name} if isinstance(node.target, nodes.Name) else set()
        inside = bound | {"loop"} | names
        for part in (node.iter, *node.else_):
            yield from _found(part, bound)
        for part in (*node.body, *([node.test] if node.test else ())):
            yield from _found(part, inside)
        return
    if isinstance(node, nodes.Compare):
        yield from _compared(node, bound)
    # Of a call only what is given to it is read: the name is a guard's.
    parts = node.kwargs if isinstance(node, nodes.Call) else node.iter_child_nodes()
    for child in parts:
        yield from _found(child, bound)


def _compared(node: nodes.Compare, bound: frozenset[str]) -> Iterator[Compared]:
    if len(node.ops) != 1 or node.ops[0].op not in _EQUAL:
        return
    sides = (node.expr, node.ops[0].expr)
    # In `'a' in x` the text is a part of what is read.
    pairs = (sides, sides[::-1]) if node.ops[0].op in ("eq", "ne") else (sides,)
    for one, other in pairs:
        path = _path(one, bound)
        if path:
            yield from (Compared(path, word, node.lineno) for word in _words(other))


def _words(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, (nodes.List, nodes.Tuple)):
        for part in node.items:
            yield from _words(part)
    elif isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value


def _path(node: nodes.Node, bound: frozenset[str]) -> str | None:
    """Write a value's path; None if the node is none, or begins at what a loop names."""
    keys: list[str] = []
    while True:
        if isinstance(node, nodes.Getattr):
            keys.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            keys.append(str(node.arg.value))
        else:
            break
        node = node.node
    if not isinstance(node, nodes.Name) or node.ctx != "load" or node.name in bound:
        return None
    return ".".join((node.name, *reversed(keys)))
