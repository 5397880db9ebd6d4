"""Publishing: what is wrong is refused, what it does is told, and it can be taken back."""

import asyncio
from dataclasses import replace

import pytest

from engine.authoring import publish as publishing
from engine.authoring.fates import Fate, fates
from engine.authoring.publish import Publishing
from engine.clock import ManualClock
from engine.domain.conversation import Conversation, Position
from engine.domain.ids import CustomerKey, TenantId
from engine.errors import EngineError, UnknownTenant
from engine.ports import TurnLog, TurnRecord
from engine.spec.content import text_hash
from engine.spec.problems import SpecError
from engine.storage.repositories import MongoTenantStore
from engine.storage.version_records import ContentDocument, VersionDocument
from engine.storage.versions import MongoVersions
from engine.version_ports import FOLDER, Standing
from tests.unit.spec.content import CORNER, KIOSK, SHOP, lay, library
from tests.unit.storage.builders import NOW, USD

ENGLISH = "tenants/corner/messages/shop.en.yaml"
CHART = "tenants/corner/conversations/shop.yaml"
GONE = """\
extends: shop
states: {checkout: {states: null, start: null, finished: null, say: added, when: {back: thanks}}}
"""


class Office:
    """Somebody who publishes from a folder."""

    def __init__(self, root, database):
        self.root = root
        self.database = database
        self.versions = MongoVersions(database)
        self.compared = []

    def desk(self) -> Publishing:
        """Read the folder anew, as a command does."""

        async def check(shop, tenant, problems):
            return shop.check(tenant, problems)

        async def compare(before, after, tenant):
            both = before.load(tenant).digest, after.load(tenant).digest
            self.compared.append(both)
            return ["a line"] if len(set(both)) > 1 else []

        return Publishing(
            library=library(self.root), versions=self.versions, clock=ManualClock(NOW),
            check=check, compare=compare,
        )  # fmt: skip

    def save(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    async def publish(self, text=None, **options):
        if text:
            self.save(ENGLISH, f"messages: {{thanks: {text}}}\n")
        desk = self.desk()
        return await desk.publish(await desk.propose(CORNER, **options))

    async def live(self):
        held = await self.versions.live_of(CORNER)
        return held.number if held else None

    async def stand(self, leaf, *path, resume=None, count=1):
        """Let customers stand in a state."""
        store = MongoTenantStore(self.database, tenant=CORNER, currency=USD)
        for number in range(count):
            talk = Conversation(
                CORNER, CustomerKey(f"{leaf}{number}"), "en", version=1,
                position=Position("shop", 1, "s", leaf, (*path, leaf), resume),
            )  # fmt: skip
            log = TurnLog("text", None, leaf, (), "b", "done")
            record = TurnRecord(f"x:{leaf}{number}", talk, log, NOW, has_inbox_row=False)
            await store.commit(record)


@pytest.fixture
def office(tmp_path, database):
    return Office(lay(tmp_path, SHOP), database)


async def test_the_first_one_has_nothing_to_be_compared_with(office):
    proposal = await office.desk().propose(CORNER, "the first")
    assert proposal.is_new
    assert proposal.changes is None
    assert (proposal.live, proposal.files, proposal.fates) == (None, {}, ())
    assert await office.live() is None
    version = await office.desk().publish(proposal)
    assert (version.number, version.note, version.at) == (1, "the first", NOW)
    assert await office.live() == 1
    stored = await office.versions.get(CORNER, 1)
    assert stored == version
    texts = await office.versions.texts(stored.files.values())
    assert {path: texts[known] for path, known in stored.files.items()} == {
        path: (office.root / path).read_text() for path in stored.files
    }


async def test_what_is_live_already_is_not_new(office):
    await office.publish("Bye.")
    proposal = await office.desk().propose(CORNER)
    assert not proposal.is_new
    office.save(ENGLISH, "messages: {thanks: Bye.} # a word\n")
    assert (await office.desk().propose(CORNER)).is_new


async def test_what_changes_is_told_by_file_and_for_customers(office):
    office.save("tenants/corner/messages/shop.es.yaml", "messages: {sorry: Ay.}\n")
    await office.publish("Bye.")
    (office.root / "tenants/corner/messages/shop.es.yaml").unlink()
    office.save(ENGLISH, "messages: {thanks: Adieu.}\n")
    office.save(CHART, "extends: shop\nstates: {menu: {when: {checkout: {if: cart.count > 3}}}}\n")
    proposal = await office.desk().propose(CORNER)
    assert proposal.files == {
        CHART: "added",
        ENGLISH: "changed",
        "tenants/corner/messages/shop.es.yaml": "removed",
    }
    assert proposal.changes == ["a line"]


async def test_a_broken_one_is_refused_and_nothing_is_stored(office):
    office.save(ENGLISH, "messages: {thanks: '{{ nobody }}'}\n")
    with pytest.raises(SpecError) as failed:
        await office.publish()
    errors = [each for each in failed.value.problems if each.severity == "error"]
    assert [str(each.span).startswith(f"{ENGLISH}:1:") for each in errors] == [True]
    for document in (VersionDocument, ContentDocument):
        assert await office.database.collection(document).count_documents({}) == 0


async def test_nobody_is_published_who_is_not_there(office):
    with pytest.raises(UnknownTenant):
        await office.desk().propose(TenantId("../kiosk"))
    with pytest.raises(UnknownTenant):
        await office.desk().rollback(TenantId("nobody"))


async def test_a_file_that_was_changed_while_it_was_checked_is_not_published(office):
    desk = office.desk()

    async def check(shop, tenant, problems):
        bundle = shop.check(tenant, problems)
        office.save("tenants/corner/tenant.yaml", "name: broken\n")
        return bundle

    desk._check = check
    with pytest.raises(EngineError, match=r"tenants/corner/tenant\.yaml was changed after"):
        await desk.propose(CORNER)


async def test_too_much_is_refused(office, monkeypatch):
    monkeypatch.setattr(publishing, "MOST_BYTES", 100)
    with pytest.raises(EngineError, match=r"'corner' has \d+ bytes of files: 100 fit"):
        await office.desk().propose(CORNER)


async def test_of_two_who_publish_at_once_one_is_told(office):
    desks = [office.desk(), office.desk()]
    proposals = [await desk.propose(CORNER) for desk in desks]
    done = await asyncio.gather(
        *(desk.publish(proposal) for desk, proposal in zip(desks, proposals, strict=True)),
        return_exceptions=True,
    )
    (error,) = (each for each in done if isinstance(each, EngineError))
    assert "somebody else published or rolled back 'corner'" in str(error)
    assert await office.live() == 1


async def test_a_rollback_leads_to_what_was_live_before(office):
    for text in ("One.", "Two.", "Three."):
        await office.publish(text)
    moved = await office.desk().rollback(CORNER)
    assert (moved.number, moved.before) == (2, 3)
    await office.publish("Four.")
    # Not to the third, which was taken back.
    assert (await office.desk().rollback(CORNER)).number == 2
    assert (await office.desk().rollback(CORNER)).number == 1
    with pytest.raises(EngineError, match="version 1 of 'corner' took the place of the folder"):
        await office.desk().rollback(CORNER)
    assert (await office.desk().rollback(CORNER, 4)).number == 4
    assert (await office.desk().rollback(CORNER, FOLDER)).number == FOLDER
    with pytest.raises(EngineError, match="folder of 'corner' is served: say which"):
        await office.desk().rollback(CORNER)
    assert (await office.publish("Five.")).number == 5


async def test_what_cannot_be_rolled_back_to_is_refused(office):
    with pytest.raises(EngineError, match="nothing of 'kiosk' was ever published"):
        await office.desk().rollback(KIOSK)
    await office.publish("One.")
    await office.publish("Two.")
    with pytest.raises(EngineError, match="version 2 of 'corner' is live already"):
        await office.desk().rollback(CORNER, 2)
    with pytest.raises(EngineError, match="there is no version 9 of 'corner'"):
        await office.desk().rollback(CORNER, 9)
    first = {"_id": text_hash("messages: {thanks: One.}\n")}
    rows = office.database.collection(ContentDocument)
    await rows.update_one(first, {"$set": {"text": "messages: {thanks: Evil.}\n"}})
    with pytest.raises(EngineError, match="is not the one that was published"):
        await office.desk().rollback(CORNER, 1)
    assert await office.live() == 2


async def test_a_damaged_live_one_can_be_replaced_and_left(office):
    await office.publish("One.")
    await office.publish("Two.")
    rows = office.database.collection(VersionDocument)
    await rows.update_one({"number": 2}, {"$set": {"manifest": ""}})
    assert (await office.desk().rollback(CORNER, 1)).number == 1
    await rows.update_one({"number": 1}, {"$set": {"manifest": ""}})
    proposal = await office.desk().propose(CORNER)
    assert proposal.changes is None
    assert proposal.is_new
    assert (await office.desk().publish(proposal)).number == 3


async def test_what_is_live_but_cannot_be_read_is_not_compared(office):
    await office.publish("One.")
    await office.database.collection(ContentDocument).delete_many({})
    office.save(ENGLISH, "messages: {thanks: Two.}\n")
    (told,) = (await office.desk().propose(CORNER)).changes
    assert told.startswith("what is live cannot be compared: the stored text of")


async def test_what_becomes_of_conversations_is_told(office):
    await office.stand("menu", count=3)
    await office.stand("address", "checkout", count=2)
    await office.stand("help", resume="address")
    proposal = await office.desk().propose(CORNER)
    assert not proposal.is_harmful
    assert [(fate.state, fate.count, fate.outcome) for fate in proposal.fates] == [
        ("menu", 3, "stays"), ("address", 2, "stays"), ("help", 1, "stays"),
    ]  # fmt: skip
    office.save(CHART, GONE)
    proposal = await office.desk().propose(CORNER)
    assert proposal.is_harmful
    assert [(f.state, f.count, f.outcome, f.to, f.lost) for f in proposal.fates] == [
        ("address", 2, "moved", "checkout", ""),
        ("help", 1, "loses_return", "help", "address"),
        ("menu", 3, "stays", "menu", ""),
    ]
    office.save(CHART, GONE + "renamed: {address: checkout}\n")
    proposal = await office.desk().propose(CORNER)
    assert not proposal.is_harmful
    assert [(f.state, f.outcome, f.to) for f in proposal.fates] == [
        ("menu", "stays", "menu"), ("address", "renamed", "checkout"), ("help", "stays", "help"),
    ]  # fmt: skip


def test_fates_are_those_of_locate():
    chart = library(SHOP).load(CORNER).chart
    talk = Position("shop", 1, "", "pay", ("checkout", "pay"))
    told = fates(chart, [Standing(talk, 4), Standing(replace(talk, structure="old"), 1)])
    assert told == (Fate("pay", 5, "moved", "address"),)
    assert str(told[0]) == "pay: 5 conversations: each is moved to 'address': the state is gone"
    one = fates(chart, [Standing(replace(talk, leaf="checkout", path=("checkout",)), 1)])
    assert str(one[0]) == "checkout: 1 conversation: each stays there"
