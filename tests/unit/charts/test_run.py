"""One turn: what is said, noted and decided, and that a refusal or a failure leaves nothing."""

import asyncio
from unittest.mock import ANY

import pytest
from structlog.testing import capture_logs

from engine.charts.inbound import RAISED, Candidates, flow_end
from engine.charts.run import TurnResult
from engine.charts.steps import MAX_STEPS
from engine.domain.cart import Cart
from engine.domain.refusals import Reason, Refusal
from engine.errors import Conflict, Unavailable
from engine.registry import Registry
from engine.spec.bundle import Bundle
from engine.turn import Event, Turn
from engine.whatsapp.outbound import TemplateMessage
from tests.unit.charts.builders import bundle, event, run, said, text, turn, verbs


def chart(
    states: str, anywhere: str = "", messages: str = "", *, registry: Registry = verbs
) -> Bundle:
    source = f"chart: c\nstart: a\nanywhere: {{{anywhere}}}\nstates: {{{states}}}\n"
    return bundle(source, messages, registry=registry)


def words(**texts: str) -> str:
    """Write the texts of messages, the same in both languages."""
    inner = ", ".join(f"{name}: '{body}'" for name, body in texts.items())
    return f"en: {{messages: {{{inner}}}}}\nes: {{messages: {{{inner}}}}}\n"


# Saying and noting ------------------------------------------------------------------------------


async def test_a_first_message_that_means_nothing_begins_the_chart():
    shop = chart("a: {say: hello, do: {save: {begun: true}}}", "nothing_matched: {say: pardon}")
    result = await run(shop, turn(shop), text("bonjour"))
    assert said(result) == ["hello"]
    assert (result.source, result.target) == (None, "a")
    assert result.turn.variables == {"begun": True}
    assert result.turn.conversation.misses == 0


async def test_a_first_message_that_means_something_does_that():
    shop = chart("a: {say: hello}, b: {say: there}", "go: b")
    result = await run(shop, turn(shop), event("go"))
    assert (said(result), result.target, result.event) == (["there"], "b", "go")


async def test_a_turn_goes_from_the_branch_to_the_states_it_enters():
    shop = chart(
        "a: {when: {go: {do: {save: {n: 1}}, say: leaving, go: inner}}},"
        "outer: {start: inner, do: {save: {n: '{{ n + 1 }}'}}, say: outside,"
        "  states: {inner: {do: {save: {n: '{{ n + 1 }}'}}, say: [inside, deeper]}}}",
        messages=words(leaving="leaving {{ n }}", outside="outside {{ n }}",
                       inside="inside {{ n }}", deeper="deeper {{ state }}"),
    )  # fmt: skip
    result = await run(shop, turn(shop, "a"), event("go"))
    assert said(result) == ["leaving 1", "outside 2", "inside 3", "deeper inner"]
    # A tap on a message is resolved by the state that said it.
    assert [part.state for part in result.said] == ["a", "outer", "inner", "inner"]
    assert result.turn.conversation.position is not None
    assert result.turn.conversation.position.path == ("outer", "inner")
    assert result.turn.conversation.entry == 2


async def test_staying_says_no_more_than_the_branch():
    shop = chart("a: {say: hello, when: {hours: {say: open}}}")
    result = await run(shop, turn(shop, "a"), event("hours"))
    assert (said(result), result.target) == (["open"], "a")
    assert result.turn.conversation.entry == 0


async def test_texts_read_the_event_the_customer_and_what_was_noted():
    shop = chart(
        "a: {when: {x: {do: [{save: {size: large}}, {load: {value: bread}}], say: it}}}",
        messages=words(it="{{ event.name }} {{ event.id }} {{ event.number }} "
                          "{{ customer.name }} {{ size }} {{ loaded }} {{ tenant.name }} "
                          "{{ cart.count }} {{ language }} {{ misses }} {{ is_new }}"),
    )  # fmt: skip
    result = await run(shop, turn(shop, "a", misses=2), event("x", id="x:1"))
    assert said(result) == ["x x:1 None Ana large bread Shop 0 en 2 False"]
    assert result.turn.variables == {"size": "large"}


async def test_what_is_noted_is_there_in_the_next_turn_and_what_is_loaded_is_not():
    shop = chart(
        "a: {when: {x: {do: [{save: {size: large}}, {load: {value: bread}}]},"
        "  y: [{if: loaded, say: loaded}, {if: size == 'large', say: noted}]}}"
    )
    first = await run(shop, turn(shop, "a"), event("x"))
    assert first.turn.variables == {"size": "large"}
    second = await run(shop, turn(shop, "a", variables=first.turn.variables), event("y"))
    assert said(second) == ["noted"]


async def test_a_change_of_the_cart_is_told_and_shown():
    shop = chart("a: {when: {buy: {do: {buy: {quantity: 3}}, say: it}, look: {say: it}}}",
                 messages=words(it="{{ cart.count }} for {{ cart.subtotal|money }}"))  # fmt: skip
    bought = await run(shop, turn(shop, "a"), event("buy"))
    assert said(bought) == ["3 for $3.60"]
    assert bought.cart is not None
    assert bought.cart.count == 3
    looked = await run(shop, turn(shop, "a"), event("look"))
    assert looked.cart is None


async def test_arguments_are_calculated_when_they_are_needed():
    shop = chart(
        "a: {when: {x: {do: [{save: {n: 1}}, {save: {n: '{{ n + 1 }}', m: '{{ n }}!'}}]}}}"
    )
    result = await run(shop, turn(shop, "a"), event("x"))
    assert result.turn.variables == {"n": 2, "m": "1!"}


async def test_an_inner_states_reaction_comes_before_the_outer_ones():
    shop = chart(
        "a: {start: b, when: {x: {say: outer}, y: {say: outer}},"
        "  states: {b: {when: {x: {say: inner}}}}}",
        "x: {say: anywhere}, y: {say: anywhere}, z: {say: anywhere}",
    )
    for name, expected in (("x", "inner"), ("y", "outer"), ("z", "anywhere")):
        assert said(await run(shop, turn(shop, "b"), event(name))) == [expected]


# Choosing an event ------------------------------------------------------------------------------


CHOICES = chart(
    "a: {when: {text: {say: any_text}}}, b: {}, c: {when: {vague: {say: vague_here}}}",
    "sure: {say: sure}, vague: {say: vague}, text: {say: some_text}, go_b: b, go_c: c",
)


@pytest.mark.parametrize(
    ("state", "sure", "vague", "expected"),
    [
        ("b", ["sure"], ["vague"], "sure"),
        ("b", ["unknown", "sure"], [], "sure"),
        ("a", ["sure"], [], "sure"),  # a command is a command in every state
        ("a", [], ["vague"], "any_text"),  # but a guess is none where a state wants any text
        ("b", [], ["vague"], "vague"),
        ("c", [], ["vague"], "vague_here"),
        ("b", [], [], "some_text"),
        ("b", ["unknown"], ["unknown"], "some_text"),
    ],
)
async def test_the_first_event_that_somebody_reacts_to_is_taken(state, sure, vague, expected):
    meant = Candidates("text", tuple(map(Event, sure)), tuple(map(Event, vague)))
    assert said(await run(CHOICES, turn(CHOICES, state), meant)) == [expected]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({"number": 7}, "lucky"), ({"number": 1}, "unlucky"), ({}, "unlucky")],
)
async def test_the_first_branch_whose_guard_holds_is_taken(variables, expected):
    shop = chart(
        "a: {do: {save: {number: 0}}, when: {x: [{if: lucky(), say: lucky}, {say: unlucky}]}}"
    )
    assert said(await run(shop, turn(shop, "a", variables=variables), event("x"))) == [expected]


async def test_a_guard_that_cannot_be_calculated_does_not_hold():
    shop = chart("a: {when: {x: [{if: event.number > 3, say: many}, {say: few}]}}")
    with capture_logs() as logs:
        assert said(await run(shop, turn(shop, "a"), event("x"))) == ["few"]
    assert [entry["event"] for entry in logs] == ["turn.guard_failed"]
    assert "chart.yaml:4" in logs[0]["at"]


async def test_a_guard_of_a_wrong_argument_does_not_hold():
    shop = chart("a: {when: {x: [{if: lucky(number='seven'), say: lucky}, {say: unlucky}]}}")
    assert said(await run(shop, turn(shop, "a"), event("x"))) == ["unlucky"]


# Nothing matched --------------------------------------------------------------------------------


MISSING = chart(
    "a: {say: hello, when: {x: {if: lucky(), say: x}, fine: {say: fine}}}",
    "nothing_matched: [{if: misses >= 3, say: again}, {say: pardon}], old_tap: {say: old}",
    words(again="again {{ misses }} {{ event.kind }}",
          pardon="pardon {{ misses }} {{ event.text }}",
          old="old {{ event.kind }} {{ event.title }}"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("misses", "expected"),
    [(0, "pardon 1 hm"), (1, "pardon 2 hm"), (2, "again 3 text"), (7, "again 8 text")],
)
async def test_what_means_nothing_is_counted(misses, expected):
    result = await run(MISSING, turn(MISSING, "a", misses=misses), text("hm"))
    assert (said(result), result.turn.conversation.misses) == ([expected], misses + 1)
    assert (result.event, result.target) == ("nothing_matched", "a")


async def test_a_guarded_event_that_nobody_takes_is_nothing():
    result = await run(MISSING, turn(MISSING, "a"), Candidates("text", (Event("x"),)))
    assert said(result) == ["pardon 1 None"]


async def test_a_tap_that_means_nothing_is_an_old_one():
    result = await run(MISSING, turn(MISSING, "a"), event("gone", title="Buy"))
    assert (said(result), result.turn.conversation.misses) == (["old tap Buy"], 1)


async def test_without_a_word_on_old_taps_a_tap_is_as_any_other_message():
    shop = chart("a: {}", "nothing_matched: {say: pardon}")
    assert said(await run(shop, turn(shop, "a"), event("gone"))) == ["pardon"]


async def test_a_chart_may_have_no_word_for_it():
    shop = chart("a: {}")
    result = await run(shop, turn(shop, "a"), text("hm"))
    assert (said(result), result.turn.conversation.misses, result.failure) == ([], 1, None)


async def test_what_means_something_ends_the_count():
    result = await run(MISSING, turn(MISSING, "a", misses=2), event("fine"))
    assert (said(result), result.turn.conversation.misses) == (["fine"], 0)


# Refusals ---------------------------------------------------------------------------------------

REFUSING = chart(
    "a: {say: hello, when: {"
    "  x: {do: [{save: {n: 1}}, buy, {speak: {language: es}}, {raise: {event: first}},"
    "       {refuse: {reason: sold_out}}, {save: {n: 2}}], say: never, go: b},"
    "  y: {do: [{save: {n: 1}}, buy], say: never, go: b},"
    "  z: {do: {refuse: {reason: closed}}},"
    "  w: {do: {refuse: {reason: no_draft}}},"
    "  text: {do: {refuse: {reason: closed}}},"
    "  refused.closed: {say: shut}}},"
    "b: {do: [{save: {m: 1}}, {refuse: {reason: sold_out}}], say: never, after: {30m: a}},"
    "c: {}",
    "first: {say: never}, never: c,"
    "refused.sold_out: [{if: n or m, say: leak}, {say: gone, go: c}],"
    "refused: {say: no}",
    words(gone="{{ event.product }} is gone: {{ event.reason }} {{ event.id }} {{ cart.count }}",
          no="no: {{ event.reason }}"),
)  # fmt: skip


@pytest.mark.parametrize("name", ["x", "y"])
async def test_a_refusal_takes_back_all_that_its_step_decided(name):
    """`x` refuses in the branch, `y` only when the next state is entered."""
    before = turn(REFUSING, "a", variables={"kept": 1})
    result = await run(REFUSING, before, event(name, id="tap:1"))
    assert said(result) == ["Bread is gone: sold_out tap:1 0"]
    after = result.turn
    assert after.variables == {"kept": 1}
    assert after.cart.count == 0
    assert result.cart is None
    assert after.stock_taken == []
    assert after.orders_placed == []
    assert after.sync_products == []
    assert result.timers == []
    assert after.conversation.language == "en"
    assert after.conversation.entry == 1  # the state that the refusal led to, and no other
    assert result.target == "c"
    assert result.failure is None


async def test_a_refusal_is_first_the_states_own_then_the_charts_then_any():
    shut = await run(REFUSING, turn(REFUSING, "a"), event("z"))
    assert (said(shut), shut.target) == (["shut"], "a")
    other = await run(REFUSING, turn(REFUSING, "a"), event("w"))
    assert (said(other), other.target) == (["no: no_draft"], "a")


async def test_a_refusal_without_a_word_for_it_changes_nothing():
    shop = chart("a: {when: {x: {do: [{save: {n: 1}}, refuse], say: never}}}")
    with capture_logs() as logs:
        result = await run(shop, turn(shop, "a"), event("x"))
    assert (said(result), result.turn.variables, result.target) == ([], {}, "a")
    assert [(entry["event"], entry["raised"]) for entry in logs] == [
        ("turn.event_unhandled", "refused")
    ]


async def test_a_refused_text_counts_as_a_miss_and_a_refused_tap_does_not():
    typed = await run(REFUSING, turn(REFUSING, "a", misses=1), text("hm"))
    assert (said(typed), typed.turn.conversation.misses) == (["shut"], 2)
    tapped = await run(REFUSING, turn(REFUSING, "a", misses=1), event("z"))
    assert tapped.turn.conversation.misses == 0


async def test_what_an_earlier_step_of_the_turn_decided_stays():
    shop = chart(
        "a: {when: {x: {do: [{save: {n: 1}}, buy, {raise: {event: second}}], say: one}}}",
        "second: {do: [{save: {n: 2}}, refuse], say: never}, refused: {say: no}",
    )
    result = await run(shop, turn(shop, "a"), event("x"))
    assert said(result) == ["one", "no"]
    assert result.turn.variables == {"n": 1}
    assert result.turn.cart.count == 1
    assert result.turn.stock_taken == [("prod:bread", 1)]


async def test_words_that_are_no_argument_are_refused_as_invalid():
    shop = chart("a: {when: {x: {do: {buy: {quantity: '{{ event.text }}'}}, say: never}}}",
                 "refused.invalid: {say: odd}")  # fmt: skip
    with capture_logs() as logs:
        result = await run(shop, turn(shop, "a"), event("x", text="my secret words"))
    assert (said(result), result.turn.cart.count) == (["odd"], 0)
    assert [entry["event"] for entry in logs] == ["turn.argument_refused"]
    assert "secret" not in str(logs)
    assert said(await run(shop, turn(shop, "a"), event("x", text="3"))) == ["never"]


# Raised events ----------------------------------------------------------------------------------


async def test_raised_events_come_after_the_step_in_their_order():
    shop = chart(
        "a: {when: {x: {do: [{raise: {event: first}}, {raise: {event: second}}], say: x, go: b}}},"
        "b: {say: b, when: {"
        "  first: {do: {raise: {event: again}}, say: first}, again: {say: again}}}",
        "second: {say: second}",
    )
    result = await run(shop, turn(shop, "a"), event("x"))
    assert said(result) == ["x", "b", "first", "second", "again"]
    assert (result.event, result.target) == ("x", "b")


async def test_a_raised_event_knows_what_the_customer_did():
    shop = chart(
        "a: {when: {x: {do: {raise: {event: first, text: new}}}}}",
        "first: {say: it}",
        words(it="{{ event.name }} {{ event.id }} {{ event.text }}"),
    )
    result = await run(shop, turn(shop, "a"), event("x", id="tap:1", text="old"))
    assert said(result) == ["first tap:1 new"]


async def test_a_raised_event_that_nobody_wants_is_noted_in_the_log():
    shop = chart("a: {when: {x: {do: {raise: {event: first}}, say: x}}}")
    with capture_logs() as logs:
        result = await run(shop, turn(shop, "a"), event("x"))
    assert said(result) == ["x"]
    assert [entry["event"] for entry in logs] == ["turn.event_unhandled"]


# Failures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "why"),
    [
        ("a: {when: {x: {do: [{save: {n: 1}}, buy, fail, {save: {n: 2}}], say: hm, go: b}}},"
         "b: {}",
         "the oven is on fire"),
        ("a: {when: {x: {say: hm, go: b}}}, b: {do: [buy, fail], say: hm, after: {1h: a}}",
         "the oven is on fire"),
        ("a: {when: {x: {say: [hm, broken], go: b}}}, b: {}", "has no attribute 'nothing'"),
        ("a: {when: {x: {do: {raise: {event: x}}, say: hm}}}", f"more than {MAX_STEPS} steps"),
        ("a: {when: {x: {do: {save: {n: '{{ 1 / 0 }}'}}, say: hm}}}", "division by zero"),
    ],
)  # fmt: skip
async def test_a_failure_leaves_nothing_but_the_problem_message(states, why):
    shop = chart(states, "problem: {say: sorry}", words(broken="{{ event.nothing }}"))
    with capture_logs():
        result = await run(shop, turn(shop, "a"), event("x"))
    assert said(result) == ["sorry"]
    assert why in (result.failure or "")
    assert result.target == "a"
    assert result.cart is None


async def test_after_a_failure_no_more_is_done():
    shop = chart(
        "a: {when: {x: {do: [{raise: {event: first}}, fail, {save: {after: 1}}], go: b}}},"
        "b: {do: {save: {entered: 1}}}",
        "first: {do: {save: {raised: 1}}}",
    )
    result = await run(shop, turn(shop, "a"), event("x"))
    assert result.failure == "the oven is on fire"
    assert result.turn.variables == {}
    assert said(result) == []


async def test_a_failing_branch_does_not_let_the_next_one_try():
    shop = chart(
        "a: {when: {x: [{if: 'not misses', do: fail}, {say: second}]}}", "problem: {say: sorry}"
    )
    assert said(await run(shop, turn(shop, "a"), event("x"))) == ["sorry"]


async def test_a_chart_in_circles_is_a_failure():
    shop = chart(
        "a: {when: {x: b}},"
        "b: {start: c, states: {c: {when: {y: d}}, d: {final: true}}, finished: a}",
        "problem: {say: sorry}",
    )
    # The check would refuse it; this is what happens if it ever does not.
    looping = shop.chart.states["b"]
    object.__setattr__(looping, "start", "d")
    object.__setattr__(looping, "finished", "b")
    result = await run(shop, turn(shop, "a"), event("x"))
    assert said(result) == ["sorry"]
    assert "never comes to rest" in (result.failure or "")


async def test_a_problem_that_cannot_be_said_either_is_no_exception():
    shop = chart(
        "a: {when: {x: {do: fail}}}", "problem: {say: sorry}", words(sorry="{{ event.nothing }}")
    )
    with capture_logs() as logs:
        result = await run(shop, turn(shop, "a"), event("x"))
    assert (said(result), result.failure) == ([], "the oven is on fire")
    assert [entry["event"] for entry in logs] == ["turn.problem_unsayable"]


@pytest.mark.parametrize("error", [Unavailable("away"), Conflict("overtaken")])
async def test_an_error_of_the_database_is_the_runtimes(error):
    registry = Registry().merge(iter([verbs]))

    @registry.action("look")
    async def look(turn: Turn) -> None:
        """Look into a database that is away."""
        raise error

    shop = chart("a: {when: {x: {do: look}}}", "problem: {say: sorry}", registry=registry)
    with pytest.raises(type(error)):
        await run(shop, turn(shop, "a"), event("x"))


async def test_a_long_turn_is_no_failure():
    many = ", ".join("{save: {n: '{{ (n or 0) + 1 }}'}}" for _ in range(MAX_STEPS - 1))
    shop = chart(f"a: {{when: {{x: {{do: [{many}], say: done}}}}}}")
    result = await run(shop, turn(shop, "a"), event("x"))
    assert (said(result), result.turn.variables["n"]) == (["done"], MAX_STEPS - 1)


# Where the customer goes ------------------------------------------------------------------------

WALK = chart(
    "a: {when: {in: checkout}},"
    "checkout: {start: address, finished: thanks, say: outer, states: {"
    "  address: {say: address, back: a, when: {next: pay}},"
    "  pay: {say: pay, back: address, when: {next: done}},"
    "  done: {final: true, say: done}}},"
    "thanks: {say: thanks},"
    "help: {aside: true, say: help,"
    "  when: {go_on: {do: {save: {helped: true}}, say: on, go: resume}}},"
    "human: {aside: true, say: human, when: {go_on: resume}}",
    "help: help, human: human",
)


@pytest.mark.parametrize(
    ("state", "name", "texts", "after"),
    [
        ("a", "in", ["outer", "address"], "address"),
        ("address", "next", ["pay"], "pay"),
        ("pay", "back", ["address"], "address"),
        ("address", "back", [], "a"),
        ("pay", "next", ["done", "thanks"], "thanks"),
    ],
)
async def test_a_customer_goes_where_the_chart_leads(state, name, texts, after):
    result = await run(WALK, turn(WALK, state), event(name))
    assert (said(result), result.target) == (texts, after)


async def test_a_customer_comes_back_from_aside_to_where_he_was():
    asked = await run(WALK, turn(WALK, "pay"), event("help"))
    position = asked.turn.conversation.position
    assert position is not None
    assert (said(asked), position.leaf, position.resume) == (["help"], "help", "pay")
    human = await run(WALK, turn(WALK, "help", resume="pay"), event("human"))
    position = human.turn.conversation.position
    assert position is not None
    assert (position.leaf, position.resume) == ("human", "pay")
    back = await run(WALK, turn(WALK, "human", resume="pay"), event("go_on"))
    assert (said(back), back.target) == (["outer", "pay"], "pay")


async def test_what_leads_back_is_done_and_said_once():
    back = await run(WALK, turn(WALK, "help", resume="a"), event("go_on"))
    assert (said(back), back.target, back.turn.variables) == (["on"], "a", {"helped": True})


async def test_without_a_place_to_resume_the_chart_begins_again():
    back = await run(WALK, turn(WALK, "help"), event("go_on"))
    assert back.target == "a"


# Quiet branches ---------------------------------------------------------------------------------


async def test_a_quiet_branch_says_nothing_and_does_the_rest():
    shop = chart("a: {when: {x: {do: {save: {late: true}}, say: x, go: b, quiet: true}}}, b: {}")
    result = await run(shop, turn(shop, "a"), event("x"))
    assert (said(result), result.target, result.turn.variables) == ([], "b", {"late": True})


async def test_what_a_quiet_branch_leads_to_is_quiet_too():
    shop = chart(
        "a: {when: {x: {do: [{raise: {event: first}}], quiet: true, go: b},"
        "  y: {do: refuse, quiet: true}, z: {do: fail, quiet: true}}},"
        "b: {say: b, when: {first: {say: first}}}",
        "refused: {say: no}, problem: {say: sorry}",
    )
    for name in ("x", "y", "z"):
        assert said(await run(shop, turn(shop, "a"), event(name))) == []


# What is said when the 24-hour window is closed -------------------------------------------------

REMINDING = chart(
    "a: {when: {x: b, quietly: {say: [later, plain], quiet: true}, no: {say: unlucky}, bad: bad}},"
    "b: {say: [later, plain]}, bad: {say: broken}",
    "problem: {say: sorry}",
    "en: {messages: {"
    "  later: {text: '{{ event.text or state }}', buttons: {x: Go on},"
    "          template: {name: remind, parameters: ['{{ customer.name }}']}},"
    "  unlucky: {if: misses > 9, text: never, template: {name: remind}},"
    "  broken: {text: fine, template: {name: remind, parameters: ['{{ event.nothing.at_all }}']}},"
    "  plain: {text: plain}}}\n",
)


def templates(result: TurnResult) -> list[tuple[str | None, int]]:
    """Name what takes each message's place, and give the message's place among its parts."""
    return [
        (part.template.name if isinstance(part.template, TemplateMessage) else None, part.part)
        for part in result.said
    ]


async def test_a_message_comes_with_what_takes_its_place():
    result = await run(REMINDING, turn(REMINDING, "a"), event("x"))
    assert said(result) == ["b", "plain"]
    assert templates(result) == [("remind", 0), (None, 0)]
    parameter = {"type": "text", "text": "Ana"}
    (template, _) = (part.template for part in result.said)
    assert template == TemplateMessage(
        "remind", "en_US", ({"type": "body", "parameters": [parameter]},)
    )


async def test_one_template_takes_the_place_of_all_parts_of_a_long_message():
    long = "\n\n".join(["word " * 120] * 4)
    result = await run(REMINDING, turn(REMINDING, "a"), event("x", text=long))
    assert templates(result) == [("remind", 0), (None, 1), (None, 0)]


@pytest.mark.parametrize("name", ["quietly", "no"])
async def test_what_is_not_said_has_no_template_either(name):
    result = await run(REMINDING, turn(REMINDING, "a"), event(name))
    assert (result.said, result.failure) == ([], None)


async def test_a_template_that_cannot_be_rendered_fails_the_turn():
    result = await run(REMINDING, turn(REMINDING, "a"), event("bad"))
    assert (said(result), result.target) == (["sorry"], "a")
    assert "has no attribute 'at_all'" in (result.failure or "")


# Taps on old messages ---------------------------------------------------------------------------

OLD = bundle(
    "chart: c\nstart: a\nrenamed: {former: b}\n"
    "anywhere: {known: {say: known}, old_tap: {say: old}, help: h}\n"
    "states:\n"
    "  a: {say: hello, when: {go: b}}\n"
    "  b: {when: {pick: {do: {save: {picked: '{{ event.argument }}'}}, say: picked, go: c},\n"
    "             never: {if: lucky(), go: c}}}\n"
    "  c: {when: {pick: {say: here}}}\n"
    "  o: {start: i, when: {deep: {say: deep}}, states: {i: {}}}\n"
    "  h: {aside: true, when: {o: o}}\n"
)


def asked(state: str | None):
    """Give an origin that counts how often it was asked."""
    calls: list[str | None] = []

    async def origin() -> str | None:
        calls.append(state)
        return state

    return origin, calls


@pytest.mark.parametrize("said_by", ["b", "former"])
async def test_a_tap_on_an_old_message_is_answered_by_the_state_that_said_it(said_by):
    origin, calls = asked(said_by)
    result = await run(OLD, turn(OLD, "a"), event("pick", argument="x"), origin)
    assert (said(result), result.target) == (["picked"], "c")
    assert result.turn.variables == {"picked": "x"}
    assert (result.source, result.event, calls) == ("a", "pick", [said_by])


@pytest.mark.parametrize("name", ["known", "go"])
async def test_a_tap_that_means_something_here_is_not_looked_up(name):
    origin, calls = asked("b")
    await run(OLD, turn(OLD, "a"), event(name), origin)
    assert calls == []


async def test_a_tap_means_what_it_means_where_the_customer_is():
    origin, calls = asked("b")
    assert said(await run(OLD, turn(OLD, "c"), event("pick"), origin)) == ["here"]
    assert calls == []


@pytest.mark.parametrize("said_by", [None, "vanished", "c", "a", "o"])
async def test_a_tap_that_its_state_does_not_know_any_more_is_old(said_by):
    origin, _ = asked(said_by)
    result = await run(OLD, turn(OLD, "a"), event("nothing"), origin)
    assert (said(result), result.target) == (["old"], "a")


async def test_a_tap_whose_guard_does_not_hold_does_not_move_the_customer():
    origin, _ = asked("b")
    result = await run(OLD, turn(OLD, "a"), event("never"), origin)
    assert (said(result), result.target) == (["old"], "a")
    assert result.turn.conversation.misses == 1


async def test_a_tap_on_the_message_of_an_outer_state_is_answered_from_inside_it():
    origin, _ = asked("o")
    result = await run(OLD, turn(OLD, "a"), event("deep"), origin)
    assert (said(result), result.target) == (["deep"], "i")


async def test_a_typed_text_is_never_looked_up():
    origin, calls = asked("b")
    meant = Candidates("text", (Event("pick"),))
    await run(OLD, turn(OLD, "a"), meant, origin)
    assert calls == []


# What we raise ourselves, and the ends of Flows -------------------------------------------------

OURS = chart(
    "a: {say: hello, when: {late: b}}, b: {say: there}, c: {when: {late: {if: lucky(), go: b}}}",
    "nothing_matched: {say: pardon}, old_tap: {say: old}, go_c: c,"
    "flow_reply: {say: old_flow}, flow.size: {do: {save: {size: '{{ event.size }}'}}, go: b}",
)


def of_ours(name: str) -> Candidates:
    return Candidates(RAISED, sure=(Event(name),))


@pytest.mark.parametrize(
    ("state", "expected", "target", "misses"),
    [
        ("a", ["there"], "b", 2),  # and it does not tell that the customer was understood
        ("b", [], "b", 2),
        ("c", [], "c", 2),  # its guard does not hold
        (None, [], None, 2),  # nor does it begin a conversation
    ],
)
async def test_what_we_raise_is_not_misunderstood_when_nobody_wants_it(
    state, expected, target, misses
):
    result = await run(OURS, turn(OURS, state, misses=2), of_ours("late"))
    assert (said(result), result.target) == (expected, target)
    assert result.turn.conversation.misses == misses
    assert result.failure is None


@pytest.mark.parametrize("state", ["a", "b", "c", None])
async def test_the_end_of_a_flow_is_taken_wherever_the_customer_is(state):
    result = await run(OURS, turn(OURS, state), flow_end("size", {"size": "large"}))
    assert (said(result), result.target, result.event) == (["there"], "b", "flow.size")
    assert result.turn.variables == {"size": "large"}


async def test_the_end_of_a_flow_that_the_chart_does_not_know_is_told():
    result = await run(OURS, turn(OURS, "a"), flow_end("other", {"size": "large"}))
    assert (said(result), result.target, result.event) == (["old_flow"], "a", "flow_reply")


# Languages --------------------------------------------------------------------------------------

SPEAKING = chart(
    "a: {say: hello, when: {x: {say: one},"
    "  english: {do: {speak: {language: en}}, say: one, go: a},"
    "  refused: {say: one}, no: {do: [{speak: {language: es}}, refuse]}}}",
    "nothing_matched: {say: pardon}",
    "en: {messages: {one: 'one {{ terms.word }} {{ locale }}'}, terms: {word: bread}}\n"
    "es: {messages: {one: 'uno {{ terms.word }} {{ locale }}'}, terms: {word: pan}}\n",
)


@pytest.mark.parametrize(
    ("spoken", "expected", "language"),
    [
        (None, "one bread en_US", "en"),
        ("es", "uno pan es_US", "es"),
        ("fr", "one bread en_US", "en"),
    ],
)
async def test_a_customer_is_answered_in_the_language_he_uses(spoken, expected, language):
    meant = Candidates("text", (Event("x"),), language=spoken)
    result = await run(SPEAKING, turn(SPEAKING, "a"), meant)
    assert (said(result), result.turn.conversation.language) == ([expected], language)


async def test_an_action_may_change_the_language_for_the_rest_of_the_turn():
    result = await run(SPEAKING, turn(SPEAKING, "a", language="es"), event("english"))
    assert said(result) == ["one bread en_US", "hello"]
    assert result.turn.conversation.language == "en"


async def test_a_refused_change_of_language_is_taken_back():
    result = await run(SPEAKING, turn(SPEAKING, "a"), event("no"))
    assert (said(result), result.turn.conversation.language) == (["one bread en_US"], "en")


async def test_a_language_without_texts_is_answered_in_the_tenants_first():
    result = await run(SPEAKING, turn(SPEAKING, "a", language="pt"), event("x"))
    assert said(result) == ["one bread pt_US"]


# The log, and turns at once ---------------------------------------------------------------------


async def test_the_log_tells_why():
    shop = chart(
        "a: {when: {x: [{if: misses, say: never}, {if: not misses, do: [buy, refuse], go: b}]}},"
        "b: {}",
        "refused: {say: no}",
    )
    result = await run(shop, turn(shop, "a"), event("x", text="a secret"))
    assert result.steps == [
        {"guard": "chart.yaml:4:25", "holds": False},
        {"guard": "chart.yaml:4:51", "holds": True},
        {"branch": "chart.yaml:4:51", "event": "x"},
        {"action": "buy", "at": "chart.yaml:4:73"},
        {"action": "refuse", "at": "chart.yaml:4:78", "refused": "closed"},
        {"branch": "chart.yaml:3:12", "event": "refused"},
        {"say": "no", "at": ANY},
    ]
    assert "secret" not in str(result.steps)


async def test_turns_at_once_keep_to_themselves():
    """Every action waits for all other turns: had they anything in common, they would mix."""
    size = 32
    barrier = asyncio.Barrier(size)
    registry = Registry().merge(iter([verbs]))

    @registry.action("meet", gives=("met",))
    async def meet(turn: Turn, *, word: str) -> Refusal | None:
        """Wait until everybody is there."""
        await barrier.wait()
        turn.variables["met"] = word
        return Refusal(Reason.CLOSED) if word.endswith("3") else None

    shop = chart(
        "a: {when: {x: {do: {meet: {word: '{{ event.text }}'}}, say: branch, go: b}}},"
        "b: {do: {save: {seen: '{{ met }}'}}, say: entered}",
        "refused: {say: refused}",
        words(
            branch="{{ met }}",
            entered="{{ seen }} {{ event.text }}",
            refused="no {{ event.text }}",
        ),
        registry=registry,
    )
    names = [f"n{number}" for number in range(size)]
    results = await asyncio.gather(
        *(run(shop, turn(shop, "a"), event("x", text=n)) for n in names)
    )
    for name, result in zip(names, results, strict=True):
        if name.endswith("3"):
            assert (said(result), result.target) == ([f"no {name}"], "a")
            assert result.turn.variables == {}
        else:
            assert (said(result), result.target) == ([name, f"{name} {name}"], "b")
            assert result.turn.variables == {"met": name, "seen": name}


async def test_a_turn_changes_nothing_but_its_own():
    shop = chart(
        "a: {when: {x: {do: [buy, {save: {n: 2}}], say: it}}}", messages=words(it="{{ n }}")
    )
    before = {"n": 1}
    first, second = turn(shop, "a", variables=before), turn(shop, "a", variables=before)
    await run(shop, first, event("x"))
    assert before == {"n": 1}
    assert (second.variables, second.cart) == ({"n": 1}, Cart())
