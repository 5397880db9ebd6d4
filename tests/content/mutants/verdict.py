"""What the judge says of a mutant."""

from dataclasses import dataclass
from typing import Literal

from tests.content.mutants.shop import Place

Status = Literal["harmful", "different", "unseen"]
"""`different`: customers see something else, as an author may want; `unseen`: nothing else."""


@dataclass(frozen=True, slots=True)
class Harm:
    """Something that goes wrong.

    Args:
        places: where the content shows it.
    """

    sentence: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a mutant harms."""

    status: Status
    harm: Harm = Harm("")
