import pytest

from engine.sandbox.flow_documents.routing import entry_screens, routes_of
from tests.unit.sandbox.flow_parts import AT, assert_wrong, faults, messages, routed
from tests.unit.sandbox.flow_samples import (
    changed,
    complete,
    footer,
    navigate,
    product,
    screen,
    survey,
)

# what is wrong, Meta's name of it, and where
WRONG = [
    *(
        (changed(product, "routing_model", model), "INVALID_ROUTING_MODEL", path)
        for model, path in (
            ({}, "routing_model"),
            ({"SIZE": ["EXTRAS"]}, "routing_model"),
            ({"SIZE": ["EXTRAS", "NIX"], "EXTRAS": ["SUMMARY"]}, "routing_model.SIZE[1]"),
            ({"SIZE": ["EXTRAS"], "EXTRAS": ["SUMMARY"], "NIX": []}, "routing_model.NIX"),
            ({"SIZE": ["EXTRAS"], "SUMMARY": [], "EXTRAS": []}, "routing_model"),
            ({"SIZE": ["SUMMARY"], "EXTRAS": ["EXTRAS"]}, "routing_model"),
            ({"SIZE": ["SUMMARY"], "EXTRAS": []}, "routing_model"),
        )
    ),
]


@pytest.mark.parametrize(("document", "error", "path"), WRONG)
def test_wrong(document, error, path):
    assert_wrong(document, error, path)


def test_loops():
    assert messages(routed(A=["B"], B=["C"], C=["B", "D"])) == [
        "Backward route [C -> B] corresponding to forward route [B -> C] is not allowed in the "
        "routing model. Only forward routes can be specified.",
        "Loop detected in the routing model for screens: [B, C].",
    ]
    assert messages(routed(A=["B"], B=["B", "C"])) == [
        "Loop detected in the routing model for screens: [B].",
    ]
    looped = messages(routed(A=["B"], B=["C"], C=["D"], D=["B", "E"]))
    assert looped == ["Loop detected in the routing model for screens: [B, C, D]."]


def test_a_way_in():
    (loop, entry_missing) = messages(routed(A=["B"], B=["C"], C=["A", "D"]))

    assert loop == "Loop detected in the routing model for screens: [A, B, C]."
    assert entry_missing.startswith("No entry screen found in the routing model.")


def test_islands():
    (apart,) = messages(routed(A=["B"], B=[], C=["D"], D=[]))

    assert apart.startswith("Following screens are not connected with the rest of the screens: [C")


def test_branches():
    names = "BCDEFGHIJKL"
    assert messages(routed(A=list(names[:10]))) == []
    (many,) = messages(routed(A=list(names)))

    assert many == "Number of branches exceeds the max limit of 10 for screen: A."


def test_dead_ends():
    document = routed(A=["B", "C"])
    document["screens"][2]["terminal"] = False
    (stuck,) = messages(document)

    assert stuck.startswith("Following screens lead nowhere and are not terminal: [C].")


def test_navigation_is_in_the_routing_model_too():
    document = routed(A=["B"], B=["C"])
    document["screens"][0]["layout"]["children"][0]["on-click-action"] = navigate("C")

    assert faults(document) == [
        ("INVALID_ROUTING_MODEL", f"{AT}[0].on-click-action.next.name"),
    ]


def test_without_endpoint_navigation_is_the_routing_model():
    assert routes_of(survey()) == {"ASK": ("THANKS",), "THANKS": ()}
    assert entry_screens(survey()) == ["ASK"]

    alone = changed(survey, "screens.+", screen("ALONE", footer(complete()), terminal=True))
    assert faults(alone) == [("INVALID_ROUTING_MODEL", "screens")]


def test_entry_screens():
    assert entry_screens(product()) == ["SIZE"]
    assert entry_screens(routed(A=["C"], B=["C"])) == ["A", "B"]


def test_every_screen_is_in_the_routing_model():
    document = routed(A=["B"], B=["C"])
    document["routing_model"] = {"A": ["B"]}

    assert messages(document)[0] == "Following screens are missing in the routing model: [C]."
    document["routing_model"] = {"A": ["B", "C"]}
    assert not any("missing" in one for one in messages(document))
