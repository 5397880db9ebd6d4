"""The whole check of a tenant."""

import shutil
from pathlib import Path

import pytest

from engine.authoring.check import Shared, check_tenant
from engine.domain.ids import TenantId
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems
from tests.unit.actions.shop import LIBRARY, wait
from tests.unit.rehearsal.edited import CHART, EN, TENANT, edited


def told(library: Library, *, is_verbose: bool = False) -> list[Problem]:
    problems = Problems()
    wait(check_tenant(library, TENANT, problems, is_verbose=is_verbose))
    return problems.sorted()


def test_the_shipped_tenants_have_no_errors():
    for tenant in LIBRARY.tenant_ids():
        problems = Problems()
        bundle = wait(check_tenant(LIBRARY, tenant, problems))
        assert bundle.tenant_id == tenant
        assert [str(problem) for problem in problems.errors] == []


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
    problems = Problems()
    assert wait(check_tenant(LIBRARY, TenantId("nobody"), problems)) is None
    assert [p.code for p in problems.sorted()] == ["missing-file"]


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
    shared, own = Shared(), Problems()
    wait(check_tenant(library, TENANT, Problems(), shared=shared))
    wait(check_tenant(library, TenantId("shop"), own, shared=shared))
    return own.sorted(), len(shared.walks)


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
