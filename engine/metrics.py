"""What the engine counts, for operators; no label ever holds a customer or a message."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

REGISTRY = CollectorRegistry()

webhooks = Counter(
    "comanda_webhooks", "Webhook requests by outcome.", ["outcome"], registry=REGISTRY
)
messages = Counter(
    "comanda_messages", "Messages received by outcome.", ["outcome"], registry=REGISTRY
)
turns = Counter("comanda_turns", "Turns by outcome.", ["outcome"], registry=REGISTRY)
turn_seconds = Histogram(
    "comanda_turn_seconds", "Time of a turn, database included.", registry=REGISTRY
)
conflicts = Counter(
    "comanda_turn_conflicts", "Turns taken again because another one was faster.",
    registry=REGISTRY,
)  # fmt: skip
timers = Counter("comanda_timers", "Timers that have fired.", registry=REGISTRY)
slots = Gauge(
    "comanda_slots", "Slots this process has, of 64 over all processes.", registry=REGISTRY
)
waiting = Gauge(
    "comanda_waiting", "Rows that are due and wait, counted up to a thousand.", ["box"],
    registry=REGISTRY,
)  # fmt: skip
waiting_seconds = Gauge(
    "comanda_waiting_seconds", "How long the longest due row waits.", ["box"], registry=REGISTRY
)
relay_seconds = Histogram(
    "comanda_relay_seconds", "Time from a message's turn until Meta took it.",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600), registry=REGISTRY,
)  # fmt: skip
sends = Counter(
    "comanda_sends", "Messages given to Meta by outcome and error code.", ["outcome", "code"],
    registry=REGISTRY,
)  # fmt: skip
statuses = Counter(
    "comanda_statuses", "Statuses from Meta by kind.", ["status"], registry=REGISTRY
)
flow_exchanges = Counter(
    "comanda_flow_exchanges", "Exchanges of Flows by action and HTTP status.",
    ["action", "outcome"], registry=REGISTRY,
)  # fmt: skip
flow_exchange_seconds = Histogram(
    "comanda_flow_exchange_seconds", "Time of an exchange, database included.", registry=REGISTRY
)
flow_refusals = Counter(
    "comanda_flow_refusals", "Flow messages Meta did not deliver by error code.", ["code"],
    registry=REGISTRY,
)  # fmt: skip

sync_calls = Counter(
    "comanda_sync_calls", "Batches of items given to Meta by outcome and error code.",
    ["outcome", "code"], registry=REGISTRY,
)  # fmt: skip
sync_items = Counter(
    "comanda_sync_items", "Items of Meta's catalogues by what became of them.", ["outcome"],
    registry=REGISTRY,
)  # fmt: skip
sync_seconds = Histogram(
    "comanda_sync_seconds", "Time from a product's change until Meta was told.",
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600), registry=REGISTRY,
)  # fmt: skip
sync_drift = Counter(
    "comanda_sync_drift", "Items that were not at Meta as they should be, by kind.", ["kind"],
    registry=REGISTRY,
)  # fmt: skip
catalog_webhooks = Counter(
    "comanda_catalog_webhooks", "Changes told by Meta that are no messages, by kind and outcome.",
    ["kind", "outcome"], registry=REGISTRY,
)  # fmt: skip
versions = Counter(
    "comanda_versions", "Published versions taken up by outcome.", ["outcome"], registry=REGISTRY
)
versions_refused = Gauge(
    "comanda_versions_refused", "Tenants whose live version this process cannot serve.",
    registry=REGISTRY,
)  # fmt: skip


def exposition() -> bytes:
    """Write all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
