"""What `--fix` mends, and what it leaves alone."""

import asyncio

import pytest

from engine.doctor.checks import ALL
from engine.sandbox.account_state import FIELDS
from engine.storage.connection import Database
from engine.storage.documents import BusinessDocument, CartDocument
from engine.storage.meta_records import FlowKeyDocument
from engine.storage.records import InboxDocument
from engine.storage.secrets import Vault
from tests.unit.doctor.scene import NUMBERS, PIZZERIA, TAQUERIA, WABAS, app_of

SHOWN = ("is_cart_enabled", "is_catalog_visible")


def test_what_can_be_mended():
    assert {check.code for check in ALL if check.mend} == {
        "database.indexes", "phone.commerce", "webhook.subscribed", "webhook.fields", "flows.key",
        "flows.registered",
    }  # fmt: skip


async def test_indexes_are_made(scene):
    database = scene.ground.engine.database
    await database.collection(CartDocument).drop_index("expiresAt_1")
    await database.collection(InboxDocument).create_index([("state", 1), ("due", 1)])
    found = await scene.ask("database.indexes", mend=True)
    assert (found.verdict, found.reason) == ("ok", "all are as declared")
    assert found.mended == "made or replaced carts.expiresAt_1, inbox.state_1_due_1"
    assert "expiresAt_1" in await database.collection(CartDocument).index_information()


async def test_an_index_of_another_kind_is_not_dropped_unasked(scene):
    rows = scene.ground.engine.database.collection(CartDocument)
    scene.undo.append(scene.ground.engine.database.prepare)
    await rows.drop_index("expiresAt_1")
    await rows.create_index("expiresAt", expireAfterSeconds=3600)
    scene.undo.append(lambda: rows.drop_index("expiresAt_1"))
    found = await scene.ask("database.indexes", mend=True)
    assert found.verdict == "failed"
    assert found.mended.startswith("it could not: the database has an index that contradicts ours")


async def test_the_subscription_is_made(scene):
    edge = f"{WABAS[PIZZERIA]}/subscribed_apps"
    await scene.graph("DELETE", edge)
    found = await scene.ask("webhook.subscribed", mend=True)
    assert found.verdict == "ok"
    assert found.mended == f"subscribed the app to the WhatsApp account {WABAS[PIZZERIA]}"
    assert len((await scene.graph("GET", edge)).json()["data"]) == 1


async def test_the_fields_are_subscribed_to_and_the_others_stay(scene):
    app = app_of(scene)
    await app("DELETE", fields="smb_message_echoes,account_update")
    found = await scene.ask("webhook.fields", mend=True)
    assert (found.verdict, found.mended) == ("ok", "subscribed the app to smb_message_echoes")
    (hook,) = (await app("GET")).json()["data"]
    assert {each["name"] for each in hook["fields"]} == set(FIELDS) - {"account_update"}
    assert hook["callback_url"] == f"{scene.settings.public_url}/whatsapp_response"
    token = scene.settings.meta_webhook_verify_token.get_secret_value()
    callback = hook["callback_url"]
    await app("POST", fields="account_update", callback_url=callback, verify_token=token)


async def test_an_app_that_heard_nothing_hears_at_public_url(scene):
    app = app_of(scene)
    await app("DELETE", fields=",".join(FIELDS))
    found = await scene.ask("webhook.fields", mend=True)
    assert (found.verdict, found.mended) == (
        "ok", "subscribed the app to messages, smb_message_echoes",
    )  # fmt: skip
    (hook,) = (await app("GET")).json()["data"]
    assert hook["callback_url"] == f"{scene.settings.public_url}/whatsapp_response"
    token = scene.settings.meta_webhook_verify_token.get_secret_value()
    rest = ",".join(FIELDS)
    await app("POST", fields=rest, callback_url=hook["callback_url"], verify_token=token)


@pytest.mark.parametrize(
    ("setting", "said"),
    [("meta_webhook_verify_token", "it needs PUBLIC_URL and META_WEBHOOK_VERIFY_TOKEN"),
     ("public_url", "it needs PUBLIC_URL and META_WEBHOOK_VERIFY_TOKEN")],
)  # fmt: skip
async def test_fields_are_not_subscribed_to_without_an_address_and_a_token(scene, setting, said):
    app = app_of(scene)
    (hook,) = (await app("GET")).json()["data"]
    token = scene.settings.meta_webhook_verify_token.get_secret_value()
    await app("DELETE", fields=",".join(FIELDS))
    again = {"callback_url": hook["callback_url"], "verify_token": token}
    scene.undo.append(lambda: app("POST", fields=",".join(FIELDS), **again))
    scene.set(**{setting: ""})
    found = await scene.ask("webhook.fields", mend=True)
    assert (found.verdict, found.mended) == ("failed", f"it could not: {said}")


async def test_the_catalogue_is_shown(scene):
    scene.tenant = TAQUERIA
    edge = f"{NUMBERS[TAQUERIA]}/whatsapp_commerce_settings"
    await scene.graph("POST", edge, params=dict.fromkeys(SHOWN, "false"))
    found = await scene.ask("phone.commerce", mend=True)
    assert found.verdict == "ok"
    assert found.mended == f"catalogue and cart are shown on {NUMBERS[TAQUERIA]}"


async def test_a_key_is_made_and_registered(scene):
    scene.undo.append(lambda: scene.ask("flows.registered", mend=True))
    await scene.keep(FlowKeyDocument)
    keys = scene.ground.engine.database.collection(FlowKeyDocument)
    await keys.delete_many({"_id": PIZZERIA})
    found = await scene.examined(mend=True)
    assert found["flows.key"].mended.startswith("made a Flow key with the fingerprint ")
    assert found["flows.registered"].mended == (
        f"registered the public key for {NUMBERS[PIZZERIA]}"
    )
    assert {found[code].verdict for code in ("flows.key", "flows.registered")} == {"ok"}
    mended = {code for code, each in found.items() if each.mended}
    assert mended == {"flows.key", "flows.registered"}
    assert all(each.verdict in ("ok", "warning") for each in found.values())


async def test_a_key_that_another_secret_sealed_is_kept(scene):
    await scene.keep(FlowKeyDocument)
    keys = scene.ground.engine.database.collection(FlowKeyDocument)
    sealed = Vault("another secret").seal("-----")
    await keys.update_one({"_id": PIZZERIA}, {"$set": {"privateKey": sealed}})
    found = await scene.ask("flows.key", mend=True)
    assert found.verdict == "failed"
    assert "it could not: " in found.mended
    assert (await keys.find_one({"_id": PIZZERIA}))["privateKey"] == sealed


async def test_what_meta_refuses_is_told(scene):
    edge = f"{WABAS[PIZZERIA]}/subscribed_apps"
    await scene.graph("DELETE", edge)
    scene.undo.append(lambda: scene.graph("POST", edge))
    await scene.access(scopes=["whatsapp_business_messaging"])
    found = await scene.ask("webhook.subscribed", mend=True)
    assert found.verdict == "failed"
    assert found.mended.startswith("it could not: Meta refuses it ")


async def test_nothing_is_changed_without_it(scene):
    await scene.change(BusinessDocument, {"$set": {"isActive": False}})
    await scene.graph("DELETE", f"{WABAS[PIZZERIA]}/subscribed_apps")
    scene.undo.append(lambda: scene.graph("POST", f"{WABAS[PIZZERIA]}/subscribed_apps"))
    before = await _everything(scene.ground.engine.database)
    found = await scene.examined()
    assert found["webhook.subscribed"].verdict == "failed"
    assert await _everything(scene.ground.engine.database) == before
    apps = (await scene.graph("GET", f"{WABAS[PIZZERIA]}/subscribed_apps")).json()
    assert apps == {"data": []}


async def _everything(database: Database):
    names = sorted(await database.client[database.name].list_collection_names())
    names = [name for name in names if name != "slots"]
    rows = [
        database.client[database.name][name].find({}).sort("_id", 1).to_list() for name in names
    ]
    return dict(zip(names, await asyncio.gather(*rows), strict=True))
