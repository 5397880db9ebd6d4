"""Buttons that nobody takes up: their event means nothing where they can be tapped.

A tap counts where the customer stands, then where its message was said, as in `charts.run`.
"""

from collections.abc import Iterable

from engine.spec.chart import Branch, Call
from engine.spec.message import Message
from engine.spec.problems import Span, did_you_mean
from engine.spec.ways import Site, is_always
from engine.spec.whole import Button, Whole

DEAD = "dead-button"


def check_buttons(whole: Whole) -> None:
    """Note the buttons and rows that do nothing when they are tapped."""
    for name, sites in whole.ways.sites.items():
        for words in whole.words.values():
            message = words.messages.get(name)
            if message:
                _message(whole, message, sites)


def _message(whole: Whole, message: Message, sites: tuple[Site, ...]) -> None:
    accepted = whole.chart.events()
    for button in whole.buttons(message):
        event = button.event
        if not event:  # it is only known when it is shown, or lacks its id
            continue
        if "." in event:
            sentence = f"'{event}' cannot be tapped: names with a dot are the engine's own"
            whole.problems.add(Span.of(button.where), DEAD, sentence)
        elif event in whole.chart.anywhere:
            continue
        elif event not in accepted:
            if button.written:  # else it was told when the message was read
                sentence = f"no state reacts to the event '{event}'"
                hint = did_you_mean(event, accepted)
                whole.problems.add(Span.of(button.where), "unknown-event", sentence, hint)
        else:
            _shown(whole, message, button, sites)


def _shown(whole: Whole, message: Message, button: Button, sites: tuple[Site, ...]) -> None:
    event = button.event or ""
    is_sure = button.is_always and message.condition is None
    for site in sites:
        where = _dead_at(whole, site, event, is_sure=is_sure)
        if where is not None:
            shown = f"'{message.id}' is said {where}"
            sentence = f"{shown}, where nothing reacts to its '{event}'"
            hint = "react to it there or in 'anywhere', or leave the button out"
            whole.problems.add(Span.of(button.where), DEAD, sentence, hint)
            return


def _dead_at(whole: Whole, site: Site, event: str, *, is_sure: bool) -> str | None:
    """Tell, in words, where a button that is shown at a site is dead."""
    if site.branch is None:
        assert site.state
        leaves = [site.state, *whole.ways.leaves_in(site.state), whole.ways.rest(site.state)]
        if any(_alive(whole, leaf, (), event) for leaf in leaves):
            return None
        return f"in '{site.state}'"
    sources = _sources(whole, site)
    if site.branch.go is not None and whole.ways.rest(site.branch.go) is None:
        return None  # nobody knows where `resume` leads
    dead = (leaf for leaf in sources if not _alive_after(whole, leaf, site.branch, event))
    if not any(_alive_after(whole, leaf, site.branch, event) for leaf in sources):
        return _on(site) + (f" in '{site.state}'" if site.state else "")
    if is_sure and _is_plain(whole, site):
        for leaf in dead:
            if _stands(whole, leaf) and _first(whole, leaf, site):
                return f"{_on(site)} in '{leaf}'"
    return None


def _on(site: Site) -> str:
    """Name the event of a branch, or the time after which it is taken."""
    word, _, rest = site.event.partition(".")
    return f"after {rest.partition('.')[2]}" if word == "after" else f"on '{site.event}'"


def _sources(whole: Whole, site: Site) -> list[str]:
    inside = whole.ways.leaves_in(site.state) if site.state else whole.ways.leaves
    return sorted(inside)


def _alive_after(whole: Whole, leaf: str, branch: Branch, event: str) -> bool:
    """Tell whether an event may be taken after a branch: where it said so, or where it led."""
    if _reacts(whole, leaf, event):
        return True
    rest = whole.ways.rest(branch.go) if branch.go else leaf
    return _alive(whole, rest, branch.calls, event)


def _alive(whole: Whole, leaf: str | None, calls: Iterable[Call], event: str) -> bool:
    if leaf is None or _reacts(whole, leaf, event):
        return True
    return any(_reacts(whole, each, event) for each in whole.ways.settled(leaf, calls))


def _reacts(whole: Whole, leaf: str, event: str) -> bool:
    return whole.ways.reacts(leaf, event) or whole.ways.reacts(leaf, "tap")


def _is_plain(whole: Whole, site: Site) -> bool:
    """Tell whether customers come to a branch by themselves, and whatever there is."""
    branch = site.branch
    assert branch
    return site.event in whole.tapped and is_always(branch) and not branch.calls


def _stands(whole: Whole, leaf: str) -> bool:
    """Tell whether a customer who comes to a state stays there."""
    return not any(call.verb.raises for state in whole.ways.paths[leaf] for call in state.calls)


def _first(whole: Whole, leaf: str, site: Site) -> bool:
    """Tell whether a branch is the first that is asked for its event."""
    reactions = next(whole.ways.reactions(leaf, site.event), ())
    return bool(reactions) and reactions[0] is site.branch
