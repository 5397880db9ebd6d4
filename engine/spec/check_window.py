"""What is said when the customer has been silent for a day: WhatsApp takes only templates then."""

from collections.abc import Iterator
from datetime import timedelta

from engine.spec.model import Branch, State, delay_of
from engine.spec.problems import Span
from engine.spec.ways import is_always
from engine.spec.whole import Whole

WINDOW = timedelta(hours=24)
"""How long after a customer's message anything may be said."""
_CART_EXPIRED = "cart_expired"


def check_window(whole: Whole) -> None:
    """Note messages without a template that are only said outside of the window."""
    silent = _silent(whole)
    for name, silence in silent.items():
        state = whole.chart.states[name]
        for delay, branches in _timers(whole, state):
            since = silence + delay_of(delay)
            if since >= WINDOW:
                for branch in branches:
                    _branch(whole, branch, name, f"'{name}' says it {_hours(since)} after")
    if timedelta(hours=whole.tenant.cart_hours) >= WINDOW:
        said = f"it is said {whole.tenant.cart_hours} hours after"
        for where, branches in _cart_expired(whole):
            for branch in branches:
                _branch(whole, branch, where, said)


def _cart_expired(whole: Whole) -> Iterator[tuple[str | None, tuple[Branch, ...]]]:
    for state in whole.chart.states.values():
        if state.id in whole.ways.reachable and _CART_EXPIRED in state.when:
            yield state.id, state.when[_CART_EXPIRED]
    if _CART_EXPIRED in whole.chart.anywhere:
        yield None, whole.chart.anywhere[_CART_EXPIRED]


def _timers(whole: Whole, state: State) -> Iterator[tuple[str, tuple[Branch, ...]]]:
    """Give the timers of a state, up to the first that surely leads out of it."""
    inside = {state.id, *whole.ways.leaves_in(state.id)}
    for delay, branches in sorted(state.after.items(), key=lambda timer: delay_of(timer[0])):
        yield delay, branches
        first = branches[0]
        if is_always(first) and first.go and whole.ways.rest(first.go) not in inside:
            return


def _silent(whole: Whole) -> dict[str, timedelta]:
    """Tell how long a customer can have been silent when he comes into a state."""
    ways, states = whole.ways, whole.chart.states
    found = dict.fromkeys(ways.reachable, timedelta(0))
    waiting = [name for name in found if states[name].after]
    while waiting:
        name = waiting.pop()
        for delay, branches in _timers(whole, states[name]):
            since = min(found[name] + delay_of(delay), WINDOW)
            for branch in branches:
                for state in ways.entered(branch.go, name) if branch.go else ():
                    if since > found.get(state.id, since):
                        found[state.id] = since
                        waiting += [state.id] if state.after else []
    return found


def _branch(whole: Whole, branch: Branch, state: str | None, said: str) -> None:
    if branch.quiet:
        return
    messages = list(branch.say)
    if branch.go:
        rest = whole.ways.rest(branch.go)
        entered = whole.ways.entered(branch.go, state or rest or branch.go)
        messages += [m for s in entered for m in s.say]
    for message in messages:
        for words in whole.words.values():
            found = words.messages.get(message)
            if found and found.template is None:
                sentence = (
                    f"'{message}' has no 'template', and {said} the customer last wrote: WhatsApp "
                    "takes only templates then"
                )
                hint = "give the message a 'template', or do it sooner"
                whole.problems.add(Span.of(branch.where), "outside-window", sentence, hint)
                break


def _hours(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    return f"{hours} hours" if time < WINDOW * 2 else f"{hours // 24} days"
