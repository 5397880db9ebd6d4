"""Free text -> the event it means, by the phrases of one language; no chart or catalog is known.

Tried in this order: the very phrase, a phrase with a slot (`add {product}`), a phrase with a
typing mistake, and, where the caller wants it, a phrase somewhere inside the text.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import regex
from rapidfuzz import fuzz, process

FUZZY_FROM = 5
"""Shorter phrases must be typed right: one letter makes another word of them."""
FUZZY_SCORE = 84.0
MAX_TEXT = 200
"""Longer texts mean no command."""

_NOT_WORD = regex.compile(r"[^\w\s]|_")
_SPACES = regex.compile(r"\s+")
_SLOT = regex.compile(r"\{(\w+)\}")
_QUANTITY = regex.compile(r"^(\d{1,3})\s*(?:x|of|de)?\s+(.+)$")


@lru_cache(maxsize=4096)
def normalise(text: str) -> str:
    """Reduce a text to what matters: no case, accents, punctuation or emoji."""
    plain = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    return _SPACES.sub(" ", _NOT_WORD.sub(" ", plain)).strip()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means.

    Args:
        argument: what stood in the phrase's slot, as the customer wrote it.
        quantity: a number that stood before it.
        certainty: `exact`, `fuzzy` or `contained`.
    """

    event: str
    argument: str | None = None
    quantity: int | None = None
    certainty: str = "exact"


class PhraseBook:
    """The phrases of one language.

    Args:
        phrases: by event; also an attribute, as written.
    """

    def __init__(self, phrases: Mapping[str, tuple[str, ...]]) -> None:
        self._exact: dict[str, str] = {}
        self._slots: list[tuple[regex.Pattern[str], str]] = []
        self.phrases = phrases
        for event, said in phrases.items():
            for phrase in said:
                self._add(event, phrase)
        self._fuzzy = [p for p in self._exact if len(p) >= FUZZY_FROM]
        by_length = sorted(self._exact, key=len, reverse=True)
        self._inside = [(f" {p} ", self._exact[p]) for p in by_length if len(p) > 2]

    def _add(self, event: str, phrase: str) -> None:
        before, found, after = phrase.partition("{")
        if not found:
            said = normalise(phrase)
            if said:
                self._exact.setdefault(said, event)
            return
        tail = after.partition("}")[2]
        pattern = r"\s+".join(
            part for part in (_words(before), r"(?P<slot>.+?)", _words(tail)) if part
        )
        self._slots.append((regex.compile(pattern), event))

    def exact(self, text: str) -> Meaning | None:
        """Find the event of the very phrase, or of a phrase with a slot."""
        said = normalise(text[:MAX_TEXT])
        event = self._exact.get(said)
        if event:
            return Meaning(event)
        for pattern, slot_event in self._slots:
            match = pattern.fullmatch(said)
            if match:
                return self._slotted(slot_event, match["slot"])
        return None

    def _slotted(self, event: str, slot: str) -> Meaning:
        counted = _QUANTITY.match(slot)
        if counted:
            return Meaning(event, counted[2], int(counted[1]))
        return Meaning(event, slot)

    def fuzzy(self, text: str) -> Meaning | None:
        """Find the event of a phrase typed with a mistake."""
        said = normalise(text[:MAX_TEXT])
        if len(said) < FUZZY_FROM or not self._fuzzy:
            return None
        found = process.extractOne(said, self._fuzzy, scorer=fuzz.ratio, score_cutoff=FUZZY_SCORE)
        return Meaning(self._exact[found[0]], certainty="fuzzy") if found else None

    def contained(self, text: str) -> Meaning | None:
        """Find the event of the longest phrase inside the text."""
        said = f" {normalise(text[:MAX_TEXT])} "
        for phrase, event in self._inside:
            if phrase in said:
                return Meaning(event, certainty="contained")
        return None


def _words(text: str) -> str:
    return r"\s+".join(regex.escape(word) for word in normalise(text).split())


def closest(text: str, names: Mapping[str, str], *, limit: int = 10) -> list[str]:
    """Find what a customer means by a name, typos forgiven, best first.

    Args:
        text: what he typed.
        names: name by id.

    Returns:
        Ids: the one whose name is the very text, or those that hold all its words, or those that
        look alike.
    """
    said = normalise(text[:MAX_TEXT])
    if not said:
        return []
    # A name without a letter, such as an emoji, would look like everything.
    known = {key: plain for key, name in names.items() if (plain := normalise(name))}
    same = [key for key, name in known.items() if name == said]
    if same:
        return same[:limit]
    words = set(said.split())
    holding = [key for key, name in known.items() if words <= set(name.split())]
    if holding:
        return sorted(holding, key=lambda key: len(known[key]))[:limit]
    return _alike(said, known)[:limit]


_ALIKE = 80.0
_CLEARLY = 8.0
_PER_WORD = 9.0
"""What each word that only one of text and name has costs when names compete."""


def _alike(said: str, known: Mapping[str, str]) -> list[str]:
    words = len(said.split())
    scored: list[tuple[float, str]] = []
    for key, name in known.items():
        score = _likeness(said, name)
        if score >= _ALIKE:
            scored.append((score - _PER_WORD * abs(words - len(name.split())), key))
    found = sorted(scored, key=lambda pair: -pair[0])
    return [key for score, key in found if found[0][0] - score < _CLEARLY]


def _likeness(said: str, name: str) -> float:
    """Score a misspelt name, as a whole or as a part of a longer text or name."""
    whole = fuzz.ratio(said, name)
    few, many = sorted((said.split(), name.split()), key=len)
    if few == many or (len(said.split()) > len(name.split()) + 2):
        return whole
    spans = (" ".join(many[i : i + len(few)]) for i in range(len(many) - len(few) + 1))
    part = max(fuzz.ratio(" ".join(few), span) for span in spans)
    return max(whole, part - 2 if len(said) >= 4 else 0.0)
