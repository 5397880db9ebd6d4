"""The settings as a table: all of them, no secret's value, nothing else of the page changes."""

import pytest
from pydantic import SecretStr

from engine.authoring.reference.settings import BEGIN, END, page_of, settings_table, with_settings
from engine.errors import EngineError
from engine.settings import Settings

PAGE = f"# One\n\n{BEGIN}\nold\n{END}\n\nlast | line\n"


def test_every_setting_has_a_row_and_says_what_it_is():
    rows = settings_table().splitlines()[2:]
    assert len(rows) == len(Settings.model_fields)
    for (name, field), row in zip(Settings.model_fields.items(), rows, strict=True):
        assert row.startswith(f"| `{name.upper()}` | "), row
        assert field.description, f"{name} has no description"
        assert field.description.rstrip().endswith((".", ")")), name
        assert ("🔒" in row) == (field.annotation is SecretStr), name


def test_defaults_are_shown_but_not_those_of_secrets():
    table = settings_table()
    assert "| `INBOX_MAX_AGE` | `60` |" in table
    assert "| `CATALOG_SYNC` | `true` |" in table
    assert "| `ADMIN_TOKEN` |  | 🔒 " in table


def test_only_what_is_between_the_comments_changes():
    page = with_settings(PAGE, named="README.md")
    assert page == f"# One\n\n{BEGIN}\n\n{settings_table()}\n\n{END}\n\nlast | line\n"
    assert with_settings(page, named="README.md") == page


@pytest.mark.parametrize(
    "page",
    ["", BEGIN, END, f"{END} {BEGIN}", PAGE + PAGE, PAGE + END, END + PAGE],
    ids=["none", "begin", "end", "turned", "twice", "end-twice", "end-first"],
)
def test_a_page_without_the_comments_in_their_order_is_one_sentence(page):
    with pytest.raises(EngineError, match=r"^README.md: the settings' table stands between '<!--"):
        with_settings(page, named="README.md")


def test_a_content_folder_of_its_own_has_no_page(tmp_path):
    assert page_of(tmp_path) is None
    (tmp_path / "README.md").write_text("My shop")
    assert page_of(tmp_path) is None
    (tmp_path / "README.md").write_text(PAGE)
    assert page_of(tmp_path) == tmp_path / "README.md"
