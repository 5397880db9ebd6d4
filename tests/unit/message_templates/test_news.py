"""What a webhook tells of a template is noted, and told to whoever reads the log."""

import pytest
from structlog.testing import capture_logs

from tests.unit.storage.builders import PIZZERIA


async def test_a_decision_is_noted_with_its_reason(office):
    await office.sync()
    with capture_logs() as logs:
        await office.decide("REJECTED", reason="TAG_CONTENT_MISMATCH")
    (known,) = await office.known.all(PIZZERIA)
    assert (known.status, known.reason) == ("REJECTED", "TAG_CONTENT_MISMATCH")
    assert known.created_at is not None
    assert logs == [
        {
            "event": "template.noted", "log_level": "warning", "tenant": PIZZERIA,
            "template": "order_ready", "language": "en_US", "status": "REJECTED",
        }
    ]  # fmt: skip
    with capture_logs() as logs:
        await office.decide("APPROVED")
    assert logs[0]["log_level"] == "info"
    (known,) = await office.known.all(PIZZERIA)
    assert (known.status, known.reason) == ("APPROVED", "")


@pytest.mark.parametrize(
    ("event", "status"),
    [("reinstated", "APPROVED"), ("PAUSED", "PAUSED"), ("FLAGGED", None), ("", None)],
)
async def test_events_that_tell_a_status(office, event, status):
    told = {"message_template_name": "sale", "message_template_language": "en", "event": event}
    await office.news.take(PIZZERIA, told)
    assert await office.status("sale", "en") == status


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"message_template_name": "x" * 513, "message_template_language": "en"},
        {"message_template_name": "x", "message_template_language": "e" * 513},
        {"message_template_name": "x"},
        {"message_template_language": "en"},
    ],
)
async def test_what_names_no_template_is_passed_over(office, told):
    await office.news.take(PIZZERIA, {"event": "APPROVED", **told})
    assert await office.known.all(PIZZERIA) == ()
