"""Slots: which process takes which conversations' turns and sends their messages, as a table.

Every conversation belongs to one of a fixed number of slots, every slot to one process at most,
by a lease. Who stores the table and when it is renewed is not known here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from zlib import crc32

from engine.domain.ids import CustomerKey, TenantId

SLOTS: Final = 64
"""More than processes there will ever be; it is on disk with every row and cannot change."""
LEASE: Final = timedelta(seconds=6)
"""How long a process that was killed keeps its slots."""


def slot_of(tenant: TenantId, customer: CustomerKey) -> int:
    """Give the slot of a conversation."""
    return crc32(f"{tenant}:{customer}".encode()) % SLOTS


@dataclass(frozen=True, slots=True)
class Member:
    """A process that takes turns.

    Args:
        until: end of its lease.
        is_leaving: it takes no new slots and gives back what it has.
    """

    until: datetime
    is_leaving: bool = False


@dataclass(frozen=True, slots=True)
class SlotTable:
    """Who has which slot.

    Args:
        version: counts the changes; two from one version cannot both be stored.
        members: by name.
        owners: the member that has a slot, by slot; a slot nobody has is missing.
    """

    version: int = 0
    members: Mapping[str, Member] = field(default_factory=dict)
    owners: Mapping[int, str] = field(default_factory=dict)

    def of(self, member: str) -> frozenset[int]:
        """Give the slots a member has."""
        return frozenset(slot for slot, owner in self.owners.items() if owner == member)


def renewed(
    table: SlotTable,
    member: str,
    *,
    now: datetime,
    busy: Collection[int] = (),
    is_leaving: bool = False,
    is_patient: bool = False,
) -> SlotTable:
    """Give the table after a member has renewed its lease, given back and taken slots.

    Everybody's share is the same, but for one. What a member has beyond its share it gives back,
    what it lacks it takes of what nobody has; what a member had whose lease is over, nobody has.

    Args:
        busy: slots with work under way: they are not given back.
        is_leaving: it gives everything back that is not busy.
        is_patient: nobody's lease is over yet.
    """
    members = {
        name: each
        for name, each in table.members.items()
        if is_patient or each.until > now or name == member
    }
    members[member] = Member(now + LEASE, is_leaving)
    owners = {slot: owner for slot, owner in table.owners.items() if owner in members}
    mine = sorted(slot for slot, owner in owners.items() if owner == member)
    share = _share(members, member)
    spare = [slot for slot in mine if slot not in busy]
    for slot in spare[: max(len(mine) - share, 0)]:
        del owners[slot]
    free = [slot for slot in range(SLOTS) if slot not in owners]
    for slot in free[: max(share - len(mine), 0)]:
        owners[slot] = member
    return replace(table, version=table.version + 1, members=members, owners=owners)


def surplus(table: SlotTable, member: str) -> frozenset[int]:
    """Give slots that a member has beyond its share, always the same ones."""
    mine = sorted(table.of(member))
    return frozenset(mine[_share(table.members, member) :])


def left(table: SlotTable, member: str) -> SlotTable:
    """Give the table without a member and what it had."""
    members = {name: each for name, each in table.members.items() if name != member}
    owners = {slot: owner for slot, owner in table.owners.items() if owner != member}
    return replace(table, version=table.version + 1, members=members, owners=owners)


def _share(members: Mapping[str, Member], member: str) -> int:
    staying = sorted(name for name, each in members.items() if not each.is_leaving)
    if member not in staying:
        return 0
    least, more = divmod(SLOTS, len(staying))
    return least + (staying.index(member) < more)
