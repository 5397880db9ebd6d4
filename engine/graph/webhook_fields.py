"""The Graph API's calls about the fields that an app's webhook is told of; nothing is judged here.

They are the app's own, so they are made with its secret and not with a tenant's token
(graph-api/reference/app/subscriptions).
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from engine.errors import GraphTerminal
from engine.graph.client import GraphClient
from engine.whatsapp.json_values import as_objects

OBJECT: Final = "whatsapp_business_account"
_ID: Final = re.compile(r"[0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class Hook:
    """What an app is told of, of WhatsApp accounts.

    Args:
        callback_url: where; empty if there is none.
    """

    callback_url: str = ""
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GraphWebhookFields:
    """The calls of one app.

    Args:
        secret: of the app.
    """

    client: GraphClient
    app_id: str
    secret: str = field(repr=False)

    async def hook(self) -> Hook:
        """Tell what the app is told of.

        Raises:
            GraphError: Meta does not answer, or refuses the question.
        """
        answer = await self._ask("GET")
        for each in as_objects(answer.get("data")):
            if each.get("object") == OBJECT:
                fields = each.get("fields")
                names = fields if isinstance(fields, list) else []
                told = frozenset(name for one in names if (name := _name(one)))
                return Hook(str(each.get("callback_url") or ""), told)
        return Hook()

    async def subscribe(self, hook: Hook, *, verify_token: str) -> None:
        """Let the app be told of fields, at an address that Meta asks at once.

        Raises:
            GraphError: Meta does not answer, or refuses it.
        """
        await self._ask(
            "POST",
            data={
                "object": OBJECT,
                "callback_url": hook.callback_url,
                "verify_token": verify_token,
                "fields": ",".join(sorted(hook.fields)),
            },
        )

    async def _ask(self, method: str, **content: Any) -> dict[str, Any]:
        if not _ID.fullmatch(self.app_id):
            raise GraphTerminal(f"'{self.app_id[:40]}' is not the id of an app", code=100)
        path = f"/{self.app_id}/subscriptions"
        token = f"{self.app_id}|{self.secret}"
        return await self.client.request(method, path, token=token, **content)


def _name(each: object) -> str:
    # Older versions write the bare name.
    name = each.get("name") if isinstance(each, dict) else each
    return name if isinstance(name, str) else ""
