"""Messages made of a few lines of YAML, and what texts see of a turn."""

from typing import Any

from engine.charts.steps import BLANK_EVENT
from engine.rendering.messages import render, render_all
from engine.rendering.views import cart_view, tenant_view
from engine.spec.check import variables_of
from engine.spec.message import Message
from engine.spec.problems import Problems
from engine.spec.read import Reader, expand
from engine.spec.source import Layers, parse
from engine.templating.language import GUARD_TURN
from engine.turn import Turn
from engine.whatsapp.outbound import OutboundMessage
from tests.unit.actions.shop import LIBRARY, VERBS, bundle


def message(text: str) -> Message:
    """Read a message as an author writes it; nothing may be wrong with its templates."""
    problems = Problems()
    indented = "".join(f"    {line}\n" for line in text.strip("\n").split("\n"))
    source = parse(f"messages:\n  m:\n{indented}", "m.yaml", problems)
    assert source is not None
    expand(source)
    reader = Reader(Layers((source,)), LIBRARY.language, VERBS, problems)
    made = reader.message("m", source.data["messages"]["m"])
    assert [str(p) for p in problems.sorted()] == []
    return made


def rendered(authored: str, /, **context: Any) -> OutboundMessage | None:
    return render(message(authored), seen(**context))


def all_rendered(authored: str, /, **context: Any) -> tuple[OutboundMessage, ...]:
    return render_all(message(authored), seen(**context))


def seen(*, event: dict[str, Any] | None = None, **context: Any) -> dict[str, Any]:
    """Give the least that a text may see."""
    return {
        "event": {**BLANK_EVENT, **(event or {})},
        "terms": {"choose": "Choose"},
        "locale": "en_US",
        "tenant": {"currency": "USD", "time_zone": "America/New_York"},
        **context,
    }


def seen_in(turn: Turn, *, event: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give all that the texts of a turn may see, as the runner does."""
    who = turn.conversation
    return {
        **dict.fromkeys(variables_of(bundle().chart)),
        "event": {**BLANK_EVENT, **(event or {})},
        "cart": cart_view(turn.cart),
        "customer": {"name": who.name, "phone": who.phone},
        "tenant": tenant_view(turn.tenant, who.language),
        "now": turn.now,
        "is_new": who.position is None,
        "misses": who.misses,
        "state": None,
        "language": who.language,
        "locale": turn.tenant.locale(who.language),
        "terms": turn.terms,
        GUARD_TURN: turn,
        **turn.variables,
        **turn.memory,
    }
