"""What is saved in the content folder is served; what is broken is told."""

import pytest
from structlog.testing import capture_logs

from engine.domain.ids import TenantId
from engine.runtime.bundles import Bundles
from engine.runtime.folder_watch import FolderWatch
from tests.unit.spec.content import CORNER, KIOSK, SHOP, lay, library

ENGLISH = "tenants/corner/messages/shop.en.yaml"
SHARED = "conversations/messages/shop.en.yaml"


def thanks(bundles: Bundles, tenant: TenantId = CORNER) -> str | None:
    bundle = bundles.get(tenant)
    text = bundle.vocabulary("en").messages["thanks"].text if bundle else None
    return text.literal if text else None


class Desk:
    """A folder that somebody edits."""

    def __init__(self, root):
        self.root = root
        self.bundles = Bundles(library(root))
        self.watch = FolderWatch(self.bundles)
        self.bundles.load()

    async def save(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return await self.look()

    async def look(self):
        with capture_logs() as logs:
            await self.watch.look()
        return logs

    def thanks(self, tenant=CORNER):
        return thanks(self.bundles, tenant)


@pytest.fixture
def desk(tmp_path):
    return Desk(lay(tmp_path, SHOP))


async def test_nothing_is_loaded_while_nothing_changes(desk):
    before = desk.bundles.get(CORNER)
    assert await desk.look() == []
    assert await desk.save("tenants/corner/dialogs/new.yaml", "about: x\n") == []
    assert desk.bundles.get(CORNER) is before


async def test_a_tenants_file_changes_only_the_tenant(desk):
    other = desk.bundles.get(KIOSK)
    (told,) = await desk.save(ENGLISH, "messages: {thanks: Bye.}\n")
    assert desk.thanks() == "Bye."
    assert desk.bundles.get(KIOSK) is other
    assert desk.bundles.get(CORNER).chart is other.chart
    assert (told["event"], told["files"], told["broken"]) == ("content.reloaded", [ENGLISH], [])
    (desk.root / ENGLISH).unlink()
    await desk.look()
    assert desk.thanks() != "Bye."


async def test_a_shared_file_changes_all(desk):
    text = (desk.root / SHARED).read_text()
    old = desk.thanks(KIOSK)
    assert text.count(old) == 1
    await desk.save(SHARED, text.replace(old, "See you."))
    assert desk.thanks(KIOSK) == desk.thanks(CORNER) == "See you."
    assert desk.bundles.library.root == desk.root


async def test_a_broken_file_is_told_and_the_last_good_one_stays(desk):
    await desk.save(ENGLISH, "messages: {thanks: Bye.}\n")
    told = await desk.save(ENGLISH, "messages: {thanks: '{{ nobody }}'}\n")
    assert desk.thanks() == "Bye."
    *problems, summary = told
    assert any(line["problem"].startswith(f"{ENGLISH}:1:") for line in problems)
    assert {line["event"] for line in problems} == {"bundle.problem"}
    assert summary["broken"] == [CORNER]
    await desk.save(ENGLISH, "messages: {thanks: Well.}\n")
    assert desk.thanks() == "Well."
    assert desk.bundles.broken == {}


async def test_what_is_wrong_in_a_shared_file_is_told_once(desk):
    old = desk.thanks(KIOSK)
    told = await desk.save(SHARED, "messages: [\n")
    problems = [line for line in told if line["event"] == "bundle.problem"]
    assert [line["tenants"] for line in problems if "yaml-syntax" in line["problem"]] == [2]
    assert desk.thanks(KIOSK) == old


async def test_a_new_tenant_is_served_and_a_removed_one_stays(desk):
    text = (desk.root / "tenants/kiosk/tenant.yaml").read_text()
    await desk.save("tenants/stand/tenant.yaml", text)
    assert desk.bundles.tenants() == [CORNER, KIOSK, "stand"]
    (desk.root / "tenants/stand/tenant.yaml").unlink()
    await desk.look()
    assert desk.bundles.tenants() == [CORNER, KIOSK, "stand"]


async def test_what_was_saved_while_it_was_loaded_is_not_missed(tmp_path):
    root = lay(tmp_path, SHOP)
    bundles = Bundles(library(root))
    watch = FolderWatch(bundles)
    bundles.load()
    (root / ENGLISH).parent.mkdir(parents=True, exist_ok=True)
    (root / ENGLISH).write_text("messages: {thanks: Bye.}\n")
    await watch.look()
    assert thanks(bundles) == "Bye."


async def test_it_goes_on_until_it_is_stopped(desk):
    desk.watch.stop()
    await desk.watch.run()
    assert desk.watch._poll.is_stopped
