"""Rehearsals: what a made-up customer finds before a real one can."""

from dataclasses import replace
from typing import Any

import pytest

from engine.domain.catalog import Product
from engine.domain.ids import PresentationId
from engine.flows.document import FlowJson
from engine.flows.exchange import Screens
from engine.flows.rehearsal import MOST_EXCHANGES, Rehearsal, compile_flows, misfits, rehearse
from engine.flows.samples import FixedCatalog, NoOrders, fullest_product, margherita, sample_turn
from engine.spec.flow import Flow, Takes
from engine.spec.problems import Problems
from tests.unit.actions.shop import a_turn, bundle, product, wait
from tests.unit.flows.screens import END, FILE, GO, flow, one_screen, shop

LONG = "Stone-baked sourdough with everything"


def compiled(*flows: Flow) -> tuple[tuple[FlowJson, ...], list[str]]:
    """Compile Flows, and give what is told of them."""
    problems = Problems()
    made = wait(compile_flows(shop(*flows), problems))
    return made, [str(p) for p in problems.sorted()]


def walked(of: Flow, *, is_thorough: bool = True) -> Rehearsal:
    walk: Rehearsal = wait(
        rehearse(Screens(), of, shop(of), "en", margherita(), is_thorough=is_thorough)
    )
    return walk


@pytest.mark.parametrize("tenant", ["la-tavola", "dona-lucha"])
def test_the_shipped_flows_are_compiled_in_each_language(tenant):
    problems = Problems()
    of = bundle(tenant)
    made = wait(compile_flows(of, problems))
    assert [str(p) for p in problems.sorted()] == []
    names = ("checkout", "product_customization")
    assert [(m.flow, m.language) for m in made] == [
        (name, language) for name in names for language in of.tenant.languages
    ]
    assert len({m.digest for m in made}) == len(made)


def test_the_examples_are_what_a_customer_saw_of_the_sample():
    _, _, made, _ = wait(compile_flows(bundle(), Problems()))
    first, groups, summary = made.document["screens"]
    told = {key: value["__example__"] for key, value in first["data"].items()}
    assert told["product_name"] == "Margherita Pizza"
    assert [o["id"] for o in told["size_options"]] == ["pres:small", "pres:large"]
    assert (told["selected_size"], told["selected_quantity"]) == ("pres:small", "1")
    assert groups["data"]["groups_1_options"]["__example__"][0]["id"] == "mod:classic"
    assert (summary["data"]["total_price"]["__example__"], summary["terminal"]) == (12.0, True)


WALK = flow(f"""
flow: walk
start: A
states:
  A:
    title: A
    layout:
      kind:
        type: RadioButtonsGroup
        label: Kind
        data-source: [{", ".join(f"{{id: {c}, title: {c}}}" for c in "abcde")}]
      extras: {{type: CheckboxGroup, label: Extras, data-source: [{{id: a, title: A}}]}}
      days: {{type: CalendarPicker, label: Day}}
      day: {{type: DatePicker, label: Day}}
      sure: {{type: OptIn, label: Sure}}
      who: {{type: TextInput, label: Who}}
      code: {{type: TextInput, label: Code, max-chars: 3}}
      go: {{type: Footer, label: Go, event: submit, payload: {{seen: "${{data.total}}"}}}}
    data: {{total: $1}}
    when:
      submit:
        - {{if: event.kind == 'c' and event.day and event.sure, go: D}}
        - if: event.kind == 'b' and event.seen == '$1' and event.code|int and event.extras
          go: END
        - {{if: event.kind == 'e', go: E}}
        - {{error: Choose}}
  D: {{title: D, layout: {{{GO}}}, when: {{submit: END}}}}
  E: {{title: E, layout: {{{GO}}}, when: {{submit: END}}}}
{END}""")


def test_several_options_of_a_choice_are_tried_until_every_screen_was_seen():
    walk = walked(WALK)
    assert (list(walk.seen), walk.ended, walk.faults) == (["A", "D"], True, [])
    # A choice that leads nowhere shows the screen again.
    screens = [screen for screen, _ in walk.shows]
    assert (screens.count("D"), screens.count("A") > 2) == (1, True)


def test_a_product_is_only_rehearsed_to_the_end():
    walk = walked(WALK, is_thorough=False)
    assert (list(walk.seen), walk.ended, walk.faults) == (["A"], True, [])


def test_a_screen_that_no_choice_leads_to_is_told():
    _, told = compiled(WALK)
    assert told == [
        f"{FILE}:25:11: warning: guard-never-holds: it never held, so nobody comes to the screen "
        "'E'",
        f"{FILE}:28:3: unreachable-state: no choice of the sample customer leads to the screen "
        "'E'",
    ]


def test_a_customer_never_walks_for_ever():
    options = ", ".join(f"{{id: {i}, title: T{i}}}" for i in "abcd")
    choices = (f"k{n}: {{type: Dropdown, label: K, data-source: [{options}]}}" for n in range(110))
    of = one_screen("\n".join(choices))
    branches = {"submit": (replace(of.chart.states["A"].when["submit"][0], go=None),)}
    stays = replace(of.chart.states["A"], when=branches)
    states = {**of.chart.states, "A": stays}
    walk = walked(replace(of, chart=replace(of.chart, states=states, digest="stays")))
    assert len(walk.shows) == MOST_EXCHANGES
    (fault,) = walk.faults
    assert fault.endswith(": with 'Margherita Pizza' the Flow never ends: it stays on 'A'")


@pytest.mark.parametrize(
    ("layout", "more", "place", "code"),
    [
        (f"a: {{type: TextInput, label: {LONG}}}", {}, "8:35", "over-limit"),
        ("a: {type: TextHeading, text: '${data.nope}'}", {}, "8:36", "unknown-data"),
        ("a: {type: TextHeading, text: '${data.x}'}", {"data": "{x: '{{ none }}'}"}, "6:12",
         "wrong-type"),
        ("a: {type: TextHeading, text: '`1 ${data.x}`'}", {"data": f"{{x: {LONG * 9}}}"}, "6:12",
         "over-limit"),
        ("a: {type: TextHeading, text: 'A {{ terms.no.thing }}'}", {}, "8:36", "flow-fails"),
        ("a: {type: TextBody, text: A}", {"data": "{x: '{{ 1 // 0 }}'}"}, "6:15", "flow-fails"),
        ("a: {type: TextArea, label: A, max-length: -1}", {}, "8:49", "over-limit"),
        ("a: {type: TextBody, text: A}", {"footer": GO[:-1] + ", payload: {x: '${data.y}'}}"},
         "9:65", "unknown-data"),
    ],
)  # fmt: skip
def test_what_whatsapp_would_refuse_is_told_where_it_was_written(layout, more, place, code):
    _, told = compiled(one_screen(layout, **more))
    assert told
    assert all(line.startswith(f"{FILE}:{place}: {code}: ") for line in told), told


NEVER = "with 'Margherita Pizza' the Flow never ends"


@pytest.mark.parametrize(
    ("states", "place", "sentence"),
    [
        ("do: {catalog.product: {product: gone}}", "6:10", "it cannot go on: "),
        ("data: {x: '{{ 1 // 0 }}'}", "6:15", "it cannot go on: "),
        ("when: {submit: {error: No}}", "6:12", f"{NEVER}: it stays on 'A'"),
        ("when: {submit: {do: {catalog.product: {product: gone}}, go: B}}", "6:26",
         f"{NEVER}: it stays on 'A'"),
        ("when: {submit: {if: misses, go: B}}", "6:12", f"{NEVER}: it stays on 'A'"),
        ("when: {submit: {if: 1 // misses, go: B}}", "6:25", ""),
        ("when: {submit: {error: '{{ 1 // 0 }}'}}", "6:28", ""),
        ("when: {submit: {go: B}}", "8:", "it cannot go on after 'A': "),
    ],
)  # fmt: skip
def test_a_flow_that_cannot_be_walked_through_is_told_where_it_stops(states, place, sentence):
    when = "" if "when" in states else "    when: {submit: B}\n"
    of = flow(
        f"flow: stuck\nstart: A\nstates:\n  A:\n    title: A\n    {states}\n{when}"
        f"    layout: {{{GO}}}\n"
        f"  B: {{title: B, layout: {{{GO}}}, data: {{x: '{{{{ 1 // 0 }}}}'}},"
        f" when: {{submit: END}}}}\n{END}"
        + ("anywhere: {skip: {if: misses, go: B}}\n" if "error" in states else "")
    )
    _, told = compiled(of)
    assert told[0].startswith(f"{FILE}:{place}"), told
    assert f": flow-fails: {sentence}" in told[0]


def test_a_way_that_leads_to_where_it_begins_is_told_where_it_says_so():
    of = flow(
        "flow: stuck\nstart: A\nstates:\n"
        f"  A: {{title: A, layout: {{{GO}}}, when: {{submit: [{{if: misses, go: B}},\n"
        "       {go: A}]}}\n"
        f"  B: {{title: B, layout: {{{GO}}}, when: {{submit: END}}}}\n{END}"
    )
    _, told = compiled(of)
    assert f"{FILE}:5:13: flow-fails: {NEVER}: it stays on 'A'" in told


def test_a_screen_that_nothing_leads_on_from_is_told_at_its_layout():
    of = flow(
        "flow: stuck\nstart: A\nstates:\n  A:\n    title: A\n"
        "    layout: {body: {type: TextBody, text: A}}\n    when: {submit: B}\n"
        f"  B: {{title: B, layout: {{{GO}}}, when: {{submit: END}}}}\n{END}"
    )
    _, told = compiled(of)
    assert told[0] == f"{FILE}:6:5: flow-fails: {NEVER}: nothing on 'A' leads on"


def test_what_nobody_came_to_see_is_not_guessed_at():
    """That the ways are a list is known when somebody has seen them."""
    of = flow(
        "flow: stuck\nstart: A\nstates:\n"
        f"  A: {{title: A, layout: {{{GO}}}, when: {{submit: {{if: misses, go: B}}}}}}\n"
        "  B:\n    title: B\n    when: {submit: END}\n"
        "    data: {ways: {each: tenant.receiving, item: {id: '{{ item.id }}', title: W}}}\n"
        "    layout:\n      way: {type: Dropdown, label: Way, data-source: '${data.ways}'}\n"
        f"      {GO}\n{END}"
    )
    _, told = compiled(of)
    assert told
    assert [line for line in told if "wrong-type" in line] == []


def test_data_that_a_screen_shows_by_another_name_is_told_where_it_is_given():
    _, told = compiled(
        one_screen("a: {type: TextHeading, text: '${data.toatl}'}", data="{total: A, spare: B}")
    )
    assert told == [
        f"{FILE}:6:12: warning: unread-name: nothing on the screen 'A' shows the data 'total'; "
        "did you mean 'toatl'?",
        f"{FILE}:8:36: unknown-data: ${{data.toatl}} is not in the data of the screen; did you "
        "mean 'total'?",
    ]


# The largest product, and the tenant's own ------------------------------------------------------


@pytest.mark.parametrize("takes", [Takes(0, 0, 0), Takes(1, 1, 1), Takes(20, 8, 20)])
def test_the_fullest_product_is_as_large_as_a_flow_takes(takes):
    made = fullest_product(takes)
    assert (len(made.presentations), len(made.groups)) == (takes.presentations, takes.groups)
    assert {len(group.modifiers) for group in made.groups} <= {takes.options}
    held = wait(FixedCatalog([made]).get_product_by_id(made.id))
    assert held is made


TIGHT = flow("""
flow: tight
start: A
input: {product: required}
takes: {presentations: 20, groups: 8, options: 20}
states:
  A:
    title: A
    do: {catalog.product: {product: "{{ input.product }}"}}
    data: {product_name: "{{ product.name }}"}
    layout:
      head: {type: TextHeading, text: "`'A ' ${data.product_name}`"}
      go: {type: Footer, label: Go, event: submit}
    when: {submit: END}
  END: {final: true}
""")


def test_the_largest_product_is_held_against_the_limits():
    _, told = compiled(TIGHT)
    (line,) = told
    assert line.startswith(f"{FILE}:10:12: over-limit: ")


PLACE = "tenants/la-tavola/catalog.yaml"


def told_of(sold: dict[str, Product], of: Flow | None = None) -> list[str]:
    """Rehearse products of a catalog, by line."""
    problems = Problems()
    shipped = shop(of) if of else bundle()
    made = wait(compile_flows(shipped, Problems()))
    found = {f"{PLACE}:{line}:3": p for line, p in sold.items()}
    wait(misfits(shipped, made, found, problems))
    return [str(p) for p in problems.sorted()]


PIZZA, COKE = (product(a_turn(), rid) for rid in ("prod:margherita", "prod:coke"))
SIZES = tuple(
    replace(PIZZA.presentations[0], id=PresentationId(f"pres:{n}"), name=f"N{n}")
    for n in range(21)
)


def test_a_product_that_does_not_fit_is_doubtful_and_the_others_are_not():
    huge = replace(PIZZA, presentations=SIZES)
    assert told_of({"5": PIZZA, "9": huge, "30": COKE}) == [
        f"{PLACE}:9:3: warning: not-in-flow: product_customization: 'Margherita Pizza' has 21 "
        "presentations, 20 fit; it is customized in the chat",
    ]


def test_a_product_that_breaks_a_limit_is_told_where_it_is_written():
    long = replace(PIZZA, name="x" * 90)
    (told,) = told_of({"5": PIZZA, "9": long}, TIGHT)
    assert told.startswith(f"{PLACE}:9:3: flow-fails: tight, A: ")


@pytest.mark.parametrize(
    "change",
    [
        {"presentations": (), "groups": ()},  # nothing to choose: it goes into the cart at once
        {"is_available": False},
        {"stock": 0},
    ],
)
def test_a_product_that_is_not_sent_in_a_flow_is_not_rehearsed(change):
    assert told_of({"9": replace(PIZZA, name="x" * 90, **change)}, TIGHT) == []


def test_a_flow_that_shows_no_products_or_could_not_be_compiled_is_left_out():
    assert told_of({"9": PIZZA}, one_screen("body: {type: TextBody, text: A}")) == []
    problems = Problems()
    wait(misfits(bundle(), (), {f"{PLACE}:9:3": replace(PIZZA, presentations=SIZES)}, problems))
    assert problems.sorted() == []


def test_a_rehearsal_stores_nothing():
    turn = sample_turn(bundle(), "es", margherita())
    assert (turn.conversation.language, turn.flows, turn.cart.count) == ("es", None, 1)
    catalog, orders = turn.catalog, NoOrders()
    assert [c.id for c in wait(catalog.get_categories())] == ["cat:pizza"]
    for category, count in (("cat:pizza", 1), ("cat:gone", 0), (None, 1)):
        assert len(wait(catalog.get_products_by_category(category))) == count
    assert wait(catalog.get_product_names()) == (("prod:margherita", "Margherita Pizza"),)
    for method in (catalog.get_presentations_for_product, catalog.get_modifiers_for_product):
        sold: Any = [wait(method(rid)) for rid in ("prod:margherita", "prod:gone")]
        assert (len(sold[0]), sold[1]) == (2, ())
    customer = turn.conversation.customer
    assert wait(orders.get_latest(customer)) is None
    assert wait(orders.get_by_number("X", customer)) is None  # type: ignore[arg-type]
