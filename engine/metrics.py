"""What the engine counts, for operators; no label ever holds a customer or a message."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

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


def exposition() -> bytes:
    """Write all metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)
