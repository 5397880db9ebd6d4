"""A screen of a Flow as a person sees it: as JSON, and as lines for a terminal."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from engine.sandbox.device.components import ONE_OF_MANY, SOME_OF_MANY, Component
from engine.sandbox.envelope import JsonObject

BOLD = frozenset({"TextHeading", "TextSubheading"})
# How a component's property is called for the person; what is not there is left out.
SEEN: Mapping[str, str] = MappingProxyType(
    {
        "helper-text": "helper",
        "error-message": "error",
        "description": "description",
        "input-type": "input",
        "min-selected-items": "least",
        "max-selected-items": "most",
        "left-caption": "left",
        "center-caption": "center",
        "right-caption": "right",
    }
)
ENDS_WITH_A_MARK = (":", "?", "!", ".", "…")


def described(
    screen: str,
    title: str,
    components: Iterable[Component],
    form: Mapping[str, object],
    message: str | None = None,
) -> JsonObject:
    """Describe a screen as a person sees it.

    Args:
        form: what the inputs hold.
        message: what is said at the bottom for a moment.
    """
    seen: JsonObject = {
        "id": screen,
        "title": title,
        "components": [_described(one, form.get(one.name)) for one in components],
    }
    return seen if message is None else seen | {"message": message}


def screen_lines(screen: JsonObject) -> list[str]:
    """Write a described screen for a terminal, framed at its left."""
    components = screen["components"]
    inside = [line for one in components for line in _lines(one) if one["type"] != "Footer"]
    if "message" in screen:
        inside.append(f"! {screen['message']}")
    footers = [one for one in components if one["type"] == "Footer"]
    captions = [line for one in footers for line in _captions(one)]
    rows = "\n".join(inside + captions).split("\n") if inside + captions else []
    last = f"└ {_button(footers[0])}" if footers else "└"
    return [f"┌ {screen['title']}", *(f"│ {row}".rstrip() for row in rows), last]


def _described(component: Component, value: object) -> JsonObject:
    if component.type in ("Image", "ImageCarousel"):
        return {"type": component.type, "alt": _alternative(component)}
    properties = component.properties
    seen: JsonObject = {"type": component.type}
    if component.type in ("TextBody", "TextCaption"):
        seen |= {key: properties[key] for key in ("font-weight",) if key in properties}
    if component.press_name is not None:
        seen["id"] = component.press_name
    if component.name:
        seen["name"] = component.name
    text = properties.get("text", properties.get("label"))
    if text is not None:
        written = "\n".join(map(str, text)) if isinstance(text, list) else text
        seen["text" if "text" in properties else "label"] = written
    if component.is_input:
        seen |= {"value": value, "required": component.is_required}
    if component.is_input or component.press_name is not None:
        seen["enabled"] = component.is_enabled
    if component.type in ONE_OF_MANY | SOME_OF_MANY | {"NavigationList"}:
        seen["options"] = [_option(one, value) for one in component.options]
    return seen | {called: properties[key] for key, called in SEEN.items() if key in properties}


def _alternative(component: Component) -> str:
    images = component.properties.get("images", [component.properties])
    return ", ".join(str(one.get("alt-text", "")) for one in images)


def _option(option: JsonObject, value: object) -> JsonObject:
    own = option.get("id")
    seen = {
        key: option[key] for key in ("id", "title", "description", "metadata") if key in option
    }
    chosen = own in value if isinstance(value, list) else own == value
    return seen | {"chosen": chosen, "enabled": option.get("enabled", True) is not False}


def _lines(component: JsonObject) -> Iterator[str]:
    draw = DRAWN.get(component["type"], _written)
    yield from draw(component)
    for key in ("helper", "error"):
        if component.get(key):
            yield f"  {component[key]}"


def _written(component: JsonObject) -> Iterator[str]:
    bold = component["type"] in BOLD or "bold" in component.get("font-weight", "")
    text = component.get("text", "")
    yield f"*{text}*" if bold else text


def _picture(component: JsonObject) -> Iterator[str]:
    yield f"[picture: {component['alt']}]" if component["alt"] else "[picture]"


def _entry(component: JsonObject) -> Iterator[str]:
    value = component["value"]
    if component.get("input") in ("password", "passcode"):
        value = "•" * len(value)
    yield f"{_label(component)} [{value if value else ''}]"


def _choices(component: JsonObject) -> Iterator[str]:
    yield _label(component)
    marks = "○●" if component["type"] in ONE_OF_MANY else "☐☑"
    for option in component["options"]:
        yield f"  {marks[option['chosen']]} {_choice(option)}"


def _entries(component: JsonObject) -> Iterator[str]:
    if component.get("label"):
        yield _label(component)
    for option in component["options"]:
        yield f"  → {_choice(option)}"


def _tick(component: JsonObject) -> Iterator[str]:
    yield f"{'☑' if component['value'] else '☐'} {component['label']}"


def _link(component: JsonObject) -> Iterator[str]:
    yield f"→ {component['text']}"


def _label(component: JsonObject) -> str:
    label = str(component.get("label", component.get("name", "")))
    return label if label.endswith(ENDS_WITH_A_MARK) else f"{label}:"


def _choice(option: JsonObject) -> str:
    parts = [option.get("title", ""), option.get("description"), option.get("metadata")]
    text = " - ".join(str(part) for part in parts if part)
    return text if option.get("enabled", True) else f"({text})"


def _captions(footer: JsonObject) -> Iterator[str]:
    captions = [footer[key] for key in ("left", "center", "right") if footer.get(key)]
    if captions:
        yield " | ".join(captions)


def _button(footer: JsonObject) -> str:
    return f"[{footer['label']}]" if footer["enabled"] else f"({footer['label']})"


DRAWN: Mapping[str, Callable[[JsonObject], Iterator[str]]] = MappingProxyType(
    {
        "Image": _picture,
        "ImageCarousel": _picture,
        "TextInput": _entry,
        "TextArea": _entry,
        "DatePicker": _entry,
        "CalendarPicker": _entry,
        "PhotoPicker": _entry,
        "DocumentPicker": _entry,
        "RadioButtonsGroup": _choices,
        "Dropdown": _choices,
        "CheckboxGroup": _choices,
        "ChipsSelector": _choices,
        "NavigationList": _entries,
        "OptIn": _tick,
        "EmbeddedLink": _link,
    }
)
