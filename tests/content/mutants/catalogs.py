"""Random catalogs: valid, and as hostile as a menu can be; what they lead to is looked at.

Names are long, of every script, with emoji that are several code points, marks that stack, and
text that runs from right to left.
"""

import random
from collections.abc import Iterator
from typing import Any

from engine.domain.menu import Menu
from engine.rehearsal.rehearsal import Scene
from engine.sandbox.rules import complaint
from engine.transcript import choices
from tests.content.mutants.shop import Shop
from tests.content.mutants.stage import Do, Stage, Stand, begin

_ALPHABETS = (
    "abcdefghij KLMNOP qrstuv",
    "áéíóúñÑüß ŽŠČ œæø",
    "أبتثجحخد ذرزسشصض",
    "שלום עולם אבג",
    "ピザ寿司 拉麺 한국어",
    "กินข้าว น้ำส้ม",
    "e\u0301o\u0302u\u0308 n\u0303\u0323\u0301\u0302",
    "\u202eabc\u202c \u200bzero\u200d \ufeff",
    "*_~`|#:{}%<>&\"'\\",
    "0123456789 $€,.",
)
_EMOJI = ("🍕", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇵🇪", "❤️", "1️⃣", "🫕")
PRODUCTS = 20
"""Products of one catalog, on average."""


def random_menu(seed: int) -> Menu:
    """Make a catalog."""
    chance = random.Random(seed)
    return Menu.model_validate(_menu(chance))


def _menu(chance: random.Random) -> dict[str, Any]:
    categories = {
        f"cat:c{n}": {"name": _name(chance), "active": chance.random() < 0.95}
        for n in range(chance.choice((1, 2, 5, 11, 25)))
    }
    groups = {f"group:g{n}": _group(chance) for n in range(chance.choice((0, 1, 4, 10)))}
    # Some shelves are much longer than others: pages.
    shelves = [*categories, *[next(iter(categories))] * len(categories)]
    products = {
        f"prod:p{n}": _product(chance, chance.choice(shelves), list(groups))
        for n in range(chance.randint(1, PRODUCTS * 2 - 1))
    }
    return {"categories": categories, "groups": groups, "products": products}


def _group(chance: random.Random) -> dict[str, Any]:
    count = chance.choice((1, 2, 5, 12, 50))
    maximum = chance.randint(1, min(count, 20))
    modifiers = {
        f"mod:m{chance.randrange(10**6)}x{n}": {
            "name": _name(chance),
            "price": _price(chance),
            "available": chance.random() < 0.9,
        }
        for n in range(count)
    }
    return {
        "name": _name(chance),
        "minimum": chance.randint(0, maximum),
        "maximum": maximum,
        "modifiers": modifiers,
    }


def _product(chance: random.Random, category: str, groups: list[str]) -> dict[str, Any]:
    sizes = {
        f"pres:s{n}": {
            "name": _name(chance),
            "price": _price(chance),
            "available": chance.random() < 0.9,
        }
        for n in range(chance.choice((0, 0, 1, 3, 10, 25)))
    }
    made: dict[str, Any] = {
        "name": _name(chance),
        "category": category,
        "price": _price(chance),
        "description": _text(chance, chance.choice((0, 0, 40, 300, 1000))),
        "available": chance.random() < 0.9,
        "presentations": sizes,
        "groups": chance.sample(groups, min(len(groups), chance.choice((0, 1, 3, 10)))),
    }
    if chance.random() < 0.5:
        made["image"] = f"https://example.com/{chance.randrange(10**6)}.jpg"
    if chance.random() < 0.3:
        made["stock"] = chance.choice((0, 1, 2, 500))
    return made


def _price(chance: random.Random) -> str:
    return chance.choice(("0", "0.01", "9.99", "1000000", f"{chance.random() * 99:.2f}", "7"))


def _name(chance: random.Random) -> str:
    return _text(chance, chance.choice((1, 3, 12, 24, 25, 60, 72, 73, 100))) or "x"


def _text(chance: random.Random, length: int) -> str:
    made = ""
    while len(made) < length:
        if chance.random() < 0.15:
            made += chance.choice(_EMOJI)
        else:
            letters = chance.choice(_ALPHABETS)
            made += "".join(chance.choice(letters) for _ in range(chance.randint(1, 12)))
    return made[:length]


async def faults_of(shop: Shop, menu: Menu, *, seed: int, turns: int) -> list[str]:
    """Be a customer who does whatever is possible, and note what Meta would refuse."""
    chance = random.Random(seed)
    stage = Stage(Shop(shop.bundle, menu, shop.phrases, shop.phrase_places))
    faults: list[str] = []
    beginnings = list(begin(stage.shop))
    stand, do = chance.choice(beginnings)
    seen: list[Stand] = []
    for _ in range(turns):
        outcome = await stage.play(stand, do)
        if outcome is not None:
            for scene in outcome.scenes:
                faults += _faults(scene, do)
            stand = outcome.stand
            seen.append(stand)
        if chance.random() < 0.1:
            stand = chance.choice(seen) if seen else stand
        do = _next(chance, stand, menu)
    return faults


def _faults(scene: Scene, do: Do) -> Iterator[str]:
    if scene.failure:
        yield f"{do}: {scene.failure}"
    for entry in scene.said:
        found = complaint(dict(entry.payload))
        if found:
            yield f"{do}: {found}"
        ids = [choice.id for choice in choices(entry.payload)]
        if len(ids) != len(set(ids)):
            yield f"{do}: two choices have one id"


def _next(chance: random.Random, stand: Stand, menu: Menu) -> Do:
    offered = [choice.id for _, choice in stand.choices]
    if offered and chance.random() < 0.8:
        # The last row of a page leads on to the next one.
        return "tap", offered[-1] if chance.random() < 0.25 else chance.choice(offered)
    product = chance.choice([*menu.products.values()])
    others: tuple[Do, ...] = (
        ("say", product.name),
        ("say", "menu"),
        ("say", "cart"),
        ("say", "checkout"),
        ("say", str(chance.choice((1, 2, 50, 99)))),
        ("place",),
        ("say", "pickup"),
        ("say", _text(chance, 60) or "x"),
        ("end", "delivery"),
        ("order", "sizes"),
        ("order", "simple"),
        ("wait", "3h"),
        ("send", "voice"),
        ("shelf", chance.choice(_SHELVES)),
    )
    return chance.choice(others)


_SHELVES = ("", "sold out", "dearer", "few")
