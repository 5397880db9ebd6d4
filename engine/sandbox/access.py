"""The door of every Graph route: API version, access token, what it is for, and the body.

What a body says is not looked at here.
"""

import re
from dataclasses import dataclass

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request

from engine.sandbox.catalog_state import Catalog, ProductSet
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.flow_state import Flow
from engine.sandbox.state import PhoneNumber, World

OLDEST_VERSION = 21
LATEST_VERSION = "v26.0"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
LONGEST_PART = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    name: str
    content_type: str
    raw: bytes


def check_version(request: Request) -> None:
    """Refuse a path whose first part is not an API version that is still served."""
    version = re.fullmatch(r"v(\d+)\.\d+", request.path_params["version"])
    if version is None:
        raise unknown_path(request)
    if int(version[1]) < OLDEST_VERSION:
        message = (
            "(#2635) You are calling a deprecated version of the API. "
            f"Please update to the latest version: {LATEST_VERSION}."
        )
        raise GraphRefusal(Complaint(2635, message=message))


def known_token(request: Request, world: World) -> str:
    """Return the access token of a request, if it is one that some number accepts."""
    check_version(request)
    token = _bearer(request)
    if token not in {phone.token for phone in world.phones.values()}:
        raise GraphRefusal(Complaint(190, message="Invalid OAuth access token."))
    if world.accounts.is_expired(token):
        message = "Error validating access token: Session has expired."
        raise GraphRefusal(Complaint(190, message=message, subcode=463))
    return token


def permitted_number(request: Request, world: World) -> PhoneNumber:
    """Return the phone number of the path when version and token allow its use."""
    token = known_token(request, world)
    number_id = request.path_params["phone_number_id"]
    number = world.phones.get(number_id)
    # To Meta a number that another token owns is no different from one that does not exist.
    if number is None or number.token != token:
        raise missing_object(request, number_id)
    return number


def permitted_account(request: Request, world: World) -> str:
    """Return the WhatsApp account of the path when version and token allow its use."""
    token = known_token(request, world)
    waba_id: str = request.path_params["waba_id"]
    if token not in {phone.token for phone in world.numbers_of(waba_id)}:
        raise missing_object(request, waba_id)
    return waba_id


def permitted_flow(request: Request, world: World) -> Flow:
    """Return the Flow of the path when version and token allow its use."""
    flow_id = request.path_params["object_id"]
    flow = readable_flow(request, world, flow_id)
    if flow is None:
        raise missing_object(request, flow_id)
    return flow


def readable_flow(request: Request, world: World, flow_id: str) -> Flow | None:
    """Return the Flow with an id when version and token allow its use."""
    token = known_token(request, world)
    flow = world.flows.get(flow_id)
    if flow is None or token not in {one.token for one in world.numbers_of(flow.waba_id)}:
        return None
    return flow


def permitted_business(request: Request, world: World) -> str:
    """Return the business of the path when version and token allow its use."""
    token = known_token(request, world)
    business_id: str = request.path_params["business_id"]
    if business_id not in _businesses(token, world):
        raise missing_object(request, business_id)
    return business_id


def permitted_catalog(request: Request, world: World) -> Catalog:
    """Return the catalogue of the path when version and token allow its use."""
    catalog_id = request.path_params["object_id"]
    catalog = readable_catalog(request, world, catalog_id)
    if catalog is None:
        raise missing_object(request, catalog_id)
    return catalog


def readable_catalog(request: Request, world: World, catalog_id: str) -> Catalog | None:
    """Return the catalogue with an id when version and token allow its use."""
    token = known_token(request, world)
    catalog = world.trade.catalogs.get(catalog_id)
    if catalog is None or catalog.business_id not in _businesses(token, world):
        return None
    return catalog


def permitted_set(request: Request, world: World) -> ProductSet:
    """Return the product set of the path when version and token allow its use."""
    set_id = request.path_params["object_id"]
    known = world.trade.sets.get(set_id)
    if known is None or readable_catalog(request, world, known.catalog_id) is None:
        known_token(request, world)
        raise missing_object(request, set_id)
    return known


async def json_object(request: Request) -> JsonObject:
    """Return the body of a request, which must be a JSON object."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as problem:
        raise GraphRefusal(Complaint(100, f"The body is not JSON: {problem}")) from problem
    if not isinstance(body, dict):
        raise GraphRefusal(Complaint(100, "The body must be a JSON object"))
    return body


async def parameters(request: Request) -> JsonObject:
    """Return what a request says in its query and its body, which is JSON or a form."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    body: JsonObject = {}
    # Read at once: what refuses the request wants to keep it.
    if await request.body():
        body = await (_form(request) if kind in FORMS else json_object(request))
    return dict(request.query_params) | body


def decoded(given: JsonObject, *names: str) -> JsonObject:
    """Return parameters, some of which a query or a form has written as JSON."""
    read = dict(given)
    for name in names:
        if isinstance(read.get(name), str):
            try:
                read[name] = orjson.loads(read[name])
            except orjson.JSONDecodeError as problem:
                raise GraphRefusal(Complaint(100, f"Param {name} is not JSON")) from problem
    return read


def missing_object(request: Request, name: str) -> GraphRefusal:
    """Return the refusal of an object that is not there, or not for this token."""
    message = (
        f"Unsupported {request.method.lower()} request. Object with ID '{name}' does not exist, "
        "cannot be loaded due to missing permissions, or does not support this operation."
    )
    return GraphRefusal(Complaint(100, message=message, subcode=33))


def unknown_path(request: Request) -> GraphRefusal:
    """Return the refusal of a path the Graph API does not have."""
    return GraphRefusal(
        Complaint(2500, message=f"Unknown path components: {request.scope['path']}")
    )


def _businesses(token: str, world: World) -> set[str]:
    """Return the businesses of the numbers that accept a token."""
    return {phone.business_id for phone in world.phones.values() if phone.token == token}


async def _form(request: Request) -> JsonObject:
    try:
        async with request.form(max_part_size=LONGEST_PART) as form:
            return {
                name: value
                if isinstance(value, str)
                else Upload(value.filename or "", value.content_type or "", await value.read())
                for name, value in form.items()
            }
    except HTTPException as problem:
        reason = f"The body is not a form: {problem.detail}"
        raise GraphRefusal(Complaint(100, reason)) from problem


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        message = "An access token is required to request this resource."
        raise GraphRefusal(Complaint(190, message=message))
    return token.strip()
