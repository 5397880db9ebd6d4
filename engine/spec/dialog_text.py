"""A dialog -> the YAML an author would have written; reading it again gives the same dialog.

Recorded chats and conversations of customers become dialogs with it. Nothing else is written so:
all other YAML is people's own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from engine.spec.dialog import Dialog, Step

_PLAIN = re.compile(
    r"[^\W\d_]"
    r"(?:[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff:#]|:(?=\S)|(?<=\S)#)*"
    r"|[1-9][0-9]{0,3}[smhd]"
)
"""A text that YAML reads as it stands after `key: `: no `: ` and no ` #`."""
_WORDS = re.compile(r"[^\W\d_][\w ]*")
"""A text that needs no quotes between braces, too."""
_READ_OTHERWISE = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))
"""Words that some YAML reader takes for no text."""
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON leaves and YAML breaks lines at, or refuses."""
_MOST_DECIMALS = 17


def dialog_text(dialog: Dialog, *, schema: str = "") -> str:
    """Write a dialog.

    Args:
        schema: where an editor finds the schema, from the file's folder.
    """
    return "\n".join([*_lines(dialog, schema), ""])


def _lines(dialog: Dialog, schema: str) -> Iterator[str]:
    if schema:
        yield f"# yaml-language-server: $schema={schema}"
    yield f"about: {_scalar(dialog.about)}"
    default = type(dialog).model_fields
    for key in ("customer", "at", "flows"):
        value = getattr(dialog, key)
        if value != default[key].default:
            yield f"{key}: {_scalar(value)}"
    yield "steps:"
    for step in dialog.steps:
        yield from _step(step)


def _step(step: Step) -> Iterator[str]:
    name = step.kind
    value = step.model_dump(exclude_unset=True)[name]
    if name == "flow" and value:
        yield f"  - {name}:"
        for screen in value:
            yield f"      - {_inline(screen) if isinstance(screen, dict) else _scalar(screen)}"
        return
    yield f"  - {name}: {_inline(value) if _is_nested(value) else _scalar(value)}"


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, Sequence) and not isinstance(value, str)
    )


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = (f"{_scalar(str(key), _WORDS)}: {_inline(part)}" for key, part in value.items())
        return f"{{{', '.join(parts)}}}"
    if _is_nested(value):
        return f"[{', '.join(_inline(part) for part in value)}]"
    return _scalar(value, _WORDS)


def _scalar(value: Any, plain: re.Pattern[str] = _PLAIN) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (float, Decimal)):
        return _number(value)
    text = str(value)
    is_plain = plain.fullmatch(text) and text == text.strip()
    return text if is_plain and text.casefold() not in _READ_OTHERWISE else _quoted(text)


def _number(value: float | Decimal) -> str:
    """Write a number without an exponent, which our YAML does not read."""
    exact = Decimal(str(value))
    whole = f"{exact:f}"
    if len(whole.partition(".")[2]) > _MOST_DECIMALS:
        whole = f"{exact:.{_MOST_DECIMALS}f}"
    return whole


def _quoted(text: str) -> str:
    """Write a text in double quotes: JSON, but for what YAML reads otherwise than JSON."""
    clean = text.encode(errors="replace").decode()  # half a character cannot be in a file
    made = orjson.dumps(clean).decode()
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", made)
