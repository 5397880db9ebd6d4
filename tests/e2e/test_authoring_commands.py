"""`comanda graph`, `new` and `reference` as their users call them."""

from importlib import import_module
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from engine.cli.main import main
from tests.e2e.test_commands import ROOT


def run(*arguments, content=ROOT):
    return CliRunner(env={"COMANDA_CONTENT": str(content)}).invoke(main, arguments)


def test_a_graph_is_printed_as_mermaid():
    done = run("graph", "dona-lucha")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("flowchart TB\n  %% dona-lucha: storefront\n")
    assert 's_daily_menu["daily_menu<br/>says daily_menu ✎' in done.stdout


def test_a_graph_of_a_flow_is_written_as_svg(tmp_path):
    file = tmp_path / "checkout.svg"
    done = run(
        "graph", "la-tavola", "--flow", "checkout", "--format", "svg", "--output", str(file)
    )
    assert done.exit_code == 0, done.output
    assert done.stdout == f"graph: {file}: 4 states, 4 arrows\n"
    assert "la-tavola: Flow checkout" in "".join(ElementTree.parse(file).getroot().itertext())


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("graph", "la-tavla"), "there is no tenant 'la-tavla'", 1),
        (("graph", "la-tavola", "--flow", "x"), "there is no Flow 'x' of 'la-tavola'", 1),
        (("graph", "la-tavola", "--format", "png"), "'png' is not one of", 2),
        (("graph", "la-tavola", "--output", "/nowhere/x.svg"), "cannot be written", 1),
        (("new", "../x"), "'../x' cannot be a tenant's name", 1),
        (("new", "la-tavola"), "already: choose another name", 1),
        (("new", "x", "--language", "de"), "there are no shared texts in 'de'", 1),
        (("new", "x", "--name", ""), "it is empty", 2),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments, said, code):
    done = run(*arguments)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert not (ROOT / "tenants/x").exists()


def test_a_new_tenant_is_told_file_by_file(tmp_path):
    (tmp_path / "conversations").mkdir()
    done = run("new", "mi-local", "--language", "es", "--language", "en", content=tmp_path)
    assert done.exit_code == 0, done.output
    written = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.yaml"))
    assert written == [
        f"tenants/mi-local/{path}"
        for path in (
            "catalog.yaml", "dialogs/first_order.yaml", "messages/storefront.en.yaml",
            "messages/storefront.es.yaml", "tenant.yaml",
        )
    ]  # fmt: skip
    for path in written:
        assert path.removeprefix("tenants/mi-local/") in done.stdout
    assert 'name: "Mi Local"' in (tmp_path / "tenants/mi-local/tenant.yaml").read_text()


def test_the_reference_is_current():
    done = run("reference", "--check")
    pages = ("REFERENCE.md", "DOCTOR.md", "README.md")
    assert done.output == "".join(f"reference: {page} is current\n" for page in pages)


@pytest.fixture
def short(monkeypatch):
    """Write a reference of a word: the whole takes its time."""

    async def written(*_):
        return "new"

    monkeypatch.setattr(import_module("engine.cli.reference"), "written", written)


def test_an_old_reference_is_told_and_one_that_is_missing_is_written(short, tmp_path):
    file = tmp_path / "REFERENCE.md"
    file.write_text("old")
    done = run("reference", "--check", "--file", str(file))
    assert done.exit_code == 1
    assert done.stderr == f"{file} is not current: run 'comanda reference'\n"
    assert file.read_text() == "old"
    assert run("reference", "--file", str(file)).exit_code == 0
    assert file.read_text() == "new"
    assert run("reference", "--check", "--file", str(file)).exit_code == 0


def test_a_reference_that_cannot_be_written_is_one_sentence(short):
    done = run("reference", "--file", "/nowhere/x.md")
    assert done.exit_code == 1
    assert "'/nowhere/x.md' cannot be written: " in done.stderr
