"""Walks: made-up customers find what fails, say where, and show it in a conversation."""

import pytest

from engine.domain.ids import TenantId
from engine.domain.order import OrderStatus
from engine.rehearsal.shorten import fails_again
from engine.rehearsal.trail import Node
from engine.rehearsal.tries import REASON
from engine.rehearsal.unseen import Seen
from engine.rehearsal.walk import Walk
from engine.spec.problems import Problems, Span
from tests.unit.actions.shop import LIBRARY, wait
from tests.unit.rehearsal.edited import CHART, EN, FORM, edited, line_of, walked


def told(walk: Walk, problems: Problems) -> None:
    seen = Seen()
    seen.add(walk)
    for is_shared in (False, True):
        seen.note(problems, is_shared=is_shared)


@pytest.fixture(scope="module")
def shipped() -> Walk:
    return walked(LIBRARY)


@pytest.mark.parametrize("tenant", ["la-tavola", "dona-lucha"])
def test_nobody_finds_anything_wrong_with_the_shipped_dialogs(tenant):
    walk = walked(LIBRARY, TenantId(tenant))
    found = [f for f in walk.findings.values() if f.is_error]
    assert [(f.code, f.where, f.sentence) for f in found] == []


def test_every_state_and_guard_of_the_shared_chart_is_seen_by_somebody():
    seen, problems = Seen(), Problems()
    for tenant in LIBRARY.tenant_ids():
        seen.add(walked(LIBRARY, tenant))
    assert seen.guards
    for is_shared in (False, True):
        seen.note(problems, is_shared=is_shared)
    assert [str(problem) for problem in problems.sorted()] == []


def test_a_shared_message_that_no_tenant_says_any_more_is_told(tmp_path):
    edit = (CHART, "  refused.unknown_order: {say: no_order}\n", "\n")
    of_one, of_both = Problems(), Problems()
    seen = Seen()
    seen.add(walked(edited(tmp_path, edit)))
    seen.note(of_one, is_shared=False)
    seen.merge(_of("dona-lucha"))
    seen.note(of_both, is_shared=True)

    assert of_one.found == set()
    # dona-lucha of the shipped files says `no_order`, and is alone in saying `cart_reminder`.
    assert of_both.found == set()
    alone = Problems()
    seen = Seen()
    seen.add(walked(LIBRARY.over(tmp_path)))
    seen.note(alone, is_shared=True)
    line = line_of(tmp_path, EN, "  no_order:")
    assert f"{EN}:{line}:3: warning: unused-message: nothing says the message 'no_order'" in [
        str(problem) for problem in alone.found
    ]


def _of(tenant: str) -> Seen:
    seen = Seen()
    seen.add(walked(LIBRARY, TenantId(tenant)))
    return seen


def test_a_walk_comes_to_every_state_and_orders(shipped):
    assert shipped.is_whole
    # Only the shop's own people come to `staff`.
    assert shipped.states == shipped.bundle.chart.states.keys() - {"staff"}
    assert any(node.scene.record.orders for node in shipped.nodes)
    assert {node.start.name for node in shipped.nodes} == {"new", "full", "regular", "late"}


NO_CUSTOMER = ("staff_wrote", "from_staff", "handed_back")
"""What no customer does, and nobody else in a walk."""


def moved(walk: Walk) -> list[str]:
    return [node.scene.act.shown for node in walk.nodes if node.tried.key[0] == "moved"]


@pytest.mark.parametrize("tenant", ["la-tavola", "dona-lucha"])
def test_the_shop_moves_an_order_to_each_status_once(tenant):
    walk = walked(LIBRARY, TenantId(tenant))
    statuses = set(OrderStatus) - {OrderStatus.PENDING}
    if not walk.bundle.tenant.delivery:
        statuses -= {OrderStatus.ON_THE_WAY}
    reasons = {OrderStatus.REJECTED: f": {REASON}"}
    assert sorted(moved(walk)) == sorted(
        f"(the shop moves the order to {status.value}{reasons.get(status, '')})"
        for status in statuses
    )
    assert {f"order_{status.value}" for status in statuses} <= walk.messages
    # The customer stays where he was.
    for node in walk.nodes:
        if node.tried.key[0] == "moved":
            assert node.scene.after.state == node.scene.before.state
            assert node.scene.before.orders
    assert len(walk.nodes) < 1.05 * len([n for n in walk.nodes if not after_a_move(n)])


def after_a_move(node: Node) -> bool:
    return any(each.tried.key[0] == "moved" for each in node.path())


def test_what_fails_when_an_order_is_moved_is_found_with_its_conversation(tmp_path):
    said = 'text: "👩‍🍳 We are preparing your order *#{{ event.order }}* now."'
    library = edited(tmp_path, (EN, said, said.replace("event.order", "event.order / 2")))
    walk = walked(library)
    (found,) = [f for f in walk.findings.values() if f.is_error]
    assert found.code == "turn-fails"
    assert found.where.startswith(EN)
    transcript = found.node.transcript()
    assert transcript == (
        "(a customer who has ordered before)",
        "(the shop moves the order to preparing)",
        "(no answer)",
    )
    assert wait(fails_again(found))


def test_a_chart_that_hears_of_no_move_is_told_of_none(tmp_path):
    lines = (LIBRARY.root / CHART).read_text().splitlines(keepends=True)
    start = lines.index("  order_moved:\n")
    end = next(n for n in range(start + 1, len(lines)) if not lines[n].startswith("    "))
    library = edited(tmp_path, (CHART, "".join(lines[start:end]), ""))
    assert moved(walked(library)) == []


def test_most_branches_are_taken(shipped):
    chart = shipped.bundle.chart
    others = [*chart.anywhere.items(), *(b for s in chart.states.values() for b in s.branches())]
    branches = {
        branch.where
        for event, taken in others
        if event not in NO_CUSTOMER
        for branch in taken
    }  # fmt: skip
    assert len(shipped.branches) / len(branches) > 0.8
    said = {m for event, taken in others if event in NO_CUSTOMER for b in taken for m in b.say}
    said |= {"staff_notice", "staff_guide", "given_back", "back_again"}
    messages = shipped.bundle.vocabulary("en").messages.keys() - said
    assert len(shipped.messages & messages) / len(messages) > 0.8


def test_a_button_with_an_id_of_nothing_is_told_where_it_is_written(tmp_path):
    offered = '      view_category:\n        id: "{{ product.category.id }}"'
    gone = offered.replace("{{ product.category.id }}", "cat:piza")
    walk = walked(edited(tmp_path, (FORM, offered, gone)))

    found = [f for f in walk.findings.values() if f.code == "dead-tap"]
    line = line_of(tmp_path, FORM, "cat:piza")
    assert [f.where for f in found] == [f"{FORM}:{line}:13"]
    assert "'catalog.category' says unknown_category" in found[0].sentence


def test_the_same_files_give_the_same_walk(shipped):
    def shown(walk: Walk) -> list[tuple[str, ...]]:
        return [tuple(node.scene.transcript()) for node in walk.nodes]

    assert shown(walked(LIBRARY)) == shown(shipped)


def test_a_walk_ends_when_it_has_taken_too_many_turns(tmp_path):
    walk = walked(LIBRARY, most=20)
    assert len(walk.nodes) == 20
    assert not walk.is_whole
    problems = Problems()
    told(walk, problems)
    assert problems.found == set()


CHOICE = """          argument: "{{ product.id }}|{{ item.id }}"
          title: "{{ item.name }}"
          description: "{{ item.price|money }}"
"""
MISTAKES = {
    "a text reads what is not there": (
        (EN, "{{ added.quantity }}× {{ added.name }}", "{{ added.quantities }}× {{ added.name }}"),
        "turn-fails", "{{ added.quantities }}",
    ),
    "a button brings a name in the place of an id": (
        (FORM, CHOICE, CHOICE.replace("|{{ item.id }}", "|{{ item.name }}")), "dead-tap", None,
    ),
    "an action gets nothing of what it needs": (
        (CHART, 'pay: {do: {checkout.payment: {method: "{{ event.argument }}"}}, go: summary}',
         'pay: {do: {checkout.payment: {method: "{{ event.argumnt }}"}}, go: summary}'),
        "dead-tap", "event.argumnt",
    ),
    "a guard that cannot be calculated": (
        (CHART, "- {if: misses >= 3, say: not_understood_again}\n    - {say: not_understood}",
         "- {if: misses >= customer, say: not_understood_again}\n    - {say: not_understood}"),
        "guard-fails", "misses >= customer",
    ),
    "nobody takes what an action says": (
        (CHART, "  products_found: {say: search_results}\n", ""),
        "unhandled-event", 'do: {catalog.find: {text: "{{ event.text }}"}}',
    ),
    "a cart with nothing to mend is not answered": (
        (CHART, "    say: native_cart\n    go: cart\n", "    say: native_cart\n"),
        "no-answer", "  native_taken:",
    ),
    "a word that is meant for the bot is not answered": (
        (CHART, "{if: event.meaning == 'browse_catalog', go: categories}",
         "{if: event.meaning == 'browse_catalog'}"),
        "no-answer", "{if: event.meaning == 'browse_catalog'}",
    ),
    "an action gets the words in the place of a number": (
        (CHART, "  thank_you: {say: you_are_welcome}\n",
         """  thank_you:
    do: {cart.add: {product: "prod:coke", quantity: "{{ event.text }}"}}
    go: cart
"""),
        "bad-argument", "quantity: \"{{ event.text }}\"",
    ),
    "a button that is only there when it does nothing": (
        (FORM, "edit_cart: {if: cart.count > 0}", "edit_cart: {if: cart.count == 0}"),
        "dead-tap", None,
    ),
    "a tap that says nothing": (
        (CHART, "    say: categories\n    back: menu", "    back: menu"), "dead-tap", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_with_its_place_and_a_conversation(mistake, tmp_path):
    edit, code, text = MISTAKES[mistake]
    walk = walked(edited(tmp_path, edit))
    found = [f for f in walk.findings.values() if f.code == code]
    assert found, [(f.code, f.where, f.sentence) for f in walk.findings.values()]
    if text:
        lines = [Span.of(f.where).line for f in found if Span.of(f.where).file == edit[0]]
        assert line_of(tmp_path, edit[0], text) in lines
    for finding in found:
        assert wait(fails_again(finding))
        assert len(finding.node.transcript()) > 1


def test_a_conversation_is_no_longer_than_it_must_be(tmp_path):
    edit = (EN, "{{ removed }}* is out", "{{ removed.name.first }}* is out")
    walk = walked(edited(tmp_path, edit))
    (finding,) = (f for f in walk.findings.values() if f.is_error)
    assert finding.code == "turn-fails"
    assert len(finding.node.path()) <= 4
    problems = Problems()
    finding.note(problems)
    (problem,) = problems.sorted()
    assert problem.severity == "error"
    assert problem.transcript[0].startswith(("customer", "(a customer"))
    assert problem.transcript[-1] == (
        "bot: Sorry, something went wrong on our side. Nothing was changed; please try again."
    )


def test_what_fails_only_without_flows_or_when_sold_out_is_found_too(tmp_path):
    edit = (
        EN,
        "Sorry, we are out of {{ event.product }}",
        "Sorry, we are out of {{ event.product.name }}",
    )
    walk = walked(edited(tmp_path, edit))
    assert {f.code for f in walk.findings.values() if f.is_error} == {"turn-fails"}
