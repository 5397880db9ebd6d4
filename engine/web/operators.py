"""The HTTP doors of operators: a bearer token opens them, and what they ask for is handed on."""

from collections.abc import Callable
from typing import Final, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.deployment.calls import explain
from engine.deployment.changes import Report
from engine.deployment.deployer import NoSuchProduct, NotDeployable
from engine.domain.ids import ProductId, TenantId
from engine.errors import EngineError, GraphError, UnknownTenant
from engine.logs import reason
from engine.spec.problems import Problem, SpecError
from engine.web.bearer import refusal
from engine.web.requests import REFUSALS, Statuses, status_of

DEPLOY: Final = "/api/v1/whatsapp/flow/deploy/{product}/{tenant}"

# What is wrong on our side is 409 or 422, on Meta's 502.
STATUS: Final[Statuses] = REFUSALS | {
    UnknownTenant: 404,
    NoSuchProduct: 404,
    NotDeployable: 409,
    SpecError: 422,
    GraphError: 502,
    EngineError: 500,
}

log = structlog.get_logger(__name__)


class Deploys(Protocol):
    """What deploys Flows."""

    async def deploy(self, tenant: TenantId, *, product: ProductId | None = None) -> Report:
        """Deploy the Flow for one product."""
        ...


class OperatorDoors:
    """The routes of operators.

    Args:
        admin_token: opens them; empty keeps them shut.
        deployer: gives the one that deploys Flows, or raises Unavailable.
        tenants: tells whether a tenant is served.
    """

    def __init__(
        self,
        *,
        admin_token: str,
        deployer: Callable[[], Deploys],
        tenants: Callable[[str], bool],
    ) -> None:
        self._admin_token = admin_token
        self._deployer = deployer
        self._tenants = tenants

    def routes(self) -> list[Route]:
        """Give the routes; the Node back end's id of the shop may follow, a Flow is for all."""
        return [
            Route(DEPLOY, self.deploy, methods=["POST"]),
            Route(DEPLOY + "/{local_id}", self.deploy, methods=["POST"]),
        ]

    async def deploy(self, request: Request) -> Response:
        """Deploy the Flow for a product, as the Node back end does when a product is made."""
        refused = refusal(request, self._admin_token)
        if refused:
            return refused
        name, product = request.path_params["tenant"], request.path_params["product"]
        try:
            if not self._tenants(name):
                raise UnknownTenant("there is no such tenant")
            deployer = self._deployer()
            report = await deployer.deploy(TenantId(name), product=ProductId(product))
        except EngineError as error:
            return _failure(error, tenant=name, product=product)
        status = 200
        if report.has_failed:
            status = 422 if report.problems else 502
        log.info("operator.deploy", tenant=name, product=product, status=status)
        return JSONResponse(_told(report, product), status)


def _failure(error: EngineError, *, tenant: str, product: str) -> Response:
    status = status_of(error, STATUS) or 500
    said = explain(error) if isinstance(error, GraphError) else str(error)
    log.warning(
        "operator.refused", tenant=tenant, product=product, status=status, reason=reason(error)
    )
    return JSONResponse({"error": said}, status)


def _told(report: Report, product: str) -> dict[str, object]:
    return {
        "success": not report.has_failed,
        "flow_id": report.flows.get(product),
        "steps": [{"key": s.key, "verb": s.verb, "reason": s.reason} for s in report.steps],
        "problems": [_problem(problem) for problem in report.problems],
    }


def _problem(problem: Problem) -> dict[str, object]:
    span = problem.span
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "code": problem.code,
        "sentence": problem.sentence,
    }
