"""Two versions side by side: what is matched, when a shop is open, and what need not be played."""

import asyncio
from datetime import timedelta

import pytest

from engine.authoring.diff.contents import loaded
from engine.domain.ids import TenantId
from engine.rehearsal.compare import comparison as comparing
from engine.rehearsal.compare.acts import Offer, matched, times_of
from engine.rehearsal.compare.comparison import compare
from engine.rehearsal.written import written, written_lines
from engine.spec.content import StoredContent
from engine.spec.problems import Problems
from engine.transcript import Choice
from tests.unit.authoring.edits import CHART, ENGLISH, SHAPES, SPANISH, TAVOLA, edited, library


def offer(wire_id, title):
    return Offer(Choice(wire_id, title), "sent")


def titles(pairs):
    return [tuple(o and f"{o.choice.id}={o.choice.title}" for o in pair) for pair in pairs]


def test_buttons_are_matched_by_what_is_written_on_them_else_by_what_they_are():
    before = [offer("help", "Help"), offer("cart", "Cart"), offer("gone", "Gone")]
    after = [offer("basket", "Cart"), offer("help", "Assistance"), offer("new", "New")]
    assert titles(matched(before, after)) == [
        ("cart=Cart", "basket=Cart"),
        ("help=Help", "help=Assistance"),
        (None, "new=New"),
        ("gone=Gone", None),
    ]


def test_rows_of_one_name_are_matched_in_their_order():
    before = [offer("a", "Roll"), offer("b", "Roll")]
    assert titles(matched(before, [offer("a", "Roll"), offer("b", "Roll")])) == [
        ("a=Roll", "a=Roll"),
        ("b=Roll", "b=Roll"),
    ]


def bundle_of(texts):
    problems = Problems()
    found = loaded(library().over(StoredContent(texts)), TenantId(TAVOLA), problems)
    assert found, problems.sorted()
    return found


def test_the_times_tried_are_one_when_both_are_open_and_those_when_they_are_not():
    name = f"tenants/{TAVOLA}/tenant.yaml"
    old = bundle_of(edited()).bundle.tenant
    new = bundle_of(edited((name, '"11:30-01:00"', '"20:00-21:00"'))).bundle.tenant
    opened, others = times_of(old, new)
    assert old.is_open(opened)
    assert new.is_open(opened)
    assert {(old.is_open(t), new.is_open(t)) for t in others} == {(False, False), (True, False)}
    assert all(abs(time - opened) < timedelta(days=7) for time in others)


def test_what_is_written_leaves_out_places_and_ids_but_no_word():
    texts = edited(
        (ENGLISH, "messages:\n", "messages:\n\n\n"),
        (SHAPES, "help: {}", "help: {if: cart.count >= 0}"),
    )
    old, new = (bundle_of(t).bundle.vocabulary("en").messages for t in (edited(), texts))
    assert written(old["cart"]) == written(new["cart"])
    assert written(old["main_menu"]) != written(new["main_menu"])
    assert written_lines(old["ask_receiving"])[-1] == "[🚚 Delivery] [🏪 Pickup] [Back to cart]"


EDITS = (
    (ENGLISH, "🛒 Your cart is empty. Add", "🧺 There is nothing yet. Add"),
    (ENGLISH, "💰 ", "Price: "),
    (SPANISH, "Elige una categoría", "Escoge una categoría"),
    (SHAPES, "      edit_cart: {if: cart.count > 0}\n", "      edit_cart: {if: cart.count > 1}\n"),
    (SHAPES, "    if: changes\n", "    if: not changes\n"),
    (SHAPES, "  added:\n", "  added:\n    if: cart.count > 1\n"),
)


@pytest.mark.parametrize("edits", [EDITS, EDITS[:3]])
def test_what_is_only_retold_is_what_would_have_been_played(edits, monkeypatch):
    old, new = bundle_of(edited()), bundle_of(edited(*edits))
    after = new.version(new.menu)
    before = type(after)(old.bundle, after.catalog)
    short = asyncio.run(compare(before, after))
    played = []
    monkeypatch.setattr(comparing, "differ_in_messages", lambda *_: played.append(1))
    full = asyncio.run(compare(before, after))
    assert played
    assert short.tried == full.tried
    assert short.reworded == full.reworded
    assert short.parted == full.parted
    assert short.heard == full.heard
    assert {one.after.language for one in short.reworded if one.after} == {"en", "es"}


def test_a_budget_is_kept_to():
    old, new = bundle_of(edited()), bundle_of(edited((CHART, "  decline: {say: all_right}\n", "")))
    after = new.version(new.menu)
    found = asyncio.run(compare(old.version(old.menu), after, budget=50))
    assert 50 <= found.tried <= 50 + 25 + 400 * 2
