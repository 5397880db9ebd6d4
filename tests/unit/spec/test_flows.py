"""Flow files: read as screens over a chart, overlaid by tenants, and every mistake told."""

from dataclasses import replace
from itertools import pairwise, product

import pytest

from engine.spec.flow import Flow, LayoutComponent, Repeat, Takes
from engine.spec.problems import Problems, SpecError
from engine.spec.schema import document_schema
from engine.spec.source import parse
from engine.spec.validate import Validator, validate
from engine.verbs import all_verbs
from engine.whatsapp.flow_json.components import COMPONENTS
from tests.unit.spec.content import CORNER, KIOSK, SHOP, everything_wrong, lay, library

SHARED, OWN = "flows/book.yaml", "tenants/corner/flows/book.yaml"
BOOK = """\
flow: book
start: ASK
input: {table: required, day: optional}
takes: {presentations: 1, groups: 2, options: 3}
anywhere:
  refused: {error: "{{ terms.choose }}"}
states:
  ASK:
    title: Book at {{ tenant.name }}
    do: {catalog.product: {product: "{{ input.table }}"}}
    data:
      name: "{{ product.name }}"
      groups:
        each: product.groups
        item: {id: "{{ item.id }}", label: {text: "{{ item.name }}"}}
    layout:
      heading: {type: TextHeading, text: "${data.name}"}
      only:
        type: If
        condition: ${data.name}
        then:
          guests: {type: TextInput, label: Guests, name: how_many}
        else:
          wish:
            type: Switch
            value: ${data.name}
            cases:
              one: {a: {type: OptIn, label: One}}
              two: {b: {type: OptIn, label: Two}}
      extras: {type: ChoiceGroups, source: "${data.groups}", groups: 2}
      go: {type: Footer, label: Go, event: submit, payload: {seen: "${data.name}"}}
    when:
      submit:
        - {if: not event.how_many, error: How many?}
        - {do: {save: {guests: "{{ event.how_many }}"}}, go: SURE}
  SURE:
    title: Sure?
    refresh_on_back: true
    layout:
      go: {type: Footer, label: Go, event: submit}
    when: {submit: DONE}
  DONE:
    final: true
    params: {guests: "{{ guests }}"}
"""


@pytest.fixture
def content(tmp_path):
    """Give a function that makes a library of the small shop with the Flow and changes to it."""

    def make(overlay: str | None = None, *, shared: str = BOOK):
        files = {SHARED: shared} | ({OWN: overlay} if overlay is not None else {})
        return library(lay(tmp_path / "content", SHOP, files=files))

    return make


def book(made, tenant=CORNER) -> Flow:
    flow = made.load(tenant).flows["book"]
    assert isinstance(flow, Flow)
    return flow


def parts(flow: Flow, screen: str) -> dict[str, LayoutComponent]:
    return {part.id: part for part in flow.screens[screen].components()}


# Reading ----------------------------------------------------------------------------------------


def test_a_flow_is_read_as_screens_over_a_chart(content):
    flow = book(content())
    assert (flow.id, flow.version, flow.where) == ("book", 1, f"{SHARED}:1:1")
    assert (flow.input, flow.takes) == ({"table": True, "day": False}, Takes(1, 2, 3))
    assert flow.categories == ("OTHER",)
    assert [screen.id for screen in flow.shown()] == ["ASK", "SURE"]
    assert [name for name in flow.screens if flow.is_end(name)] == ["DONE"]
    assert (flow.chart.id, flow.chart.start, list(flow.chart.states)) == (
        "book", "ASK", ["ASK", "SURE", "DONE"],
    )  # fmt: skip
    assert not any(state.final for state in flow.chart.states.values())
    first, second = flow.chart.states["ASK"].when["submit"]
    assert (first.error and first.error.literal, first.go) == ("How many?", None)
    assert (second.error, second.go) == (None, "SURE")


def test_the_data_of_a_screen_may_repeat_a_part(content):
    data = book(content()).screens["ASK"].data
    groups = data["groups"]
    assert isinstance(groups, Repeat)
    assert groups.each.source == "product.groups"
    view = {"item": {"id": "group:a", "name": "A"}}
    assert groups.item["id"].evaluate(view) == "group:a"
    assert groups.item["label"]["text"].evaluate(view) == "A"
    assert data["name"].evaluate({"product": {"name": "Roll"}}) == "Roll"


def test_components_come_from_top_to_bottom_the_inner_ones_after_what_holds_them(content):
    flow = book(content())
    found = parts(flow, "ASK")
    assert list(found) == ["heading", "only", "guests", "wish", "a", "b", "extras", "go"]
    assert list(found["only"].inside) == ["then", "else"]
    assert list(found["wish"].inside) == ["one", "two"]
    assert (found["guests"].name, found["a"].name) == ("how_many", "a")
    assert found["guests"].where == f"{SHARED}:22:11"
    assert (found["go"].event, found["go"].payload) == ("submit", {"seen": "${data.name}"})
    assert found["extras"].groups == 2
    ours = {"type", "event", "payload", "groups", "then", "else", "cases"}
    assert not ours & {key for part in found.values() for key in part.properties}
    assert [s.refresh_on_back for s in flow.screens.values()] == [False, True, False]


# What tenants change ----------------------------------------------------------------------------


def test_tenants_that_change_nothing_share_a_flow(content):
    made = content()
    assert book(made) is book(made, KIOSK)


OVERLAY = """\
extends: book
categories: [APPOINTMENT_BOOKING]
states:
  ASK:
    title: Our table
    layout:
      heading: null
      only: {then: {guests: {label: People}}}
      note: {type: TextBody, text: Welcome}
    when: {submit: {do: {save: {guests: 2}}, go: SURE}}
"""


def test_a_tenant_changes_the_parts_it_names(content):
    made = content(OVERLAY)
    ours, theirs = book(made), book(made, KIOSK)
    assert (ours.screens["ASK"].title.literal, ours.categories) == (
        "Our table", ("APPOINTMENT_BOOKING",),
    )  # fmt: skip
    found = parts(ours, "ASK")
    assert list(found) == ["only", "guests", "wish", "a", "b", "extras", "go", "note"]
    assert found["guests"].properties == {"label": "People", "name": "how_many"}
    (branch,) = ours.chart.states["ASK"].when["submit"]
    assert (branch.go, branch.where) == ("SURE", f"{OWN}:10:12")
    # A part that is not the tenant's own is still placed where it was written.
    assert (found["guests"].where, found["extras"].where) == (f"{OWN}:8:21", f"{SHARED}:30:7")
    assert theirs.screens["ASK"].title.literal is None
    assert {"heading", "go"} <= parts(theirs, "ASK").keys()
    first = made.load(CORNER).digest
    assert content(OVERLAY.replace("People", "Guests")).load(CORNER).digest != first


def test_a_tenant_may_have_a_flow_of_its_own(tmp_path):
    made = library(lay(tmp_path / "content", SHOP, files={OWN: BOOK}))
    assert list(made.load(CORNER).flows) == ["book"]
    assert made.load(KIOSK).flows == {}


def told(problems) -> list[str]:
    return [f"{p.span}: {p.code}" for p in problems]


def test_a_deletion_that_deletes_nothing_is_doubtful(content):
    problems = Problems()
    assert content("states: {ASK: {layout: {bell: null}}}\n").check(CORNER, problems)
    assert [str(problem) for problem in problems.sorted()] == [
        f"{OWN}:1:25: warning: overrides-nothing: there is no 'bell' here to delete",
    ]


@pytest.mark.parametrize(
    ("overlay", "problems"),
    [
        ("states: {ASK: {when: {submit: SUR}}}\n", [f"{OWN}:1:23: unknown-state",
            f"{SHARED}:36:3: unreachable-state", f"{SHARED}:42:3: unreachable-state",
            f"{SHARED}:44:22: unknown-variable"]),
        ("states: {ASK: {layout: {go: {event: sumbit}}}}\n", [f"{OWN}:1:37: unknown-event"]),
        ("states: {SURE: {layout: {go: null}}}\n", [f"{OWN}:1:10: missing-key"]),
        ("states: {ASK: {title: [1]}}\n", [f"{OWN}:1:23: wrong-type"]),
        ("states: [\n", [f"{OWN}:2:1: yaml-syntax"]),
    ],
)  # fmt: skip
def test_a_tenants_mistake_is_told_where_it_is_and_to_no_other(content, overlay, problems):
    made = content(overlay)
    for _ in range(2):
        with pytest.raises(SpecError) as refused:
            made.load(CORNER)
        assert sorted(told(refused.value.problems)) == sorted(problems)
        assert book(made, KIOSK).screens


def test_a_mistake_in_a_shared_flow_refuses_every_tenant(content):
    made = content("states: {ASK: {title: Ours}}\n", shared=BOOK.replace("go: SURE", "go: SUR"))
    for tenant in (CORNER, KIOSK):
        with pytest.raises(SpecError) as refused:
            made.load(tenant)
        assert f"{SHARED}:35:62: unknown-state" in told(refused.value.problems)


def test_over_an_unusable_flow_nothing_is_laid(content):
    made = content(OVERLAY, shared="states: [\n")
    with pytest.raises(SpecError) as refused:
        made.load(CORNER)
    assert told(refused.value.problems) == [f"{SHARED}:2:1: yaml-syntax"]


# Mistakes ---------------------------------------------------------------------------------------

FINAL = "'DONE' is final: nobody sees it, nothing happens in it"
UNSET = "unknown-variable: nothing sets the variable"
LACKING = "warning: unknown-part:"
UNREAD = "warning: unread-name: nothing reads"
DEPLOYED = "is not known when the Flow is deployed; put it in 'data' and write ${data.<name>} here"
MISTAKES = [
    ("flow: book", "flow: bok",
     ("bok\n", "wrong-name: the file is called 'book', and so must the Flow be")),
    ("flow: book\n", "",
     ("start", "wrong-name: the file is called 'book', and so must the Flow be")),
    ("start: ASK\n", "", ("flow: book", "missing-key: 'start' is missing here")),
    ("start: ASK", "start: ASKS",
     ("ASKS", "unknown-state: there is no state 'ASKS'; did you mean 'ASK'?")),
    ("go: SURE", "go: SUR",
     ("SUR}", "unknown-state: there is no state 'SUR'; did you mean 'SURE'?"),
     ("SURE:", "unreachable-state: nothing leads to the state 'SURE'"),
     ("DONE:", "unreachable-state: nothing leads to the state 'DONE'")),
    ("    final: true\n    params: {guests: \"{{ guests }}\"}", "    title: Done",
     ("flow: book", "never-finishes: no state is final, so the Flow never ends; "
                    "add SUCCESS: {final: true}"),
     ("DONE:", "missing-key: the screen 'DONE' has no 'layout'")),
    ("    final: true", "    final: true\n    layout: {go: {type: Footer}}",
     ("DONE:", f"bad-final: {FINAL}")),
    ("    final: true", "    final: true\n    data: {name: x}", ("DONE:", f"bad-final: {FINAL}")),
    ("    final: true", "    final: true\n    when: {submit: DONE}",
     ("DONE:", f"bad-final: {FINAL}")),
    ("{submit: DONE}", "{submit: [{if: misses, go: ASK}, {go: DONE}]}",
     ("ASK}", "leads-back: 'SURE' leads back to 'ASK': a Flow goes forward only; "
              "customers go back with the arrow; leave 'go' out to stay")),
    ("    title: Sure?", "    about: Sure?",
     ("SURE:", "missing-key: the screen 'SURE' has no 'title'")),
    ("    layout:\n      go: {type: Footer, label: Go, event: submit}\n    when: {submit: DONE}",
     "    when: {submit: DONE}", ("SURE:", "missing-key: the screen 'SURE' has no 'layout'")),
    ("error: How many?", "error: How many?, go: SURE",
     ("error: How", "bad-branch: an 'error' is shown where the customer is; leave 'go' out")),
    ("type: TextHeading, ", "", ("heading:", "missing-key: 'type' is missing here")),
    ("label: Go, event: submit}\n    when", "label: Go, event: sbmit}\n    when",
     ("sbmit}", "unknown-event: the state 'SURE' does not react to the event 'sbmit'; "
                "did you mean 'submit'?")),
    ('source: "${data.groups}", groups: 2', "groups: 2",
     ("extras:", "missing-key: 'source' is missing here")),
    ("groups: 2}\n      go", "groups: 1}\n      go",
     ("extras:", "too-few-groups: it shows 1 groups, the Flow takes products with more; "
                 "set 'groups' to 'takes.groups'")),
    ('text: "${data.name}"}', 'text: "{{ product.name }}"}',
     ('"{{ product.name }}"}', f"unknown-variable: 'product' {DEPLOYED}")),
    ("{{ tenant.name }}", "{{ cart.count }}",
     ("Book at", f"unknown-variable: 'cart' {DEPLOYED}")),
    ('text: "${data.name}"}', 'text: "{{ prodct }}"}', ('"{{ prodct', f"{UNSET} 'prodct'")),
    ("each: product.groups", "each: prodct.groups",
     ("prodct", f"{UNSET} 'prodct'; did you mean 'product'?")),
    ("{{ item.name }}", "{{ itm.name }}", ('"{{ itm', f"{UNSET} 'itm'; did you mean 'item'?")),
    ("{{ input.table }}", "{{ inptu.table }}",
     ('"{{ inptu', f"{UNSET} 'inptu'; did you mean 'input'?")),
    ("not event.how_many", "not evnt.how_many",
     ("not evnt", f"{UNSET} 'evnt'; did you mean 'event'?")),
    ("{{ event.how_many }}", "{{ how_many }}", ('"{{ how_many', f"{UNSET} 'how_many'")),
    ("{{ terms.choose }}", "{{ trems.choose }}",
     ('"{{ trems', f"{UNSET} 'trems'; did you mean 'terms'?")),
    ('{guests: "{{ guests }}"}', '{guests: "{{ gusts }}"}',
     ('"{{ gusts', f"{UNSET} 'gusts'; did you mean 'guests'?")),
    ("{type: TextInput, label: Guests, name: how_many}", "{type: TextInput, lable: Guests}",
     ("lable", "unknown-key: 'lable' is not known here; did you mean 'label'?")),
    ("type: Switch", "type: Swich",
     ("Swich", "unknown-value: 'Swich' is not known here; did you mean 'Switch'?")),
    ("input: {table: required", "input: {table: needed",
     ("needed", "unknown-value: 'needed' is not known here; known: required, optional")),
    ("name: how_many}", "name: event}",
     ("guests:", "wrong-name: nothing can be sent as 'event': it says which event was raised"),
     ("not event.how_many", f"{LACKING} 'event' of 'submit' has no 'how_many'; "
                            "known: a, b, event, extras, name, seen"),
     ('"{{ event.how_many', f"{LACKING} 'event' of 'submit' has no 'how_many'; "
                            "known: a, b, event, extras, name, seen")),
    # A name that the screen sends, and one the Flow is opened with, are told on both sides.
    ("name: how_many}", "name: hwo_many}",
     ("guests:", f"{UNREAD} 'hwo_many', and 'how_many', which is read, is not there; "
                 "did you mean 'how_many'?"),
     ("not event.how_many", f"{LACKING} 'event' of 'submit' has no 'how_many'; "
                            "did you mean 'hwo_many'?"),
     ('"{{ event.how_many', f"{LACKING} 'event' of 'submit' has no 'how_many'; "
                            "did you mean 'hwo_many'?")),
    ("input: {table: required", "input: {tbale: required",
     ("tbale", f"{UNREAD} 'tbale', and 'table', which is read, is not there; "
               "did you mean 'table'?"),
     ('"{{ input.table', f"{LACKING} 'input' has no 'table'; did you mean 'tbale'?")),
    # An event that is none of the screen's has what every event has, and no more.
    ("    when: {submit: DONE}", "    when: {submit: DONE, moved: {error: \"{{ event.reasn }}\"}}",
     ('"{{ event.reasn', f"{LACKING} 'event' has no 'reasn'; did you mean 'reason'?")),
    ("not event.how_many", "event.how_many and not event.how_many",
     ("event.how_many and", "never-holds: 'event.how_many and not event.how_many' never holds")),
    ('label: {text: "{{ item.name }}"}', 'label: {text: "{{ item.nmae }}"}',
     ('"{{ item.nmae', f"{LACKING} 'item' has no 'nmae'; did you mean 'name'?")),
    ("a: {type: OptIn, label: One}", "name: {type: OptIn, label: One}",
     ("name:", "wrong-name: nothing can be sent as 'name': it says which event was raised")),
    ("source: \"${data.groups}\", groups: 2", "name: name, source: \"${data.groups}\", groups: 2",
     ("extras:", "wrong-name: nothing can be sent as 'name': it says which event was raised")),
    ("payload: {seen:", "payload: {name:",
     ("go:", "wrong-name: nothing can be sent as 'name': it says which event was raised")),
]  # fmt: skip


@pytest.mark.parametrize(
    "mistake", MISTAKES, ids=[f"{case[1]}: {case[2][1]}"[:60] for case in MISTAKES]
)
def test_a_mistake_is_told_with_its_place(tmp_path, mistake):
    before, after, *expected = mistake
    assert BOOK.count(before) == 1
    text = BOOK.replace(before, after)
    found = everything_wrong(lay(tmp_path / "content", SHOP, files={SHARED: text}))
    assert [str(p).removeprefix(f"{p.span}: ") for p in found] == [told for _, told in expected]
    for problem, (there, _) in zip(found, expected, strict=True):
        line = text.split("\n")[problem.span.line - 1]
        assert f"{line}\n"[problem.span.column - 1 :].startswith(there)
        assert problem.span.file == SHARED


def test_a_flow_is_not_called_as_the_address_of_a_product_is(tmp_path):
    files = {"flows/product.yaml": BOOK.replace("flow: book", "flow: product")}
    found = everything_wrong(lay(tmp_path / "content", SHOP, files=files))
    assert [str(p) for p in found] == [
        "flows/product.yaml:1:7: wrong-name: a Flow cannot be called 'product'"
    ]


def test_the_flow_under_the_mistakes_has_none(tmp_path):
    assert everything_wrong(lay(tmp_path / "content", SHOP, files={SHARED: BOOK})) == []


def test_a_flow_that_shows_groups_says_how_many_it_takes(tmp_path):
    files = {SHARED: BOOK.replace("takes: {presentations: 1, groups: 2, options: 3}\n", "")}
    found = everything_wrong(lay(tmp_path / "content", SHOP, files=files))
    assert told(found) == [f"{SHARED}:29:7: too-few-groups"]


def test_however_many_screens_follow_one_another_they_are_checked(tmp_path):
    names = ["".join(letters) for letters in product("ABCDEFGHIJ", repeat=3)]
    states = "".join(
        f"  {name}: {{when: {{submit: {following}}}}}\n"
        for name, following in pairwise([*names, "END", *names[:1]])
    )
    text = f"flow: book\nstart: AAA\nstates:\n{states}".replace("{when: {submit: AAA}}", "{}")
    found = everything_wrong(lay(tmp_path / "content", SHOP, files={SHARED: text}))
    bare = 2 * (len(names) + 1)  # none has a title or a layout
    assert sorted(p.code for p in found) == ["missing-key"] * bare + ["never-finishes"]


# The schema -------------------------------------------------------------------------------------

SCHEMA = Validator(document_schema("flow", all_verbs()))
HOLDERS = {"then": "{}", "else": "{}", "children": "{}", "cases": "{}"}


def deviations(component: str) -> list[str]:
    """Tell what is wrong with a component; its line is `  c: {...}`."""
    problems = Problems()
    source = parse(f"states: {{A: {{layout: {{\n  c: {component}\n}}}}}}\n", "f.yaml", problems)
    assert source is not None, problems.sorted()
    validate(source, SCHEMA, problems)
    return [str(replace(p, span=replace(p.span, file="f"))) for p in problems.sorted()]


@pytest.mark.parametrize("name", COMPONENTS)
def test_every_component_is_known_with_its_properties_and_no_others(name):
    own = {key: HOLDERS.get(key, '"${data.x}"') for key in COMPONENTS[name].properties}
    written = "".join(f", {key}: {value}" for key, value in own.items())
    whole = f"{{type: {name}{written}"
    assert deviations(f"{whole}, event: submit}}") == []
    (unknown,) = deviations(f"{whole}, no-such-property: 1}}")
    assert "unknown-key: 'no-such-property' is not known here" in unknown


@pytest.mark.parametrize(
    ("component", "said"),
    [
        ("{type: TextInput, required: true, max-chars: 3}", []),
        ("{type: TextInput, required: '{{ terms.x }}', max-chars: '`1 + 2`'}", []),
        ("{label: x, groups: null}",
         ["f:2:17: unknown-key: 'groups' is not known here; known here: "]),
        ("{type: TextInput, required: maybe}",
         ["f:2:34: wrong-type: 'required' must be true or false, this is a text"]),
        ("{type: TextInput, max-chars: many}",
         ["f:2:35: wrong-type: 'max-chars' must be a whole number, this is a text"]),
        ("{type: TextInput, input-type: numbr}",
         ["f:2:36: unknown-value: 'numbr' is not known here; did you mean 'number'?"]),
        ("{type: ChoiceGroups, source: x, groups: 21}",
         ["f:2:46: wrong-value: 21 is greater than the maximum of 20"]),
        ("{type: Footer, event: Sub Mit}", ["f:2:28: wrong-value: 'event': 'Sub Mit'"]),
        ("[1]", ["f:2:6: wrong-type: 'c' must be a mapping, this is a list"]),
    ],
)  # fmt: skip
def test_a_property_is_of_its_kind_or_an_expression(component, said):
    found = deviations(component)
    assert len(found) == len(said)
    for one, begin in zip(found, said, strict=True):
        assert one.startswith(begin)
