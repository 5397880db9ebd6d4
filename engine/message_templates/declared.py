"""The templates that a tenant's messages declare."""

from engine.spec.bundle import Bundle
from engine.spec.check_template import definition_of
from engine.whatsapp.templates import Definition, template_language


def declared(bundle: Bundle) -> tuple[Definition, ...]:
    """Give the templates with a body, in each of the tenant's languages, by name."""
    found: dict[tuple[str, str], Definition] = {}
    for spoken in bundle.tenant.languages:
        language = template_language(bundle.tenant.locale(spoken))
        for message in bundle.vocabularies[spoken].messages.values():
            part = message.template
            if part is not None and part.body:
                found.setdefault((part.name, language), definition_of(part, language))
    return tuple(found[key] for key in sorted(found))
