"""The Graph API's calls about access tokens, numbers and subscriptions; nothing is judged here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from engine.errors import GraphTerminal
from engine.graph.client import TOKEN, GraphClient, Json
from engine.whatsapp.json_values import as_integer, as_objects

# platform-facts 1.2 and 5.2, Meta's page `permissions`.
MESSAGING: Final = "whatsapp_business_messaging"
MANAGEMENT: Final = "whatsapp_business_management"
CATALOG: Final = "catalog_management"

_NUMBER_FIELDS: Final = (
    "id,display_phone_number,verified_name,quality_rating,status,platform_type,"
    "code_verification_status,name_status"
)
_PAGE: Final = 100
_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
# platform-facts 6: a parameter; an object that is gone, or that the token does not see, is one.
_NO_SUCH: Final = frozenset({100, 803})
# A token that is of no developer of the app may not ask, not even about itself.
_NOT_TOLD: Final = frozenset({10, 100, *range(200, 300)})


@dataclass(frozen=True, slots=True)
class Access:
    """What Meta tells of an access token.

    Args:
        app_id: the app it was made for; empty if Meta does not tell.
        expires_at: when nobody may use it any more; None if that is never.
        data_expires_at: when it reads no data any more; None if it always does.
        targets: by permission, the objects it is restricted to; one that is not in it has all.
        reason: why it is not valid, as Meta says it.
    """

    is_valid: bool
    app_id: str = ""
    expires_at: datetime | None = None
    data_expires_at: datetime | None = None
    scopes: frozenset[str] = frozenset()
    targets: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MetaNumber:
    """A business phone number as Meta has it; what Meta does not tell is empty."""

    id: str
    verified_name: str = ""
    quality: str = ""
    status: str = ""
    platform: str = ""
    verification: str = ""
    name_status: str = ""


@dataclass(frozen=True, slots=True)
class SubscribedApp:
    """An app that is told of an account's messages; `address` is empty if it is the app's own."""

    id: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class GraphAccounts:
    """The calls, with one access token."""

    client: GraphClient
    token: str = field(repr=False)

    async def access(self) -> Access | None:
        """Tell what the access token is good for; None if Meta does not tell.

        Raises:
            GraphError: Meta does not answer, or refuses the question.
        """
        try:
            answer = await self._get("/debug_token", {"input_token": self.token})
        except GraphTerminal as error:
            if error.code == TOKEN:
                return Access(is_valid=False, reason=str(error))
            if error.code in _NOT_TOLD:
                return None
            raise
        data = answer.get("data")
        return _access(data) if isinstance(data, dict) else None

    async def number(self, phone_number_id: str) -> MetaNumber:
        """Tell how a number is."""
        body = await self._get(_path(phone_number_id), {"fields": _NUMBER_FIELDS})
        return MetaNumber(
            id=_text(body.get("id")),
            verified_name=_text(body.get("verified_name")),
            quality=_text(body.get("quality_rating")).upper(),
            status=_text(body.get("status")).upper(),
            platform=_text(body.get("platform_type")).upper(),
            verification=_text(body.get("code_verification_status")).upper(),
            name_status=_text(body.get("name_status")).upper(),
        )

    async def apps(self, waba_id: str) -> tuple[SubscribedApp, ...]:
        """Tell which apps are told of the messages of a WhatsApp account."""
        answer = await self._get(_path(waba_id, "subscribed_apps"), {"limit": str(_PAGE)})
        return tuple(_app(each) for each in as_objects(answer.get("data")))

    async def subscribe(self, waba_id: str) -> None:
        """Let the token's app be told of the messages of a WhatsApp account."""
        path = _path(waba_id, "subscribed_apps")
        answer = await self.client.request("POST", path, token=self.token)
        if answer.get("success") is False:
            raise GraphTerminal("Meta did not do it, and does not say why")

    async def has(self, object_id: str) -> bool:
        """Tell whether the token sees an object."""
        try:
            await self._get(_path(object_id), {"fields": "id"})
        except GraphTerminal as error:
            if error.code in _NO_SUCH:
                return False
            raise
        return True

    async def _get(self, path: str, params: Mapping[str, str]) -> Json:
        return await self.client.request("GET", path, token=self.token, params=dict(params))


def _access(data: Json) -> Access:
    error = data.get("error")
    scopes = data.get("scopes")
    granular = as_objects(data.get("granular_scopes"))
    return Access(
        is_valid=data.get("is_valid") is True,
        app_id=_text(data.get("app_id")),
        expires_at=_time(data.get("expires_at")),
        data_expires_at=_time(data.get("data_access_expires_at")),
        scopes=frozenset(map(str, scopes)) if isinstance(scopes, list) else frozenset(),
        targets={
            _text(each.get("scope")): frozenset(map(str, each["target_ids"]))
            for each in granular
            if isinstance(each.get("target_ids"), list)
        },
        reason=_text(error.get("message")) if isinstance(error, dict) else "",
    )


def _app(each: Mapping[str, Any]) -> SubscribedApp:
    data = each.get("whatsapp_business_api_data")
    known = data if isinstance(data, dict) else {}
    return SubscribedApp(_text(known.get("id")), _text(each.get("override_callback_uri")))


def _time(value: object) -> datetime | None:
    seconds = as_integer(value) or 0
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def _path(*parts: str) -> str:
    for part in parts:
        if not _ID.fullmatch(part):
            raise GraphTerminal(f"'{part[:40]}' is not an id of Meta's", code=100)
    return "/" + "/".join(parts)


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""
