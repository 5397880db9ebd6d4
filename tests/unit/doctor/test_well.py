"""Every check is well where nothing is wrong."""

from dataclasses import replace

import pytest

from engine.domain.tenant import Staff
from engine.storage.documents import ProductDocument
from engine.storage.inspection import Members
from engine.storage.sync_records import SyncStateDocument
from engine.storage.version_records import LiveDocument, VersionDocument
from engine.storage.versions import MongoVersions
from engine.version_ports import Version
from engine.whatsapp.flow_crypto import FlowKey
from tests.unit.doctor.scene import PIZZERIA, TAQUERIA, app_of

DEVELOPMENT = {
    "environment.graph_api": "it is not Meta's: no message reaches a customer",
    "database.write_concern": "majority, journaled; there is one member: it must not be lost",
}
"""What the place of these tests lacks; tests of their own have it."""
SHIPPED = {
    PIZZERIA: {
        "menu.fields": "without imageUrl: prod:tap-water, prod:focaccia",
        "catalogs.sync": "not at Meta as wanted: prod:focaccia: it has no image, "
        "prod:tap-water: it has no image",
    },
    TAQUERIA: {
        "menu.fields": "without imageUrl: prod:emoliente",
        "catalogs.sync": "not at Meta as wanted: prod:emoliente: it has no image",
    },
}


@pytest.mark.parametrize("tenant", [PIZZERIA, TAQUERIA])
async def test_everything_is_well(scene, tenant):
    scene.tenant = tenant
    found = await scene.examined()
    bad = {code: each.reason for code, each in found.items() if each.verdict != "ok"}
    assert bad == DEVELOPMENT | SHIPPED[tenant]
    assert {found[code].verdict for code in bad} == {"warning"}
    assert all(bool(each.remedy) == (code in bad) for code, each in found.items())
    assert all(not each.mended for each in found.values())


@pytest.mark.parametrize("version", ["v26.0", "v25.0", "v24.0"])
async def test_a_version_that_lasts(scene, version):
    scene.set(whatsapp_api_version=version)
    assert (await scene.ask("environment.graph_version")).verdict == "ok"


async def test_meta_itself(scene):
    scene.set(graph_api_url="https://graph.facebook.com", public_url="https://shop.example")
    for code in ("environment.graph_api", "environment.public_url"):
        assert (await scene.ask(code)).verdict == "ok"


async def test_a_key_for_all_tenants(scene):
    key = FlowKey.generate()
    scene.set(flow_private_key=key.private_pem)
    found = await scene.ask("environment.flow_key")
    assert (found.verdict, key.fingerprint in found.reason) == ("ok", True)


async def test_a_conversation_without_hand_off(scene):
    bundle = scene.ground.engine.bundles.get(PIZZERIA)
    # It neither calls a person nor makes room for one.
    quiet = {"human", "staff_wrote"}
    events = {name: each for name, each in bundle.chart.anywhere.items() if name not in quiet}
    states = {name: each for name, each in bundle.chart.states.items() if name not in quiet}
    chart = replace(bundle.chart, anywhere=events, states=states)
    tenant = bundle.tenant.model_copy(update={"staff": Staff()})
    scene.bundles[PIZZERIA] = replace(bundle, chart=chart, tenant=tenant)
    app = app_of(scene)
    await app("DELETE", fields="smb_message_echoes")
    callback = f"{scene.settings.public_url}/whatsapp_response"
    token = scene.settings.meta_webhook_verify_token.get_secret_value()
    again = {"callback_url": callback, "verify_token": token, "fields": "smb_message_echoes"}
    scene.undo.append(lambda: app("POST", **again))
    found = await scene.ask("content.staff")
    assert (found.verdict, found.reason) == ("ok", "the conversation calls nobody")
    found = await scene.ask("webhook.fields")
    assert (found.verdict, found.reason) == ("ok", "the app is subscribed to messages")


async def test_three_members(scene, monkeypatch):
    async def three(_):
        return Members(total=3, healthy=3, majority=2)

    monkeypatch.setattr("engine.doctor.database.members", three)
    found = await scene.ask("database.write_concern")
    assert (found.verdict, found.reason) == (
        "ok", "majority, journaled; 3 of 3 members are healthy",
    )  # fmt: skip


async def test_every_product_is_complete(scene):
    await scene.change(ProductDocument, {"$set": {"imageUrl": "https://img.example/p.jpg"}})
    await scene.keep(SyncStateDocument)
    rows = scene.ground.engine.database.collection(SyncStateDocument)
    await rows.delete_many({"status": "refused"})
    assert (await scene.ask("menu.fields")).reason == "47 products have it"
    found = await scene.ask("catalogs.sync")
    assert (found.verdict, found.reason) == ("ok", "45 products at Meta")


async def test_what_was_published_is_served(scene):
    for document in (LiveDocument, VersionDocument):
        await scene.keep(document)
    bundle = scene.ground.engine.bundles.get(PIZZERIA)
    version = Version(PIZZERIA, 0, bundle.digest, {}, scene.clock.now())
    await MongoVersions(scene.ground.engine.database).publish(version, {}, instead_of=None)
    found = await scene.ask("content.served")
    assert (found.verdict, found.reason) == (
        "ok", "version 1 is live, and is what the folder says",
    )  # fmt: skip
