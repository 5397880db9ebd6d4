"""What an edit changes for customers, as values: messages, ways, Flows and settings.

How they are found is in `contents`, how they are printed in `text`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.domain.ids import TenantId

Lines = tuple[str, ...]
Places = Mapping[TenantId, tuple[str, ...]]
"""By tenant, the states in which something is said or done, as their author calls them."""


@dataclass(frozen=True, slots=True)
class Example:
    """Something before and after, as a customer sees it; None where there is no such thing."""

    before: Lines | None
    after: Lines | None


@dataclass(frozen=True, slots=True)
class MessageChange:
    """A message that reads otherwise in one language.

    Args:
        message: its author's name for it, or of a word it is made of (`terms.days.monday`).
        examples: the ways in which it differs.
        is_written: no rehearsed customer was told it; it is shown as its author writes it.
    """

    message: str
    language: str
    examples: tuple[Example, ...]
    places: Places
    is_written: bool = False


WayKind = Literal["now", "no longer", "otherwise"]


@dataclass(frozen=True, slots=True)
class WayChange:
    """Something a customer can do now, or no longer, or that is answered otherwise.

    Args:
        acts: what he does, as transcripts say it; each leads there.
        answer: how he is answered.
        offered_in: the message whose button or row it is.
        trail: how a rehearsed customer came there.
    """

    kind: WayKind
    acts: tuple[str, ...]
    answer: Example
    places: Places
    offered_in: str = ""
    trail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScreenChange:
    """A screen of a Flow that looks otherwise, or leads elsewhere."""

    flow: str
    language: str
    screen: str
    look: Example
    tenants: tuple[TenantId, ...]


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting of a tenant, by its path in tenant.yaml; None where it is not set."""

    tenant: TenantId
    setting: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two contents.

    Args:
        compared: the tenants that both have.
        added, removed: with what they answer, or answered, to the first message.
        notes: what a reader should know of how this was found.
    """

    compared: tuple[TenantId, ...] = ()
    added: Mapping[TenantId, Lines] = field(default_factory=dict)
    removed: Mapping[TenantId, Lines] = field(default_factory=dict)
    messages: tuple[MessageChange, ...] = ()
    ways: tuple[WayChange, ...] = ()
    screens: tuple[ScreenChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether customers notice nothing."""
        found = (
            self.added, self.removed, self.messages, self.ways, self.screens, self.settings,
        )  # fmt: skip
        return not any(found)


def together(places: Places, more: Places) -> dict[TenantId, tuple[str, ...]]:
    """Give the places of two."""
    found = dict(places)
    for tenant, names in more.items():
        found[tenant] = tuple(dict.fromkeys((*found.get(tenant, ()), *names)))
    return found


def with_places(change: MessageChange, places: Places) -> MessageChange:
    """Give a change that touches more places."""
    return replace(change, places=together(change.places, places))
