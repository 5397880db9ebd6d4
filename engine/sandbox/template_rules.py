"""What Meta refuses in the components of a message template, new or edited.

Rules: Meta's pages templates/overview and templates/components, and its error codes.
"""

import re
from collections.abc import Iterator

from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.template_state import VARIABLE, body_of


def wrong(components: object) -> Iterator[Complaint]:
    """Tell what Meta does not take of the components of a template."""
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
