import pytest

from tests.unit.sandbox.flow_parts import (
    AT,
    FLAG,
    HEADING,
    SIZES,
    assert_wrong,
    boxes,
    messages,
    one_screen,
)
from tests.unit.sandbox.flow_samples import (
    changed,
    product,
    survey,
)

# what is wrong, Meta's name of it, and where
WRONG = [
    *(
        (changed(product, f"{HEADING}.text", value), error, f"{AT}[0].text")
        for value, error in (
            ("${data.nix}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${data.name.x}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${data.nix.x}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${data.nix.x.y}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${form.nix}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${data.sizes}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${data.sizes.title}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${screen.SUMMARY.data.total}", "INVALID_SCREEN_DYNAMIC_DATA"),
            ("${screen.SIZE.data.name}", "INVALID_SCREEN_DATA"),
            ("${screen.NIX.data.name}", "INVALID_SCREEN_DATA"),
            ("${screen.SUMMARY.data.nix}", "INVALID_SCREEN_DATA"),
            ("${name}", "INVALID_PROPERTY_VALUE"),
            ("Hello ${data.name}", "INVALID_PROPERTY_VALUE"),
            ("`'Hello' +`", "INVALID_PROPERTY_VALUE"),
            ("`${data.name} == 'x'`", "INVALID_SCREEN_DYNAMIC_DATA"),
        )
    ),
    (
        changed(
            lambda: changed(survey, "version", "5.1"), "screens.1.layout.children.0.text", "`'a'`"
        ),
        "INVALID_PROPERTY_VALUE",
        None,
    ),
    (
        one_screen(
            {"type": "PhotoPicker", "name": "p", "label": "P", "error-message": "${data.flag}"},
            data=FLAG,
        ),
        "INVALID_SCREEN_DYNAMIC_DATA",
        f"{AT}[0].error-message",
    ),
    (changed(survey, "screens.0.title", "${data.nix}"), "INVALID_SCREEN_DYNAMIC_DATA", None),
    (changed(product, f"{SIZES}.required", "${data.name}"), "INVALID_SCREEN_DYNAMIC_DATA", None),
    (
        changed(product, "screens.0.data.sizes.items.properties", {"id": {"type": "string"}}),
        "INVALID_SCREEN_DYNAMIC_DATA",
        f"{AT}[1].data-source",
    ),
    (
        one_screen(boxes(**{"data-source": [{"id": "1", "title": "${data.nix}"}]})),
        "INVALID_SCREEN_DYNAMIC_DATA",
        f"{AT}[0].data-source[0].title",
    ),
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    assert_wrong(document, error, path)


def test_what_takes_more_than_one_type_says_so():
    photo = {"type": "PhotoPicker", "name": "p", "label": "P", "error-message": "${data.flag}"}

    assert messages(one_screen(photo, data=FLAG)) == [
        "Expected '${data.flag}' to be of one of these types: [string, object], "
        "but it is of type 'boolean'."
    ]
    assert messages(changed(product, f"{SIZES}.required", "${data.name}")) == [
        "Expected '${data.name}' to be of type 'boolean', but it is of type 'string'."
    ]
