"""What is done about a product depends on what it is, and on what was last done with it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.ids import CategoryId, ProductId
from engine.sync.item import Item, Misfit
from engine.sync.ports import CatalogKey, ItemId, ItemState, Sellable
from engine.sync.verdict import REMOVED, REMOVED_AGAIN, UNDER_WAY, Question, Verdict, judge
from tests.unit.sync.scene import NOON

KEY = CatalogKey("cat:drinks")
P = ProductId("p")
WANTED = Item(ItemId("p"), P, {"id": "p", "title": "New"}, "new")
MISFIT = Misfit(ItemId("p"), P, "it has no image")
BEFORE = NOON - timedelta(hours=1)
SOLD = Sellable(P, None, CategoryId(KEY), "doc:p")


def row(status="synced", digest="new", *, item="p", catalog_id="c1", at=BEFORE):
    return ItemState(KEY, ItemId(item), P, catalog_id, digest, status, at, "b", None, "doc:p")


def verdict(*rows, wanted=(), catalog_id="c1", now=NOON, resend_before=None) -> Verdict:
    return judge(
        Question(
            product=P,
            sellable=SOLD if wanted else None,
            wanted=tuple(wanted),
            rows=rows,
            catalog=KEY,
            catalog_id=catalog_id,
            now=now,
            resend_before=resend_before,
        )
    )


def told(found: Verdict):
    """Give what is sent, what is written, what is forgotten and whether more follows."""
    pushes = tuple(
        f"{push.request['method']} {push.request['data']['id']}" for push in found.pushes
    )
    return (
        pushes,
        tuple(f"{state.status} {state.item}" for state in found.put),
        tuple(state.item for state in found.drop),
        found.is_late,
    )


NOTHING = ((), (), (), False)
LATE = ((), (), (), True)
SENT = (("UPDATE p",), (), (), False)
DELETED = (("DELETE p",), (), (), False)
DELETED_FIRST = (("DELETE p",), (), (), True)
REFUSED = ((), ("refused p",), (), False)
DROPPED = ((), (), ("p",), False)
REASON = MISFIT.digest

TABLE = [
    # What it should be, what was last done with it, and what follows.
    (WANTED, None, SENT),
    (WANTED, row("synced"), NOTHING),
    (WANTED, row("synced", "old"), SENT),
    (WANTED, row("synced", ""), SENT),
    (WANTED, row("failed"), NOTHING),
    (WANTED, row("failed", "old"), SENT),
    (WANTED, row("failed", REMOVED), SENT),
    (WANTED, row("refused", REASON, catalog_id=""), SENT),
    (WANTED, row("sent"), NOTHING),
    (WANTED, row("sent", "old"), LATE),
    (WANTED, row("removing", REMOVED), LATE),
    (WANTED, row("synced", catalog_id="c0"), SENT),
    (WANTED, row("sent", catalog_id="c0"), SENT),
    (MISFIT, None, REFUSED),
    (MISFIT, row("synced"), DELETED_FIRST),
    (MISFIT, row("failed"), DELETED_FIRST),
    (MISFIT, row("failed", ""), DELETED_FIRST),
    (MISFIT, row("failed", REMOVED), NOTHING),
    (MISFIT, row("failed", REMOVED, at=NOON - REMOVED_AGAIN), DELETED_FIRST),
    (MISFIT, row("refused", REASON, catalog_id=""), NOTHING),
    (MISFIT, row("refused", "other", catalog_id=""), REFUSED),
    (MISFIT, row("sent"), LATE),
    (MISFIT, row("removing", REMOVED), LATE),
    (MISFIT, row("synced", catalog_id="c0"), REFUSED),
    (None, row("synced"), DELETED),
    (None, row("failed"), DELETED),
    (None, row("failed", ""), DELETED),
    (None, row("failed", REMOVED), NOTHING),
    (None, row("failed", REMOVED, at=NOON - REMOVED_AGAIN), DELETED),
    (None, row("refused", REASON, catalog_id=""), DROPPED),
    (None, row("sent"), LATE),
    (None, row("removing", REMOVED), NOTHING),
    (None, row("synced", catalog_id="c0"), DROPPED),
    (None, row("sent", catalog_id="c0"), DROPPED),
]


@pytest.mark.parametrize(("wanted", "known", "expected"), TABLE)
def test_what_follows_from_what_was_done(wanted, known, expected):
    found = verdict(*filter(None, [known]), wanted=filter(None, [wanted]))
    assert told(found) == expected


def test_nothing_is_done_about_what_is_nowhere():
    assert told(verdict()) == NOTHING


def test_before_a_catalogue_is_made_there_is_nothing_to_delete():
    assert told(verdict(row("synced"), catalog_id=None)) == DROPPED
    assert told(verdict(wanted=[WANTED], catalog_id=None)) == SENT
    assert told(
        verdict(row("failed", "old", catalog_id=""), wanted=[WANTED], catalog_id=None)
    ) == (SENT)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (row("synced"), SENT),
        (row("failed"), SENT),
        (row("sent"), LATE),
        (row("synced", at=NOON), NOTHING),
        (row("sent", at=NOON), NOTHING),
    ],
)
def test_a_full_walk_sends_again_what_was_sent_before_it(known, expected):
    assert told(verdict(known, wanted=[WANTED], resend_before=NOON)) == expected


def test_a_full_walk_deletes_again_what_was_not_deleted():
    assert told(verdict(row("failed", REMOVED), resend_before=NOON)) == DELETED
    assert told(verdict(row("failed", REMOVED, at=NOON), resend_before=NOON)) == NOTHING


def test_what_is_sent_is_noted_as_it_will_be():
    (push,) = verdict(wanted=[WANTED]).pushes
    assert push.state == ItemState(
        KEY, WANTED.item, P, "c1", "new", "sent", NOON, document="doc:p"
    )
    assert push.request == {"method": "UPDATE", "data": WANTED.fields}
    (push,) = verdict(row("synced", "old")).pushes
    assert push.state == replace(row("removing", REMOVED), updated_at=NOON, batch=None, error=None)
    (state,) = verdict(wanted=[MISFIT]).put
    assert (state.error, state.catalog_id, state.digest) == ("it has no image", "", REASON)


@pytest.mark.parametrize(
    ("known", "is_known"),
    [(None, False), (row("failed", "old"), False), (row(digest="old"), True)],
)
def test_what_meta_has_already_is_known(known, is_known):
    (push,) = verdict(*filter(None, [known]), wanted=[WANTED]).pushes
    assert push.is_known is is_known


def test_sizes_are_judged_each_for_itself():
    small, large = (
        replace(WANTED, item=ItemId(item), fields={"id": item}) for item in ("p|s", "p|l")
    )
    found = verdict(
        row("synced", item="p|s"),
        row("synced", item="p|m"),
        row("synced", item="p"),
        row("refused", REASON, item="p|x", catalog_id=""),
        wanted=[small, large],
    )
    assert told(found) == (("UPDATE p|l", "DELETE p|m", "DELETE p"), (), ("p|x",), False)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["wanted", "other", "misfit", "gone"]),
            st.sampled_from(["taken", "lost", "open"]),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_in_the_end_meta_has_what_is_wanted_whatever_becomes_of_it(steps):
    """Play a product that changes, and Meta, one step at a time."""
    meta: str | None = None
    known: ItemState | None = None
    now = NOON
    for content, fate in [*steps, *[(steps[-1][0], "taken")] * 4]:
        now += timedelta(minutes=1)
        if known and known.status in UNDER_WAY and fate != "open":
            known = settled(known, meta)
        wanted = {
            "wanted": WANTED, "other": replace(WANTED, digest="other"), "misfit": MISFIT
        }.get(content)  # fmt: skip
        found = verdict(*filter(None, [known]), wanted=filter(None, [wanted]), now=now)
        assert len(found.pushes) + len(found.put) + len(found.drop) <= 1
        assert not (found.pushes and known and known.status in UNDER_WAY)
        for push in found.pushes:
            meta = None if push.request["method"] == "DELETE" else push.state.digest
            lost = replace(push.state, digest="", status="failed")
            known = lost if fate == "lost" else push.state
        for state in found.put:
            assert meta is None
            known = state
        if found.drop:
            assert meta is None
            known = None
    expected = {"wanted": "new", "other": "other"}.get(steps[-1][0])
    assert meta == expected
    assert verdict(*filter(None, [known]), wanted=filter(None, [wanted])).pushes == []


def settled(state: ItemState, meta: str | None) -> ItemState | None:
    """Give what is known of an item once its batch is through."""
    assert meta == (None if state.status == "removing" else state.digest)
    return None if state.status == "removing" else replace(state, status="synced")
