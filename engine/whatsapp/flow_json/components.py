"""The components of Flow JSON 7.3 as a table: their properties, limits, and what may hold what.

Nothing is checked here. Where a line names no source, it follows Meta's pages
flows/reference/components and flows/reference/media_upload; "Meta's validator" is the one inside
its Flow Builder.
"""

from collections.abc import Mapping
from typing import Final

from engine.whatsapp.flow_json.choices import CHOICES
from engine.whatsapp.flow_json.properties import Box, Component, Kind, OptionRule, Property

__all__ = ["COMPONENTS", "Component", "Kind", "OptionRule", "Property"]

IMAGE_KB: Final = 300  # recommended

_FLAG: Final = Property("boolean")
_VISIBLE: Final = {"visible": _FLAG}
_USUAL: Final = {"visible": _FLAG, "enabled": _FLAG, "required": _FLAG}
_NAME: Final = Property("name", is_required=True, is_static=True)
_ANY_TEXT: Final = Property("text")
_LARGE: Final = Property("text", values=("large",), is_static=True)  # from 7.0, Meta's validator
_HELPER: Final = Property("text", limit=80)
_UPDATE: Final = Property("action", actions=("update_data",))
_EXCHANGE: Final = Property("action", actions=("data_exchange",))
_LINK: Final = ("data_exchange", "navigate", "open_url")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_SCALE: Final = Property("text", values=("cover", "contain"), is_static=True)


def _label(limit: int) -> Property:
    return Property("text", is_required=True, limit=limit)


def _start(kind: Kind) -> Property:
    return Property(kind, is_outside_form=True, may_be_blank=True)


def _error(limit: int | None = None) -> Property:
    return Property("text", limit=limit, is_outside_form=True, may_be_blank=True)


_HEADING: Final = Component({"text": _label(80), **_VISIBLE})


def _paragraph(limit: int) -> Component:
    return Component(
        {
            "text": Property("texts", is_required=True, limit=limit),
            "font-weight": Property("text", values=("bold", "italic", "bold_italic", "normal")),
            "strikethrough": _FLAG,
            "markdown": Property("boolean", is_static=True),
            **_VISIBLE,
        }
    )


_CAPTION: Final = Property("text", limit=15)
_DATES: Final = {
    "name": _NAME,
    "min-date": Property("date"),
    "max-date": Property("date"),
    "unavailable-dates": Property("dates"),
    "on-select-action": _EXCHANGE,
    "visible": _FLAG,
    "enabled": _FLAG,
}
_PICTURE: Final = {
    "src": Property("image", is_required=True, limit=IMAGE_KB),
    "alt-text": Property("text", is_required=True),
}
_MIME_TYPES: Final = (
    "application/gzip", "application/msword", "application/pdf", "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint", "application/vnd.oasis.opendocument.presentation",
    "application/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/x-7z-compressed", "application/zip", "image/avif", "image/gif", "image/heic",
    "image/heif", "image/jpeg", "image/png", "image/tiff", "image/webp", "text/plain",
    "video/mp4", "video/mpeg",
)  # fmt: skip


def _picker(files: str, **more: Property) -> Component:
    """Give a component that takes files; Meta's validator takes no expressions for the numbers."""
    return Component(
        {
            "name": _NAME,
            "label": _label(80),
            "description": Property("text", limit=300),
            f"min-uploaded-{files}": Property("integer", least=0, most=30, is_static=True),
            f"max-uploaded-{files}": Property("integer", least=1, most=30, is_static=True),
            "max-file-size-kb": Property("integer", least=1, most=25_600, is_static=True),
            "error-message": _error(),
            "visible": _FLAG,
            "enabled": _FLAG,
            **{name.replace("_", "-"): rule for name, rule in more.items()},
        },
        input="media",
        per_screen=1,  # of both kinds together
    )


_NOT_IN_SWITCH: Final[frozenset[Box]] = frozenset({"If", "Form"})
_ONLY_IN_FORM: Final[frozenset[Box]] = frozenset({"Form"})

COMPONENTS: Final[Mapping[str, Component]] = {
    "TextHeading": _HEADING,
    "TextSubheading": _HEADING,
    "TextBody": _paragraph(4096),
    "TextCaption": _paragraph(409),
    "RichText": Component(
        {"text": Property("texts", is_required=True), **_VISIBLE},
        per_screen=1,
        boxes=frozenset(),
        beside=frozenset({"Footer"}),  # from 6.3
    ),
    "TextInput": Component(
        {
            "name": _NAME,
            "label": _label(20),
            "input-type": Property(
                "text",
                values=("text", "number", "email", "password", "passcode", "phone"),
                is_static=True,
            ),
            "label-variant": _LARGE,
            "pattern": Property("text", is_static=True),
            "min-chars": Property("integer", least=0),
            "max-chars": Property("integer", least=1),
            "helper-text": _HELPER,
            "init-value": _start("text"),
            "error-message": _error(30),
            **_USUAL,
        },
        input="text",
    ),
    "TextArea": Component(
        {
            "name": _NAME,
            "label": _label(20),
            "label-variant": _LARGE,
            "max-length": Property("integer", least=1),
            "helper-text": _HELPER,
            "init-value": _start("text"),
            "error-message": _error(),
            **_USUAL,
        },
        input="text",
    ),
    "OptIn": Component(
        {
            "name": _NAME,
            "label": _label(120),
            "required": _FLAG,
            "init-value": _start("boolean"),
            "on-click-action": Property("action", actions=_LINK),
            "on-select-action": _UPDATE,
            "on-unselect-action": _UPDATE,
            **_VISIBLE,
        },
        input="flag",
        per_screen=5,
    ),
    "EmbeddedLink": Component(
        {
            "text": _label(25),
            "on-click-action": Property("action", is_required=True, actions=_LINK),
            **_VISIBLE,
        },
        per_screen=2,
    ),
    "Footer": Component(
        {
            "label": _label(35),
            "left-caption": _CAPTION,
            "center-caption": _CAPTION,
            "right-caption": _CAPTION,
            "enabled": _FLAG,
            "on-click-action": Property(
                "action", is_required=True, actions=("data_exchange", "navigate", "complete")
            ),
        },
        per_screen=1,
    ),
    "DatePicker": Component(
        {
            **_DATES,
            "label": _label(40),
            "helper-text": _HELPER,
            "required": _FLAG,
            "init-value": _start("date"),
            "error-message": _error(80),
        },
        input="date",
    ),
    "CalendarPicker": Component(
        {
            **_DATES,
            "mode": Property("text", values=("single", "range")),
            "title": Property("text", limit=80, in_range="only"),
            "description": Property("text", limit=300, in_range="only"),
            "label": Property("text", is_required=True, limit=40, in_range="pair"),
            "helper-text": Property("text", limit=80, in_range="pair"),
            "required": Property("boolean", in_range="pair"),
            "init-value": Property(
                "date", in_range="pair", is_outside_form=True, may_be_blank=True
            ),
            "error-message": Property(
                "text", limit=80, in_range="pair", is_outside_form=True, may_be_blank=True
            ),
            "include-days": Property("array", least=1, values=_DAYS),
            "min-days": Property("integer", least=0, in_range="only"),
            "max-days": Property("integer", least=0, in_range="only"),
        },
        input="dates",
    ),
    "Image": Component(
        {
            **_PICTURE,
            "alt-text": _ANY_TEXT,
            "width": Property("number", least=1),
            "height": Property("number", least=1),
            "aspect-ratio": Property("number"),
            "scale-type": _SCALE,
            **_VISIBLE,
        },
        per_screen=3,
    ),
    "ImageCarousel": Component(
        {
            "images": Property("objects", is_required=True, least=1, most=3, properties=_PICTURE),
            "aspect-ratio": Property("text", values=("4:3", "16:9"), is_static=True),
            "scale-type": _SCALE,
            **_VISIBLE,
        },
        per_screen=2,
        per_flow=3,
        boxes=_ONLY_IN_FORM,
    ),
    "PhotoPicker": _picker(
        "photos",
        photo_source=Property(
            "text", values=("camera_gallery", "camera", "gallery"), is_static=True
        ),
    ),
    "DocumentPicker": _picker(
        "documents",
        allowed_mime_types=Property("array", least=1, values=_MIME_TYPES, is_static=True),
    ),
    "If": Component(
        {
            "condition": Property("condition", is_required=True),
            "then": Property("children", is_required=True, least=1),
            "else": Property("children", least=1),
        },
        boxes=_NOT_IN_SWITCH,
    ),
    "Switch": Component(
        {
            "value": Property("switch", is_required=True),
            "cases": Property("cases", is_required=True, least=1),
        },
        boxes=_NOT_IN_SWITCH,
    ),
    "Form": Component(
        {
            "name": _NAME,
            "children": Property("children", is_required=True, least=1),
            "init-values": Property("object"),
            "error-messages": Property("object"),
        },
        per_screen=1,  # from 7.0, Meta's validator
        boxes=frozenset(),
    ),
    **CHOICES,
}
"""By type."""
