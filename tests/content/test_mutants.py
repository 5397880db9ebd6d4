"""Mistakes planted into the shipped content are told to the author, at the line where they are.

A sample here, the same each time; all of them by `python -m tests.content.mutants`.
"""

from collections.abc import Callable

import pytest

from tests.content.conftest import ROOT
from tests.content.mutants.__main__ import main
from tests.content.mutants.checker import Checker
from tests.content.mutants.judge import Judge
from tests.content.mutants.mutant import Mutant, misspelt, words_of
from tests.content.mutants.page import Page
from tests.content.mutants.stage import parts_of
from tests.content.mutants.trial import TENANTS, Table, Trial, all_mutants, sampled

SAMPLE = 65
REPORTED, PLACED = 0.98, 0.95
CHART = "conversations/storefront.yaml"
MESSAGES = "conversations/messages/storefront"
BUDGET = 1500
"""Acts of a journey: enough for nearly everything."""


@pytest.fixture(scope="module")
def mutants() -> list[Mutant]:
    return list(all_mutants(ROOT))


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(ROOT, budget=BUDGET)


@pytest.fixture(scope="module")
def checker(tmp_path_factory) -> Checker:
    return Checker(ROOT, tmp_path_factory.mktemp("mutants"))


def edited(file: str, old: str, new: str, *, nature="choice") -> Mutant:
    text = (ROOT / file).read_text("utf-8")
    assert text.count(old) == 1, old
    line = text[: text.index(old)].count("\n") + 1
    return Mutant("edited", file, line, text.replace(old, new), f"{old} -> {new}", nature)


# The suite --------------------------------------------------------------------------------------


async def test_the_author_is_told_of_mistakes_where_they_are(mutants, judge, checker) -> None:
    trial, table = Trial(judge, checker), Table()
    for mutant in sampled(mutants, SAMPLE):
        table.add(await trial.of(mutant))

    total = table.total
    shown = "\n".join([*table.lines(), *(r.mutant.id for r in table.missed + table.misplaced)])
    assert total.harmful >= SAMPLE // 2, shown
    assert total.reported >= REPORTED * total.harmful, shown
    assert total.at_place >= PLACED * total.reported, shown


async def test_the_shipped_content_has_no_error(checker) -> None:
    for tenant in TENANTS:
        assert [str(p) for p in await checker.problems(tenant) if p.severity == "error"] == []


def test_every_operator_finds_places_and_keeps_the_lines(mutants) -> None:
    operators = {mutant.operator for mutant in mutants}
    assert len(operators) >= 40
    assert len(mutants) >= 5000
    for mutant in mutants[::50]:
        shipped = (ROOT / mutant.file).read_text("utf-8").split("\n")
        lines = mutant.text.split("\n")
        assert shipped != lines
        assert 1 <= mutant.line <= len(lines)
        if mutant.operator not in ("duplicate-key", "too-many-buttons"):
            assert len(lines) == len(shipped), mutant.id


# The command ------------------------------------------------------------------------------------


@pytest.fixture
def refused(monkeypatch, capsys, mutants) -> Callable[..., str]:
    """Call the command with what it refuses; give what it says."""
    monkeypatch.setattr("tests.content.mutants.__main__.all_mutants", lambda _: mutants)

    def call(*arguments: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        return str(capsys.readouterr().err.splitlines()[-1].partition("error: ")[2])

    return call


def test_an_unknown_operator_is_told_with_those_there_are(refused) -> None:
    near = refused("--operator", "misspelt-kye", "--sample", "3")
    far = refused("--operator", "xyzzy", "--sample", "3")

    assert near == "there is no operator 'misspelt-kye'; did you mean 'misspelt-key'?"
    assert far.startswith("there is no operator 'xyzzy'; there are assigned-guard, bad-indent")
    assert "wrong-value-in-tenant" in far


def test_where_nothing_can_be_planted_nothing_is_tried(refused) -> None:
    said = refused("--operator", "misspelt-component", "--file", "conversations/")

    assert said == "nothing to try: these operators find no place in these files"
    assert sampled([], 3) == []


# The judge --------------------------------------------------------------------------------------


CHART_HARM = {
    "an unknown message": ("say: edit_cart}", "say: edit_cat}", "there is no message"),
    "silence": ("refresh\n    say: [cart_changed, cart]", "refresh", "no answer"),
    "an unknown event": (
        "flow_unavailable: receiving",
        "flow_unavailble: receiving",
        "turn.event",
    ),
    "what follows is dead": ("{if: cart.count == 0, say: c", "{say: c", "nothing leads"),
    "an unknown state": ("  view_cart: cart\n", "  view_cart: carrt\n", "carrt"),
    "a dead tap": ("  cat: view_category", "  cats: view_category", "the tap does nothing"),
}
WORDS_HARM = {
    "a dead button": (".yaml", "      edit_cart: {if", "      edt_cart: {if", "does nothing"),
    "a button less": (".en.yaml", "      view_cart: Back to cart", "", "the title of view_cart"),
    "a filter": (".en.yaml", "unit_price|money }} each", "unit_price|many }} each", "be served"),
    "too long": (".en.yaml", "y: 🚚 Delivery", "y: 🚚 To your very own door", "not shown whole"),
    "a hole": (".es.yaml", "{{ added.quantity }}×", "{{ added.quantities }}×", "quantities"),
}
FLOW_HARM = {
    "a component": ("type: TextSubheading", "type: TextSubheadline", "TextSubheadline"),
    "a lost screen": ("          go: ADDRESS", "          go: PAYMENT", "ADDRESS"),
}


@pytest.mark.parametrize("case", CHART_HARM)
async def test_the_judge_finds_harm_in_a_chart(judge, case) -> None:
    await harms(judge, CHART, *CHART_HARM[case])


@pytest.mark.parametrize("case", WORDS_HARM)
async def test_the_judge_finds_harm_in_messages(judge, case) -> None:
    name, *edit = WORDS_HARM[case]
    await harms(judge, MESSAGES + name, *edit)


@pytest.mark.parametrize("case", FLOW_HARM)
async def test_the_judge_finds_harm_in_a_flow(judge, case) -> None:
    await harms(judge, "flows/checkout.yaml", *FLOW_HARM[case])


async def harms(judge, file: str, old: str, new: str, sentence: str) -> None:
    verdict = await judge.judge(edited(file, old, new), TENANTS[0])

    assert verdict.status == "harmful"
    assert sentence in verdict.harm.sentence


async def test_the_judge_lets_an_author_write_what_she_wants(judge) -> None:
    file = "conversations/messages/storefront.en.yaml"
    other = edited(file, "Your cart is empty now.", "Nothing in it any more.")
    comment = edited(CHART, "# Browsing", "# To browse")
    same = edited(CHART, "{if: cart.count == 0, say: c", "{if: not cart.count, say: c")

    assert (await judge.judge(other, TENANTS[0])).status == "different"
    assert (await judge.judge(comment, TENANTS[0])).status == "unseen"
    assert (await judge.judge(same, TENANTS[0])).status == "unseen"


async def test_the_journey_sees_nearly_everything(judge) -> None:
    for tenant in TENANTS:
        held = await judge.reference(tenant)
        parts = parts_of(held.shop)
        # What comes from elsewhere (an order that is moved, staff) is no act of his.
        assert len(held.journey.covered.keys() & parts) >= 0.7 * len(parts)


# The pencil -------------------------------------------------------------------------------------


TEXT = """\
states:
  menu:
    say: main_menu
    when:
      back: {if: cart.count > 0, go: menu}
      more:
        - if: a
          go: menu
        - go: help # the others
  help:
    text: |
      One
      two {{ cart.count|money }}
    back: menu
"""


def test_what_is_deleted_leaves_its_lines_empty() -> None:
    page = Page("conversations/x.yaml", TEXT)
    lines = TEXT.split("\n")

    assert page.without(page.parts["states", "menu", "say"]).split("\n") == [
        *lines[:2], "", *lines[3:],
    ]  # fmt: skip
    gone = page.without(page.parts["states", "menu", "when", "more", 0]).split("\n")
    assert gone == [*lines[:6], "", "", *lines[8:]]
    bare = page.without(page.parts["states", "menu", "when", "more", 0, "if"]).split("\n")
    assert bare[6:8] == ["", "        - go: menu"]
    block = page.without(page.parts["states", "help", "text"]).split("\n")
    assert block == [*lines[:10], "", "", "", *lines[13:]]
    inline = page.without(page.parts["states", "menu", "when", "back", "if"])
    assert "      back: {go: menu}" in inline


def test_words_are_found_where_they_stand() -> None:
    page = Page("conversations/x.yaml", TEXT)
    text = page.parts["states", "help", "text"]
    raw = page.raw(text)
    ((place, word),) = words_of(raw, "filter", is_guard=False)

    assert word == "money"
    assert page.line_of(text, place) == 13
    assert "cart.count|mnoey" in page.with_raw(text, place, word, misspelt(word))
