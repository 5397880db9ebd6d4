"""The engine's time per turn without a database, beside the same shop as a LangGraph graph."""

import gc
import importlib.util
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

from tests.bench.journey import Shop, Step
from tests.bench.measure import Pair, Row, in_turn

ROUNDS = 15
AGAIN = 4
"""How often the engine plays the conversation in one round: it takes a fraction of the time."""
LONGEST_MS = 0.4
LEAST_FASTER = 3.0

Play = Callable[[Callable[[float], None]], Awaitable[None]]
"""Plays the conversation once and tells the seconds of every turn."""


async def measure() -> list[Row]:
    """Measure it."""
    shop = Shop.open()
    steps = await shop.play()
    gc.collect()
    gc.freeze()
    ours = _playing(_engine(shop, steps), AGAIN)
    name = f"turn of {len(steps)}, no database"
    if importlib.util.find_spec("langgraph") is None:
        return [_alone(name, median([await ours() for _ in range(ROUNDS)])), _absent()]
    theirs = _playing(await _langgraph(shop, steps), 1)
    pair = await in_turn(ours, theirs, rounds=ROUNDS)
    return [_alone(name, pair.medians[0]), _beside(pair)]


def _alone(name: str, seconds: float) -> Row:
    took = seconds * 1000
    return Row(name, f"{took:.3f} ms", bar=f"<= {LONGEST_MS} ms", is_met=took <= LONGEST_MS)


def _beside(pair: Pair) -> Row:
    ours, theirs = pair.medians
    return Row(
        "the same, beside LangGraph", f"{ours * 1000:.3f} ms",
        f"{theirs * 1000:.3f} ms LangGraph", pair.less, f">= {LEAST_FASTER:g} x",
        pair.less >= LEAST_FASTER,
    )  # fmt: skip


def _absent() -> Row:
    return Row("the same, beside LangGraph", "", "not installed: pip install comanda[bench]")


def _playing(play: Play, times: int) -> Callable[[], Awaitable[float]]:
    async def median_turn() -> float:
        took: list[float] = []
        for _ in range(times):
            await play(took.append)
        return median(took)

    return median_turn


def _engine(shop: Shop, steps: tuple[Step, ...]) -> Play:
    stores = [shop.store()]
    turns = shop.turns(lambda: stores[0])

    async def play(note: Callable[[float], None]) -> None:
        stores[0] = shop.store()
        for step in steps:
            begin = time.perf_counter()
            await turns.take(step.row, step.message)
            note(time.perf_counter() - begin)

    return play


async def _langgraph(shop: Shop, steps: tuple[Step, ...]) -> Play:
    from tests.bench import langgraph_bot as bot

    async def play(note: Callable[[float], None], *, check: bool = False) -> None:
        graph = bot.graph(shop, shop.store())
        customer = {"configurable": {"thread_id": "one"}}
        for step in steps:
            heard = bot.heard(step.message.content)
            begin = time.perf_counter()
            answer = await graph.ainvoke(heard, customer)
            note(time.perf_counter() - begin)
            if check and answer["replies"] != _said(step):
                raise SystemExit(f"the LangGraph shop answers {step.message.content} otherwise")

    await play(lambda _: None, check=True)
    return play


def _said(step: Step) -> list[dict[str, Any]]:
    payloads = [dict(entry.payload) for entry in step.record.outbox if entry.said]
    for payload in payloads:
        del payload["biz_opaque_callback_data"]
    return payloads
