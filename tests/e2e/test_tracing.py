"""One trace from a webhook to the call of the Graph API, through the rows of the database."""

import subprocess
import sys
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from engine import tracing
from engine.storage.records import InboxDocument, OutboxDocument
from tests.e2e.flow_scene import Guest, flow_ground, seen


@pytest.fixture(scope="module")
async def shop(mongodb_uri):
    async with flow_ground(mongodb_uri, "tracing") as running:
        yield running


@pytest.fixture
def exporter():
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing.switch_on(provider)
    yield kept
    tracing.switch_off()


@pytest.fixture
def ana(shop):
    return Guest(shop, name="Zoraida Quispe")


def traces(exporter) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for span in sorted(exporter.get_finished_spans(), key=lambda span: span.start_time):
        found.setdefault(span.context.trace_id, []).append(span)
    return found


def tree(spans) -> list[str]:
    """Tell every span with what it is under, from the first on."""
    by_id = {span.context.span_id: span for span in spans}

    def path(span) -> str:
        above = by_id.get(span.parent.span_id) if span.parent else None
        assert span.parent is None or above, f"{span.name} is under a span of another trace"
        what = f"({span.attributes['what']})" if "what" in span.attributes else ""
        return f"{path(above)} > {span.name}{what}" if above else f"{span.name}{what}"

    return [path(span) for span in spans]


async def rows(shop, document, guest):
    found = shop.engine.database.collection(document).find({"customer": guest.key})
    return await found.sort("_id").to_list()


async def test_one_trace_joins_webhook_row_turn_row_and_call(shop, exporter, ana):
    await ana.say("menu")
    (spans,) = [t for t in traces(exporter).values() if any(s.name == "turn" for s in t)]
    assert tree(spans) == [
        "webhook",
        "webhook > turn",
        "webhook > turn > send",
        "webhook > turn > send > graph(messages)",  # that he was read
        "webhook > turn > send > graph(messages)",
    ]
    webhook, turn = spans[:2]
    (inbound,), (outbound,) = [
        await rows(shop, document, ana) for document in (InboxDocument, OutboxDocument)
    ]
    assert inbound["trace"].startswith(_traceparent(webhook))
    assert outbound["trace"].startswith(_traceparent(turn))
    assert turn.attributes == {"tenant": "la-tavola", "outcome": "done"}


def _traceparent(span) -> str:
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-"


async def test_each_message_is_a_trace_of_its_own(shop, exporter, ana):
    for words in ("menu", "help", "menu"):
        await ana.say(words)
    turns = [t for t in traces(exporter).values() if any(span.name == "turn" for span in t)]
    assert len(turns) == 3
    for spans in turns:
        assert [span.name for span in spans].count("turn") == 1
        assert tree(spans)[0] == "webhook"


async def test_a_send_that_meta_refuses_says_so_without_metas_words(shop, exporter, ana):
    fault = {"kind": "refuse", "code": 131026, "times": 2, "to": ana.phone}
    await shop.sandbox.post("/sandbox/faults", json=fault)
    await ana.say("menu")
    failed = [s for s in exporter.get_finished_spans() if not s.status.is_ok
              and s.status.description]  # fmt: skip
    assert {(s.name, s.attributes["code"], s.status.description) for s in failed} == {
        ("graph", 131026, "GraphTerminal")
    }
    assert all(span.attributes["status"] == 400 for span in failed)


async def test_an_exchange_of_a_flow_and_its_end_are_traces(shop, exporter, ana):
    invited = await ana.invited()
    exporter.clear()
    flow = await invited.at_summary()
    assert seen(flow) == "ORDER_SUMMARY"
    assert {tuple(tree(t)) for t in traces(exporter).values()} == {("flow.exchange",)}


async def test_no_span_tells_anything_of_a_customer(shop, exporter, ana):
    await ana.say("menu")
    await ana.say("12 Secret Street, the bell is broken")
    invited = await ana.invited()
    await invited.at_add_ons()
    told = "\n".join(span.to_json() for span in exporter.get_finished_spans())
    assert len(exporter.get_finished_spans()) > 15
    for secret in (ana.phone, str(ana.key), "Zoraida", "Quispe", "Secret Street", "wamid",
                   invited.token, shop.token):  # fmt: skip
        assert secret not in told
    assert {span.name for span in exporter.get_finished_spans()} <= tracing.NAMES


async def test_off_no_row_holds_a_field(shop, ana):
    await ana.say("menu")
    for document in (InboxDocument, OutboxDocument):
        (row,) = await rows(shop, document, ana)
        assert "trace" not in row


def test_off_nothing_of_opentelemetry_is_imported():
    code = (
        "import sys; import engine.cli.serve, engine.playground, engine.tracing as t\n"
        "with t.begun('webhook'), t.within('graph', what='x'): t.note(status=1)\n"
        "assert t.traceparent() is None\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
