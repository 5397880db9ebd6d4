"""The whole check of a tenant."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.authoring.check import Checked, Shared, check_tenant
from engine.domain.ids import TenantId
from engine.spec.library import Library
from engine.spec.problems import Problem
from tests.unit.actions.shop import LIBRARY, wait
from tests.unit.rehearsal.edited import CHART, EN, TENANT, edited


def told(library: Library, *, is_verbose: bool = False) -> list[Problem]:
    checked: Checked = wait(check_tenant(library, TENANT, is_verbose=is_verbose))
    return checked.problems.sorted()


def test_the_shipped_tenants_have_no_errors():
    for tenant in LIBRARY.tenant_ids():
        checked = wait(check_tenant(LIBRARY, tenant))
        assert checked.bundle.tenant_id == tenant
        assert [str(problem) for problem in checked.problems.errors] == []


def test_what_a_customer_would_run_into_comes_with_the_conversation(tmp_path):
    library = edited(tmp_path, (EN, "{{ removed }}* is out", "{{ removed.name.first }}* is out"))
    (problem,) = (p for p in told(library) if p.severity == "error")
    assert problem.code == "turn-fails"
    assert problem.transcript


def test_nobody_walks_through_files_that_are_wrong(tmp_path):
    library = edited(
        tmp_path,
        (EN, "{{ removed }}* is out", "{{ removed.name.first }}* is out"),
        (CHART, "say: cart_cleared", "say: cart_cleare"),
    )
    assert {p.code for p in told(library) if p.severity == "error"} == {"unknown-message"}


def test_a_tenant_without_a_menu_is_walked_through_with_one_made_up(tmp_path):
    library = edited(tmp_path, (EN, "{{ removed }}* is out", "{{ removed.name.first }}* is out"))
    (tmp_path / "tenants/la-tavola/catalog.yaml").unlink()
    assert "turn-fails" in {p.code for p in told(library)}


def test_who_asks_is_told_of_overflow_rules():
    codes = {p.code for p in told(LIBRARY, is_verbose=True)}
    assert "overflow" in codes
    assert "overflow" not in {p.code for p in told(LIBRARY)}


def test_an_unknown_tenant_has_no_bundle(tmp_path):
    checked = wait(check_tenant(LIBRARY, TenantId("nobody")))
    assert checked.bundle is None
    assert [p.code for p in checked.problems.sorted()] == ["missing-file"]


def beside(folder: Path, overlay: str = "", **settings: str) -> Library:
    """Make a second tenant that has the first one's menu, and texts and settings of its own."""
    library = edited(folder)
    shop = folder / "tenants/shop"
    shop.mkdir()
    shutil.copy(folder / "tenants/la-tavola/catalog.yaml", shop)
    text = (folder / "tenants/la-tavola/tenant.yaml").read_text()
    for name, value in {"name": "Shop", **settings}.items():
        line = next(line for line in text.splitlines() if line.startswith(f"{name}: "))
        text = text.replace(line, f"{name}: {value}")
    (shop / "tenant.yaml").write_text(text)
    (shop / "messages").mkdir()
    (shop / "messages/storefront.en.yaml").write_text(f"messages:\n{overlay}")
    return library


def of_both(library: Library) -> tuple[list[Problem], int]:
    """Check both tenants; give what is told of the second, and how many were walked through."""
    shared = Shared()
    wait(check_tenant(library, TENANT, shared=shared))
    checked = wait(check_tenant(library, TenantId("shop"), shared=shared))
    return checked.problems.sorted(), len(shared.walks)


SEE = '  main_menu: {buttons: {browse_catalog: "What {{ tenant.name }} has on its menu today"}}\n'


def test_of_a_tenant_that_differs_in_texts_only_these_are_tried(tmp_path):
    told, walks = of_both(beside(tmp_path, SEE))
    assert walks == 1
    cut = next(problem for problem in told if problem.code == "cut-text")
    assert cut.span.file == "tenants/shop/messages/storefront.en.yaml"
    assert [problem for problem in told if problem.severity == "error"] == []


def test_what_fails_in_such_a_text_has_a_conversation_of_its_own(tmp_path):
    told, walks = of_both(beside(tmp_path, '  removed: "{{ removed.name.first }}"\n'))
    assert walks == 2
    (problem,) = (problem for problem in told if problem.severity == "error")
    assert problem.span.file == "tenants/shop/messages/storefront.en.yaml"
    assert problem.code == "turn-fails"
    assert problem.transcript


@pytest.mark.parametrize(
    ("overlay", "settings"),
    [
        ("  help: {buttons: {human: {if: cart.count > 5, title: Person}}}\n", {}),
        ("  help: Ask us.\nintents: {help: [sos]}\n", {}),
        ("  help: Ask us.\n", {"country": "CA"}),
    ],
    ids=["other buttons", "other phrases", "other settings"],
)
def test_a_tenant_that_differs_in_more_is_walked_through(overlay, settings, tmp_path):
    assert of_both(beside(tmp_path, overlay, **settings))[1] == 2


# Files that are saved between two checks --------------------------------------------------------

HELP = '  help: "Ask us: {{ tenant.phone }}"\n'


def after(library: Library, edit: Callable[[], None]) -> tuple[list[Problem], int]:
    """Check the second tenant, and again after an edit; give what is told and walked then."""
    shared = Shared()
    wait(check_tenant(library, TenantId("shop"), shared=shared))
    edit()
    later = shared.next_check()
    known = len(later.walks)
    assert later.told == set()
    checked = wait(check_tenant(library.over(library.root), TenantId("shop"), shared=later))
    return checked.problems.sorted(), len(later.walks) - known


def test_after_an_edit_of_a_text_only_texts_are_tried(tmp_path):
    library = beside(tmp_path, HELP)
    texts = tmp_path / "tenants/shop/messages/storefront.en.yaml"
    told, walks = after(library, lambda: replaced(texts, "messages:", f"messages:\n{SEE}"))
    assert walks == 0
    assert {p.code for p in told} == {"cut-text"}
    assert {p.span.file for p in told} == {"tenants/shop/messages/storefront.en.yaml"}


def replaced(file: Path, old: str, new: str) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [("misses >= 3", "misses >= 4"), ("start: menu", "# lower\nstart: menu")],
    ids=["another dialog", "the same, elsewhere"],
)
def test_after_an_edit_of_a_dialog_it_is_walked_through(tmp_path, old, new):
    library = beside(tmp_path, HELP)
    assert after(library, lambda: replaced(tmp_path / CHART, old, new)) == ([], 1)


def test_a_walk_that_found_something_is_not_kept(tmp_path):
    library = beside(tmp_path, SEE)
    texts = tmp_path / "tenants/shop/messages/storefront.en.yaml"
    told, walks = after(library, lambda: replaced(texts, "messages:", f"messages:\n{HELP}"))
    assert walks == 1
    assert {p.code for p in told} == {"cut-text"}
