"""Routes under `/sandbox` that set how bad Meta and the network are, and list what was taken."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.bodies import checked_body
from engine.sandbox.limits import Limits
from engine.sandbox.listing import listing, waited
from engine.sandbox.mail import Mail, Order
from engine.sandbox.shapes import flag, integer, number, one_of, shape
from engine.sandbox.state import World
from engine.sandbox.weather import BLOWS, Weather

LONGEST = 600
LONGEST_REPEATS = 7 * 24 * 3600
LARGEST_SEED = 2**53

PROBABILITY = number(0, 1)
WEATHER = shape(
    {
        "seed?": integer(0, LARGEST_SEED),
        "delay?": PROBABILITY,
        "longest_delay?": number(0, LONGEST),
        **{f"{blow}?": PROBABILITY for blow in BLOWS},
        "streak?": integer(0, 1_000),
    }
)
MAIL = shape(
    {
        "seed?": integer(0, LARGEST_SEED),
        "copies?": integer(1, 10),
        "order?": one_of(*get_args(Order)),
        "longest_delay?": number(0, LONGEST),
        "batch?": integer(1, 1_000),
        "batch_wait?": number(0, LONGEST),
        "repeat_for?": number(0, LONGEST_REPEATS),
    }
)
LIMITS = shape(
    {
        "pair_interval?": number(0, LONGEST),
        "pair_burst?": integer(1, 1_000),
        "pair_pause?": flag,
        "throughput?": integer(0, 1_000_000),
    }
)
MEDIA_DELAY = shape({"seconds": number(0, LONGEST)})


@dataclass(frozen=True, slots=True)
class TroubleControl:
    """How bad it is; what a body leaves out is as good as can be."""

    world: World

    def routes(self) -> list[Route]:
        """Return the routes; they begin with `/sandbox`, so they go before `Control`'s mount."""
        return [
            *_pair("weather", self.weather, self.change_weather),
            *_pair("mail", self.mail, self.change_mail),
            *_pair("limits", self.limits, self.change_limits),
            *_pair("media_delay", self.media_delay, self.change_media_delay),
            Route("/sandbox/sends", self.sends, methods=["GET"]),
        ]

    async def weather(self, _: Request) -> Response:
        """Show the weather, and what it did."""
        sky = self.world.sky
        return JSONResponse({"weather": asdict(sky.weather), "counts": sky.counts})

    async def change_weather(self, request: Request) -> Response:
        """Change the weather."""
        given = await checked_body(request, WEATHER)
        try:
            weather = Weather(**_numbers(given, "delay", "longest_delay", *BLOWS))
        except ValueError as problem:
            raise HTTPException(400, str(problem)) from problem
        self.world.sky.become(weather)
        return await self.weather(request)

    async def mail(self, request: Request) -> Response:
        """Show how webhooks travel, and what was done; waits until all is done when asked to."""
        world = self.world
        await waited(request, world.bell, "mail", lambda: not world.mail.counts["under_way"])
        office = world.mail
        return JSONResponse({"mail": asdict(office.mail), "counts": office.counts})

    async def change_mail(self, request: Request) -> Response:
        """Change how webhooks travel from now on."""
        given = await checked_body(request, MAIL)
        mail = Mail(**_numbers(given, "longest_delay", "batch_wait", "repeat_for"))
        self.world.mail.become(mail)
        return await self.mail(request)

    async def limits(self, _: Request) -> Response:
        """Show how fast may be sent, and how often it was too fast."""
        meter = self.world.meter
        return JSONResponse({"limits": asdict(meter.limits), "counts": meter.counts})

    async def change_limits(self, request: Request) -> Response:
        """Change how fast may be sent."""
        given = await checked_body(request, LIMITS)
        self.world.meter.become(Limits(**_numbers(given, "pair_interval")))
        return await self.limits(request)

    async def media_delay(self, _: Request) -> Response:
        """Show how long media take."""
        return JSONResponse({"seconds": self.world.media_delay})

    async def change_media_delay(self, request: Request) -> Response:
        """Change how long media take that are sent from now on."""
        given = await checked_body(request, MEDIA_DELAY)
        self.world.media_delay = float(given["seconds"])
        return await self.media_delay(request)

    async def sends(self, request: Request) -> Response:
        """List the sends that were taken; waits for more when asked to."""
        world = self.world
        return await listing(request, world.bell, "sends", lambda after: world.sends[after:])


def _pair(name: str, show: Callable[..., Any], change: Callable[..., Any]) -> list[Route]:
    path = f"/sandbox/{name}"
    return [Route(path, show, methods=["GET"]), Route(path, change, methods=["POST"])]


def _numbers(given: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a body some of whose numbers may be written as strings."""
    return given | {name: float(given[name]) for name in names if name in given}
