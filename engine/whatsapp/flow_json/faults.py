"""What is wrong with a Flow JSON or with a screen's data, and how that is said; nothing is judged.

A fault is a value: documents and data are checked as a whole, and everything found is told.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TypeAlias

from engine.whatsapp.limits import length

Pointer: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FlowFault:
    """One thing that WhatsApp would refuse, or show other than it is meant.

    Args:
        pointer: the keys and indices that lead to the value, or to the nearest one around it.
        code: short name of the kind of fault, such as `over-limit`.
        sentence: what is wrong, in one sentence.
        hint: what to do, or nothing.
    """

    pointer: Pointer
    code: str
    sentence: str
    hint: str = ""


Faults: TypeAlias = Iterator[FlowFault]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the known word that looks most like a wrong one."""
    close = get_close_matches(word[:80], list(known), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else ""


def listed(names: Iterable[str]) -> str:
    """Write names in a row, quoted."""
    return ", ".join(f"'{name}'" for name in names)


def cut(text: str) -> str:
    """Shorten a text that is quoted in a sentence."""
    return text if len(text) <= 60 else text[:59] + "…"


def too_long(text: str, limit: int | None, *, pointer: Pointer, name: str) -> Faults:
    """Tell that a text is longer than WhatsApp shows."""
    if limit is not None and length(text) > limit:
        sentence = f"'{name}' has {length(text)} characters, WhatsApp shows {limit}"
        yield FlowFault(pointer, "over-limit", sentence)


def off_count(
    count: int, *, least: int | None, most: int | None, pointer: Pointer, what: str
) -> Faults:
    """Tell that there are too many of something, or too few.

    Args:
        what: of what there are so many, with whose it is: `this screen has * components`.
    """
    if most is not None and count > most:
        yield FlowFault(pointer, "over-limit", f"{what.replace('*', str(count))}, {most} fit")
    elif least is not None and count < least:
        sentence = f"{what.replace('*', str(count))}, it needs at least {least}"
        yield FlowFault(pointer, "over-limit", sentence)


def kind_of(value: object) -> str:
    """Name what kind of JSON value one is, as an author would."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a group of keys"
    return type(value).__name__


def wrong_type(value: object, wanted: str, *, pointer: Pointer, name: str) -> FlowFault:
    """Tell that a value is of another kind than is wanted."""
    return FlowFault(pointer, "wrong-type", f"'{name}' is {kind_of(value)}, not {wanted}")


def elements(value: object) -> Sequence[object]:
    """Take the elements of a list; anything else has none."""
    return value if isinstance(value, list | tuple) else ()
