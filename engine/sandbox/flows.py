"""The Graph routes for Flows: create, change, upload, publish, deprecate, delete, show.

What a right Flow JSON is, `flow_documents` knows; when a Flow may be published, `flow_publishing`.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.sandbox.access import (
    Upload,
    decoded,
    parameters,
    permitted_account,
    permitted_flow,
    readable_flow,
)
from engine.sandbox.courier import Courier
from engine.sandbox.envelope import Complaint, GraphRefusal, JsonObject
from engine.sandbox.flow_documents.check import LONGEST, judge
from engine.sandbox.flow_fields import Showing
from engine.sandbox.flow_publishing import obstacles, ping
from engine.sandbox.flow_state import Flow
from engine.sandbox.objects import GraphObjects
from engine.sandbox.options import SandboxOptions
from engine.sandbox.pages import page
from engine.sandbox.parcels import Letter
from engine.sandbox.shapes import Shape, each, flag, one_of, shape, text
from engine.sandbox.state import World
from engine.sandbox.webhooks import flow_webhook

CATEGORIES = (
    "SIGN_UP",
    "SIGN_IN",
    "APPOINTMENT_BOOKING",
    "LEAD_GENERATION",
    "CONTACT_US",
    "CUSTOMER_SUPPORT",
    "SURVEY",
    "OTHER",
)
ADDRESS = text(like=r"https?://[^\s/]\S*")
CHANGE = shape(
    {
        "name?": text(),
        "categories?": each(one_of(*CATEGORIES)),
        "endpoint_uri?": ADDRESS,
        "application_id?": text(like=r"\d+"),
    },
    closed=False,
)
CREATION = shape(
    {
        "name": text(),
        "categories": each(one_of(*CATEGORIES)),
        "endpoint_uri?": ADDRESS,
        "clone_flow_id?": text(),
        "flow_json?": text(LONGEST),
        "publish?": flag,
    },
    closed=False,
)
SUCCESS = {"success": True}


@dataclass(frozen=True, slots=True)
class Flows:
    """`/{version}/{waba_id}/flows` and `/{version}/{flow_id}`."""

    world: World
    courier: Courier
    options: SandboxOptions

    def routes(self) -> list[Route]:
        """Return the routes of this part of the Graph API."""
        one = "/{version}/{object_id}"
        return [
            Route("/{version}/{waba_id}/flows", self.create, methods=["POST"]),
            Route("/{version}/{waba_id}/flows", self.show_all, methods=["GET"]),
            Route(f"{one}/assets", self.upload, methods=["POST"]),
            Route(f"{one}/assets", self.assets, methods=["GET"]),
            Route(f"{one}/publish", self.publish, methods=["POST"]),
            Route(f"{one}/deprecate", self.deprecate, methods=["POST"]),
        ]

    def objects(self) -> GraphObjects:
        """Return what is done with a single Flow at the address of its id."""
        return GraphObjects(
            lambda object_id: object_id in self.world.flows,
            show=self.show,
            change=self.change,
            delete=self.delete,
        )

    async def create(self, request: Request) -> Response:
        """Create a Flow: empty, with a Flow JSON or another Flow's, even published at once."""
        waba_id = permitted_account(request, self.world)
        given = await _checked(request, CREATION)
        self._want_new_name(waba_id, given["name"])
        written = self._written(request, given)
        flow = Flow(self.world.new_flow_id(), waba_id, given["name"], given["categories"])
        flow.endpoint_uri = given.get("endpoint_uri")
        if written:
            _take_document(flow, written)
        is_ready = given.get("publish", False) and bool(written) and not flow.validation_errors
        if is_ready:
            await self._want_publishable(flow)
        self.world.flows[flow.id] = flow
        self._announce(flow, None)
        if is_ready:
            self._announce(flow, flow.become("PUBLISHED"))
        answer: JsonObject = {"id": flow.id, "success": True}
        if written:
            answer["validation_errors"] = flow.validation_errors
        return JSONResponse(answer)

    async def show_all(self, request: Request) -> Response:
        """List the Flows of an account, page by page."""
        flows = self.world.flows_of(permitted_account(request, self.world))
        showing = Showing(self.world, self.options)
        fields = request.query_params.get("fields")
        return JSONResponse(page(flows, request, lambda flow: showing.flow(flow, fields)))

    async def show(self, request: Request) -> Response:
        """Show one Flow."""
        flow = permitted_flow(request, self.world)
        showing = Showing(self.world, self.options)
        return JSONResponse(showing.flow(flow, request.query_params.get("fields")))

    async def change(self, request: Request) -> Response:
        """Change name, categories, endpoint or application of a Flow."""
        flow = permitted_flow(request, self.world)
        given = await _checked(request, CHANGE)
        if given.get("name", flow.name) != flow.name:
            self._want_new_name(flow.waba_id, given["name"])
        self._edit(flow)
        flow.name = given.get("name", flow.name)
        flow.categories = given.get("categories", flow.categories)
        flow.endpoint_uri = given.get("endpoint_uri", flow.endpoint_uri)
        flow.application_id = given.get("application_id", flow.application_id)
        return JSONResponse(SUCCESS)

    async def delete(self, request: Request) -> Response:
        """Delete a Flow that is a draft."""
        flow = permitted_flow(request, self.world)
        if flow.status != "DRAFT":
            message = "After a Flow has been published, it cannot be deleted."
            raise _refusal(139004, "Can't delete published Flow", message)
        del self.world.flows[flow.id]
        return JSONResponse(SUCCESS)

    async def upload(self, request: Request) -> Response:
        """Take a Flow JSON; it is kept even when it has errors."""
        flow = permitted_flow(request, self.world)
        written = _uploaded(await parameters(request))
        self._edit(flow)
        _take_document(flow, written)
        return JSONResponse(SUCCESS | {"validation_errors": flow.validation_errors})

    async def assets(self, request: Request) -> Response:
        """List what was uploaded for a Flow; the sandbox keeps it under `/sandbox`."""
        flow = permitted_flow(request, self.world)
        asset = {
            "name": "flow.json",
            "asset_type": "FLOW_JSON",
            "download_url": f"{request.base_url}sandbox/flows/{flow.id}/flow.json",
        }
        return JSONResponse({"data": [asset] if flow.text else []})

    async def publish(self, request: Request) -> Response:
        """Publish a Flow."""
        flow = permitted_flow(request, self.world)
        await self._want_publishable(flow)
        self._announce(flow, flow.become("PUBLISHED"))
        return JSONResponse(SUCCESS)

    async def deprecate(self, request: Request) -> Response:
        """Retire a Flow that was published."""
        flow = permitted_flow(request, self.world)
        if flow.status == "DRAFT":
            message = "Deprecating a Flow is only permitted after it has been published."
            raise _refusal(139003, "Can't deprecate unpublished flow", message)
        if flow.status == "DEPRECATED":
            message = "The Flow is already marked as deprecated."
            raise _refusal(139003, "Flow is already deprecated", message)
        self._announce(flow, flow.become("DEPRECATED"))
        return JSONResponse(SUCCESS)

    def _want_new_name(self, waba_id: str, name: str) -> None:
        if any(flow.name == name for flow in self.world.flows_of(waba_id)):
            message = "Flow name should be unique within one WhatsApp Business Account."
            raise _refusal(100, "Flow name is not unique", message)

    async def _want_publishable(self, flow: Flow) -> None:
        obstacle = next(obstacles(flow, self.world), None)
        obstacle = obstacle or await ping(flow, self.world, self.options)
        if obstacle is not None:
            raise GraphRefusal(obstacle.complaint())

    def _edit(self, flow: Flow) -> None:
        """Make a Flow a draft; one that was published is one again, or stays as it is for good."""
        is_frozen = self.options.frozen_flows and flow.status != "DRAFT"
        if is_frozen or flow.status == "DEPRECATED":
            message = "You attempted to update a Flow that has already been published."
            raise _refusal(139001, "Flow can't be updated", message)
        flow.become("DRAFT")

    def _written(self, request: Request, given: JsonObject) -> str:
        """Return the Flow JSON for a new Flow: given, or another one's, or none."""
        source_id = given.get("clone_flow_id")
        if source_id is None:
            return str(given.get("flow_json", ""))
        source = readable_flow(request, self.world, source_id)
        if source is None:
            message = "The Flow ID you provided was not found in your account."
            raise _refusal(100, "Flow with specified ID does not exist", message)
        return source.text

    def _announce(self, flow: Flow, old_status: str | None) -> None:
        number = self.world.numbers_of(flow.waba_id)[0]
        webhook = flow_webhook(flow, old_status, at=self.options.clock())
        self.courier.announce(number, Letter("flow", flow.id, webhook))


async def _checked(request: Request, wanted: Shape) -> JsonObject:
    """Return the parameters of a request; in a form, arrays and booleans are written as JSON."""
    given = decoded(await parameters(request), "categories", "publish")
    complaint = next(wanted("", given), None)
    if complaint is not None:
        raise GraphRefusal(Complaint(100, complaint.details))
    return {name: value for name, value in given.items() if value is not None}


def _uploaded(given: JsonObject) -> str:
    if given.get("name") != "flow.json":
        raise GraphRefusal(Complaint(100, "Param name must be flow.json"))
    if given.get("asset_type") != "FLOW_JSON":
        raise GraphRefusal(Complaint(100, "Param asset_type must be FLOW_JSON"))
    file = given.get("file")
    if not isinstance(file, Upload):
        raise GraphRefusal(Complaint(100, "Param file must be a file of a multipart form"))
    if file.content_type.partition(";")[0] != "application/json":
        raise GraphRefusal(Complaint(100, "Param file must be of type application/json"))
    if len(file.raw) > LONGEST:
        raise GraphRefusal(Complaint(100, f"Param file must have at most {LONGEST} bytes"))
    return file.raw.decode(errors="replace")


def _take_document(flow: Flow, written: str) -> None:
    verdict = judge(written)
    flow.text, flow.document = written, verdict.document
    flow.validation_errors = verdict.errors


def _refusal(code: int, title: str, message: str) -> GraphRefusal:
    return GraphRefusal(Complaint(code, user_title=title, user_message=message))
