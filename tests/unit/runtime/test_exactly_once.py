"""Whatever breaks: every message has one turn, every order one confirmation, nothing is lost."""

from functools import cache
from types import SimpleNamespace

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from engine.whatsapp.inbound import Webhook
from tests.unit.runtime.exactly_once_ledger import BACK, check_always, check_settled
from tests.unit.runtime.exactly_once_scene import (
    CUSTOMERS,
    HELLO,
    PHONES,
    POISON,
    STAFF,
    Fault,
    World,
)

EXAMPLES, STEPS = 15, 25
"""For a longer run call `play` with more; two examples take a second."""
MOST = 4
"""Processes at the same time."""
POINTS = (
    "", "", "inbox.accept", "inbox.accepted", "inbox.waited", "inbox.postpone", "turn.commit",
    "turn.committed", "conversations.get", "outbox.waited", "meta.send", "meta.sent",
    "outbox.sent", "outbox.sent_noted", "outbox.postpone", "outbox.statuses_noted",
    "outbox.note_statuses", "outbox.switch", "outbox.dead", "slots.swap", "slots.swapped",
    "slots.told", "timers.found", "timers.drop", "timers.dropped", "businesses.by_tenant",
    "handoffs.", "outbox.entry",
)  # fmt: skip
FOCACCIA = "add_to_cart:prod:focaccia"
ORDER = (FOCACCIA, "checkout", "pickup", "pay:cash", "confirm")
TAPS = (*ORDER, "confirm", "confirm", "view_cart", "greet", "human", HELLO, HELLO, POISON)
MOODS = (
    ("refused", 131056), ("refused", 130429), ("refused", 131000), ("refused", 131026),
    ("refused", 190), ("refused", 131047), ("refused", 132068), ("cut", 0), ("lost", 0),
    ("late", 131026), ("late", 131000), ("taken", 0),
)  # fmt: skip

which = st.integers(0, MOST - 1)
seconds = st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.3, 1.0, 3.0, 7.0])
points = st.sampled_from(POINTS)
later = st.sampled_from([0, 0, 0, 1, 2, 5])


class ExactlyOnce(RuleBasedStateMachine):
    """Customers, processes and Meta, and everything that can happen to them."""

    @initialize(seed=st.integers(0, 2**16), processes=st.integers(1, 3))
    def begin(self, seed, processes):
        self.world = World(seed)
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(
            "engine.runtime.claims.time", SimpleNamespace(monotonic=self.world.loop.time)
        )
        for _ in range(processes):
            self.world.start()
        self.world.wait(3.2)

    def teardown(self):
        if not hasattr(self, "world"):
            return
        try:
            self.world.wait(10)
            self.world.settle()
            check_settled(self.world)
        except BaseException:
            print("\n".join(self.world.diary))
            raise
        finally:
            self.world.close()
            self.patch.undo()

    @invariant()
    def nothing_is_wrong(self):
        if hasattr(self, "world"):
            check_always(self.world)

    def one_of(self, which):
        alive = self.world.alive
        return alive[which % len(alive)] if alive else None

    # Customers ---------------------------------------------------------------------------------

    @rule(
        taps=st.lists(
            st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(TAPS), seconds), max_size=4
        ),
        in_one=st.booleans(), times=st.sampled_from([1, 1, 2, 3]), then=seconds,
    )  # fmt: skip
    def write(self, taps, in_one, times, then):
        messages = []
        for customer, what, wait in taps:
            messages.append(self.world.write(customer, what))
            if not in_one:
                self.deliver([messages[-1]], times)
                self.world.wait(wait)
        if in_one and messages:
            self.world.chance.shuffle(messages)
            self.deliver(messages, times)
        self.world.wait(then)

    @rule(customer=st.sampled_from(CUSTOMERS), pace=seconds, times=st.sampled_from([1, 2]))
    def order(self, customer, pace, times):
        for what in ORDER:
            self.deliver([self.world.write(customer, what)], times)
            self.world.wait(pace)

    def deliver(self, messages, times, others=()):
        for n in range(times):
            delay = self.world.chance.choice((0.0, 0.2, 4.0)) if n else 0.0
            self.world.deliver(Webhook(tuple(messages), (), others), delay)

    @rule(seconds=seconds)
    def wait(self, seconds):
        self.world.wait(seconds)

    # The staff ---------------------------------------------------------------------------------

    @rule(customer=st.sampled_from(CUSTOMERS), times=st.sampled_from([1, 1, 2, 3]), then=seconds)
    def type_to(self, customer, times, then):
        self.deliver([], times, others=(self.world.type_to(customer),))
        self.world.wait(then)

    @precondition(lambda self: self.world.handoffs())
    @rule(which=which, times=st.sampled_from([1, 1, 2]), then=seconds)
    def give_back(self, which, times, then):
        told = sorted(self.world.handoffs())
        tap = self.world.write(STAFF, f"give_back:{told[which % len(told)]}")
        self.deliver([tap], times)
        self.world.wait(then)

    # Meta --------------------------------------------------------------------------------------

    @rule(moods=st.lists(st.sampled_from(MOODS), min_size=1, max_size=3))
    def upset(self, moods):
        self.world.meta.moods += moods

    # Processes ---------------------------------------------------------------------------------

    @precondition(lambda self: len(self.world.alive) < MOST)
    @rule(then=seconds)
    def start(self, then):
        self.world.start()
        self.world.wait(then)

    @rule(
        kind=st.sampled_from(["kill", "away", "pause", "pause"]),
        where=points,
        after=later,
        seconds=st.sampled_from([0.0, 0.4, 8.0, 15.0]),
    )
    def strike(self, kind, where, after, seconds):
        self.world.faults.append(Fault(kind, where, after, seconds))

    @rule(which=which, is_replaced=st.sampled_from([True, True, False]))
    def kill(self, which, is_replaced):
        process = self.one_of(which)
        if process:
            self.world.note(f"{process.name}: killed")
            process.kill()
        if is_replaced:
            self.world.start()

    @rule(which=which, seconds=st.sampled_from([2.0, 5.5, 8.0, 20.0]))
    def pause(self, which, seconds):
        process = self.one_of(which)
        if process:
            self.world.note(f"{process.name}: paused for {seconds}")
            process.pause(seconds)

    @rule(which=which, then=seconds)
    def drain(self, which, then):
        process = self.one_of(which)
        if process and not process.is_ending:
            self.world.note(f"{process.name}: ends")
            process.spawn(process.end())
            self.world.wait(then)


def play(examples, steps):
    run_state_machine_as_test(
        ExactlyOnce,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.fixture
def quietly():
    """Without a line for everything that breaks."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(60 - 10))
    yield
    structlog.configure(**before)


def test_whatever_breaks_everything_has_one_effect(quietly):
    play(EXAMPLES, STEPS)


BREAKING = pytest.mark.parametrize(
    ("kind", "seconds"), [("kill", 0.0), ("pause", 8.0), ("away", 0.0)]
)


@BREAKING
def test_one_thing_breaks_at_each_point_there_is(quietly, kind, seconds):
    for where in sorted(passed(play_order)):
        play_order(Fault(kind, where, 0, seconds))


@BREAKING
def test_one_thing_breaks_at_each_point_of_a_hand_off(quietly, kind, seconds):
    points = passed(play_handoff)
    # What an echo, a notice and a give-back come to, and an order does not.
    assert {"handoffs.key_of", "handoffs.line", "handoffs.is_known", "outbox.entry"} <= points
    for where in sorted(points):
        play_handoff(Fault(kind, where, 0, seconds))


@cache
def passed(play):
    """The points that a process comes to if nothing breaks."""
    return frozenset(play())


def play_order(*faults):
    """Play an order of two processes; give the points they came to."""

    def order(script):
        for what in (*ORDER, FOCACCIA, POISON):
            script.deliver([script.world.write(CUSTOMERS[0], what)], 2)
            script.world.wait(0.3)

    return played(order, *faults)


def play_handoff(*faults):
    """Play what staff, who typed first, and a customer say; give the points they came to."""

    def handoff(script):
        world, ana = script.world, CUSTOMERS[0]
        for _ in range(2):
            script.deliver([], 2, others=(world.type_to(ana),))
            world.wait(0.3)
            script.deliver([world.write(ana, HELLO)], 2)
            world.wait(0.3)
        for what in ("greet", "human", HELLO):
            script.deliver([world.write(ana, what)], 2)
            world.wait(0.3)
        # It is the staff that the notice waits for, however long a process was away.
        world.until(world.handoffs)
        for handoff in world.handoffs():
            for _ in range(2):
                script.deliver([world.write(STAFF, f"give_back:{handoff}")], 2)
                world.wait(0.3)
        script.deliver([world.write(ana, HELLO)], 2)
        if not faults:  # else what he wrote may come in another order
            world.until(lambda: world.has_been_told(ana, BACK))
            assert PHONES[ana] not in world.conversations

    return played(handoff, *faults)


def played(play, *faults):
    """Let two processes play something; give the points they came to."""
    script = ExactlyOnce()
    script.begin(seed=1, processes=2)
    script.world.faults += faults
    try:
        play(script)
        script.world.wait(12)
        script.world.loop.jump(60)  # for the timers
        script.world.wait(4)
    finally:
        script.teardown()
    return script.world.passed
