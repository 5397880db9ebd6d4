"""A tenant's whole: what is wrong with its chart and its words together.

Each kind of mistake has its own module; what can be told of the chart alone is not told here.
"""

from engine.spec.check import templates_in
from engine.spec.check_buttons import check_buttons
from engine.spec.check_events import check_events
from engine.spec.check_guards import check_languages_named
from engine.spec.check_languages import check_languages
from engine.spec.check_parts import check_parts
from engine.spec.check_template import check_templates
from engine.spec.check_terms import check_terms
from engine.spec.check_timers import check_timers
from engine.spec.check_window import check_window
from engine.spec.problems import did_you_mean
from engine.spec.whole import Whole


def check_whole(whole: Whole) -> None:
    """Note what must not be served of a tenant's chart and words together."""
    check_buttons(whole)
    check_window(whole)
    check_templates(whole)
    _languages_named(whole)


def advise_whole(whole: Whole) -> None:
    """Note what is doubtful about a tenant's chart and words together."""
    check_events(whole)
    check_timers(whole)
    check_languages(whole)
    if not whole.unread:  # what they give, and so what the chat knows, would be a guess
        check_parts(whole)
    check_terms(whole)
    _unused(whole)


def _languages_named(whole: Whole) -> None:
    """Note comparisons with a language that there is not."""
    charts = (whole.chart, *(flow.chart for flow in whole.flows.values()))
    guards = [b.condition for chart in charts for b in chart.all_branches() if b.condition]
    check_languages_named(guards, whole.speaks, whole.problems)
    for words in whole.words.values():
        for message in words.messages.values():
            check_languages_named(templates_in(message), whole.speaks, whole.problems)


def _unused(whole: Whole) -> None:
    """Note messages of the tenant's own files that no state and no branch says."""
    said = whole.ways.sites.keys()
    for source in whole.overlays:
        for name, body in (source.data.get("messages") or {}).items():
            if body is not None and name not in said:
                sentence = f"nothing says the message '{name}'"
                span = source.keys["messages", name]
                whole.problems.warn(span, "unused-message", sentence, did_you_mean(name, said))
