"""Events that nobody raises, and names of events that mean nothing."""

from collections.abc import Iterator

from engine.spec.problems import Span, did_you_mean
from engine.spec.source import Layers, Path
from engine.spec.whole import Whole


def check_events(whole: Whole) -> None:
    """Note events that are waited for in vain, and those that are named in vain."""
    for event, path in _awaited(whole):
        if event not in whole.raised:
            hint = did_you_mean(event, whole.raised - whole.chart.events())
            sentence = f"nothing raises '{event}': no button, phrase, prefix, action or Flow"
            whole.problems.warn(whole.places.at(path), "nobody-raises", sentence, hint)
    _named(whole)
    _phrases(whole)


def _awaited(whole: Whole) -> Iterator[tuple[str, Path]]:
    for event in whole.chart.anywhere:
        yield event, ("anywhere", event)
    for state in whole.chart.states.values():
        for event, branches in state.when.items():
            path = branches[0].path
            # A list of branches has one more step, the place among them.
            yield event, path if path[-1] in (event, "back") else path[:-1]


def _named(whole: Whole) -> None:
    """Note prefixes and careful events that no state reacts to."""
    for prefix, event in whole.chart.prefixes.items():
        _unknown(whole, event, whole.places.value_at(("prefixes", prefix)))
    for place, event in enumerate(sorted(whole.chart.careful)):
        _unknown(whole, event, _careful(whole, event, place))


def _careful(whole: Whole, event: str, place: int) -> Span:
    for source in whole.places.sources:
        written = source.data.get("careful") if isinstance(source.data, dict) else None
        if isinstance(written, list) and event in written:
            return whole.places.at(("careful", written.index(event)))
    return whole.places.at(("careful", place))


def _unknown(whole: Whole, event: str, span: Span) -> None:
    accepted = whole.chart.events()
    if event not in accepted and event not in whole.deleted:
        sentence = f"no state reacts to the event '{event}'"
        whole.problems.warn(span, "unknown-event", sentence, did_you_mean(event, accepted))


def _phrases(whole: Whole) -> None:
    """Note phrases that mean nothing, and events that one language has no phrases for."""
    accepted = whole.chart.events()
    phrases = {
        language: {event for event, said in words.intents.phrases.items() if said}
        for language, words in whole.words.items()
    }
    for language, events in phrases.items():
        places = whole.texts[language]
        for event in sorted(events - accepted):
            _unknown(whole, event, places.at(("intents", event)))
        lacking: dict[Span, list[str]] = {}
        for event in sorted((set().union(*phrases.values()) & accepted) - events):
            others = (other for other, known in phrases.items() if event in known)
            lacking.setdefault(_beside(whole, language, next(others), event), []).append(event)
        for span, missing in lacking.items():
            named = ", ".join(f"'{event}'" for event in missing)
            sentence = f"no phrases mean {named} in '{language}', though they do in others"
            whole.problems.warn(span, "missing-phrases", sentence)


def _beside(whole: Whole, language: str, other: str, event: str) -> Span:
    """Find where phrases belong: in the tenant's files if those of the other language do."""
    path: Path = ("intents", event)
    overlays = {source.file for source in whole.overlays}
    is_own = whole.texts[other].at(path).file in overlays
    sources = whole.texts[language].sources
    beside = tuple(source for source in sources if (source.file in overlays) == is_own)
    return Layers(beside or sources).at(path)
