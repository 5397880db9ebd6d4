"""The codes of problems: every kind of mistake an author can be told of, and what it means.

The reference is made from this table; `Problems` takes no other codes.
"""

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    # Files and YAML.
    "alias": "YAML anchors and aliases are not read: write the part twice.",
    "duplicate-key": "A key is written twice in one mapping; the second would win silently.",
    "missing-file": "A file that must be there is not.",
    "tag": "YAML tags (`!name`) are not read.",
    "too-deep": "The document is nested too deeply.",
    "too-large": "The document is too large to be read.",
    "unreadable": "The file cannot be read as UTF-8 text.",
    "wrong-key": "A key is no text.",
    "yaml-syntax": "The file is not YAML.",
    # Keys, values and names.
    "missing-key": "Something that must be there is missing.",
    "unknown-key": "A key has no meaning here; most often it is misspelt.",
    "unknown-value": "A word is none of those known here.",
    "wrong-name": "A name is not written as names are, or is taken by the engine.",
    "wrong-type": "A value is of another type, such as a list in the place of a text.",
    "wrong-value": "A value is outside of what is allowed here.",
    # Charts.
    "bad-aside": "A state aside lies inside another; only outer ones can be aside.",
    "bad-branch": "A branch has parts that do not go together.",
    "bad-final": "A final state lies outside all others, or waits for something.",
    "bad-start": "The state to start with is missing, or is none of those it could be.",
    "duplicate-state": "Two states have one name, in different outer states.",
    "leads-back": "A Flow's screens lead back to one before; WhatsApp's routes go forwards only.",
    "never-finishes": "A state has `finished`, and no state inside it is final.",
    "never-rests": "A state leads on, and in the end to itself, without waiting for the customer.",
    "overrides-nothing": "A tenant's file changes something that the shared files do not have.",
    "unknown-action": "There is no such action.",
    "unknown-event": "No state reacts to such an event.",
    "unknown-state": "There is no such state.",
    "unreachable-state": "Nothing leads to a state.",
    # Texts and guards.
    "bad-template": "A text or guard is not written as Jinja allows, or does what is not offered.",
    "unknown-filter": "There is no such filter.",
    "unknown-guard": "There is no such guard, or it is not called by names.",
    "unknown-test": "There is no such test (`is ...`).",
    "unknown-variable": "Nothing sets a variable that a text or guard reads.",
    # Messages.
    "missing-translation": "A message is missing in one of the tenant's languages.",
    "mixed-message": "A message has parts that WhatsApp cannot show in one message.",
    "over-limit": "Something is longer, or more, than WhatsApp takes.",
    "unknown-message": "There is no such message in any language.",
    # Flows.
    "bad-action": "A Flow's action cannot be what it is, or not here.",
    "bad-expression": "An expression of a Flow is not one that WhatsApp reads.",
    "bad-option": "An option of a choice lacks something, or has it twice.",
    "bad-routing": "The routes between a Flow's screens are not as WhatsApp wants them.",
    "bad-screen": "A screen is not as WhatsApp wants it.",
    "blank-text": "A text that WhatsApp shows is empty.",
    "duplicate-name": "Two components of a screen have one name.",
    "flow-fails": "A customer who fills in a Flow gets stuck in it.",
    "missing-data": "A screen reads data that nothing gives it.",
    "mixed-screen": "Components stand together that WhatsApp does not show on one screen.",
    "not-in-flow": "A product is larger than the Flow: it is customized in the chat instead.",
    "too-few-groups": "A Flow shows fewer modifier groups than a product it takes has.",
    "unknown-component": "WhatsApp has no such component.",
    "unknown-data": "A screen has no such data.",
    "unknown-input": "A screen has no such input.",
    "unknown-property": "A component has no such property.",
}
"""By code, what is wrong, in one sentence."""
