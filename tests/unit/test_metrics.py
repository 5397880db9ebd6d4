"""What is counted, and that nobody can make series without end."""

from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.samples import Sample

from engine import metrics
from engine.metrics import MOST_TENANTS, OTHER, REGISTRY, Bounded, Tenants, kind_of

BOUNDED = {name: value for name, value in vars(metrics).items() if isinstance(value, Bounded)}


def samples(metric: MetricWrapperBase) -> Sequence[Sample]:
    (family,) = metric.collect()
    return family.samples


def series(metric: MetricWrapperBase) -> int:
    return len(samples(metric))


def test_there_are_metrics_to_look_at():
    assert len(BOUNDED) > 15


@pytest.mark.parametrize("name", BOUNDED)
def test_ten_thousand_strange_values_make_one_series(name):
    bounded = BOUNDED[name]
    before = series(bounded.metric)
    for n in range(10_000):
        bounded.labels(**dict.fromkeys(bounded.values, f'{n}\n{{}}"'))
    strange = dict.fromkeys(bounded.values, OTHER)
    assert series(bounded.metric) <= before + 2  # a counter also tells when it was made
    assert bounded.labels(**strange) is bounded.labels(**dict.fromkeys(strange, "x"))


def test_a_known_value_is_told_as_it_is():
    outcomes = Bounded(
        Counter("tried", "", ["outcome"], registry=CollectorRegistry()), outcome={"sent"}
    )
    outcomes.labels(outcome="sent").inc()
    outcomes.labels(outcome="sent\n").inc()
    told = {s.labels["outcome"]: s.value for s in samples(outcomes.metric)
            if s.name == "tried_total"}  # fmt: skip
    assert told == {"sent": 1, OTHER: 1}


def test_tenants_have_series_of_their_own_up_to_a_number():
    tenants = Tenants(most=2)
    for name in ("first", "second", "third", "first"):
        tenants.admit(name)
    assert [name in tenants for name in ("first", "second", "third")] == [True, True, False]


def test_ten_thousand_tenants_do_not_make_ten_thousand_series():
    tenants = Tenants()
    orders = Bounded(Counter("o", "", ["tenant"], registry=CollectorRegistry()), tenant=tenants)
    for n in range(10_000):
        tenants.admit(f"tenant-{n}")
        orders.labels(tenant=f"tenant-{n}").inc()
    totals = [s for s in samples(orders.metric) if s.name == "o_total"]
    assert len(totals) == MOST_TENANTS + 1
    assert sum(s.value for s in totals) == 10_000


def test_a_label_that_is_not_declared_is_a_mistake():
    with pytest.raises(KeyError):
        metrics.turns.labels(customer="15550001")


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"status": "read", "message_id": "wamid.x"}, "receipt"),
        ({"type": "text", "text": {"body": "Hi"}}, "text"),
        ({"type": "interactive", "interactive": {"type": "list"}}, "list"),
        ({"type": "template", "template": {"name": "x"}}, "template"),
        ({}, "None"),
    ],
)
def test_the_kind_of_a_message_is_that_of_its_interactive_part(payload, kind):
    assert kind_of(payload) == kind
    assert kind in metrics.KINDS or kind == "None"


def test_codes_of_the_table_are_known_and_permissions_are_told_as_one():
    assert {"0", "190", "131047", "130429", "80014", "200"} <= metrics.CODES
    assert "299" not in metrics.CODES
    assert len(metrics.CODES) < 100


def test_a_flows_bounds_are_metas():
    bounds = {bucket.labels["le"] for bucket in samples(metrics.flow_exchange_seconds)
              if "le" in bucket.labels}  # fmt: skip
    assert {"1.0", "5.0", "7.0", "10.0"} <= bounds


def test_everything_says_what_it_counts_and_is_ours():
    for family in REGISTRY.collect():
        assert family.name.startswith(("comanda_", "process_"))
        assert family.documentation.endswith(".")
