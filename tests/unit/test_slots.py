"""Every process has its share of the slots, no two have the same, the dead keep nothing."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import CustomerKey, TenantId
from engine.slots import LEASE, SLOTS, SlotTable, left, renewed, slot_of

NOW = datetime(2030, 1, 1, tzinfo=UTC)
NAMES = ("a", "b", "c", "d", "e")
ALL = frozenset(range(SLOTS))


def settled(table: SlotTable, names: tuple[str, ...], *, now: datetime = NOW) -> SlotTable:
    """Let members renew until nothing changes any more."""
    for _ in range(3):
        for name in names:
            table = renewed(table, name, now=now)
    return table


def shares(table: SlotTable) -> list[int]:
    return sorted(len(table.of(name)) for name in table.members)


def test_a_conversation_keeps_its_slot():
    ana = TenantId("la-tavola"), CustomerKey("US.1")
    assert slot_of(*ana) == slot_of(*ana) < SLOTS
    # It is on disk with every row: another function would part processes of two releases.
    assert slot_of(*ana) == 31


def test_slots_are_about_even():
    counts = [0] * SLOTS
    for n in range(64_000):
        counts[slot_of(TenantId("t"), CustomerKey(str(n)))] += 1
    assert min(counts) > 850
    assert max(counts) < 1150


def test_one_process_has_everything_at_once():
    assert renewed(SlotTable(), "a", now=NOW).of("a") == ALL


def test_shares_are_even_and_everything_is_taken():
    table = settled(SlotTable(), NAMES)
    assert shares(table) == [12, 13, 13, 13, 13]
    assert table.owners.keys() == ALL


def test_work_under_way_keeps_its_slot_until_it_is_done():
    table = renewed(SlotTable(), "a", now=NOW)
    table = renewed(table, "b", now=NOW)
    table = renewed(table, "a", now=NOW, busy=ALL - {1, 2})
    assert table.of("a") == ALL - {1, 2}
    assert renewed(table, "b", now=NOW).of("b") == {1, 2}


def test_what_a_dead_process_had_is_taken_when_its_lease_is_over():
    table = settled(SlotTable(), ("a", "b"))
    before = renewed(table, "a", now=NOW + LEASE - timedelta(milliseconds=1))
    assert len(before.of("b")) == 32
    after = renewed(table, "a", now=NOW + LEASE)
    assert after.of("a") == ALL
    assert after.members.keys() == {"a"}


def test_a_process_that_leaves_takes_nothing_and_keeps_what_is_busy():
    table = settled(SlotTable(), ("a", "b"))
    busy = sorted(table.of("b"))[:2]
    table = renewed(table, "b", now=NOW, busy=busy, is_leaving=True)
    assert table.of("b") == set(busy)
    table = settled(table, ("a",))
    assert table.of("a") == ALL - set(busy)
    assert settled(left(table, "b"), ("a",)).of("a") == ALL


def test_a_process_without_the_others_keeps_its_slots_over_its_own_lease():
    table = renewed(SlotTable(), "a", now=NOW)
    assert renewed(table, "a", now=NOW + 10 * LEASE).of("a") == ALL


steps = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(["renew", "leave", "retire", "die"]),
        st.integers(0, 4),
        st.sets(st.integers(0, SLOTS - 1), max_size=8),
    ),
    max_size=60,
)


@given(steps)
def test_whatever_comes_and_goes_all_slots_are_shared_out_in_the_end(script):
    table, now, dead = SlotTable(), NOW, set()
    for name, act, seconds, busy in script:
        now += timedelta(seconds=seconds)
        if act == "die":
            dead.add(name)
        elif name not in dead:
            before = table
            if act == "leave":
                table = left(table, name)
            else:
                table = renewed(table, name, now=now, busy=busy, is_leaving=act == "retire")
            others = {slot: owner for slot, owner in before.owners.items() if owner != name}
            for slot, owner in others.items():
                if before.members[owner].until > now:
                    assert table.owners[slot] == owner  # nobody takes what another one has
            kept = before.of(name) & busy
            assert act == "leave" or kept <= table.of(name)
            assert table.version == before.version + 1
    alive = tuple(name for name in NAMES if name not in dead) or ("z",)
    table = settled(table, alive, now=now + LEASE)
    assert table.owners.keys() == ALL
    assert table.members.keys() == set(alive)
    assert max(shares(table)) - min(shares(table)) <= 1
