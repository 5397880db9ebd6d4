"""What a customer can tap in a Flow, as shapes: actions, options, items of a list."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from engine.sandbox.flow_documents.faults import (
    Fault,
    Path,
    Version,
    listed,
    wrong_type,
    wrong_value,
)
from engine.sandbox.flow_documents.shapes import (
    LIST_PICTURES,
    OLDEST,
    Property,
    array,
    choice,
    flag,
    mapping,
    picture,
    record,
    since,
    text,
    web_address,
)

Fields = Mapping[str, Property]

PICTURE_IN_A_LIST = 100 * 1024
OPTIONS_WITH_PICTURES = 100
ACTIONS_SINCE: Mapping[str, Version] = MappingProxyType(
    {"open_url": (6, 0), "update_data": (6, 0)}
)
NEXT = record({"type": choice("screen", bound=False), "name": text(bound=False)})
ACTIONS: Mapping[str, Fields] = MappingProxyType(
    {
        "navigate": {"next": NEXT, "payload?": mapping(())},
        "data_exchange": {"payload?": mapping(())},
        "complete": {"payload?": mapping(())},
        "update_data": {"payload": mapping(())},
        "open_url": {"url": web_address()},
    }
)


def action(*names: str) -> Property:
    """Want an action with one of these names."""

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        if not isinstance(value, dict):
            yield wrong_type(path, "object", value)
            return
        known = [name for name in names if version >= ACTIONS_SINCE.get(name, OLDEST)]
        name = value.get("name")
        if name not in known:
            message = f"Value should be one of: {listed(known)}."
            yield Fault(
                "INVALID_ENUM_VALUE", message, (*path, "name") if "name" in value else path
            )
            return
        fields = {"name": text(bound=False), **ACTIONS[name]}
        yield from record(fields, owner=name).check(version, path, value)

    return Property(check)


def options(least: int, most: int) -> Property:
    """Want what a customer can choose from."""
    plain = array(OPTION, least=least, most=most)

    def check(version: Version, path: Path, value: Any) -> Iterator[Fault]:
        yield from plain.check(version, path, value)
        found = value if isinstance(value, list) else []
        has_pictures = any(isinstance(one, dict) and "image" in one for one in found)
        if has_pictures and len(found) > OPTIONS_WITH_PICTURES:
            message = (
                f"Property '{path[-1]}' should have at most {OPTIONS_WITH_PICTURES} items "
                "when there are images."
            )
            yield wrong_value(path, message)

    return Property(check, ("array",))


UPDATES = since((6, 0), action("update_data"))
OPTION = record(
    {
        "id": text(bound=False),
        "title": text(30),
        "description?": text(300),
        "metadata?": text(20),
        "enabled?": flag(),
        "image?": since((5, 0), picture(PICTURE_IN_A_LIST, formats=LIST_PICTURES)),
        "alt-text?": since((5, 0), text()),
        "color?": since((5, 0), text(like="#?[0-9A-Fa-f]{6}")),
        "on-select-action?": UPDATES,
        "on-unselect-action?": UPDATES,
    }
)
CHIP = record(
    {
        "id": text(bound=False),
        "title": text(),
        "enabled?": flag(),
        "on-select-action?": UPDATES,
        "on-unselect-action?": UPDATES,
    }
)
ITEM = record(
    {
        "id": text(bound=False),
        "main-content": record(
            {"title": text(30), "description?": text(20), "metadata?": text(80)}
        ),
        "start?": record(
            {
                "image": picture(PICTURE_IN_A_LIST, formats=LIST_PICTURES),
                "alt-text?": text(),
            }
        ),
        "end?": record({"title?": text(10), "description?": text(10), "metadata?": text(10)}),
        "badge?": text(15),
        "tags?": array(text(15), most=3),
        "on-click-action?": action("data_exchange", "navigate"),
    }
)
