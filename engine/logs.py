"""How a log line looks: one event, JSON where nobody watches, and never anything of a customer.

What may stand in a line is closed: its keys are listed here, what an error says is told only of
kinds that quote nobody, and of what libraries say only the words that are in their own source.
"""

import hashlib
import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

from engine.errors import EngineError


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


AREAS: Final = _words(
    "audit bundle businesses catalog claims commerce content doctor engine feed flow handoff "
    "lanes library limits message operator order orders poll product_page publications reception "
    "recording relay request staff status sync template timers turn version webhook worker"
)
"""What events are of: `area.what`."""
KEYS: Final = _words(
    "action actor anonymised at attempt batch before box broken bytes call catalog catalog_id "
    "code digest door entry error failed failures faults field files flow flow_event flow_id "
    "full items kind language library members message object_type order outcome "
    "phone_number_id place problem product products raised reason removed said screen seconds "
    "slots started state status swaps template template_event tenant tenants times until verb "
    "version what"
)
"""What a line may tell beside its event, level and time."""
OWN: Final = frozenset({"event", "level", "timestamp", "exc_info", "dropped"})
IDS: Final = _words(
    "batch catalog catalog_id digest entry flow flow_id message phone_number_id product "
    "timestamp until"
)
"""Values that are ids of the trade, of Meta or ours: long numbers in them are nobody's phone."""
LONGEST: Final = 500
"""Characters of a text."""
MOST_NAMED: Final = 10
"""Messages of one request that its lines name."""
FRAMES: Final = 8
"""Places told of an exception, the innermost ones."""

_SECRET: Final = re.compile(
    r"wamid\.[\w+/=.-]+|\bEA[A-Za-z0-9]{20,}|(?i:bearer)\s+\S+|\+?\d(?:[\s().-]{0,2}\d){7,}"
)
_ROOT: Final = Path(__file__).parents[1]
Line = MutableMapping[str, Any]


class Libraries(logging.Handler):
    """Takes what libraries log, such as the HTTP server, and tells it as our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a line: its words as they are in the library's source, without what was put in."""
        if record.levelno < logging.WARNING and not record.name.startswith("uvicorn"):
            return  # drivers tell every command and its answer there
        is_text = isinstance(record.msg, str)
        words = record.msg.split("\n", 1)[0] if is_text else type(record.msg).__name__
        log = structlog.get_logger()
        level = "critical" if record.levelno >= logging.CRITICAL else record.levelname.lower()
        say = getattr(log, level, log.info)
        # Formatted texts may hold anything: what came by HTTP, a whole command of the database.
        quoted = record.exc_info if record.exc_info and record.exc_info[0] else None
        say("library.said", library=record.name, said=words, exc_info=quoted)


def configure(*, level: str = "info", stream: TextIO | None = None) -> None:
    """Write logs to a stream (standard error): readable on a terminal, JSON elsewhere."""
    out = stream or sys.stderr
    renderer: structlog.types.Processor = structlog.processors.JSONRenderer()
    if out.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _explained,
            _closed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(out),
    )
    root = logging.getLogger()
    root.handlers = [kept for kept in root.handlers if not isinstance(kept, Libraries)]
    root.addHandler(Libraries())


def digest(key: str) -> str:
    """Give the name a message has in logs: that of its row holds its sender's phone number."""
    return hashlib.blake2s(key.encode(errors="replace"), digest_size=6).hexdigest()


def about(*keys: str) -> AbstractContextManager[None]:
    """Let what is logged inside the block say of which message it is, or of which ones.

    Args:
        keys: the ids of their inbox rows.
    """
    names = [digest(key) for key in keys[:MOST_NAMED]]
    return structlog.contextvars.bound_contextvars(
        **({"message": names[0] if len(names) == 1 else names} if names else {})
    )


def reason(error: BaseException) -> str:
    """Tell what went wrong, if its words quote nobody; else only its kind and where it was."""
    kind = type(error).__name__
    if isinstance(error, EngineError) and error.is_plain:
        return str(error)
    code = getattr(error, "code", None)
    named = f"{kind} {code}" if isinstance(code, int) else kind
    places = place_of(error.__traceback__)
    return f"{named} at {places[-1]}" if places else named


def place_of(trace: TracebackType | None) -> list[str]:
    """Name the lines an exception came through, without anything that was in them."""
    frames = traceback.extract_tb(trace)[-FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(_ROOT)) if path.is_relative_to(_ROOT) else path.name


def _explained(_: Any, __: str, line: Line) -> Line:
    """Put an exception's kind and places in its place: its words may quote a customer's."""
    told = line.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        line["error"] = reason(error)
        line["place"] = place_of(error.__traceback__)
    return line


def _closed(_: Any, __: str, line: Line) -> Line:
    """Keep only what a line may tell; what was dropped is named."""
    dropped = [key for key in line if key not in KEYS and key not in OWN]
    for key in dropped:
        del line[key]
    if dropped:
        line["dropped"] = len(dropped)
    for key, value in line.items():
        line[key] = _clean(value, is_id=key in IDS)
    return line


def _clean(value: Any, *, is_id: bool) -> Any:
    if isinstance(value, str):
        cut = value if len(value) <= LONGEST else value[:LONGEST] + "…"
        return cut if is_id else _SECRET.sub("…", cut)
    if isinstance(value, Mapping):
        return {_clean(str(k), is_id=is_id): _clean(v, is_id=is_id) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(each, is_id=is_id) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return type(value).__name__
