"""What the Graph API shows of Flows: fields, pages of a list, health."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from starlette.datastructures import URL

from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.flow_publishing import obstacles
from engine.sandbox.flow_state import Flow
from engine.sandbox.options import SandboxOptions
from engine.sandbox.state import World

DEFAULT = ("id", "name", "status", "categories", "validation_errors")
PAGE = 25
LONGEST_PAGE = 100
PREVIEW_LASTS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Showing:
    """Shows Flows."""

    world: World
    options: SandboxOptions

    def flow(self, flow: Flow, fields: str | None) -> JsonObject:
        """Return the wanted fields of a Flow, and its id; a field without value is left out."""
        names = DEFAULT if fields is None else tuple(field_names(fields))
        shown: JsonObject = {}
        for name in names:
            if name not in FIELDS:
                message = f"(#100) Tried accessing nonexisting field ({name})"
                raise GraphRefusal(Complaint(100, message=message))
            value = FIELDS[name](self, flow)
            if value is not None:
                shown[name] = value
        return shown | {"id": flow.id}

    def page(self, flows: list[Flow], query: Mapping[str, str], url: URL) -> JsonObject:
        """Return one page of a list, with the way to the next one."""
        start = _position(query.get("after"))
        size = query.get("limit", str(PAGE))
        if not size.isdecimal() or not 1 <= int(size) <= LONGEST_PAGE:
            raise GraphRefusal(Complaint(100, "Param limit is not valid"))
        end = min(start + int(size), len(flows))
        data = [self.flow(flow, query.get("fields")) for flow in flows[start:end]]
        if not data:
            return {"data": []}
        paging: JsonObject = {"cursors": {"before": _cursor(start), "after": _cursor(end)}}
        if end < len(flows):
            paging["next"] = str(url.include_query_params(after=_cursor(end)))
        return {"data": data, "paging": paging}

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


def field_names(fields: str) -> list[str]:
    """Read the names in a `fields` parameter; arguments such as `preview.invalidate(false)` go."""
    parts = re.split(r",(?![^()]*\))", fields)
    return [re.split(r"[.({]", part.strip())[0] for part in parts if part.strip()]


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


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(str(position).encode()).decode()


def _position(cursor: str | None) -> int:
    try:
        return 0 if cursor is None else int(base64.urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error) as problem:
        raise GraphRefusal(Complaint(100, "Param after is not valid")) from problem
