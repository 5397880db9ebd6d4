"""Meta's rules for an item of a catalogue: one table; batches and handles are not known here.

Some of them Meta holds against an item at once, others only when it works off the batch.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from engine.sandbox.envelope import Complaint, JsonObject
from engine.sandbox.prices import price_problem
from engine.sandbox.shapes import (
    INVALID,
    MISSING,
    NOT_VALID,
    Shape,
    each,
    integer,
    one_of,
    shape,
    text,
)

LONGEST_ID = 100
MOST_IMAGES = 21
# RFC 2606 promises that nothing is ever found at such a name.
NOWHERE = ".invalid"

ADDRESS = text(like=r"https?://[^\s/]\S*")


def label(most: int) -> Shape:
    """Want a string of at most so many code points; an empty one takes the field away."""

    def check(path: str, value: Any) -> Iterator[Complaint]:
        if not isinstance(value, str):
            yield Complaint(INVALID, f"Param {path} must be a string")
        elif len(value) > most:
            yield Complaint(
                NOT_VALID,
                f"Param {path} must be at most {most} characters long, it has {len(value)}",
            )

    return check


def pictured(path: str, item: Any) -> Iterator[Complaint]:
    """Want an image, in one of the two ways to give it."""
    if item.get("image") is None and item.get("image_link") is None:
        yield Complaint(MISSING, f"Param {path}.image is required")


def anything(_path: str, _value: Any) -> Iterator[Complaint]:
    """Want nothing of a field that Meta knows and the sandbox does not look into."""
    return iter(())


REQUIRED: dict[str, Shape] = {
    "id": text(LONGEST_ID),
    "title": text(100),
    "description": text(5000),
    "availability": one_of("in stock", "out of stock", "available for order", "discontinued"),
    "condition": one_of("new", "refurbished", "used"),
    "price": text(),
    "link": ADDRESS,
    "brand": text(100),
}
IMAGE = shape({"url": ADDRESS, "tag?": each(text(), least=0)}, closed=False)
OPTIONAL: dict[str, Shape] = {
    "image": each(IMAGE, most=MOST_IMAGES),
    "image_link": ADDRESS,
    "sale_price": text(),
    "item_group_id": label(LONGEST_ID),
    "additional_variant_attribute": text(like=r"[^:,]+:[^:,]+(,[^:,]+:[^:,]+)*"),
    "size": label(200),
    "color": label(200),
    "product_type": label(750),
    **{f"custom_label_{n}": label(100) for n in range(5)},
    **{f"custom_number_{n}": integer(0, 2**32 - 1) for n in range(5)},
    "internal_label": each(text(110), least=0),
    "quantity_to_sell_on_facebook": integer(0, 2**31 - 1),
    "disabled_capabilities": each(text(), least=0),
}
# What Meta takes as well.
OTHERS = (
    "additional_image_link",
    "age_group",
    "applink",
    "commerce_tax_category",
    "expiration_date",
    "fb_product_category",
    "gender",
    "google_product_category",
    "gtin",
    "importer_address",
    "importer_name",
    "inventory",
    "manufacturer_info",
    "manufacturer_part_number",
    "material",
    "mobile_link",
    "mpn",
    "origin_country",
    "pattern",
    "rich_text_description",
    "sale_price_effective_date",
    "shipping",
    "shipping_weight",
    "status",
    "visibility",
    "video",
    "wa_compliance_category",
)
OPTIONAL |= dict.fromkeys(OTHERS, anything)
KNOWN = frozenset(REQUIRED) | frozenset(OPTIONAL)

WHOLE = shape(
    REQUIRED | {f"{name}?": one for name, one in OPTIONAL.items()}, pictured, closed=False
)
PART = shape(
    {
        "id": REQUIRED["id"],
        **{f"{name}?": one for name, one in (REQUIRED | OPTIONAL).items() if name != "id"},
    },
    closed=False,
)


def item_problems(fields: JsonObject, *, is_whole: bool) -> list[str]:
    """Return what Meta has against an item at once; a part of one may leave fields out."""
    wanted = WHOLE if is_whole else PART
    return [complaint.details for complaint in wanted("item", fields)]


def late_problems(fields: JsonObject) -> list[str]:
    """Return what Meta has against a whole item only when it works it off."""
    found = [
        price_problem(f"item.{name}", fields[name])
        for name in ("price", "sale_price")
        if fields.get(name) is not None
    ]
    images = [str(urlsplit(url).hostname or "") for url in image_addresses(fields)]
    if any(host.endswith(NOWHERE) for host in images):
        found.append("Image could not be fetched: the image of this item cannot be displayed")
    return [problem for problem in found if problem]


def item_warnings(fields: JsonObject) -> list[str]:
    """Return what Meta remarks on an item and yet takes it."""
    unknown = [name for name in fields if name not in KNOWN]
    return [f"Field {name} is not known and was ignored" for name in unknown]


def image_addresses(fields: JsonObject) -> list[str]:
    """Return where an item's images are; `image` makes the other fields ignored."""
    if fields.get("image"):
        return [image["url"] for image in fields["image"]]
    link = fields.get("image_link")
    return [] if link is None else [link]
