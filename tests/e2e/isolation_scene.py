"""Two shops in one database, each with something of everything; all that is one's says so.

Whatever is given to one of them from the other's, nothing of the other's may come back or change.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import engine.storage
from engine.clock import ManualClock, SeededIds
from engine.domain.cart import Cart
from engine.domain.ids import CustomerKey, OrderNumber, ProductId, TenantId
from engine.domain.order import OrderStatus
from engine.domain.tenant import Staff, Tenant
from engine.errors import EngineError
from engine.runtime.recording import Recorder
from engine.runtime.staff import TurnStaff
from engine.storage.connection import Database
from engine.storage.erasure import MongoErasure
from engine.storage.handoffs import MongoMuted
from engine.storage.inbox import MongoInbox
from engine.storage.operator_orders import MongoOperatorOrders
from engine.storage.operator_rows import MongoInboxRows, MongoOutboxRows
from engine.storage.outbox import MongoOutbox
from engine.storage.recordings import Readings
from engine.storage.records import DOCUMENTS
from engine.storage.repositories import MongoTenantStore
from engine.storage.secrets import Vault
from engine.storage.seeding import seed
from engine.storage.sync import MongoSync
from engine.storage.turn_logs import MongoTurnLogs
from engine.sync.ports import SINGLE
from engine.turn import Turn
from tests.unit.storage.builders import (
    MARGHERITA,
    NOW,
    TENANT,
    USD,
    conversation,
    deployment,
    flow_message,
    flow_session,
    inbox_row,
    menu,
    order,
    outbox_entry,
    timer,
    turn,
)
from tests.unit.storage.sync_builders import catalogue, item, mark
from tests.unit.storage.test_recordings import WHOLE

OURS, THEIRS = TenantId("ours"), TenantId("theirs")
SHARED = CustomerKey("51999000111")
"""A customer of both shops, with the same phone number."""
RETENTION = timedelta(days=30)
Json = dict[str, Any]


@dataclass(frozen=True)
class Shop:
    """One shop: its ids and texts all have its name in them.

    Args:
        tag: in lower case, and in no other shop's ids.
    """

    tenant: TenantId
    tag: str

    @property
    def customer(self) -> CustomerKey:
        return CustomerKey(f"PE.{self.tag}")

    @property
    def product(self) -> ProductId:
        return ProductId(f"prod:{self.tag}")

    @property
    def number(self) -> OrderNumber:
        return OrderNumber(f"{self.tag.upper()}1")

    @property
    def session_id(self) -> str:
        return f"session-{self.tag}"

    def row(self, name: str) -> str:
        """The id of one of its inbox rows."""
        return f"111:{self.tag}.{name}"

    def talk(self, customer: CustomerKey, version: int = 1) -> Any:
        made = conversation(version, tenant=self.tenant, customer=customer, secret=self.tag)
        return replace(made, name=self.tag)

    def entry(self, name: str, customer: CustomerKey, n: int = 0) -> Any:
        made = outbox_entry(f"{self.tag}.{name}", n, tenant=self.tenant, customer=customer)
        return replace(made, sequence=100 + n, payload=flow_message(f"{self.tag}-token"))

    def order(self, number: str, customer: CustomerKey) -> Any:
        placed = order(number, customer=customer)
        return replace(placed, customer_name=self.tag, notes=self.tag)

    def session(self, **changes: Any) -> Any:
        return flow_session(
            tenant=self.tenant, customer=self.customer, id=self.session_id,
            variables={"secret": self.tag}, **changes,
        )  # fmt: skip

    def deployed(self) -> Any:
        return deployment(
            tenant=self.tenant, meta_id=f"meta-{self.tag}", name=self.tag, endpoint=self.tag
        )

    def item(self, name: str = "sent", **changes: Any) -> Any:
        made = item(
            self.product, f"{self.tag}-{name}", digest=self.tag, batch=f"batch-{self.tag}",
            error=self.tag, catalog_id=f"catalog-{self.tag}", status=name,
        )  # fmt: skip
        return replace(made, **changes)

    def record(self, customer: CustomerKey, name: str, number: str, **writes: Any) -> Any:
        """A turn that writes something everywhere."""
        made = turn(
            f"{self.tag}.{name}",
            self.talk(customer),
            cart=Cart((replace(MARGHERITA, name=self.tag),), NOW + timedelta(hours=24)),
            orders=(self.order(number, customer),),
            outbox=(self.entry(name, customer), self.entry(name, customer, 1)),
            timers=(timer(f"{self.tag}-{name}", tenant=self.tenant, customer=customer),),
            **writes,
        )
        recording = replace(WHOLE, conversation=self.talk(customer))
        return replace(made, log=replace(made.log, error=self.tag, recording=recording))


PHONE = "51999111222"
"""Of every customer of `conversation`."""
US, THEM = Shop(OURS, "elm"), Shop(THEIRS, "yew")


async def fill(database: Database, shop: Shop) -> None:
    """Write something of everything."""
    vault, sync = Vault("a secret of the tests"), MongoSync(database)
    await seed(database, shop.tenant, _settings(shop), _menu(shop), vault=vault,
               access_token=f"EAA{shop.tag}", local_id=shop.tag)  # fmt: skip
    store = MongoTenantStore(
        database, tenant=shop.tenant, currency=USD, local_id=shop.tag, retention=RETENTION
    )
    own = shop.record(shop.customer, "own", shop.number, flow_sessions=(shop.session(),))
    notice = replace(
        shop.entry("staff", shop.customer, 2), about=shop.customer, handoff=f"handoff-{shop.tag}"
    )
    own = replace(own, outbox=(*own.outbox, notice))
    # Whoever counts, counts another number for each.
    more = ("dead2", "dead3") if shop.tenant == THEIRS else ()
    await _accept(database, shop, shop.customer, "own", "new", "dead", *more)
    await _accept(database, shop, SHARED, "shared")
    await store.commit(own)
    shared = shop.record(SHARED, "shared", f"{shop.tag.upper()}2")
    await store.commit(shared)
    clock = ManualClock(NOW)
    outbox = MongoOutbox(database, clock=clock)
    await outbox.sent(own.outbox[0], wamid=f"wamid.{shop.tag}", at=NOW)
    await outbox.bury(own.outbox[1], error=shop.tag)
    if more:
        await outbox.bury(shared.outbox[1], error=shop.tag)
    await store.deployments.save(shop.deployed())
    await sync.states(shop.tenant).put([shop.item(name) for name in ("sent", "failed", "synced")])
    if more:
        await sync.states(shop.tenant).put([replace(shop.item(), product=ProductId("prod:more"))])
    readings = Readings(database, shop.tenant, retention=RETENTION)
    await readings.keep({f"digest-{shop.tag}": shop.tag}, at=NOW)
    await sync.catalogs.save(
        catalogue(tenant=shop.tenant, catalog_id=f"catalog-{shop.tag}", name=shop.tag,
                  connection=shop.tag)
    )  # fmt: skip
    await sync.marks.add([mark(f"mark-{shop.tag}", shop.product, tenant=shop.tenant)])
    await sync.feed.close()


async def _accept(database: Database, shop: Shop, customer: CustomerKey, *names: str) -> None:
    inbox = MongoInbox(database, clock=ManualClock(NOW))
    rows = [
        replace(
            inbox_row(f"{shop.tag}.{name}", tenant=shop.tenant, customer=customer),
            raw={"phone_number_id": "111", "contact": {}, "message": _text(shop)},
        )
        for name in names
    ]
    await inbox.accept(rows)
    for row in rows:
        if ".dead" in row.id:
            await inbox.bury(row, error=shop.tag)


def _text(shop: Shop) -> Json:
    return {"id": "w", "from": PHONE, "type": "text", "text": {"body": shop.tag}}


def _settings(shop: Shop) -> Tenant:
    changes = {"name": shop.tag, "phone_number_ids": (f"num-{shop.tag}",)}
    # Whoever acts is one of the staff, too.
    return TENANT.model_copy(update={**changes, "staff": Staff(phone=PHONE)})


def _menu(shop: Shop) -> Any:
    """A menu with products of its own, and one that both shops call the same."""
    size = {"name": f"Large {shop.tag}", "price": "14.50"}
    offered = {
        "name": f"Pizza {shop.tag}", "category": "cat:pizza", "price": "12",
        "description": shop.tag, "groups": ["group:crust"],
        "presentations": {f"size:{shop.tag}": size},
    }  # fmt: skip
    same = {"name": f"Same {shop.tag}", "category": f"cat:{shop.tag}", "price": "3"}
    add_ons = {f"mod:{shop.tag}": {"name": f"Crust {shop.tag}"}}
    return menu(
        categories={"cat:pizza": {"name": shop.tag}, f"cat:{shop.tag}": {"name": shop.tag}},
        groups={"group:crust": {"name": f"Crust {shop.tag}", "minimum": 1, "modifiers": add_ons}},
        products={shop.product: offered, "prod:same": same},
    )


def bound(database: Database, tenant: TenantId) -> dict[str, Any]:
    """Everything that is made for one tenant, by the name of its kind."""
    store = MongoTenantStore(database, tenant=tenant, currency=USD, retention=RETENTION)
    sync = MongoSync(database)
    catalog: Any = store.catalog
    made = (
        store, store.catalog, store.carts, store.orders, store.conversations, store.flow_sessions,
        store.deployments, store.native, store._work, catalog._reader,
        MongoInboxRows(database, tenant), MongoOutboxRows(database, tenant),
        MongoErasure(database, tenant), MongoTurnLogs(database, tenant),
        Readings(database, tenant, retention=RETENTION), sync.states(tenant),
        sync.sellables(tenant, USD), MongoOperatorOrders(database, tenant, currency=USD),
        store.handoffs, MongoMuted(database, tenant, states={"menu"}),
    )  # fmt: skip
    return {type(each).__name__: each for each in made}


TENANT_WORDS = ("TenantId", "TenantCollection", "Tables")
NOT_CALLED = {
    # What all others are made of; tests/unit/storage/test_tenancy.py calls each of its methods.
    "TenantCollection", "Tables",
}  # fmt: skip


@cache
def kinds() -> Mapping[str, type]:
    """Every class of the storage that is made for one tenant, or of one tenant's collections."""
    found: dict[str, type] = {}
    for module in pkgutil.iter_modules(engine.storage.__path__):
        loaded = importlib.import_module(f"engine.storage.{module.name}")
        for name, kind in vars(loaded).items():
            if inspect.isclass(kind) and kind.__module__ == loaded.__name__:
                wanted = inspect.signature(kind.__init__).parameters.values()
                words = " ".join(str(each.annotation) for each in wanted)
                if any(word in words for word in TENANT_WORDS) and not name.startswith("_"):
                    found[name] = kind
    return found


def methods() -> list[tuple[str, str]]:
    """Every public method of every kind."""
    return [
        (name, method)
        for name, kind in sorted(kinds().items())
        if name not in NOT_CALLED
        for method, _ in inspect.getmembers(kind, inspect.isfunction)
        if not method.startswith("_")
    ]


# What each argument is, given from a shop: by method and name, else by name.
Given = Callable[[Shop], Any]
GIVEN: Mapping[str, Given] = {
    "customer": lambda shop: shop.customer,
    "who": lambda shop: shop.customer,
    "product_id": lambda shop: shop.product,
    "category_id": lambda shop: f"cat:{shop.tag}",
    "category": lambda shop: f"cat:{shop.tag}",
    "products": lambda shop: [shop.product],
    "number": lambda shop: shop.number,
    "status": lambda shop: OrderStatus.CONFIRMED,
    "statuses": lambda shop: tuple(OrderStatus),
    "session_id": lambda shop: shop.session_id,
    "session": lambda shop: shop.session(version=1),
    "wamid": lambda shop: f"wamid.{shop.tag}",
    "row_id": lambda shop: shop.row("dead"),
    "record": lambda shop: shop.record(
        CustomerKey(f"{shop.tag}-3"), "new", f"{shop.tag.upper()}3"
    ),
    "deployment": lambda shop: replace(shop.deployed(), digest="d2"),
    "meta_id": lambda shop: f"meta-{shop.tag}",
    "catalog": lambda shop: SINGLE,
    "batch": lambda shop: f"batch-{shop.tag}",
    "states": lambda shop: [shop.item(document="another")],
    "faults": lambda shop: {f"{shop.tag}-sent": "it is wrong"},
    "documents": lambda shop: [
        {
            "rId": shop.product, "name": "x", "categoryId": "c", "basePrice": 1, "_id": 1,
            "presentations": [f"size:{shop.tag}"],
            "modifiers": [
                {"groupId": "g", "name": "g", "min": 0, "max": 1, "type": "single",
                 "modifiers": [f"mod:{shop.tag}"]}
            ],
        }
    ],
    "reason": lambda shop: "it rains",
    "now": lambda shop: NOW,
    "at": lambda shop: NOW,
    "until": lambda shop: NOW + timedelta(days=1),
    "limit": lambda shop: 50,
    "after": lambda shop: None,
    "handoff": lambda shop: f"handoff-{shop.tag}",
    "phone": lambda shop: PHONE,
    "texts": lambda shop: {f"another-{shop.tag}": shop.tag},
    "wanted": lambda shop: [f"digest-{shop.tag}"],
    "MongoInboxRows.list.states": lambda shop: ("new", "dead", "done"),
    "MongoOutboxRows.list.states": lambda shop: ("queued", "dead", "sent"),
    "MongoOutboxRows.show.row_id": lambda shop: f"{shop.row('own')}:1",
    "MongoOutboxRows.retry.row_id": lambda shop: f"{shop.row('own')}:1",
    "MongoOutboxRows.discard.row_id": lambda shop: f"{shop.row('own')}:1",
    "MongoDeployments.hold.status": lambda shop: "BLOCKED",
}  # fmt: skip


def arguments(kind: str, method: str, shop: Shop) -> dict[str, Any]:
    """Give the arguments of a method from a shop's ids.

    Raises:
        AssertionError: nobody has said what one of them is.
    """
    function = getattr(kinds()[kind], method)
    given: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        name = parameter.name
        known = GIVEN.get(f"{kind}.{method}.{name}") or GIVEN.get(name)
        assert known, f"{kind}.{method}: say in GIVEN what a shop's '{name}' is"
        given[name] = known(shop)
    return given


async def told(target: Any, method: str, given: Mapping[str, Any]) -> object:
    """Call a method; what it refuses is nothing told."""
    function = getattr(target, method)
    parameters = inspect.signature(function).parameters.values()
    # A parameter may be positional only by habit: none of ours is by force.
    by_name = {each.name: given[each.name] for each in parameters}
    try:
        return await function(**by_name)
    except (EngineError, ValueError) as error:
        return type(error)


# What a method says that is not what it was given: some say that again.
SAID: Mapping[tuple[str, str], Callable[[Any], object]] = {
    ("MongoErasure", "forget"): lambda gone: (gone.removed, gone.anonymised),
    ("ProductReader", "read"): lambda read: [
        (each.product.presentations, each.product.groups) for each in read
    ],
}


def said(kind: str, method: str, answer: object) -> str:
    """Give what a method says, in words; without what was only given to it."""
    known = SAID.get((kind, method))
    return repr(known(answer) if known else answer).lower()


async def rows_of(database: Database, shop: Shop) -> Json:
    """Give all that is stored of a shop, by collection."""
    held: Json = {}
    for document in DOCUMENTS:
        name = document.get_collection_name()
        found = await database.collection(document).find().sort("_id", 1).to_list()
        held[name] = [
            row
            for row in found
            if shop.tenant in (row.get("tenant"), row.get("subDomain"), row["_id"])
        ]
    return held


class Street:
    """The database with both shops; what a test has changed is made good for the next one."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._whole: tuple[Json, Json] | None = None

    async def mend(self) -> None:
        """Make it as it was, if it is not."""
        if self._whole is not None and await self._held() == self._whole:
            return
        for document in DOCUMENTS:
            await self.database.collection(document).delete_many({})
        for shop in (US, THEM):
            await fill(self.database, shop)
        self._whole = await self._held()

    async def _held(self) -> tuple[Json, Json]:
        return await rows_of(self.database, US), await rows_of(self.database, THEM)


# Actions ---------------------------------------------------------------------------------------

WORDS: Mapping[str, Given] = {
    "product": lambda shop: shop.product,
    "presentation": lambda shop: f"size:{shop.tag}",
    "modifiers": lambda shop: (f"mod:{shop.tag}",),
    "modifier": lambda shop: f"mod:{shop.tag}",
    "group": lambda shop: "group:crust",
    "quantity": lambda shop: 1,
    "line": lambda shop: replace(MARGHERITA, name=shop.tag, product_id=shop.product).id,
    "category": lambda shop: f"cat:{shop.tag}",
    "text": lambda shop: f"Pizza {shop.tag}",
    "then": lambda shop: "product_found",
    "to_order": lambda shop: False,
    "flow": lambda shop: "product_customization",
    "names": lambda shop: (f"secret_{shop.tag}",),
    "language": lambda shop: "es",
    "items": lambda shop: (
        {
            "product": shop.product, "presentation": f"size:{shop.tag}", "quantity": 1,
            "price": "14.5", "currency": "USD",
        },
    ),
    "catalog": lambda shop: f"catalog-{shop.tag}",
    "type": lambda shop: "pickup",
    "latitude": lambda shop: None,
    "longitude": lambda shop: None,
    "method": lambda shop: "cash",
    "seen": lambda shop: f"quote-{shop.tag}",
    "number": lambda shop: shop.number,
    "handoff": lambda shop: f"handoff-{shop.tag}",
    "message": lambda shop: "staff_notice",
}  # fmt: skip
"""What each argument of an action is, given from a shop."""

ECHOES = ("sought", "product_id")
"""What an action says again of what it was given."""


class Sends:
    """A desk of Flows that can send any, and signs nothing."""

    phone_number_id = "111"

    def misfit(self, flow: str, product: Any) -> None:
        return None

    async def meta_id(self, flow: str, *, product: str | None, language: str) -> str:
        return "meta-of-nobody"

    def token(self, session: Any) -> str:
        return "token"


def acting(database: Database, shop: Shop, **changes: Any) -> Turn:
    """A turn of a shop's customer, who has a full cart and has begun to choose."""
    store = MongoTenantStore(database, tenant=shop.tenant, currency=USD, retention=RETENTION)
    line = replace(MARGHERITA, name=shop.tag, product_id=shop.product)
    made = Turn(
        tenant=_settings(shop),
        conversation=replace(shop.talk(shop.customer), variables={}),
        cart=Cart((line,), NOW + timedelta(hours=24)),
        catalog=store.catalog,
        orders=store.orders,
        ids=SeededIds(),
        now=NOW,
        terms={},
        flows=Sends(),
        native=store.native,
        staff=TurnStaff(
            _settings(shop), shop.customer, handoffs=store.handoffs, recorder=Recorder()
        ),
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def decided(made: Turn) -> str:
    """All that a turn has found and decided, in words."""
    memory = {name: value for name, value in made.memory.items() if name not in ECHOES}
    return repr((
        memory, made.variables, made.cart, made.orders_placed, made.stock_taken,
    )).lower()  # fmt: skip
