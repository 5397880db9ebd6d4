"""The Graph routes for the message templates of an account: create, list, and what is refused.

Rules: Meta's page templates/overview, and its error codes. Somebody at Meta approves or rejects a
template: here a control route does.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import decoded, parameters, permitted_account
from engine.sandbox.bodies import checked_body
from engine.sandbox.courier import Courier
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.options import SandboxOptions
from engine.sandbox.pages import field_names, page
from engine.sandbox.parcels import Letter
from engine.sandbox.shapes import one_of, shape, text
from engine.sandbox.state import World
from engine.sandbox.template_rules import wrong
from engine.sandbox.template_state import CATEGORIES, Template, shown

STATUSES: Final = ("PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED")
_LANGUAGES: Final = (
    "af sq ar az bn bg ca zh_CN zh_HK zh_TW hr cs da nl en en_GB en_US et fil fi fr ka de el gu "
    "ha he hi hu id ga it ja kn kk rw_RW ko ky_KG lo lv lt mk ms ml mr nb fa pl pt_BR pt_PT pa ro "
    "ru sr sk sl es es_AR es_ES es_MX sw sv ta te th tr uk ur uz vi zu"
)
LANGUAGES: Final = frozenset(_LANGUAGES.split())
AN_HOUR: Final = timedelta(hours=1)
MOST_AN_HOUR: Final = 100
MOST: Final = 250
CHANGE: Final = shape({"status": one_of(*STATUSES), "reason?": text()})


@dataclass(frozen=True, slots=True)
class Templates:
    """`/{version}/{waba_id}/message_templates`, and the control route that approves them."""

    world: World
    courier: Courier
    options: SandboxOptions

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        edge = "/{version}/{waba_id}/message_templates"
        control = "/sandbox/templates"
        return [
            Route(control, self.all, methods=["GET"]),
            Route(f"{control}/{{name}}/{{language}}", self.change, methods=["POST"]),
            Route(edge, self.list, methods=["GET"]),
            Route(edge, self.create, methods=["POST"]),
        ]

    async def create(self, request: Request) -> Response:
        """Make a template, which somebody has to approve."""
        waba_id = permitted_account(request, self.world)
        given = decoded(await parameters(request), "components")
        complaint = next(self._against(waba_id, given), None)
        if complaint is not None:
            raise GraphRefusal(complaint)
        shelf = self.world.templates
        made = Template(
            id=str(next(shelf.ids)),
            waba_id=waba_id,
            name=given["name"],
            language=given["language"],
            category=given["category"].upper(),
            components=given["components"],
            created_at=self.options.clock(),
        )
        shelf.held[waba_id, made.name, made.language] = made
        return JSONResponse({"id": made.id, "status": made.status, "category": made.category})

    async def list(self, request: Request) -> Response:
        """List the templates of an account."""
        waba_id = permitted_account(request, self.world)
        names = field_names(request.query_params.get("fields", ""))
        found = self.world.templates.of(waba_id)
        return JSONResponse(page(found, request, lambda one: shown(one, names)))

    async def all(self, _: Request) -> Response:
        """List the templates of all accounts, as Meta keeps them."""
        return JSONResponse([shown(each, ()) for each in self.world.templates.held.values()])

    async def change(self, request: Request) -> Response:
        """Approve, reject or pause a template, and tell its account."""
        name, language = request.path_params["name"], request.path_params["language"]
        asked = await checked_body(request, CHANGE)
        told = []
        for (waba_id, held, spoken), template in self.world.templates.held.items():
            if (held, spoken) != (name, language):
                continue
            template.status = asked["status"]
            template.reason = asked.get("reason", "NONE")
            number = next(iter(self.world.numbers_of(waba_id)), None)
            if number is not None:
                letter = Letter("template", template.id, _webhook(template, self.options.clock()))
                told.append((await self.courier.tell(number, letter)).status)
        if not told:
            raise HTTPException(404, f"No template {name} in {language} of a registered number")
        return JSONResponse({"statuses": told})

    def _against(self, waba_id: str, given: JsonObject) -> Iterator[Complaint]:
        name, language = given.get("name"), given.get("language")
        if not isinstance(name, str) or not re.fullmatch(r"[a-z0-9_]{1,512}", name):
            yield Complaint(100, "Param name must be 1 to 512 of a-z, 0-9 and _")
        if language not in LANGUAGES:
            yield Complaint(100, f"Param language must be a language of templates, not {language}")
        if str(given.get("category", "")).upper() not in CATEGORIES:
            yield Complaint(100, f"Param category must be one of {{{', '.join(CATEGORIES)}}}")
        held = self.world.templates.of(waba_id)
        if any((each.name, each.language) == (name, language) for each in held):
            yield Complaint(
                100, subcode=2388024, user_title="Content in This Language Already Exists"
            )
        if len(held) >= MOST:
            yield Complaint(100, subcode=2388019, user_title="Message Template Limit Exceeded")
        since = self.options.clock() - AN_HOUR
        if sum(each.created_at > since for each in held) >= MOST_AN_HOUR:
            yield Complaint(80007, "100 templates were created in the last hour")
        yield from wrong(given.get("components"))


def _webhook(template: Template, at: datetime) -> JsonObject:
    value = {
        "event": template.status,
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
        "reason": template.reason,
    }
    change = {"field": "message_template_status_update", "value": value}
    entry = {"id": template.waba_id, "time": int(at.timestamp()), "changes": [change]}
    return {"object": "whatsapp_business_account", "entry": [entry]}
