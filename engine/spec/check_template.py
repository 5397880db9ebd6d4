"""Message templates as they are declared: what Meta would not take, and names given twice."""

from engine.spec.message import Message, TemplatePart
from engine.spec.problems import Problems, Span
from engine.spec.whole import Whole
from engine.whatsapp.templates import Definition


def definition_of(part: TemplatePart, language: str) -> Definition:
    """Give a declared template as Meta is to create it.

    Args:
        language: as Meta calls it.
    """
    return Definition(
        name=part.name,
        language=language,
        category=part.category,
        body=part.body,
        parameters=len(part.parameters),
        footer=part.footer,
        examples=part.examples,
        buttons=tuple(button.title for button in part.buttons),
    )


def check_template(message: Message, problems: Problems) -> None:
    """Note what Meta would not take of a message's template."""
    part = message.template
    if part is None:
        return
    if not part.body:
        sentence = f"the template of '{message.id}' has no 'body': it must be made at Meta by hand"
        hint = "declare its 'category' and 'body', and `comanda templates sync` makes it"
        problems.warn(Span.of(part.where), "template-undeclared", sentence, hint)
        return
    for complaint in definition_of(part, "").complaints():
        place = Span.of(part.place(complaint.part))
        problems.add(place, complaint.code, complaint.sentence, complaint.hint)


def check_templates(whole: Whole) -> None:
    """Note names under which two messages declare different templates."""
    for words in whole.words.values():
        known: dict[str, tuple[str, Definition]] = {}
        for message in words.messages.values():
            part = message.template
            if part is None or not part.name or not part.body:
                continue
            mine = definition_of(part, words.language)
            other, first = known.setdefault(part.name, (message.id, mine))
            if first != mine:
                sentence = f"'{other}' declares another template under the name '{part.name}'"
                span = Span.of(part.place("body"))
                whole.problems.add(span, "template-twice", sentence, "give it another 'name'")
