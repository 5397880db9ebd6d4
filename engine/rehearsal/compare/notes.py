"""What two versions of a tenant differ in, noted while they are rehearsed.

Messages are matched here, and read in the languages that nobody spoke; what a customer tries is
`compare`'s.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from engine.rehearsal.compare.side import Outcome, Read, Side, Version
from engine.rehearsal.written import written

ReadPair = tuple[Read | None, Read | None]


@dataclass(frozen=True, slots=True)
class Reworded:
    """A message that reads otherwise; None where a version has no such message."""

    before: Read | None
    after: Read | None


@dataclass(frozen=True, slots=True)
class Parted:
    """An act that the two versions answer with other messages.

    Args:
        where: the state it was done in, as its author calls it.
        before, after: None if it is not offered.
        offered_in: the message that offers it, if it is a button or row.
        trail: what the customer did before it.
    """

    act: str
    where: str
    before: Outcome | None
    after: Outcome | None
    offered_in: str = ""
    trail: tuple[str, ...] = ()


@dataclass(slots=True)
class Comparison:
    """What two versions differ in.

    Args:
        heard: the messages that were said in both.
        tried: how many acts.
    """

    reworded: list[Reworded] = field(default_factory=list)
    parted: list[Parted] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    tried: int = 0


class Notes:
    """Notes each difference once.

    Args:
        found: what they are noted in.

    `differing` names by language the messages that may read otherwise; None if all may.
    """

    def __init__(self, before: Version, after: Version, found: Comparison) -> None:
        self.found = found
        self.names = namesakes(before, after)
        self._versions = before, after
        self.differing = _differing(before, after)
        self._seen: set[Hashable] = set()

    def matches(self, before: tuple[Read, ...], after: tuple[Read, ...]) -> list[ReadPair]:
        """Match the messages that two versions say: those that read alike, or have one name."""
        same = {read.lines: read.message for read in after}
        old = [same.get(r.lines, self.names.get(r.message, r.message)) for r in before]
        new = [read.message for read in after]
        found: list[ReadPair] = []
        for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
            if tag == "equal":
                found += zip(before[i:j], after[k:m], strict=True)
            else:
                found += ((read, None) for read in before[i:j])
                found += ((None, read) for read in after[k:m])
        return found

    def readings(
        self, matches: Iterable[ReadPair], sides: tuple[Side, Side], *, is_loose: bool
    ) -> None:
        """Note the messages that both say, and that read otherwise, in every language.

        Args:
            is_loose: the two have come there in different ways, which their texts may tell of:
                only what is written otherwise is noted.
        """
        for old, new in matches:
            if old is None or new is None:
                continue
            if is_loose and written(old.authored) == written(new.authored):
                continue
            self.found.heard |= {old.message, new.message}
            key = (old.message, new.message, old.language, old.lines, new.lines)
            if key in self._seen:
                continue
            self._seen.add(key)
            if old.lines != new.lines:
                self.found.reworded.append(Reworded(old, new))
            for language, ids in self.differing.items():
                if language != new.language and (ids is None or new.message in ids):
                    self._translated(language, (old, new), sides)

    def _translated(
        self, language: str, pair: tuple[Read, Read], sides: tuple[Side, Side]
    ) -> None:
        """Note how a message differs in a language that it was not heard in."""
        old, new = (side.reads_in(language, read) for side, read in zip(sides, pair, strict=True))
        key = (pair[1].message, language, old, new)
        if old is None or new is None or old == new or key in self._seen:
            return
        self._seen.add(key)
        made = (_in(language, pair[0], old), _in(language, pair[1], new))
        self.found.reworded.append(Reworded(*made))

    def parting(self, parted: Parted, sides: tuple[Side, Side]) -> None:
        """Note an act that is answered otherwise, and the messages that only one version has."""
        outcomes = (parted.before, parted.after)
        said = [o and (o.failure, *(read.lines for read in o.said)) for o in outcomes]
        key = (parted.act, parted.where, *said)
        if key in self._seen:
            return
        self._seen.add(key)
        self.found.parted.append(parted)
        for place, outcome in enumerate(outcomes):
            for read in outcome.said if outcome else ():
                self.single(place, read, sides[place])

    def single(self, place: int, read: Read, side: Side) -> bool:
        """Note a message that only the version of a place (0 or 1) has; tell if it was new."""
        other = self._versions[1 - place].bundle
        is_known = read.message in other.vocabulary(other.tenant.languages[0]).messages
        key = ("single", place, read.message)
        is_renamed = read.message in self.names or read.message in self.names.values()
        if is_known or is_renamed or not read.message or key in self._seen:
            return False
        self._seen.add(key)
        for made in _in_all(read, side):
            self.found.reworded.append(Reworded(None, made) if place else Reworded(made, None))
        return True


def _in_all(read: Read, side: Side) -> Iterator[Read]:
    for language in side.bundle.tenant.languages:
        lines = read.lines if language == read.language else side.reads_in(language, read)
        if lines:
            yield _in(language, read, lines)


def _in(language: str, read: Read, lines: tuple[str, ...]) -> Read:
    return replace(read, language=language, lines=lines, choices=())


def namesakes(before: Version, after: Version) -> dict[str, str]:
    """Find messages that only have another name now: new name by old name."""
    language = after.bundle.tenant.languages[0]
    old = before.bundle.vocabulary(language).messages
    new = after.bundle.vocabulary(language).messages
    free = {name: written(new[name]) for name in new if name not in old}
    found: dict[str, str] = {}
    for name in (name for name in old if name not in new):
        same = next((key for key, text in free.items() if text == written(old[name])), None)
        if same:
            found[name] = same
            del free[same]
    return found


def differ_in_messages(before: Version, after: Version) -> bool:
    """Tell whether two versions differ in nothing but messages, which decide on nothing."""
    old, new = before.bundle, after.bundle
    if before.catalog is not after.catalog or old.tenant != new.tenant:
        return False
    if old.chart.digest != new.chart.digest or _flows(before) != _flows(after):
        return False
    return all(
        old.vocabularies[name].terms == words.terms
        and old.vocabularies[name].intents.phrases == words.intents.phrases
        for name, words in new.vocabularies.items()
    )


def _flows(version: Version) -> list[tuple[str, str]]:
    return [(flow.id, flow.digest) for flow in version.bundle.flows.values()]


def _differing(before: Version, after: Version) -> dict[str, frozenset[str] | None]:
    """Name by language the messages that may read otherwise in it; None if any may."""
    found: dict[str, frozenset[str] | None] = {}
    is_same_tenant = before.bundle.tenant == after.bundle.tenant
    for language in after.bundle.tenant.languages:
        if language not in before.bundle.vocabularies:
            continue
        old, new = before.bundle.vocabularies[language], after.bundle.vocabularies[language]
        if not is_same_tenant or old.terms != new.terms or before.catalog is not after.catalog:
            found[language] = None
            continue
        found[language] = frozenset(
            name
            for name, message in new.messages.items()
            if name not in old.messages or written(old.messages[name]) != written(message)
        )
    return found
