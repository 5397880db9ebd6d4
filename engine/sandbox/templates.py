"""The Graph routes for message templates: create, list, and what Meta refuses of them.

Rules: Meta's pages templates/overview and templates/components, and its error codes. Somebody at
Meta approves or rejects a template: here a control route does.
"""

import re
from collections.abc import Iterable, Iterator
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
from engine.sandbox.template_state import VARIABLE, Template, body_of

STATUSES: Final = ("PENDING", "APPROVED", "REJECTED", "PAUSED", "DISABLED")
CATEGORIES: Final = ("UTILITY", "MARKETING", "AUTHENTICATION")
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
        return JSONResponse(page(found, request, lambda one: _shown(one, names)))

    async def all(self, _: Request) -> Response:
        """List the templates of all accounts, as Meta keeps them."""
        return JSONResponse([_shown(each, ()) for each in self.world.templates.held.values()])

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
        yield from _wrong(given.get("components"))


def _wrong(components: object) -> Iterator[Complaint]:
    if not isinstance(components, list) or not all(isinstance(c, dict) for c in components):
        yield Complaint(100, "Param components must be an array of objects")
        return
    body = body_of(components)
    variables = VARIABLE.findall(body)
    if not body:
        yield Complaint(100, "A template needs a component of the type BODY with a text")
    if len(body) > 1024:
        yield Complaint(100, "The body must be at most 1024 characters long")
    if body.strip().startswith("{{") or body.strip().endswith("}}"):
        title = "Leading or Trailing Params Not Allowed"
        yield Complaint(100, subcode=2388299, user_title=title)
    if len(re.findall(r"\w+", VARIABLE.sub("", body))) < 2 * len(set(variables)) + 1:
        title = "Too many variables for the length of the body"
        if variables:
            yield Complaint(100, subcode=2388293, user_title=title)
    if set(variables) != {str(n + 1) for n in range(len(set(variables)))}:
        yield Complaint(100, "The variables of the body must count from 1")
    examples = next((c.get("example") for c in components if c.get("type") == "BODY"), None)
    given = (examples or {}).get("body_text") or [[]]
    if len(given[0]) != len(set(variables)):
        yield Complaint(100, "The body must have an example for each of its variables")
    for component in components:
        yield from _wrong_component(component)


def _wrong_component(component: JsonObject) -> Iterator[Complaint]:
    written = str(component.get("text", ""))
    if component.get("type") == "FOOTER" and (len(written) > 60 or "{{" in written):
        yield Complaint(100, "The footer must be at most 60 characters long, without variables")
    if component.get("type") == "BUTTONS":
        buttons = component.get("buttons") or []
        if not 1 <= len(buttons) <= 10:
            yield Complaint(100, "There must be 1 to 10 buttons")
        if any(not 1 <= len(str(button.get("text", ""))) <= 25 for button in buttons):
            yield Complaint(100, "The text of a button must have 1 to 25 characters")


def _shown(template: Template, names: Iterable[str]) -> JsonObject:
    whole: JsonObject = {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "components": template.components,
        "rejected_reason": template.reason,
        "parameter_format": "POSITIONAL",
    }
    wanted = set(names)
    return {key: value for key, value in whole.items() if not wanted or key in {*wanted, "id"}}


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
