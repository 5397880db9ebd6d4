"""The exception tree: every error that crosses a stage of the engine, and no texts for customers.

EngineError
  > SettingsError            the environment does not make a usable configuration
  > MalformedKey             a text is not a private key that Flows can use
  > UnknownTenant            somebody named a tenant that has no folder
  > SpecError(problems)      an authored document is wrong: the last good bundle serves
  > TurnError                a turn cannot be finished: nothing is saved, `problem` is said
      > RenderFailed         a template failed, or a rendered message breaks a limit of WhatsApp
      > ChartStuck           a turn took more steps than allowed
  > GraphError               Meta did not take a request; only the relay catches it
      > GraphRetryable       it may work later
          > GraphNoAnswer    it may have been taken: nobody knows
      > GraphTerminal        it never will
  > LimitExceeded            a message would break a limit of WhatsApp
  > Refused                  a request from outside is not served
      > BadSignature         its signature is missing or wrong
      > Malformed            it cannot be read
      > Undecipherable       it was encrypted for another key, or changed on the way
  > Unavailable              the database does not answer
  > FeedLost                 the database's changes cannot be followed from where we were
  > Conflict                 another turn was faster: take the whole turn again
      > Answered             the message was answered already: there is nothing to do
"""

from typing import ClassVar


class EngineError(Exception):
    """Any error the engine raises on purpose.

    Args:
        is_plain: its sentence quotes nobody, neither a customer nor Meta: it may stand in a log.
    """

    is_plain: ClassVar[bool] = False


class SettingsError(EngineError):
    """The environment does not make a usable configuration."""

    is_plain = True


class MalformedKey(EngineError):
    """A text is not a private key that Flows can use; the message says what to do."""


class UnknownTenant(EngineError):
    """Somebody named a tenant that has no folder."""

    is_plain = True


class TurnError(EngineError):
    """A turn cannot be finished; nothing of it is saved."""


class RenderFailed(TurnError):
    """A template failed, or what it rendered breaks a limit of WhatsApp."""


class ChartStuck(TurnError):
    """A turn took more steps than allowed."""


class GraphError(EngineError):
    """Meta did not take a request.

    Args:
        message: what Meta said.
        code: Meta's error code; 0 when there was none (no answer, a gateway page).
        details: `error_data.details`, the part Meta advises to build on.
    """

    def __init__(self, message: str, *, code: int = 0, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.details = details


class GraphRetryable(GraphError):
    """Meta did not take a request now; it may work later.

    Args:
        message, code, details: as of GraphError.
        wait: seconds until it may work, if Meta says so; else 0.
    """

    def __init__(
        self, message: str, *, code: int = 0, details: str = "", wait: float = 0.0
    ) -> None:
        super().__init__(message, code=code, details=details)
        self.wait = wait


class GraphNoAnswer(GraphRetryable):
    """Meta did not answer a request that had gone out; it may have taken it."""


class GraphTerminal(GraphError):
    """Meta will never take this request."""


class LimitExceeded(EngineError):
    """A message would break a limit of WhatsApp.

    Args:
        field: the field of the message, such as `list.rows[3].title`.
        limit: what WhatsApp allows (characters or elements).
        length: what the message has.
    """

    def __init__(self, field: str, *, limit: int, length: int) -> None:
        super().__init__(f"{field}: WhatsApp allows {limit}, this has {length}")
        self.field = field
        self.limit = limit
        self.length = length


class Refused(EngineError):
    """A request from outside is not served."""


class BadSignature(Refused):
    """The signature of a request is missing or wrong."""

    is_plain = True


class Malformed(Refused):
    """A request cannot be read."""


class Undecipherable(Refused):
    """A request was encrypted for another key, or changed on the way."""

    is_plain = True


class Unavailable(EngineError):
    """The database does not answer."""

    is_plain = True


class FeedLost(EngineError):
    """The database's changes cannot be followed from where we were."""

    is_plain = True


class Conflict(EngineError):
    """Another turn changed the same records first; the whole turn is taken again."""

    is_plain = True


class Answered(Conflict):
    """The message was answered already; there is nothing to do."""
