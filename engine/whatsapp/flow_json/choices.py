"""The components of a Flow JSON that offer options, as a table; nothing is checked here.

Where a line names no source, it follows Meta's page flows/reference/components; "Meta's
validator" is the one inside its Flow Builder.
"""

from collections.abc import Mapping
from typing import Final

from engine.whatsapp.flow_json.properties import Component, Property

IMAGE_KB: Final = 100  # from 6.0, on for every option
_FLAG: Final = Property("boolean")
_ANY_TEXT: Final = Property("text")
_NAME: Final = Property("name", is_required=True, is_static=True)
_UPDATE: Final = Property("action", actions=("update_data",))
_ID: Final = Property("text", is_required=True, is_static=True)
_TITLE: Final = Property("text", is_required=True, limit=30)
_DESCRIPTION: Final = Property("text", limit=300)
_IMAGE: Final = Property("image", limit=IMAGE_KB)

_OPTION: Final = {
    "id": _ID,
    "title": _TITLE,
    "enabled": _FLAG,
    "on-select-action": _UPDATE,
    "on-unselect-action": _UPDATE,
}
_RICH_OPTION: Final = {
    **_OPTION,
    "description": _DESCRIPTION,
    "metadata": Property("text", limit=20),
    "image": _IMAGE,
    "alt-text": _ANY_TEXT,
    "color": Property("color", is_static=True),
}
_OPTIONS: Final = Property("options", is_required=True, least=1, most=20, properties=_RICH_OPTION)
_MANY_OPTIONS: Final = Property(
    "options", is_required=True, least=1, most=200, most_with_images=100, properties=_RICH_OPTION
)
# How long a chip's title may be no page says: 30 as in the other groups.
_CHIPS: Final = Property("options", is_required=True, least=2, most=20, properties=_OPTION)

_ALL: Final = {
    "name": _NAME,
    "required": _FLAG,
    "enabled": _FLAG,
    "visible": _FLAG,
    "on-select-action": Property("action", actions=("data_exchange", "update_data")),
    "on-unselect-action": _UPDATE,  # Meta's validator
    "error-message": Property("text", is_outside_form=True, may_be_blank=True),
}
_GROUP: Final = {
    **_ALL,
    # 4.0 gave it a "higher limit" without a number; 30 is the one before.
    "label": Property("text", is_required=True, limit=30),
    "description": _DESCRIPTION,
    "data-source": _OPTIONS,
    "media-size": Property("text", values=("regular", "large"), is_static=True),
}
_ONE: Final = {"init-value": Property("text", is_outside_form=True, may_be_blank=True)}
_MANY: Final = {
    "init-value": Property("array", is_outside_form=True),
    "min-selected-items": Property("integer", least=0),
    "max-selected-items": Property("integer", least=1),
}

_SIDE: Final = Property("text", limit=10)
_ITEM: Final = {
    "id": _ID,
    "main-content": Property(
        "object",
        is_required=True,
        properties={
            "title": _TITLE,
            "description": Property("text", limit=20),
            "metadata": Property("text", limit=80),
        },
    ),
    "start": Property(
        "object",
        properties={
            "image": Property("image", is_required=True, limit=IMAGE_KB),
            "alt-text": _ANY_TEXT,
        },
    ),
    "end": Property(
        "object", properties={"title": _SIDE, "description": _SIDE, "metadata": _SIDE}
    ),
    "badge": Property("text", limit=15),
    "tags": Property("array", least=1, most=3, limit=15),
    "enabled": _FLAG,  # Meta's validator
    "on-click-action": Property("action", actions=("data_exchange", "navigate")),
}

CHOICES: Final[Mapping[str, Component]] = {
    "Dropdown": Component(
        {
            **_ALL,
            **_ONE,
            "label": Property("text", is_required=True, limit=20),
            "data-source": _MANY_OPTIONS,
        },
        input="one",
    ),
    "RadioButtonsGroup": Component({**_GROUP, **_ONE}, input="one"),
    "CheckboxGroup": Component(
        {
            **_GROUP,
            **_MANY,
            # Meta's validator refuses a written 1; of one from a screen's data it cannot know.
            "max-selected-items": Property("integer", least=1, least_written=2),
        },
        input="many",
    ),
    "ChipsSelector": Component(
        {
            **_ALL,
            **_MANY,
            "label": Property("text", is_required=True, limit=80),
            "description": _DESCRIPTION,
            "data-source": _CHIPS,
        },
        input="many",
    ),
    "NavigationList": Component(
        {
            "name": _NAME,
            "label": Property("text", limit=80),
            "description": _DESCRIPTION,
            "media-size": Property("text", values=("regular", "large"), is_static=True),
            "list-items": Property(
                "options", is_required=True, least=1, most=20, properties=_ITEM
            ),
            "on-click-action": Property("action", actions=("data_exchange", "navigate")),
        },
        input="one",  # Meta's validator gives `${form.<name>}` the type of the radio buttons'
        per_screen=2,
        boxes=frozenset({"Form"}),
        beside=frozenset({"Form"}),
    ),
}
"""By type, from the first to the last that Meta made."""
