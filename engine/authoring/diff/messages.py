"""The messages of one tenant that read otherwise: what was heard in a rehearsal, and the rest.

Where a message is said is told from the chart, so that no place is missing that nobody rehearsed.
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from engine.authoring.diff.changes import Example, Lines, MessageChange
from engine.domain.ids import TenantId
from engine.rehearsal.compare.notes import Comparison, Reworded, namesakes
from engine.rehearsal.compare.side import Version
from engine.rehearsal.written import written, written_lines
from engine.spec.bundle import Bundle
from engine.spec.chart import Chart
from engine.spec.message import Message

MOST_EXAMPLES = 3
ANYWHERE = "anywhere"
_COMPUTED = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")

Found = dict[Hashable, MessageChange]
"""Changes by what makes two of them the same one, also in other tenants."""


class Masks:
    """Leaves out of lines what differs from one product or tenant to another."""

    def __init__(self, *versions: Version) -> None:
        names: set[str] = set()
        for version in versions:
            names |= {version.bundle.tenant.name, version.bundle.tenant.address}
            for product in version.catalog.products.values():
                names |= {product.name, product.category, product.description}
                names |= {size.name for size in product.presentations}
                for group in product.groups:
                    names |= {group.name, *(modifier.name for modifier in group.modifiers)}
        known = sorted((name for name in names if len(name) > 2), key=len, reverse=True)
        self._names = re.compile("|".join(map(re.escape, known)) or r"(?!)")

    def over(self, lines: Lines) -> Lines:
        """Mask the names and the numbers in lines."""
        return tuple(re.sub(r"[0-9]+", "0", self._names.sub("…", line)) for line in lines)

    def delta(self, example: Example) -> Hashable:
        """Tell what differs in an example, in general."""
        before, after = example.before or (), example.after or ()
        gone = self.over(tuple(line for line in before if line not in after))
        new = self.over(tuple(line for line in after if line not in before))
        is_moved = () if gone or new else (before, after)
        return gone, new, is_moved, example.before is None, example.after is None


def said_in(chart: Chart, message: str) -> tuple[str, ...]:
    """Name the states in which a message is said."""
    found: list[str] = []
    if any(message in branch.say for branches in chart.anywhere.values() for branch in branches):
        found.append(ANYWHERE)
    for state in chart.states.values():
        said = [state.say, *(b.say for _, branches in state.branches() for b in branches)]
        if any(message in names for names in said):
            found.append(state.id)
    return tuple(found)


def message_changes(
    tenant: TenantId, before: Version, after: Version, compared: Comparison
) -> Found:
    """Find the messages that read otherwise."""
    finder = _Finder(tenant, before, after)
    for one in compared.reworded:
        finder.add_heard(one)
    finder.add_unheard(compared.heard)
    return finder.found


class _Finder:
    def __init__(self, tenant: TenantId, before: Version, after: Version) -> None:
        self.tenant = tenant
        self.before, self.after = before.bundle, after.bundle
        self.names = namesakes(before, after)
        self.masks = Masks(before, after)
        self.found: Found = {}
        self._deltas: dict[Hashable, set[Hashable]] = {}
        self._heard: set[tuple[str, str]] = set()

    def add_heard(self, one: Reworded) -> None:
        """Add what a customer was told."""
        read = one.after or one.before
        assert read is not None
        before = one.before.lines if one.before else None
        after = one.after.lines if one.after else None
        example = Example(before, after)
        delta = self.masks.delta(example)
        key = self._key(read.message, read.language, delta)
        self._heard.add((read.message, read.language))
        deltas = self._deltas.setdefault(key, set())
        if delta in deltas or len(deltas) >= MOST_EXAMPLES:
            return
        deltas.add(delta)
        held = self.found.get(key)
        examples = (*(held.examples if held else ()), example)
        self.found[key] = self._change(read.message, read.language, examples)

    def _change(
        self,
        message: str,
        language: str,
        examples: tuple[Example, ...],
        *,
        is_written: bool = False,
    ) -> MessageChange:
        old = next((old for old, new in self.names.items() if new == message), message)
        places = said_in(self.after.chart, message) or said_in(self.before.chart, old)
        return MessageChange(message, language, examples, {self.tenant: places}, is_written)

    def _key(self, message: str, language: str, delta: Hashable) -> Hashable:
        """Name a change by what its author wrote, if that differs; else by what is read."""
        old, new = self._authored(message, language)
        texts = old and written(old), new and written(new)
        if texts[0] != texts[1]:
            return ("written", message, language, texts)
        return ("read", message, language, delta)

    def _authored(self, message: str, language: str) -> tuple[Message | None, Message | None]:
        old = next((old for old, new in self.names.items() if new == message), message)
        return _messages(self.before, language).get(old), _messages(self.after, language).get(
            message
        )

    def add_unheard(self, heard: set[str]) -> None:
        """Add what is written otherwise, and no rehearsed customer was told."""
        for language in dict.fromkeys((*self.after.vocabularies, *self.before.vocabularies)):
            old = _messages(self.before, language)
            gone = (name for name in old if name not in self.names)
            for message in dict.fromkeys((*_messages(self.after, language), *gone)):
                if (message, language) in self._heard:
                    continue
                pair = self._authored(message, language)
                if _reads_alike(*pair, is_heard=message in heard):
                    continue
                lines = [written_lines(each) if each else None for each in pair]
                key = self._key(message, language, None)
                example = Example(lines[0], lines[1])
                self.found[key] = self._change(message, language, (example,), is_written=True)


def _messages(bundle: Bundle, language: str) -> Mapping[str, Message]:
    words = bundle.vocabularies.get(language)
    return words.messages if words else {}


def _reads_alike(before: Message | None, after: Message | None, *, is_heard: bool) -> bool:
    """Tell whether customers will read the same, as far as that can be told from what is written.

    Args:
        is_heard: it was said in a rehearsal, and read the same.
    """
    if before is None or after is None:
        return before is after
    if written(before) == written(after):
        return True
    # What is calculated was calculated: only words count that no rehearsal has come to.
    return is_heard and _words(before) == _words(after)


def _words(message: Message) -> list[str]:
    """Give the words of a message that are not calculated."""
    text = "\n".join(written_lines(message))
    inside = [word for part in _COMPUTED.findall(text) for word in _QUOTED.findall(part)]
    outside = _COMPUTED.sub(" ", text).split()
    return [*outside, *(word for word in inside if " " in word)]


def word_changes(tenant: TenantId, before: Bundle, after: Bundle, shown: str) -> Found:
    """Find words (`terms`) that differ, if none of what was shown has told of it.

    Args:
        shown: everything that was shown of how it was before.
    """
    found: Found = {}
    for language in after.vocabularies:
        if language not in before.vocabularies:
            continue
        old = dict(_leaves(before.vocabularies[language].terms, "terms"))
        new = dict(_leaves(after.vocabularies[language].terms, "terms"))
        for name in dict.fromkeys((*new, *old)):
            texts = old.get(name), new.get(name)
            if texts[0] == texts[1] or (texts[0] or texts[1] or "") in shown:
                continue
            example = Example(
                *(None if text is None else tuple(text.split("\n")) for text in texts)
            )
            change = MessageChange(name, language, (example,), {tenant: ()}, is_written=True)
            found[("term", name, language, texts)] = change
    return found


def _split(text: str | None) -> Lines | None:
    return None if text is None else tuple(text.split("\n"))


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}")
    elif isinstance(value, (list, tuple)):
        yield name, ", ".join(map(str, value))
    else:
        yield name, str(value).strip()
