"""Charts that call a person where there is nobody to call."""

from engine.domain.tenant import Tenant
from engine.spec.check import calls_of
from engine.spec.model import TELLS_STAFF, Chart
from engine.spec.problems import Problems, Span


def check_staff(tenant: Tenant, chart: Chart, file: str, problems: Problems) -> None:
    """Note that nobody is told of customers who ask for a person; an empty number means that.

    Args:
        file: the tenant's settings.
    """
    is_decided = "staff" in tenant.model_fields_set
    if is_decided or all(call.verb.name != TELLS_STAFF for call in calls_of(chart)):
        return
    sentence = "nobody is told of customers who ask for a person"
    problems.warn(Span(file), "nobody-to-call", sentence, "write staff: {phone: +51...}")
