"""What the Graph API shows of Flows: fields and health; pages of a list are in `pages`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_publishing import obstacles
from engine.sandbox.flow_state import Flow
from engine.sandbox.options import SandboxOptions
from engine.sandbox.pages import field_names, shown
from engine.sandbox.state import World

DEFAULT = ("id", "name", "status", "categories", "validation_errors")
PREVIEW_LASTS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Showing:
    """Shows Flows."""

    world: World
    options: SandboxOptions

    def flow(self, flow: Flow, fields: str | None) -> JsonObject:
        """Return the wanted fields of a Flow, and its id; a field without value is left out."""
        names = DEFAULT if fields is None else field_names(fields)
        return shown(names, FIELDS, self, flow) | {"id": flow.id}

    def preview(self, flow: Flow) -> JsonObject:
        """Return where a Flow can be looked at; nothing answers there."""
        expires = self.options.clock() + PREVIEW_LASTS
        return {
            "preview_url": f"https://business.facebook.com/wa/manage/flows/{flow.id}/preview/",
            "expires_at": expires.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }

    def health(self, flow: Flow) -> JsonObject:
        """Return whether a Flow can be sent, and what is in the way."""
        known = "BLOCKED" if flow.status in ("BLOCKED", "DEPRECATED") else "AVAILABLE"
        health = "LIMITED" if flow.status == "THROTTLED" else known
        found = list(obstacles(flow, self.world)) if flow.status == "DRAFT" else []
        if found:
            health = "BLOCKED"
        entity: JsonObject = {"entity_type": "FLOW", "id": flow.id, "can_send_message": health}
        if found:
            entity["errors"] = [
                {
                    "error_code": 131000,
                    "error_description": one.title,
                    "possible_solution": one.message,
                }
                for one in found
            ]
        account = {
            "entity_type": "WABA",
            "id": flow.waba_id,
            "can_send_message": "AVAILABLE",
        }
        return {"can_send_message": health, "entities": [entity, account]}


def _said(name: str) -> Callable[[Showing, Flow], Any]:
    """Return what shows a property of the uploaded Flow JSON."""
    return lambda _, flow: (flow.document or {}).get(name)


def _linked(flow: Flow) -> JsonObject | None:
    return None if flow.application_id is None else {"id": flow.application_id}


FIELDS: Mapping[str, Callable[[Showing, Flow], Any]] = MappingProxyType(
    {
        "id": lambda _, flow: flow.id,
        "name": lambda _, flow: flow.name,
        "status": lambda _, flow: flow.status,
        "categories": lambda _, flow: flow.categories,
        "validation_errors": lambda _, flow: flow.validation_errors,
        "json_version": _said("version"),
        "data_api_version": _said("data_api_version"),
        "endpoint_uri": lambda _, flow: flow.endpoint_uri,
        "preview": Showing.preview,
        "health_status": Showing.health,
        "whatsapp_business_account": lambda _, flow: {"id": flow.waba_id},
        "application": lambda _, flow: _linked(flow),
    }
)
