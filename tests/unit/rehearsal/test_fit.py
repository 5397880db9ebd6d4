"""Fit: what is too long or too much for WhatsApp is told, in the language in which it is."""

from dataclasses import replace

import pytest

from engine.domain.ids import TenantId
from engine.rehearsal.fit import Fit, fit, heard, note_fit
from engine.spec.library import Library
from engine.spec.problems import Problem, Problems
from tests.unit.actions.shop import LIBRARY, wait
from tests.unit.rehearsal.edited import EN, FORM, MENU, TENANT, edited, line_of, menu_of, walked

ES = "conversations/messages/storefront.es.yaml"


def fitted(
    library: Library, tenant: TenantId = TENANT, *, is_verbose: bool = False
) -> list[Problem]:
    catalog = menu_of(library, tenant)
    found: Fit = wait(fit(walked(library, tenant), catalog))
    problems = Problems()
    note_fit(found, problems, is_verbose=is_verbose)
    return problems.sorted()


@pytest.mark.parametrize("tenant", ["la-tavola", "dona-lucha"])
def test_the_shipped_messages_fit(tenant):
    assert [str(p) for p in fitted(LIBRARY, TenantId(tenant)) if p.severity == "error"] == []


def test_overflow_rules_are_told_to_those_who_ask():
    told = fitted(LIBRARY, is_verbose=True)
    sentences = " ".join(p.sentence for p in told if p.code == "overflow")
    assert "rows are shown on pages of 10" in sentences
    assert len(fitted(LIBRARY)) < len(told)


def test_a_button_that_the_menu_makes_too_long_is_told_as_it_would_be_shown(tmp_path):
    edit = (
        EN,
        "add_to_cart: {title: Add to cart}",
        'add_to_cart: {title: "Add {{ product.name }} to my cart"}',
    )
    library = edited(tmp_path, edit)
    (problem,) = (p for p in fitted(library) if p.code == "cut-text")
    assert problem.severity == "warning"
    assert problem.span.line == line_of(tmp_path, EN, "Add {{ product.name }} to my cart")
    assert "is cut to 20" in problem.sentence
    assert problem.hint.endswith("…'")
    assert problem.transcript


def test_rows_that_no_page_shows_are_told(tmp_path):
    edit = (FORM, '      more: {id: "{{ category.id }}"}\n', "")
    more = (EN, "      more: {title: More products}\n", "")
    mas = (ES, "      more: {title: Más productos}\n", "")
    library = edited(tmp_path, edit, more, mas, (MENU, *_more_pizza()))
    told = [p for p in fitted(library) if p.code == "left-out"]
    assert {p.span.file for p in told} == {EN, ES}


def _more_pizza() -> tuple[str, str]:
    made = "".join(
        f"  prod:extra-{n}: {{name: Extra pizza {n}, category: cat:pizza, price: 9.00}}\n"
        for n in range(12)
    )
    return "products:\n", f"products:\n{made}"


def test_what_fails_in_another_language_only_is_shown_in_that_language(tmp_path):
    edit = (
        ES,
        "{{ added.quantity }}× {{ added.name }}",
        "{{ added.quantities }}× {{ added.name }}",
    )
    library = edited(tmp_path, edit)
    errors = [p for p in fitted(library) if p.severity == "error"]
    assert [p.code for p in errors] == ["turn-fails"]
    assert errors[0].span.file == ES
    assert errors[0].span.line == line_of(tmp_path, ES, "added.quantities")
    assert errors[0].transcript[-1].startswith("bot: Perdón, algo falló")


WELCOME = "*{{ tenant.name }}*! 👋{% else %}"


def test_what_fails_only_where_it_is_not_longest_is_found_in_every_language(tmp_path):
    """The welcome is said to new customers alone, and is not the longest main menu."""
    edit = (ES, WELCOME, WELCOME.replace("tenant.name", "tenant.nmae"))
    library = edited(tmp_path, edit)
    errors = [p for p in fitted(library) if p.severity == "error"]
    assert [(p.code, p.span.file) for p in errors] == [("turn-fails", ES)]
    assert errors[0].span.line == line_of(tmp_path, ES, "tenant.nmae")
    assert errors[0].transcript


@pytest.mark.parametrize("file", [EN, ES])
def test_what_fails_only_where_it_is_not_longest_is_found_by_anothers_walk(tmp_path, file):
    edit = (file, WELCOME, WELCOME.replace("tenant.name", "tenant.nmae"))
    other = edited(tmp_path, edit).load(TENANT)
    known = walked(LIBRARY)
    found: Fit = wait(fit(known, menu_of(LIBRARY), like=other))
    assert {one.code for one in found.findings.values()} == {"turn-fails"}


def test_of_a_tenant_that_is_like_another_only_what_differs_is_tried():
    known = walked(LIBRARY)
    words = known.bundle.vocabulary("en")
    messages = {**words.messages, "added": replace(words.messages["added"], footer=None)}
    vocabularies = {**known.bundle.vocabularies, "en": replace(words, messages=messages)}
    other = replace(known.bundle, vocabularies=vocabularies)
    assert {hearing.message.id for hearing in heard(known, other)} == {"added"}
    assert {hearing.message.id for hearing in heard(known, known.bundle)} == known.messages
