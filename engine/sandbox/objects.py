"""`/{version}/{object_id}`: one address for objects of all kinds; it knows none of the kinds."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from engine.sandbox.access import known_token, missing_object
from engine.sandbox.state import World

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class GraphObjects:
    """What can be done with the objects of one kind."""

    has: Callable[[str], bool]
    show: Endpoint
    change: Endpoint
    delete: Endpoint


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of all kinds."""

    world: World
    kinds: tuple[GraphObjects, ...]

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        one = "/{version}/{object_id}"
        return [
            Route(one, self.show, methods=["GET"]),
            Route(one, self.change, methods=["POST"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show an object."""
        return await self._kind(request).show(request)

    async def change(self, request: Request) -> Response:
        """Change an object."""
        return await self._kind(request).change(request)

    async def delete(self, request: Request) -> Response:
        """Delete an object."""
        return await self._kind(request).delete(request)

    def _kind(self, request: Request) -> GraphObjects:
        object_id = request.path_params["object_id"]
        for kind in self.kinds:
            if kind.has(object_id):
                return kind
        known_token(request, self.world)
        raise missing_object(request, object_id)
