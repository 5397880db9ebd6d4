"""Authored texts -> texts that WhatsApp shows whole, and notes of what had to be cut."""

import re
from dataclasses import dataclass
from typing import Any, Literal

from engine.templating.language import Text
from engine.whatsapp import limits

Context = dict[str, Any]
_BLANK_LINES = re.compile(r"\n{3,}")
FITTED = "fitted_"
"""The name under which a list in the context takes note of what was fitted; authors cannot write
it."""


How = Literal["cut", "split", "as_list", "paged", "left_out"]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Something of a message that did not fit as its author wrote it, and what became of it.

    Args:
        where: of the text, or of the whole message.
        how: a text was cut; a long text became two messages; buttons became a list; a list got
            pages; rows, sections or products were left out.
        limit: WhatsApp's, in characters (UTF-16 code units) or parts.
        size: how long or how many it would have been.
        text: the whole text, if it is one.
    """

    where: str
    how: How
    limit: int
    size: int
    text: str = ""


def note(context: Context, fitted: Fitted) -> None:
    """Note what was fitted, if somebody wants to know."""
    if FITTED in context:
        context[FITTED].append(fitted)


def long_text(text: Text | None, context: Context, limit: int) -> str:
    """Render a text of many lines, cut to a limit."""
    return _fit(text, whole_text(text, context), limit, context) if text else ""


def whole_text(text: Text | None, context: Context) -> str:
    """Render a text of many lines as long as it is."""
    rendered = text.render(context) if text else ""
    return _BLANK_LINES.sub("\n\n", rendered).strip()


def short_text(text: Text | None, context: Context, limit: int) -> str | None:
    """Render a text of one line, cut to a limit; None if there is nothing in it."""
    if text is None:
        return None
    return _fit(text, " ".join(text.render(context).split()), limit, context) or None


def in_halves(text: str, limit: int) -> tuple[str, str] | None:
    """Split a text that does not fit between paragraphs, else between lines, so that its end does.

    None if it fits, or nothing can be done.
    """
    if limits.length(text) <= limit:
        return None
    for mark, room in (("\n\n", limit // 2), ("\n\n", limit), ("\n", limit // 2), ("\n", limit)):
        parts = text.split(mark)
        for place in range(1, len(parts)):
            rest = mark.join(parts[place:])
            if limits.length(rest) <= room:
                return mark.join(parts[:place]), rest
    return None


def _fit(text: Text, whole: str, limit: int, context: Context) -> str:
    shown = limits.fit(whole, limit)
    if shown != whole:
        note(context, Fitted(text.where, "cut", limit, limits.length(whole), whole))
    return shown
