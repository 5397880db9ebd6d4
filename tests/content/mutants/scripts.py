"""The dialogs of a tenant as acts: the ways its author knows of, to begin with."""

import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path as FilePath
from typing import Any

from engine.rehearsal.moment import Moment
from engine.spec.dialog import Dialog
from engine.spec.problems import Problems
from engine.spec.source import parse
from tests.content.mutants.shop import Shop
from tests.content.mutants.stage import Do, Stand

Script = tuple[Stand, tuple[Do, ...]]


def scripts_of(root: FilePath, shop: Shop) -> tuple[Script, ...]:
    """Read the dialogs of a tenant; what they expect is left out."""
    folder = root / "tenants" / shop.bundle.tenant_id / "dialogs"
    return tuple(_script(file, shop) for file in sorted(folder.glob("*.yaml")))


def _script(file: FilePath, shop: Shop) -> Script:
    # As the engine reads it: what a customer says may be `no`.
    source = parse(file.read_text("utf-8"), str(file), Problems())
    assert source is not None
    dialog = Dialog.model_validate(source.data)
    assert dialog.at is not None
    begins = dialog.at.replace(tzinfo=shop.bundle.tenant.zone).astimezone(UTC)
    stand = Stand("flows" if dialog.flows else "chat", Moment(begins))
    return stand, tuple(do for step in dialog.steps for do in _doings(step.kind, step))


def _doings(kind: str, step: Any) -> Iterator[Do]:
    value = getattr(step, kind)
    if kind in ("say", "send"):
        yield kind, value
    elif kind in ("tap", "tap_old"):
        yield "press" if kind == "tap" else "press old", value
    elif kind == "location":
        yield ("place",)
    elif kind == "wait":
        yield "wait", value
    elif kind == "flow":
        yield "end", "delivery"
    elif kind == "order":
        yield "cart", json.dumps([[i.item, i.quantity, str(i.price)] for i in value.items])
    elif kind == "change":
        yield "change", value.product, str(value.price or ""), str(value.available or "")
