"""Where files are read from: a folder and what was stored of it are read alike."""

from pathlib import Path, PurePosixPath

import pytest

from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.spec.content import (
    TENANTS,
    FolderContent,
    StoredContent,
    is_served,
    owner,
    text_hash,
    verified,
)
from engine.spec.problems import Problems, SpecError
from tests.unit.spec.content import CORNER, KIOSK, SHIPPED, SHOP, lay, library

OVERLAY = "extends: shop\nstates: {menu: {when: {checkout: {if: cart.count > 3}}}}\n"
FILES = {
    "tenants/corner/conversations/shop.yaml": OVERLAY,
    "tenants/corner/conversations/other.yaml": "chart: other\n",
    "tenants/corner/messages/shop.en.yaml": "messages: {thanks: Bye.}\n",
    "tenants/corner/dialogs/demo.yaml": "about: nothing\n",
    "conversations/other.yaml": "chart: other\n",
}


def whole(root: Path) -> dict[str, str]:
    """Give every file of a folder."""
    found = (file for file in root.rglob("*") if file.is_file())
    return {str(file.relative_to(root)): file.read_text() for file in found}


@pytest.fixture
def root(tmp_path):
    return lay(tmp_path, SHOP, files=FILES)


def test_a_folder_and_what_was_stored_of_it_are_read_alike(root):
    folder, stored = FolderContent(root), StoredContent(whole(root))
    for place, pattern in (
        (TENANTS, "*/tenant.yaml"),
        (PurePosixPath("conversations"), "*.yaml"),
        (PurePosixPath("conversations/messages"), "shop.*.yaml"),
        (TENANTS / "corner" / "dialogs", "*.yaml"),
        (TENANTS / "nobody", "*.yaml"),
        (PurePosixPath("flows"), "*.yaml"),
    ):
        assert stored.find(place, pattern) == folder.find(place, pattern)
    assert len(stored.find(TENANTS, "*/tenant.yaml")) == 2
    for path in (PurePosixPath("conversations/shop.yaml"), PurePosixPath("conversations")):
        assert stored.has(path) == folder.has(path)
    for content in (folder, stored):
        with pytest.raises(OSError, match="nothing"):
            content.text(PurePosixPath("nothing.yaml"))


def test_texts_that_were_taken_out_are_gone(root):
    stored = StoredContent(whole(root))
    own = [path for path in whole(root) if path.startswith("tenants/corner/")]
    stored.drop([*own, "never/there.yaml"])
    assert stored.find(TENANTS, "*/tenant.yaml") == [TENANTS / "kiosk/tenant.yaml"]
    assert not stored.has(TENANTS / "corner/tenant.yaml")


@pytest.mark.parametrize("tenant", [CORNER, KIOSK])
def test_a_bundle_is_the_same_from_the_files_it_names_and_nothing_else(root, tenant):
    shop = library(root)
    bundle = shop.load(tenant)
    files = shop.files(bundle)
    assert not {"conversations/other.yaml", "tenants/corner/dialogs/demo.yaml"} & files.keys()
    assert ("tenants/corner/conversations/shop.yaml" in files) == (tenant == CORNER)
    texts = shop.documents.texts(files)
    assert {path: text_hash(text) for path, text in texts.items()} == files
    again = shop.over(StoredContent(texts))
    made = again.load(tenant)
    assert made.digest == bundle.digest
    assert again.files(made) == files
    assert again.tenant_ids() == [tenant]


@pytest.mark.parametrize("tenant", [TenantId("la-tavola"), TenantId("dona-lucha")])
def test_so_are_the_shipped_ones_with_their_flows(tenant):
    shipped = library(SHIPPED)
    for known in shipped.tenant_ids():  # what others read is not his
        shipped.load(known)
    bundle = shipped.load(tenant)
    files = shipped.files(bundle)
    assert "flows/checkout.yaml" in files
    assert {owner(PurePosixPath(path)) for path in files} == {None, tenant}
    made = shipped.over(StoredContent(shipped.documents.texts(files))).load(tenant)
    assert made.digest == bundle.digest
    assert made.flows.keys() == bundle.flows.keys()


def test_a_file_that_is_gone_is_named_no_more_when_the_tenant_is_loaded_again(root):
    shop = library(root)
    before = shop.files(shop.load(CORNER))
    (root / "tenants/corner/messages/shop.en.yaml").unlink()
    after = shop.files(shop.load(CORNER))
    assert before.keys() - after.keys() == {"tenants/corner/messages/shop.en.yaml"}


def test_a_file_that_was_changed_after_it_was_read_is_not_taken_for_it(root):
    shop = library(root)
    files = shop.files(shop.load(CORNER))
    (root / "tenants/corner/messages/shop.en.yaml").write_text("messages: {thanks: Ha.}\n")
    with pytest.raises(EngineError, match=r"corner/messages/shop\.en\.yaml was changed after"):
        shop.documents.texts(files)
    (root / "tenants/corner/messages/shop.en.yaml").unlink()
    with pytest.raises(EngineError, match=r"shop\.en\.yaml cannot be read any more"):
        shop.documents.texts(files)


def test_mistakes_in_what_was_stored_are_at_their_place(root):
    texts = whole(root) | {"tenants/corner/messages/shop.en.yaml": "messages: {thanks: 7}\n"}
    with pytest.raises(SpecError) as failed:
        library(root).over(StoredContent(texts)).load(CORNER)
    assert str(failed.value.problems[0].span) == "tenants/corner/messages/shop.en.yaml:1:20"


def test_what_was_stored_lies_in_no_folder(root):
    stored = library(root).over(StoredContent(whole(root)))
    with pytest.raises(EngineError, match="lies in no folder"):
        _ = stored.root


def test_a_dialog_may_lie_outside_of_the_content(root, tmp_path_factory, monkeypatch):
    outside = tmp_path_factory.mktemp("outside") / "mine.yaml"
    outside.write_text("nonsense: true\n")
    inside = root / "tenants/corner/dialogs/demo.yaml"
    monkeypatch.chdir(root)
    for file, name in (
        (outside, str(outside)),
        (inside, "tenants/corner/dialogs/demo.yaml"),
        (Path("tenants/corner/dialogs/demo.yaml"), "tenants/corner/dialogs/demo.yaml"),
    ):
        problems = Problems()
        with pytest.raises(SpecError):
            library(root).dialog(file, problems)
        assert {problem.span.file for problem in problems.found} == {name}


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("conversations/shop.yaml", True),
        ("conversations/shop2.yaml", False),
        ("conversations/messages/shop.yaml", True),
        ("conversations/messages/shop.es.yaml", True),
        ("conversations/messages/shops.es.yaml", False),
        ("conversations/flows/shop.yaml", False),
        ("flows/checkout.yaml", True),
        ("flows/old/checkout.yaml", False),
        ("tenants/a/tenant.yaml", True),
        ("tenants/a/catalog.yaml", False),
        ("tenants/a/dialogs/demo.yaml", False),
        ("tenants/a/conversations/shop.yaml", True),
        ("tenants/a/messages/shop.es.yaml", True),
        ("tenants/a/conversations/messages/shop.yaml", False),
        ("tenants/a/flows/checkout.yaml", True),
        ("tenants/flows/catalog.yaml", False),
        ("tenants/conversations/shop.yaml", False),
        ("tenants/messages/tenant.yaml", True),
        ("/etc/conversations/shop.yaml", False),
    ],
)
def test_what_a_tenant_is_served_from(path, served):
    assert is_served(PurePosixPath(path), "shop") == served


def test_who_owns_a_file():
    assert owner(PurePosixPath("tenants/a/flows/x.yaml")) == "a"
    assert owner(PurePosixPath("tenants/README.md")) is None
    assert owner(PurePosixPath("flows/tenants/a.yaml")) is None


def test_texts_are_only_what_their_hash_says():
    known = text_hash("one")
    assert verified({"a": known}, {known: "one", "else": "two"}) == {"a": "one"}
    with pytest.raises(EngineError, match="stored text of 'a' is missing"):
        verified({"a": known}, {})
    with pytest.raises(EngineError, match="stored text of 'a' is not the one"):
        verified({"a": known}, {known: "One"})
