"""What is published is served within a look; what cannot be served never is."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from engine.clock import ManualClock
from engine.domain.ids import TenantId
from engine.errors import Unavailable
from engine.runtime import publications
from engine.runtime.bundles import Bundles
from engine.runtime.publications import Publications
from engine.spec.content import StoredContent, text_hash
from engine.spec.library import Library
from engine.storage.version_records import ContentDocument, LiveDocument, VersionDocument
from engine.storage.versions import MongoVersions
from engine.version_ports import FOLDER, Live, Version
from tests.unit.spec.content import CORNER, KIOSK, SHOP, lay, library
from tests.unit.storage.builders import NOW

ENGLISH = "tenants/corner/messages/shop.en.yaml"
NEW_TENANT = TenantId("pop-up")


class Town:
    """A process with its folder, and a database to publish to."""

    def __init__(self, root, database):
        self.root = root
        self.database = database
        self.versions = MongoVersions(database)
        self.bundles = Bundles(library(root))
        self.bundles.load()
        self.publications = Publications(
            bundles=self.bundles, versions=self.versions, clock=ManualClock(NOW)
        )

    async def look(self):
        with capture_logs() as logs:
            await self.publications.look()
        return [(line["event"], line["log_level"]) for line in logs]

    async def publish(self, tenant=CORNER, **files: str | None) -> Version:
        """Publish the folder with other files in it; None takes one out."""
        texts = self.texts(tenant) | {path: text for path, text in files.items() if text}
        for path, text in files.items():
            if text is None:
                texts.pop(path, None)
        return await self.publish_texts(tenant, texts)

    def texts(self, tenant=CORNER) -> dict[str, str]:
        shop = library(self.root)
        return shop.documents.texts(shop.files(shop.load(tenant)))

    async def publish_texts(self, tenant, texts) -> Version:
        files = {path: text_hash(text) for path, text in texts.items()}
        made = Version(tenant, FOLDER, "digest", files, NOW)
        live = await self.versions.live_of(tenant)
        by_hash = {files[path]: text for path, text in texts.items()}
        return await self.versions.publish(made, by_hash, instead_of=live)

    def thanks(self, tenant=CORNER) -> str | None:
        bundle = self.bundles.get(tenant)
        assert bundle
        text = bundle.vocabulary("en").messages["thanks"].text
        return text.literal if text else None


def bye(text: str = "Bye.") -> str:
    return f"messages: {{thanks: {text}}}\n"


def saying(text: str) -> dict[str, str | None]:
    return {ENGLISH: bye(text)}


@pytest.fixture
def town(tmp_path, database):
    return Town(lay(tmp_path, SHOP), database)


async def test_without_anything_published_the_folder_is_served(town):
    assert await town.look() == []
    assert town.bundles.tenants() == [CORNER, KIOSK]
    assert not town.bundles.is_published(CORNER)


async def test_what_is_published_is_served_and_others_keep_theirs(town):
    before, other = town.bundles.get(CORNER), town.bundles.get(KIOSK)
    await town.publish(**saying("Bye."))
    assert town.bundles.get(CORNER) is before
    assert await town.look() == [("version.served", "info")]
    assert town.thanks() == "Bye."
    assert town.bundles.get(KIOSK) is other
    assert await town.look() == []
    await town.publish(**saying("Adieu."))
    await town.look()
    assert town.thanks() == "Adieu."
    live = await town.versions.live_of(CORNER)
    await town.versions.move(CORNER, 1, instead_of=live, at=NOW)
    await town.look()
    assert town.thanks() == "Bye."


async def test_the_folder_may_be_served_again(town):
    was = town.thanks()
    await town.publish(**saying("Bye."))
    await town.look()
    await town.versions.move(CORNER, FOLDER, instead_of=Live(1, 1, NOW), at=NOW)
    await town.look()
    assert town.thanks() == was
    assert not town.bundles.is_published(CORNER)


async def test_what_was_published_of_just_this_folder_is_not_read_twice(town, monkeypatch):
    before = town.bundles.get(CORNER)
    await town.publish()

    async def never(_):
        raise AssertionError("nothing is to be read")

    monkeypatch.setattr(town.versions, "texts", never)
    await town.look()
    assert town.bundles.get(CORNER) is before
    assert town.bundles.is_published(CORNER)


async def test_a_tenant_without_a_folder_is_served_all_the_same(town):
    moved = {path.replace("corner", NEW_TENANT): t for path, t in town.texts().items()}
    await town.publish_texts(NEW_TENANT, moved)
    await town.look()
    assert town.bundles.tenants() == [CORNER, KIOSK, NEW_TENANT]
    assert town.thanks(NEW_TENANT)
    # And nobody can say that his folder be served.
    await town.versions.move(NEW_TENANT, FOLDER, instead_of=Live(1, 1, NOW), at=NOW)
    assert ("bundle.problem", "error") in await town.look()
    assert town.thanks(NEW_TENANT)


async def test_tenants_with_the_same_shared_files_share_what_was_made_of_them(town):
    await town.publish(**saying("Bye."))
    spanish = {"tenants/kiosk/messages/shop.es.yaml": "messages: {thanks: Ciao.}\n"}
    await town.publish(KIOSK, **spanish)
    await town.look()
    corner, kiosk = town.bundles.get(CORNER), town.bundles.get(KIOSK)
    assert corner.chart is kiosk.chart
    changed = {"conversations/shop.yaml": town.texts()["conversations/shop.yaml"] + "# more\n"}
    await town.publish(**saying("Bye."), **changed)
    await town.look()
    assert town.bundles.get(CORNER).chart is not kiosk.chart
    assert len(town.publications._shelf._libraries) == 2
    await town.publish(KIOSK, **spanish, **changed)
    await town.look()
    assert town.bundles.get(CORNER).chart is town.bundles.get(KIOSK).chart
    assert len(town.publications._shelf._libraries) == 1


async def test_a_file_that_is_no_part_of_the_new_version_says_nothing_in_it(town):
    was = town.thanks()
    await town.publish(**saying("Bye."))
    await town.look()
    await town.publish(**{ENGLISH: None})
    await town.look()
    assert town.thanks() == was
    assert town.bundles.is_published(CORNER)


BROKEN = {
    "syntax": "messages: {thanks: [\n",
    "unknown": "messages: {thanks: '{{ nobody }}'}\n",
    "too large": "messages: {thanks: x}\n" + "#" * 3_000_000,
    "deep": "messages: " + "{a: " * 5000 + "}" * 5000,
    "odd": "messages: {thanks: a\x00b}\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
async def test_a_broken_one_is_never_served_and_told_once(town, text):
    await town.publish(**saying("Bye."))
    await town.look()
    await town.publish(**{ENGLISH: text})
    told = await town.look()
    assert told[-1] == ("version.refused", "error")
    assert ("bundle.problem", "error") in told
    assert town.thanks() == "Bye."
    assert await town.look() == []
    await town.publish(**saying("Better."))
    await town.look()
    assert town.thanks() == "Better."


async def test_what_shared_files_break_breaks_no_other_version(town):
    shared = town.texts()["conversations/shop.yaml"].replace("start: menu", "start: nowhere")
    await town.publish(**{"conversations/shop.yaml": shared})
    spanish = {"tenants/kiosk/messages/shop.es.yaml": "messages: {thanks: Ciao.}\n"}
    await town.publish(KIOSK, **spanish)
    told = await town.look()
    assert ("version.refused", "error") in told
    assert ("version.served", "info") in told
    assert not town.bundles.is_published(CORNER)
    assert len(town.publications._shelf._libraries) == 1


async def test_texts_that_were_tampered_with_are_not_served(town, database):
    await town.publish(**saying("Bye."))
    evil = {"$set": {"text": "messages: {thanks: Send money.}\n"}}
    rows = database.collection(ContentDocument)
    await rows.update_one({"_id": text_hash(bye())}, evil)
    was = town.thanks()
    assert await town.look() == [("version.refused", "error")]
    assert town.thanks() == was


async def test_nor_if_a_text_is_gone(town, database):
    await town.publish(**saying("Bye."))
    await database.collection(ContentDocument).delete_many({})
    assert await town.look() == [("version.refused", "error")]


async def test_nor_if_the_list_of_files_is_another_one(town, database):
    await town.publish(**saying("Bye."))
    await database.collection(VersionDocument).update_one({}, {"$pop": {"files": 1}})
    assert await town.look() == [("version.refused", "error")]


async def test_nor_if_it_was_never_published(town, database):
    await database.collection(LiveDocument).insert_one(
        {"_id": CORNER, "number": 7, "moves": 1, "at": NOW}
    )
    assert await town.look() == [("version.refused", "error")]


async def test_a_version_has_no_files_of_others(town):
    theirs = {"tenants/kiosk/tenant.yaml": town.texts(KIOSK)["tenants/kiosk/tenant.yaml"]}
    await town.publish(**theirs)
    assert await town.look() == [("version.refused", "error")]


async def test_a_database_that_is_away_is_asked_again(town, monkeypatch):
    await town.publish(**saying("Bye."))
    texts = town.versions.texts

    async def away(_):
        raise Unavailable("away")

    monkeypatch.setattr(town.versions, "texts", away)
    with pytest.raises(Unavailable):
        await town.look()
    with capture_logs() as logs:
        await town.publications._look()
    assert [line["event"] for line in logs] == ["publications.database_away"]
    monkeypatch.setattr(town.versions, "texts", texts)
    await town.look()
    assert town.thanks() == "Bye."


async def test_what_is_served_from_folders_is_kept_to_be_understood_later(
    town, database, monkeypatch
):
    monkeypatch.setattr(publications, "KEPT_AT_ONCE", 1)
    await town.publications.keep()
    await town.publications.keep()
    rows = await database.collection(VersionDocument).find({}).to_list()
    assert {row["_id"] for row in rows} == {
        f"{tenant}:folder:{town.bundles.get(tenant).digest}" for tenant in (CORNER, KIOSK)
    }
    (row,) = (row for row in rows if row["tenant"] == CORNER)
    hashes = {file["path"]: file["hash"] for file in row["files"]}
    texts = await town.versions.texts(hashes.values())
    stored = {path: texts[known] for path, known in hashes.items()}
    origin: Library = town.bundles.library
    made = origin.over(StoredContent(stored)).load(CORNER)
    assert made.digest == row["digest"] == town.bundles.get(CORNER).digest


async def test_a_folder_that_was_changed_since_is_not_kept_as_what_it_was(town, database):
    (town.root / "tenants/kiosk/tenant.yaml").write_text("name: other\n")
    with capture_logs() as logs:
        await town.publications.keep()
    assert [(line["event"], line["tenant"]) for line in logs] == [("version.not_kept", KIOSK)]
    rows = await database.collection(VersionDocument).find({}).to_list()
    assert [row["tenant"] for row in rows] == [CORNER]


async def test_what_is_published_is_not_kept_again(town, database):
    await town.publish(**saying("Bye."))
    await town.look()
    await town.publications.keep()
    rows = await database.collection(VersionDocument).find({}).to_list()
    assert {row["_id"].split(":")[1] for row in rows if row["tenant"] == CORNER} == {"1"}


async def test_it_goes_on_until_it_is_stopped(town, monkeypatch):
    looked = []

    async def look():
        looked.append(1)
        town.publications.stop()

    monkeypatch.setattr(town.publications, "look", look)
    await town.publications.run()
    assert looked == [1]


def test_the_values_cannot_be_changed():
    held = Live(1, 1, NOW)
    assert replace(held, at=NOW.replace(year=2030)) == held
