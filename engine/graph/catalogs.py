"""The Graph API's calls for catalogues and their items; when to make them is not known here."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import orjson

from engine.errors import GraphRetryable, GraphTerminal
from engine.graph.client import GraphClient, Json
from engine.sync.calls import (
    BatchStatus,
    CommerceSettings,
    MetaCatalog,
    MetaItem,
    MetaSet,
    Taken,
)
from engine.sync.ports import ItemId
from engine.whatsapp.json_values import as_elements, as_object, as_objects

# platform-facts 5.3 and 5.4; the field list of ProductItem is that of Meta's SDK.
ITEM_FIELDS: Final = (
    "retailer_id",
    "name",
    "description",
    "availability",
    "condition",
    "price",
    "currency",
    "url",
    "image_url",
    "brand",
    "product_type",
    "custom_label_0",
    "size",
    "retailer_product_group_id",
)
_STATUS_FIELDS: Final = (
    "handle,status,errors,errors_total_count,warnings,warnings_total_count,ids_of_invalid_requests"
)
_NAMED: Final = "id,name"
_SET_FIELDS: Final = "id,name,retailer_id"
GIVEN_UP: Final = frozenset({"canceled", "cancelled", "error", "fatal"})
"""Statuses of a handle that nothing follows; Meta documents `finished` only."""
_ITEMS_PAGE: Final = 250
_PAGE: Final = 100
_MOST_PAGES: Final = 100
_BATCH_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
"""A batch has up to 28 MB, and Meta looks at all of it before it answers."""
_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_UNSAID: Final = "Meta did not say why"
# platform-facts 6: 100 is a parameter; a deleted object is one, as Graph's own message tells.
_PARAMETER: Final = 100
_NO_SUCH: Final = 803
_GONE: Final = "does not exist"


@dataclass(frozen=True, slots=True)
class GraphCatalogs:
    """The calls, with one access token: `engine.sync.calls.CatalogCalls`."""

    client: GraphClient
    token: str = field(repr=False)

    async def catalogs(self, business_id: str) -> tuple[MetaCatalog, ...]:
        """Give the catalogues a business owns."""
        return await self._catalogs(_path(business_id, "owned_product_catalogs"))

    async def create_catalog(self, business_id: str, name: str) -> str:
        """Make a catalogue and give its id."""
        path = _path(business_id, "owned_product_catalogs")
        made = await self._post(path, json={"name": name, "vertical": "commerce"})
        return _made(made, "catalogue")

    async def send(self, catalog_id: str, requests: Sequence[Json]) -> Taken:
        """Give Meta a batch of items: `{"method", "data"}` each, at most 3,000."""
        answer = await self.client.exchange(
            "POST",
            _path(catalog_id, "items_batch"),
            token=self.token,
            json={
                "item_type": "PRODUCT_ITEM",
                "allow_upsert": True,
                "requests": list(requests),
            },
            timeout=_BATCH_TIMEOUT,
        )
        if not isinstance(answer.body.get("handles"), list):
            raise GraphRetryable("Meta did not say whether it took the batch")
        return Taken(
            handles=tuple(filter(None, map(_text, answer.body["handles"]))),
            faults=_faults(_refusals(answer.body)),
            usage=answer.usage.percent,
            wait=answer.usage.wait,
        )

    async def status(self, catalog_id: str, handle: str) -> BatchStatus:
        """Ask how far a handle is."""
        path = _path(catalog_id, "check_batch_request_status")
        asked = {
            "handle": handle,
            "load_ids_of_invalid_requests": "true",
            "fields": _STATUS_FIELDS,
        }
        answer = await self._get(path, asked)
        for batch in as_objects(answer.get("data")):
            if batch.get("handle", handle) == handle:
                status = _text(batch.get("status")).lower()
                faults = _faults(_failures(batch))
                return BatchStatus(status == "finished", faults, is_lost=status in GIVEN_UP)
        return BatchStatus(is_finished=False)

    async def items(
        self, catalog_id: str, *, after: str | None = None
    ) -> tuple[tuple[MetaItem, ...], str | None]:
        """Give a page of a catalogue's items, and where the next one begins."""
        asked = {"fields": ",".join(ITEM_FIELDS), "limit": str(_ITEMS_PAGE)}
        if after is not None:
            asked["after"] = after
        page = await self._get(_path(catalog_id, "products"), asked)
        return tuple(_items(page)), _next(page, after)

    async def item(self, catalog_id: str, item: ItemId) -> MetaItem | None:
        """Give one item of a catalogue."""
        wanted = orjson.dumps({"retailer_id": {"eq": item}}).decode()
        asked = {"fields": ",".join(ITEM_FIELDS), "filter": wanted}
        page = await self._get(_path(catalog_id, "products"), asked)
        return next((each for each in _items(page) if each.item == item), None)

    async def sets(self, catalog_id: str) -> tuple[MetaSet, ...]:
        """Give a catalogue's product sets."""
        found = await self._all(_path(catalog_id, "product_sets"), fields=_SET_FIELDS)
        return tuple(
            MetaSet(_text(each.get("id")), _text(each.get("name")), _text(each.get("retailer_id")))
            for each in found
        )

    async def create_set(self, catalog_id: str, *, name: str, retailer_id: str, rule: Json) -> str:
        """Make a product set and give its id."""
        body = {
            "name": name,
            "retailer_id": retailer_id,
            # JSON in JSON: the parameter is a text that holds a rule.
            "filter": orjson.dumps(rule).decode(),
        }
        return _made(await self._post(_path(catalog_id, "product_sets"), json=body), "product set")

    async def rename_set(self, set_id: str, name: str) -> None:
        """Give a product set another name."""
        await self._post(_path(set_id), json={"name": name})

    async def delete_set(self, set_id: str) -> None:
        """Delete a product set; that one is gone already is no error."""
        asked = {"allow_live_product_set_deletion": "true"}
        try:
            await self._done("DELETE", _path(set_id), params=asked)
        except GraphTerminal as error:
            told = f"{error} {error.details}"
            is_parameter = error.code == _PARAMETER and _GONE in told
            if not is_parameter and error.code != _NO_SUCH:
                raise

    async def connected(self, waba_id: str) -> tuple[MetaCatalog, ...]:
        """Give the catalogues connected to a WhatsApp account."""
        return await self._catalogs(_path(waba_id, "product_catalogs"))

    async def connect(self, waba_id: str, catalog_id: str) -> None:
        """Connect a catalogue to a WhatsApp account."""
        await self._post(_path(waba_id, "product_catalogs"), params={"catalog_id": catalog_id})

    async def commerce_settings(self, phone_number_id: str) -> CommerceSettings | None:
        """Tell what customers see on a number; None if Meta does not tell."""
        answer = await self._get(_path(phone_number_id, "whatsapp_commerce_settings"), {})
        for each in as_objects(answer.get("data")):
            return CommerceSettings(
                is_cart_enabled=each.get("is_cart_enabled") is True,
                is_catalog_visible=each.get("is_catalog_visible") is True,
            )
        return None

    async def show_catalog(self, phone_number_id: str) -> None:
        """Show the catalogue and the cart on a number."""
        asked = {"is_cart_enabled": "true", "is_catalog_visible": "true"}
        await self._post(_path(phone_number_id, "whatsapp_commerce_settings"), params=asked)

    async def _catalogs(self, path: str) -> tuple[MetaCatalog, ...]:
        found = await self._all(path, fields=_NAMED)
        return tuple(MetaCatalog(_text(each.get("id")), _text(each.get("name"))) for each in found)

    async def _all(self, path: str, *, fields: str) -> tuple[Mapping[str, Any], ...]:
        """Give everything in a list that has an id, page after page."""
        found: list[Mapping[str, Any]] = []
        after: str | None = None
        for _ in range(_MOST_PAGES):
            asked = {"fields": fields, "limit": str(_PAGE)}
            page = await self._get(path, asked if after is None else {**asked, "after": after})
            found += as_objects(page.get("data"))
            after = _next(page, after)
            if after is None:
                break
        return tuple(each for each in found if _text(each.get("id")))

    async def _get(self, path: str, params: Mapping[str, str]) -> Json:
        return await self.client.request("GET", path, token=self.token, params=dict(params))

    async def _post(self, path: str, **content: Any) -> Json:
        return await self._done("POST", path, **content)

    async def _done(self, method: str, path: str, **content: Any) -> Json:
        answer = await self.client.request(method, path, token=self.token, **content)
        if answer.get("success") is False:
            raise GraphTerminal("Meta did not do it, and does not say why")
        return answer


def _path(*parts: str) -> str:
    """Put a path together; an id somebody wrote into a document may be anything."""
    for part in parts:
        if not _ID.fullmatch(part):
            raise GraphTerminal(f"{part!r} is no id of Meta's")
    return "".join(f"/{part}" for part in parts)


def _made(answer: Json, what: str) -> str:
    made = _text(answer.get("id"))
    if not made:
        raise GraphRetryable(f"Meta did not name the {what} it made")
    return made


def _next(page: Json, after: str | None) -> str | None:
    """Give where the next page begins; None at the end, and where it would begin again."""
    paging = as_object(page.get("paging"))
    begin = _text(as_object(paging.get("cursors")).get("after"))
    return begin if begin and paging.get("next") and begin != after else None


def _items(page: Json) -> Iterator[MetaItem]:
    for each in as_objects(page.get("data")):
        item = _text(each.get("retailer_id"))
        if item:
            texts = {name: _text(each.get(name)) for name in ITEM_FIELDS}
            yield MetaItem(ItemId(item), {name: text for name, text in texts.items() if text})


def _refusals(body: Json) -> Iterator[tuple[str, str]]:
    """Tell why items of a batch were not taken; warnings keep none from it."""
    for each in as_objects(body.get("validation_status")):
        for error in as_elements(each.get("errors")):
            yield _text(each.get("retailer_id")), _text(as_object(error).get("message"))


def _failures(batch: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Tell why items of a batch were not saved."""
    for error in as_objects(batch.get("errors")):
        yield _text(error.get("id")), _text(error.get("message"))
    for item in as_elements(batch.get("ids_of_invalid_requests")):
        yield _text(item), ""


def _faults(told: Iterable[tuple[str, str]]) -> dict[ItemId, str]:
    reasons: dict[ItemId, dict[str, None]] = {}
    for item, reason in told:
        if item:
            reasons.setdefault(ItemId(item), {})[reason.strip()] = None
    return {item: "; ".join(filter(None, said)) or _UNSAID for item, said in reasons.items()}


def _text(value: object) -> str:
    """Write a value as text; a list, an object or nothing is none."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""
