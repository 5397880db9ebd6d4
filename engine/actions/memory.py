"""Actions on what a conversation remembers."""

from typing import Any

from engine.domain.refusals import Reason, Refusal
from engine.registry import Registry
from engine.rendering.views import plain
from engine.turn import Turn

registry = Registry()


@registry.action("save")
async def save(turn: Turn, **values: Any) -> None:
    """Note values under names; texts and guards read them as variables from then on."""
    turn.variables.update({name: plain(value) for name, value in values.items()})


@registry.action("forget")
async def forget(turn: Turn, *, names: tuple[str, ...]) -> None:
    """Clear variables."""
    for name in names:
        turn.variables[name] = None


@registry.action("language.set")
async def set_language(turn: Turn, *, language: str) -> Refusal | None:
    """Go on in another of the tenant's languages."""
    if language not in turn.tenant.languages:
        return Refusal(Reason.UNKNOWN_LANGUAGE, {"product": language})
    turn.conversation.language = language
    return None
