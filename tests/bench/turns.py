"""The engine's time per turn without a database, beside the same shop as a LangGraph graph.

The bar in milliseconds is of CPU time, which a busy machine does not stretch as it does the
clock's; on an idle one they are the same. The two shops are held against each other by the clock.
"""

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
    used = _playing(_engine(shop, steps, clock=time.thread_time), AGAIN)
    alone = _alone(len(steps), median([await used() for _ in range(ROUNDS)]))
    if importlib.util.find_spec("langgraph") is None:
        return [alone, _absent()]
    ours = _playing(_engine(shop, steps, clock=time.perf_counter), AGAIN)
    theirs = _playing(await _langgraph(shop, steps), 1)
    return [alone, _beside(await in_turn(ours, theirs, rounds=ROUNDS))]


def _alone(turns: int, seconds: float) -> Row:
    used = seconds * 1000
    return Row(
        f"a turn without a database, median of {turns}", f"{used:.3f} ms of CPU",
        bar=f"<= {LONGEST_MS} ms", is_met=used <= LONGEST_MS,
    )  # fmt: skip


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


def _engine(shop: Shop, steps: tuple[Step, ...], *, clock: Callable[[], float]) -> Play:
    stores = [shop.store()]
    turns = shop.turns(lambda: stores[0])

    async def play(note: Callable[[float], None]) -> None:
        stores[0] = shop.store()
        for step in steps:
            begin = clock()
            await turns.take(step.row, step.message)
            note(clock() - begin)

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
