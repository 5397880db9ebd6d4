"""What is no mistake in a chart and its words together; what is one, is in `broken/`.

An author who is told of mistakes that are none stops reading: each case here works.
"""

import json
import shutil

import pytest

from engine.settings import read_settings
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.verbs import all_verbs
from tests.unit.spec.content import CORNER, KIOSK, SHOP, everything_wrong, lay, library

CHART = "tenants/corner/conversations/shop.yaml"
WORDS = "tenants/corner/messages/shop.yaml"
TENANT = "tenants/corner/tenant.yaml"
SETTINGS = (SHOP / TENANT).read_text()


def wrong(tmp_path, chart=None, words=None, settings=SETTINGS):
    """Tell what is wrong with the shop when a tenant's own files are laid over it."""
    files = {TENANT: settings}
    if chart is not None:
        files[CHART] = json.dumps({"extends": "shop", **chart})
    if words is not None:
        files[WORDS] = json.dumps(words)
    return everything_wrong(lay(tmp_path / "content", SHOP, files=files))


def test_what_is_missing_of_a_form_is_told_at_the_form(tmp_path):
    files = {
        "tenants/corner/messages/shop.yaml": "messages:\n  book:\n    flow: {token: x}\n",
        "tenants/corner/messages/shop.en.yaml":
            "messages:\n  book:\n    text: Book?\n    flow: {cta: Book}\n",
    }  # fmt: skip
    found = everything_wrong(lay(tmp_path / "content", SHOP, files=files))
    told = {str(p.span) for p in found if p.sentence == "'id' is missing here"}
    assert told == {"tenants/corner/messages/shop.yaml:3:11"}


def codes(problems):
    return [problem.code for problem in problems]


BUY = {"messages": {"offer": {"text": "Buy?", "buttons": {"buy": "Buy"}}}}


@pytest.mark.parametrize(
    "chart",
    [
        # The state that says it takes the tap, one around it does, or any does.
        {"states": {"menu": {"say": "offer", "when": {"buy": "checkout"}}}},
        {"states": {"checkout": {"when": {"buy": "menu"},
                                 "states": {"address": {"say": "offer"}}}}},
        {"states": {"menu": {"say": "offer"}}, "anywhere": {"buy": "menu"}},
        # Another takes it, and the tap is of an old message: where that was said counts.
        {"states": {"menu": {"when": {"checkout": {"say": "offer", "go": "checkout"},
                                      "buy": "menu"}}}},
        # It is said on the way to the state that takes it.
        {"states": {"menu": {"when": {"checkout": {"say": "offer", "go": "checkout"}}},
                    "checkout": {"states": {"address": {"when": {"buy": "menu"}}}}}},
        # The state lets every tap mean something.
        {"states": {"menu": {"say": "offer", "when": {"tap": "checkout"}},
                    "thanks": {"when": {"buy": "menu"}}}},
        # An action leads on to the state that takes it.
        {"states": {"thanks": {"say": "offer", "do": {"cart.add": {"product": "prod:roll"}}},
                    "product": {"when": {"buy": "menu"}}},
         "anywhere": {"refused.sold_out": "product"}},
        # Only some places where it may be said take it, and which these are, nobody can tell.
        {"states": {"menu": {"when": {"buy": "checkout"}}},
         "anywhere": {"greet": {"if": "cart.count > 0", "say": "offer"}}},
        # Where `resume` leads, nobody can tell.
        {"states": {"help": {"when": {"continue": {"say": "offer", "go": "resume"}}},
                    "menu": {"when": {"buy": "checkout"}}}},
    ],
)  # fmt: skip
def test_a_button_that_is_taken_up_somewhere_is_no_dead_one(chart, tmp_path):
    assert [p for p in wrong(tmp_path, chart, BUY) if p.severity == "error"] == []


def test_a_button_that_was_said_where_it_means_something_dies_with_the_branch(tmp_path):
    chart = {"states": {"menu": {"say": "offer", "when": {"buy": "checkout"}}}}
    assert "dead-button" not in codes(wrong(tmp_path / "a", chart, BUY))
    chart["states"]["menu"] = {"say": "offer"}
    chart["states"]["thanks"] = {"when": {"buy": "menu"}}
    (found,) = [p for p in wrong(tmp_path / "b", chart, BUY) if p.severity == "error"]
    assert found.code == "dead-button"
    assert "in 'menu'" in found.sentence


@pytest.mark.parametrize(
    "wire_id", ["greet", "greet#2", "prod:roll", "greet:{{ cart.count }}", "{{ cart.count }}"]
)
def test_an_id_of_its_own_raises_what_it_says(wire_id, tmp_path):
    rows = {"greet": {"title": "Menu", "id": wire_id}}
    words = {"messages": {"help": {"list": {"rows": rows, "more": {"title": "M", "id": wire_id}}}}}
    assert wrong(tmp_path, words=words) == []


@pytest.mark.parametrize(
    "when",
    [
        # What anybody raises: a phrase, a prefix, an action, the engine, a refusal, a kind.
        "help", "view_product", "text", "media", "location", "contacts", "welcome",
        "flow_reply", "native_order", "unsupported", "empty", "tap", "old_tap",
        "flow_refused", "native_refused", "moved", "problem", "refused.sold_out", "refused",
    ],
)  # fmt: skip
def test_an_event_that_is_raised_is_waited_for_with_reason(when, tmp_path):
    assert wrong(tmp_path, {"states": {"menu": {"when": {when: {"say": "sorry"}}}}}) == []


def test_an_event_that_an_action_raises_is_waited_for_with_reason(tmp_path):
    chart = {
        "anywhere": {
            "media": {"do": {"catalog.find": {"text": "roll"}}},
            "products_found": "menu",
            "category_found": "menu",
        }
    }
    assert wrong(tmp_path, chart) == []


def test_a_chart_of_one_state_that_answers_everything_has_no_dead_end(tmp_path):
    files = {
        "conversations/faq.yaml": "chart: faq\nstart: only\n"
        "anywhere: {nothing_matched: {say: hello}}\nstates: {only: {say: hello}}",
        "conversations/messages/faq.en.yaml": "messages: {hello: Hello}",
        TENANT: SETTINGS.replace("shop", "faq").replace("[en, es]", "[en]"),
    }
    assert everything_wrong(lay(tmp_path, SHOP, files=files)) == []


def test_a_way_out_by_time_or_from_around_or_back_to_where_one_was_is_one(tmp_path):
    chart = {
        "anywhere": {"greet": None, "view_product": None, "help": "help"},
        "states": {
            "menu": {"when": {"checkout": "checkout", "location": "product"}},
            "product": {"replace": True, "after": {"2h": "menu"}},
            "checkout": {"when": {"media": "menu"}},
            "thanks": {"when": {"text": "menu"}},
        },
    }
    words = {"messages": {"help": {"list": {"rows": {"greet": None}}}}, "intents": {"greet": []}}
    found = wrong(tmp_path, chart, words)
    assert not {"dead-end", "loop-without-exit"} & set(codes(found))


@pytest.mark.parametrize(
    "guard",
    [
        "language == 'es'", "language != 'en'", "state == 'address'", "state in ['menu', 'help']",
        "'men' in state", "event.name == 'help'", "is_open()", "not is_open()", "cart.count == 0",
        "speaks(language='fr')", "customer.name == 'Ana'", "'menu' == state", "state == none",
        "true", "1 < 2",
    ],
)  # fmt: skip
def test_a_guard_that_may_hold_is_let_be(guard, tmp_path):
    chart = {"anywhere": {"help": {"if": guard, "go": "help"}}}
    # Who speaks one language may ask for another that the shared texts have.
    settings = SETTINGS.replace("[en, es]", "[en]")
    assert wrong(tmp_path, chart, settings=settings) == []


def test_a_shared_guard_may_ask_for_a_state_that_a_tenant_has_deleted(tmp_path):
    shared = (SHOP / "conversations/shop.yaml").read_text()
    asks = "{if: misses >= 3 or state == 'product', say: not_understood, go: help}"
    files = {
        "conversations/shop.yaml": shared.replace(
            "{if: misses >= 3, say: not_understood, go: help}", asks
        ),
        CHART: json.dumps(
            {
                "extends": "shop",
                "prefixes": {"prod": None},
                "states": {"product": None},
                "anywhere": {"view_product": None},
            }
        ),
    }
    assert asks in files["conversations/shop.yaml"]
    assert "never-holds" not in codes(everything_wrong(lay(tmp_path, SHOP, files=files)))


@pytest.mark.parametrize(
    ("after", "template"),
    [
        ({"23h": {"say": "sorry"}}, None),
        ({"26h": {"say": "sorry"}}, {"name": "sorry", "category": "utility", "body": "Sorry."}),
        ({"26h": {"say": "sorry", "quiet": True}}, None),
        ({"26h": {"do": "cart.clear"}}, None),
        ({"2h": "menu", "26h": {"say": "sorry"}}, None),  # who was led away is not asked again
        ({"10h": {"say": "sorry"}, "20h": {"say": "sorry"}}, None),
    ],
)
def test_what_is_said_in_time_or_by_a_template_is_let_be(after, template, tmp_path):
    chart = {"states": {"product": {"after": {"30m": None, **after}}}}
    words = {"messages": {"sorry": {"template": template}}} if template else None
    assert wrong(tmp_path, chart, words) == []


def test_a_cart_that_expires_in_time_may_be_told_of(tmp_path):
    chart = {"anywhere": {"cart_expired": {"say": "sorry"}}}
    assert codes(wrong(tmp_path / "a", chart)) == ["outside-window"]
    assert wrong(tmp_path / "b", chart, settings=f"{SETTINGS}cart_hours: 23\n") == []


TEMPLATED = {
    "messages": {"sorry": {"template": {"name": "s", "category": "utility", "body": "So sorry."}}}
}


@pytest.mark.parametrize("event", ["order_moved", "order_moved.rejected"])
@pytest.mark.parametrize("place", ["anywhere", "a state"])
def test_of_an_order_that_may_move_a_day_later_the_author_is_warned(event, place, tmp_path):
    when = {event: {"say": "sorry"}}
    chart = {"states": {"product": {"when": when}}} if place == "a state" else {"anywhere": when}
    (problem,) = wrong(tmp_path / "a", chart)
    assert (problem.code, problem.severity) == ("outside-window", "warning")
    assert "'sorry' has no 'template'" in problem.sentence
    assert "the order may be moved a day after the customer last wrote" in problem.sentence
    assert wrong(tmp_path / "b", chart, TEMPLATED) == []


def test_what_is_entered_when_an_order_moves_is_said_then_too(tmp_path):
    chart = {"anywhere": {"order_moved": "help"}}
    assert codes(wrong(tmp_path / "a", chart)) == ["outside-window"]
    quiet = {"anywhere": {"order_moved": {"quiet": True, "go": "help"}}}
    assert wrong(tmp_path / "b", quiet) == []


def test_a_branch_for_every_case_comes_last(tmp_path):
    branches = [{"if": "cart.count > 0", "go": "help"}, {"if": "misses", "go": "menu"}, "product"]
    assert wrong(tmp_path, {"anywhere": {"help": branches}}) == []


def test_languages_may_say_more_of_the_same_value(tmp_path):
    words = {"messages": {"thanks": "{{ customer.name }} {{ terms.choose }}"}}
    deeper = {"messages": {"thanks": "{{ customer }}{% if language == 'es' %}!{% endif %}"}}
    files = {
        "tenants/corner/messages/shop.en.yaml": json.dumps(words),
        "tenants/corner/messages/shop.es.yaml": json.dumps(deeper),
    }
    assert everything_wrong(lay(tmp_path, SHOP, files=files)) == []


def test_tenants_that_change_nothing_are_told_the_same_and_looked_at_once(tmp_path, monkeypatch):
    looked: list[str] = []
    real = __import__("engine.spec.library", fromlist=["check_whole"]).check_whole

    def looking(whole):
        looked.append(whole.tenant.name)
        real(whole)

    monkeypatch.setattr("engine.spec.library.check_whole", looking)
    shared = (SHOP / "conversations/shop.yaml").read_text()
    files = {
        "conversations/shop.yaml": shared.replace("  greet: menu", "  greet: menu\n  vain: menu")
    }
    found: Library = library(lay(tmp_path, SHOP, files=files))
    told = []
    for tenant in (CORNER, KIOSK):
        problems = Problems()
        found.check(tenant, problems)
        told.append([str(p) for p in problems.sorted()])
    assert told[0] == told[1]
    assert "nobody-raises" in told[0][0]
    assert looked == ["Corner"]


@pytest.mark.parametrize("then", ["", ", then: product_found", ", then: add_found"])
def test_of_the_events_an_argument_chooses_between_only_the_chosen_is_raised(then, tmp_path):
    shared = (SHOP / "conversations/shop.yaml").read_text()
    text = shared.replace("  greet: menu", "  greet: menu\n  add_found: menu", 1)
    find = f'  greet: {{do: {{catalog.find: {{text: "x"{then}}}}}, go: menu}}'
    files = {"conversations/shop.yaml": text.replace("  greet: menu", find, 1)}
    found = [
        str(p)
        for p in everything_wrong(lay(tmp_path, SHOP, files=files))
        if p.code == "nobody-raises" and "'add_found'" in str(p)
    ]
    assert bool(found) is ("add_found" not in then)


def test_a_tenant_with_a_warning_in_its_own_chart_is_told_of_its_own_file(tmp_path):
    chart = {
        "extends": "shop",
        "anywhere": {"nothing_matched": {"if": "misses < 3", "say": "sorry"}},
    }
    files = {
        f"tenants/{name}/conversations/shop.yaml": json.dumps(chart)
        for name in ("corner", "kiosk")
    }
    found = [
        p for p in everything_wrong(lay(tmp_path, SHOP, files=files)) if p.code == "no-answer"
    ]
    assert {p.span.file for p in found} == set(files)


@pytest.mark.parametrize(
    ("chart", "words"),
    [
        # Who notes a value himself may give it any parts and words.
        ({"anywhere": {"greet": {"do": {"save": {"order_type": "eat here", "quote": "x"}},
                                 "go": "menu"}}},
         {"thanks": "{% if order_type == 'eat here' %}{{ quote.anything }}{% endif %}"}),
        # What a loop names may be called as a variable is.
        ({}, {"thanks": "{% for event in cart.lines %}{{ event.total }}{% endfor %}"}),
        ({}, {"thanks": "{% for a, b in cart.lines %}{{ a.x }}{% endfor %}"}),
        # The parts of what is written in a list of its own are nobody's business.
        ({}, {"help": {"list": {"rows": {"greet": {"each": "[1, 2]", "title": "{{ item.x }}"}}}}}),
        ({}, {"thanks": "{{ cart.lines[0].name }} {{ cart.lines[-1].name }}"}),
        ({}, {"thanks": "{{ terms.choose }} {{ cart[language] }} {{ terms[language] }}"}),
        ({"anywhere": {"help": {"if": "event.page|default(1) > 1 or event.response.anything",
                                "go": "help"}}}, {}),
        ({"anywhere": {"help": {"if": "event.kind in ['voice', 'image', 'tap']", "go": "help"}}},
         {}),
    ],
)  # fmt: skip
def test_parts_that_there_are_or_may_be_are_let_be(chart, words, tmp_path):
    found = wrong(tmp_path, chart, {"messages": words})
    assert {"unknown-part", "never-holds"} & set(codes(found)) == set()


BOOK = """
flow: book
start: ASK
states:
  ASK:
    title: Book
    data:
      options: {each: tenant.receiving, item: {id: "{{ item.id }}", title: x}}
      days: [{id: today, title: Today}, {id: tomorrow, title: Tomorrow}]
    layout:
      how: {type: RadioButtonsGroup, label: How, data-source: "${data.options}"}
      day: {type: RadioButtonsGroup, label: Day, data-source: "${data.days}"}
      go: {type: Footer, label: Go, event: submit}
    when:
      submit:
        - {if: event.day == 'some day', go: DONE}
        - {if: event.how == 'delivery', do: {checkout.type: {type: delivery}}, go: DONE}
        - {if: event.how == 'pickpu', go: DONE}
        - {go: DONE}
  DONE:
    final: true
    params: {kind: "{{ order_type }}", day: "{{ now|date }}", text: fixed}
"""


def test_what_a_flow_gives_is_known_in_the_chat(tmp_path):
    branches = [
        {"if": "event.kind == 'delivery' and event.day and event.text == 'x'", "go": "help"},
        {"if": "event.kind == 'deliver' or event.response.day", "go": "help"},
        {"if": "event.argument", "go": "help"},
        {"go": "menu"},
    ]
    files = {
        "flows/book.yaml": BOOK,
        TENANT: SETTINGS,
        CHART: json.dumps({"extends": "shop", "anywhere": {"flow.book": branches}}),
    }
    found = everything_wrong(lay(tmp_path / "content", SHOP, files=files))
    assert [problem.sentence for problem in found] == [
        "'event.how' is never 'pickpu'",
        "'event.kind' is never 'deliver'",
        "'event' of 'flow.book' has no 'argument'",
    ]


def test_a_tenant_whose_flow_is_another_is_told_of_it(tmp_path):
    """The shared chart and words are looked at once for all tenants with the same Flows."""
    shared = SHOP / "conversations/shop.yaml"
    chart = shared.read_text().replace(
        "anywhere:\n", "anywhere:\n  flow.book: {if: event.day, go: menu}\n", 1
    )
    own = "extends: book\nstates: {DONE: {params: {day: null}}}"
    files = {
        "flows/book.yaml": BOOK.replace("        - {if: event.how == 'pickpu', go: DONE}\n", ""),
        "conversations/shop.yaml": chart,
        "tenants/kiosk/flows/book.yaml": own,
    }
    root = lay(tmp_path / "content", SHOP, files=files)
    held = library(root)
    told = {}
    for tenant in (CORNER, KIOSK):
        problems = Problems()
        held.check(tenant, problems)
        told[tenant] = [p.sentence for p in problems.sorted()]
    assert told == {CORNER: [], KIOSK: ["'event' of 'flow.book' has no 'day'"]}


def test_a_term_that_one_language_has_is_missing_in_the_other(tmp_path):
    words = {"messages": {"thanks": "{{ terms.choose }}{{ terms.maybe|default('') }}"}}
    assert wrong(tmp_path, words=words) == []
    own = {"terms": {"choose": None}}
    files = {WORDS: json.dumps(words), "tenants/corner/messages/shop.en.yaml": json.dumps(own)}
    found = everything_wrong(lay(tmp_path / "content", SHOP, files=files))
    assert [(str(p.span), p.sentence) for p in found] == [
        ("tenants/corner/messages/shop.en.yaml:1:2",
         "there is no term 'choose' in 'en', which tenants/corner/messages/shop.yaml:1:25 reads"),
    ]  # fmt: skip


def test_a_term_that_the_engine_reads_is_told_when_it_is_misspelt_only(tmp_path):
    assert wrong(tmp_path, words={"terms": {"choose": None}}) == []
    there = wrong(tmp_path, words={"terms": {"choose": None, "chose": "Choose"}})
    assert [str(p) for p in there] == [
        f"{WORDS}:1:28: warning: unknown-term: there is no term 'choose' in '{language}', which "
        "the engine reads; nothing reads 'chose', did you mean 'choose'?"
        for language in ("en", "es")
    ]


def test_a_flow_that_cannot_be_read_is_the_only_thing_told(tmp_path) -> None:
    content = read_settings().content()
    for part in ("conversations", "flows", "tenants"):
        shutil.copytree(content / part, tmp_path / part)
    flow = tmp_path / "flows" / "checkout.yaml"
    flow.write_text(flow.read_text("utf-8") + "\nscreens: [\n", "utf-8")

    library = Library(tmp_path, all_verbs())

    for tenant in library.tenant_ids():
        problems = Problems()
        library.check(tenant, problems)
        assert {problem.span.file for problem in problems.found} == {"flows/checkout.yaml"}
