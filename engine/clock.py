"""Time and chance: the only places the engine takes them from, so that tests can set both."""

import random
import secrets
from datetime import UTC, datetime, timedelta
from typing import Protocol

# Crockford's alphabet without letters that are misread or spell words by accident.
ORDER_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
ORDER_LENGTH = 6


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Give the time in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the time in UTC, cut to the millisecond that MongoDB stores."""
        now = datetime.now(UTC)
        return now.replace(microsecond=now.microsecond // 1000 * 1000)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._now = at.astimezone(UTC)

    def now(self) -> datetime:
        """Give the time it was set to."""
        return self._now

    def move(self, by: timedelta) -> None:
        """Move it forward."""
        self._now += by

    def set(self, at: datetime) -> None:
        """Set it."""
        self._now = at.astimezone(UTC)


class Ids(Protocol):
    """Makes ids that nobody can guess."""

    def order_number(self) -> str:
        """Make a short order number, such as `K7M2QX`."""
        ...

    def token(self) -> str:
        """Make a long id."""
        ...

    def jitter(self) -> float:
        """Give a factor for a wait, so that not everybody comes back at the same time."""
        ...


class RandomIds:
    """Ids from the machine's secure source."""

    def order_number(self) -> str:
        """Make one of 28^6 = 481 million numbers; the unique index catches the rare repetition."""
        return "".join(secrets.choice(ORDER_ALPHABET) for _ in range(ORDER_LENGTH))

    def token(self) -> str:
        """Make an id of 128 random bits."""
        return secrets.token_hex(16)

    def jitter(self) -> float:
        """Give a factor from a half to one and a half."""
        return random.uniform(0.5, 1.5)


class SeededIds:
    """Ids that repeat from run to run, for tests."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)

    def reset(self, seed: int) -> None:
        """Begin the sequence of another seed."""
        self._random.seed(seed)

    def order_number(self) -> str:
        """Make the next number of the seed's sequence."""
        return "".join(self._random.choice(ORDER_ALPHABET) for _ in range(ORDER_LENGTH))

    def token(self) -> str:
        """Make the next id of the seed's sequence."""
        return f"{self._random.getrandbits(128):032x}"

    def jitter(self) -> float:
        """Give one: the sequence is for what customers see."""
        return 1.0
