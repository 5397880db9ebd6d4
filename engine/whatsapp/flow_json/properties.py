"""What there is to say about a component of a Flow JSON; the components are in `flow_components`.

Nothing is checked here.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "text", "texts", "name", "boolean", "integer", "number", "date", "dates", "array", "image",
    "color", "url", "object", "objects", "options", "action", "condition", "switch", "children",
    "cases",
]  # fmt: skip
Input: TypeAlias = Literal["one", "many", "text", "flag", "date", "dates", "media"]
Box: TypeAlias = Literal["If", "Switch", "Form"]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a component, of an action, or of an object inside one of them.

    Args:
        kind: what it holds. `texts` is a text or a list of texts, `array` a list of texts, `name`
            the name of an input, `image` base64, `objects` a list of objects, `options` one whose
            objects have ids, `condition` and `switch` an expression without backticks, `children`
            a list of components, `cases` such lists by case.
        limit: the most characters of a text, or the most kilobytes of an image.
        least: the smallest number, or the fewest elements.
        least_written: the smallest number in the Flow JSON itself, if a screen's data may be less.
        most: the largest number, or the most elements.
        most_with_images: the most options when one of them has an image.
        values: the only texts it takes; empty for any.
        actions: the names of the actions it takes.
        properties: of the object, or of each object in the list.
        is_static: it takes no expression.
        is_outside_form: it is for a component outside a Form only.
        may_be_blank: from a screen's data it may come as "", for nothing.
        in_range: of a CalendarPicker in range mode: "pair" if it holds `start-date` and `end-date`
            then, "only" if it is not there in single mode.
    """

    kind: Kind
    _: KW_ONLY
    is_required: bool = False
    limit: int | None = None
    least: int | None = None
    least_written: int | None = None
    most: int | None = None
    most_with_images: int | None = None
    values: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    properties: Mapping[str, "Property"] = field(default_factory=dict)
    is_static: bool = False
    is_outside_form: bool = False
    may_be_blank: bool = False
    in_range: Literal["pair", "only"] | None = None


@dataclass(frozen=True, slots=True)
class OptionRule:
    """How many options a component takes, and the most characters of their texts.

    Args:
        description: 0 if its options have none; so for metadata.
        most_with_images: how many if one of them has an image.
    """

    least: int
    most: int
    most_with_images: int
    title: int
    description: int
    metadata: int


@dataclass(frozen=True, slots=True)
class Component:
    """A type of component.

    Args:
        properties: all it knows but `type`.
        input: what it puts into `${form.<name>}`: the `id` of an option ("one"), a list of ids
            ("many"), a text, a boolean ("flag"), a date, a date or two of them ("dates"), files
            ("media"); None if it is no input.
        per_screen: how many a customer may see on one screen.
        per_flow: how many there may be in a Flow.
        boxes: the components that may hold it, beside the screen itself.
        beside: the only other components its screen may have; None for any.
    """

    properties: Mapping[str, Property]
    _: KW_ONLY
    input: Input | None = None
    per_screen: int | None = None
    per_flow: int | None = None
    boxes: frozenset[Box] = frozenset({"If", "Switch", "Form"})
    beside: frozenset[str] | None = None

    @property
    def options(self) -> OptionRule | None:
        """Give the limits of its options, if it has some."""
        for rule in self.properties.values():
            if rule.kind == "options":
                return _limits_of(rule)
        return None


def _limits_of(rule: Property) -> OptionRule:
    texts = rule.properties.get("main-content", rule).properties
    title, description, metadata = (
        texts[name].limit or 0 if name in texts else 0
        for name in ("title", "description", "metadata")
    )
    most = rule.most or 0
    with_images = rule.most_with_images or most
    return OptionRule(rule.least or 0, most, with_images, title, description, metadata)
