"""A YAML file as text with the place of every part of it, so that one part can be changed.

An edit never moves a line: what is deleted leaves its lines empty. Nothing is known of meaning.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """An entry of a mapping or an element of a list.

    Args:
        key: None for an element of a list.
        siblings: how many entries its parent has.
        is_inline: its parent is written as `{...}` or `[...]`.
    """

    path: Path
    key: yaml.ScalarNode | None
    value: yaml.Node
    siblings: int
    is_inline: bool

    @property
    def name(self) -> str:
        """Give the last key that leads here."""
        return str(self.path[-1])

    @property
    def line(self) -> int:
        """Give the line of its key, from 1."""
        node = self.key or self.value
        return int(node.start_mark.line) + 1

    @property
    def value_line(self) -> int:
        """Give the line of its value, from 1; of a literal block, that of its first text."""
        block = isinstance(self.value, yaml.ScalarNode) and self.value.style == "|"
        return int(self.value.start_mark.line) + (2 if block else 1)

    @property
    def text(self) -> str | None:
        """Give its value if it is a scalar."""
        return self.value.value if isinstance(self.value, yaml.ScalarNode) else None

    def is_list(self) -> bool:
        """Tell whether its value is a list."""
        return isinstance(self.value, yaml.SequenceNode)

    def is_mapping(self) -> bool:
        """Tell whether its value is a mapping."""
        return isinstance(self.value, yaml.MappingNode)


@dataclass(slots=True)
class Page:
    """One file.

    Args:
        file: its name from the content folder.
    """

    file: str
    text: str
    lines: list[str] = field(init=False)
    parts: dict[Path, Part] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.text.split("\n")
        root = yaml.compose(self.text, Loader=yaml.CSafeLoader)
        self.parts = {part.path: part for part in _parts(root, ())}

    def at(self, *path: str | int) -> Part | None:
        """Find a part."""
        return self.parts.get(path)

    def under(self, *path: str | int) -> Iterator[Part]:
        """Give the parts directly below a place."""
        for part in self.parts.values():
            if part.path[:-1] == path:
                yield part

    def around(self, part: Part) -> tuple[int, ...]:
        """Give the lines where a mapping begins without one of its parts."""
        owners = [self.at(*part.path[:length]) for length in range(1, len(part.path))]
        others = [one.line for one in self.under(*part.path[:-1]) if one.path != part.path]
        return *(owner.line for owner in owners[-3:] if owner), *others[:1]

    def raw(self, part: Part) -> str:
        """Give a value as it is written, with its quotes."""
        begins, ends = self._offsets(part.value)
        return self.text[begins:ends]

    def line_of(self, part: Part, offset: int) -> int:
        """Give the line of a place in a value as it is written."""
        begins, _ = self._offsets(part.value)
        return self.text.count("\n", 0, begins + offset) + 1

    def with_raw(self, part: Part, offset: int, old: str, new: str) -> str:
        """Write a word in a value as it is written in another way."""
        begins = self._offsets(part.value)[0] + offset
        assert self.text[begins : begins + len(old)] == old
        return self.text[:begins] + new + self.text[begins + len(old) :]

    def _offsets(self, node: yaml.Node) -> tuple[int, int]:
        first, last = node.start_mark, _end(node)
        return self._offset(first.line, first.column), self._offset(*last)

    def _offset(self, line: int, column: int) -> int:
        return sum(len(text) + 1 for text in self.lines[:line]) + column

    # Edits -----------------------------------------------------------------------------------

    def with_key(self, part: Part, word: str) -> str:
        """Write another key."""
        assert part.key is not None
        return self._between(part.key, word)

    def with_value(self, part: Part, raw: str) -> str:
        """Write another value, in one line; a longer one that it replaces leaves empty lines."""
        return self._between(part.value, raw)

    def _between(self, node: yaml.Node, raw: str) -> str:
        first, last = node.start_mark, _end(node)
        begins = first.line
        text = self.lines[begins][: first.column] + raw
        if last[0] == begins:
            text += self.lines[begins][last[1] :]
            return self._with({begins: text})
        rest = self.lines[last[0]][last[1] :] if last[1] else ""
        final = last[0] if last[1] else last[0] - 1
        return self._with({begins: text + rest} | dict.fromkeys(range(begins + 1, final + 1), ""))

    def without(self, part: Part) -> str:
        """Leave a part out."""
        if part.is_inline:
            return self._without_inline(part)
        node = part.key or part.value
        last = _end(part.value)
        first = node.start_mark.line
        final = last[0] if last[1] else last[0] - 1
        while final > first and not self.lines[final].strip():
            final -= 1
        # The first entry of a mapping in a list stands behind the dash: the next one takes it.
        head = self.lines[first][: node.start_mark.column]
        edits: dict[int, str] = dict.fromkeys(range(first, final + 1), "")
        if part.key is not None and head.strip() == "-":
            follows = final + 1
            is_sibling = follows < len(self.lines) and self.lines[follows].startswith(
                " " * len(head)
            )
            if part.siblings > 1 and is_sibling:
                edits[follows] = head + self.lines[follows][len(head) :]
            else:
                edits[first] = f"{head}{{}}"
        return self._with(edits)

    def _without_inline(self, part: Part) -> str:
        node = part.key or part.value
        line, begins = node.start_mark.line, node.start_mark.column
        last, ends = _end(part.value)
        text = self.lines[line]
        if last != line:
            return self.with_value(part, "null")
        after = text[ends:]
        if after.lstrip().startswith(","):
            after = after.lstrip()[1:].lstrip()
            return self._with({line: text[:begins] + after})
        before = text[:begins].rstrip().removesuffix(",")
        return self._with({line: before + after})

    def with_line(self, number: int, text: str) -> str:
        """Write another line; they count from 1."""
        return self._with({number - 1: text})

    def with_more(self, number: int, text: str) -> str:
        """Write one more line after a line; all after it move."""
        lines = [*self.lines[:number], text, *self.lines[number:]]
        return "\n".join(lines)

    def _with(self, edits: dict[int, str]) -> str:
        return "\n".join(edits.get(at, line) for at, line in enumerate(self.lines))


def _parts(node: yaml.Node | None, path: Path) -> Iterator[Part]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, key.value)
            yield Part(here, key, value, len(node.value), bool(node.flow_style))
            yield from _parts(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for place, value in enumerate(node.value):
            here = (*path, place)
            yield Part(here, None, value, len(node.value), bool(node.flow_style))
            yield from _parts(value, here)


def _end(node: yaml.Node) -> tuple[int, int]:
    """Tell where a node ends: a block ends where its last part does."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.line, node.end_mark.column
