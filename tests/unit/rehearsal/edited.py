"""The shipped content with an edit, walked through by made-up customers."""

import shutil
from pathlib import Path

from engine.domain.ids import TenantId
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.walk import Walk, walk
from engine.spec.library import Library
from engine.spec.problems import Problems
from tests.unit.actions.shop import LIBRARY, ROOT, wait

EN = "conversations/messages/storefront.en.yaml"
FORM = "conversations/messages/storefront.yaml"
CHART = "conversations/storefront.yaml"
MENU = "tenants/la-tavola/catalog.yaml"
TENANT = TenantId("la-tavola")


def edited(folder: Path, *edits: tuple[str, str, str]) -> Library:
    """Copy the content of one tenant to a folder, with some texts replaced once."""
    for name in ("conversations", "flows", "tenants/la-tavola"):
        shutil.copytree(ROOT / name, folder / name)
    for name, before, after in edits:
        text = (folder / name).read_text()
        assert text.count(before) >= 1, before
        (folder / name).write_text(text.replace(before, after, 1))
    return LIBRARY.over(folder)


def line_of(folder: Path, name: str, text: str) -> int:
    """Tell in which line of a file a text is first."""
    before, found, _ = (folder / name).read_text().partition(text)
    assert found, text
    return before.count("\n") + 1


def menu_of(library: Library, tenant: TenantId = TENANT) -> MenuCatalog:
    menu = library.menu(tenant, Problems())
    assert menu is not None
    return MenuCatalog.of(menu)


def walked(library: Library, tenant: TenantId = TENANT, *, most: int = 3000) -> Walk:
    made: Walk = wait(walk(library.load(tenant), menu_of(library, tenant), most=most))
    return made
