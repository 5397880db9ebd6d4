"""SECURITY.md says what is so: its tests are there, and its settings, routes and metrics."""

import re
from pathlib import Path

import pytest

from engine import metrics
from engine.settings import Settings
from engine.web.limits import PLACES, Kind

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()
TESTS = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT)))
SECTIONS = (
    "Reporting", "Supported versions", "Who attacks what", "Limits", "What is open to the world",
    "Who did what", "Hardening", "Out of scope",
)  # fmt: skip


@pytest.mark.parametrize("name", TESTS)
def test_the_tests_it_names_are_there(name):
    assert re.search(r"^(async )?def test_", (ROOT / name).read_text(), re.MULTILINE)


def test_every_attack_has_a_test():
    table = TEXT.split("## Who attacks what")[1].split("\n## ")[0]
    rows = [row for row in table.splitlines() if row.startswith("|")][2:]
    assert len(rows) > 15
    for row in rows:
        assert "`tests/" in row.split("|")[4], row


def test_it_has_every_section():
    assert tuple(re.findall(r"^## (.*)$", TEXT, re.MULTILINE)) == SECTIONS


def test_the_settings_it_names_are_settings():
    named = set(re.findall(r"`([A-Z][A-Z_]{4,})`", TEXT))
    assert {"TRUSTED_PROXIES", "METRICS_TOKEN", "AUDIT_DAYS", "RATE_LIMIT_FACTOR"} <= named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_the_metrics_it_names_are_counted():
    told = metrics.exposition().decode()
    for name in re.findall(r"`(comanda_\w+)`", TEXT):
        assert f"# TYPE {name.removesuffix('_total')}" in told


def test_every_kind_of_place_is_in_the_table_of_what_is_open():
    table = TEXT.split("## What is open to the world")[1].split("\n## ")[0]
    for begin, kind in PLACES:
        if kind is not Kind.UNKNOWN and begin != "/meta/":
            assert f"`{begin}" in table, begin
