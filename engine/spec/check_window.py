"""What is said when the customer has been silent for a day: WhatsApp takes only templates then.

What time alone leads to is sure to be said then: an error. When somebody moves an order nobody
knows: a warning.
"""

from collections.abc import Iterator
from datetime import timedelta

from engine.spec.chart import Branch, State, delay_of
from engine.spec.problems import Span
from engine.spec.ways import is_always
from engine.spec.whole import Whole

WINDOW = timedelta(hours=24)
"""How long after a customer's message anything may be said."""
_CART_EXPIRED = "cart_expired"
_ORDER_MOVED = "order_moved"


def check_window(whole: Whole) -> None:
    """Note messages without a template that are said outside of the window, or may be."""
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
        for where, branches in _on(whole, _CART_EXPIRED):
            for branch in branches:
                _branch(whole, branch, where, said)
    said = "the order may be moved a day after"
    for where, branches in _on(whole, _ORDER_MOVED):
        for branch in branches:
            _branch(whole, branch, where, said, is_sure=False)


def _on(whole: Whole, event: str) -> Iterator[tuple[str | None, tuple[Branch, ...]]]:
    """Give the branches of an event and of its special cases, such as `order_moved.ready`."""
    for state in whole.chart.states.values():
        if state.id in whole.ways.reachable:
            for name, branches in state.when.items():
                if name.partition(".")[0] == event:
                    yield state.id, branches
    for name, branches in whole.chart.anywhere.items():
        if name.partition(".")[0] == event:
            yield None, branches


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


def _branch(
    whole: Whole, branch: Branch, state: str | None, said: str, *, is_sure: bool = True
) -> None:
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
                hint = "give the message a 'template'" + (", or do it sooner" if is_sure else "")
                note = whole.problems.add if is_sure else whole.problems.warn
                note(Span.of(branch.where), "outside-window", sentence, hint)
                break


def _hours(time: timedelta) -> str:
    hours = int(time.total_seconds() // 3600)
    return f"{hours} hours" if time < WINDOW * 2 else f"{hours // 24} days"
