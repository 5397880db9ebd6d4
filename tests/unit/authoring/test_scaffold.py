"""A new tenant's files: complete, right in every language, and never over somebody else's."""

from dataclasses import replace

import pytest

from engine.authoring.scaffold import LANGUAGES, LONGEST, NewTenant, files_of, write
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.spec.problems import Problems
from tests.unit.spec.content import SHIPPED, library

PLAIN = NewTenant("my-place", "My Place", ("en",), "US", "USD", "America/New_York")


def content(tmp_path):
    for part in ("conversations", "flows"):
        (tmp_path / part).symlink_to(SHIPPED / part)
    return tmp_path


@pytest.mark.parametrize("languages", [("en",), ("es",), ("en", "es"), ("es", "en")])
def test_a_new_tenant_has_nothing_wrong_with_it(languages, tmp_path):
    root = content(tmp_path)
    write(root / "tenants", replace(PLAIN, languages=languages))
    held, problems = library(root), Problems()
    bundle = held.check(TenantId("my-place"), problems)
    held.check_dialogs(TenantId("my-place"), problems)
    menu = held.menu(TenantId("my-place"), problems)
    assert problems.sorted() == []
    assert bundle
    assert menu
    assert tuple(bundle.vocabularies) == languages
    assert len(menu.products) == 3
    for words in bundle.vocabularies.values():
        assert words.messages["main_menu"].where.startswith("tenants/my-place/messages/")


def test_every_language_of_the_shared_texts_can_be_begun_with():
    shared = (SHIPPED / "conversations/messages").glob("storefront.*.yaml")
    assert {file.name.split(".")[1] for file in shared} == set(LANGUAGES)


@pytest.mark.parametrize("name", ['Joe\'s "Best"', "a: b # c", "{{ tenant }}", "$name", "Café 🍕"])
def test_a_name_is_written_as_it_is(name, tmp_path):
    root = content(tmp_path)
    write(root / "tenants", replace(PLAIN, name=name))
    problems = Problems()
    tenant = library(root).tenant(TenantId("my-place"), problems)
    assert tenant
    assert tenant.name == name
    assert problems.sorted() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "../../etc"}, "'../../etc' cannot be a tenant's name"),
        ({"id": "My-Place"}, "cannot be a tenant's name"),
        ({"id": "my--place"}, "cannot be a tenant's name"),
        ({"id": ""}, "cannot be a tenant's name"),
        ({"id": "a" * (LONGEST + 1)}, "cannot be a tenant's name"),
        ({"languages": ("de",)}, "there are no shared texts in 'de', only in en, es"),
        ({"name": "My\nPlace"}, "line breaks"),
        ({"name": "x" * 61}, "--name: string should have at most 60 characters"),
        ({"currency": "USB"}, "--currency: 'USB' is not a currency"),
        ({"country": "usa"}, "--country: string should match"),
        ({"time_zone": "Mars"}, "--time-zone: 'Mars' is not an IANA time zone"),
    ],
)
def test_what_cannot_be_is_a_sentence_and_nothing_is_written(change, said, tmp_path):
    with pytest.raises(EngineError) as told:
        write(tmp_path / "tenants", replace(PLAIN, **change))
    assert said in str(told.value)
    assert "\n" not in str(told.value)
    assert not (tmp_path / "tenants").exists()


def test_what_is_there_is_never_written_over(tmp_path):
    held = tmp_path / "tenants/my-place"
    held.mkdir(parents=True)
    (held / "tenant.yaml").write_text("mine")
    with pytest.raises(EngineError, match="already"):
        write(tmp_path / "tenants", PLAIN)
    assert (held / "tenant.yaml").read_text() == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["tenants"]


def test_two_tenants_have_two_numbers():
    numbers = {
        line
        for name in ("one", "two")
        for line in files_of(replace(PLAIN, id=name))["tenant.yaml"].splitlines()
        if line.startswith("  - ")
    }
    assert len(numbers) == 2
