"""The Graph API's calls about message templates; when to make them is not known here."""

from dataclasses import dataclass, field
from typing import Any, Final

from engine.errors import GraphRetryable, GraphTerminal
from engine.graph.client import GraphClient, Json
from engine.message_templates.ports import MetaTemplate
from engine.whatsapp.templates import Definition

_FIELDS: Final = "id,name,language,status,category,components,rejected_reason"
_PAGE: Final = 100
_MOST_PAGES: Final = 100
_NO_REASON: Final = "NONE"


@dataclass(frozen=True, slots=True)
class GraphTemplates:
    """The calls, with one access token: `engine.message_templates.ports.TemplateCalls`."""

    client: GraphClient
    token: str = field(repr=False)

    async def templates(self, waba_id: str) -> tuple[MetaTemplate, ...]:
        """Give the templates of a WhatsApp account."""
        found: list[MetaTemplate] = []
        params = {"fields": _FIELDS, "limit": str(_PAGE)}
        path = f"/{waba_id}/message_templates"
        for _ in range(_MOST_PAGES):
            page = await self.client.request("GET", path, token=self.token, params=dict(params))
            found += [_template(each) for each in page.get("data") or () if isinstance(each, dict)]
            paging = page.get("paging") or {}
            after = (paging.get("cursors") or {}).get("after")
            if not paging.get("next") or not after:
                break
            params = {**params, "after": str(after)}
        return tuple(found)

    async def create(self, waba_id: str, definition: Definition) -> MetaTemplate:
        """Create a template, which Meta has to approve."""
        path = f"/{waba_id}/message_templates"
        made = await self.client.request("POST", path, token=self.token, json=definition.to_wire())
        if not made.get("id"):
            raise GraphRetryable("Meta did not name the template it made")
        return MetaTemplate(
            id=str(made["id"]),
            name=definition.name,
            language=definition.language,
            status=str(made.get("status") or "PENDING"),
            category=str(made.get("category") or definition.category).lower(),
            digest=definition.digest,
        )

    async def edit(self, template_id: str, definition: Definition, *, category: str) -> None:
        """Give a template the text, footer and buttons of a definition; all others go.

        Args:
            category: the new one; empty if it is not to be changed.
        """
        wire: Json = {"components": definition.to_wire()["components"]}
        if category:
            wire["category"] = category.upper()
        path = f"/{template_id}"
        answer = await self.client.request("POST", path, token=self.token, json=wire)
        if not answer.get("success"):
            raise GraphTerminal("Meta did not say that the template was edited")


def _template(body: Json) -> MetaTemplate:
    name, language = str(body.get("name", "")), str(body.get("language", ""))
    category, reason = str(body.get("category") or "").lower(), body.get("rejected_reason")
    seen = Definition(name, language, category, **_seen(body.get("components")))
    return MetaTemplate(
        id=str(body.get("id", "")),
        name=name,
        language=language,
        status=str(body.get("status", "")),
        category=category,
        digest=seen.digest,
        reason="" if reason in (None, _NO_REASON) else str(reason),
    )


def _seen(components: object) -> dict[str, Any]:
    """Give what customers see of a template."""
    seen: dict[str, Any] = {"body": ""}
    for component in components if isinstance(components, list) else ():
        if component.get("type") in ("BODY", "FOOTER"):
            seen[component["type"].lower()] = str(component.get("text", ""))
        if component.get("type") == "BUTTONS":
            buttons = component.get("buttons") or ()
            seen["buttons"] = tuple(str(button.get("text", "")) for button in buttons)
    return seen
