import pytest

from engine.sandbox.items import item_problems, item_warnings, late_problems
from tests.unit.sandbox.catalog_scene import item

LENGTHS = [
    ("id", 100),
    ("title", 100),
    ("description", 5000),
    ("item_group_id", 100),
    ("product_type", 750),
    ("custom_label_0", 100),
    ("custom_label_4", 100),
    ("size", 200),
]


def problems(**fields: object) -> list[str]:
    return item_problems(item("prod:1", **fields), is_whole=True)


def test_a_right_item():
    assert problems() == []
    assert late_problems(item()) == []
    assert item_warnings(item()) == []


@pytest.mark.parametrize(("name", "most"), LENGTHS)
def test_lengths_are_counted_in_code_points(name, most):
    assert item_problems(item() | {name: "🍕" * most}, is_whole=True) == []

    (problem,) = item_problems(item() | {name: "🍕" * (most + 1)}, is_whole=True)

    assert problem == (
        f"Param item.{name} must be at most {most} characters long, it has {most + 1}"
    )


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "title",
        "description",
        "availability",
        "condition",
        "price",
        "link",
        "brand",
        "image",
    ],
)
def test_what_a_whole_item_needs(name):
    left = {key: value for key, value in item().items() if key != name}

    assert item_problems(left, is_whole=True) == [f"Param item.{name} is required"]
    assert bool(item_problems(left, is_whole=False)) is (name == "id")


def test_an_image_link_is_an_image_too():
    assert problems(image=None, image_link="https://example.com/p.jpg") == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"availability": "sold out"}, "availability must be one of {in stock, out of stock"),
        ({"condition": "fresh"}, "condition must be one of {new, refurbished, used}"),
        ({"link": "example.com"}, "link is not valid"),
        ({"link": "ftp://example.com/x"}, "link is not valid"),
        ({"link": "https:///x"}, "link is not valid"),
        ({"image": []}, "image must have at least 1 elements"),
        ({"image": [{"url": "p.jpg"}]}, "image[0].url is not valid"),
        ({"image": ["https://example.com/p.jpg"]}, "image[0] must be an object"),
        ({"image": [{"url": "https://a.b/c"}] * 22}, "image must have at most 21 elements"),
        ({"image_link": "p.jpg"}, "image_link is not valid"),
        ({"title": ""}, "title must not be empty"),
        ({"title": 7}, "title must be a string"),
        ({"price": 12}, "price must be a string"),
        ({"custom_label_0": 1}, "custom_label_0 must be a string"),
        ({"additional_variant_attribute": "Size"}, "additional_variant_attribute is not valid"),
        ({"custom_number_0": "1"}, "custom_number_0 must be an integer"),
    ],
)
def test_what_is_refused_at_once(fields, says):
    found = problems(**fields)

    assert any(says in problem for problem in found)


def test_all_problems_of_an_item_are_told():
    assert len(problems(title=None, link="x", condition="y")) == 3


def test_21_images_and_variants():
    images = [{"url": f"https://example.com/{n}.jpg", "tag": ["a"]} for n in range(21)]
    assert problems(image=images, additional_variant_attribute="Size:L,Flavor:Apple") == []


def test_fields_that_are_known_and_not_looked_into():
    assert problems(gtin=7, status={"any": "thing"}) == []
    assert item_warnings(item(gtin=7)) == []


def test_unknown_fields_are_remarked_on():
    assert item_warnings(item(colour="red")) == ["Field colour is not known and was ignored"]


def test_what_is_found_later():
    assert late_problems(item(price="12 Euro")) != []
    assert late_problems(item(sale_price="0 USD")) == [
        "Param item.sale_price must be greater than 0"
    ]
    for field in (
        {"image": [{"url": "https://shop.invalid/p.jpg"}]},
        {"image": None, "image_link": "https://shop.invalid/p.jpg"},
    ):
        (problem,) = late_problems(item(**field))
        assert problem.startswith("Image could not be fetched")


def test_image_makes_the_link_of_another_one_ignored():
    assert late_problems(item(image_link="https://shop.invalid/p.jpg")) == []
