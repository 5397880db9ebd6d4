"""The rules that messages check themselves and their parts against; the numbers are in `limits`.

`LimitExceeded` says that something is too long or too many, `InvalidMessage` the rest. A required
text must not be blank; a blank optional one counts as not given.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from engine.errors import EngineError, LimitExceeded
from engine.whatsapp import limits

_NOT_IN_A_URL: Final = re.compile(r"[\s\x00-\x1f\x7f]")


class InvalidMessage(EngineError):
    """A message breaks a rule of WhatsApp that is not a length.

    Args:
        field: the field of the message, such as `buttons.buttons[1].id`.
        problem: what is wrong with it, to follow the field's name.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def is_given(text: str | None) -> bool:
    """Tell whether a text is there and not blank."""
    return text is not None and text.strip() != ""


def given(**texts: str | None) -> dict[str, str]:
    """Keep the texts that are there and not blank."""
    return {name: text for name, text in texts.items() if text is not None and is_given(text)}


def require_text(field: str, text: str, *, limit: int | None = None) -> None:
    """Check a text that must not be blank."""
    if not is_given(text):
        raise InvalidMessage(field, "must not be blank")
    allow_text(field, text, limit=limit)


def allow_text(field: str, text: str | None, *, limit: int | None = None) -> None:
    """Check a text that may be blank or not there."""
    if text is None:
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidMessage(field, "has half a character (a lone surrogate)") from None
    if limit is not None and limits.length(text) > limit:
        raise LimitExceeded(field, limit=limit, length=limits.length(text))


def require_url(field: str, url: str) -> None:
    """Check the address of a web page or a picture."""
    require_text(field, url)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or _NOT_IN_A_URL.search(url):
        raise InvalidMessage(field, "not a web address (http or https)")


def require_some(field: str, elements: Sequence[object] | Mapping[str, object]) -> None:
    """Check that there is at least one element."""
    if not elements:
        raise InvalidMessage(field, "must not be empty")


def require_count(field: str, elements: Sequence[object], *, limit: int) -> None:
    """Check that there is at least one element, and not too many."""
    require_some(field, elements)
    if len(elements) > limit:
        raise LimitExceeded(field, limit=limit, length=len(elements))


def require_unique(field: str, values: Iterable[str], *, key: str) -> None:
    """Check that no two elements have the same value of a key."""
    seen: set[str] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise InvalidMessage(f"{field}[{index}].{key}", f"{value!r} is there twice")
        seen.add(value)


def require_json(field: str, value: object) -> None:
    """Check that a value survives the way through the outbox to the wire; Flows know no null."""
    match value:
        case str():
            allow_text(field, value)
        case bool():
            pass
        case int() if -(2**63) <= value < 2**63:
            pass
        case float() if math.isfinite(value):
            pass
        case dict():
            for key, member in value.items():
                if not isinstance(key, str):
                    raise InvalidMessage(field, f"the key {key!r} is not a text")
                require_json(f"{field}.{key}", member)
        case list() | tuple():
            for index, member in enumerate(value):
                require_json(f"{field}[{index}]", member)
        case _:
            raise InvalidMessage(field, f"{type(value).__name__} is not allowed here")


def require_section_titles(kind: str, titles: Sequence[str | None]) -> None:
    """Check the titles of sections; only a lone section may do without."""
    for index, title in enumerate(titles):
        field = f"{kind}.sections[{index}].title"
        if len(titles) > 1:
            require_text(field, title or "", limit=limits.SECTION_TITLE)
        else:
            allow_text(field, title, limit=limits.SECTION_TITLE)
