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
    "branch-never-taken": "A branch comes after one that always holds.",
    "dead-end": "A state that nothing leads out of: customers who come to it stay for ever.",
    "duplicate-state": "Two states have one name, in different outer states.",
    "leads-back": "A Flow's screens lead back to one before; WhatsApp's routes go forwards only.",
    "loop-without-exit": "States that lead to each other only: customers never come out again.",
    "never-finishes": "A state has `finished`, and no state inside it is final.",
    "never-holds": "A guard, or a comparison in it, that cannot be true.",
    "never-rests": "A state leads on, and in the end to itself, without waiting for the customer.",
    "no-answer": "Something a customer may send gets no answer.",
    "nobody-raises": "An event is waited for that no button, phrase, action or Flow raises.",
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
    "dead-button": "A button or row whose event means nothing where it is shown.",
    "different-buttons": "A message offers less in one language than in another.",
    "different-variables": "A message reads less in one language than in another.",
    "missing-phrases": "An event has phrases in one language and none in another.",
    "missing-translation": "A message is missing in one of the tenant's languages.",
    "mixed-message": "A message has parts that WhatsApp cannot show in one message.",
    "outside-window": "A message without a `template` is said after a day of silence.",
    "over-limit": "Something is longer, or more, than WhatsApp takes.",
    "unknown-message": "There is no such message in any language.",
    "unused-message": "A tenant's file has a message that nothing says.",
    # Flows.
    "bad-action": "A Flow's action cannot be what it is, or not here.",
    "bad-expression": "An expression of a Flow is not one that WhatsApp reads.",
    "bad-option": "An option of a choice lacks something, or has it twice.",
    "bad-routing": "The routes between a Flow's screens are not as WhatsApp wants them.",
    "bad-screen": "A screen is not as WhatsApp wants it.",
    "blank-text": "A text that WhatsApp shows is empty.",
    "duplicate-name": "Two components of a screen have one name.",
    "flow-fails": "A customer who fills in a Flow gets stuck in it.",
    "meta-refuses": "Meta does not take a Flow as it is; it says why at the place.",
    "mixed-screen": "Components stand together that WhatsApp does not show on one screen.",
    "not-in-flow": "A product is larger than the Flow: it is customized in the chat instead.",
    "too-few-groups": "A Flow shows fewer modifier groups than a product it takes has.",
    "unknown-component": "WhatsApp has no such component.",
    "unknown-data": "A screen has no such data.",
    "unknown-input": "A screen has no such input.",
    "unknown-property": "A component has no such property.",
    # Walks: made-up customers try everything.
    "cut-text": "A text is cut, because the tenant's menu makes it longer than WhatsApp takes.",
    "dead-tap": "A button that was just shown is not understood, is refused or is not answered.",
    "guard-fails": "A guard cannot be calculated; it then counts as not holding.",
    "guard-never-holds": "In all that a made-up customer tried a guard never held.",
    "left-out": "A message has no room for everything it offers: some of it cannot be chosen.",
    "never-seen": "A made-up customer who tried everything never came to a state.",
    "overflow": "Something does not fit in one message, and becomes another (with `--verbose`).",
    "turn-fails": "A customer gets the chart's `problem`, because an action or a text fails.",
    "unhandled-event": "Nothing reacts to what an action says, and the customer gets no answer.",
}
"""By code, what is wrong, in one sentence."""
