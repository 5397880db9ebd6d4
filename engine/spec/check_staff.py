"""Charts that call a person where there is nobody to call."""

from engine.domain.tenant import Tenant
from engine.spec.chart import TELLS_STAFF, Chart
from engine.spec.check import calls_of
from engine.spec.problems import Problems, Span


def tells_staff(chart: Chart) -> bool:
    """Tell whether a chart calls a person."""
    return any(call.verb.name == TELLS_STAFF for call in calls_of(chart))


def check_staff(tenant: Tenant, chart: Chart, file: str, problems: Problems) -> None:
    """Note that nobody is told of customers who ask for a person; an empty number means that.

    Whoever runs the engine is told of it all the same, by `comanda doctor`.

    Args:
        file: the tenant's settings.
    """
    is_decided = "phone" in tenant.staff.model_fields_set
    if is_decided or not tells_staff(chart):
        return
    sentence = "nobody is told of customers who ask for a person"
    problems.warn(Span(file), "nobody-to-call", sentence, "write staff: {phone: +51...}")
