"""The one merge rule: an overlay's mapping is laid over the base's, key by key.

`null` deletes, `replace: true` in a mapping stops the merge there, everything else (a text, a
number, a list of branches) is one value; so is a `do` that names another action. What an overlay
does not touch stays the very object of the base, so that tenants share it.
"""

from typing import Any

from engine.spec.problems import Problems
from engine.spec.source import Path, Source


def merge(base: Any, overlay: Any) -> Any:
    """Lay an overlay over a base; neither is changed."""
    if not isinstance(base, dict) or not isinstance(overlay, dict):
        return _bare(overlay)
    if overlay.get("replace") is True:
        return _bare(overlay)
    merged = dict(base)
    for key, value in overlay.items():
        if _is_word(key, value):
            merged.pop(key, None)
        elif key not in base or (key == "do" and _other_action(base[key], value)):
            merged[key] = _bare(value)
        else:
            merged[key] = merge(base[key], value)
    return merged


def _other_action(base: Any, overlay: Any) -> bool:
    both = isinstance(base, dict) and isinstance(overlay, dict)
    return both and base.keys() != overlay.keys()


def _bare(value: Any) -> Any:
    """Drop the merge's own words from a value that is taken as it is."""
    if isinstance(value, dict):
        return {k: _bare(v) for k, v in value.items() if not _is_word(k, v)}
    return value


def _is_word(key: str, value: Any) -> bool:
    """Tell whether an entry is for the merge; a message may well be called `replace`."""
    return value is None or (key == "replace" and isinstance(value, bool))


def note_nothing(source: Source, problems: Problems) -> None:
    """Note what is nothing in a document that is laid over none: there is nothing to delete."""

    def walk(data: Any, path: Path) -> None:
        for key, value in data.items() if isinstance(data, dict) else ():
            if value is None:
                sentence = f"'{key}' is nothing, and there is nothing to delete"
                problems.add(source.keys[*path, key], "wrong-type", sentence, "write {} for empty")
            walk(value, (*path, key))

    walk(source.data, ())


def note_unmatched(base: Any, overlay: Source, problems: Problems) -> None:
    """Warn of deletions that delete nothing: the shared document moved under the overlay."""

    def walk(below: Any, data: Any, path: Path) -> None:
        if not isinstance(data, dict) or data.get("replace") is True:
            return
        for key, value in data.items():
            here = (*path, key)
            held = below.get(key) if isinstance(below, dict) else None
            if value is None and held is None:
                span = overlay.keys[here]
                problems.warn(span, "overrides-nothing", f"there is no '{key}' here to delete")
            elif isinstance(held, dict):
                walk(held, value, here)

    walk(base, overlay.data, ())
