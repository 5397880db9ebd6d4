"""Drafts: whatever is tapped in whatever order, what is sold is what the catalog offers."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.catalog import Product
from engine.domain.ids import GroupId
from engine.domain.pricing import check_group, price_line
from engine.domain.refusals import Reason, Refusal
from engine.turn import Event, Turn
from tests.unit.actions.shop import (
    a_turn,
    act,
    alter,
    done,
    menu,
    money,
    product,
    products,
    raised,
    reason,
    refused,
)

PIZZA, SMALL, LARGE = "prod:margherita", "pres:margherita-small", "pres:margherita-large"
GELATO, KNOTS = "prod:gelato", "prod:garlic-knots"


def draft(rid: str = PIZZA, **more: Any) -> dict[str, Any]:
    return {
        "product": rid, "presentation": None, "modifiers": [], "done": [], "quantity": None,
    } | more  # fmt: skip


def without(turn: Turn, rid: str, *modifiers: str, sizes: tuple[str, ...] = ()) -> None:
    """Take add-ons and sizes of a product off sale."""
    held = product(turn, rid)
    groups = tuple(
        replace(g, modifiers=tuple(
            replace(m, is_available=m.is_available and m.id not in modifiers) for m in g.modifiers
        ))
        for g in held.groups
    )  # fmt: skip
    offered = tuple(
        replace(p, is_available=p.is_available and p.id not in sizes) for p in held.presentations
    )
    alter(turn.catalog, rid, {"groups": groups, "presentations": offered})


# draft.start


@pytest.mark.parametrize(
    ("size", "asked"), [(SMALL, "draft_group"), ("pres:gone", "draft_size"), (None, "draft_size")]
)
def test_a_draft_may_begin_with_a_size_and_a_number(size, asked):
    turn = a_turn()
    done(turn, "draft.start", product=PIZZA, presentation=size, quantity=2)
    assert turn.variables["draft"] == draft(presentation=size, quantity=2)
    assert raised(turn, "draft.next").name == asked


def test_a_draft_begins_blank_and_drops_an_earlier_one():
    turn = a_turn(draft=draft(GELATO, modifiers=["mod:hazelnut"]))
    done(turn, "draft.start", product=PIZZA)
    assert turn.variables["draft"] == draft()
    done(turn, "draft.start", product=PIZZA, quantity=3)
    assert turn.variables["draft"] == draft(quantity=3)


@pytest.mark.parametrize(
    ("rid", "why"),
    [("prod:gone", Reason.UNKNOWN_PRODUCT), ("prod:white-clam", Reason.SOLD_OUT),
     ("prod:cannoli", Reason.SOLD_OUT)],
)  # fmt: skip
def test_what_is_gone_or_sold_out_is_not_customized(rid, why):
    for turn in (a_turn(), a_turn(draft=draft(GELATO))):
        assert reason(turn, "draft.start", product=rid) is why
        assert reason(turn, "draft.size", product=rid, presentation="pres:x") is why
        assert reason(turn, "draft.choose", product=rid, modifier="mod:x") is why
    turn = a_turn(draft=draft(rid))
    assert reason(turn, "draft.next") is why
    assert reason(turn, "draft.add") is why
    assert reason(turn, "draft.answer", text="x") is why
    assert reason(turn, "draft.done", product=rid) is why


@pytest.mark.parametrize("variables", [{}, {"draft": None}, {"draft": "odd"}])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("draft.next", {}),
        ("draft.add", {}),
        ("draft.answer", {"text": "small"}),
        ("draft.done", {"product": PIZZA}),
        ("draft.quantity", {"product": PIZZA, "quantity": 2}),
    ],
)
def test_without_a_draft_there_is_nothing_to_go_on_with(variables, name, arguments):
    assert reason(a_turn(**variables), name, **arguments) is Reason.NO_DRAFT


@pytest.mark.parametrize("name", ["draft.done", "draft.quantity"])
def test_a_tap_on_the_message_of_another_product_is_refused(name):
    assert reason(a_turn(draft=draft(GELATO)), name, product=PIZZA) is Reason.NO_DRAFT


# draft.next


def test_what_is_open_is_asked_in_turn():
    turn = a_turn()
    done(turn, "draft.start", product=PIZZA)
    assert raised(turn, "draft.next") == Event("draft_size")
    assert turn.memory["product"]["id"] == PIZZA
    done(turn, "draft.size", product=PIZZA, presentation=LARGE)
    assert raised(turn, "draft.next") == Event("draft_group")
    assert turn.memory["group"]["id"] == "group:crust"
    done(turn, "draft.choose", product=PIZZA, modifier="mod:stuffed-crust")
    assert raised(turn, "draft.next") == Event("draft_group")
    assert turn.memory["group"]["id"] == "group:extra-toppings"
    done(turn, "draft.choose", product=PIZZA, modifier="mod:bacon")
    raised(turn, "draft.next")
    assert turn.memory["group"]["chosen"] == 1
    done(turn, "draft.done", product=PIZZA)
    assert raised(turn, "draft.next") == Event("draft_quantity")
    assert turn.memory["unit_price"] == money("23.00")
    done(turn, "draft.quantity", product=PIZZA, quantity=2)
    assert raised(turn, "draft.next") == Event("draft_complete")
    done(turn, "draft.add")
    assert turn.memory["added"]["total"] == money("46.00")
    assert turn.variables["draft"] is None


def test_what_is_no_longer_offered_is_asked_again():
    chosen = draft(
        presentation=LARGE, modifiers=["mod:thin-crust", "mod:bacon", "mod:gone"],
        done=["group:crust", "group:extra-toppings", "group:gone"], quantity=1,
    )  # fmt: skip
    turn = a_turn(draft=chosen)
    without(turn, PIZZA, "mod:thin-crust", "mod:bacon", sizes=(LARGE,))
    assert raised(turn, "draft.next") == Event("draft_size")
    assert turn.variables["draft"] == draft(done=["group:extra-toppings"], quantity=1)
    done(turn, "draft.size", product=PIZZA, presentation=SMALL)
    assert raised(turn, "draft.next") == Event("draft_group")
    assert turn.memory["group"]["id"] == "group:crust"


# draft.size, draft.choose


def test_a_size_that_is_unknown_or_sold_out_is_refused():
    turn = a_turn(draft=draft())
    found = refused(turn, "draft.size", product=PIZZA, presentation="pres:lasagna-tray")
    assert found == Refusal(Reason.UNKNOWN_PRESENTATION, {"product": "Margherita Pizza"})
    without(turn, PIZZA, sizes=(LARGE,))
    found = refused(turn, "draft.size", product=PIZZA, presentation=LARGE)
    name = 'Margherita Pizza, Large (16")'
    assert found == Refusal(Reason.SOLD_OUT, {"product": name, "product_id": PIZZA})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("draft.size", {"presentation": LARGE}), ("draft.choose", {"modifier": "mod:bacon"})],
)
def test_a_tap_on_an_old_message_begins_a_draft_of_its_product(name, arguments):
    for turn in (a_turn(), a_turn(draft=draft(GELATO, modifiers=["mod:hazelnut"], quantity=4))):
        done(turn, name, product=PIZZA, **arguments)
        assert turn.variables["draft"]["product"] == PIZZA
        assert turn.variables["draft"]["quantity"] is None
        assert "mod:hazelnut" not in turn.variables["draft"]["modifiers"]


def test_another_size_keeps_the_add_ons():
    turn = a_turn(draft=draft(presentation=SMALL, modifiers=["mod:bacon"], quantity=2))
    done(turn, "draft.size", product=PIZZA, presentation=LARGE)
    assert turn.variables["draft"] == draft(
        presentation=LARGE, modifiers=["mod:bacon"], quantity=2
    )


def test_an_add_on_that_is_unknown_or_sold_out_is_refused():
    turn = a_turn(draft=draft())
    found = refused(turn, "draft.choose", product=PIZZA, modifier="mod:hazelnut")
    assert found == Refusal(Reason.UNKNOWN_MODIFIER, {"product": "Margherita Pizza"})
    found = refused(turn, "draft.choose", product=PIZZA, modifier="mod:anchovies")
    assert found == Refusal(Reason.SOLD_OUT, {"product": "Anchovies", "product_id": PIZZA})


def test_one_choice_of_a_single_group_replaces_the_other():
    turn = a_turn(draft=draft())
    for crust in ("mod:thin-crust", "mod:stuffed-crust", "mod:stuffed-crust"):
        done(turn, "draft.choose", product=PIZZA, modifier=crust)
        assert turn.variables["draft"] == draft(modifiers=[crust], done=["group:crust"])


def test_an_add_on_is_taken_given_back_and_never_one_too_many():
    turn = a_turn(draft=draft(GELATO))
    done(turn, "draft.choose", product=GELATO, modifier="mod:hazelnut")
    assert turn.variables["draft"]["done"] == []
    done(turn, "draft.choose", product=GELATO, modifier="mod:pistachio")
    assert turn.variables["draft"]["done"] == ["group:gelato-flavors"]
    found = refused(turn, "draft.choose", product=GELATO, modifier="mod:lemon-sorbet")
    details = {"group": "Two scoops", "minimum": 2, "maximum": 2}
    assert found == Refusal(Reason.TOO_MANY_MODIFIERS, details)
    done(turn, "draft.choose", product=GELATO, modifier="mod:hazelnut")
    assert turn.variables["draft"] == draft(GELATO, modifiers=["mod:pistachio"])


# draft.answer


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        ({}, "large", {"presentation": LARGE}),
        ({"presentation": LARGE}, "stufed",
         {"presentation": LARGE, "modifiers": ["mod:stuffed-crust"], "done": ["group:crust"]}),
        ({"presentation": LARGE, "done": ["group:crust"]}, "jalapenos",
         {"presentation": LARGE, "modifiers": ["mod:jalapenos"], "done": ["group:crust"]}),
    ],
)  # fmt: skip
def test_a_typed_answer_is_for_what_is_open(before, text, after):
    turn = a_turn(draft=draft(**before))
    done(turn, "draft.answer", text=text)
    assert turn.variables["draft"] == draft(**after)


@pytest.mark.parametrize(
    ("before", "text", "why"),
    [
        ({}, "gigantic", Reason.UNKNOWN_PRESENTATION),
        ({}, "", Reason.UNKNOWN_PRESENTATION),
        ({"presentation": LARGE}, "pineapple", Reason.UNKNOWN_MODIFIER),
        ({"presentation": LARGE, "done": ["group:crust"]}, "anchovies", Reason.SOLD_OUT),
        ({"presentation": LARGE, "done": ["group:crust", "group:extra-toppings"]}, "bacon",
         Reason.UNKNOWN_MODIFIER),
    ],
)  # fmt: skip
def test_a_typed_answer_that_fits_nothing_is_refused(before, text, why):
    assert reason(a_turn(draft=draft(**before)), "draft.answer", text=text) is why


# draft.done


def test_a_group_is_left_as_it_is_when_it_may_be():
    turn = a_turn(draft=draft(KNOTS))
    found = refused(turn, "draft.done", product=KNOTS, group="group:dips")
    details = {"group": "Dips", "minimum": 1, "maximum": 2}
    assert found == Refusal(Reason.TOO_FEW_MODIFIERS, details)
    done(turn, "draft.choose", product=KNOTS, modifier="mod:ranch-dip")
    done(turn, "draft.done", product=KNOTS, group="group:dips")
    done(turn, "draft.done", product=KNOTS, group="group:dips")
    assert turn.variables["draft"]["done"] == ["group:dips"]


@pytest.mark.parametrize(
    ("before", "group", "why"),
    [
        ({}, None, Reason.UNKNOWN_PRESENTATION),
        ({"presentation": SMALL}, None, Reason.TOO_FEW_MODIFIERS),
        ({"presentation": SMALL}, "group:dips", Reason.UNKNOWN_MODIFIER),
        ({"presentation": SMALL, "done": ["group:crust", "group:extra-toppings"]}, None,
         Reason.UNKNOWN_MODIFIER),
        (
            {"modifiers": ["mod:bacon", "mod:pepperoni", "mod:red-onion", "mod:mushrooms",
                           "mod:sausage", "mod:hot-honey"]},
            "group:extra-toppings", Reason.TOO_MANY_MODIFIERS,
        ),
    ],
)  # fmt: skip
def test_a_group_that_is_not_open_or_not_full_is_not_left(before, group, why):
    turn = a_turn(draft=draft(**before))
    assert reason(turn, "draft.done", product=PIZZA, group=group) is why


# draft.quantity, draft.add


@pytest.mark.parametrize("quantity", [1, 99, None])
def test_a_quantity_is_noted_or_asked_again(quantity):
    turn = a_turn(draft=draft(quantity=5))
    done(turn, "draft.quantity", product=PIZZA, quantity=quantity)
    assert turn.variables["draft"]["quantity"] == quantity


@pytest.mark.parametrize("quantity", [0, -2, 100, 10**20])
def test_a_quantity_out_of_range_is_refused(quantity):
    found = refused(a_turn(draft=draft()), "draft.quantity", product=PIZZA, quantity=quantity)
    assert found == Refusal(Reason.QUANTITY_OUT_OF_RANGE, {"maximum": 99})


@pytest.mark.parametrize(
    ("chosen", "why"),
    [
        (draft(), Reason.PRESENTATION_NEEDED),
        (draft(presentation=SMALL), Reason.TOO_FEW_MODIFIERS),
        (draft(presentation="pres:gone"), Reason.UNKNOWN_PRESENTATION),
        (draft(presentation=SMALL, modifiers=["mod:thin-crust", "mod:gone"]),
         Reason.UNKNOWN_MODIFIER),
        (draft(presentation=SMALL, modifiers=["mod:thin-crust", "mod:anchovies"]),
         Reason.SOLD_OUT),
        (draft("prod:tiramisu", quantity=4), Reason.SOLD_OUT),
        (draft("prod:coke", quantity=100), Reason.QUANTITY_OUT_OF_RANGE),
    ],
)  # fmt: skip
def test_a_draft_that_is_not_finished_is_not_added(chosen, why):
    assert reason(a_turn(draft=chosen), "draft.add") is why


def test_a_draft_is_kept_when_the_stock_does_not_suffice():
    turn = a_turn(draft=draft("prod:tiramisu", quantity=3))
    done(turn, "draft.add")
    turn.conversation.variables["draft"] = draft("prod:tiramisu", quantity=1)
    found = refused(turn, "draft.add")
    assert found == Refusal(Reason.SOLD_OUT, {"product": "Tiramisù", "maximum": 3})


# Any sequence

CUSTOM = [r for r, p in menu().products.items() if (p.groups or p.presentations) and p.available]
MODIFIERS = [m for g in menu().groups.values() for m in g.modifiers]
SIZES = [s for p in menu().products.values() for s in p.presentations]
NAMES = [m.name for g in menu().groups.values() for m in g.modifiers.values()]


@st.composite
def taps(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Make a sequence of taps, most of them on the messages of one product."""
    rid = draw(st.sampled_from(CUSTOM))
    of = menu().products[rid]
    own = [m for g in of.groups for m in menu().groups[g].modifiers] or MODIFIERS
    products_ = st.sampled_from([rid] * 9 + CUSTOM[:1])
    args: Mapping[str, dict[str, st.SearchStrategy[Any]]] = {
        "draft.start": {"product": products_, "quantity": st.none() | st.integers(1, 99)},
        "draft.size": {
            "product": products_,
            "presentation": st.sampled_from(list(of.presentations) or SIZES[:1]),
        },
        "draft.choose": {"product": products_, "modifier": st.sampled_from(own)},
        "draft.answer": {"text": st.sampled_from([*NAMES, "large", "small", "portion"])},
        "draft.done": {
            "product": products_,
            "group": st.none() | st.sampled_from(list(menu().groups)),
        },
        "draft.quantity": {"product": products_, "quantity": st.integers(-1, 101) | st.none()},
        "draft.next": {},
        "draft.add": {},
        "off": {"modifier": st.sampled_from(own)},
    }
    often = [*args, "draft.choose", "draft.choose", "draft.done", "draft.size", "draft.next"]
    steps = [("draft.start", {"product": rid})]
    for name in draw(st.lists(st.sampled_from(often), max_size=25)):
        steps.append((name, {key: draw(value) for key, value in args[name].items()}))
    return steps


def within(of: Product, held: dict[str, Any]) -> None:
    """Check that a draft never has too many add-ons, and enough in the groups that are done."""
    assert len(set(held["modifiers"])) == len(held["modifiers"])
    for group in of.groups:
        count = sum(1 for m in group.modifiers if m.id in held["modifiers"])
        assert count <= group.maximum
        if group.id in held["done"]:
            assert check_group(group, count) is None


@settings(max_examples=80, deadline=None)
@given(taps())
def test_whatever_is_tapped_what_is_added_costs_what_the_catalog_says(steps):
    turn = a_turn()
    for name, arguments in steps:
        if name == "off":
            for rid in list(products(turn)):
                without(turn, rid, arguments["modifier"])
            continue
        before, lines = turn.variables.get("draft"), turn.cart.lines
        outcome = act(turn, name, **arguments)
        if turn.variables.get("draft"):
            within(product(turn, turn.variables["draft"]["product"]), turn.variables["draft"])
        if name != "draft.add" or isinstance(outcome, Refusal):
            assert turn.cart.lines == lines
            continue
        assert before is not None
        price_matches(turn, before)
    finish(turn)


def price_matches(turn: Turn, held: dict[str, Any]) -> None:
    line = price_line(
        product(turn, held["product"]),
        presentation=held["presentation"],
        modifiers=held["modifiers"],
        quantity=held["quantity"] or 1,
        currency=turn.tenant.money,
    )
    assert not isinstance(line, Refusal)
    (there,) = (x for x in turn.cart.lines if x.id == line.id)
    assert there.unit_price == line.unit_price
    assert turn.memory["added"]["total"] == line.total


def finish(turn: Turn) -> None:
    """Answer what is asked: any draft comes to its end, at the price it was told."""
    if not turn.variables.get("draft"):
        return
    rid = turn.variables["draft"]["product"]
    for _ in range(40):
        event = act(turn, "draft.next")
        if isinstance(event, Refusal):
            assert event.reason is Reason.SOLD_OUT
            return
        assert isinstance(event, Event)
        if event.name == "draft_complete":
            before = turn.variables["draft"]
            outcome = act(turn, "draft.add")
            if outcome is None:
                price_matches(turn, before)
            else:
                assert isinstance(outcome, Refusal)
                assert outcome.reason is Reason.QUANTITY_OUT_OF_RANGE
            return
        answered = ANSWERS[event.name](turn, rid)
        if answered is None:  # a group that can no longer be filled
            return
    raise AssertionError("the draft never ends")


def size_it(turn: Turn, rid: str) -> bool:
    offered = [p for p in product(turn, rid).presentations if p.is_available]
    done(turn, "draft.size", product=rid, presentation=offered[0].id)
    return True


def fill_it(turn: Turn, rid: str) -> bool | None:
    group = turn.memory["group"]
    if group["chosen"] >= group["minimum"]:
        done(turn, "draft.done", product=rid, group=group["id"])
        return True
    free = [m["id"] for m in group["modifiers"] if m["is_available"] and not m["is_chosen"]]
    if not free:
        return None
    done(turn, "draft.choose", product=rid, modifier=free[0])
    return True


def count_it(turn: Turn, rid: str) -> bool:
    told = turn.memory["unit_price"]
    done(turn, "draft.quantity", product=rid, quantity=1)
    assert told >= 0
    return True


ANSWERS = {"draft_size": size_it, "draft_group": fill_it, "draft_quantity": count_it}


# An add-on that is in two groups


def test_an_add_on_that_two_groups_share_does_not_lock_the_draft():
    turn = a_turn()
    (dips,) = product(turn, KNOTS).groups
    again = replace(dips, id=GroupId("group:again"), name="Again", minimum=1, maximum=1)
    alter(turn.catalog, KNOTS, {"groups": (replace(dips, minimum=1, maximum=1), again)})
    done(turn, "draft.start", product=KNOTS)
    done(turn, "draft.choose", product=KNOTS, modifier="mod:ranch-dip")
    assert raised(turn, "draft.next") == Event("draft_group")
    done(turn, "draft.done", product=KNOTS)
    assert raised(turn, "draft.next") == Event("draft_quantity")
