"""WhatsApp's limits, and how a text is measured and cut against them; nothing is refused here.

A text limit counts what `length` counts. Sources are pages of Meta's WhatsApp documentation, its
OpenAPI description (business-messaging-api v23.0), and client libraries where those are stricter.
"""

from typing import Final

import regex

# Interactive lists: messages/interactive-list-messages.
LIST_SECTIONS: Final = 10
LIST_ROWS: Final = 10  # same page: in total, over all sections
LIST_BUTTON: Final = 20  # same page and OpenAPI
SECTION_TITLE: Final = 24  # same page and OpenAPI; product lists too
ROW_ID: Final = 200  # same page and OpenAPI
ROW_TITLE: Final = 24  # same page and OpenAPI
ROW_DESCRIPTION: Final = 72  # same page and OpenAPI

# Reply buttons: messages/interactive-reply-buttons-messages and OpenAPI.
BUTTONS: Final = 3
BUTTON_ID: Final = 256  # leading and trailing spaces are refused as well
BUTTON_TITLE: Final = 20

# Every interactive message.
HEADER_TEXT: Final = 60  # the page of each kind and OpenAPI
FOOTER: Final = 60  # the page of each kind and OpenAPI
INTERACTIVE_BODY: Final = 1024  # OpenAPI BodyObject; the list page says 4096, 1024 suits both

# Texts and media.
TEXT_BODY: Final = 4096  # messages/text-messages
CAPTION: Final = 1024  # messages/image-messages

# Links and Flows.
CTA_DISPLAY_TEXT: Final = 20  # messages/interactive-cta-url-messages
FLOW_CTA: Final = (
    20  # Meta advises 30 (flows/guides/sendingaflow); pywa and whatsapp-api-js enforce 20
)

# Native products: OpenAPI ActionObject; catalogs/share-products.
PRODUCT_LIST_SECTIONS: Final = 10
PRODUCT_LIST_ITEMS: Final = 30  # same: in total, over all sections

# Templates: templates/components.
TEMPLATE_NAME: Final = 512
TEMPLATE_BODY: Final = 1024
TEMPLATE_FOOTER: Final = 60
TEMPLATE_BUTTON: Final = 25
TEMPLATE_BUTTONS: Final = 10  # of replies

# `biz_opaque_callback_data`: changelog of the WhatsApp Business Platform.
OPAQUE: Final = 512

_ELLIPSIS: Final = "…"
_GRAPHEME: Final = regex.compile(r"\X")
# Closing brackets stay, so that "Large (12)" keeps its pair; so do signs with a meaning ("50%").
_LOOSE_END: Final = regex.compile(r"(?V1)[[\s\p{P}]--[\p{Pe}\p{Pf}%‰#*@]]+")


def length(text: str) -> int:
    """Count a text as WhatsApp might: in UTF-16 code units.

    Meta does not say how it counts. UTF-16 units are never fewer than code points, so what fits
    here fits either way.
    """
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def fit(text: str, limit: int) -> str:
    """Cut a text to a limit without breaking anything a reader sees as one character; "…" ends it.

    The cut is at the end of a word where that loses no more than about a third, and never inside
    an emoji sequence, a flag or a letter with its marks. A text that fits is returned as it is.

    Args:
        text: any text.
        limit: the longest result, in the units of `length`; at least 1.
    """
    if limit < 1:
        raise ValueError("a limit is at least 1")
    if length(text) <= limit:
        return text
    graphemes = _leading_graphemes(text, limit - len(_ELLIPSIS))
    end = sum(map(len, graphemes))
    kept = _at_word_end(graphemes, following=text[end : end + 1])
    return "".join(_without_loose_end(kept) or graphemes) + _ELLIPSIS


def _leading_graphemes(text: str, room: int) -> list[str]:
    """Take the graphemes that fit of a text that does not fit as a whole."""
    # So much never fits: the last grapheme, which may be broken here, is dropped in any case.
    start = text[: room + 1]
    graphemes, used = _GRAPHEME.findall(start), length(start)
    while used > room:
        used -= length(graphemes.pop())
    return graphemes


def _at_word_end(graphemes: list[str], *, following: str) -> list[str]:
    if following.isspace():
        return graphemes
    spaces = [index for index, grapheme in enumerate(graphemes) if grapheme.isspace()]
    if spaces and spaces[-1] * 3 >= len(graphemes) * 2:
        return graphemes[: spaces[-1]]
    return graphemes


def _without_loose_end(graphemes: list[str]) -> list[str]:
    end = len(graphemes)
    while end and _LOOSE_END.fullmatch(graphemes[end - 1]):
        end -= 1
    return graphemes[:end]
