"""The Graph API: makes one request, and says whether a failure may be tried again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from engine import tracing
from engine.errors import GraphNoAnswer, GraphRetryable, GraphTerminal, Malformed
from engine.graph.usage import Usage, usage_of
from engine.whatsapp.json_values import as_integer, load

Json = dict[str, Any]

# platform-facts 2.6: error codes that pass by themselves, on the WhatsApp error code page.
_PASSING: Final = frozenset(
    {1, 2, 4, 17, 613, 80007, 130429, 131000, 131016, 131048, 131056, 131057, 133004}
)
# platform-facts 6: rate limits of the Graph API, 80001 to 80014 those of business use cases
# (80009 of a catalogue, 80014 of its batches).
_RATE_LIMITS: Final = frozenset({4, 17, 32, 341, 613, *range(80001, 80015)})
RETRYABLE: Final = _PASSING | _RATE_LIMITS
# platform-facts 2.6 and 6: token, permission or parameter is wrong, whatever the HTTP status.
_TERMINAL: Final = frozenset({3, 10, 33, 100, 190, *range(200, 300), 131005, 131008, 131009})
TOKEN: Final = 190
"""Meta's code for an access token that is wrong or has expired."""
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
# It failed before anything of the request was written.
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Servers drop idle connections after five seconds: one that is older is not used again.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=64, keepalive_expiry=3.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What Meta answered, and how much of its rate limits is used up.

    Args:
        body: empty if Meta's was no JSON object.
    """

    body: Json
    usage: Usage


class GraphClient:
    """Talks to Meta, or to the sandbox: only the address differs.

    Args:
        url: such as `https://graph.facebook.com`.
        version: such as `v26.0`.
    """

    def __init__(self, url: str, version: str) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url.rstrip('/')}/{version}", timeout=_TIMEOUT, limits=_LIMITS
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def send(self, phone_number_id: str, *, token: str, payload: Mapping[str, Any]) -> str:
        """Send a message.

        Returns:
            The wamid Meta gave it; empty for a read receipt.

        Raises:
            GraphNoAnswer: Meta does not answer; it may have taken the request.
            GraphRetryable: Meta cannot be reached, or says later.
            GraphTerminal: Meta refuses it for good.
        """
        path = f"/{phone_number_id}/messages"
        body = await self.request("POST", path, token=token, json=dict(payload))
        sent = body.get("messages") or [{}]
        return str(sent[0].get("id", ""))

    async def request(self, method: str, path: str, *, token: str, **content: Any) -> Json:
        """Make a request, and give the body of the answer.

        Args:
            path: below the version.
            content: as of `exchange`.

        Raises:
            GraphNoAnswer: Meta does not answer; it may have taken the request.
            GraphRetryable: Meta cannot be reached, or says later.
            GraphTerminal: Meta refuses it for good.
        """
        return (await self.exchange(method, path, token=token, **content)).body

    async def exchange(self, method: str, path: str, *, token: str, **content: Any) -> Answer:
        """Make a request.

        Args:
            path: below the version.
            content: `json`, `params`, `data`, `files` or `timeout`, as httpx takes them.

        Raises:
            GraphNoAnswer: Meta does not answer; it may have taken the request.
            GraphRetryable: Meta cannot be reached, or says later.
            GraphTerminal: Meta refuses it for good.
        """
        # The last part of a path names what is asked; the others are ids.
        with tracing.within("graph", method=method, what=path.rpartition("/")[2]):
            return await self._exchange(method, path, token=token, **content)

    async def _exchange(self, method: str, path: str, *, token: str, **content: Any) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._http.request(method, path, headers=headers, **content)
        except (httpx.LocalProtocolError, UnicodeEncodeError) as error:
            # Such as a token with a line break: it cannot even be written.
            raise GraphTerminal(f"no request: {type(error).__name__}") from error
        except _NOT_SENT as error:
            raise GraphRetryable(f"no connection: {type(error).__name__}") from error
        except httpx.HTTPError as error:
            raise GraphNoAnswer(f"no answer: {type(error).__name__}") from error
        tracing.note(status=answer.status_code)
        body, usage = _json(answer), usage_of(answer.headers)
        if answer.is_success:
            return Answer(body, usage)
        raise _error(answer.status_code, body, usage)


def _json(answer: httpx.Response) -> Json:
    try:
        body = load(answer.content)
    except Malformed:
        return {}
    return body if isinstance(body, dict) else {}


def _error(status: int, body: Mapping[str, Any], usage: Usage) -> GraphRetryable | GraphTerminal:
    error = body.get("error")
    if not isinstance(error, dict):
        message = f"HTTP {status} without an error of Meta"
        if status >= 500:
            # A gateway's page: who knows what is behind it.
            return GraphNoAnswer(message, wait=usage.wait)
        if _is_later(status):
            return GraphRetryable(message, wait=usage.wait)
        return GraphTerminal(message)
    code = as_integer(error.get("code")) or 0
    if code == 0 and status == 401:
        code = TOKEN  # platform-facts 2.6: 0 and 190 are the same, and 0 is also no code at all
    message, details = str(error.get("message", "")), _details(error)
    if _is_retryable(status, code, is_transient=error.get("is_transient") is True):
        return GraphRetryable(message, code=code, details=details, wait=usage.wait)
    return GraphTerminal(message, code=code, details=details)


def _details(error: Mapping[str, Any]) -> str:
    told = error.get("error_data")
    details = told.get("details") if isinstance(told, dict) else told
    # The calls that manage Flows explain themselves in the text for people.
    return str(details or error.get("error_user_msg") or error.get("error_user_title") or "")


def _is_retryable(status: int, code: int, *, is_transient: bool) -> bool:
    if code in _TERMINAL:
        return False
    return code in RETRYABLE or is_transient or _is_later(status)


def _is_later(status: int) -> bool:
    return status >= 500 or status == 429
