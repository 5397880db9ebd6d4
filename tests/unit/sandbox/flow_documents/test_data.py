import pytest

from tests.unit.sandbox.flow_parts import assert_wrong
from tests.unit.sandbox.flow_samples import (
    changed,
    declare,
    product,
)

# what is wrong, Meta's name of it, and where
WRONG = [
    *(
        (changed(product, "screens.0.data.name", declaration), "INVALID_SCREEN_DATA", path)
        for declaration, path in (
            ("string", "screens[0].data.name"),
            ({"__example__": "a"}, "screens[0].data.name"),
            ({"type": 1, "__example__": "a"}, "screens[0].data.name.type"),
            ({"type": "text", "__example__": "a"}, "screens[0].data.name.type"),
            ({"type": "string"}, "screens[0].data.name"),
            ({"type": "string", "__example__": None}, "screens[0].data.name.__example__"),
            ({"type": "number", "__example__": "1"}, "screens[0].data.name.__example__"),
            ({"type": "array", "__example__": []}, "screens[0].data.name"),
            ({"type": "array", "items": "a", "__example__": []}, "screens[0].data.name.items"),
            ({"type": "object", "__example__": {}}, "screens[0].data.name"),
            (
                declare({"a": "b"}, properties={"a": "string"}),
                "screens[0].data.name.properties.a",
            ),
            (declare(["a"], items={"type": "text"}), "screens[0].data.name.items.type"),
            (
                declare({"a": "1"}, properties={"a": {"type": "number"}}),
                "screens[0].data.name.__example__.a",
            ),
            (
                declare(["a", 1], items={"type": "string"}),
                "screens[0].data.name.__example__[1]",
            ),
            (
                declare({"a": "b"}, properties={"a": {"type": "string", "__example__": "b"}}),
                "screens[0].data.name.properties.a.__example__",
            ),
            (
                declare({"a": 1}, properties={"__example__": {"a": 1}}),
                "screens[0].data.name.properties.__example__",
            ),
        )
    ),
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    assert_wrong(document, error, path)
