"""A log line: one event, JSON, only what may stand in it."""

import io
import json
import logging
from typing import Any

import pytest
import structlog

from engine import logs
from engine.errors import Conflict, GraphTerminal, TurnError, Unavailable
from engine.logs import about, digest, reason

PHONE, WAMID = "15557770042", "wamid.HBgLMTU1NTc3NzAwNDIVAgA="
log = structlog.get_logger()


@pytest.fixture
def out():
    stream = io.StringIO()
    # A server of another test may have made it quieter.
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)
    logs.configure(level="debug", stream=stream)
    return stream


def told(out) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(out):
    log.warning("turn.failed", tenant="la-tavola", reason="one\ntwo")
    (line,) = told(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "turn.failed", "level": "warning", "tenant": "la-tavola", "reason": "one\ntwo",
    }  # fmt: skip


def test_a_key_that_is_not_known_is_dropped_and_counted(out):
    log.info("turn.failed", customer="US.1", text="Hi", tenant="la-tavola")
    (line,) = told(out)
    assert line["dropped"] == 2
    assert "US.1" not in out.getvalue()
    assert "Hi" not in out.getvalue()


@pytest.mark.parametrize(
    "secret",
    [
        PHONE, f"+{PHONE}", "+1 555 777-0042", "+1 (555) 777.0042", WAMID,
        "Bearer abc.def", "EAAG" + "x1" * 20,
    ],
)  # fmt: skip
def test_what_slips_into_a_text_is_taken_out(out, secret):
    log.error("relay.refused", reason=f"no {secret} here", tenants=[secret], removed={secret: 1})
    assert secret not in out.getvalue()
    assert told(out)[0]["reason"] == "no … here"


def test_ids_of_the_trade_and_times_stay(out):
    log.info("sync.catalog_made", catalog_id="1122334455667788", items=1234567890, code=131047)
    (line,) = told(out)
    assert (line["catalog_id"], line["items"], line["code"]) == (
        "1122334455667788", 1234567890, 131047,
    )  # fmt: skip


def test_an_object_tells_its_kind_only_and_a_long_text_is_cut(out):
    log.info("turn.failed", state=object(), reason="x" * 9000)
    (line,) = told(out)
    assert line["state"] == "object"
    assert len(line["reason"]) == logs.LONGEST + 1


def test_an_exception_tells_its_kind_and_places_and_no_words(out):
    try:
        raise ValueError(f"'{PHONE}' wrote: my door code is 7-1-9")
    except ValueError:
        log.exception("worker.turn_broke")
    (line,) = told(out)
    assert line["error"].startswith("ValueError at test_logs.py:") or "tests/unit" in line["error"]
    assert "door code" not in out.getvalue()
    assert any("test_an_exception" in place for place in line["place"])


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unavailable("the database does not answer"), "the database does not answer"),
        (Conflict("another turn was faster"), "another turn was faster"),
        (TurnError(f"{PHONE} said x"), "TurnError"),
        (GraphTerminal(f"no {PHONE}", code=131026), "GraphTerminal 131026"),
        (KeyError(PHONE), "KeyError"),
    ],
)
def test_an_error_says_its_words_only_if_they_quote_nobody(error, said):
    assert reason(error) == said


def test_what_is_logged_about_a_message_has_its_digest(out):
    with about(f"106:{WAMID}"):
        log.info("turn.conflict")
    with about("a", "b"):
        log.info("webhook.refused")
    with about():
        log.info("webhook.refused")
    one, two, none = told(out)
    assert one["message"] == digest(f"106:{WAMID}")
    assert two["message"] == [digest("a"), digest("b")]
    assert "message" not in none
    assert len(digest("a")) == 12


def test_any_key_has_a_digest():
    assert digest("\ud83d") != digest("")


# Libraries


def test_the_servers_lines_have_our_shape_and_none_of_what_was_put_in(out):
    logging.getLogger("uvicorn.error").warning("odd %s", PHONE)
    try:
        raise ValueError(PHONE)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\nmore")
    first, second = told(out)
    assert (first["event"], first["said"], first["level"]) == (
        "library.said", "odd %s", "warning",
    )  # fmt: skip
    assert second["said"] == "Exception in ASGI application"
    assert second["error"].startswith("ValueError")
    assert PHONE not in out.getvalue()


def test_what_drivers_tell_of_every_command_is_not_told(out, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("pymongo.command").debug({"find": PHONE})
    logging.getLogger("httpx").info(f"HTTP Request: POST /x?token={PHONE}")
    assert out.getvalue() == ""
    logging.getLogger("pymongo.command").error({"find": PHONE})
    assert told(out)[0]["said"] == "dict"


def test_configuring_twice_tells_every_line_once(out):
    logs.configure(level="debug", stream=out)
    logging.getLogger("uvicorn.error").warning("once")
    assert len(told(out)) == 1


def test_a_terminal_gets_lines_for_people():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    logs.configure(stream=terminal)
    log.warning("turn.failed", tenant="la-tavola")
    assert "turn.failed" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
