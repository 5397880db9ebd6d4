"""A business phone number at the address of its id, as Meta shows it; messages are elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.sandbox.access import known_token, missing_object
from engine.sandbox.account_state import Profile
from engine.sandbox.envelope import Complaint, GraphRefusal
from engine.sandbox.objects import GraphObjects
from engine.sandbox.pages import field_names, shown
from engine.sandbox.state import PhoneNumber, World

DEFAULT = (
    "verified_name", "code_verification_status", "display_phone_number", "quality_rating",
    "platform_type",
)  # fmt: skip
FIELDS: Mapping[str, Callable[[PhoneNumber, Profile], Any]] = MappingProxyType(
    {
        "id": lambda number, _: number.phone_number_id,
        "display_phone_number": lambda number, _: number.display_phone_number,
        "verified_name": lambda _, profile: profile.verified_name,
        "quality_rating": lambda _, profile: profile.quality_rating,
        "status": lambda _, profile: profile.status,
        "platform_type": lambda _, profile: profile.platform_type,
        "code_verification_status": lambda _, profile: profile.code_verification_status,
        "name_status": lambda _, profile: profile.name_status,
    }
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """`GET /{version}/{phone_number_id}`."""

    world: World

    def objects(self) -> GraphObjects:
        """Return what is done with a number at the address of its id."""
        return GraphObjects(
            lambda object_id: object_id in self.world.phones,
            show=self.show,
            change=self.refuse,
            delete=self.refuse,
        )

    async def show(self, request: Request) -> Response:
        """Show a number."""
        number = self._number(request)
        profile = self.world.accounts.profile_of(number.phone_number_id)
        fields = request.query_params.get("fields")
        names = DEFAULT if fields is None else field_names(fields)
        return JSONResponse(shown(names, FIELDS, number, profile) | {"id": number.phone_number_id})

    async def refuse(self, request: Request) -> Response:
        """Refuse what can be done with numbers, and not here."""
        number = self._number(request)
        message = f"Unsupported {request.method.lower()} request. The sandbox does not do this."
        raise GraphRefusal(Complaint(100, f"number {number.phone_number_id}", message=message))

    def _number(self, request: Request) -> PhoneNumber:
        token, object_id = known_token(request, self.world), request.path_params["object_id"]
        number = self.world.phones[object_id]
        if number.token != token:
            raise missing_object(request, object_id)
        return number
