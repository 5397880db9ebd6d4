"""Two contents -> what the difference between them means to customers.

Both are rehearsed, with the same made-up customer and, unless told otherwise, the new catalogue.
How the difference is printed is in `text`, where the contents come from in the command.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.authoring.diff.changes import (
    Diff,
    Lines,
    ScreenChange,
    SettingChange,
    WayChange,
    with_places,
)
from engine.authoring.diff.flows import Screens, screen_changes
from engine.authoring.diff.messages import Found, message_changes, word_changes
from engine.authoring.diff.ways import Ways, joined, way_changes
from engine.charts.compiler import Structures
from engine.domain.ids import TenantId
from engine.domain.menu import Menu
from engine.domain.tenant import Tenant
from engine.rehearsal.acts import says
from engine.rehearsal.compare.comparison import compare
from engine.rehearsal.compare.side import Version
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import NOON, Rehearsal
from engine.spec.bundle import Bundle
from engine.spec.content import TENANTS
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems


@dataclass(frozen=True, slots=True)
class Loaded:
    """A tenant as one of the contents has it; `menu` is None if it has no catalog.yaml."""

    bundle: Bundle
    menu: Menu | None

    def version(self, menu: Menu | None) -> Version:
        """Make what is rehearsed of it, with a menu."""
        return Version(self.bundle, MenuCatalog.of(menu) if menu else MenuCatalog((), {}))


@dataclass(slots=True)
class _Gathered:
    """What was found so far, by what makes two changes the same one, and what all need."""

    messages: Found = field(default_factory=dict)
    ways: Ways = field(default_factory=dict)
    screens: Screens = field(default_factory=dict)
    settings: list[SettingChange] = field(default_factory=list)
    structures: Structures = field(default_factory=Structures)

    def add_messages(self, found: Found) -> None:
        """Add messages; the same change in several tenants is one."""
        for key, change in found.items():
            held = self.messages.get(key)
            if held is None:
                self.messages[key] = change
            elif held.is_written:  # what a customer was told says more than what is written
                self.messages[key] = with_places(change, held.places)
            else:
                self.messages[key] = with_places(held, change.places)

    def add_ways(self, found: Ways) -> None:
        """Add ways; the same change in several tenants is one."""
        for key, change in found.items():
            held = self.ways.get(key)
            self.ways[key] = joined(held, change) if held else change

    def add_screens(self, found: Screens) -> None:
        """Add screens; the same change in several tenants is one."""
        for key, change in found.items():
            held = self.screens.get(key)
            tenants = (*(held.tenants if held else ()), *change.tenants)
            self.screens[key] = ScreenChange(
                change.flow, change.language, change.screen, change.look, tenants
            )


def loaded(library: Library, tenant: TenantId, problems: Problems) -> Loaded | None:
    """Load a tenant, noting what is wrong; None if it cannot be rehearsed, or is not there."""
    if tenant not in library.tenant_ids():
        return None
    own = Problems()
    bundle = library.check(tenant, own)
    has_menu = library.documents.content.has(TENANTS / tenant / "catalog.yaml")
    menu = library.menu(tenant, own) if has_menu else None
    if bundle is None or own.errors:
        problems.found |= set(own.errors)
        return None
    return Loaded(bundle, menu)


async def diff(
    before: Library,
    after: Library,
    tenants: Iterable[TenantId],
    *,
    has_own_catalog: bool = False,
) -> tuple[Diff, Mapping[str, list[Problem]]]:
    """Tell what differs between two contents.

    Args:
        tenants: those that are compared.
        has_own_catalog: each side is played with its own catalogue.

    Returns:
        What differs, and by side ("before" or "after") what is wrong with it; a tenant with an
        error on either side is not compared.
    """
    problems = {"before": Problems(), "after": Problems()}
    gathered = _Gathered()
    compared: list[TenantId] = []
    added: dict[TenantId, Lines] = {}
    removed: dict[TenantId, Lines] = {}
    repriced: list[TenantId] = []
    for tenant in tenants:
        old = loaded(before, tenant, problems["before"])
        new = loaded(after, tenant, problems["after"])
        if old and new:
            compared.append(tenant)
            if old.menu != new.menu:
                repriced.append(tenant)
            await _gather(gathered, tenant, old, new, has_own_catalog=has_own_catalog)
        elif new and tenant not in before.tenant_ids():
            added[tenant] = await _greeting(new)
        elif old and tenant not in after.tenant_ids():
            removed[tenant] = await _greeting(old)
    made = Diff(
        tuple(compared),
        added,
        removed,
        tuple(sorted(gathered.messages.values(), key=lambda change: change.is_written)),
        tuple(sorted(gathered.ways.values(), key=_width)),
        tuple(gathered.screens.values()),
        tuple(gathered.settings),
        tuple(_notes(repriced, has_own_catalog=has_own_catalog)),
    )
    return made, {side: found.errors for side, found in problems.items() if found.errors}


async def _gather(
    gathered: _Gathered, tenant: TenantId, old: Loaded, new: Loaded, *, has_own_catalog: bool
) -> None:
    has_same_menu = old.menu == new.menu or not has_own_catalog
    if old.bundle.digest == new.bundle.digest and has_same_menu:
        return
    after = new.version(new.menu)
    before = Version(old.bundle, after.catalog) if has_same_menu else old.version(old.menu)
    compared = await compare(before, after, structures=gathered.structures)
    messages = message_changes(tenant, before, after, compared)
    ways = way_changes(tenant, before, after, compared)
    screens = await screen_changes(tenant, old.bundle, new.bundle)
    gathered.add_messages(messages)
    gathered.add_ways(ways)
    gathered.add_screens(screens)
    shown = "\n".join(_shown(messages, ways, screens))
    gathered.add_messages(word_changes(tenant, old.bundle, new.bundle, shown))
    gathered.settings += _settings(tenant, old.bundle.tenant, new.bundle.tenant)


def _width(change: WayChange) -> int:
    """Sort what is done in many states before what is done in few."""
    return -sum(len(names) for names in change.places.values())


def _shown(messages: Found, ways: Ways, screens: Screens) -> Iterator[str]:
    """Give every line that is shown of how it was before and is now."""
    examples = [example for change in messages.values() for example in change.examples]
    examples += [change.answer for change in ways.values()]
    examples += [change.look for change in screens.values()]
    for example in examples:
        yield from example.before or ()
        yield from example.after or ()


async def _greeting(held: Loaded) -> Lines:
    """Tell what a tenant answers to the first message."""
    version = held.version(held.menu)
    rehearsal = Rehearsal(version.bundle, version.catalog)
    scene = await rehearsal.play(Moment(NOON), says("Hi!"))
    return tuple(scene.transcript())


def _settings(tenant: TenantId, before: Tenant, after: Tenant) -> Iterator[SettingChange]:
    old = dict(_leaves(before.model_dump(mode="json")))
    new = dict(_leaves(after.model_dump(mode="json")))
    for name in dict.fromkeys((*new, *old)):
        if old.get(name) != new.get(name):
            yield SettingChange(tenant, name, old.get(name), new.get(name))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        yield name, ", ".join(map(str, value)) or "(none)"
    elif value not in (None, ""):
        yield name, str(value)


def _notes(repriced: list[TenantId], *, has_own_catalog: bool) -> Iterator[str]:
    names = ", ".join(repriced)
    if repriced and has_own_catalog:
        yield f"catalog.yaml differs in {names}; each side was played with its own."
    elif repriced:
        yield (
            f"catalog.yaml differs in {names}; both sides were played with the new one, so that "
            "only the dialog's changes show (--with-catalog plays each with its own)."
        )
