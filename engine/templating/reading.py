"""What a template reads, compares and asks, told from its source; nothing is calculated here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinja2 import nodes

from engine.templating.logic import can_hold

EACH = "[]"
"""The step of a path that stands for every element of a list: `cart.lines.[].name`."""


@dataclass(frozen=True, slots=True)
class Read:
    """A value that is read.

    Args:
        path: as deep as is written; what a loop names is an element of what it goes through.
        line: where, in the template.
        is_own: it begins at a variable, not at what a loop names.
        is_optional: the template says what to do without it.
    """

    path: str
    line: int
    is_own: bool = True
    is_optional: bool = False


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
class Picked:
    """A part of a value whose name is another value: `terms.status[order.status]`.

    Args:
        path: what it is a part of.
        key: the value that names it.
        line: where, in the template.
    """

    path: str
    key: str
    line: int


@dataclass(frozen=True, slots=True)
class Stray:
    """A mark of Jinja that is left in the text, so that customers would see it."""

    mark: str
    line: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a template reads.

    Args:
        paths: the values it reads, as deep as is written: `cart.count`.
        compared: what it holds against texts.
        asked: the guards it asks.
        head: the text before the first thing that is calculated.
        reads: the same values with their places, and those that begin at what a loop names.
        picked: what it looks up under names that are calculated.
        value: the path of what it gives, if it gives just a value, or some elements of a list.
        can_hold: as a guard it may be true.
        never: the lines of conditions inside it that cannot hold.
        stray: marks that are left in its text.
    """

    paths: frozenset[str] = frozenset()
    compared: tuple[Compared, ...] = ()
    asked: frozenset[str] = frozenset()
    head: str = ""
    reads: tuple[Read, ...] = ()
    picked: tuple[Picked, ...] = ()
    value: str | None = None
    can_hold: bool = True
    never: tuple[int, ...] = ()
    stray: tuple[Stray, ...] = ()

    @property
    def is_constant(self) -> bool:
        """Tell whether it always gives the same."""
        return not self.paths and not self.asked


_EQUAL = frozenset({"eq", "ne", "in", "notin"})
_SOME_OF = frozenset(
    {"list", "rejectattr", "reject", "reverse", "select", "selectattr", "sort", "unique"}
)
"""Filters that give elements of the list they are given."""
_BY_ATTRIBUTE = frozenset({"rejectattr", "selectattr"})
_EQUAL_TESTS = frozenset({"eq", "==", "equalto", "ne", "!="})
_STRAY = ("{{", "}}", "{%", "%}")
_Bound = Mapping[str, str | None]
"""What loops name: each name with the path of what it stands for, if that is known."""


def reading_of(tree: nodes.Template) -> Reading:
    """Tell what a parsed template reads."""
    found = list(_found(tree, {}))
    reads = tuple(one for one in found if isinstance(one, Read))
    single = _single(tree)
    return Reading(
        paths=frozenset(one.path for one in reads if one.is_own),
        compared=tuple(one for one in found if isinstance(one, Compared)),
        asked=frozenset(
            call.node.name
            for call in tree.find_all(nodes.Call)
            if isinstance(call.node, nodes.Name)
        ),
        head=_head(tree),
        reads=reads,
        picked=tuple(one for one in found if isinstance(one, Picked)),
        value=_value(single, {}) if single else None,
        can_hold=single is None or can_hold(single),
        never=tuple(sorted(_never(tree))),
        stray=stray_of(tree),
    )


def stray_in(text: str) -> tuple[Stray, ...]:
    """Find marks of Jinja in a text that nothing is calculated in."""
    return tuple(_strays(text, 1))


def stray_of(tree: nodes.Template) -> tuple[Stray, ...]:
    """Find marks of Jinja in the text between what is calculated."""
    return tuple(
        stray
        for data in tree.find_all(nodes.TemplateData)
        for stray in _strays(data.data, data.lineno)
    )


def _strays(text: str, line: int) -> Iterator[Stray]:
    for mark in _STRAY:
        place = text.find(mark)
        if place >= 0:
            yield Stray(mark, line + text.count("\n", 0, place))


def _head(tree: nodes.Template) -> str:
    first = tree.body[0] if tree.body else None
    part = first.nodes[0] if isinstance(first, nodes.Output) and first.nodes else None
    return part.data if isinstance(part, nodes.TemplateData) else ""


def _single(tree: nodes.Template) -> nodes.Expr | None:
    """Give the one thing that is calculated, if there is nothing else."""
    output = tree.body[0] if len(tree.body) == 1 else None
    if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
        return None
    single = output.nodes[0]
    return None if isinstance(single, nodes.TemplateData) else single


def _never(tree: nodes.Template) -> Iterator[int]:
    """Find conditions inside that cannot hold."""
    for node in tree.find_all((nodes.If, nodes.For, nodes.CondExpr)):
        assert isinstance(node, (nodes.If, nodes.For, nodes.CondExpr))
        if node.test is not None and not can_hold(node.test):
            yield node.test.lineno


def _found(
    node: nodes.Node, bound: _Bound, *, optional: bool = False
) -> Iterator[Read | Compared | Picked]:
    """Find values that are read, and comparisons."""
    path = _path(node, bound)
    if path:
        yield Read(path, node.lineno, _root(node) not in bound, optional)
        return
    if isinstance(node, nodes.For):
        yield from _looped(node, bound)
        return
    yield from _noticed(node, bound)
    if isinstance(node, nodes.Filter) and node.name == "default" and node.node is not None:
        yield from _found(node.node, bound, optional=True)
        parts: list[nodes.Node] = [*node.args, *node.kwargs]
    elif isinstance(node, nodes.Test) and node.name in ("defined", "undefined"):
        yield from _found(node.node, bound, optional=True)
        return
    else:
        # Of a call only what is given to it is read: the name is a guard's.
        parts = list(node.kwargs if isinstance(node, nodes.Call) else node.iter_child_nodes())
    for child in parts:
        yield from _found(child, bound)


def _looped(node: nodes.For, bound: _Bound) -> Iterator[Read | Compared | Picked]:
    names = {name.name for name in node.target.find_all(nodes.Name)}
    inside: dict[str, str | None] = {**bound, "loop": None, **dict.fromkeys(names)}
    if isinstance(node.target, nodes.Name):
        through = _value(node.iter, bound)
        inside[node.target.name] = f"{through}.{EACH}" if through else None
    for part in (node.iter, *node.else_):
        yield from _found(part, bound)
    for part in (*node.body, *([node.test] if node.test else ())):
        yield from _found(part, inside)


def _noticed(node: nodes.Node, bound: _Bound) -> Iterator[Read | Compared | Picked]:
    """Tell what a node does with values, beside reading them."""
    if isinstance(node, nodes.Compare):
        yield from _compared(node, bound)
    elif isinstance(node, nodes.Getitem):
        path, key = _path(node.node, bound), _path(node.arg, bound)
        if path and key:
            yield Picked(path, key, node.lineno)
    elif isinstance(node, nodes.Filter) and node.name in _BY_ATTRIBUTE:
        yield from _chosen(node, bound)


def _chosen(node: nodes.Filter, bound: _Bound) -> Iterator[Read | Compared]:
    """Tell what `selectattr('kind', 'eq', 'x')` reads of each element, and compares."""
    through = _value(node.node, bound) if node.node is not None else None
    words = [part.value for part in node.args if isinstance(part, nodes.Const)]
    if not through or not words or len(words) < len(node.args):
        return
    path = f"{through}.{EACH}.{words[0]}"
    yield Read(path, node.lineno, is_own=False)
    if len(words) == 3 and words[1] in _EQUAL_TESTS and isinstance(words[2], str):
        yield Compared(path, words[2], node.lineno)


def _compared(node: nodes.Compare, bound: _Bound) -> Iterator[Compared]:
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


def _value(node: nodes.Node, bound: _Bound) -> str | None:
    """Write the path of a value, or of a list that another is a part of."""
    while isinstance(node, nodes.Filter) and node.name in _SOME_OF and node.node is not None:
        node = node.node
    return _path(node, bound)


def _path(node: nodes.Node, bound: _Bound) -> str | None:
    """Write a value's path; None if the node is none, or begins at what nobody knows."""
    keys: list[str] = []
    while True:
        if isinstance(node, nodes.Getattr):
            keys.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            keys.append(str(node.arg.value))
        else:
            break
        node = node.node
    if not isinstance(node, nodes.Name) or node.ctx != "load":
        return None
    root = bound.get(node.name, node.name)
    return ".".join((root, *reversed(keys))) if root else None


def _root(node: nodes.Node) -> str:
    while isinstance(node, (nodes.Getattr, nodes.Getitem)):
        node = node.node
    return node.name if isinstance(node, nodes.Name) else ""
