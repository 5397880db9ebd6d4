"""Each check, before what it must find; `test_well` has the installation that lacks nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from engine.clock import SystemClock
from engine.doctor.checks import ALL
from engine.doctor.database import OVERDUE
from engine.domain.tenant import Staff
from engine.sandbox import serving
from engine.sandbox.account_state import FIELDS
from engine.spec.problems import Problem, Span, SpecError
from engine.storage.connection import Database
from engine.storage.documents import (
    BusinessDocument,
    CartDocument,
    CategoryDocument,
    ModifierDocument,
    PresentationDocument,
    ProductDocument,
)
from engine.storage.flow_keys import MongoFlowKeys
from engine.storage.inspection import Members
from engine.storage.meta_records import DeploymentDocument, FlowKeyDocument
from engine.storage.records import InboxDocument, OutboxDocument
from engine.storage.secrets import Vault
from engine.storage.sync_records import SyncRunDocument, SyncStateDocument
from engine.storage.version_records import LiveDocument, VersionDocument
from engine.storage.versions import MongoVersions
from engine.version_ports import Version
from engine.whatsapp.flow_crypto import FlowKey
from tests.unit.doctor.scene import NUMBERS, PIZZERIA, TAQUERIA, WABAS, Scene, app_of

# Databases are away in one of them.
pytestmark = [
    pytest.mark.usefixtures("forgotten_sockets"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NOBODY = "http://127.0.0.1:9"
SHOWN = ("is_cart_enabled", "is_catalog_visible")


@dataclass(frozen=True)
class Case:
    """Something that is broken.

    Args:
        said: in the reason.
        remedy: in the remedy; empty: whatever.
    """

    code: str
    break_: Callable[[Scene, pytest.MonkeyPatch], Awaitable[Any]]
    said: str
    remedy: str = ""
    verdict: str = "failed"
    name: str = ""


CASES: list[Case] = []


def case(code: str, said: str, remedy: str = "", *, verdict: str = "failed"):
    """Register how to break something, and what a check must say of it."""

    def register(break_):
        CASES.append(Case(code, break_, said, remedy, verdict, break_.__name__))
        return break_

    return register


def setting(code: str, said: str, remedy: str = "", *, verdict: str = "failed", **settings: Any):
    """Register a setting with which a check must not be content."""

    async def break_(scene: Scene, _: pytest.MonkeyPatch) -> None:
        scene.set(**settings)

    name = next(iter(f"{key}={str(value)[:20]!r}" for key, value in settings.items()))
    CASES.append(Case(code, break_, said, remedy, verdict, name))


# Environment -------------------------------------------------------------------------------------

APP, VERIFY = "environment.app_secret", "environment.verify_token"
SEAL, ADMIN = "environment.encryption_secret", "environment.admin_token"
URL, VERSION = "environment.public_url", "environment.graph_version"
setting(APP, "it is not set: no webhook", "export META_APP_SECRET=", meta_app_secret="")
setting(APP, "begins or ends with a space", meta_app_secret="secret of the app\n")
setting(VERIFY, "Meta cannot verify the webhook", meta_webhook_verify_token="")
setting(SEAL, "no access token can be opened", encryption_secret="")
setting(SEAL, "it has only 4 characters", verdict="warning", encryption_secret="1234")
setting(ADMIN, "the operator routes are shut", verdict="warning", admin_token="")
setting("environment.database", "a development run", verdict="warning", mongodb_uri="")
setting(URL, "Flows, items and the webhook need it", "export PUBLIC_URL=", public_url="")
setting(URL, "an address alone", public_url="https://me:secret@shop.example")
setting("environment.flow_key", "PEM", "comanda flows keygen", flow_private_key="no key at all")
setting(
    VERSION, "Meta answers v20.0 no more since 2026-09-24", "v26.0", whatsapp_api_version="v20.0"
)
setting(VERSION, "Meta does not answer v9.0 any more", whatsapp_api_version="v9.0")
setting(VERSION, "is newer than", verdict="warning", whatsapp_api_version="v31.0")


@case("environment.graph_api", "no message reaches a customer", verdict="warning")
async def sandbox(scene, _):
    pass


@case(URL, "Meta posts to https:// only")
async def plain_http(scene, _):
    scene.set(graph_api_url="https://graph.facebook.com", public_url="http://shop.example")


@case(URL, "cannot reach this machine by that name")
async def own_machine(scene, _):
    scene.set(graph_api_url="https://graph.facebook.com", public_url="https://localhost:8000")


@case(VERSION, "Meta answers v21.0 until 2027-01-21", verdict="warning")
async def near_its_end(scene, _):
    scene.set(whatsapp_api_version="v21.0")
    scene.later(seconds=(datetime(2026, 11, 23, tzinfo=UTC) - datetime.now(UTC)).total_seconds())


# Database ----------------------------------------------------------------------------------------


@case("database.reachable", "the database does not answer", "MONGODB_URI")
async def nobody_there(scene, patch):
    away = Database("mongodb://127.0.0.1:9/?directConnection=true", name="x", away_after=0.2)
    await away.connect()
    patch.setattr(scene.ground.engine, "database", away)
    scene.undo.append(away.close)


@case("database.replica_set", "it is a single server", "rs.initiate()")
async def single_server(scene, patch):
    await _hello(scene, patch, setName=None)


@case("database.reachable", "no primary")
async def no_primary(scene, patch):
    await _hello(scene, patch, isWritablePrimary=False, primary=None)


@case(
    "database.write_concern", "1 of 3 members are healthy: a majority of 2 cannot", "rs.status()"
)
async def two_members_gone(_, patch):
    _members(patch, Members(total=3, healthy=1, majority=2))


@case("database.write_concern", "2 of 3 members are healthy", verdict="warning")
async def one_member_gone(_, patch):
    _members(patch, Members(total=3, healthy=2, majority=2))


@case("database.indexes", "missing: carts.expiresAt_1", "comanda doctor --fix")
async def index_gone(scene, _):
    await _reindexed(scene)
    await _rows(scene, CartDocument).drop_index("expiresAt_1")


@case("database.indexes", "otherwise than declared: carts.expiresAt_1", "dropIndex('expiresAt_1')")
async def index_of_another_kind(scene, _):
    await _reindexed(scene)
    rows = _rows(scene, CartDocument)
    await rows.drop_index("expiresAt_1")
    await rows.create_index("expiresAt", expireAfterSeconds=3600)
    scene.undo.append(lambda: rows.drop_index("expiresAt_1"))


@case("database.indexes", "of an earlier version: inbox.state_1_due_1", verdict="warning")
async def index_of_an_earlier_version(scene, _):
    await _reindexed(scene)
    await _rows(scene, InboxDocument).create_index([("state", 1), ("due", 1)])


@case("database.ttl", "TTL monitor is switched off", "ttlMonitorEnabled: true")
async def monitor_off(_, patch):
    async def off(_):
        return False

    patch.setattr("engine.doctor.database.is_ttl_running", off)


@case("database.ttl", "still there: carts (1)")
async def overdue_cart(scene, _):
    # The server would remove what has expired: the doctor's clock is ahead.
    scene.later(seconds=OVERDUE.total_seconds() + 3600)
    at = datetime.now(UTC) + timedelta(minutes=30)
    await scene.insert(
        CartDocument,
        {"sessionId": "1", "subDomain": PIZZERIA, "items": [], "subtotal": 0, "expiresAt": at},
    )


@case("database.clock", "s behind ours", "NTP")
async def clock_ahead(scene, _):
    scene.later(seconds=30)


@case("database.clock", "s ahead of ours", verdict="warning")
async def clock_behind(scene, _):
    scene.later(seconds=-1.5)


# Content -----------------------------------------------------------------------------------------


@case("content.files", "they have 1 mistakes, the first: x.yaml:1:1", "comanda check la-tavola")
async def wrong_files(scene, _):
    mistake = Problem(Span("x.yaml"), "wrong-value", "it is wrong")
    scene.bundles[PIZZERIA] = SpecError([mistake])


@case("content.staff", "waits in silence", "tenants/la-tavola/tenant.yaml", verdict="warning")
async def nobody_to_call(scene, _):
    bundle = scene.ground.engine.bundles.get(PIZZERIA)
    tenant = bundle.tenant.model_copy(update={"staff": Staff()})
    scene.bundles[PIZZERIA] = replace(bundle, tenant=tenant)


@case("content.served", "version 1 is live; the folder says something else", verdict="warning")
async def other_version(scene, _):
    await _live(scene, digest="another")


@case("content.served", "version 3 is live, and is not stored")
async def lost_version(scene, _):
    await scene.insert(LiveDocument, {"_id": PIZZERIA, "number": 3, "moves": 1, "at": _now()})


# Business ----------------------------------------------------------------------------------------


@case("business.document", "nobody is answered", "comanda seed la-tavola")
async def no_business(scene, _):
    await scene.remove(BusinessDocument)


@case("business.document", "one with the subDomain 'La_Tavola'", "as 'la-tavola'")
async def misspelled_business(scene, _):
    await scene.change(BusinessDocument, {"$set": {"subDomain": "La_Tavola"}})


@case("business.active", "isActive not true", "isActive: true")
async def inactive_business(scene, _):
    await scene.change(BusinessDocument, {"$set": {"isActive": False}})


@case("business.active", "whatsappEnabled not true")
async def without_whatsapp(scene, _):
    await scene.change(BusinessDocument, {"$unset": {"whatsappEnabled": ""}})


@case("business.numbers", "it has none", "phone_number_ids")
async def no_numbers(scene, _):
    await scene.change(BusinessDocument, {"$set": {"whatsappPhoneNumberIds": []}})


@case("business.numbers", "+1 212: Meta's id is wanted")
async def the_number_itself(scene, _):
    await scene.change(BusinessDocument, {"$set": {"whatsappPhoneNumberIds": ["+1 212"]}})


@case("business.numbers", "another business has 106540352242922, too", "left to chance")
async def shared_number(scene, _):
    scene.tenant = TAQUERIA
    both = [NUMBERS[TAQUERIA], NUMBERS[PIZZERIA]]
    await scene.change(BusinessDocument, {"$set": {"whatsappPhoneNumberIds": both}})


@case("business.numbers", "tenant.yaml has 106540352242922, too", verdict="warning")
async def other_number(scene, _):
    await scene.change(BusinessDocument, {"$set": {"whatsappPhoneNumberIds": ["77"]}})


@case("business.account", "wabaId is not set", "waba_id")
async def no_account(scene, _):
    await scene.change(BusinessDocument, {"$unset": {"wabaId": ""}})


@case("business.account", "wabaId is not an id of Meta's")
async def odd_account(scene, _):
    await scene.change(BusinessDocument, {"$set": {"wabaId": "../me"}})


@case("business.portfolio", "fbBusinessId is not set: no catalogue", "business_id")
async def no_portfolio(scene, _):
    await scene.change(BusinessDocument, {"$set": {"fbBusinessId": None}})


@case("business.token", "nothing can be sent", "comanda seed la-tavola --token")
async def no_token(scene, _):
    await scene.change(BusinessDocument, {"$set": {"accessToken": ""}})


@case("business.token", "another ENCRYPTION_SECRET")
async def other_secret(scene, _):
    sealed = Vault("another secret").seal("token")
    await scene.change(BusinessDocument, {"$set": {"accessToken": sealed}})


@case("business.token", "not sealed")
async def plain_token(scene, _):
    await scene.change(BusinessDocument, {"$set": {"accessToken": "EAAG-in-clear"}})


@case("business.token", "an earlier secret opens it", "comanda secrets rotate", verdict="warning")
async def rotated_secret(scene, _):
    now = scene.settings.encryption_secret.get_secret_value()
    scene.set(encryption_secret="the next secret", encryption_secret_previous=now)


# Menu --------------------------------------------------------------------------------------------


@case("menu.spelling", "6 documents under 'la_tavola'", "subDomain as 'la-tavola'")
async def other_spelling(scene, _):
    await scene.change(CategoryDocument, {"$set": {"subDomain": "la_tavola"}})


@case("menu.categories", "there are none: the menu is empty", "comanda seed la-tavola")
async def no_categories(scene, _):
    await scene.remove(CategoryDocument)


@case("menu.categories", "0 of 6 categories active: isActive hides them all")
async def hidden_categories(scene, _):
    await scene.change(CategoryDocument, {"$set": {"isActive": False}})


@case("menu.categories", "1 without rId or name are passed over", verdict="warning")
async def nameless_category(scene, _):
    await scene.change(CategoryDocument, {"$unset": {"name": ""}}, rId="cat:pizza")


@case("menu.products", "there are none: the menu is empty", "comanda seed la-tavola")
async def no_products(scene, _):
    await scene.remove(ProductDocument)


@case("menu.products", "the menu is empty: 47 products: isActive is false")
async def hidden_products(scene, _):
    await scene.change(ProductDocument, {"$set": {"isActive": False}})


@case("menu.products", "customers see 47 of 47 products, and can buy none: 47 products: isAvail")
async def sold_out_products(scene, _):
    await scene.change(ProductDocument, {"$set": {"isAvailable": False}})


@case("menu.products", "the menu is empty: 47 products: their category is not there or not active")
async def products_without_shelf(scene, _):
    await scene.change(CategoryDocument, {"$set": {"isActive": False}})


@case("menu.products", "1 product: they cannot be read", verdict="warning")
async def half_written_product(scene, _):
    await scene.change(ProductDocument, {"$unset": {"basePrice": ""}}, rId="prod:margherita")


@case("menu.presentations", "have no size that is available")
async def no_sizes_available(scene, _):
    await scene.change(PresentationDocument, {"$set": {"isAvailable": False}})


@case("menu.presentations", "products name what is not there: pres:", "comanda seed la-tavola")
async def sizes_not_there(scene, _):
    await scene.remove(PresentationDocument, productId="prod:margherita")


@case("menu.modifiers", "need more add-ons than are available")
async def no_add_ons_available(scene, _):
    await scene.change(ModifierDocument, {"$set": {"isAvailable": False}})


@case("menu.modifiers", "products name what is not there: mod:extra-cheese")
async def add_on_not_there(scene, _):
    await scene.remove(ModifierDocument, rId="mod:extra-cheese")


@case("menu.fields", "cannot be sold: prod:margherita (it has no price)", "imageUrl")
async def no_price(scene, _):
    await scene.change(ProductDocument, {"$unset": {"basePrice": ""}}, rId="prod:margherita")


# Access token ------------------------------------------------------------------------------------


@case(
    "access.valid", "Meta does not take it: Invalid OAuth access token", "seed la-tavola --token"
)
async def unknown_token(scene, _):
    sealed = scene.ground.engine.vault.seal("nobody's token")
    await scene.change(BusinessDocument, {"$set": {"accessToken": sealed}})


@case("access.valid", "Session has expired")
async def expired_token(scene, _):
    await scene.access(expires_at=1_700_000_000)


@case("access.valid", "Meta refuses", verdict="failed")
async def meta_away(scene, _):
    scene.set(whatsapp_api_version="v12.0")


@case("access.expiry", "it expires on", "never expires", verdict="warning")
async def expires_soon(scene, _):
    await scene.access(expires_at=_seconds(days=5))


@case("access.expiry", "it expired on")
async def data_expired(scene, _):
    await scene.access(data_access_expires_at=_seconds(days=-1))


@case("access.permissions", "it lacks catalog_management", "system user")
async def missing_permission(scene, _):
    await scene.access(scopes=["whatsapp_business_management", "whatsapp_business_messaging"])


@case("access.permissions", "not for the WhatsApp account 102290129340398")
async def other_account(scene, _):
    await scene.access(accounts=["1"])


# Numbers -----------------------------------------------------------------------------------------


@case("phone.readable", "77: Meta refuses it", "WhatsApp Manager, Phone numbers")
async def foreign_number(scene, _):
    await scene.change(BusinessDocument, {"$set": {"whatsappPhoneNumberIds": ["77"]}})


@case("phone.readable", "106540352242922 is PENDING", "must be registered")
async def pending_number(scene, _):
    await scene.number(status="PENDING")


@case("phone.readable", "not on the Cloud API but on ON_PREMISE")
async def number_elsewhere(scene, _):
    await scene.number(platform_type="ON_PREMISE")


@case("phone.readable", "display name of 106540352242922 was declined", verdict="warning")
async def declined_name(scene, _):
    await scene.number(name_status="DECLINED")


@case("phone.quality", "106540352242922: RED")
async def bad_quality(scene, _):
    await scene.number(quality_rating="RED")


@case("phone.quality", "106540352242922: YELLOW", verdict="warning")
async def doubtful_quality(scene, _):
    await scene.number(quality_rating="YELLOW")


@case("phone.commerce", "the catalogue is hidden and the cart is switched off", "dona-lucha --fix")
async def hidden_catalog(scene, _):
    await _hide(scene)


# Webhook -----------------------------------------------------------------------------------------


@case("webhook.ready", "nobody answers there", "comanda serve")
async def no_server(scene, _):
    scene.set(public_url=NOBODY)


@case("webhook.ready", "answers HTTP 404: it is no server of Comanda")
async def other_server(scene, _):
    await _served(scene)


@case("webhook.ready", "it is not ready: the database is away")
async def unready_server(scene, _):
    async def unready(_):
        return PlainTextResponse("the database is away", 503)

    await _served(scene, Route("/health/ready", unready))


@case("webhook.verification", "GET /whatsapp_response answers HTTP 403, not the challenge")
async def other_verify_token(scene, _):
    scene.set(meta_webhook_verify_token="another token")


@case("webhook.verification", "takes any verify token")
async def credulous_server(scene, _):
    async def echo(request):
        return PlainTextResponse(request.query_params["hub.challenge"])

    await _served(scene, *_webhooks(echo, "GET"))


@case("webhook.verification", "was asked too often", "in a minute", verdict="warning")
async def limited_server(scene, _):
    async def later(_):
        return PlainTextResponse("later", 429)

    await _served(scene, *_webhooks(later, "GET"))


@case("webhook.signature", "signed, answers HTTP 401", "META_APP_SECRET")
async def other_app_secret(scene, _):
    scene.set(meta_app_secret="another secret")


@case("webhook.signature", "wrongly signed, answers 200")
async def careless_server(scene, _):
    async def take(_):
        return PlainTextResponse("OK")

    await _served(scene, *_webhooks(take, "POST"))


@case("webhook.subscribed", "no message of a customer comes", "comanda doctor la-tavola --fix")
async def no_subscription(scene, _):
    await _unsubscribe(scene)


@case("webhook.subscribed", "posted to https://elsewhere.example/hook", verdict="warning")
async def subscribed_elsewhere(scene, _):
    edge = f"{WABAS[PIZZERIA]}/subscribed_apps"
    body = {"override_callback_uri": "https://elsewhere.example/hook", "verify_token": "x"}
    await scene.graph("POST", edge, json=body)
    scene.undo.append(lambda: scene.graph("POST", edge))


@case("webhook.subscribed", "the access token needs the permission")
async def may_not_ask(scene, _):
    await scene.access(scopes=["whatsapp_business_messaging"])


@case("webhook.fields", "the bot talks into what staff types", "--fix", verdict="warning")
async def echoes_unsubscribed(scene, _):
    await _deaf(scene, "smb_message_echoes")


@case("webhook.fields", "not subscribed to messages, smb_message_echoes: nothing comes", "--fix")
async def nothing_subscribed(scene, _):
    await _deaf(scene, *FIELDS)


@case("webhook.fields", "Meta does not tell which app", "dashboard", verdict="warning")
async def nameless_app(scene, patch):
    patch.setattr("engine.sandbox.debug_token.APP_ID", "")


@case("webhook.fields", "This method must be called with an app access_token")
async def secret_of_another_app(scene, _):
    scene.set(meta_app_secret="the secret of another app")


# Catalogues --------------------------------------------------------------------------------------


@case("catalogs.mapping", "without a catalogue: cat:", "comanda sync la-tavola")
async def unmapped_categories(scene, _):
    await scene.change(BusinessDocument, {"$unset": {"fbCatalogMapping": ""}})


@case("catalogs.mapping", "catalog.mode is single, and '*' is not in fbCatalogMapping")
async def unmapped_single(scene, _):
    scene.tenant = TAQUERIA
    await scene.change(BusinessDocument, {"$set": {"fbCatalogMapping": {"cat:x": "1"}}})


@case("catalogs.there", "not there, or not for this token: cat:pizza (404)", "fbCatalogMapping")
async def catalog_gone(scene, _):
    await scene.change(BusinessDocument, {"$set": {"fbCatalogMapping.cat:pizza": "404"}})


@case("catalogs.connected", "no product list can be sent", "comanda sync dona-lucha")
async def unconnected(scene, _):
    scene.tenant = TAQUERIA
    await _disconnect(scene)


@case("catalogs.connected", "another one is", "disconnect it")
async def other_catalog(scene, _):
    scene.tenant = TAQUERIA
    await scene.change(BusinessDocument, {"$set": {"fbCatalogMapping": {"*": "1"}}})


@case("catalogs.sync", "it never ran", "comanda sync la-tavola")
async def never_synced(scene, _):
    await scene.keep(SyncRunDocument)
    await _rows(scene, SyncRunDocument).delete_many({})


@case("catalogs.sync", "it is blocked: the token is old")
async def blocked(scene, _):
    await scene.keep(SyncRunDocument)
    alert = {"code": 190, "sentence": "the token is old", "since": _now(), "token": ""}
    change = {"$set": {"alert": alert, "heldUntil": _now() + timedelta(days=1)}}
    await _rows(scene, SyncRunDocument).update_one({"_id": PIZZERIA}, change)


@case("catalogs.sync", "prod:margherita: ", "comanda sync la-tavola")
async def refused_product(scene, _):
    await scene.keep(SyncStateDocument)
    found = {"tenant": PIZZERIA, "product": "prod:margherita"}
    change = {"$set": {"status": "failed", "error": "IMAGE_FETCH_FAILED"}}
    await _rows(scene, SyncStateDocument).update_one(found, change)


@case("catalogs.sync", "nobody has looked for 48 hours", "CATALOG_SYNC", verdict="warning")
async def stale_sync(scene, _):
    await scene.keep(SyncStateDocument)
    await _rows(scene, SyncStateDocument).delete_many({"status": "refused"})
    scene.later(hours=48, minutes=5)


# Flows -------------------------------------------------------------------------------------------


@case("flows.key", "no Flow can be opened", "comanda flows keygen la-tavola")
async def no_flow_key(scene, _):
    await scene.keep(FlowKeyDocument)
    await _rows(scene, FlowKeyDocument).delete_many({"_id": PIZZERIA})


@case("flows.registered", "Meta has one that is not ours", "comanda flows deploy la-tavola")
async def other_flow_key(scene, _):
    await _other_key(scene)


@case("flows.deployed", "checkout:en deployed: it is not deployed", "flows deploy la-tavola")
async def not_deployed(scene, _):
    await scene.keep(DeploymentDocument)
    await _rows(scene, DeploymentDocument).delete_many({"tenant": PIZZERIA})


@case("flows.deployed", "fbFlowMapping does not lead to")
async def unmapped_flow(scene, _):
    await scene.change(BusinessDocument, {"$set": {"fbFlowMapping": {}}})


@case("flows.deployed", "Meta says BLOCKED")
async def blocked_flow(scene, _):
    flows = (await scene.ground.sandbox.get("/sandbox/flows")).json()
    mine = next(flow["id"] for flow in flows if flow["waba_id"] == WABAS[PIZZERIA])
    await scene.keep(DeploymentDocument)
    await scene.sandbox(f"flows/{mine}", status="BLOCKED")
    scene.undo.append(lambda: scene.sandbox(f"flows/{mine}", status="PUBLISHED"))


@case("flows.endpoint", "the server found the signature wrong", "comanda serve")
async def server_with_another_secret(scene, patch):
    scene.set(meta_app_secret="another secret")


# What waits --------------------------------------------------------------------------------------


@case("backlog.inbox", "1 message wait for their turn", "--role worker")
async def late_inbox(scene, _):
    await scene.insert(InboxDocument, _waiting("inbox", "new", late=600))


@case("backlog.outbox", "1 message wait to be sent", verdict="warning")
async def late_outbox(scene, _):
    await scene.insert(OutboxDocument, _waiting("outbox", "queued", late=30))


@case("backlog.unanswered", "2 dead", "comanda inbox list la-tavola --state dead")
async def dead_messages(scene, _):
    await scene.insert(
        InboxDocument,
        *(_waiting(name, "dead") for name in "ab"),
        _waiting("c", "dead", tenant=TAQUERIA),
    )


@case("backlog.unsent", "1 dead, 1 held", "comanda outbox list la-tavola")
async def dead_entries(scene, _):
    await scene.insert(OutboxDocument, _waiting("a", "dead"), _waiting("b", "held"))


@case("backlog.unsent", "1 failed", verdict="warning")
async def failed_entries(scene, _):
    await scene.insert(OutboxDocument, _waiting("a", "failed"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.name}")
async def test_what_is_broken_is_found(case, scene, monkeypatch):
    await case.break_(scene, monkeypatch)
    found = await scene.ask(case.code)
    assert (found.verdict, case.said in found.reason) == (case.verdict, True), found
    assert found.remedy
    assert case.remedy in found.remedy, found.remedy


def test_each_check_is_broken_once():
    assert {case.code for case in CASES} == set(ALL.checks)
    first = {each.code for each in CASES if each.verdict in ("failed", "warning")}
    assert first == set(ALL.checks)


# What the tests above break ----------------------------------------------------------------------


def _now():
    return datetime.now(UTC)


def _seconds(**ahead):
    return int((_now() + timedelta(**ahead)).timestamp())


def _rows(scene, document):
    return scene.ground.engine.database.collection(document)


async def _hello(scene, patch, **changes):
    """Let the server answer `hello` otherwise; no embedded server is not in a replica set."""
    admin = scene.ground.engine.database.client.admin
    held = admin.command

    class Admin:
        async def command(self, asked, *more, **options):
            answer = await held(asked, *more, **options)
            if asked != "hello":
                return answer
            changed = answer | changes
            return {key: value for key, value in changed.items() if value is not None}

    patch.setattr(type(scene.ground.engine.database.client), "admin", Admin(), raising=False)


def _members(patch, found):
    async def told(_):
        return found

    patch.setattr("engine.doctor.database.members", told)


async def _reindexed(scene):
    """Have all indexes again when the test is over."""
    scene.undo.append(scene.ground.engine.database.prepare)


async def _live(scene, *, digest):
    for document in (LiveDocument, VersionDocument):
        await scene.keep(document)
    version = Version(PIZZERIA, 0, digest, {}, _now())
    await MongoVersions(scene.ground.engine.database).publish(version, {}, instead_of=None)


async def _hide(scene):
    scene.tenant = TAQUERIA
    edge = f"{NUMBERS[TAQUERIA]}/whatsapp_commerce_settings"
    await scene.graph("POST", edge, params=dict.fromkeys(SHOWN, "false"))
    again = dict.fromkeys(SHOWN, "true")
    scene.undo.append(lambda: scene.graph("POST", edge, params=again))


async def _unsubscribe(scene):
    edge = f"{WABAS[PIZZERIA]}/subscribed_apps"
    await scene.graph("DELETE", edge)
    scene.undo.append(lambda: scene.graph("POST", edge))


async def _deaf(scene, *fields):
    app = app_of(scene)
    await app("DELETE", fields=",".join(fields))
    callback = f"{scene.settings.public_url}/whatsapp_response"
    token = scene.settings.meta_webhook_verify_token.get_secret_value()
    again = {"callback_url": callback, "verify_token": token, "fields": ",".join(FIELDS)}
    scene.undo.append(lambda: app("POST", **again))


async def _disconnect(scene):
    edge = f"{WABAS[TAQUERIA]}/product_catalogs"
    (connected,) = (await scene.graph("GET", edge)).json()["data"]
    asked = {"catalog_id": connected["id"]}
    await scene.graph("DELETE", edge, params=asked)
    scene.undo.append(lambda: scene.graph("POST", edge, params=asked))


async def _other_key(scene):
    await scene.keep(FlowKeyDocument)
    engine = scene.ground.engine
    keys = MongoFlowKeys(engine.database, vault=engine.vault, clock=SystemClock(), default=None)
    await keys.save(PIZZERIA, await asyncio.to_thread(FlowKey.generate))


async def _served(scene, *routes):
    """Put another server where PUBLIC_URL leads."""
    holder = serving(Starlette(routes=list(routes)))
    scene.set(public_url=await holder.__aenter__())
    scene.undo.append(lambda: holder.__aexit__(None, None, None))


def _webhooks(answer, method):
    return [
        Route(path, answer, methods=[method]) for path in ("/whatsapp_response", "/meta/webhook")
    ]


def _waiting(name, state, *, late=0.0, tenant=PIZZERIA):
    at = _now() - timedelta(seconds=late)
    return {
        "_id": f"doctor:{name}", "tenant": tenant, "customer": "1", "slot": 0, "timestamp": 0,
        "receivedAt": at, "createdAt": at, "raw": {}, "payload": {}, "attempts": 0, "state": state,
        "due": at, "sequence": 0, "phoneNumberId": "1",
    }  # fmt: skip
