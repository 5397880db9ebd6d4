"""Flow JSON documents for the tests of the phone; an own test says that Meta takes them."""

from typing import Any

from tests.unit.sandbox.flow_samples import complete, exchange, navigate

Json = dict[str, Any]

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
OPTIONS = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "title": {"type": "string"},
            "description": {"type": "string"},
            "enabled": {"type": "boolean"},
        },
    },
    "__example__": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}],
}
TEXT = {"type": "string", "__example__": "text"}
NUMBER = {"type": "number", "__example__": 1}
FLAG = {"type": "boolean", "__example__": True}


def footer(action: Json, label: str = "Continue", **more: object) -> Json:
    return {"type": "Footer", "label": label, "on-click-action": action} | more


def screen(name: str, *children: Json, **more: object) -> Json:
    layout = {"type": "SingleColumnLayout", "children": list(children)}
    return {"id": name, "title": name.title(), "layout": layout} | more


def lonely(*children: Json, **more: object) -> Json:
    """A Flow of one screen, without an endpoint."""
    end = footer(complete())
    only = screen("ONLY", *children, end, terminal=True, **more)
    return {"version": "7.3", "screens": [only]}


SIZES: list[Json] = [
    {"id": "small", "title": 'Small (10")', "description": "$12.00"},
    {"id": "large", "title": 'Large (16")', "description": "$18.00"},
    {"id": "huge", "title": "Huge", "enabled": False},
]
EXTRAS: list[Json] = [
    {"id": "cheese", "title": "Extra cheese", "description": "+$2.00"},
    {"id": "basil", "title": "Basil", "description": ""},
]
SIZE_DATA: Json = {"product_name": "Margherita Pizza", "sizes": SIZES, "size": "small"}
EXTRAS_DATA: Json = {"extras": EXTRAS, "most": 1}
SUMMARY_DATA: Json = {"total": "$36.00"}

PIZZA: Json = {
    "version": "7.3",
    "data_api_version": "4.0",
    "routing_model": {"SIZE": ["EXTRAS", "SUMMARY"], "EXTRAS": ["SUMMARY"], "SUMMARY": []},
    "screens": [
        screen(
            "SIZE",
            {"type": "TextHeading", "text": "${data.product_name}"},
            {
                "type": "RadioButtonsGroup",
                "name": "size",
                "label": "Choose size:",
                "required": True,
                "data-source": "${data.sizes}",
                "init-value": "${data.size}",
            },
            {
                "type": "TextInput",
                "name": "quantity",
                "label": "Quantity",
                "input-type": "number",
                "required": True,
                "max-chars": 2,
            },
            footer(exchange(event="submit", size="${form.size}", quantity="${form.quantity}")),
            title="Select size",
            data={"product_name": TEXT, "sizes": OPTIONS, "size": TEXT},
        ),
        screen(
            "EXTRAS",
            {
                "type": "CheckboxGroup",
                "name": "extras",
                "label": "Extras",
                "data-source": "${data.extras}",
                "max-selected-items": "${data.most}",
            },
            footer(exchange(event="submit", extras="${form.extras}")),
            data={"extras": OPTIONS, "most": NUMBER},
        ),
        screen(
            "SUMMARY",
            {"type": "TextSubheading", "text": "`'Total: ' ${data.total}`"},
            {"type": "TextBody", "text": "${screen.SIZE.data.product_name}"},
            footer(exchange(event="submit", size="${screen.SIZE.form.size}"), "Add to cart"),
            terminal=True,
            refresh_on_back=True,
            data={"total": TEXT},
        ),
    ],
}

# A Flow without an endpoint: all is decided on the phone.
COURSES: Json = {
    "version": "7.3",
    "screens": [
        screen(
            "WHO",
            {"type": "TextInput", "name": "name", "label": "Name", "required": True},
            {
                "type": "Dropdown",
                "name": "course",
                "label": "Course",
                "data-source": "${data.courses}",
                "on-unselect-action": {
                    "name": "update_data",
                    "payload": {"has_times": False},
                },
            },
            {
                "type": "RadioButtonsGroup",
                "name": "time",
                "label": "When?",
                "visible": "${data.has_times}",
                "required": "${data.has_times}",
                "data-source": "${data.times}",
            },
            {
                "type": "EmbeddedLink",
                "text": "Our terms",
                "on-click-action": {"name": "open_url", "url": "https://example.com/terms"},
            },
            footer(navigate("CONFIRM", name="${form.name}", course="${form.course}")),
            data={"courses": OPTIONS, "times": OPTIONS, "has_times": FLAG},
        ),
        screen(
            "CONFIRM",
            {"type": "TextBody", "text": "`${data.name} ' takes ' ${data.course}`"},
            {"type": "TextBody", "text": "`'At ' ${screen.WHO.form.time}`"},
            footer(
                complete(name="${data.name}", time="${screen.WHO.form.time}", sure="${form.sure}"),
                enabled="`${form.sure} == true`",
            ),
            {"type": "OptIn", "name": "sure", "label": "I am sure"},
            terminal=True,
            data={"name": TEXT, "course": TEXT},
        ),
    ],
}


def _times(*hours: str) -> Json:
    times = [{"id": hour, "title": f"{hour}:00"} for hour in hours]
    return {"name": "update_data", "payload": {"times": times, "has_times": True}}


COURSES_DATA: Json = {
    "courses": [
        {"id": "yoga", "title": "Yoga", "on-select-action": _times("9", "10")},
        {"id": "judo", "title": "Judo", "on-select-action": _times("10", "11")},
    ],
    "times": [],
    "has_times": False,
}
