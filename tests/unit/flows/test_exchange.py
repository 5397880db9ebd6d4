"""Exchanges: what a customer does on a screen, and what he sees next."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.domain.cart import Cart, CartLine
from engine.domain.catalog import Modifier, ModifierGroup, Presentation
from engine.domain.ids import GroupId, ModifierId, PresentationId
from engine.domain.refusals import Refusal
from engine.errors import Conflict, Unavailable
from engine.flows.compile import sendable
from engine.flows.exchange import FALLBACK
from engine.flows.rehearsal import compile_flows
from engine.spec.problems import Problems
from engine.turn import Event
from engine.whatsapp.flow_json.check import check_screen_data
from tests.unit.actions.shop import a_turn, act, bundle, money, priced, product, wait
from tests.unit.flows.screens import END, GO, Visitor, flow

PIZZA, SMALL, LARGE = "prod:margherita", "pres:margherita-small", "pres:margherita-large"
FLOW = "product_customization"
BARE: dict[str, Any] = {PIZZA: {"groups": ()}}


def said(name: str, language: str = "en") -> str:
    """Give the words of the shipped Flows for a problem."""
    words: str = bundle().vocabulary(language).terms["flow"][name]
    return words


def pizza(**more: Any) -> Visitor:
    return Visitor(FLOW, **({"product": PIZZA} | more))


def at(screen: str, **more: Any) -> Visitor:
    """Give a customer who has come as far as a screen."""
    who = pizza(**more)
    who.open()
    steps: list[dict[str, Any]] = [
        {"selected_size": LARGE, "quantity": "2"},
        {"modifiers_1_one": "mod:stuffed-crust", "modifiers_2_many": ["mod:bacon"]},
    ]
    while who.trail[-1] != screen:
        assert who.submit(**steps.pop(0)).error is None
    return who


# Going forward ----------------------------------------------------------------------------------


def test_a_flow_opens_with_its_first_screen():
    who = pizza()
    shown = who.open()
    assert (shown.screen, shown.trail, shown.error) == (
        "SIZE_SELECTION", ("SIZE_SELECTION",), None,
    )  # fmt: skip
    assert shown.data["product_name"] == "Margherita Pizza"
    assert shown.data["size_options"][0] == {
        "id": SMALL, "title": 'Small (10")', "description": "$12.00",
    }  # fmt: skip
    assert (shown.data["selected_size"], shown.data["selected_quantity"]) == (SMALL, "1")
    assert shown.outcome == {
        "product": PIZZA, "presentation": None, "modifiers": None, "quantity": None,
    }  # fmt: skip


def test_a_flow_opens_with_what_the_chat_knows():
    assert pizza(quantity=3).open().data["selected_quantity"] == "3"


def test_a_customer_chooses_sees_the_price_and_confirms():
    who = pizza()
    who.open()
    groups = who.submit(selected_size=LARGE, quantity="2")
    assert groups.screen == "MODIFIERS_SELECTION"
    assert [o["id"] for o in groups.data["groups_1_options"]] == [
        "mod:classic-crust", "mod:thin-crust", "mod:stuffed-crust",
    ]  # fmt: skip
    summary = who.submit(
        modifiers_1_one="mod:stuffed-crust", modifiers_2_many=["mod:bacon", "mod:arugula"]
    )
    assert summary.screen == "ORDER_SUMMARY"
    assert summary.data["base_price"] == money("18.00")
    assert summary.data["modifiers_total"] == money("6.50")
    assert summary.data["total_price"] == money("49.00")
    assert summary.data["modifier_summary"] == [
        {"name": "Stuffed", "quantity": 1, "price": money("2.50")},
        {"name": "Smoked bacon", "quantity": 1, "price": money("2.50")},
        {"name": "Fresh arugula", "quantity": 1, "price": money("1.50")},
    ]
    assert summary.data["total_text"] == "$49.00"
    end = who.submit(seen="$49.00")
    assert (end.screen, end.params, end.outcome) == (None, end.outcome, end.params)
    assert end.params == {
        "product": PIZZA, "presentation": LARGE, "quantity": 2,
        "modifiers": ["mod:stuffed-crust", "mod:bacon", "mod:arugula"],
    }  # fmt: skip
    assert end.trail == ("SIZE_SELECTION", "MODIFIERS_SELECTION", "ORDER_SUMMARY")


def test_a_product_without_groups_skips_their_screen():
    who = pizza(changes=BARE)
    who.open()
    shown = who.submit(selected_size=SMALL, quantity="1")
    assert (shown.screen, shown.trail) == ("ORDER_SUMMARY", ("SIZE_SELECTION", "ORDER_SUMMARY"))


def test_the_chat_gets_what_is_known_so_far():
    known = at("MODIFIERS_SELECTION").look("BACK", "MODIFIERS_SELECTION").outcome
    assert known == {"product": PIZZA, "presentation": LARGE, "modifiers": [], "quantity": 2}


@pytest.mark.parametrize(
    "event", ["nope", "", None, 5, ["submit"], {"a": 1}, "x" * 1000, "ev ent"]
)
def test_an_event_that_the_screen_does_not_know_is_a_tap_on_its_button(event):
    who = at("SIZE_SELECTION")
    sent = {"selected_size": LARGE, "quantity": "2"}
    assert who.look("data_exchange", "SIZE_SELECTION", **sent, event=event) == who.look(
        "data_exchange", "SIZE_SELECTION", **sent
    )


def test_what_the_flow_was_opened_with_cannot_be_changed():
    who = at("SIZE_SELECTION")
    other = {"product": "prod:gelato", "input": {"product": "prod:gelato"}, "price": 0}
    who.submit(selected_size=LARGE, quantity="1", total_price=0, **other)
    shown = who.submit(modifiers_1_one="mod:thin-crust", **other)
    assert (shown.data["product_name"], shown.data["total_price"]) == (
        "Margherita Pizza", money("18.00"),
    )  # fmt: skip
    assert (who.submit(**other).params or {})["product"] == PIZZA


# Staying ----------------------------------------------------------------------------------------

STAYS = [
    # The screen, what is sent there, and what is said.
    ("SIZE_SELECTION", {"selected_size": LARGE, "quantity": "0"}, said("bad_quantity")),
    ("SIZE_SELECTION", {"selected_size": LARGE, "quantity": "-1"}, said("bad_quantity")),
    ("SIZE_SELECTION", {"selected_size": LARGE, "quantity": "x"}, said("bad_quantity")),
    ("SIZE_SELECTION", {"selected_size": LARGE, "quantity": "100"}, said("not_offered")),
    ("SIZE_SELECTION", {"selected_size": LARGE, "quantity": "9" * 10**6}, said("not_offered")),
    ("SIZE_SELECTION", {"selected_size": LARGE, "quantity": -1}, said("not_offered")),
    ("SIZE_SELECTION", {"selected_size": "", "quantity": "1"}, said("choose_size")),
    ("SIZE_SELECTION", {"quantity": "1"}, said("choose_size")),
    ("SIZE_SELECTION", {"selected_size": "pres:gelato", "quantity": "1"}, said("not_offered")),
    ("SIZE_SELECTION", {"event": "refused"}, said("not_offered")),
    ("MODIFIERS_SELECTION", {}, "Crust: please choose at least 1."),
    ("MODIFIERS_SELECTION", {"modifiers_1_one": "mod:bacon"}, said("not_offered")),
    ("MODIFIERS_SELECTION", {"modifiers_1_one": "mod:thin-crust",
                             "modifiers_2_many": ["mod:anchovies"]}, said("not_offered")),
    ("MODIFIERS_SELECTION", {"modifiers_1_one": "mod:thin-crust", "modifiers_2_many": [
        "mod:bacon", "mod:sausage", "mod:arugula", "mod:mushrooms", "mod:pepperoni",
        "mod:red-onion"]}, "Extra toppings: please choose at most 5."),
    ("ORDER_SUMMARY", {"seen": "$1.00"}, said("price_changed")),
    ("ORDER_SUMMARY", {"seen": ["$45.00"]}, said("not_offered")),
]  # fmt: skip


@pytest.mark.parametrize(("screen", "sent", "error"), STAYS, ids=lambda value: str(value)[:40])
def test_what_is_refused_is_told_and_nothing_of_it_is_remembered(screen, sent, error):
    who = at(screen)
    before, trail = dict(who.variables), who.trail
    shown = who.submit(**sent)
    assert (shown.screen, shown.error, shown.failure) == (screen, error, None)
    assert (shown.variables, shown.trail, shown.params) == (before, trail, None)
    assert shown.data == who.look("data_exchange", screen, **sent).data


def test_a_customer_is_told_in_his_language():
    who = at("SIZE_SELECTION", language="es")
    assert who.submit(selected_size=LARGE, quantity="0").error == said("bad_quantity", "es")


def without_size(rid: str) -> dict[str, Any]:
    sizes = product(a_turn(), PIZZA).presentations
    return {PIZZA: {"presentations": tuple(
        replace(size, is_available=size.is_available and size.id != rid) for size in sizes
    )}}  # fmt: skip


@pytest.mark.parametrize(
    ("screen", "sent", "error"),
    [
        ("SIZE_SELECTION", {"selected_size": LARGE, "quantity": "1"}, said("not_offered")),
        ("MODIFIERS_SELECTION", {"modifiers_1_one": "mod:thin-crust"}, said("sold_out")),
    ],
)
def test_a_size_that_is_sold_out_meanwhile_is_told_and_another_may_be_chosen(screen, sent, error):
    who = at(screen)
    who.changes = without_size(LARGE)
    shown = who.submit(**sent)
    assert (shown.screen, shown.error) == (screen, error)
    back = who.ask("data_exchange", "SIZE_SELECTION", selected_size=SMALL, quantity="1")
    assert (back.screen, back.error) == ("MODIFIERS_SELECTION", None)


def test_what_was_noted_on_the_way_to_a_screen_that_refuses_is_not_remembered():
    who = pizza(changes={PIZZA: {"groups": (), "stock": 1}})
    who.open()
    shown = who.submit(selected_size=SMALL, quantity="2")
    assert (shown.screen, shown.error) == ("SIZE_SELECTION", "Sorry, we have only 1 left.")
    assert (shown.variables, shown.trail) == ({}, ("SIZE_SELECTION",))


def test_a_price_that_changed_meanwhile_is_shown_before_it_is_confirmed():
    who = at("ORDER_SUMMARY")
    sizes = product(a_turn(), PIZZA).presentations
    dearer = tuple(replace(size, price=size.price + 1) for size in sizes)
    who.changes = {PIZZA: {"presentations": dearer}}
    shown = who.submit(seen="$46.00")
    assert (shown.screen, shown.error) == ("ORDER_SUMMARY", said("price_changed"))
    assert shown.data["total_text"] == "$48.00"
    assert who.submit(seen="$48.00").params is not None


# Going on no more -------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        (None, "gone"),
        ({"is_available": False}, "sold_out"),
        ({"stock": 0}, "sold_out"),
    ],
)
@pytest.mark.parametrize(
    ("action", "screen"),
    [
        ("INIT", None),
        ("data_exchange", "SIZE_SELECTION"),
        ("data_exchange", "MODIFIERS_SELECTION"),
        ("BACK", "MODIFIERS_SELECTION"),
    ],
)
def test_what_is_gone_or_sold_out_ends_the_flow_with_the_words_for_it(
    action, screen, change, error, language
):
    who = at(screen, language=language) if screen else pizza(language=language)
    who.changes = {PIZZA: change}
    shown = who.ask(action, screen, selected_size=LARGE, quantity="1")
    assert (shown.screen, shown.params, shown.failure) == (None, None, None)
    assert shown.error == said(error, language)
    assert shown.trail == who.trail


@pytest.mark.parametrize("action", ["data_exchange", "BACK"])
@pytest.mark.parametrize("screen", ["ORDER_SUMMARY", "SUCCESS", "NOPE", "", None])
def test_a_screen_that_was_never_shown_is_not_gone_on_from(screen, action):
    who = at("MODIFIERS_SELECTION")
    shown = who.look(action, screen, modifiers_1_one="mod:thin-crust")
    assert (shown.screen, shown.params, shown.failure) == (None, None, None)
    assert shown.error == said("expired")


def test_a_screen_that_the_flow_has_no_more_is_not_gone_on_from():
    who = at("SIZE_SELECTION")
    who.trail = ("SIZE_SELECTION", "COLOR_SELECTION")
    assert who.submit().error == said("expired")


# Going back -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("screen", "changes", "before"),
    [
        ("SIZE_SELECTION", None, "SIZE_SELECTION"),
        ("MODIFIERS_SELECTION", None, "SIZE_SELECTION"),
        ("ORDER_SUMMARY", None, "MODIFIERS_SELECTION"),
        ("ORDER_SUMMARY", BARE, "SIZE_SELECTION"),  # the other was skipped
    ],
)
def test_back_shows_the_screen_before_as_it_is_now(screen, changes, before):
    who = at(screen, changes=changes)
    noted, trail = dict(who.variables), who.trail
    shown = who.ask("BACK", screen)
    assert (shown.screen, shown.error) == (before, None)
    assert shown.trail == trail[: trail.index(before) + 1]
    assert shown.variables == noted
    if before == "SIZE_SELECTION":
        chosen = ("1", SMALL) if screen == before else ("2", LARGE)
        assert (shown.data["selected_quantity"], shown.data["selected_size"]) == chosen


@pytest.mark.parametrize("changes", [None, BARE])
def test_whoever_goes_back_by_himself_goes_on_from_there(changes):
    who = at("ORDER_SUMMARY", changes=changes)
    trail = who.trail
    shown = who.ask("data_exchange", "SIZE_SELECTION", selected_size=SMALL, quantity="3")
    assert (shown.screen, shown.trail) == (trail[1], trail[:2])
    if changes is None:
        shown = who.submit(modifiers_1_one="mod:thin-crust")
    assert (shown.data["total_price"], shown.trail) == (money("36.00"), trail)


def test_what_he_saw_after_the_screen_he_went_back_to_is_forgotten():
    who = at("ORDER_SUMMARY")
    back = who.look("BACK", "MODIFIERS_SELECTION")
    assert (back.screen, back.trail) == ("SIZE_SELECTION", ("SIZE_SELECTION",))
    who.changes = BARE
    shown = who.ask("data_exchange", "SIZE_SELECTION", selected_size=SMALL, quantity="1")
    assert shown.trail == ("SIZE_SELECTION", "ORDER_SUMMARY")


@pytest.mark.parametrize(("sold_out", "selected"), [("", LARGE), (LARGE, SMALL)])
def test_whoever_opens_the_flow_again_finds_what_he_had_chosen_if_it_is_to_be_had(
    sold_out, selected
):
    who = at("ORDER_SUMMARY")
    who.changes = without_size(sold_out)
    shown = who.open()
    assert (shown.screen, shown.trail) == ("SIZE_SELECTION", ("SIZE_SELECTION",))
    assert (shown.data["selected_size"], shown.data["selected_quantity"]) == (selected, "2")


# Whatever is repeated ---------------------------------------------------------------------------

SENT = st.fixed_dictionaries(
    {},
    optional={
        "selected_size": st.sampled_from([SMALL, LARGE, "pres:x"]),
        "quantity": st.sampled_from(["1", "12", "0"]),
        "modifiers_1_one": st.sampled_from(["mod:thin-crust", "mod:stuffed-crust", "mod:x"]),
        "modifiers_2_many": st.lists(st.sampled_from(["mod:bacon", "mod:sausage"]), max_size=2),
        "seen": st.sampled_from(["$12.00", "$1.00"]),
    },
)
PLACES = ["SIZE_SELECTION", "MODIFIERS_SELECTION", "ORDER_SUMMARY", "NOPE"]
STEPS = st.tuples(
    st.sampled_from(["data_exchange"] * 4 + ["BACK", "INIT"]), st.sampled_from(PLACES), SENT
)


@settings(max_examples=60, deadline=None)
@given(st.booleans(), st.lists(STEPS, max_size=8))
def test_an_exchange_that_is_repeated_has_the_same_answer_and_changes_nothing(has_groups, steps):
    who = pizza(changes=None if has_groups else BARE)
    who.open()
    for action, screen, sent in steps:
        first = who.ask(action, screen, **sent)
        if action == "BACK" and first.screen:
            continue  # the second one leads one screen further back, unless it was a client's
        assert who.ask(action, screen, **sent) == first
        assert set(who.trail) <= set(PLACES)
        assert len(set(who.trail)) == len(who.trail)


# What the chat and the Flow ask for a product ---------------------------------------------------

PRICES = st.sampled_from(["0", "0.01", "0.335", "9.99", "12.50", "1000000"]).map(Decimal)


@st.composite
def products(draw: st.DrawFn) -> dict[str, Any]:
    """Make a product of some sizes and groups that may have add-ons in common."""
    pool = [
        Modifier(ModifierId(f"mod:{n}"), f"M{n}", draw(PRICES), draw(st.integers(0, 5)) > 0)
        for n in range(5)
    ]
    groups = []
    for place in range(draw(st.integers(0, 3))):
        held = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique=True))
        minimum = draw(st.integers(0, 2))
        maximum = draw(st.integers(max(minimum, 1), 3))
        groups.append(
            ModifierGroup(GroupId(f"group:{place}"), f"G{place}", minimum, maximum, tuple(held))
        )
    sizes = [
        Presentation(
            PresentationId(f"pres:{n}"), f"S{n}", draw(PRICES), draw(st.integers(0, 4)) > 0
        )
        for n in range(draw(st.integers(0, 3)))
    ]
    return {
        "presentations": tuple(sizes), "groups": tuple(groups), "base_price": draw(PRICES),
        "stock": draw(st.sampled_from([None, None, None, 0, 3])),
    }  # fmt: skip


@st.composite
def wishes(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make a product and what a customer wants of it: mostly what there is."""
    sold = draw(products())
    sizes = [p.id for p in sold["presentations"]]
    wanted = {
        group.id: draw(
            st.lists(
                st.sampled_from([m.id for m in group.modifiers] * 9 + ["mod:gone"]),
                max_size=3, unique=True,
            )
        )
        for group in sold["groups"]
    }  # fmt: skip
    size = draw(st.sampled_from((sizes or [None]) * 9 + [None, "pres:gone"]))
    quantity = draw(st.sampled_from(["1", "2", "3", "07", "99"] * 3 + ["0", "4", "100"]))
    return sold, {"size": size, "groups": wanted, "quantity": quantity}


def in_the_flow(sold: dict[str, Any], wish: dict[str, Any]) -> CartLine | None:
    """Take a product through the Flow into the cart; None if that is refused anywhere."""
    who = pizza(changes={PIZZA: sold})
    who.open()
    if not who.trail:
        return None
    shown = who.submit(selected_size=wish["size"], quantity=wish["quantity"])
    if shown.screen == "MODIFIERS_SELECTION":
        sent = filled(shown.data, list(wish["groups"].values()))
        shown = who.submit(**sent) if sent is not None else shown
    if shown.screen != "ORDER_SUMMARY":
        assert shown.error or shown.screen == "MODIFIERS_SELECTION"
        return None
    told = shown.data
    assert told["total_price"] == (told["base_price"] + told["modifiers_total"]) * int(
        wish["quantity"]
    )
    end = who.submit(seen=told["total_text"])
    assert end.params is not None
    turn = a_turn(changes={PIZZA: sold})
    if isinstance(act(turn, "cart.add", **end.params), Refusal):
        return None
    (line,) = turn.cart.lines
    assert line.total == told["total_price"]
    return line


def filled(data: dict[str, Any], groups: list[list[str]]) -> dict[str, Any] | None:
    """Fill in the groups of a screen; None if radio buttons cannot say it."""
    sent: dict[str, Any] = {}
    if "groups_1_is_single" not in data:
        return None
    for place, ids in enumerate(groups, start=1):
        if not data[f"groups_{place}_is_single"]:
            sent[f"modifiers_{place}_many"] = ids
        elif len(ids) == 1:
            sent[f"modifiers_{place}_one"] = ids[0]
        elif ids:
            return None
        if ids and not data[f"groups_{place}_is_several"] and f"modifiers_{place}_many" in sent:
            return None  # nothing of the group is to be had
    return sent


def in_the_chat(sold: dict[str, Any], wish: dict[str, Any]) -> CartLine | None:
    """Take a product through the questions of the chat into the cart."""
    turn = a_turn(changes={PIZZA: sold})
    of = {"product": PIZZA}
    ok = act(turn, "draft.start", **of) is None
    if wish["size"] is not None:
        ok = ok and act(turn, "draft.size", **of, presentation=wish["size"]) is None
    wanted = [modifier for ids in wish["groups"].values() for modifier in ids]
    for modifier in dict.fromkeys(wanted):
        ok = ok and act(turn, "draft.choose", **of, modifier=modifier) is None
    while ok:
        event = act(turn, "draft.next")
        assert isinstance(event, Event)
        if event.name == "draft_complete":
            break
        if event.name == "draft_quantity":
            ok = act(turn, "draft.quantity", **of, quantity=int(wish["quantity"])) is None
        elif event.name == "draft_group":
            ok = act(turn, "draft.done", **of, group=turn.memory["group"]["id"]) is None
        else:
            ok = False
    if not ok or set(turn.variables["draft"]["modifiers"]) != set(wanted):
        return None
    return turn.cart.lines[0] if act(turn, "draft.add") is None else None


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wishes())
def test_the_chat_and_the_flow_sell_the_same_for_the_same_price(case):
    sold, wish = case
    assert in_the_flow(sold, wish) == in_the_chat(sold, wish)


MADE = {made.flow: made.document for made in wait(compile_flows(bundle(), Problems()))}
ODD = st.sampled_from(
    ["Pizza", "", " ", "\u200b", "x" * 200, "Stone-baked with everything on it, family size",
     "👨‍👩‍👧" * 20, "مرحبا", "${data.x}", "`1 + 1`", "{{ x }}", "'", '"', "\n", "\x00", "-"]
)  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(wishes(), st.lists(ODD, min_size=4, max_size=4), st.sampled_from(["", "en", "es"]))
def test_whatever_a_shop_sells_is_shown_as_whatsapp_takes_it(case, names, seen_before):
    sold, wish = case
    name, size, group, modifier = names
    sold = sold | {
        "name": name,
        "description": name,
        "presentations": tuple(replace(p, name=size) for p in sold["presentations"]),
        "groups": tuple(
            replace(g, name=group, modifiers=tuple(replace(m, name=modifier) for m in g.modifiers))
            for g in sold["groups"]
        ),
    }
    who = pizza(changes={PIZZA: sold}, language=seen_before or "en")
    who.variables = {"selected_size": "pres:1", "quantity": 98} if seen_before else {}
    shown = who.open()
    for _ in range(3):
        if shown.screen is None:
            assert shown.failure is None
            break
        told = {"error_message": shown.error} if shown.error else {}
        data = sendable(shown.data | told)
        faults = check_screen_data(MADE[FLOW], shown.screen, data)
        assert [fault.sentence for fault in faults] == []
        sent = filled(shown.data, list(wish["groups"].values())) if len(who.trail) > 1 else None
        shown = who.submit(selected_size=wish["size"], quantity=wish["quantity"], **(sent or {}))


# Checkout ---------------------------------------------------------------------------------------


def buyer(*rids: str, quantity: int = 1, **more: Any) -> Visitor:
    turn = a_turn()
    lines = tuple(priced(turn, rid, quantity=quantity) for rid in rids)
    who = Visitor("checkout", cart=Cart(lines=lines, expires_at=turn.cart_expiry), **more)
    who.open()
    return who


def test_an_order_is_delivered():
    who = buyer("prod:caprese", quantity=2)
    assert who.submit(type="delivery").screen == "ADDRESS"
    assert who.submit(address=" 148 Carmine Street ").screen == "PAYMENT"
    end = who.submit(payment="card", notes="Ring twice")
    assert end.params == {
        "type": "delivery", "address": "148 Carmine Street", "payment": "card",
        "notes": "Ring twice",
    }  # fmt: skip


def test_an_order_is_fetched():
    who = buyer("prod:coke")
    assert who.submit(type="pickup").trail == ("RECEIVING", "PAYMENT")
    end = who.submit(payment="cash")
    assert end.params == {"type": "pickup", "address": "", "payment": "cash", "notes": ""}


def test_whoever_changes_his_mind_has_no_address():
    who = buyer("prod:caprese")
    who.submit(type="delivery")
    who.submit(address="148 Carmine Street")
    assert who.ask("data_exchange", "RECEIVING", type="pickup").screen == "PAYMENT"
    assert (who.submit(payment="cash").params or {})["address"] == ""


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ([{"type": "delivery"}], "We deliver from $12.00 on."),
        ([{"type": "drone"}], said("not_offered")),
        ([{}], said("not_offered")),
        ([{"type": "pickup"}, {"payment": "gold"}], said("not_offered")),
        ([{"type": "pickup"}, {}], said("choose_payment")),
        ([{"type": "pickup"}, {"payment": "cash", "notes": "x" * 301}], said("not_offered")),
    ],
)
def test_what_the_shop_does_not_offer_is_told(sent, error):
    who = buyer("prod:coke")
    *before, last = sent
    for step in before:
        who.submit(**step)
    assert who.submit(**last).error == error


@pytest.mark.parametrize("address", ["", "1234", " 1 2 "])
def test_what_is_no_address_is_told(address):
    who = buyer("prod:caprese")
    who.submit(type="delivery")
    shown = who.submit(address=address)
    assert (shown.screen, shown.error) == ("ADDRESS", said("address_too_short"))


def test_an_empty_cart_is_not_checked_out():
    shown = buyer().submit(type="pickup")
    assert shown.error == said("cart_empty")


# Authors' mistakes ------------------------------------------------------------------------------

AUTHORS = flow("""
flow: odd
start: A
anywhere: {problem: {error: Sorry.}}
states:
  A:
    title: A
    data: {noted: "{{ noted }}"}
    layout:
      what: {type: TextInput, label: What}
      go: {type: Footer, label: Go, event: submit}
    when:
      submit:
        - {if: event.what == 'error', error: "{{ 1 // 0 }}"}
        - if: event.what == 'do'
          do: [{save: {noted: 1}}, {save: {noted: "{{ 1 // 0 }}"}}]
        - {if: event.what == 'enter', do: {save: {noted: 1}}, go: B}
        - {if: event.what == 'look', do: {save: {noted: 1}}, go: C}
        - {if: event.what == 'end', do: {save: {noted: 1}}, go: END}
        - {if: event.what == 'guard' and 1 // 0, go: B}
  B:
    title: B
    do: {save: {x: "{{ 1 // 0 }}"}}
    layout: {go: {type: Footer, label: Go, event: submit}}
    when: {submit: END}
  C:
    title: C
    data: {x: "{{ 1 // 0 }}"}
    layout: {go: {type: Footer, label: Go, event: submit}}
    when: {submit: END}
  END: {final: true, params: {noted: "{{ noted }}", bad: "{{ 1 // ((noted or 1) - 1) }}"}}
""")


@pytest.mark.parametrize("what", ["error", "do", "enter"])
def test_a_mistake_of_the_author_leaves_the_customer_where_he_was(what):
    who = Visitor(AUTHORS)
    who.open()
    shown = who.submit(what=what)
    assert (shown.screen, shown.error, shown.failure) == ("A", "Sorry.", None)
    assert (shown.variables, shown.trail, shown.data) == ({}, ("A",), {"noted": None})


@pytest.mark.parametrize("what", ["look", "end"])
def test_what_cannot_be_shown_is_a_failure_and_nothing_is_to_be_saved(what):
    who = Visitor(AUTHORS)
    who.open()
    shown = who.submit(what=what)
    assert (shown.screen, shown.params, shown.error, shown.variables) == (None, None, "Sorry.", {})
    assert shown.failure is not None
    assert shown.failure.startswith("flows/small.yaml:")


@pytest.mark.parametrize("action", ["data_exchange", "BACK"])
def test_a_screen_that_can_be_shown_no_more_is_a_failure(action):
    odd = Presentation(PresentationId("pres:odd"), "Odd", "no price")  # type: ignore[arg-type]
    who = at("SIZE_SELECTION")
    who.changes = {PIZZA: {"presentations": (odd,)}}
    shown = who.ask(action, "SIZE_SELECTION", selected_size=LARGE, quantity="1")
    assert (shown.screen, shown.error) == (None, said("problem"))
    assert shown.failure is not None
    assert shown.failure.startswith("flows/product_customization.yaml:")


def test_a_guard_that_cannot_be_calculated_does_not_hold():
    who = Visitor(AUTHORS)
    who.open()
    shown = who.submit(what="guard")
    assert (shown.screen, shown.error, shown.failure) == ("A", None, None)


def test_what_the_end_cannot_tell_yet_is_nothing():
    assert Visitor(AUTHORS).open().outcome == {"noted": None, "bad": None}


SILENT = f"""
flow: silent
start: A
states:
  A:
    title: A
    do: {{catalog.product: {{product: "{{{{ input.product }}}}"}}}}
    layout:
      sure: {{type: OptIn, label: Sure}}
      {GO}
    when: {{submit: END}}
{END}"""


def test_a_flow_without_words_shows_a_sign():
    silent = flow(SILENT.replace("start: A\n", "start: A\ninput: {product: required}\n"))
    assert Visitor(silent, product="prod:gone").open().error == FALLBACK
    who = Visitor(silent, product="prod:coke")
    who.open()
    assert who.look("data_exchange", "B").error == FALLBACK
    refused = who.submit(sure="yes")
    assert (refused.screen, refused.error) == ("A", None)


@pytest.mark.parametrize(
    ("anywhere", "error"),
    [
        ("refused.invalid: {error: Invalid.}, refused: {error: No.}", "Invalid."),
        ("refused.invalid: {do: {save: {x: 1}}}, refused: {error: No.}", "No."),
        ("refused: {error: '{{ event.reason }} {{ event.group }}'}", "invalid sure"),
        ("refused: {error: ' '}", None),
        # The words themselves cannot be said.
        ("refused: {error: '{{ 1 // 0 }}'}, problem: {error: Sorry.}", "Sorry."),
        ("refused: {error: '{{ 1 // 0 }}'}, problem: {error: '{{ 1 // 0 }}'}", FALLBACK),
        ("refused: {error: '{{ 1 // 0 }}'}, problem: {do: {save: {x: 1}}}", FALLBACK),
        ("refused: {error: '{{ 1 // 0 }}'}, problem: {error: ' '}", FALLBACK),
    ],
)
def test_what_is_not_offered_is_told_in_the_flows_own_words(anywhere, error):
    text = SILENT.replace("start: A\n", f"start: A\nanywhere: {{{anywhere}}}\n")
    who = Visitor(flow(text.replace("input.product", "'prod:coke'")))
    who.open()
    shown = who.submit(sure="yes")
    assert (shown.screen, shown.error, shown.failure) == ("A", error, None)


def test_data_may_be_of_any_shape():
    part = 'data: {all: [1, "{{ product.name }}", {deep: "{{ product.price }}"}]}\n    layout'
    who = Visitor(flow(SILENT.replace("input.product", "'prod:coke'").replace("layout", part)))
    assert who.open().data == {"all": [1, "Coca-Cola", {"deep": money("2.50")}]}


@pytest.mark.parametrize("error", [Unavailable("away"), Conflict("faster")])
def test_errors_of_the_database_pass(error):
    class Away:
        async def get_product_by_id(self, _):
            raise error

    def turn(**more: Any) -> Any:
        made = a_turn(**more)
        made.catalog = Away()  # type: ignore[assignment]
        return made

    with pytest.raises(type(error)):
        pizza(turn=turn).open()
    who = at("MODIFIERS_SELECTION")
    who._make = turn
    with pytest.raises(type(error)):
        who.submit(modifiers_1_one="mod:thin-crust")
