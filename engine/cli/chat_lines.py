"""What is typed in `comanda chat` -> a step of a dialog; nothing is done here."""

from collections.abc import Callable, Mapping
from typing import Final, get_args

from pydantic import ValidationError

from engine.dialogs import Stage
from engine.errors import EngineError
from engine.sandbox.choices import Choice
from engine.spec.dialog import Sent, Step

HELP: Final = (
    "A number taps, anything else is typed; =2 types a 2; /tap TITLE and /old TITLE tap in any "
    "message; /place 40.7 -74.0 Home shares a place; /send voice; /wait 30m; /quit."
)
_DECIMALS = 7
"""Of a degree: a centimetre."""


class NotUnderstood(EngineError):
    """What was typed is nothing that can be done."""


def step_of(line: str, offered: list[Choice], stage: Stage) -> Step:
    """Read a line.

    Args:
        offered: what the numbers mean.

    Raises:
        NotUnderstood: it is a command that there is not, or that lacks something.
    """
    if line.isdecimal() and 1 <= int(line) <= len(offered):
        return Step(tap=_called(offered[int(line) - 1], stage))
    if not line.startswith("/"):
        return Step(say=line.removeprefix("="))
    name, _, rest = line.removeprefix("/").partition(" ")
    if name not in _COMMANDS:
        raise NotUnderstood(f"there is no /{name}; ={line} types it. {HELP}")
    try:
        return _COMMANDS[name](rest.strip())
    except (ValueError, ValidationError) as error:
        raise NotUnderstood(_WANTED[name]) from error


def _called(choice: Choice, stage: Stage) -> str:
    """Name a choice by its title, unless that would tap another."""
    return choice.title if stage.offered(choice.title) == choice else choice.id


def _place(words: str) -> Step:
    latitude, longitude, *name = words.split()
    place = {
        "latitude": round(float(latitude), _DECIMALS),
        "longitude": round(float(longitude), _DECIMALS),
    }
    named = {"name": " ".join(name)} if name else {}
    return Step.model_validate({"location": place | named})


def _word(key: str) -> Callable[[str], Step]:
    def read(words: str) -> Step:
        return Step.model_validate({key: words or None})

    return read


_COMMANDS: Mapping[str, Callable[[str], Step]] = {
    "place": _place,
    "send": _word("send"),
    "wait": _word("wait"),
    "tap": _word("tap"),
    "old": _word("tap_old"),
}
_WANTED: Mapping[str, str] = {
    "place": "/place takes a latitude and a longitude, such as /place 40.72 -73.99",
    "send": f"/send takes one of {', '.join(get_args(Sent))}",
    "wait": "/wait takes a time such as 30m, 24h or 2d",
    "tap": "/tap takes the title of a row or button, or its id",
    "old": "/old takes the title of a row or button, or its id",
}
