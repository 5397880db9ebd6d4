"""The whole check of a tenant: what its files say, and what customers would run into with them.

`comanda check` and `comanda publish` ask here. Nothing is printed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.authoring.alike import Walked, alike
from engine.charts.compiler import Structures
from engine.domain.catalog import Product
from engine.domain.ids import TenantId
from engine.flows.exchange import Screens
from engine.flows.rehearsal import compile_flows, misfits
from engine.rehearsal.fit import fit, note_fit
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.shelves import sample_menu
from engine.rehearsal.unseen import Seen
from engine.rehearsal.walk import walk
from engine.spec.bundle import Bundle
from engine.spec.content import TENANTS
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems

_KEPT = 8
"""Walks that are kept, for tenants that are alike."""


@dataclass(slots=True, repr=False)
class Shared:
    """What is compiled once for all tenants, and what the checks of all of them came to.

    Args:
        walks: of the last tenants, for others that are alike.
        told: what is wrong with the tenants before: it is told once, with one conversation.
    """

    structures: Structures = field(default_factory=Structures)
    screens: Screens = field(default_factory=Screens)
    walks: list[Walked] = field(default_factory=list)
    told: set[Problem] = field(default_factory=set)

    def next_check(self) -> "Shared":
        """Give what holds for a check of other files: of walks those that found nothing."""
        return Shared(walks=[replace(known, is_before=True) for known in self.walks
                             if not known.has_findings])  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Checked:
    """What a check of a tenant has found.

    Args:
        bundle: None if it cannot be made.
        problems: what is wrong with it.
        seen: what made-up customers came to in it.
        stands_alone: the same is found whatever tenants were checked before.
    """

    bundle: Bundle | None
    problems: Problems
    seen: Seen
    stands_alone: bool


async def check_tenant(
    library: Library,
    tenant: TenantId,
    *,
    shared: Shared | None = None,
    is_verbose: bool = False,
) -> Checked:
    """Check everything of a tenant.

    Where its files are wrong, nobody walks through its dialogs: what he would find is known. Of a
    tenant that differs in messages alone from one that was checked before, only these are tried.

    Args:
        shared: of the tenants that were checked before.
        is_verbose: tell also what an overflow rule takes care of.
    """
    own, seen = Problems(), Seen()
    held = shared or Shared()
    stands_alone = True
    bundle = library.check(tenant, own)
    library.check_dialogs(tenant, own)
    has_menu = library.documents.content.has(TENANTS / tenant / "catalog.yaml")
    menu, products = library.stock(tenant, own) if has_menu else (None, {})
    if bundle and not own.errors:
        catalog = MenuCatalog.of(menu) if menu else sample_menu()
        known = next((one for one in held.walks if alike(one, bundle, catalog)), None)
        if known and await _differs(known, bundle, products, own, is_verbose=is_verbose):
            seen.add(known.walk, bundle)
            # What was found in that walk was told of the other tenant.
            stands_alone = not known.has_findings
        else:
            seen = await _walk(bundle, catalog, products, own, held, is_verbose=is_verbose)
            stands_alone = own.found.isdisjoint(held.told)
    held.told |= own.found
    return Checked(bundle, own, seen, stands_alone)


async def _walk(
    bundle: Bundle,
    catalog: MenuCatalog,
    products: Mapping[str, Product],
    own: Problems,
    shared: Shared,
    *,
    is_verbose: bool,
) -> Seen:
    seen = Seen()
    compiled = await compile_flows(bundle, own, shared.screens)
    if not own.errors:
        await misfits(bundle, compiled, products, own, shared.screens)
    if own.errors:
        return seen
    walked = await walk(
        bundle,
        catalog,
        structures=shared.structures,
        screens=shared.screens,
        told=shared.told,
    )
    for finding in walked.findings.values():
        finding.note(own)
    note_fit(await fit(walked, catalog), own, is_verbose=is_verbose)
    seen.add(walked)
    seen.note(own, is_shared=False)
    made = Walked(walked, catalog, compiled, has_findings=bool(own.found))
    shared.walks = [made, *shared.walks[: _KEPT - 1]]
    return seen


async def _differs(
    known: Walked,
    bundle: Bundle,
    products: Mapping[str, Product],
    own: Problems,
    *,
    is_verbose: bool,
) -> bool:
    """Try what is different from another tenant's; False if that has to be walked through."""
    found = await fit(known.walk, known.catalog, like=bundle)
    if found.findings:
        return False
    note_fit(found, own, is_verbose=is_verbose)
    await misfits(bundle, known.compiled, products, own, is_known=True)
    return True
