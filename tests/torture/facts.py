"""What is left of a scenario: what Meta saw, what customers know, what lies in the database."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from beanie import Document
from pymongo import AsyncMongoClient

from engine.settings import Settings
from engine.storage.connection import Database
from engine.storage.documents import CartDocument, OrderDocument, ProductDocument
from engine.storage.records import (
    FlowSessionDocument,
    InboxDocument,
    OutboxDocument,
    TimerDocument,
)
from tests.torture.crowd import Patron
from tests.torture.processes import Life

Json = dict[str, Any]
LEFT = ("carts", "flowSessions", "timers")


@dataclass
class Facts:
    """What is left.

    Args:
        lives: of the processes that were tortured.
        unwilling: the ones that did not end in order when they were told to.
        away: when the database was.
        sends: every try to send something, as `meta.Sending`.
        chats: the messages in each customer's chat, by his user id.
        rows: the documents, by collection.
        mail: how often Meta's webhooks were taken and not taken.
        seconds: how long it took, by part.
    """

    scenario: str
    lives: list[Life]
    fallen: list[Life]
    unwilling: list[Life]
    away: list[tuple[float, float]]
    patrons: list[Patron]
    sends: list[Json]
    chats: dict[str, list[Json]]
    rows: dict[str, list[Json]]
    weather: Json = field(default_factory=dict)
    mail: Json = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


async def rows_of(settings: Settings) -> dict[str, list[Json]]:
    """Read what lies in the database."""
    documents: tuple[type[Document], ...] = (
        CartDocument, FlowSessionDocument, InboxDocument, OrderDocument, OutboxDocument,
        ProductDocument, TimerDocument,
    )  # fmt: skip
    async with Database(settings.mongodb_uri, name=settings.mongodb_db_name) as database:
        rows = {}
        for document in documents:
            collection = database.collection(document)
            rows[collection.name] = await collection.find({}).to_list()
        rows["slots"] = await database.client[database.name]["slots"].find({}).to_list()
        return rows


async def is_finished(settings: Settings) -> bool:
    """Tell whether no row waits to be worked on."""
    async with AsyncMongoClient[Json](settings.mongodb_uri) as client:
        database = client[settings.mongodb_db_name]
        waiting = (("inbox", "new"), ("outbox", "queued"))
        found = [await database[name].find_one({"state": state}) for name, state in waiting]
        return found == [None, None]


async def chats_of(meta: httpx.AsyncClient, patrons: Sequence[Patron]) -> dict[str, list[Json]]:
    """Read every customer's chat."""
    chats = {}
    for patron in patrons:
        answer = await meta.get(f"/sandbox/customers/{patron.phone}/messages")
        chats[patron.user_id] = answer.raise_for_status().json()
    return chats


class Stopwatch:
    """Measures the parts of a run."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.seconds: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Note how long it took since the last time."""
        now = time.monotonic()
        self.seconds[name], self._began = now - self._began, now
