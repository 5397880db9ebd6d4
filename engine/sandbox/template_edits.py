"""A single message template at the address of its id: shown and edited, as far as Meta lets it be.

Rules: Meta's page templates/template-management, "Edit templates". Only the category, the
components and the time to live can be edited, of templates that are approved, rejected or paused;
all components are replaced. An approved one keeps its category, and is edited once in 24 hours and
10 times in 30 days. An edited template is looked at by Meta once more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from engine.sandbox.access import decoded, known_token, missing_object, parameters
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.objects import GraphObjects
from engine.sandbox.options import SandboxOptions
from engine.sandbox.pages import field_names
from engine.sandbox.state import World
from engine.sandbox.template_rules import wrong
from engine.sandbox.template_state import CATEGORIES, Template, shown

EDITABLE: Final = ("APPROVED", "REJECTED", "PAUSED")
PARTS: Final = ("components", "category", "message_send_ttl_seconds")
A_DAY: Final = timedelta(hours=24)
A_MONTH: Final = timedelta(days=30)
MOST_A_DAY: Final = 1
MOST_A_MONTH: Final = 10


@dataclass(frozen=True, slots=True)
class TemplateEdits:
    """`/{version}/{template_id}`."""

    world: World
    options: SandboxOptions

    def objects(self) -> GraphObjects:
        """Return what is done with a single template at the address of its id."""
        return GraphObjects(
            lambda object_id: self.world.templates.by_id(object_id) is not None,
            show=self.show,
            change=self.edit,
            delete=self.refuse,
        )

    async def show(self, request: Request) -> Response:
        """Show a template."""
        names = field_names(request.query_params.get("fields", ""))
        return JSONResponse(shown(self._permitted(request), names))

    async def edit(self, request: Request) -> Response:
        """Give a template other components or another category; somebody looks at it again."""
        template = self._permitted(request)
        given = decoded(await parameters(request), "components")
        complaint = next(self._against(template, given), None)
        if complaint is not None:
            raise GraphRefusal(complaint)
        if template.status == "APPROVED":
            template.edits.append(self.options.clock())
        template.components = given.get("components", template.components)
        template.category = str(given.get("category", template.category)).upper()
        template.status, template.reason = "PENDING", "NONE"
        return JSONResponse({"success": True})

    async def refuse(self, request: Request) -> Response:
        """Refuse to delete: Meta deletes templates by name, at the address of their account."""
        raise missing_object(request, self._permitted(request).id)

    def _permitted(self, request: Request) -> Template:
        token, object_id = known_token(request, self.world), request.path_params["object_id"]
        template = self.world.templates.by_id(object_id)
        if template is None:
            raise missing_object(request, object_id)
        if token not in {one.token for one in self.world.numbers_of(template.waba_id)}:
            raise missing_object(request, object_id)
        return template

    def _against(self, template: Template, given: JsonObject) -> Iterator[Complaint]:
        title = "Message template can't be edited"
        for name in sorted(given.keys() - set(PARTS)):
            yield Complaint(100, f"Param {name} of a template can't be edited", user_title=title)
        if not given:
            yield Complaint(100, f"One of the params {', '.join(PARTS)} is required")
        if template.status not in EDITABLE:
            reason = f"Only {', '.join(EDITABLE)} templates can be edited, not {template.status}"
            yield Complaint(100, reason, user_title=title)
        category = str(given.get("category", template.category)).upper()
        if category not in CATEGORIES:
            yield Complaint(100, f"Param category must be one of {{{', '.join(CATEGORIES)}}}")
        if template.status == "APPROVED":
            if category != template.category:
                reason = "The category of an approved template can't be edited"
                yield Complaint(100, reason, user_title=title)
            yield from self._too_often(template)
        if "components" in given:
            yield from wrong(given["components"])

    def _too_often(self, template: Template) -> Iterator[Complaint]:
        now = self.options.clock()
        for span, most, said in (
            (A_DAY, MOST_A_DAY, "once in a 24 hour window"),
            (A_MONTH, MOST_A_MONTH, "10 times in a 30 day window"),
        ):
            if sum(at > now - span for at in template.edits) >= most:
                reason = f"An approved template can be edited {said}"
                yield Complaint(100, reason, user_title="Template edit limit reached")
