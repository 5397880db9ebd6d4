"""The operators: each plants one realistic mistake at every place where it can be made."""

from collections.abc import Callable, Iterator, Mapping

from tests.content.mutants.breakage import BREAKAGE
from tests.content.mutants.logic import LOGIC
from tests.content.mutants.mutant import Made, Mutant
from tests.content.mutants.page import Page
from tests.content.mutants.roles import Role, roles_of
from tests.content.mutants.screens import SCREENS
from tests.content.mutants.slips import SLIPS
from tests.content.mutants.values import VALUES
from tests.content.mutants.wording import WORDING

Operator = Callable[[Page, list[Role]], Made]

OPERATORS: Mapping[str, Operator] = {
    **SLIPS,
    **LOGIC,
    **WORDING,
    **SCREENS,
    **VALUES,
    **BREAKAGE,
}


def mutants_of(page: Page) -> Iterator[Mutant]:
    """Plant every mistake into a file."""
    roles = list(roles_of(page))
    for operator in OPERATORS.values():
        yield from operator(page, roles)
