"""What is no mistake: the checks must not refuse a chart that works.

What is one, is in `broken/`.
"""

import json
import re

import pytest

from engine.spec.check import templates_of, variables_of
from engine.spec.problems import SpecError
from tests.unit.charts.builders import LANGUAGE, bundle
from tests.unit.spec.content import SHOP, everything_wrong, lay


@pytest.mark.parametrize(
    "states",
    [
        # A state is reached through another's branch, timer, `back`, end, start, or from anywhere.
        "a: {when: {x: b}}, b: {}",
        "a: {when: {x: [{if: misses, say: hm}, {go: b}]}}, b: {}",
        "a: {after: {2h: b}}, b: {}",
        "a: {back: b}, b: {}",
        "a: {start: c, finished: b, states: {c: {when: {x: d}}, d: {final: true}}}, b: {}",
        "a: {when: {x: d}}, b: {start: c, states: {c: {}, d: {}}}",
        "a: {}, b: {start: c, states: {c: {when: {x: d}}, d: {}}}, w: {when: {x: b}}",
        "a: {}, w: {aside: true, when: {x: resume}}",
        # An aside state may have states inside.
        "a: {}, w: {aside: true, start: c, states: {c: {when: {x: resume}}}}",
        # A loop that waits is no endless one.
        "a: {start: c, finished: a, states: {c: {when: {x: d}}, d: {final: true}}}",
        # What the engine raises by itself needs nobody to offer it.
        "a: {when: {cart_expired: b}}, b: {}",
        # An event may be anything, also a word of the library.
        "a: {when: {send: b, model: b, states: b, configuration: b}}, b: {}",
    ],
)
def test_a_chart_that_works_is_not_refused(states):
    aside = "" if "w:" in states else "w: {}, "
    text = f"chart: c\nstart: a\nanywhere: {{w: w}}\nstates: {{{aside}{states}}}"
    assert bundle(text).chart.start == "a"


@pytest.mark.parametrize(
    ("states", "lost"),
    [
        ("a: {}, b: {}", ["b"]),
        ("a: {}, b: {when: {x: c}}, c: {when: {x: b}}", ["b", "c"]),
        ("a: {}, b: {start: c, states: {c: {}}}", ["b", "c"]),
        ("a: {start: c, states: {c: {}, d: {}}}", ["d"]),
    ],
)
def test_a_state_that_nothing_leads_to_is_told(states, lost):
    with pytest.raises(SpecError) as refused:
        bundle(f"chart: c\nstart: a\nstates: {{{states}}}")
    assert [p.code for p in refused.value.problems] == ["unreachable-state"] * len(lost)
    assert [p.sentence.rsplit("'", 2)[1] for p in refused.value.problems] == lost


def test_variables_are_what_actions_give_and_note():
    chart = bundle(
        "chart: v\nstart: a\nstates:\n"
        "  a: {do: {save: {size: 1, color: red}}, when: {x: {do: {load: {value: v}}}}}\n"
    ).chart
    assert variables_of(chart) == {"size", "color", "loaded"}


@pytest.mark.parametrize(
    "guard",
    ["size > 1", "loaded", "event.id", "cart.count", "misses", "is_new", "language", "terms.a",
     "now", "state == 'a'", "customer.name", "tenant.name", "locale", "lucky(number=size)"],
)  # fmt: skip
def test_a_guard_reads_what_is_noted_and_what_every_turn_knows(guard):
    bundle(f"""
chart: v
start: a
states:
  a:
    do: [{{save: {{size: 1}}}}, {{load: {{value: v}}}}]
    when: {{x: {{if: "{guard}", go: a}}}}
""")


FITS = {
    "text": {"text": "x" * 4096, "header": "x" * 60, "footer": "x" * 60},
    "buttons": {
        "text": "x" * 1024,
        "buttons": {name: f"{n}{'x' * 19}" for n, name in enumerate(("one", "two", "three"))},
    },
    "list": {
        "text": "x" * 1024,
        "list": {
            "button": "x" * 20,
            "sections": {
                "one": {
                    "title": "x" * 24,
                    "rows": {
                        f"e{n}": {"title": "x" * 24, "description": "x" * 72} for n in range(5)
                    },
                },
                "two": {"title": "Two", "rows": {f"e{n}": f"{n}" for n in range(5, 10)}},
            },
        },
    },
    "pages": {
        "text": "Choose",
        "list": {
            "button": "Choose",
            "rows": {
                "one": {"each": "[1]", "title": "{{ item }}", "argument": "{{ item }}"},
                **{f"e{n}": f"{n}" for n in range(8)},
            },
            "more": {"title": "x" * 24, "id": "two"},
        },
    },
    "link": {"text": "x", "link": {"title": "x" * 20, "url": "https://example.com"}},
    "flow": {"text": "x", "flow": {"cta": "x" * 20, "id": "1", "token": "t"}},
}


@pytest.mark.parametrize("kind", sorted(FITS))
def test_what_just_fits_is_no_mistake_and_one_more_is(kind, tmp_path):
    events = dict.fromkeys(("one", "two", "three", *(f"e{n}" for n in range(10))), "menu")
    chart = {"extends": "shop", "anywhere": events}
    files = {"tenants/corner/conversations/shop.yaml": json.dumps(chart)}
    message = "tenants/corner/messages/shop.en.yaml"
    files[message] = json.dumps({"messages": {"extra": FITS[kind]}})
    assert errors_in(lay(tmp_path / "fits", SHOP, files=files)) == set()
    longest = max(re.findall("x+", files[message]), key=len)
    files[message] = files[message].replace(longest, longest + "x")
    assert errors_in(lay(tmp_path / "more", SHOP, files=files)) == {"over-limit"}


@pytest.mark.parametrize("part", [{}, *FITS.values()])
@pytest.mark.parametrize("name", ["later", "x" * 512])
def test_a_template_is_alone_or_beside_anything(part, name, tmp_path):
    events = dict.fromkeys(("one", "two", "three", *(f"e{n}" for n in range(10))), "menu")
    chart = {"extends": "shop", "anywhere": events}
    template = {"name": name, "parameters": ["{{ customer.name }}", "plain"]}
    words = {"messages": {"extra": part | {"template": template}}}
    files = {
        "tenants/corner/conversations/shop.yaml": json.dumps(chart),
        "tenants/corner/messages/shop.en.yaml": json.dumps(words),
    }
    assert errors_in(lay(tmp_path / "content", SHOP, files=files)) == set()


def errors_in(root):
    """Give the codes of what is wrong; that nothing says the message is only a warning."""
    return {p.code for p in everything_wrong(root) if p.severity == "error"}


def test_templates_are_found_wherever_they_are_in_an_argument():
    one, two = LANGUAGE.text("{{ a }}", "x:1:1"), LANGUAGE.expression("b", "x:1:1")
    assert list(templates_of({"k": [one, {"deep": two}], "n": 3})) == [one, two]
    assert list(templates_of("plain")) == []
