"""The Graph API's calls that manage Flows and their keys; when to make them is not known here."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.deployment.calls import Complaint, MetaFlow, RegisteredKey
from engine.errors import GraphRetryable, GraphTerminal
from engine.graph.client import GraphClient, Json

_FIELDS: Final = (
    "id,name,status,endpoint_uri,json_version,health_status,validation_errors,categories"
)
_LISTED: Final = "id,name,status,endpoint_uri"
_PAGE: Final = 100
_MOST_PAGES: Final = 100
_STEP: Final = re.compile(r"[^./\[\]\"'\s]+")


@dataclass(frozen=True, slots=True)
class GraphFlows:
    """The calls, with one access token: `engine.deployment.calls.FlowCalls`."""

    client: GraphClient
    token: str = field(repr=False)

    async def flows(self, waba_id: str) -> tuple[MetaFlow, ...]:
        """Give the Flows of a WhatsApp account with id, name, status and address."""
        found: list[MetaFlow] = []
        params = {"fields": _LISTED, "limit": str(_PAGE)}
        for _ in range(_MOST_PAGES):
            page = await self._get(f"/{waba_id}/flows", params)
            found += [_flow(each) for each in _objects(page.get("data"))]
            paging = _object(page.get("paging"))
            after = _object(paging.get("cursors")).get("after")
            if not paging.get("next") or not after:
                break
            params = {**params, "after": str(after)}
        return tuple(found)

    async def flow(self, flow_id: str) -> MetaFlow:
        """Give a Flow with everything Meta tells."""
        return _flow(await self._get(f"/{flow_id}", {"fields": _FIELDS}))

    async def create(
        self,
        waba_id: str,
        name: str,
        categories: Sequence[str],
        endpoint_uri: str,
        clone_flow_id: str | None = None,
    ) -> str:
        """Make a draft, and give its id."""
        body: Json = {
            "name": name,
            "categories": list(categories),
            "endpoint_uri": endpoint_uri,
        }
        if clone_flow_id:
            body["clone_flow_id"] = clone_flow_id
        made = await self._post(f"/{waba_id}/flows", json=body)
        if not made.get("id"):
            raise GraphRetryable("Meta did not name the Flow it made")
        return str(made["id"])

    async def metadata(self, flow_id: str, *, endpoint_uri: str, name: str) -> None:
        """Change a Flow's address and name."""
        await self._post(f"/{flow_id}", json={"endpoint_uri": endpoint_uri, "name": name})

    async def upload(self, flow_id: str, text: str) -> tuple[Complaint, ...]:
        """Give a Flow its Flow JSON; with complaints it cannot be published."""
        answer = await self._post(
            f"/{flow_id}/assets",
            data={"name": "flow.json", "asset_type": "FLOW_JSON"},
            files={"file": ("flow.json", text.encode(), "application/json")},
        )
        return _complaints(answer)

    async def publish(self, flow_id: str) -> None:
        """Let customers have a draft."""
        await self._post(f"/{flow_id}/publish")

    async def deprecate(self, flow_id: str) -> None:
        """Let nobody have a published Flow any more."""
        await self._post(f"/{flow_id}/deprecate")

    async def public_key(self, phone_number_id: str) -> RegisteredKey | None:
        """Give the public key that is registered for a phone number."""
        answer = await self._get(f"/{phone_number_id}/whatsapp_business_encryption", {})
        # Under `data` in Meta's reference, at the top in its guide.
        for each in (*_objects(answer.get("data")), answer):
            pem = each.get("business_public_key")
            if pem:
                signature = each.get("business_public_key_signature_status")
                return RegisteredKey(str(pem), str(signature or ""))
        return None

    async def set_public_key(self, phone_number_id: str, pem: str) -> None:
        """Register a public key for a phone number."""
        path = f"/{phone_number_id}/whatsapp_business_encryption"
        await self._post(path, data={"business_public_key": pem})

    async def rights(self) -> frozenset[str] | None:
        """Name the permissions of the access token; None if Meta does not tell them."""
        try:
            answer = await self._get("/debug_token", {"input_token": self.token})
        except GraphTerminal:
            return None
        scopes = _object(answer.get("data")).get("scopes")
        return frozenset(map(str, scopes)) if isinstance(scopes, list) else None

    async def _get(self, path: str, params: Mapping[str, str]) -> Json:
        return await self.client.request("GET", path, token=self.token, params=dict(params))

    async def _post(self, path: str, **content: Any) -> Json:
        answer = await self.client.request("POST", path, token=self.token, **content)
        # An upload that has complaints is no success to Meta, but the draft is saved.
        if answer.get("success") is False and not answer.get("validation_errors"):
            raise GraphTerminal("Meta did not do it, and does not say why")
        return answer


def _flow(body: Json) -> MetaFlow:
    health = _object(body.get("health_status"))
    return MetaFlow(
        id=str(body.get("id", "")),
        name=str(body.get("name", "")),
        status=str(body.get("status", "")),
        endpoint=str(body.get("endpoint_uri") or ""),
        json_version=str(body.get("json_version") or ""),
        health=str(health.get("can_send_message") or ""),
        ailments=tuple(_ailments(health)),
        complaints=_complaints(body),
    )


def _ailments(health: Json) -> Iterator[str]:
    for entity in _objects(health.get("entities")):
        if entity.get("can_send_message") in (None, "AVAILABLE"):
            continue
        for error in _objects(entity.get("errors")):
            parts = (error.get("error_description"), error.get("possible_solution"))
            yield " ".join(str(part) for part in parts if part)
        yield from map(str, entity.get("additional_info") or ())


def _complaints(body: Json) -> tuple[Complaint, ...]:
    return tuple(_complaint(each) for each in _objects(body.get("validation_errors")))


def _complaint(error: Json) -> Complaint:
    line = error.get("line_start")
    pointers = error.get("pointers")
    first = pointers[0] if isinstance(pointers, list) and pointers else None
    return Complaint(
        message=str(error.get("message") or error.get("error") or ""),
        code=str(error.get("error") or ""),
        line=line if isinstance(line, int) else None,
        pointer=_pointer(first.get("path") if isinstance(first, dict) else first),
    )


def _pointer(written: object) -> tuple[str | int, ...]:
    """Read a path; Meta's are seen as `$root/screens/0`, `/screens/0` and `screens[0].id`."""
    if not isinstance(written, str):
        return ()
    steps = _STEP.findall(written)
    if steps and steps[0] in ("$", "$root", "#"):
        steps = steps[1:]
    return tuple(int(step) if step.isdecimal() else step for step in steps)


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
