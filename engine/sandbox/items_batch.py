"""The Graph routes for batches of items: taking one, and asking how far it is.

What a right item is, `items` knows; batches are worked off in `batches`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import permitted_catalog
from engine.sandbox.batches import Batches
from engine.sandbox.catalog_calls import CatalogCalls, checked, usage
from engine.sandbox.catalog_state import Batch, Catalog, ItemRequest
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject, invalid
from engine.sandbox.items import item_problems, item_warnings
from engine.sandbox.options import SandboxOptions
from engine.sandbox.pages import field_names, shown
from engine.sandbox.shapes import each, flag, mapping, one_of, shape, text
from engine.sandbox.state import World

MOST_REQUESTS = 5000
LARGEST_BODY = 28 * 1024 * 1024
ERRORS_SHOWN = 5
MINUTE = timedelta(minutes=1)
CALL = shape(
    {
        "item_type": one_of("PRODUCT_ITEM"),
        "allow_upsert?": flag,
        "requests": each(
            shape(
                {"method": one_of("CREATE", "UPDATE", "DELETE"), "data": mapping()}, closed=False
            ),
            most=MOST_REQUESTS,
        ),
    },
    closed=False,
)
CHECK = shape(
    {"handle": text(), "load_ids_of_invalid_requests?": flag, "fields?": text()}, closed=False
)
SHOWN = (
    "handle",
    "status",
    "errors",
    "errors_total_count",
    "warnings",
    "warnings_total_count",
    "ids_of_invalid_requests",
)


def _ids(batch: Batch, is_wanted: bool) -> list[str]:  # noqa: FBT001
    return list(dict.fromkeys(one.id for one in batch.errors)) if is_wanted else []


FIELDS: Mapping[str, Any] = MappingProxyType(
    {
        "handle": lambda batch, _: batch.handle,
        "status": lambda batch, _: batch.status,
        "errors": lambda batch, _: [asdict(one) for one in batch.errors[:ERRORS_SHOWN]],
        "errors_total_count": lambda batch, _: len(batch.errors),
        "warnings": lambda batch, _: [asdict(one) for one in batch.warnings[:ERRORS_SHOWN]],
        "warnings_total_count": lambda batch, _: len(batch.warnings),
        "ids_of_invalid_requests": _ids,
    }
)


@dataclass(frozen=True, slots=True)
class ItemsBatch:
    """`/{version}/{catalog_id}/items_batch` and `check_batch_request_status`."""

    world: World
    batches: Batches
    calls: CatalogCalls
    options: SandboxOptions

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        one = "/{version}/{object_id}"
        take = self.calls.noted("items_batch", self.take)
        check = self.calls.noted("check", self.check)
        return [
            Route(f"{one}/items_batch", take, methods=["POST"]),
            Route(f"{one}/check_batch_request_status", check, methods=["GET"]),
        ]

    async def take(self, request: Request) -> Response:
        """Take a batch: what is wrong with its items at once is said, the rest gets a handle."""
        catalog = permitted_catalog(request, self.world)
        self._want_rate(catalog)
        if len(await request.body()) > LARGEST_BODY:
            raise invalid(f"The request must have at most {LARGEST_BODY} bytes")
        given = await checked(request, CALL, "requests", "allow_upsert")
        catalog.taken.append(self.options.clock())
        request.state.catalog_call.requests = len(given["requests"])
        remarks = _remarks(catalog, given["requests"], upserts=given.get("allow_upsert", True))
        wanted = tuple(
            ItemRequest(line, one["method"], str(one["data"]["id"]), one["data"])
            for line, one in enumerate(given["requests"])
            if not remarks[line]["errors"]
        )
        handles = []
        if wanted:
            batch = Batch(self.world.trade.new_handle(), wanted)
            self.batches.begin(catalog, batch)
            handles.append(batch.handle)
        answer = {"handles": handles, "validation_status": _merged(remarks)}
        return JSONResponse(answer, headers=self._usage(catalog))

    async def check(self, request: Request) -> Response:
        """Tell how far a batch is."""
        catalog = permitted_catalog(request, self.world)
        given = await checked(request, CHECK, "load_ids_of_invalid_requests")
        batch = catalog.batches.get(given["handle"])
        if batch is None:
            raise invalid("Param handle is not a handle of this catalogue")
        names = field_names(given["fields"]) if "fields" in given else SHOWN
        wants_ids = given.get("load_ids_of_invalid_requests", False)
        return JSONResponse({"data": [shown(names, FIELDS, batch, wants_ids)]})

    def _want_rate(self, catalog: Catalog) -> None:
        now = self.options.clock()
        while catalog.taken and now - catalog.taken[0] >= MINUTE:
            catalog.taken.popleft()
        if len(catalog.taken) < self.options.catalog_calls_per_minute:
            return
        seconds = (catalog.taken[0] + MINUTE - now).total_seconds()
        headers = usage(catalog.business_id, percent=100, seconds=seconds)
        raise GraphRefusal(Complaint(80014), headers=headers)

    def _usage(self, catalog: Catalog) -> dict[str, str]:
        percent = 100 * len(catalog.taken) // self.options.catalog_calls_per_minute
        return usage(catalog.business_id, percent=percent)


def _remarks(catalog: Catalog, requests: list[JsonObject], *, upserts: bool) -> list[JsonObject]:
    """Return, for each request of a call, what is said to it at once."""
    there = _expected(catalog)
    times = Counter(str(one["data"].get("id", "")) for one in requests)
    remarks = []
    for one in requests:
        item = str(one["data"].get("id", ""))
        errors = _errors(one, is_there=item in there, upserts=upserts)
        if times[item] > 1 and item:
            errors.append(f"Param item.id must be unique in a call: {item}")
        warnings = [] if one["method"] == "DELETE" else item_warnings(one["data"])
        remarks.append({"retailer_id": item, "errors": errors, "warnings": warnings})
    return remarks


def _errors(one: JsonObject, *, is_there: bool, upserts: bool) -> list[str]:
    if one["method"] == "DELETE":
        return item_problems({"id": one["data"].get("id")}, is_whole=False)
    if one["method"] == "UPDATE" and is_there:
        return item_problems(one["data"], is_whole=False)
    problems = item_problems(one["data"], is_whole=True)
    if one["method"] == "UPDATE" and not upserts:
        problems.append("There is no such item to update")
    return problems


def _expected(catalog: Catalog) -> set[str]:
    """Return the items a catalogue has once its open batches are worked off."""
    there = set(catalog.items)
    for batch in catalog.open_batches():
        there |= {one.item for one in batch.requests if one.method != "DELETE"}
        there -= {one.item for one in batch.requests if one.method == "DELETE"}
    return there


def _merged(remarks: list[JsonObject]) -> list[JsonObject]:
    """Return one validation status for each item with remarks."""
    merged: dict[str, dict[str, list[str]]] = {}
    for remark in remarks:
        if remark["errors"] or remark["warnings"]:
            known = merged.setdefault(remark["retailer_id"], {"errors": [], "warnings": []})
            for kind, messages in known.items():
                messages += [one for one in remark[kind] if one not in messages]
    return [
        {
            "retailer_id": item,
            "errors": [{"message": message} for message in known["errors"]],
            "warnings": [{"message": message} for message in known["warnings"]],
        }
        for item, known in merged.items()
    ]
