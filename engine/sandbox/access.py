"""The door of every Graph route: API version, access token, phone number, JSON body.

What a body says is not looked at here.
"""

import re

import orjson
from starlette.requests import Request

from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.state import PhoneNumber, World

OLDEST_VERSION = 21
LATEST_VERSION = "v26.0"


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


def permitted_number(request: Request, world: World) -> PhoneNumber:
    """Return the phone number of the path when version and token allow its use."""
    check_version(request)
    token = _bearer(request)
    number_id = request.path_params["phone_number_id"]
    if token not in {phone.token for phone in world.phones.values()}:
        raise GraphRefusal(Complaint(190, message="Invalid OAuth access token."))
    number = world.phones.get(number_id)
    # To Meta a number that another token owns is no different from one that does not exist.
    if number is None or number.token != token:
        message = (
            f"Unsupported post request. Object with ID '{number_id}' does not exist, cannot be "
            "loaded due to missing permissions, or does not support this operation."
        )
        raise GraphRefusal(Complaint(100, message=message, subcode=33))
    return number


async def json_object(request: Request) -> JsonObject:
    """Return the body of a request, which must be a JSON object."""
    try:
        body = orjson.loads(await request.body())
    except orjson.JSONDecodeError as problem:
        raise GraphRefusal(Complaint(100, f"The body is not JSON: {problem}")) from problem
    if not isinstance(body, dict):
        raise GraphRefusal(Complaint(100, "The body must be a JSON object"))
    return body


def unknown_path(request: Request) -> GraphRefusal:
    """Return the refusal of a path the Graph API does not have."""
    return GraphRefusal(
        Complaint(2500, message=f"Unknown path components: {request.scope['path']}")
    )


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        message = "An access token is required to request this resource."
        raise GraphRefusal(Complaint(190, message=message))
    return token.strip()
