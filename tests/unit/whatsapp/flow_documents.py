"""Flow JSON documents that WhatsApp would take, to be changed by tests."""

from base64 import b64encode
from copy import deepcopy
from typing import Any

PNG = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(24)).decode()

Document = dict[str, Any]

_OPTION = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "metadata": {"type": "string"},
        "image": {"type": "string"},
        "enabled": {"type": "boolean"},
    },
}


def text(example: str) -> Document:
    return {"type": "string", "__example__": example}


def number(example: float) -> Document:
    return {"type": "number", "__example__": example}


def flag(example: bool) -> Document:
    return {"type": "boolean", "__example__": example}


def options(*titles: str) -> Document:
    example = [{"id": f"o{index}", "title": title} for index, title in enumerate(titles)]
    return {"type": "array", "items": deepcopy(_OPTION), "__example__": example}


def texts(*examples: str) -> Document:
    return {"type": "array", "items": {"type": "string"}, "__example__": list(examples)}


def exchange(**payload: Any) -> Document:
    return {"name": "data_exchange", "payload": {"event": "submit", **payload}}


def footer(label: str, action: Document, **more: Any) -> Document:
    return {"type": "Footer", "label": label, "on-click-action": action, **more}


def layout(*children: Document) -> Document:
    return {"type": "SingleColumnLayout", "children": list(children)}


def product_flow() -> Document:
    """The Flow of the issue: sizes, modifiers, summary."""
    return deepcopy(
        {
            "version": "7.3",
            "data_api_version": "4.0",
            "routing_model": {
                "SIZE_SELECTION": ["MODIFIERS_SELECTION", "ORDER_SUMMARY"],
                "MODIFIERS_SELECTION": ["ORDER_SUMMARY"],
                "ORDER_SUMMARY": [],
            },
            "screens": [
                {
                    "id": "SIZE_SELECTION",
                    "title": "Size",
                    "refresh_on_back": True,
                    "data": {
                        "product_name": text("Margherita"),
                        "product_image": text(PNG),
                        "has_image": flag(True),
                        "size_options": options("Small", "Large"),
                        "selected_size": text("o0"),
                        "footer_label": text("Next"),
                    },
                    "layout": layout(
                        {"type": "TextHeading", "text": "${data.product_name}"},
                        {
                            "type": "Image",
                            "src": "${data.product_image}",
                            "visible": "${data.has_image}",
                            "alt-text": "`'Picture of ' ${data.product_name}`",
                        },
                        {
                            "type": "RadioButtonsGroup",
                            "name": "size",
                            "label": "Size",
                            "required": True,
                            "data-source": "${data.size_options}",
                            "init-value": "${data.selected_size}",
                        },
                        footer("${data.footer_label}", exchange(size="${form.size}")),
                    ),
                },
                {
                    "id": "MODIFIERS_SELECTION",
                    "title": "Toppings",
                    "sensitive": ["notes"],
                    "data": {
                        "group_1_visible": flag(True),
                        "group_1_label": text("Toppings"),
                        "group_1_options": options("Olives", "Basil", "Ham"),
                        "group_1_min": number(0),
                        "group_1_max": number(2),
                        "group_1_selected": texts("o0"),
                        "has_sauce": flag(False),
                        "sauces": options("Hot", "Mild"),
                        "quantity_error": text("Two at most"),
                    },
                    "layout": layout(
                        {
                            "type": "CheckboxGroup",
                            "name": "group_1",
                            "label": "${data.group_1_label}",
                            "visible": "${data.group_1_visible}",
                            "data-source": "${data.group_1_options}",
                            "min-selected-items": "${data.group_1_min}",
                            "max-selected-items": "${data.group_1_max}",
                            "init-value": "${data.group_1_selected}",
                        },
                        {
                            "type": "If",
                            "condition": "${data.has_sauce}",
                            "then": [
                                {
                                    "type": "Dropdown",
                                    "name": "sauce",
                                    "label": "Sauce",
                                    "data-source": "${data.sauces}",
                                }
                            ],
                            "else": [{"type": "TextBody", "text": "No sauce with this one"}],
                        },
                        {
                            "type": "TextInput",
                            "name": "notes",
                            "label": "Notes",
                            "helper-text": "What the kitchen should know",
                            "error-message": "${data.quantity_error}",
                        },
                        footer("Next", exchange(group_1="${form.group_1}", notes="${form.notes}")),
                    ),
                },
                {
                    "id": "ORDER_SUMMARY",
                    "title": "Your choice",
                    "terminal": True,
                    "success": True,
                    "data": {
                        "total_price": text("12.50 EUR"),
                        "line": {
                            "type": "object",
                            "properties": {"name": {"type": "string"}},
                            "__example__": {"name": "Margherita"},
                        },
                        "modifier_summary": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "name": {"type": "string"},
                                    "quantity": {"type": "number"},
                                },
                            },
                            "__example__": [{"name": "Olives", "quantity": 1}],
                        },
                    },
                    "layout": layout(
                        {"type": "TextSubheading", "text": "${data.line.name}"},
                        {"type": "TextBody", "text": "`'Total: ' ${data.total_price}`"},
                        {
                            "type": "TextCaption",
                            "text": "${screen.MODIFIERS_SELECTION.form.notes}",
                        },
                        footer("Add to cart", exchange()),
                    ),
                },
            ],
        }
    )


def show_all() -> Document:
    """A Flow with every component, which needs no endpoint."""
    return deepcopy(
        {
            "version": "7.3",
            "screens": [
                {
                    "id": "PLACES",
                    "title": "Places",
                    "layout": layout(
                        {
                            "type": "NavigationList",
                            "name": "place",
                            "label": "Where to",
                            "list-items": [
                                {
                                    "id": "here",
                                    "main-content": {"title": "Here", "metadata": "Now"},
                                    "start": {"image": PNG, "alt-text": "A house"},
                                    "end": {"title": "Free"},
                                    "badge": "New",
                                    "tags": ["near", "open"],
                                    "on-click-action": navigate("INPUTS"),
                                },
                                {
                                    "id": "there",
                                    "main-content": {"title": "There"},
                                    "on-click-action": navigate("TERMS"),
                                },
                            ],
                        }
                    ),
                },
                {
                    "id": "TERMS",
                    "title": "Terms",
                    "layout": layout(
                        {"type": "RichText", "text": ["# Terms", "Be kind."]},
                        footer("Go on", navigate("INPUTS")),
                    ),
                },
                {
                    "id": "INPUTS",
                    "title": "Inputs",
                    "layout": layout(
                        {
                            "type": "Form",
                            "name": "form",
                            "init-values": {"name": "Ann", "chips": ["a"], "agreed": True},
                            "error-messages": {"name": "Too short"},
                            "children": [
                                {
                                    "type": "TextInput",
                                    "name": "name",
                                    "label": "Name",
                                    "input-type": "text",
                                    "pattern": "[A-Z].*",
                                    "helper-text": "As on the bell",
                                    "min-chars": 1,
                                    "max-chars": 40,
                                },
                                {
                                    "type": "TextArea",
                                    "name": "notes",
                                    "label": "Notes",
                                    "label-variant": "large",
                                    "max-length": 200,
                                },
                                {
                                    "type": "ChipsSelector",
                                    "name": "chips",
                                    "label": "What you like",
                                    "min-selected-items": 0,
                                    "max-selected-items": 2,
                                    "data-source": [
                                        {"id": "a", "title": "Spicy"},
                                        {"id": "b", "title": "Vegan"},
                                    ],
                                },
                                {
                                    "type": "OptIn",
                                    "name": "agreed",
                                    "label": "I agree",
                                    "on-click-action": open_url("https://shop.example/terms"),
                                },
                                footer("Go on", navigate("DATES")),
                            ],
                        }
                    ),
                },
                {
                    "id": "DATES",
                    "title": "Dates",
                    "data": {"first_day": text("2026-10-01"), "is_late": flag(False)},
                    "layout": layout(
                        {
                            "type": "DatePicker",
                            "name": "day",
                            "label": "Day",
                            "min-date": "2026-10-01",
                            "max-date": "2026-12-31",
                            "unavailable-dates": ["2026-12-25"],
                            "init-value": "2026-10-02",
                        },
                        {
                            "type": "CalendarPicker",
                            "name": "stay",
                            "mode": "range",
                            "title": "Your stay",
                            "description": "At least two nights",
                            "label": {"start-date": "From", "end-date": "To"},
                            "helper-text": {"start-date": "First night"},
                            "required": {"start-date": True},
                            "init-value": {
                                "start-date": "2026-10-03",
                                "end-date": "2026-10-05",
                            },
                            "min-date": "${data.first_day}",
                            "include-days": ["Mon", "Sat"],
                            "min-days": 2,
                            "max-days": 9,
                        },
                        {
                            "type": "Switch",
                            "value": "${data.first_day}",
                            "cases": {
                                "today": [{"type": "TextBody", "text": "Now"}],
                                "later": [],
                            },
                        },
                        {
                            "type": "If",
                            "condition": "!${data.is_late} && (${form.day} != '2026-12-24')",
                            "then": [footer("Go on", navigate("PICTURES"))],
                            "else": [
                                footer(
                                    "Anyway",
                                    navigate("PICTURES"),
                                    **{"left-caption": "A", "right-caption": "B"},
                                )
                            ],
                        },
                    ),
                },
                {
                    "id": "PICTURES",
                    "title": "Pictures",
                    "terminal": True,
                    "layout": layout(
                        {"type": "Image", "src": PNG, "width": 200, "scale-type": "cover"},
                        {
                            "type": "ImageCarousel",
                            "aspect-ratio": "16:9",
                            "images": [{"src": PNG, "alt-text": "Sea"}],
                        },
                        {
                            "type": "TextCaption",
                            "text": ["**Bold**", "plain"],
                            "markdown": True,
                            "font-weight": "italic",
                        },
                        {
                            "type": "EmbeddedLink",
                            "text": "More",
                            "on-click-action": open_url("https://shop.example"),
                        },
                        {
                            "type": "RadioButtonsGroup",
                            "name": "colour",
                            "label": "Colour",
                            "media-size": "large",
                            "init-value": "red",
                            "data-source": [
                                {"id": "red", "title": "Red", "color": "#FF0000"},
                                {"id": "blue", "title": "Blue", "color": "#0000ff"},
                            ],
                        },
                        {
                            "type": "CheckboxGroup",
                            "name": "extras",
                            "label": "Extras",
                            "data-source": [{"id": "x", "title": "X", "image": PNG}],
                        },
                        {
                            "type": "PhotoPicker",
                            "name": "photos",
                            "label": "Photos",
                            "photo-source": "camera",
                            "min-uploaded-photos": 0,
                            "max-uploaded-photos": 3,
                            "max-file-size-kb": 10240,
                        },
                        footer(
                            "Send",
                            {
                                "name": "complete",
                                "payload": {
                                    "photos": "${form.photos}",
                                    "name": "${screen.INPUTS.form.name}",
                                    "all": {"extras": "${form.extras}"},
                                },
                            },
                            **{"center-caption": "At last"},
                        ),
                        {
                            "type": "EmbeddedLink",
                            "text": "Papers",
                            "on-click-action": navigate("PAPERS"),
                        },
                    ),
                },
                {
                    "id": "PAPERS",
                    "title": "Papers",
                    "terminal": True,
                    "layout": layout(
                        {"type": "TextHeading", "text": "Papers"},
                        {
                            "type": "DocumentPicker",
                            "name": "papers",
                            "label": "Papers",
                            "max-uploaded-documents": 1,
                            "allowed-mime-types": ["application/pdf"],
                        },
                        footer("Send", {"name": "complete", "payload": {}}),
                    ),
                },
            ],
        }
    )


def navigate(screen: str, **payload: Any) -> Document:
    data = {"DATES": {"first_day": "2026-10-01", "is_late": False}}.get(screen, {})
    return {
        "name": "navigate",
        "next": {"type": "screen", "name": screen},
        "payload": {**data, **payload},
    }


def open_url(url: str) -> Document:
    return {"name": "open_url", "url": url}
