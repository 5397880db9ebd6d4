"""The ledger of a scenario: what must be 0 or equal, line by line, from what is left of it."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.torture.customers import NUMBER, Item
from tests.torture.facts import LEFT, Facts
from tests.torture.shops import PLENTY

NOTED_WITHIN = 2.0
"""Seconds a process may take to note that Meta took a message; killed meanwhile, it cannot."""
SHOWN = 5
"""So many cases of a line that is not 0 are shown."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Args:
        is_bad: it is not what it must be.
        cases: what it counts, if that must be 0.
    """

    name: str
    value: str
    is_bad: bool = False
    cases: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """All lines of a scenario."""

    scenario: str
    lines: Sequence[Line]

    @property
    def is_clean(self) -> bool:
        """Tell whether every line is what it must be."""
        return not any(line.is_bad for line in self.lines)

    def __str__(self) -> str:
        width = max(len(line.name) for line in self.lines)
        shown = [self.scenario, "-" * len(self.scenario)]
        for line in self.lines:
            mark = "  <- must not be" if line.is_bad else ""
            shown.append(f"{line.name:<{width}}  {line.value}{mark}")
            shown += [f"{'':<{width}}    {case}" for case in line.cases[:SHOWN] if line.is_bad]
        return "\n".join(shown)


def ledger(facts: Facts) -> Ledger:
    """Draw up the ledger of a scenario."""
    parts = (_killed, _orders, _stock, _confirmations, _order_kept, _lost, _doubled, _left)
    return Ledger(facts.scenario, [line for part in parts for line in part(facts)])


def _zero(name: str, cases: Sequence[str]) -> Line:
    return Line(name, str(len(cases)), bool(cases), cases)


def _killed(facts: Facts) -> Iterator[Line]:
    kills = Counter(life.place.role for life in facts.lives if life.killed is not None)
    if facts.away:
        kills["database"] = len(facts.away)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(kills.items()))
    yield Line("kills", f"{kills.total()}: {told}")
    took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in facts.seconds.items())
    yield Line("time", took)
    trouble = {k: n for k, n in facts.weather.items() if n}
    yield Line("weather", ", ".join(f"{n} {kind}" for kind, n in trouble.items()) or "fine")
    longest = max(patron.longest for patron in facts.patrons)
    said = sum(len(patron.said) for patron in facts.patrons)
    yield Line("customers", f"{len(facts.patrons)}, who sent {said} messages")
    yield Line("longest wait for an answer", f"{longest:.0f} s")
    yield _zero(
        "processes that ended by themselves",
        [f"{life.label}: status {life.status}" for life in facts.fallen],
    )
    yield _zero(
        "processes that did not end in order when told to",
        [f"{life.label}: status {life.status}" for life in facts.unwilling],
    )


def _orders(facts: Facts) -> Iterator[Line]:
    placed = {order["orderNumber"]: order for order in facts.rows["orders"]}
    known = {
        each.number: (f"{patron.tenant}:{patron.user_id}", each.items)
        for patron in facts.patrons
        for each in patron.script.orders
    }
    confirmed = sum(len(patron.script.orders) for patron in facts.patrons)
    yield Line(
        "orders placed = confirmed to customers",
        f"{len(placed)} = {confirmed}",
        placed.keys() != known.keys() or confirmed != len(known),
        sorted(placed.keys() ^ known.keys()),
    )
    yield _zero(
        "orders that are not what the customer chose",
        [
            f"{number}: {dict(_items(placed[number]))}, chosen: {dict(items)}"
            for number, (owner, items) in known.items()
            if number in placed
            and (placed[number]["conversationId"], _items(placed[number])) != (owner, items)
        ],
    )


def _items(order: Json) -> Counter[Item]:
    items: Counter[Item] = Counter()
    for item in order["items"]:
        modifiers = tuple(sorted(modifier["rId"] for modifier in item["modifiers"]))
        items[item["productId"], item["presentationId"] or "", modifiers] += item["quantity"]
    return items


def _stock(facts: Facts) -> Iterator[Line]:
    ordered: Counter[tuple[str, str]] = Counter()
    for order in facts.rows["orders"]:
        for item in order["items"]:
            ordered[order["subDomain"], item["productId"]] += item["quantity"]
    moved = Counter(
        {(p["subDomain"], p["rId"]): PLENTY - int(p["stock"]) for p in facts.rows["products"]}
    )
    wrong = [
        f"{tenant} {product}: moved {moved[tenant, product]}, ordered {ordered[tenant, product]}"
        for tenant, product in sorted(moved.keys() | ordered.keys())
        if moved[tenant, product] != ordered[tenant, product]
    ]
    value = f"{sum(moved.values())} = {ordered.total()}"
    yield Line("stock moved = quantities ordered", value, bool(wrong), wrong)


def _confirmations(facts: Facts) -> Iterator[Line]:
    told: defaultdict[str, set[str]] = defaultdict(set)
    for chat in facts.chats.values():
        for message in chat:
            found = NUMBER.search(str(message["payload"]))
            if found:
                told[found[1]].add(_opaque(message))
    numbers = {order["orderNumber"] for order in facts.rows["orders"]}
    yield _zero(
        "orders without exactly one confirmation",
        [f"{number}: {len(told[number])}" for number in sorted(numbers | told.keys())
         if len(told[number]) != 1 or number not in numbers],
    )  # fmt: skip


def _opaque(message: Json) -> str:
    return str(message["payload"].get("biz_opaque_callback_data", ""))


def _order_kept(facts: Facts) -> Iterator[Line]:
    places = {row["_id"]: row["sequence"] for row in facts.rows["outbox"]}
    wrong = []
    for customer, chat in facts.chats.items():
        rows = [opaque for opaque in map(_opaque, chat) if opaque in places]
        wrong += [
            f"{customer}: {later} after {earlier}"
            for earlier, later in pairwise(rows)
            if places[later] < places[earlier]
        ]
    yield _zero("messages out of order", wrong)


def _lost(facts: Facts) -> Iterator[Line]:
    outbox = facts.rows["outbox"]
    arrived = {_opaque(message) for chat in facts.chats.values() for message in chat}
    spoken = {row["_id"] for row in outbox if row.get("said")}
    yield _zero("lost: messages to customers that never arrived", sorted(spoken - arrived))
    yield _zero("messages at customers that no turn wrote", sorted(arrived - spoken))
    inbox = {row["_id"]: row["state"] for row in facts.rows["inbox"]}
    answered = {re.sub(r":\d+$", "", row) for row in spoken}
    said = [f"{p.phone_number_id}:{wamid}" for p in facts.patrons for wamid in p.said]
    yield _zero(
        "lost: messages of customers that were never answered",
        [f"{row}: {inbox.get(row, 'not stored')}" for row in said if row not in answered],
    )


def _doubled(facts: Facts) -> Iterator[Line]:
    killed = {life.label: life.killed for life in facts.lives}
    taken: defaultdict[str, list[Json]] = defaultdict(list)
    for send in facts.sends:
        if send["taken"] is not None:
            taken[send["opaque"]].append(send)
    reasons: Counter[str] = Counter()
    unexplained = []
    unknown = 0
    for opaque, sends in taken.items():
        sends.sort(key=lambda send: float(send["taken"]))
        unknown += any(_doubt(send, killed, facts) for send in sends)
        for send in sends[:-1]:
            reason = _doubt(send, killed, facts)
            if reason:
                reasons[reason] += 1
            else:
                unexplained.append(
                    f"{opaque}: {[(s['label'], round(s['taken'], 2)) for s in sends]}"
                )
    yield _zero("doubled: the same message at a customer twice", unexplained)
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    yield Line("acceptance could not be known", f"{unknown} messages")
    yield Line("  of these sent again, though Meta had it", f"{reasons.total()} ({told or '-'})")


def _doubt(send: Json, killed: dict[str, float | None], facts: Facts) -> str:
    """Tell why the process that sent could not know, or not note, that Meta took it."""
    taken, until = send["taken"], (send["answered"] or send["taken"]) + NOTED_WITHIN
    if send["answered"] is None:
        return "the connection was cut"
    died = killed.get(send["label"])
    if died is not None and taken - NOTED_WITHIN <= died <= until:
        return "its process was killed"
    if any(began <= until and taken <= ended for began, ended in facts.away):
        return "the database was away"
    return ""


def _left(facts: Facts) -> Iterator[Line]:
    for name, finished in (("inbox", "done"), ("outbox", "sent")):
        yield _zero(
            f"{name} rows not finished",
            [f"{row['_id']}: {row['state']} {row.get('error') or ''}"
             for row in facts.rows[name] if row["state"] != finished],
        )  # fmt: skip
    yield _zero(
        "conversations stuck",
        [
            f"{patron.user_id} waits for {'/'.join(sorted(patron.script.awaiting))}; "
            f"unexpected: {patron.script.surprises[-3:]}"
            for patron in facts.patrons
            if patron.done is None
        ],
    )
    for name in LEFT:
        yield _zero(f"{name} left over", [str(row["_id"]) for row in facts.rows[name]])
    members = [str(m) for table in facts.rows["slots"] for m in table.get("members", ())]
    yield _zero("leases left over", members)
