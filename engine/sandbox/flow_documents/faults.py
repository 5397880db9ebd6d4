"""What is wrong with a Flow JSON: Meta's name for it, a sentence, and where; no rule is here."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
Version = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Args:
        error: Meta's name for it.
        message: what is wrong, in a sentence.
        path: the property it is wrong with.
        at_key: it is the property's name that is wrong, not its value.
    """

    error: str
    message: str
    path: Path
    at_key: bool = False


def dotted(path: Path) -> str:
    """Write a path as `validation_errors[].pointers[].path` does: `screens[0].layout`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def rooted(path: Path) -> str:
    """Write a path as Meta's sentences do: `$root/screens/0/layout`."""
    return "/".join(["$root", *map(str, path)])


def type_name(value: object) -> str:
    """Name the JSON type of a value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    names = {str: "string", list: "array", dict: "object", type(None): "null"}
    return names[type(value)]


def wrong_type(path: Path, expected: str, value: object) -> Fault:
    """Say that a value has another type than it should."""
    message = (
        f"Expected property '{rooted(path)}' to be of type {expected}, "
        f"but found {type_name(value)}."
    )
    return Fault("INVALID_PROPERTY_TYPE", message, path)


def wrong_value(path: Path, message: str = "") -> Fault:
    """Say that a property has a value it cannot have."""
    usual = f"Invalid value found for property '{path[-1]}' at '{rooted(path)}'."
    return Fault("INVALID_PROPERTY_VALUE", message or usual, path)


def listed(names: list[str]) -> str:
    """Write names as Meta's sentences do."""
    return f"[{', '.join(names)}]"
