"""What the engine counts, for operators; no label ever holds a customer or a message.

What a label may say is closed: anything else is counted as "other", so that nobody who sends us
something can make series without end.
"""

from collections.abc import Container, Iterable
from typing import Any, Final, Generic, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from engine.domain.order import OrderStatus, OrderType
from engine.whatsapp.send_errors import COURSES

REGISTRY: Final = CollectorRegistry()
OTHER: Final = "other"
MOST_TENANTS: Final = 200
"""Tenants with series of their own in one process; the others share one."""

M = TypeVar("M", Counter, Gauge, Histogram)


class Tenants:
    """The tenants that have series of their own: the first ones served that did something.

    Args:
        most: how many.
    """

    def __init__(self, most: int = MOST_TENANTS) -> None:
        self._most = most
        self._known: set[str] = set()

    def __contains__(self, tenant: object) -> bool:
        return tenant in self._known

    def admit(self, tenant: str) -> None:
        """Give a tenant that is served its own series, if there is room."""
        if len(self._known) < self._most:
            self._known.add(tenant)


class Bounded(Generic[M]):
    """A metric with labels, each of which has values that are known beforehand.

    Args:
        metric: with those labels.
        values: what each label may say, in their order.
    """

    def __init__(self, metric: M, **values: Container[str]) -> None:
        self.metric: M = metric
        self.values = values

    def labels(self, **said: str) -> M:
        """Give the series of these values; one that is not known counts as "other"."""
        known = self.values
        told = {name: v if v in known[name] else OTHER for name, v in said.items()}
        return self.metric.labels(**told)


def _counter(name: str, says: str, **values: Container[str]) -> Bounded[Counter]:
    return Bounded(Counter(name, says, list(values), registry=REGISTRY), **values)


def _gauge(name: str, says: str, **values: Container[str]) -> Bounded[Gauge]:
    return Bounded(Gauge(name, says, list(values), registry=REGISTRY), **values)


def _alone(name: str, says: str) -> Gauge:
    return Gauge(name, says, registry=REGISTRY)


def _histogram(name: str, says: str, buckets: Iterable[float]) -> Histogram:
    return Histogram(name, says, buckets=tuple(buckets), registry=REGISTRY)


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


TENANTS: Final = Tenants()
# Of a permission (200 to 299) the first stands for all: they mean the same to an operator.
CODES: Final = frozenset(
    str(code) for code in (*COURSES, 10800, 10801) if code not in range(201, 300)
)
"""The codes of Meta's that are known; 0 stands for none."""
KINDS: Final = _words(
    "text image video audio document sticker location contacts reaction template button list "
    "cta_url flow product product_list catalog_message location_request_message address_message "
    "receipt"
)
"""The kinds of messages there are; of an interactive one its own."""
STEPS: Final = ("menu", "product", "cart", "checkout", "order")
"""How far customers come."""
DOORS: Final = _words("webhook flow")
STATUSES: Final = frozenset(status.value for status in OrderStatus)
_HTTP: Final = _words("200 400 401 403 404 408 413 421 427 429 432 500 503")

# What comes in

webhooks = _counter("comanda_webhooks", "Webhook requests by HTTP status.", outcome=_HTTP)
requests_refused = _counter(
    "comanda_requests_refused",
    "Requests refused for their size (413), their time (408, 503) or their number (429), by what "
    "they came for.",
    kind=_words("webhook verification flow operator page health metrics unknown"),
    status=_words("408 413 429 503"),
)
messages = _counter(
    "comanda_messages",
    "Messages received: accepted, dropped as a duplicate, or for a number that is nobody's.",
    outcome=_words("accepted duplicate unknown_number"),
)
signature_failures = _counter(
    "comanda_signature_failures",
    "Requests with a wrong or missing signature, by the door they came to.",
    door=DOORS,
)
echoes = _counter(
    "comanda_echoes",
    "Messages that staff typed on the business phone: accepted, dropped as a duplicate or as one "
    "of our own, or of a number that is nobody's.",
    outcome=_words("accepted duplicate own unknown_number"),
)
statuses = _counter(
    "comanda_statuses", "Statuses from Meta by kind.",
    status=_words("sent delivered read failed deleted played warning"),
)  # fmt: skip
catalog_webhooks = _counter(
    "comanda_catalog_webhooks", "Changes told by Meta that are no messages, by kind and outcome.",
    kind=_words(
        "items_batch product_feed product_item_update catalog_update commerce_order_update "
        "template_update"
    ),
    outcome=_words("taken unknown malformed noted moved illegal"),
)  # fmt: skip

# Turns

turns = _counter(
    "comanda_turns",
    "Turns by outcome. Committed: done, ignored, failed (its customer was told of a problem), "
    "dead (given up). Not committed: error (it is tried again), answered (it was committed "
    "before).",
    outcome=_words("done ignored failed error dead answered"),
)
turn_seconds = _histogram(
    "comanda_turn_seconds", "Time of a committed turn, database and conflicts included.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)  # fmt: skip
conflicts = Counter(
    "comanda_turn_conflicts", "Turns taken again because another one was faster.",
    registry=REGISTRY,
)  # fmt: skip
timers = Counter("comanda_timers", "Timers that have fired.", registry=REGISTRY)
slots = _alone("comanda_slots", "Slots this process has, of 64 over all processes.")
waiting = _gauge(
    "comanda_waiting", "Rows that are due and wait, counted up to a thousand.",
    box=_words("inbox outbox"),
)  # fmt: skip
waiting_seconds = _gauge(
    "comanda_waiting_seconds", "How long the longest due row waits.", box=_words("inbox outbox")
)

# What goes out

relay_seconds = _histogram(
    "comanda_relay_seconds", "Time from a message's turn until Meta took it.",
    (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)  # fmt: skip
sends = _counter(
    "comanda_sends",
    "Messages given to Meta by kind, outcome and error code (0: none). A message that is tried "
    "again counts each time; refused and held ones wait for an operator.",
    kind=KINDS,
    outcome=_words("sent repeated dropped held refused retried unknown stopped"),
    code=CODES,
)

# Flows

flow_exchanges = _counter(
    "comanda_flow_exchanges", "Exchanges of Flows by action and HTTP status.",
    action=_words("unread ping INIT data_exchange BACK error"), outcome=_HTTP,
)  # fmt: skip
# Meta aims below 1 s, alerts at a 90th percentile of 1, 5 and 7 s and gives up after 10 s
# (flows/guides/healthmonitoring): each of these is a bound.
flow_exchange_seconds = _histogram(
    "comanda_flow_exchange_seconds", "Time of an exchange, database included.",
    (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2, 3, 5, 7, 10),
)  # fmt: skip
flow_refusals = _counter(
    "comanda_flow_refusals", "Flow messages Meta did not deliver by error code.", code=CODES
)

# Meta's catalogues

sync_calls = _counter(
    "comanda_sync_calls", "Batches of items given to Meta by outcome and error code.",
    outcome=_words("sent retried refused"), code=CODES,
)  # fmt: skip
sync_items = _counter(
    "comanda_sync_items", "Items of Meta's catalogues by what became of them.",
    outcome=_words("sent synced failed"),
)  # fmt: skip
sync_seconds = _histogram(
    "comanda_sync_seconds", "Time from a product's change until Meta was told.",
    (1, 2, 5, 10, 30, 60, 300, 900, 3600),
)  # fmt: skip
sync_lag = _alone(
    "comanda_sync_lag_seconds",
    "How long the longest known change of a product waits until Meta is told; 0 if none waits.",
)
sync_drift = _counter(
    "comanda_sync_drift", "Items that were not at Meta as they should be, by kind.",
    kind=_words("missing extra different"),
)  # fmt: skip
sync_failures = _counter(
    "comanda_sync_failures",
    "Rounds of the sync that did not come to their end: the database was away or another process "
    "took over (interrupted), Meta was away (meta), Meta refuses the tenant (refused), broken.",
    kind=_words("interrupted meta refused broken"),
)

# What tenants sell

orders = _counter(
    "comanda_orders", "Orders placed, in committed turns.", tenant=TENANTS,
    type=frozenset(kind.value for kind in OrderType), payment=_words("cash card digital_wallet"),
)  # fmt: skip
conversions = _counter(
    "comanda_conversion_steps",
    "How far customers come. menu: a turn read the categories or a category's products; product: "
    "a product; cart: an empty cart was filled; checkout: the state 'checkout' was entered or "
    "one of its questions answered; order: each one placed. menu, product and checkout count once "
    "a conversation until it orders or a day has passed, as far as this process remembers it.",
    tenant=TENANTS,
    step=STEPS,
)
order_moves = _counter(
    "comanda_order_moves",
    "Orders that took another status, by that status: told (its customer's event is stored), "
    "illegal, repeated (told before), late (older than a day), nobody (there is nobody to tell).",
    status=STATUSES,
    outcome=_words("told illegal repeated late nobody"),
)
handoffs = _counter(
    "comanda_handoffs",
    "Conversations given to a person, by who asked for it, or given back by whom.",
    by=_words(
        "customer staff operator chart timer given_back_by_customer given_back_by_staff "
        "given_back_by_operator given_back_by_timer"
    ),
)
handoffs_untold = _counter(
    "comanda_handoffs_untold",
    "Conversations given to a person of a tenant that has no `staff.phone`: nobody was told.",
    tenant=TENANTS,
)

# What is served

versions = _counter(
    "comanda_versions", "Published versions taken up by outcome.", outcome=_words("served refused")
)
versions_refused = _alone(
    "comanda_versions_refused", "Tenants whose live version this process cannot serve."
)
ProcessCollector(registry=REGISTRY)


def kind_of(payload: Any) -> str:
    """Name the kind of a message as it goes out."""
    if payload.get("status") == "read":
        return "receipt"
    inner = payload.get("interactive")
    return str(inner.get("type") if isinstance(inner, dict) else payload.get("type"))


def exposition() -> bytes:
    """Write all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
