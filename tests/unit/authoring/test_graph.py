"""Pictures of charts: whose the parts are, what is marked, and that the files can be read."""

import re
from functools import cache
from xml.etree import ElementTree

import pytest

from engine.authoring.graph.drawing import Arrow, Graph, Node
from engine.authoring.graph.layout import Size, layered
from engine.authoring.graph.mermaid import to_mermaid
from engine.authoring.graph.svg import to_svg
from engine.cli.graph import graph_of_tenant
from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.spec.problems import SpecError
from tests.unit.spec.content import CORNER, SHIPPED, SHOP, lay, library

SVG = "{http://www.w3.org/2000/svg}"
OVERLAY = "tenants/corner/conversations/shop.yaml"
CHANGED = """\
extends: shop
states:
  product:
    when: {add: null}
    after: {30m: null}
  checkout:
    states:
      address:
        when: {help_me: help}
  party: {say: main_menu, back: menu}
  help: null
anywhere: {help: null, dance: party}
"""


def drawn(tmp_path, text=None, *, flow=None, tenant=CORNER):
    root = lay(tmp_path / "content", SHOP, files={OVERLAY: text} if text else None)
    return graph_of_tenant(library(root), tenant, flow)


def nodes(graph):
    return {node.id: node for node in graph.nodes}


def arrows(graph):
    return {(a.source, a.target): a for a in graph.arrows}


def test_a_chart_nobody_changed_is_all_shared(tmp_path):
    graph = drawn(tmp_path)
    assert {node.origin for node in graph.nodes} == {"shared"}
    assert {node.id for node in graph.nodes} == {
        "menu", "product", "checkout", "address", "done", "thanks", "help", "resume",
    }  # fmt: skip
    assert nodes(graph)["menu"].is_first
    assert nodes(graph)["address"].is_first
    assert nodes(graph)["done"].shape == "final"
    assert nodes(graph)["checkout"].shape == "outer"
    assert nodes(graph)["menu"].anywhere == ("greet",)
    assert not any(a.is_own for a in graph.arrows)


def test_arrows_are_branches_ends_and_the_buttons_that_work_anywhere(tmp_path):
    found = arrows(drawn(tmp_path))
    assert found["menu", "checkout"].events == ("checkout?",)
    assert found["product", "menu"].events[0] == "back"
    assert found["checkout", "thanks"].events == ("finished",)
    assert found["address", "done"].events == ("text",)
    assert found["help", "resume"].events == ("continue",)
    assert found["menu", "help"] == Arrow("menu", "help", ("help",), is_tap=True)
    assert found["help", "menu"].is_tap
    assert ("menu", "menu") not in found


def test_what_the_tenant_changed_added_and_deleted_is_told_apart(tmp_path):
    graph = drawn(tmp_path, CHANGED)
    origins = {name: node.origin for name, node in nodes(graph).items()}
    assert origins["product"] == "changed"
    assert origins["checkout"] == "shared"  # only a state inside it is changed
    assert origins["address"] == "changed"
    assert origins["party"] == "own"
    assert origins["help"] == "removed"
    assert origins["menu"] == "shared"
    assert arrows(graph)["party", "menu"].is_own
    assert not arrows(graph)["product", "menu"].is_own
    assert ("address", "help") not in arrows(graph)  # there is no such state to draw


def test_a_text_the_tenant_changed_is_marked(tmp_path):
    files = {"tenants/corner/messages/shop.en.yaml": "messages: {main_menu: {text: Ciao}}\n"}
    root = lay(tmp_path / "content", SHOP, files=files)
    graph = graph_of_tenant(library(root), CORNER, None)
    assert nodes(graph)["menu"].own_texts == {"main_menu"}
    assert nodes(graph)["product"].own_texts == frozenset()
    assert "says main_menu ✎" in to_mermaid(graph)


DEAD = """\
chart: shop
start: menu
states:
  menu: {when: {go_on: trap}}
  trap: {}
"""


def test_a_dead_end_is_marked(tmp_path):
    root = lay(tmp_path / "content", SHOP, files={"conversations/shop.yaml": DEAD})
    graph = graph_of_tenant(library(root), CORNER, None)
    assert nodes(graph)["trap"].marks == ("dead-end",)
    assert nodes(graph)["menu"].marks == ()
    assert re.search(r's_trap\["trap<br/>⚠ dead-end"\]:::dead', to_mermaid(graph))
    assert 's_menu["● menu"]:::shared' in to_mermaid(graph)
    assert 'class="dead"' in to_svg(graph)


def test_what_is_led_to_from_within_is_told_in_the_state(tmp_path):
    text = "extends: shop\nstates:\n  checkout:\n    when: {again: address}\n"
    graph = drawn(tmp_path, text)
    assert nodes(graph)["address"].within == ("again",)
    assert ("checkout", "address") not in arrows(graph)


@cache
def shipped(tenant, flow=None):
    return graph_of_tenant(library(SHIPPED), TenantId(tenant), flow)


def test_a_chart_is_drawn_the_same_every_time():
    first, again = shipped("dona-lucha"), shipped.__wrapped__("dona-lucha")
    assert to_mermaid(first) == to_mermaid(again)
    assert to_svg(first) == to_svg(again)


@pytest.mark.parametrize(
    ("tenant", "flow"),
    [("la-tavola", None), ("dona-lucha", None), ("la-tavola", "checkout"),
     ("dona-lucha", "product_customization")],
)  # fmt: skip
def test_the_shipped_charts_and_flows_are_drawn(tenant, flow):
    graph = shipped(tenant, flow)
    tree = ElementTree.fromstring(to_svg(graph))
    told = [str(title.text) for title in tree.iter(f"{SVG}title")]
    for node in graph.nodes:
        assert any(text.startswith(f"{node.id}: ") for text in told)
    assert not any(node.marks for node in graph.nodes)
    assert len(graph.arrows) >= (20 if flow is None else 3)


def test_what_dona_lucha_changed_shows():
    found = nodes(shipped("dona-lucha"))
    assert found["daily_menu"].origin == "own"
    assert found["added"].origin == "changed"
    assert found["products"].origin == "shared"
    assert "main_menu" in found["menu"].own_texts
    led = arrows(shipped("dona-lucha"))
    assert led["menu", "daily_menu"].is_own
    assert not led["menu", "cart"].is_own  # the text above that button is, the button is not


def numbers(element, *keys):
    return tuple(float(element.get(key)) for key in keys)


def test_no_box_lies_on_another():
    graph = shipped("dona-lucha")
    tree = ElementTree.fromstring(to_svg(graph))
    boxes = {}
    for group in tree.iter(f"{SVG}g"):
        name = group.findtext(f"{SVG}title", "").split(":")[0]
        boxes[name] = numbers(next(group.iter(f"{SVG}rect")), "x", "y", "width", "height")
    parents = {node.id: node.parent for node in graph.nodes}
    width, height = numbers(tree, "width", "height")
    for name, (x, y, w, h) in boxes.items():
        assert x >= 0
        assert y >= 0
        assert x + w <= width
        assert y + h <= height
        for other, (ox, oy, ow, oh) in boxes.items():
            if parents[name] == parents[other] and name < other:
                assert x + w <= ox or ox + ow <= x or y + h <= oy or oy + oh <= y, (name, other)
        if name in parents and (parent := parents[name]):
            px, py, pw, ph = boxes[parent]
            assert px <= x
            assert py <= y
            assert x + w <= px + pw
            assert y + h <= py + ph


def test_hostile_names_cannot_break_a_picture():
    graph = Graph('</svg><script>"', (Node("a", "own", says=('"]<b>|', "x" * 400)),), ())
    tree = ElementTree.fromstring(to_svg(graph))
    assert [e.tag for e in tree.iter() if "script" in e.tag] == []
    (label,) = re.findall(r's_a\["(.*)"\]:::own', to_mermaid(graph))
    assert '"' not in label
    assert "<b>" not in label


def test_an_unknown_flow_is_a_sentence(tmp_path):
    with pytest.raises(EngineError, match="there is no Flow 'chekout' of 'la-tavola'"):
        graph_of_tenant(library(SHIPPED), TenantId("la-tavola"), "chekout")


def test_files_that_cannot_be_read_are_told(tmp_path):
    with pytest.raises(SpecError, match="unknown-key"):
        drawn(tmp_path, "extends: shop\nstaets: {}\n")


# Layout -----------------------------------------------------------------------------------------


BOX = Size(100, 40)


def rows(layout):
    tops = sorted({y for _, y in layout.corners.values()})
    return [sorted(n for n, (_, y) in layout.corners.items() if y == top) for top in tops]


def test_a_chain_goes_down():
    layout = layered(dict.fromkeys("abc", BOX), [("a", "b"), ("b", "c")])
    assert rows(layout) == [["a"], ["b"], ["c"]]
    assert len({x for x, _ in layout.corners.values()}) == 1
    assert layout.size.width == 100


def test_a_circle_and_an_arrow_to_itself_are_no_trouble():
    arrows = [("a", "b"), ("b", "c"), ("c", "a"), ("b", "b"), ("a", "nobody")]
    layout = layered(dict.fromkeys("abc", BOX), arrows)
    assert rows(layout) == [["a"], ["b"], ["c"]]
    assert len(layout.bends["c", "a"]) == 1
    assert ("b", "b") not in layout.bends


def test_arrows_that_would_cross_do_not():
    layout = layered(dict.fromkeys("abxy", BOX), [("a", "y"), ("b", "x")])
    left = {name: x for name, (x, _) in layout.corners.items()}
    assert (left["a"] < left["b"]) == (left["y"] < left["x"])


def test_bends_go_from_source_to_target():
    boxes = dict.fromkeys("abcd", BOX)
    layout = layered(boxes, [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("d", "a")])
    down = [y for _, y in layout.bends["a", "d"]]
    assert down == sorted(down)
    assert len(down) == 2
    assert layout.bends["d", "a"] == layout.bends["a", "d"][::-1]


def test_nothing_is_laid_out_as_nothing():
    assert layered({}, []).size == Size(0, 0)
