"""Charts for the tests, from a few lines of YAML: no content folder, no database.

The actions here do in one word what the real ones do in many: note something, refuse, raise an
event, fail.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.box_ports import Timer
from engine.charts.inbound import Candidates
from engine.charts.run import Runner, TurnResult
from engine.clock import SeededIds
from engine.domain.cart import Cart, CartLine
from engine.domain.conversation import Conversation, Position
from engine.domain.ids import CustomerKey, ProductId, TenantId
from engine.domain.menu import Menu
from engine.domain.refusals import Reason, Refusal
from engine.domain.tenant import Tenant
from engine.phrases import PhraseBook
from engine.registry import Registry
from engine.spec.bundle import Bundle
from engine.spec.check import ChartCheck, check_says
from engine.spec.message import Vocabulary
from engine.spec.problems import Problems
from engine.spec.read import Reader, expand
from engine.spec.schema import document_schema
from engine.spec.source import Layers, Source, parse
from engine.spec.validate import Validator, validate
from engine.templating.language import Language
from engine.turn import Event, Turn
from tests.memory import MemoryCatalog, MemoryOrders

NOW = datetime(2030, 6, 14, 18, 0, tzinfo=UTC)
SHOP, ANA = TenantId("shop"), CustomerKey("ana")
TENANT = Tenant.model_validate(
    {
        "name": "Shop",
        "languages": ["en", "es"],
        "country": "US",
        "currency": "USD",
        "time_zone": "America/New_York",
        "phone_number_ids": ["1"],
        "pickup": {},
        "payment_methods": {"cash": {"name": "Cash", "kind": "cash"}},
    }
)
EMPTY_MENU = Menu.model_validate({"categories": {"cat:a": {"name": "A"}}, "products": {}})
BREAD = CartLine(ProductId("prod:bread"), "Bread", Decimal("1.20"))

verbs = Registry()


@verbs.action("save")
async def save(turn: Turn, **values: Any) -> None:
    """Note values."""
    turn.variables.update(values)


@verbs.action("load", gives=("loaded",))
async def load(turn: Turn, *, value: str) -> None:
    """Load something for the texts of this turn."""
    turn.memory["loaded"] = value


@verbs.action("refuse")
async def refuse(turn: Turn, *, reason: Reason = Reason.CLOSED) -> Refusal:
    """Say no."""
    return Refusal(reason, {"product": "Bread"})


@verbs.action("raise", raises=("first", "second", "again"))
async def raise_event(turn: Turn, *, event: str, text: str | None = None) -> Event:
    """Raise an event."""
    return Event(event, {} if text is None else {"text": text})


@verbs.action("fail")
async def fail(turn: Turn) -> None:
    """Break."""
    raise RuntimeError("the oven is on fire")


@verbs.action("buy")
async def buy(turn: Turn, *, quantity: int = 1) -> None:
    """Put bread in the cart."""
    added = turn.cart.add(replace(BREAD, quantity=quantity), expires_at=turn.cart_expiry)
    assert isinstance(added, Cart)
    turn.cart = added
    turn.stock_taken.append((BREAD.product_id, quantity))
    turn.sync_products.append(BREAD.product_id)


@verbs.action("speak")
async def speak(turn: Turn, *, language: str) -> None:
    """Change the language."""
    turn.conversation.language = language


@verbs.guard("lucky")
def lucky(turn: Turn, *, number: int = 7) -> bool:
    """Tell whether the customer's number is the lucky one."""
    return turn.variables.get("number") == number


_VALIDATORS = {kind: Validator(document_schema(kind, verbs)) for kind in ("chart", "messages")}
LANGUAGE = Language(verbs.guard_functions())


def read(text: str, kind: str, registry: Registry = verbs) -> tuple[Source, Problems]:
    problems = Problems()
    source = parse(text, f"{kind}.yaml", problems)
    assert source is not None, problems.sorted()
    against = (
        _VALIDATORS[kind] if registry is verbs else Validator(document_schema(kind, registry))
    )
    validate(source, against, problems)
    problems.raise_if_any()
    return source, problems


def bundle(
    text: str,
    messages: str = "",
    *,
    tenant: Tenant = TENANT,
    registry: Registry = verbs,
) -> Bundle:
    """Make a bundle of a chart and its messages, `messages` giving `<language>: {...}`.

    A message that is said and not given is its own name, and in Spanish that in upper case.
    """
    source, problems = read(text, "chart", registry)
    language = LANGUAGE if registry is verbs else Language(registry.guard_functions())
    chart = Reader(Layers((source,)), language, registry, problems).chart(source.data)
    check = ChartCheck(chart, Layers((source,)), problems)
    check.run()
    given = parse(messages, "messages.yaml", problems)
    assert given is not None, problems.sorted()
    said = {m for s in chart.states.values() for m in s.say}
    said |= {m for b in chart.all_branches() for m in b.say}
    words: dict[str, Vocabulary] = {}
    for name in tenant.languages:
        own = {**dict.fromkeys(said), **((given.data or {}).get(name) or {}).get("messages", {})}
        full = {m: body or (m if name == "en" else m.upper()) for m, body in own.items()}
        document, _ = read(json.dumps({"messages": full}), "messages")
        expand(document)
        reader = Reader(Layers((document,)), language, registry, problems)
        rest = (given.data or {}).get(name) or {}
        words[name] = Vocabulary(
            name,
            {m: reader.message(m, body) for m, body in document.data["messages"].items()},
            rest.get("terms", {}),
            PhraseBook({e: tuple(p) for e, p in rest.get("intents", {}).items()}),
        )
    check_says(check, words)
    problems.raise_if_any()
    return Bundle(SHOP, tenant, chart, words, chart.digest)


def turn(
    bundle_: Bundle,
    state: str | None = None,
    *,
    resume: str | None = None,
    variables: dict[str, Any] | None = None,
    misses: int = 0,
    language: str = "en",
    menu: Menu = EMPTY_MENU,
) -> Turn:
    """Begin a turn of a conversation that stands in a state (of its chart as it is now)."""
    conversation = Conversation(SHOP, ANA, language, name="Ana", misses=misses)
    conversation.variables = dict(variables or {})
    if state:
        path = bundle_.chart.path(state)
        conversation.position = Position(bundle_.chart.id, 1, "", state, path, resume)
        conversation.entries = dict.fromkeys(path, 0)
    return Turn(
        tenant=bundle_.tenant,
        conversation=conversation,
        cart=Cart(),
        catalog=MemoryCatalog(menu),
        orders=MemoryOrders(),
        ids=SeededIds(),
        now=NOW,
        terms={},
    )


def event(name: str, **data: Any) -> Candidates:
    """Make what a tap on a button with this event means."""
    return Candidates("tap", sure=(Event(name, data),), data=data)


def text(body: str) -> Candidates:
    """Make what a text that means no command means."""
    return Candidates("text", data={"text": body, "number": None})


RUNNER = Runner()


async def run(
    bundle_: Bundle,
    turn_: Turn,
    candidates: Candidates,
    origin: Callable[[], Awaitable[str | None]] | None = None,
) -> TurnResult:
    return await RUNNER.run(bundle_, turn_, candidates, origin=origin)


def said(result: TurnResult) -> list[str]:
    """Give the texts of a turn's messages."""
    return [str(getattr(part.message, "body", part.message)) for part in result.said]


def timers(found: Iterable[Timer]) -> list[tuple[str, int]]:
    """Give the events of timers, and in how many minutes they are due."""
    return [(t.event, int((t.due - NOW).total_seconds()) // 60) for t in found]
