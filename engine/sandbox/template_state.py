"""Message templates as Meta keeps them, and what their state means for a send."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Final

from engine.sandbox.envelope import Complaint, JsonObject

VARIABLE: Final = re.compile(r"\{\{(\w+)\}\}")
CATEGORIES: Final = ("UTILITY", "MARKETING", "AUTHENTICATION")


@dataclass(slots=True)
class Template:
    """A message template of an account, in one language.

    Args:
        edits: when it was edited while it was approved.
    """

    id: str
    waba_id: str
    name: str
    language: str
    category: str
    components: list[JsonObject]
    created_at: datetime
    status: str = "PENDING"
    reason: str = "NONE"
    edits: list[datetime] = field(default_factory=list)

    @property
    def variables(self) -> int:
        """Count the variables of its body."""
        return len(set(VARIABLE.findall(body_of(self.components))))


@dataclass(slots=True)
class Shelf:
    """All templates, by account, name and language."""

    held: dict[tuple[str, str, str], Template] = field(default_factory=dict)
    ids: "count[int]" = field(default_factory=lambda: count(7 * 10**14 + 1))

    def of(self, waba_id: str) -> list[Template]:
        """Return the templates of an account, the oldest first."""
        return [each for each in self.held.values() if each.waba_id == waba_id]

    def by_id(self, template_id: str) -> Template | None:
        """Return the template with an id."""
        return next((each for each in self.held.values() if each.id == template_id), None)


def refused_send(shelf: Shelf, waba_id: str, payload: JsonObject) -> Complaint | None:
    """Tell why a template cannot be sent; None if it can, or if it is none."""
    if payload["type"] != "template":
        return None
    wanted = payload["template"]
    name, language = wanted["name"], wanted["language"]["code"]
    known = shelf.held.get((waba_id, name, language))
    if known is None or known.status in ("PENDING", "REJECTED"):
        return Complaint(132001, f"template name ({name}) does not exist in {language}")
    if known.status == "PAUSED":
        return Complaint(132015, "The template is paused due to low quality")
    if known.status == "DISABLED":
        return Complaint(132016, "The template was paused too often and is disabled")
    given = [
        parameter
        for component in wanted.get("components", ())
        if component.get("type") == "body"
        for parameter in component.get("parameters", ())
    ]
    if len(given) != known.variables:
        details = f"body: number of localizable_params ({len(given)}) does not match the expected"
        return Complaint(132000, f"{details} number of params ({known.variables})")
    return None


def body_of(components: Iterable[JsonObject]) -> str:
    """Return the text of the body, empty if there is none."""
    return next((str(c.get("text", "")) for c in components if c.get("type") == "BODY"), "")


def shown(template: Template, names: Iterable[str]) -> JsonObject:
    """Return what Meta shows of a template: the fields of these names, or all."""
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
