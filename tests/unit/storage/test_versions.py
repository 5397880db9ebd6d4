"""Published versions on disk: numbers, what is live, and that of two at once one wins."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import Conflict, EngineError
from engine.spec.content import text_hash
from engine.storage.records import ConversationDocument
from engine.storage.version_records import (
    VERSION_DOCUMENTS,
    ContentDocument,
    LiveDocument,
    VersionDocument,
)
from engine.storage.versions import MongoVersions
from engine.version_ports import FOLDER, MOST_FILES, Live, Standing, Version, Versions
from tests.unit.storage.builders import BAKERY, NOW, PIZZERIA, conversation, turn
from tests.unit.storage.shapes import assert_has_the_shape, indexes

ONE, TWO = "name: Roma\n", "messages: {}\n"
TEXTS = {text_hash(text): text for text in (ONE, TWO)}
FILES = {
    "tenants/pizzeria/messages/shop.en.yaml": text_hash(TWO),
    "tenants/pizzeria/tenant.yaml": text_hash(ONE),
}


def the_type_checker_agrees(versions: MongoVersions) -> Versions:
    return versions


def version(**changes) -> Version:
    return replace(Version(PIZZERIA, FOLDER, "d1", FILES, NOW, "a note"), **changes)


@pytest.fixture
def versions(database):
    return MongoVersions(database)


async def test_at_first_nothing_is_live(versions):
    assert await versions.live() == {}
    assert await versions.live_of(PIZZERIA) is None
    assert await versions.get(PIZZERIA, 1) is None
    assert await versions.list(PIZZERIA, limit=5) == ()


async def test_what_is_published_is_numbered_and_live(versions):
    first = await versions.publish(version(), TEXTS, instead_of=None)
    assert (first.number, first.replaces) == (1, FOLDER)
    live = await versions.live_of(PIZZERIA)
    assert live == Live(1, 1, NOW)
    assert live.at == NOW
    second = await versions.publish(version(digest="d2"), TEXTS, instead_of=live)
    other = await versions.publish(version(tenant=BAKERY), TEXTS, instead_of=None)
    assert (second.number, second.replaces, other.number) == (2, 1, 1)
    assert await versions.get(PIZZERIA, 2) == second
    assert {t: each.number for t, each in (await versions.live()).items()} == {
        PIZZERIA: 2, BAKERY: 1,
    }  # fmt: skip
    listed = await versions.list(PIZZERIA, limit=5)
    assert [(each.number, each.digest, each.note) for each in listed] == [
        (2, "d2", "a note"),
        (1, "d1", "a note"),
    ]
    assert len(await versions.list(PIZZERIA, limit=1)) == 1


async def test_texts_are_stored_once_and_come_back_as_they_are(database, versions):
    await versions.publish(version(), TEXTS, instead_of=None)
    await versions.publish(version(tenant=BAKERY), TEXTS, instead_of=None)
    assert await database.collection(ContentDocument).count_documents({}) == 2
    assert await versions.texts(TEXTS.keys()) == TEXTS
    assert await versions.texts({"unknown"}) == {}
    odd = "a\r\n\U0001f355‮ é\x85"
    many = {text_hash(f"{odd}{n}"): f"{odd}{n}" for n in range(250)}
    await versions.publish(version(tenant=BAKERY), many, instead_of=Live(1, 1, NOW))
    assert await versions.texts(many.keys()) == many


async def test_of_two_at_once_one_wins_and_nothing_is_left_of_the_other(database, versions):
    for live in (None, Live(1, 1, NOW)):
        both = [
            versions.publish(version(digest=name), TEXTS, instead_of=live) for name in ("a", "b")
        ]
        done = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(type(each).__name__ for each in done) == ["Conflict", "Version"]
    rows = database.collection(VersionDocument)
    assert await rows.count_documents({}) == 2
    assert await versions.live_of(PIZZERIA) == Live(2, 2, NOW)


async def test_what_builds_on_an_older_state_changes_nothing(database, versions):
    await versions.publish(version(), TEXTS, instead_of=None)
    seen = await versions.live_of(PIZZERIA)
    await versions.publish(version(digest="d2"), TEXTS, instead_of=seen)
    for late in (seen, None):
        with pytest.raises(Conflict):
            await versions.publish(version(digest="d3"), TEXTS, instead_of=late)
    with pytest.raises(Conflict):
        await versions.move(PIZZERIA, 1, instead_of=seen, at=NOW)
    assert await versions.live_of(PIZZERIA) == Live(2, 2, NOW)
    assert await database.collection(VersionDocument).count_documents({}) == 2


async def test_an_earlier_one_may_be_live_again_and_numbers_go_on(versions):
    await versions.publish(version(), TEXTS, instead_of=None)
    await versions.publish(version(digest="d2"), TEXTS, instead_of=Live(1, 1, NOW))
    later = NOW + timedelta(minutes=1)
    await versions.move(PIZZERIA, 1, instead_of=Live(2, 2, NOW), at=later)
    live = await versions.live_of(PIZZERIA)
    assert (live, live.at) == (Live(1, 3, NOW), later)
    third = await versions.publish(version(digest="d3"), TEXTS, instead_of=live)
    assert (third.number, third.replaces) == (3, 1)


@pytest.mark.parametrize(
    "damage",
    [
        {"$set": {"files.0.hash": "0" * 64}},
        {"$pop": {"files": 1}},
        {"$push": {"files": {"path": "flows/x.yaml", "hash": "0"}}},
        {"$push": {"files": {"path": "tenants/pizzeria/tenant.yaml", "hash": text_hash(ONE)}}},
        {"$set": {"files": "none"}},
        {"$set": {"files": [7]}},
        {"$unset": {"files": ""}},
        {"$unset": {"manifest": ""}},
    ],
    ids=str,
)
async def test_a_damaged_one_is_told_and_stands_in_the_list(database, versions, damage):
    await versions.publish(version(), TEXTS, instead_of=None)
    await database.collection(VersionDocument).update_one({}, damage)
    with pytest.raises(EngineError, match="version 1 of 'pizzeria' is damaged"):
        await versions.get(PIZZERIA, 1)
    assert [each.number for each in await versions.list(PIZZERIA, limit=5)] == [1]


async def test_a_damaged_text_is_repaired_when_it_is_published_again(database, versions):
    await versions.publish(version(), TEXTS, instead_of=None)
    rows = database.collection(ContentDocument)
    await rows.update_one({"_id": text_hash(ONE)}, {"$set": {"text": "name: Evil\n"}})
    assert await versions.texts(TEXTS.keys()) != TEXTS
    await versions.publish(version(), TEXTS, instead_of=Live(1, 1, NOW))
    assert await versions.texts(TEXTS.keys()) == TEXTS


async def test_a_row_that_does_not_say_what_is_live_stops_nobody(database, versions):
    await versions.publish(version(), TEXTS, instead_of=None)
    await database.collection(LiveDocument).insert_one({"_id": "odd", "number": "two"})
    assert (await versions.live()).keys() == {PIZZERIA}


async def test_too_many_files_are_refused(database, versions):
    many = {f"flows/f{n}.yaml": text_hash(ONE) for n in range(MOST_FILES + 1)}
    with pytest.raises(EngineError, match="has 501 files: 500 fit in a version"):
        await versions.publish(version(files=many), TEXTS, instead_of=None)
    for document in VERSION_DOCUMENTS:
        assert await database.collection(document).count_documents({}) == 0


async def test_what_folders_serve_is_kept_once_and_is_no_version(database, versions):
    folders = [version(), version(tenant=BAKERY), version(digest="d2")]
    assert await versions.kept(folders) == frozenset()
    await asyncio.gather(*(versions.keep(folders, TEXTS) for _ in range(4)))
    later = [replace(each, at=NOW + timedelta(days=1)) for each in folders]
    await versions.keep(later, TEXTS)
    assert await versions.kept([*folders, version(digest="d9")]) == {
        (PIZZERIA, "d1"), (BAKERY, "d1"), (PIZZERIA, "d2"),
    }  # fmt: skip
    rows = await database.collection(VersionDocument).find({}).to_list()
    assert {row["at"] for row in rows} == {NOW}
    assert len(rows) == 3
    assert await versions.list(PIZZERIA, limit=5) == ()
    assert await versions.live() == {}
    assert (await versions.publish(version(), TEXTS, instead_of=None)).number == 1
    await versions.keep([], {})


async def test_where_conversations_stand(database, store, versions):
    for number, leaf in enumerate(("menu", "menu", "cart")):
        talk = conversation(customer=f"c{number}")
        place = replace(talk.position, leaf=leaf, path=("shop", leaf), resume=None)
        await store.commit(turn(f"w{number}", replace(talk, position=place), has_inbox_row=False))
    aside = replace(place, leaf="help", path=("help",), resume="cart")
    talk = replace(conversation(customer="c9"), position=aside)
    await store.commit(turn("w9", talk, has_inbox_row=False))
    talk = replace(conversation(customer="new"), position=None)
    await store.commit(turn("w10", talk, has_inbox_row=False))
    found = await versions.standing(PIZZERIA)
    told = {(s.position.leaf, s.position.path, s.position.resume): s.count for s in found}
    assert told == {
        ("menu", ("shop", "menu"), None): 2,
        ("cart", ("shop", "cart"), None): 1,
        ("help", ("help",), "cart"): 1,
    }
    assert all(isinstance(each, Standing) for each in found)
    assert await versions.standing(BAKERY) == ()
    assert await database.collection(ConversationDocument).count_documents({}) == 5


async def test_what_is_written_has_the_shape_of_its_document(database, versions):
    await versions.publish(version(), TEXTS, instead_of=None)
    await versions.keep([version()], TEXTS)
    for document in VERSION_DOCUMENTS:
        await assert_has_the_shape(database, document)


async def test_the_indexes_are_those_we_need(database):
    found = await indexes(database, VersionDocument)
    assert found == {"tenant -number": {}, "tenant digest": {}}
