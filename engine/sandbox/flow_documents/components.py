"""The components of Flow JSON as data: their properties and limits, as Meta's reference has them.

Versions older than 4.0 are frozen; they are judged as 4.0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from engine.sandbox.flow_documents.choices import (
    CHIP,
    ITEM,
    UPDATES,
    Fields,
    action,
    options,
)
from engine.sandbox.flow_documents.faults import (
    Fault,
    Path,
    Version,
    rooted,
    wrong_type,
    wrong_value,
)
from engine.sandbox.flow_documents.shapes import (
    OLDEST,
    Property,
    array,
    choice,
    choices,
    day,
    either,
    flag,
    length,
    lines,
    mapping,
    number,
    picture,
    record,
    since,
    text,
)


@dataclass(frozen=True, slots=True)
class Component:
    """A component of Flow JSON.

    Args:
        fields: its properties; `name?` may be absent.
        since: the first version that has it.
        value: JSON type of what the customer enters; None if he enters nothing, or it depends.
        is_input: the customer enters something.
        most: how many of it there may be on a screen.
    """

    fields: Fields
    since: Version = OLDEST
    value: str | None = None
    is_input: bool = False
    most: int | None = None


def components(*, least: int = 0) -> Property:
    """Want an array of components."""
    plain = array(Property(_component), bound=False)

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        if least and value == []:
            yield wrong_value(path, "Expected array to contain at least one component.")
        yield from plain.check(version, path, value)

    return Property(check)


def cases() -> Property:
    """Want arrays of components by the value they are for, at least one."""
    branch = components()

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield wrong_type(path, "object", value)
            return
        if not value:
            yield wrong_value(path, f"Invalid empty property found at: '{rooted(path)}'.")
        for name, children in value.items():
            yield from branch.check(version, (*path, name), children)

    return Property(check)


def start_and_end(property_: Property, *, needed: bool = False) -> Property:
    """Want a property, or two of it for the start and the end of a range of days."""
    mark = "" if needed else "?"
    both = record({f"start-date{mark}": property_, f"end-date{mark}": property_})
    return either(property_, Property(both.check, ("object",)))


def _component(version: Version, path: Path, value: Any) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield wrong_type(path, "object", value)
        return
    if "type" not in value:
        message = "Required property 'type' is missing."
        yield Fault("MISSING_REQUIRED_TYPE_PROPERTY", message, path)
        return
    name = value["type"]
    component = COMPONENTS.get(name) if isinstance(name, str) else None
    if component is None or version < component.since:
        yield wrong_value((*path, "type"))
        return
    fields = {"type": text(bound=False), **component.fields}
    yield from record(fields, owner=name).check(version, path, value)


VISIBLE: Fields = MappingProxyType({"visible?": flag()})
# A name is never bound.
NAME = text(bound=False, like=r"(?!.*\$\{).+")
UNSELECT: Fields = MappingProxyType({"on-unselect-action?": UPDATES})
SELECT: Fields = MappingProxyType(
    {"on-select-action?": action("data_exchange", "update_data"), **UNSELECT}
)
SHOWN_SIZE: Fields = MappingProxyType({"media-size?": since((5, 0), choice("regular", "large"))})
# What a customer enters into, and what of it only stands there outside a `Form`.
ENTERED: Fields = MappingProxyType({"name": NAME, "required?": flag(), "enabled?": flag()})
GROUP: Fields = MappingProxyType(
    {
        **ENTERED,
        **VISIBLE,
        **SELECT,
        **SHOWN_SIZE,
        "label": text(30),
        "description?": text(300),
        "data-source": options(1, 20),
        "error-message?": text(),
    }
)
SEVERAL: Fields = MappingProxyType(
    {
        "min-selected-items?": number(),
        "max-selected-items?": number(),
        "init-value?": array(text(bound=False)),
    }
)
FORMATTED: Fields = MappingProxyType(
    {
        **VISIBLE,
        "font-weight?": choice("bold", "italic", "bold_italic", "normal"),
        "strikethrough?": flag(),
        "markdown?": since((5, 1), flag()),
    }
)
LABEL_VARIANT = since((7, 0), choice("large"))
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MIME_TYPES = (
    *(
        f"application/{name}"
        for name in (
            "gzip",
            "msword",
            "pdf",
            "vnd.ms-excel",
            "vnd.ms-powerpoint",
            "vnd.oasis.opendocument.presentation",
            "vnd.oasis.opendocument.spreadsheet",
            "vnd.oasis.opendocument.text",
            "vnd.openxmlformats-officedocument.presentationml.presentation",
            "vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            "vnd.openxmlformats-officedocument.wordprocessingml.document",
            "x-7z-compressed",
            "zip",
        )
    ),
    *(f"image/{name}" for name in ("avif", "gif", "heic", "heif", "jpeg", "png", "tiff", "webp")),
    "text/plain",
    "video/mp4",
    "video/mpeg",
)
PICKED: Fields = MappingProxyType(
    {
        **VISIBLE,
        "name": NAME,
        "label": text(80),
        "description?": text(300),
        "max-file-size-kb?": number(1, 25600),
        "enabled?": flag(),
        "error-message?": either(text(), mapping()),
    }
)

COMPONENTS: Mapping[str, Component] = MappingProxyType(
    {
        "TextHeading": Component({**VISIBLE, "text": text(80)}),
        "TextSubheading": Component({**VISIBLE, "text": text(80)}),
        "TextBody": Component({**FORMATTED, "text": lines(4096)}),
        "TextCaption": Component({**FORMATTED, "text": lines(409)}),
        "RichText": Component({**VISIBLE, "text": lines()}, since=(5, 1)),
        "TextInput": Component(
            {
                **ENTERED,
                **VISIBLE,
                "label": text(20),
                "label-variant?": LABEL_VARIANT,
                "input-type?": choice("text", "number", "email", "password", "passcode", "phone"),
                "pattern?": since((6, 2), text(bound=False)),
                "min-chars?": length(),
                "max-chars?": length(),
                "helper-text?": text(80),
                "init-value?": text(),
                "error-message?": text(30),
            },
            value="string",
            is_input=True,
        ),
        "TextArea": Component(
            {
                **ENTERED,
                **VISIBLE,
                "label": text(20),
                "label-variant?": LABEL_VARIANT,
                "max-length?": length(),
                "helper-text?": text(80),
                "init-value?": text(),
                "error-message?": text(),
            },
            value="string",
            is_input=True,
        ),
        "CheckboxGroup": Component({**GROUP, **SEVERAL}, value="array", is_input=True),
        "RadioButtonsGroup": Component(
            {**GROUP, "init-value?": text()}, value="string", is_input=True
        ),
        "ChipsSelector": Component(
            {
                **ENTERED,
                **VISIBLE,
                **SELECT,
                **SEVERAL,
                "label": text(80),
                "description?": text(300),
                "data-source": array(CHIP, least=2, most=20),
                "error-message?": text(),
            },
            since=(6, 3),
            value="array",
            is_input=True,
        ),
        "Dropdown": Component(
            {
                **ENTERED,
                **VISIBLE,
                **SELECT,
                "label": text(20),
                "data-source": options(1, 200),
                "init-value?": text(),
                "error-message?": text(),
            },
            value="string",
            is_input=True,
        ),
        "OptIn": Component(
            {
                **VISIBLE,
                **UNSELECT,
                "name": NAME,
                "label": text(120),
                "required?": flag(),
                "on-click-action?": action("data_exchange", "navigate", "open_url"),
                "on-select-action?": UPDATES,
                "init-value?": flag(),
            },
            value="boolean",
            is_input=True,
            most=5,
        ),
        "EmbeddedLink": Component(
            {
                **VISIBLE,
                "text": text(25),
                "on-click-action": action("data_exchange", "navigate", "open_url"),
            },
            most=2,
        ),
        "Footer": Component(
            {
                "label": text(35),
                "left-caption?": text(15),
                "center-caption?": text(15),
                "right-caption?": text(15),
                "enabled?": flag(),
                "on-click-action": action("data_exchange", "navigate", "complete"),
            }
        ),
        "DatePicker": Component(
            {
                **ENTERED,
                **VISIBLE,
                "label": text(40),
                "min-date?": day(),
                "max-date?": day(),
                "unavailable-dates?": array(day()),
                "helper-text?": text(80),
                "on-select-action?": action("data_exchange"),
                "init-value?": day(),
                "error-message?": text(80),
            },
            value="string",
            is_input=True,
        ),
        "CalendarPicker": Component(
            {
                **VISIBLE,
                "name": NAME,
                "enabled?": flag(),
                "mode?": choice("single", "range"),
                "title?": text(80),
                "description?": text(300),
                "label": start_and_end(text(40), needed=True),
                "helper-text?": start_and_end(text(80)),
                "required?": start_and_end(flag()),
                "min-date?": day(),
                "max-date?": day(),
                "unavailable-dates?": array(day()),
                "include-days?": choices(*DAYS),
                "min-days?": number(),
                "max-days?": number(),
                "on-select-action?": action("data_exchange"),
                "init-value?": start_and_end(day()),
                "error-message?": start_and_end(text(80)),
            },
            since=(6, 1),
            is_input=True,
        ),
        "Image": Component(
            {
                **VISIBLE,
                "src": picture(),
                "width?": number(),
                "height?": number(),
                "scale-type?": choice("cover", "contain"),
                "aspect-ratio?": number(),
                "alt-text?": text(),
            },
            most=3,
        ),
        "ImageCarousel": Component(
            {
                **VISIBLE,
                "images": array(record({"src": picture(), "alt-text": text()}), least=1, most=3),
                "aspect-ratio?": choice("4:3", "16:9"),
                "scale-type?": choice("cover", "contain"),
            },
            since=(7, 1),
            most=2,
        ),
        "NavigationList": Component(
            {
                "name": NAME,
                "list-items": array(ITEM, least=1, most=20),
                "label?": text(80),
                "description?": text(300),
                "media-size?": choice("regular", "large"),
                "on-click-action?": action("data_exchange", "navigate"),
            },
            since=(6, 2),
            most=2,
        ),
        "PhotoPicker": Component(
            {
                **PICKED,
                "photo-source?": choice("camera_gallery", "camera", "gallery"),
                "min-uploaded-photos?": number(0, 30),
                "max-uploaded-photos?": number(1, 30),
            },
            value="array",
            is_input=True,
            most=1,
        ),
        "DocumentPicker": Component(
            {
                **PICKED,
                "min-uploaded-documents?": number(0, 30),
                "max-uploaded-documents?": number(1, 30),
                "allowed-mime-types?": choices(*MIME_TYPES),
            },
            value="array",
            is_input=True,
            most=1,
        ),
        "If": Component(
            {
                "condition": text(bound=False),
                "then": components(least=1),
                "else?": components(),
            }
        ),
        "Switch": Component({"value": text(bound=False), "cases": cases()}),
        "Form": Component(
            {
                "name": NAME,
                "children": components(),
                "init-values?": mapping(),
                "error-messages?": mapping(),
            }
        ),
    }
)
