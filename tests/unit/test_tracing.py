"""Tracing is off unless it is asked for; then what is missing is one sentence."""

import pytest

from engine import tracing
from engine.errors import SettingsError
from engine.settings import read_settings


@pytest.mark.parametrize(
    ("variables", "is_traced"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
    ],
)
def test_the_standard_variables_switch_it_on(monkeypatch, variables, is_traced):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert read_settings().is_traced() == is_traced


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_TRACES_EXPORTER", "console"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")],
)
def test_what_cannot_be_traced_to_is_a_sentence(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: "):
        read_settings()


def test_without_the_packages_it_says_what_to_install(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(tracing, "import_module", missing)
    with pytest.raises(SettingsError, match=r"install comanda\[otel\]"):
        tracing.switch_on()
    assert tracing.traceparent() is None


def test_off_everything_is_the_same_nothing():
    assert tracing.begun("webhook") is tracing.within("graph", what="x")
    with tracing.resumed("turn", "00-aa-bb-01"):
        assert tracing.traceparent() is None
    tracing.note(status=1)


async def test_the_exporter_is_made_of_the_variables(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "our-shop")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    tracing.switch_on()
    try:
        provider = tracing._active[0]._provider
        assert provider.resource.attributes["service.name"] == "our-shop"
        with tracing.begun("webhook"):
            told = tracing.traceparent()
        assert told is not None
        assert int(told[-2:], 16) & 1 == 0  # not sampled, and still one trace
    finally:
        tracing.switch_off()
    assert tracing.traceparent() is None


@pytest.mark.parametrize("trace", ["", "nonsense", "00-0-0-00", "x" * 10_000, "00-" + "z" * 52])
def test_a_row_with_an_odd_trace_begins_a_new_one(trace, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    tracing.switch_on()
    try:
        with tracing.resumed("turn", trace):
            assert str(tracing.traceparent()).startswith("00-")
    finally:
        tracing.switch_off()
