"""The dashboard and the alerts ask only for metrics, labels and values that there are."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import promql_parser as promql
import pytest
import yaml

from engine import metrics
from engine.cli.main import main
from engine.metrics import REGISTRY, Bounded

FOLDER = Path(metrics.__file__).parent / "operations"
DASHBOARD = json.loads((FOLDER / "grafana" / "comanda.json").read_text())
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "prometheus" / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
ABSENT = {
    "comanda_echoes": "hand-offs are counted, by whom they began",
    "process_virtual_memory_bytes": "says nothing of a Python process",
    "process_start_time_seconds": "the graphs show a restart",
}
"""What is in no panel on purpose, and why."""
BESIDE = {"job", "instance", "role"}
"""Labels that Prometheus adds."""
VARIABLES = {"$__rate_interval": "5m", "$__range": "6h", "$tenant": ".*"}
Known = dict[str, dict[str, Any]]


def known() -> Known:
    """Give every name that can be asked for, with its labels and what each may say."""
    declared = [value for value in vars(metrics).values() if isinstance(value, Bounded)]
    values = {family.name: b.values for b in declared for family in b.metric.describe()}
    found: Known = {"up": {}}
    for family in REGISTRY.collect():
        labels = dict(values.get(family.name, {}))
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        for suffix in suffixes.get(family.type, [""]):
            more = {"le": None} if suffix == "_bucket" else {}
            found[f"{family.name}{suffix}"] = labels | more
    return found


KNOWN = known()


def panels() -> Iterator[tuple[str, str]]:
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


EXPRESSIONS = [*panels(), *((rule["alert"], rule["expr"]) for rule in RULES)]


def parsed(expression: str) -> promql.Expr:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression, expression
    return promql.parse(expression)


class Reading:
    """Looks an expression through; `wrong` says what it asks for in vain."""

    def __init__(self, known: Known = KNOWN) -> None:
        self._known = known
        self.asked: set[str] = set()
        self.wrong: list[str] = []

    def labels(self, part: Any) -> set[str] | None:
        """Give the labels a part has after it was calculated; None for a number."""
        match part:
            case promql.VectorSelector():
                return self._selected(part)
            case promql.MatrixSelector():
                return self._selected(part.vector_selector)
            case promql.AggregateExpr():
                return self._aggregated(part)
            case promql.BinaryExpr():
                left, right = self.labels(part.lhs), self.labels(part.rhs)
                return left if left is not None else right
            case promql.Call():
                found = [self.labels(each) for each in part.args]
                inner = next((labels for labels in found if labels is not None), None)
                gone = {"le"} if part.func.name == "histogram_quantile" else set()
                if gone and "le" not in (inner or ()):
                    self.wrong.append("a quantile needs the label 'le'")
                return inner - gone if inner is not None else None
            case promql.ParenExpr() | promql.UnaryExpr() | promql.SubqueryExpr():
                return self.labels(part.expr)
            case _:
                return None

    def _aggregated(self, part: Any) -> set[str]:
        inner = self.labels(part.expr) or set()
        if part.modifier is None:
            return set()
        named = set(part.modifier.labels)
        self.wrong += [f"there is no label '{label}' to sum by" for label in named - inner]
        is_by = part.modifier.type == promql.AggModifierType.By
        return named if is_by else inner - named

    def _selected(self, part: Any) -> set[str]:
        name = part.name
        self.asked.add(name)
        if name not in self._known:
            self.wrong.append(f"there is no metric '{name}'")
            return set()
        labels = self._known[name]
        for matcher in part.matchers.matchers:
            self._matched(name, labels, matcher)
        return set(labels) | BESIDE

    def _matched(self, name: str, labels: dict[str, Any], matcher: Any) -> None:
        if matcher.name in BESIDE:
            return
        if matcher.name not in labels:
            self.wrong.append(f"'{name}' has no label '{matcher.name}'")
            return
        allowed = labels[matcher.name]
        said = matcher.value.split("|")
        if allowed is None or said == [".*"]:
            return
        self.wrong += [
            f"{name}: '{matcher.name}' is never '{v}'" for v in said if v not in allowed
        ]


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=lambda value: value[:60])
def test_an_expression_asks_for_what_there_is(title, expression):
    reading = Reading()
    reading.labels(parsed(expression))
    assert reading.asked
    assert reading.wrong == []


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("rate(comanda_turn_total[5m])", "there is no metric 'comanda_turn_total'"),
        ("comanda_turns", "there is no metric 'comanda_turns'"),
        ('comanda_turns_total{kind="done"}', "'comanda_turns_total' has no label 'kind'"),
        ('comanda_turns_total{outcome="gone"}', "comanda_turns_total: 'outcome' is never 'gone'"),
        ('comanda_sends_total{code=~"190|5"}', "comanda_sends_total: 'code' is never '5'"),
        ("sum by (tenant) (comanda_turns_total)", "there is no label 'tenant' to sum by"),
        (
            "sum by (outcome) (sum(comanda_turns_total))",
            "there is no label 'outcome' to sum by",
        ),
        (
            "histogram_quantile(0.9, sum(rate(comanda_turn_seconds_bucket[5m])))",
            "a quantile needs the label 'le'",
        ),
    ],
)
def test_what_there_is_not_is_found(expression, wrong):
    reading = Reading()
    reading.labels(parsed(expression))
    assert reading.wrong == [wrong]


def test_every_metric_is_on_the_dashboard_or_left_out_on_purpose():
    reading = Reading()
    for _, expression in panels():
        reading.labels(parsed(expression))
    asked = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in reading.asked}
    there = {family.name for family in REGISTRY.collect()}
    assert there - asked == set(ABSENT) & there


def test_the_tenants_to_choose_are_those_that_are_counted():
    (query,) = (v["definition"] for v in DASHBOARD["templating"]["list"] if v["type"] == "query")
    asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert asked
    assert asked[2] in KNOWN[asked[1]]


def test_panels_have_ids_and_places_of_their_own():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


# Alerts


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_says_what_it_is_and_what_to_run(rule):
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    told = rule["annotations"]
    assert set(told) == {"summary", "description", "command"}
    assert told["description"].rstrip().endswith((".", "?"))
    labels = Reading().labels(parsed(rule["expr"])) or set()
    for named in re.findall(r"\$labels\.(\w+)", str(told)):
        assert named in labels, f"{rule['alert']} tells of a label it has not: {named}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_the_command_to_run_is_one(rule):
    name, *words = rule["annotations"]["command"].replace("TENANT", "la-tavola").split()
    assert name == "comanda"
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        verb = words.pop(0)
        found = command.get_command(context, verb)
        assert found, f"there is no command '{verb}'"
        command = found
    command.make_context(command.name, words)


def test_alerts_cover_what_operators_must_know():
    assert {rule["alert"].removeprefix("Comanda") for rule in RULES} >= {
        "ProcessDown", "InboxBehind", "MessagesGivenUp", "WrongSignatures", "TokenRefused",
        "SendsFail", "FlowsSlow", "FlowsFail", "SyncBehind", "SyncFails", "NoOrders",
    }  # fmt: skip
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


# What starts them


def test_prometheus_asks_the_job_that_the_rules_count_on():
    told = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yaml").read_text())
    assert told["rule_files"] == ["alerts.yaml"]
    assert [job["job_name"] for job in told["scrape_configs"]] == ["comanda"]
    jobs = re.findall(r'job="(\w+)"', str(EXPRESSIONS))
    assert set(jobs) == {"comanda"}


def test_grafana_finds_prometheus_and_the_dashboard():
    folder = FOLDER / "grafana" / "provisioning"
    sources = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text())
    assert [source["type"] for source in sources["datasources"]] == ["prometheus"]
    providers = yaml.safe_load((folder / "dashboards" / "comanda.yaml").read_text())["providers"]
    assert [p["options"]["path"] for p in providers] == ["/var/lib/grafana/dashboards"]
