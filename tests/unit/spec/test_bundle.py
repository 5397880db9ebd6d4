"""Bundles: what tenants share, what they change, and that one's mistakes are not another's."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from engine.charts.compiler import Structures
from engine.domain.ids import TenantId
from engine.spec.problems import Problems, SpecError
from engine.spec.source import parse
from tests.unit.spec.content import CORNER, KIOSK, SHIPPED, SHOP, everything_wrong, lay, library

CHART = "tenants/corner/conversations/shop.yaml"
ENGLISH = "tenants/corner/messages/shop.en.yaml"
NEUTRAL = "tenants/corner/messages/shop.yaml"


def warnings(shop) -> list[str]:
    problems = Problems()
    shop.check(CORNER, problems)
    return [str(problem) for problem in problems.sorted() if problem.severity == "warning"]


@pytest.fixture
def content(tmp_path):
    """Give a function that makes a library of the small shop with files laid over it."""

    def make(**files: str):
        named = {globals().get(name, name): text for name, text in files.items()}
        return library(lay(tmp_path / "content", SHOP, files=named))

    return make


def test_the_shipped_content_has_no_problem():
    assert [str(problem) for problem in everything_wrong(SHIPPED)] == []


def test_the_shipped_tenants_are_found_in_order():
    tenants = library(SHIPPED).tenant_ids()
    assert {"dona-lucha", "la-tavola"} <= set(tenants)
    assert tenants == sorted(tenants)


def test_tenants_that_change_nothing_share_everything(content):
    shop = content()
    corner, kiosk = shop.load(CORNER), shop.load(KIOSK)
    assert corner.chart is kiosk.chart
    assert corner.vocabularies["en"] is kiosk.vocabularies["en"]
    assert corner.vocabularies["es"] is kiosk.vocabularies["es"]


def test_a_tenant_that_changes_texts_shares_all_the_rest(content):
    shop = content(ENGLISH="messages:\n  main_menu: {text: 'Hi!', buttons: {help: Help me}}\n")
    corner, kiosk = shop.load(CORNER), shop.load(KIOSK)
    assert corner.chart is kiosk.chart
    structures = Structures()
    assert structures.of(corner.chart) is structures.of(kiosk.chart)
    ours, theirs = corner.vocabularies["en"], kiosk.vocabularies["en"]
    changed = {m for m in theirs.messages if ours.messages[m] is not theirs.messages[m]}
    assert changed == {"main_menu"}
    assert ours.intents is theirs.intents
    assert ours.terms is theirs.terms
    assert corner.vocabularies["es"] is kiosk.vocabularies["es"]
    assert ours.messages["main_menu"].text is not None
    assert ours.messages["main_menu"].text.literal == "Hi!"
    # The form of the message and the other button are still the shared ones.
    assert [(b.event, b.title.literal) for b in ours.messages["main_menu"].buttons] == [
        ("checkout", "Check out"),
        ("help", "Help me"),
    ]


def test_a_tenant_that_changes_a_guard_has_its_own_chart_and_the_shared_structure(content):
    guard = "extends: shop\nstates: {menu: {when: {checkout: {if: cart.count > 3}}}}\n"
    shop = content(CHART=guard)
    corner, kiosk = shop.load(CORNER), shop.load(KIOSK)
    assert corner.chart is not kiosk.chart
    structures = Structures()
    assert structures.of(corner.chart) is structures.of(kiosk.chart)
    (branch,) = corner.chart.states["menu"].when["checkout"]
    assert (branch.condition and branch.condition.source, branch.go) == (
        "cart.count > 3",
        "checkout",
    )


def test_a_tenant_that_adds_a_state_has_its_own_structure(content):
    more = (
        "extends: shop\n"
        "states: {menu: {when: {offers: offers}}, offers: {say: thanks, back: menu}}\n"
    )
    shop = content(CHART=more)
    corner, kiosk = shop.load(CORNER), shop.load(KIOSK)
    assert set(corner.chart.states) - set(kiosk.chart.states) == {"offers"}
    structures = Structures()
    assert structures.of(corner.chart) is not structures.of(kiosk.chart)


def test_a_tenants_own_language_wins_over_its_texts_for_all(content):
    shop = content(
        NEUTRAL="messages: {added: For all., thanks: For all.}\n",
        ENGLISH="messages: {added: In English.}\n",
    )
    words = shop.load(CORNER).vocabularies
    literal = {
        name: {m: w.messages[m].text.literal for m in ("added", "thanks", "sorry")}
        for name, w in words.items()
    }
    assert literal == {
        "en": {"added": "In English.", "thanks": "For all.", "sorry": "Sorry."},
        "es": {"added": "For all.", "thanks": "For all.", "sorry": "Lo siento."},
    }


def test_a_tenant_may_speak_a_language_of_its_own(content, tmp_path):
    """Only the form of the messages is shared then: which buttons, when, with which ids."""
    english = (SHOP / "conversations/messages/shop.en.yaml").read_text()
    content(**{"tenants/corner/messages/shop.fr.yaml": english.replace("Welcome", "Bienvenue")})
    tenant = tmp_path / "content/tenants/corner/tenant.yaml"
    tenant.write_text(tenant.read_text().replace("[en, es]", "[fr, en]"))
    words = library(tmp_path / "content").load(CORNER).vocabularies
    assert list(words) == ["fr", "en"]
    french, shared = words["fr"].messages, words["en"].messages
    assert french["main_menu"].text != shared["main_menu"].text
    for message in ("main_menu", "product", "help"):
        entries = [
            [
                (e.event, e.condition and e.condition.source)
                for e in words.messages[message].entries()
            ]
            for words in words.values()
        ]
        assert entries[0] == entries[1]
        assert french[message].kind == shared[message].kind
    assert words["fr"].intents.exact("hello") is not None


def test_phrases_of_an_event_are_one_value(content):
    shop = content(ENGLISH="intents:\n  greet: [ahoy]\n")
    ours = shop.load(CORNER).vocabularies["en"].intents
    theirs = shop.load(KIOSK).vocabularies["en"].intents
    assert ours.exact("hello") is None
    assert (theirs.exact("hello") and theirs.exact("hello").event) == "greet"
    assert (ours.exact("ahoy") and ours.exact("ahoy").event) == "greet"
    assert (ours.exact("help") and ours.exact("help").event) == "help"


def test_a_message_that_nobody_says_may_be_deleted(content):
    shop = content(
        CHART="extends: shop\nstates: {product: {when: {add: {say: thanks}}}}\n",
        ENGLISH="messages: {added: null}\n",
    )
    assert "added" not in shop.load(CORNER).vocabularies["en"].messages


def test_null_deletes_any_part(content):
    shop = content(
        CHART="extends: shop\n"
        "states:\n"
        "  menu: {when: null}\n"
        "  product: {back: null, say: null, after: null, when: {add: {say: null, go: menu}}}\n"
        "  checkout: {when: {text: checkout}}\n"
        "anywhere: {checkout: checkout}\n",
        ENGLISH="messages:\n"
        "  main_menu: {buttons: null}\n"
        "  product: {image: null, buttons: {add: {if: null}}}\n"
        "  help: {list: {rows: null, sections: {one: {rows: {greet: Menu}}}}}\n",
    )
    corner = shop.load(CORNER)
    product, words = corner.chart.states["product"], corner.vocabularies["en"].messages
    assert (product.say, dict(product.after), list(product.when)) == ((), {}, ["add"])
    assert (product.when["add"][0].say, product.when["add"][0].go) == ((), "menu")
    assert words["main_menu"].kind == "text"
    assert words["product"].image is None
    assert [entry.event for entry in words["help"].entries()] == ["greet"]
    told = [warning for warning in warnings(shop) if "overrides-nothing" in warning]
    assert told == [f"{ENGLISH}:3:42: warning: overrides-nothing: there is no 'if' here to delete"]


def test_an_unknown_language_is_answered_in_the_first_one(content):
    corner = content().load(CORNER)
    assert corner.vocabulary("es").language == "es"
    assert corner.vocabulary("fr").language == "en"


def test_a_digest_names_the_content(content, tmp_path):
    first = content().load(CORNER).digest
    assert library(tmp_path / "content").load(CORNER).digest == first
    assert content(ENGLISH="messages: {added: Other.}").load(CORNER).digest != first
    tenant = (tmp_path / "content/tenants/kiosk/tenant.yaml").read_text()
    (tmp_path / "content/tenants/kiosk/tenant.yaml").write_text(tenant + "phone: '1'\n")
    shop = library(tmp_path / "content")
    assert shop.load(KIOSK).digest != first


def test_doubts_are_told_and_keep_nobody_from_being_served(content):
    shop = content(CHART="extends: shop\nstates: {cellar: null}\n")
    assert shop.load(CORNER)
    assert warnings(shop) == [
        f"{CHART}:2:10: warning: overrides-nothing: there is no 'cellar' here to delete"
    ]


# Mistakes stay with whom they are of ----------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (CHART, "states: {menu: {when: {greet: nowhere}}}\n"),
        (CHART, "states: {menu: {when: {greet: {if: 'a +', say: thanks}}}}\n"),
        (CHART, "states: [\n"),
        (ENGLISH, "messages: {added: '{{ nothing }}'}\n"),
        (ENGLISH, "messages: {added: 3}\n"),
        ("tenants/corner/tenant.yaml", "name: Corner\n"),
    ],
)
def test_a_broken_tenant_is_refused_every_time_and_no_other(tmp_path, file, text):
    shop = library(lay(tmp_path / "content", SHOP, files={file: text}))
    for _ in range(2):
        with pytest.raises(SpecError) as refused:
            shop.load(CORNER)
        assert {problem.span.file for problem in refused.value.problems} == {file}
        assert shop.load(KIOSK).vocabularies["en"].messages
    healthy = library(lay(tmp_path / "healthy", SHOP)).load(KIOSK)
    assert shop.load(KIOSK).digest == healthy.digest


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("conversations/shop.yaml", "cart.count > 0", "cart.count >"),
        ("conversations/shop.yaml", "go: checkout", "go: chekout"),
        ("conversations/shop.yaml", "start: menu", "start: [menu]"),
        ("conversations/messages/shop.en.yaml", "tenant.name", "tennant.name"),
        ("conversations/messages/shop.en.yaml", "|plural", "|plurals"),
        ("conversations/messages/shop.en.yaml", "added: Added.", "added: 3"),
    ],
)
def test_a_mistake_in_the_shared_files_refuses_every_tenant_every_time(
    tmp_path, file, before, after
):
    text = (SHOP / file).read_text()
    assert before in text
    root = lay(tmp_path / "content", SHOP, files={file: text.replace(before, after)})
    shop = library(root)
    for tenant in (CORNER, KIOSK, CORNER):
        with pytest.raises(SpecError) as refused:
            shop.load(tenant)
        assert file in {problem.span.file for problem in refused.value.problems}


def test_mistakes_of_all_files_are_told_at_once(tmp_path):
    files = {
        "conversations/messages/shop.es.yaml": "messages: {added: 3}\n",
        CHART: "states: {menu: {when: {greet: nowhere}}}\n",
        ENGLISH: "messages: {added: '{{ nothing }}'}\n",
    }
    shop = library(lay(tmp_path / "content", SHOP, files=files))
    with pytest.raises(SpecError) as refused:
        shop.load(CORNER)
    assert {problem.span.file for problem in refused.value.problems} == set(files)


def test_an_unusable_chart_is_told_with_the_mistakes_of_the_other_files(tmp_path):
    files = {
        "conversations/shop.yaml": "chart: [shop\n",
        "conversations/messages/shop.es.yaml": "messages: {added: 3}\n",
        ENGLISH: "messages: {added: 3}\n",
    }
    shop = library(lay(tmp_path / "content", SHOP, files=files))
    with pytest.raises(SpecError) as refused:
        shop.load(CORNER)
    assert {problem.span.file for problem in refused.value.problems} == set(files)


def test_a_tenant_that_does_not_exist_is_refused(content):
    with pytest.raises(SpecError, match=r"tenants/nobody/tenant.yaml:1:1: missing-file"):
        content().load(TenantId("nobody"))


def test_a_menu_is_read_or_refused(content, tmp_path):
    shop, problems = content(), Problems()
    menu = shop.menu(CORNER, problems)
    assert menu is not None
    assert list(menu.products) == ["prod:roll"]
    assert shop.menu(KIOSK, problems) is None
    assert [str(p) for p in problems.errors] == [
        "tenants/kiosk/catalog.yaml:1:1: missing-file: the file does not exist"
    ]


# Whatever an author writes ----------------------------------------------------------------------

leaves: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", "menu", "resume", "{{ event.text }}", "{{", "{% if a %}", "a b",
     "x" * 70, "cart.clear", "cart.count > 0", "is_open()", "30m", "nöpe", [], {}, [{}], [None],
     {"go": "menu"}, {"if": "cart.count"}, {"do": "cart.clear"}, {"": ""}, {"replace": True}]
)  # fmt: skip
words = st.sampled_from(
    ["menu", "resume", "say", "when", "do", "go", "if", "after", "30m", "back", "start", "states",
     "finished", "final", "aside", "replace", "text", "buttons", "list", "rows", "sections",
     "more", "each", "title", "help", "greet", "checkout", "flow", "catalog", "products", "image",
     "messages", "intents", "terms", "anywhere", "renamed", "prefixes", "careful", "", "Ä", "1"]
)  # fmt: skip


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(data, dict):
        for key, part in data.items():
            found += places(part, (*path, key))
    elif isinstance(data, list):
        for index, part in enumerate(data):
            found += places(part, (*path, index))
    return found


@st.composite
def mutated(draw: st.DrawFn, document: Any) -> Any:
    """Change a few parts of a document at random: set, add, delete."""
    data = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(data)))
        holder: Any = data
        for key in path[:-1]:
            holder = holder[key]
        kind = draw(st.sampled_from(["set", "add", "delete"]))
        target = holder[path[-1]] if path else data
        if kind == "add" and isinstance(target, dict):
            target[draw(words)] = copy.deepcopy(draw(leaves))
        elif path and kind == "delete":
            del holder[path[-1]]
        elif path:
            holder[path[-1]] = copy.deepcopy(draw(leaves))
    return data


def read(name: str) -> Any:
    source = parse((SHOP / name).read_text(), name, Problems())
    assert source is not None
    return source.data


DOCUMENTS = {
    name: read(name)
    for name in (
        "conversations/shop.yaml",
        "conversations/messages/shop.yaml",
        "conversations/messages/shop.en.yaml",
    )
}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    return lay(tmp_path_factory.mktemp("scratch") / "content", SHOP)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.sampled_from(sorted(DOCUMENTS)), data=st.data())
def test_whatever_is_written_is_refused_with_places_or_can_be_used(scratch, name, data):
    original = (SHOP / name).read_text()
    document = data.draw(mutated(DOCUMENTS[name]))
    try:
        (scratch / name).write_text(json.dumps(document))
        shop, problems = library(scratch), Problems()
        bundle = shop.check(CORNER, problems)
        note(str(problems.sorted()))
        if not problems.errors:
            assert bundle is not None
            Structures().of(bundle.chart)
    finally:
        (scratch / name).write_text(original)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.sampled_from(sorted(DOCUMENTS)), data=st.data())
def test_whatever_a_tenant_lays_over_is_refused_or_can_be_used(scratch, shared, name, data):
    document = data.draw(mutated(DOCUMENTS[name]))
    file = scratch / "tenants/corner" / name.replace("conversations/messages", "messages")
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.write_text(json.dumps(document))
        problems = Problems()
        bundle = shared.check(CORNER, problems)
        note(str(problems.sorted()))
        if not problems.errors:
            assert bundle is not None
            Structures().of(bundle.chart)
    finally:
        file.unlink()


@pytest.fixture(scope="module")
def shared(scratch):
    return library(scratch)
