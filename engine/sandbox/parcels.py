"""Updates on their way to the engine, and the bag that decides which leave together, and when.

Updates of one lane leave in order: the next one not before the one before is taken or given up, or
together with it in one POST. Nothing is posted here, and what is in an update is not looked at.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from random import Random  # noqa: TID251

from engine.sandbox.envelope import JsonObject
from engine.sandbox.mail import Mail
from engine.sandbox.state import Delivery, PhoneNumber


@dataclass(frozen=True, slots=True)
class Letter:
    """A webhook to post: what it tells, about which message, and its body.

    Of one about a Flow, `wamid` is the Flow's id; of one about a batch of items, its handle.
    """

    kind: str
    wamid: str
    body: JsonObject


@dataclass(slots=True, eq=False)
class Parcel:
    """An update on its way.

    Args:
        lane: what it keeps its order with, if with anything.
        pauses: before each further attempt to deliver it.
        copies: how often it is delivered once more.
        done: for who waits for the delivery; it is then alone in its POST.
        is_ripe: it has waited long enough.
    """

    number: PhoneNumber
    letter: Letter
    lane: Hashable | None
    pauses: tuple[float, ...]
    copies: int = 0
    done: asyncio.Future[Delivery] | None = None
    is_ripe: bool = False


class Mailbag:
    """What waits to leave; each number has a tray of what could leave now."""

    def __init__(self, leave: Callable[[list[Parcel]], None]) -> None:
        self._leave = leave
        self._lanes: defaultdict[Hashable, deque[Parcel]] = defaultdict(deque)
        self._trays: defaultdict[PhoneNumber, deque[Parcel]] = defaultdict(deque)
        # A lane is in here while something of it is under way.
        self._held: dict[Hashable, deque[Parcel]] = {}
        self._collecting: dict[PhoneNumber, asyncio.TimerHandle] = {}

    def put(self, parcel: Parcel) -> None:
        """Take a parcel in; it leaves some time after it is ripe."""
        if parcel.lane is not None:
            self._lanes[parcel.lane].append(parcel)

    def ripen(self, parcel: Parcel, mail: Mail) -> None:
        """Let a parcel leave when those before it in its lane have left."""
        parcel.is_ripe = True
        tray = self._trays[parcel.number]
        if parcel.lane is None:
            tray.append(parcel)
        else:
            lane = self._lanes[parcel.lane]
            while lane and lane[0].is_ripe:
                tray.append(lane.popleft())
            if not lane:
                del self._lanes[parcel.lane]
        self._empty_soon(parcel.number, mail)

    def free(self, parcels: Sequence[Parcel], mail: Mail) -> None:
        """Let those leave that waited for these, which are taken or given up."""
        for lane in {parcel.lane for parcel in parcels if parcel.lane is not None}:
            held = self._held.pop(lane, deque())
            for parcel in reversed(held):
                self._trays[parcel.number].appendleft(parcel)
            for number in {parcel.number for parcel in held}:
                self._empty_soon(number, mail)

    def forget(self) -> None:
        """Drop everything."""
        for collecting in self._collecting.values():
            collecting.cancel()
        for waiting in (self._lanes, self._trays, self._held, self._collecting):
            waiting.clear()

    def _empty_soon(self, number: PhoneNumber, mail: Mail) -> None:
        waiting = len(self._trays[number])
        if waiting >= mail.batch:
            self._empty(number, mail.batch)
        elif waiting and number not in self._collecting:
            self._collecting[number] = asyncio.get_running_loop().call_later(
                mail.batch_wait, self._empty, number, mail.batch
            )

    def _empty(self, number: PhoneNumber, most: int) -> None:
        collecting = self._collecting.pop(number, None)
        if collecting is not None:
            collecting.cancel()
        tray, together = self._trays.pop(number, deque()), _Together()
        while tray:
            parcel = tray.popleft()
            held = self._held.get(parcel.lane)
            if held is not None and (held or parcel.done or parcel.lane not in together.lanes):
                held.append(parcel)
                continue
            if parcel.lane is not None:
                self._held.setdefault(parcel.lane, deque())
            if parcel.done is not None:
                self._leave([parcel])
                continue
            together.add(parcel)
            if len(together.parcels) >= most:
                self._leave(together.parcels)
                together = _Together()
        if together.parcels:
            self._leave(together.parcels)


class _Together:
    """What leaves in one POST."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.lanes: set[Hashable] = set()

    def add(self, parcel: Parcel) -> None:
        self.parcels.append(parcel)
        if parcel.lane is not None:
            self.lanes.add(parcel.lane)


def mixed(parcels: Sequence[Parcel], dice: Random) -> list[Parcel]:
    """Return parcels in some order; those of a lane keep theirs."""
    lanes: defaultdict[Hashable, deque[Parcel]] = defaultdict(deque)
    for parcel in parcels:
        lanes[parcel.lane].append(parcel)
    some = list(parcels)
    dice.shuffle(some)
    return [one if one.lane is None else lanes[one.lane].popleft() for one in some]
