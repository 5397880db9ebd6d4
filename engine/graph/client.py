"""The Graph API: makes one request, and says whether a failure may be tried again."""

from collections.abc import Mapping
from typing import Any

import httpx

from engine.errors import GraphRetryable, GraphTerminal

Json = dict[str, Any]

# platform-facts: error codes that pass by themselves, on the WhatsApp error code page.
RETRYABLE = frozenset(
    {1, 2, 4, 17, 613, 80007, 130429, 131000, 131016, 131048, 131056, 131057, 133004}
)
_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
# Servers drop idle connections after five seconds: one that is older is not used again.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=64, keepalive_expiry=3.0)


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
            GraphRetryable: Meta does not answer, or says later.
            GraphTerminal: Meta refuses it for good.
        """
        path = f"/{phone_number_id}/messages"
        body = await self.request("POST", path, token=token, json=dict(payload))
        sent = body.get("messages") or [{}]
        return str(sent[0].get("id", ""))

    async def request(self, method: str, path: str, *, token: str, **content: Any) -> Json:
        """Make a request.

        Args:
            path: below the version.
            content: `json`, `params`, `data` or `files`, as httpx takes them.

        Returns:
            What Meta answered; nothing if that is no JSON object.

        Raises:
            GraphRetryable: Meta does not answer, or says later.
            GraphTerminal: Meta refuses it for good.
        """
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._http.request(method, path, headers=headers, **content)
        except httpx.HTTPError as error:
            raise GraphRetryable(f"no answer: {type(error).__name__}") from error
        body = _json(answer)
        if answer.is_success:
            return body
        raise _error(answer.status_code, body)


def _json(answer: httpx.Response) -> Json:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _error(status: int, body: Mapping[str, Any]) -> GraphRetryable | GraphTerminal:
    error = body.get("error")
    if not isinstance(error, dict):
        kind = GraphRetryable if status >= 500 or status == 429 else GraphTerminal
        return kind(f"HTTP {status} without an error of Meta")
    code = error.get("code", 0)
    data = error.get("error_data")
    details = data.get("details", "") if isinstance(data, dict) else str(data or "")
    # The calls that manage Flows explain themselves in the text for people.
    details = details or error.get("error_user_msg") or error.get("error_user_title") or ""
    kind = GraphRetryable if code in RETRYABLE else GraphTerminal
    return kind(str(error.get("message", "")), code=int(code), details=str(details))
