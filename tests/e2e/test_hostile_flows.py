"""Hostile exchanges: signed and encrypted rightly unless said, and nothing comes of them.

No answer is a 5xx or tells of a traceback, nothing that customers made changes, and the customer
whose Flow it is can go on afterwards.
"""

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.storage.records import FlowSessionDocument
from engine.whatsapp.flow_crypto import FlowKey
from tests.e2e.flow_scene import (
    ADD_ONS,
    ADDED,
    OTHER,
    PIZZA,
    SALAD,
    SHOP,
    SIZE,
    Door,
    Guest,
    dump,
    exchange,
    flow_ground,
    offer,
    outcome,
    settled,
    submit,
    text_of,
)
from tests.unit.whatsapp.flow_client import FlowClient
from tests.unit.whatsapp.strangers import any_json, nested

SCREENS = ("SIZE_SELECTION", "MODIFIERS_SELECTION", "ORDER_SUMMARY")
FILLED: dict[str, dict[str, Any]] = {
    "SIZE_SELECTION": SIZE,
    "MODIFIERS_SELECTION": ADD_ONS,
    "ORDER_SUMMARY": {"seen": "$45.00"},
}
Values = tuple[Any, ...]
WRONG_TYPES: Values = (
    *(True, False, 0, 1, -1, 1.5, 10**30, "\x00", "\x00" * 80),
    *({}, {"id": PIZZA}, {"$ne": ""}, [[]], [{}], [None], [1]),
)
JINJA: Values = (
    *("{{ 7*7 }}", "{% for x in y %}", "{{ ''.__class__ }}", "${data.total_text}", "`1 == 1`"),
)
NOT_OFFERED: Values = (
    *("mod:no-such", "pres:no-such", "pres:caesar-large", "mod:anchovies", PIZZA, " "),
    *("mod:thin-crust ", "MOD:THIN-CRUST", "x" * 5000, *JINJA),
)


@pytest.fixture(scope="module")
async def ground(mongodb_uri):
    async with flow_ground(mongodb_uri, "hostile") as running:
        yield running


@asynccontextmanager
async def untouched(ground):
    """While the block runs nothing that customers made changes, in neither shop."""
    before = await dump(ground)
    yield
    after = await dump(ground)
    for name, rows in before.items():
        assert after[name] == rows, name


def calm(status, answer, asked=None):
    """The answer is one that a door may give to anybody."""
    shown = str(asked)[:300]
    assert status in (200, 400, 404, 405, 413, 421, 427, 432), (status, shown)
    assert "Traceback" not in str(answer), shown
    assert 'File "' not in str(answer), shown


async def come_to(door, token, screen):
    """Go through a Flow for a pizza up to a screen."""
    answer = await door.ask(exchange(token, action="INIT"))
    for passed in SCREENS[: SCREENS.index(screen)]:
        answer = await door.ask(exchange(token, passed, submit(FILLED[passed])))
    assert (answer[0], answer[1]["screen"]) == (200, screen)


async def goes_on(guest, door, token, screen):
    """He finishes from the screen where he is, and has his pizza once."""
    answer: Any = None
    for left in SCREENS[SCREENS.index(screen) :]:
        status, answer = await door.ask(exchange(token, left, submit(FILLED[left])))
        assert status == 200
    outcome(answer)
    await settled(guest.ground)
    assert [text for text in await guest.texts() if text.startswith("✅")] == [ADDED]
    assert str((await guest.cart()).subtotal) == "45.00"


# What is not an exchange ---------------------------------------------------------------------


def cut(envelope, name):
    return envelope | {name: envelope[name][: len(envelope[name]) // 8 * 4]}


def flipped(envelope, name):
    raw = bytearray(base64.b64decode(envelope[name]))
    raw[len(raw) // 2] ^= 1
    return envelope | {name: base64.b64encode(raw).decode()}


PARTS = ("encrypted_flow_data", "encrypted_aes_key", "initial_vector")


def bodies(phone, asked):
    """Bodies that are not what a phone sends, but look more or less like it."""
    whole = phone.ask(asked)
    text = json.dumps(whole).encode()
    yield from (b"", b" ", b"{", b"{}", b"[]", b"null", b"0", b'"text"', b"NaN", b"\xff\xfe{}")
    yield from (b"[" * 100_000, b'{"a":' * 50_000, b"\x00" * 1000, b"%PDF-1.7", b"a=1&b=2")
    yield from (text[:-1], text[: len(text) // 2], text + text, b"[" + text + b"]")
    for name in PARTS:
        yield json.dumps({key: value for key, value in whole.items() if key != name}).encode()
        odd: Values = (
            None,
            0,
            True,
            [],
            {},
            "",
            "====",
            "ä",
            "AA==",
            whole[name] * 2,
            [whole[name]],
        )
        for value in odd:
            yield json.dumps(whole | {name: value}).encode()
        yield json.dumps(cut(whole, name)).encode()
        yield json.dumps(flipped(whole, name)).encode()
    yield json.dumps(dict.fromkeys(PARTS, whole[PARTS[0]])).encode()
    yield json.dumps(asked).encode()
    for size in ({"aes_key_bytes": 32}, {"iv_bytes": 12}, {"iv_bytes": 8}):
        other = FlowClient(phone_pem(phone), **size)
        yield json.dumps(other.ask(asked)).encode()


def phone_pem(phone):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = phone.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return raw.decode()


async def test_bodies_that_are_no_exchange(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    phone = await door.phone()
    async with untouched(ground):
        for body in bodies(phone, exchange(token, "ORDER_SUMMARY", submit())):
            answer = await door.post(body)
            calm(answer.status_code, answer.text, body)
            assert answer.status_code in (400, 421), body[:300]
    await goes_on(guest, door, token, "ORDER_SUMMARY")


async def test_bodies_encrypted_for_another_key(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    stranger = FlowClient((await asyncio.to_thread(FlowKey.generate)).public_pem)
    async with untouched(ground):
        body = json.dumps(stranger.ask(exchange(token, "ORDER_SUMMARY", submit()))).encode()
        answer = await door.post(body)
        assert answer.status_code == 421
        calm(answer.status_code, answer.text)
    await goes_on(guest, door, token, "ORDER_SUMMARY")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_other_methods(ground, guest, door, method):
    token = (await guest.invited()).token
    body = json.dumps((await door.phone()).ask(exchange(token, action="INIT"))).encode()
    async with untouched(ground):
        assert (await door.post(body, method=method)).status_code == 404


TEXTS = {
    "nothing": b"",
    "no JSON": b"{'version': '4.0'}",
    "an array": b'[{"version": "4.0", "action": "ping"}]',
    "a text": b'"ping"',
    "half a character": b"\xf0\x9f\x8d",
    "UTF-16": '{"version": "4.0", "action": "ping"}'.encode("utf-16"),
    "deep": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "deep in an array": b"[" * 20_000 + b"]" * 20_000,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_texts_that_are_no_request(ground, door, text):
    async with untouched(ground):
        status, answer = await door.ask_bytes(text)
        calm(status, answer, text)
        assert status == 400


async def test_the_same_bytes_again(ground, guest, door):
    invited = await guest.invited()
    await come_to(door, invited.token, "SIZE_SELECTION")
    for screen in SCREENS:
        phone = await door.phone()
        asked = phone.ask(exchange(invited.token, screen, submit(FILLED[screen])))
        body = json.dumps(asked).encode()
        first = await door.post(body)
        assert first.status_code == 200
        async with untouched(ground):
            again = [await door.post(body) for _ in range(3)]
            again += await asyncio.gather(*(door.post(body) for _ in range(3)))
        assert {answer.status_code for answer in again} == {200}
        assert {answer.text for answer in again} == {first.text}
    # From the beginning on, after the end: he cannot have a second one.
    body = json.dumps((await door.phone()).ask(exchange(invited.token, action="INIT"))).encode()
    async with untouched(ground):
        assert (await door.post(body)).status_code == 427
    assert await guest.added() == 1


# Whose it is ---------------------------------------------------------------------------------


async def test_a_token_of_another_shop(ground, guest):
    token = (await guest.invited()).token
    lima = Guest(ground, tenant=OTHER, name="Rosa")
    other = (await lima.invited("prod:ceviche-clasico")).token
    doors = [Door(ground), Door(ground, tenant=OTHER), Door(ground, product=PIZZA),
             Door(ground, product=PIZZA, tenant=OTHER),
             Door(ground, product="prod:ceviche-clasico")]  # fmt: skip
    own = {(SHOP, token), (OTHER, other)}
    async with untouched(ground):
        for door in doors:
            for stolen in (token, other):
                if (door.tenant, stolen) not in own:
                    for asked in (
                        exchange(stolen, action="INIT"),
                        exchange(stolen, "SIZE_SELECTION", submit(SIZE)),
                        exchange(stolen, "ORDER_SUMMARY", submit()),
                    ):
                        status, answer = await door.ask(asked)
                        assert (status, set(answer)) == (427, {"error_msg"})
    await come_to(Door(ground), token, "SIZE_SELECTION")
    await goes_on(guest, Door(ground), token, "SIZE_SELECTION")


def forged(token):
    """Tokens that were not signed for the session they name."""
    name, expiry, mac = token.split(".")
    yield from (f"{name}.{int(expiry) + 86400}.{mac}", f"{name}.{expiry}.{mac[::-1]}")
    yield from (
        f"{name}.{expiry}",
        f"{name}.{expiry}.",
        f"..{mac}",
        name,
        f"{token}.",
        f" {token}",
    )
    yield from (
        f"{token}\n",
        f"{token}\x00",
        token.upper(),
        token * 3,
        f"{'0' * 32}.{expiry}.{mac}",
    )
    yield from ("", " ", "\x00", "x" * 10_000, "{{ 7*7 }}", "$ne", "../../etc/passwd", "１" * 32)
    yield from (None, 0, True, [], [token], {}, {"$ne": ""}, {"$gt": token})


async def test_tokens_that_were_never_given(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    async with untouched(ground):
        for wrong in forged(token):
            for asked in (
                exchange(wrong, action="INIT"),
                exchange(wrong, "ORDER_SUMMARY", submit()),
                exchange(wrong, "ORDER_SUMMARY", action="BACK"),
            ):
                status, answer = await door.ask(asked)
                calm(status, answer, asked)
                assert status in (400, 427), asked
    await goes_on(guest, door, token, "ORDER_SUMMARY")


async def test_a_reply_with_the_token_of_another_customer(ground, guest, door):
    invited = await guest.invited()
    await come_to(door, invited.token, "ORDER_SUMMARY")
    thief = Guest(ground, name="Luis")
    mine = await thief.invited(SALAD)
    before = await invited.session()
    await thief.reply({"flow_token": invited.token}, answering=mine.wamid)
    await thief.reply({"flow_token": invited.token}, answering=invited.wamid)
    await thief.reply({}, answering=invited.wamid)
    assert await invited.session() == before
    assert (await thief.cart()).count == 0
    assert await thief.added() == 0
    assert len(await guest.texts()) == 1
    await goes_on(guest, door, invited.token, "ORDER_SUMMARY")


async def test_a_foreign_product_in_the_address_and_in_the_data(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "SIZE_SELECTION")
    async with untouched(ground):
        for product in (SALAD, "prod:no-such", "prod:ceviche-clasico", "..", "%00", "x" * 3000):
            status, answer = await Door(ground, product=product).ask(
                exchange(token, "SIZE_SELECTION", submit(SIZE))
            )
            calm(status, answer, product)
            assert status in (404, 427), product
    foreign = {"product": SALAD, "product_id": SALAD, "input": {"product": SALAD}}
    for screen in SCREENS:
        values = FILLED[screen] | foreign
        status, answer = await door.ask(exchange(token, screen, submit(values)))
        assert status == 200
    assert outcome(answer)["product"] == PIZZA
    await settled(ground)
    assert [line.product_id for line in (await guest.cart()).lines] == [PIZZA]
    assert str((await guest.cart()).subtotal) == "45.00"


# What is entered -----------------------------------------------------------------------------


async def refuses(ground, door, token, screen, values):
    """No entry leads on from a screen, or changes anything; those of nobody's words are told."""
    async with untouched(ground):
        for entered in values:
            asked = exchange(token, screen, entered)
            status, answer = await door.ask(asked)
            calm(status, answer, asked)
            assert status == 200, asked
            assert answer["screen"] == screen, asked
            assert answer["data"].get("error_message"), asked
            assert "49" not in answer["data"]["error_message"]


async def test_sizes_that_are_not_offered(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "SIZE_SELECTION")
    wrong = (*NOT_OFFERED, *WRONG_TYPES, ["pres:margherita-large"], "pres:diavola-large", "", None)
    entered = [submit(SIZE | {"selected_size": value}) for value in wrong]
    await refuses(ground, door, token, "SIZE_SELECTION", entered)
    await goes_on(guest, door, token, "SIZE_SELECTION")


async def test_a_size_that_is_sold_out(ground, guest, door):
    invited = await guest.invited("prod:quattro-formaggi")
    await door.ask(exchange(invited.token, action="INIT"))
    sold_out = {"selected_size": "pres:quattro-formaggi-large", "quantity": "1"}
    await refuses(ground, door, invited.token, "SIZE_SELECTION", [submit(sold_out)])


async def test_quantities_that_cannot_be(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "SIZE_SELECTION")
    wrong = ("0", "-1", "-0", "00", "100", str(10**9), "1e5", "1e1", "0x1", "1_0", "x", "½", "²",
             "∞", "--", "+", ".9", " ", "NaN", "9" * 5000, 100, 10**9, *WRONG_TYPES,
             *JINJA)  # fmt: skip
    entered = [submit(SIZE | {"quantity": value}) for value in wrong]
    await refuses(ground, door, token, "SIZE_SELECTION", entered)
    await goes_on(guest, door, token, "SIZE_SELECTION")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("１", 1), ("２", 2), ("٣", 3), ("07", 7), ("+5", 5), ("", 1), (None, 1), ([], 1)],
)
async def test_quantities_that_can_be_read(guest, door, written, meant):
    """Digits of other alphabets are what they say, and who says nothing means one."""
    token = (await guest.invited()).token
    await come_to(door, token, "SIZE_SELECTION")
    entered = submit(SIZE | {"quantity": written})
    _, answer = await door.ask(exchange(token, "SIZE_SELECTION", entered))
    assert answer["screen"] == "MODIFIERS_SELECTION"
    _, answer = await door.ask(exchange(token, "MODIFIERS_SELECTION", submit(ADD_ONS)))
    assert answer["data"]["total_price"] == 22.5 * meant
    assert (await guest.cart()).count == 0


async def test_add_ons_that_are_not_offered(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "MODIFIERS_SELECTION")
    topping = ["mod:extra-cheese"]
    one = (*NOT_OFFERED, *WRONG_TYPES, ["mod:thin-crust"], "mod:caesar-dressing", "mod:pepperoni")
    many = (*NOT_OFFERED, *WRONG_TYPES, ["mod:anchovies"], ["mod:caesar-dressing"],
            ["mod:thin-crust"], topping * 2, topping * 500, [*topping, "–"], [topping],
            ["mod:extra-cheese", None], *([text] for text in NOT_OFFERED))  # fmt: skip
    six = ["mod:extra-cheese", "mod:pepperoni", "mod:mushrooms", "mod:sausage", "mod:bacon",
           "mod:red-onion"]  # fmt: skip
    entered = [submit(ADD_ONS | {"modifiers_1_one": value}) for value in one]
    entered += [submit(ADD_ONS | {"modifiers_2_many": value}) for value in many]
    entered += [submit(ADD_ONS | {"modifiers_2_many": six})]
    # Nothing where one is wanted, and the group's other components.
    thin = ["mod:thin-crust"]
    entered += [submit(), submit({"modifiers_2_many": topping})]
    entered += [submit({"modifiers": thin}), submit({"modifiers_1_many": thin})]
    await refuses(ground, door, token, "MODIFIERS_SELECTION", entered)
    await goes_on(guest, door, token, "MODIFIERS_SELECTION")


async def test_an_add_on_of_a_group_that_the_product_has_not(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "MODIFIERS_SELECTION")
    more = {
        f"modifiers_{n}_{kind}": "mod:pepperoni" for n in (0, 3, 8, 9) for kind in ("one", "many")
    }
    status, answer = await door.ask(
        exchange(token, "MODIFIERS_SELECTION", submit({**more, **ADD_ONS}))
    )
    assert (status, answer["screen"]) == (200, "ORDER_SUMMARY")
    assert answer["data"]["total_price"] == 45


async def test_amounts_are_never_taken_from_the_client(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "SIZE_SELECTION")
    cheap = {"total_price": 0.01, "base_price": 0, "modifiers_total": -5, "price": 0, "priced": {},
             "total_text": "$0.01", "unit_price": 0, "discount": 100}  # fmt: skip
    answer: Any = None
    for screen in SCREENS[:2]:
        status, answer = await door.ask(exchange(token, screen, submit(cheap | FILLED[screen])))
        assert status == 200
    data = answer["data"]
    assert (data["base_price"], data["modifiers_total"], data["total_price"]) == (18, 4.5, 45)
    wrong: Values = ("$0.01", "45", 45, 0.01, True, -1, {}, [], "x" * 5000, JINJA[0])
    entered = [submit(cheap | {"seen": value}) for value in wrong]
    await refuses(ground, door, token, "ORDER_SUMMARY", entered)
    status, answer = await door.ask(
        exchange(token, "ORDER_SUMMARY", submit(cheap | {"seen": "$45.00"}))
    )
    assert set(outcome(answer)) == {
        "product",
        "presentation",
        "modifiers",
        "quantity",
        "flow_token",
    }
    await settled(ground)
    assert str((await guest.cart()).subtotal) == "45.00"


@pytest.mark.parametrize("screen", SCREENS[:2])
async def test_events_that_no_button_has(ground, guest, door, screen):
    """The chart's own events among them: a client can raise none."""
    token = (await guest.invited()).token
    await come_to(door, token, screen)
    names = ("moved", "problem", "refused", "refused.sold_out", "refused.unknown_product",
             "refused.too_few_modifiers", "refused.too_many_modifiers", "flow_ready", "",
             "x" * 5000, *JINJA, *WRONG_TYPES, None, ["submit"], {"submit": 1})  # fmt: skip
    more = {"quantity": "0", "group": "x", "minimum": -1, "maximum": [], "product": SALAD}
    async with untouched(ground):
        for name in names:
            asked = exchange(token, screen, {"event": name, **more})
            status, answer = await door.ask(asked)
            calm(status, answer, asked)
            assert (status, answer["screen"]) == (200, screen), asked
    await goes_on(guest, door, token, screen)


@pytest.mark.parametrize("screen", SCREENS)
async def test_screens_that_he_is_not_on(ground, guest, door, screen):
    token = (await guest.invited()).token
    await come_to(door, token, screen)
    ahead = SCREENS[SCREENS.index(screen) + 1 :]
    wrong = (*ahead, "SUCCESS", "success", "NO_SUCH", "RECEIVING", "size_selection", " ", "\x00",
             "x" * 400, "x" * 5000, "{{ 7*7 }}", "__class__", "anywhere", *WRONG_TYPES,
             ["SIZE_SELECTION"], None, "")  # fmt: skip
    async with untouched(ground):
        for name in wrong:
            for action in ("data_exchange", "BACK"):
                asked = exchange(token, name, submit(SIZE | ADD_ONS), action=action)
                status, answer = await door.ask(asked)
                calm(status, answer, asked)
                assert status in (400, 427), asked
    await goes_on(guest, door, token, screen)


async def test_a_screen_before_the_flow_was_opened(ground, guest, door):
    token = (await guest.invited()).token
    async with untouched(ground):
        for screen in SCREENS:
            for action in ("data_exchange", "BACK"):
                asked = exchange(token, screen, submit(FILLED[screen]), action=action)
                assert (await door.ask(asked))[0] == 427
    await come_to(door, token, "SIZE_SELECTION")
    await goes_on(guest, door, token, "SIZE_SELECTION")


# Actions -------------------------------------------------------------------------------------


async def test_actions_that_there_are_not(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    names: Values = (
        *("init", "Ping", "navigate", "complete", "SUCCESS", "error", "", " ", "x" * 5000),
        *("data_exchange ", "data_exchange\x00", *JINJA, *WRONG_TYPES, None, []),
    )
    versions: Values = ("", "4", "four", "4.0.0", "99999.0", 4.0, None, [], "x" * 5000)
    async with untouched(ground):
        for action in names:
            asked = exchange(token, "ORDER_SUMMARY", submit(), action=action)
            status, answer = await door.ask(asked)
            calm(status, answer, asked)
            assert status == 400, asked
        for version in versions:
            asked = exchange(token, "ORDER_SUMMARY", submit()) | {"version": version}
            status, answer = await door.ask(asked)
            calm(status, answer, asked)
            assert status == 400, asked
    await goes_on(guest, door, token, "ORDER_SUMMARY")


async def test_data_that_is_no_object(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    async with untouched(ground):
        for data in ("text", 7, True, [], [submit()], ["event"], "\x00"):
            for action in ("data_exchange", "INIT", "BACK"):
                asked = exchange(token, "ORDER_SUMMARY", data, action=action)
                status, answer = await door.ask(asked)
                calm(status, answer, asked)
                assert status == 400, asked
    await goes_on(guest, door, token, "ORDER_SUMMARY")


async def test_opening_with_data_and_going_back_from_the_first_screen(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "SIZE_SELECTION")
    data = {"product": SALAD, "selected_size": "pres:no-such", "quantity": -5, "event": "submit",
            "screen": "ORDER_SUMMARY", "modifiers": ["mod:no-such"],
            "trail": list(SCREENS)}  # fmt: skip
    async with untouched(ground):
        for screen in (None, "", "SIZE_SELECTION", "ORDER_SUMMARY", "SUCCESS"):
            asked = exchange(token, screen, data, action="INIT")
            status, answer = await door.ask(asked)
            assert (status, answer["screen"]) == (200, "SIZE_SELECTION")
            assert answer["data"]["product_name"] == "Margherita Pizza"
            assert answer["data"]["selected_quantity"] == "1"
        for given_ in (None, data):
            asked = exchange(token, "SIZE_SELECTION", given_, action="BACK")
            status, answer = await door.ask(asked)
            assert (status, answer["screen"]) == (200, "SIZE_SELECTION")
    await goes_on(guest, door, token, "SIZE_SELECTION")


async def test_error_notifications(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    words: Values = (
        *("payload-schema-error", "x" * 500_000, "", None, 7, {}, [], nested(20), "\x00"),
        *(JINJA[0], "Traceback (most recent call last)"),
    )
    async with untouched(ground):
        for key in ("error", "error_key", "error_message"):
            for said in words:
                for action in ("data_exchange", "INIT"):
                    asked = exchange(token, "ORDER_SUMMARY", submit({key: said}), action=action)
                    status, answer = await door.ask(asked)
                    assert (status, answer) == (200, {"data": {"acknowledged": True}}), key
    await goes_on(guest, door, token, "ORDER_SUMMARY")


# How much ------------------------------------------------------------------------------------


@pytest.mark.parametrize("screen", SCREENS[:2])
async def test_fields_of_any_size(ground, guest, door, screen):
    token = (await guest.invited()).token
    await come_to(door, token, screen)
    large = "x" * 700_000
    names = ("selected_size", "quantity", "modifiers_1_one", "modifiers_2_many", "event", "seen")
    thousands = {f"key{n}": n for n in range(10_000)}
    values: Values = (
        *(large, [large], [large[:99]] * 6000, "x" * 1024 * 1024, thousands),
        *(nested(30), nested(40), nested(400), [[]] * 10_000),
    )
    async with untouched(ground):
        for name in names:
            for value in values:
                asked = exchange(token, screen, {name: value})
                status, answer = await door.ask(asked)
                calm(status, answer, name)
                assert status in (200, 400, 413), (name, str(value)[:40])
                if status == 200:
                    assert answer["screen"] == screen
                    assert len(json.dumps(answer)) < 20_000
        status, answer = await door.ask(exchange(token, screen, thousands))
        assert (status, answer["screen"]) == (200, screen)
    await goes_on(guest, door, token, screen)


async def test_ten_thousand_other_keys_do_no_harm(guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "SIZE_SELECTION")
    more = {f"key{n}": "x" for n in range(10_000)} | {"$set": {"state": "done"}, "a.b": 1, "": 0}
    status, answer = await door.ask(exchange(token, "SIZE_SELECTION", more | submit(SIZE)))
    assert (status, answer["screen"]) == (200, "MODIFIERS_SELECTION")
    await goes_on(guest, door, token, "MODIFIERS_SELECTION")


async def test_numbers_and_characters_that_json_has_not(ground, guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "SIZE_SELECTION")
    values = (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-0", b"9" * 5000, b'"\\ud800"',
              b'"\\udfff\\ud800"', b'"\\u0000"', b'"\xed\xa0\x80"', b"01", b"'x'",
              b'"\x01"')  # fmt: skip
    async with untouched(ground):
        for name in ("quantity", "selected_size", "event", "a\\ud800b", "\\u0000", ""):
            for value in values:
                data = b'{"quantity":"0","selected_size":"pres:no-such","%s":%s}' % (
                    name.encode(), value,
                )  # fmt: skip
                text = b'{"version":"4.0","action":"data_exchange","screen":"SIZE_SELECTION",'
                text += b'"flow_token":"%s","data":%s}' % (token.encode(), data)
                status, answer = await door.ask_bytes(text)
                calm(status, answer, data)
                assert status == 400 or answer["screen"] == "SIZE_SELECTION", data
    await goes_on(guest, door, token, "SIZE_SELECTION")


# The order -----------------------------------------------------------------------------------


@pytest.fixture
def till(ground):
    return Door(ground, flow="checkout")


async def test_what_a_checkout_does_not_offer(ground, guest, till):
    token = (await guest.invited_to_pay()).token
    await till.ask(exchange(token, action="INIT"))
    wrong = (*NOT_OFFERED, *WRONG_TYPES, "teleport", "Delivery", ["pickup"], "", None)
    await refuses(ground, till, token, "RECEIVING", [submit({"type": value}) for value in wrong])
    _, answer = await till.ask(exchange(token, "RECEIVING", submit({"type": "delivery"})))
    assert answer["screen"] == "ADDRESS"
    wrong = (*WRONG_TYPES, "x" * 301, "x" * 700_000, "", " " * 50, "abc", "\x00" * 40, None, [])
    await refuses(ground, till, token, "ADDRESS", [submit({"address": value}) for value in wrong])
    async with untouched(ground):
        assert (await till.ask(exchange(token, "PAYMENT", submit({"payment": "cash"}))))[0] == 427
    address = submit({"address": "148 Carmine Street"})
    _, answer = await till.ask(exchange(token, "ADDRESS", address))
    assert answer["screen"] == "PAYMENT"
    wrong = (*NOT_OFFERED, *WRONG_TYPES, "yape", "Cash", ["cash"], "", None)
    entered = [submit({"payment": value}) for value in wrong]
    entered += [
        submit({"payment": "cash", "notes": value})
        for value in WRONG_TYPES
        if not isinstance(value, str)
    ]
    entered += [submit({"payment": "cash", "notes": "x" * 301})]
    await refuses(ground, till, token, "PAYMENT", entered)
    _, answer = await till.ask(exchange(token, "PAYMENT", submit({"payment": "cash"})))
    assert outcome(answer)["type"] == "delivery"
    await settled(ground)
    assert await guest.order() is None
    assert "148 Carmine Street" in text_of(await guest.newest())


async def test_templates_and_expressions_are_shown_back_as_they_were_written(guest, till):
    token = (await guest.invited_to_pay()).token
    address, notes = "{{ 7*7 }} {% raw %} Street, ${data.total}", "{{ tenant }} ${form.x} `1`\x00"
    await till.ask(exchange(token, action="INIT"))
    await till.ask(exchange(token, "RECEIVING", submit({"type": "delivery"})))
    await till.ask(exchange(token, "ADDRESS", submit({"address": address})))
    _, answer = await till.ask(
        exchange(token, "PAYMENT", submit({"payment": "cash", "notes": notes}))
    )
    assert outcome(answer)["address"] == address
    await settled(guest.ground)
    said = text_of(await guest.newest())
    assert address in said
    assert notes.replace("\x00", "") in said


@pytest.mark.parametrize(
    "name",
    [
        "{{ 7*7 }} {% raw %} {{",
        pytest.param(
            "${data.total_text} `1`",
            marks=pytest.mark.xfail(
                strict=True,
                reason="device_checks takes resolved texts for expressions of the document",
            ),
        ),
    ],
)
async def test_a_product_called_like_a_template(ground, guest, name):
    product = await offer(ground, name=name, description="{% for x in y %}")
    flow = await (await guest.invited(product)).opened()
    assert f"│ *{name}*" in flow.lines
    await flow.submit({"quantity": "1"})
    await flow.submit({"modifiers_1_one": "Classic"})
    assert f"│ *{name}*" in flow.lines
    await flow.submit()
    assert flow.state == "finished"
    await settled(ground)
    assert name in text_of(await guest.newest())


async def test_a_checkout_whose_cart_is_empty_meanwhile(ground, guest, till):
    token = (await guest.invited_to_pay()).token
    await till.ask(exchange(token, action="INIT"))
    await guest.say("clear cart")
    assert (await guest.cart()).count == 0
    async with untouched(ground):
        for kind in ("delivery", "pickup"):
            status, answer = await till.ask(exchange(token, "RECEIVING", submit({"type": kind})))
            assert status in (200, 427)
            assert answer.get("screen") in ("RECEIVING", None)


async def test_a_checkout_below_what_is_delivered(ground, guest, till):
    token = (await guest.invited_to_pay("add a coke")).token
    await till.ask(exchange(token, action="INIT"))
    await refuses(ground, till, token, "RECEIVING", [submit({"type": "delivery"})])
    _, answer = await till.ask(exchange(token, "RECEIVING", submit({"type": "pickup"})))
    assert answer["screen"] == "PAYMENT"


# Completions ---------------------------------------------------------------------------------

WHOLE = {"product": PIZZA, "presentation": "pres:margherita-large", "quantity": 2,
         "modifiers": ["mod:thin-crust", "mod:extra-cheese", "mod:pepperoni"]}  # fmt: skip


QUANTITIES: Values = (0, -1, 100, 10**9, "1e5", 1.5, [], {}, "x" * 5000)
PRESENTATIONS: Values = ("pres:no-such", "pres:diavola-large", 7, {}, [])
MODIFIERS: Values = (
    *(["mod:no-such"], ["mod:thin-crust", "mod:anchovies"], ["mod:caesar-dressing"]),
    *("mod:thin-crust", {}, [[]], [7], ["mod:thin-crust"] * 500, [], nested(20)),
    ["mod:thin-crust", "mod:classic-crust"],
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("quantity", value) for value in QUANTITIES),
        *(("presentation", value) for value in PRESENTATIONS),
        *(("modifiers", value) for value in MODIFIERS),
    ],
    ids=lambda part: str(part)[:20],
)
async def test_a_completion_of_what_is_not_offered(ground, guest, name, value):
    invited = await guest.invited()
    await invited.reply(WHOLE | {name: value})
    assert (await guest.cart()).count == 0
    assert await guest.added() == 0
    answer = text_of(await guest.newest())
    assert "{{" not in answer
    assert "Traceback" not in answer
    # The shop is there for him.
    await guest.say("add a coke")
    assert (await guest.cart()).count == 1


async def test_a_completion_cannot_choose_product_or_price(ground, guest):
    invited = await guest.invited()
    cheap = {"product": SALAD, "total_price": 0.01, "price": 0, "unit_price": 0, "customer": "x"}
    await invited.reply(WHOLE | cheap)
    assert [line.product_id for line in (await guest.cart()).lines] == [PIZZA]
    assert str((await guest.cart()).subtotal) == "45.00"


@pytest.mark.parametrize("written", ["", "{", "[]", "null", "7", '"x"', "[" * 5000, "\x00"])
async def test_a_completion_that_says_nothing_readable(ground, guest, door, written):
    invited = await guest.invited()
    reply = {"name": "flow", "body": "Sent", "response_json": written}
    said = await guest.customer.send_raw(
        {
            "type": "interactive",
            "interactive": {"type": "nfm_reply", "nfm_reply": reply},
            "context": {"id": invited.wamid},
        }
    )
    await settled(ground)
    assert said.status == 200
    assert (await guest.cart()).count == 0
    await guest.say("add a coke")
    assert (await guest.cart()).count == 1


@pytest.mark.parametrize(
    "entered",
    [
        {"type": "delivery", "address": "", "payment": "cash"},
        {"type": "delivery", "address": {"text": "148 Carmine Street"}, "payment": "cash"},
        {"type": "delivery", "address": "148 Carmine Street", "payment": "{{ 7*7 }}"},
        {"type": "pickup", "payment": "no-such"},
        {"type": "pickup", "payment": ["cash"]},
        {"type": "pickup"},
        {"type": ["delivery"], "payment": "cash", "notes": {"a": 1}},
        {},
    ],
    ids=str,
)
async def test_a_completed_checkout_places_no_order_by_itself(guest, entered):
    invited = await guest.invited_to_pay()
    await invited.reply(entered)
    assert await guest.order() is None
    assert (await guest.cart()).count == 2
    assert "{{" not in text_of(await guest.newest())


# At once -------------------------------------------------------------------------------------


def mixed(token):
    """Fifty exchanges of one Flow in no order, the last one not among them."""
    large, small = SIZE, SIZE | {"selected_size": "pres:margherita-small", "quantity": "9"}
    kinds = [
        exchange(token, action="INIT"),
        exchange(token, "SIZE_SELECTION", submit(large)),
        exchange(token, "SIZE_SELECTION", submit(small)),
        exchange(token, "MODIFIERS_SELECTION", submit(ADD_ONS)),
        exchange(token, "MODIFIERS_SELECTION", submit({"modifiers_1_one": "mod:stuffed-crust"})),
        exchange(token, "MODIFIERS_SELECTION", action="BACK"),
        exchange(token, "ORDER_SUMMARY", action="BACK"),
        exchange(token, "SIZE_SELECTION", submit({"quantity": "x"})),
        exchange(token, "NO_SUCH", submit()),
        exchange(token, "SIZE_SELECTION", {"error": "timeout"}),
    ]
    return kinds * 5


async def test_fifty_exchanges_of_one_session_at_once(guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    answers = await asyncio.gather(*(door.ask(asked) for asked in mixed(token)))
    for status, answer in answers:
        calm(status, answer)
    assert {status for status, _ in answers} <= {200, 427}
    assert (await guest.cart()).count == 0
    await come_to(door, token, "SIZE_SELECTION")
    await goes_on(guest, door, token, "SIZE_SELECTION")


async def test_fifty_exchanges_on_one_connection_without_waiting(guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    phone = await door.phone()
    bodies = [json.dumps(phone.ask(asked)).encode() for asked in mixed(token)]
    place = urlsplit(door.ground.engine_url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    for number, body in enumerate(bodies, start=1):
        goes = "close" if number == len(bodies) else "keep-alive"
        head = (
            f"POST {door.path} HTTP/1.1\r\nHost: {place.netloc}\r\nConnection: {goes}\r\n"
            f"X-Hub-Signature-256: {door.signature(body)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
    answered = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    statuses = [part.split(" ", 1)[0] for part in answered.split("HTTP/1.1 ")[1:]]
    assert len(statuses) == len(bodies)
    assert set(statuses) <= {"200", "427"}
    assert (await guest.cart()).count == 0
    await come_to(door, token, "SIZE_SELECTION")
    await goes_on(guest, door, token, "SIZE_SELECTION")


async def test_fifty_last_exchanges_at_once(guest, door):
    token = (await guest.invited()).token
    await come_to(door, token, "ORDER_SUMMARY")
    last = exchange(token, "ORDER_SUMMARY", submit({"seen": "$45.00"}))
    answers = await asyncio.gather(*(door.ask(last) for _ in range(50)))
    assert {status for status, _ in answers} == {200}
    assert all(outcome(answer) == outcome(answers[0][1]) for _, answer in answers)
    await settled(guest.ground)
    assert await guest.added() == 1
    assert str((await guest.cart()).subtotal) == "45.00"


# Anything ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def parked(ground):
    """A customer whose Flow stands on each screen: the stored sessions, to be put back."""
    guest, door = Guest(ground), Door(ground)
    rows = ground.engine.database.collection(FlowSessionDocument)
    stands = {}
    for screen in SCREENS:
        token = (await guest.invited()).token
        await come_to(door, token, screen)
        stands[screen] = token, await rows.find_one({"_id": token.split(".")[0]})
    return guest, door, stands, rows


def likely(screen):
    names = st.sampled_from(["event", "error_message", "modifiers", "product", *FILLED[screen]])
    values = st.one_of(any_json, st.sampled_from([*FILLED[screen].values(), "submit", "refused"]))
    return st.dictionaries(names | st.text(max_size=5), values, max_size=6)


asked_of = st.sampled_from(SCREENS).flatmap(
    lambda screen: st.tuples(
        st.just(screen),
        st.sampled_from(["data_exchange", "BACK", "INIT", "ping"]),
        likely(screen) | any_json,
    )
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(asked=asked_of, elsewhere=st.none() | any_json)
async def test_no_data_breaks_an_open_session(parked, asked, elsewhere):
    guest, door, stands, rows = parked
    screen, action, data = asked
    token, stored = stands[screen]
    if screen == "ORDER_SUMMARY" and (isinstance(data, dict) or not data):
        # Nothing else keeps this one from being the customer's own last exchange.
        data = {**(data or {}), "seen": "$0.01"}
    try:
        document = exchange(token, screen, data, action=action)
        status, answer = await door.ask(document | ({} if elsewhere is None else {"x": elsewhere}))
        calm(status, answer, document)
        assert status in (200, 400, 427)
        assert (await guest.cart()).count == 0
        assert (await rows.find_one({"_id": stored["_id"]}))["state"] == "open"
    finally:
        await rows.replace_one({"_id": stored["_id"]}, stored)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=st.dictionaries(
    st.sampled_from(["version", "action", "screen", "data", "flow_token"]), any_json, min_size=1
))  # fmt: skip
async def test_no_request_breaks_an_open_session(parked, changes):
    guest, door, stands, rows = parked
    token, stored = stands["MODIFIERS_SELECTION"]
    try:
        document = exchange(token, "MODIFIERS_SELECTION", {"event": "submit"}) | changes
        status, answer = await door.ask(document)
        calm(status, answer, document)
        assert status in (200, 400, 427)
        assert (await guest.cart()).count == 0
    finally:
        await rows.replace_one({"_id": stored["_id"]}, stored)
