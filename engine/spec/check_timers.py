"""Timers that run out after the cart has: what they hold against the cart is never so."""

from datetime import timedelta

from engine.errors import RenderFailed
from engine.spec.chart import delay_of
from engine.spec.problems import Span
from engine.spec.whole import Whole
from engine.templating.language import Expression

_CART = "cart."
_GONE = {"lines": [], "count": 0, "subtotal": 0, "is_expired": True}
"""What a text reads of a cart whose time has run out; see `rendering.views.cart_view`."""


def check_timers(whole: Whole) -> None:
    """Note timers that ask for a cart which is gone by then.

    A cart lives from its last change; so does the timer of a state that its change leads to.
    """
    lives = timedelta(hours=whole.tenant.cart_hours)
    for state in whole.chart.states.values():
        for delay, branches in state.after.items():
            if delay_of(delay) < lives:
                continue
            for branch in branches:
                if branch.condition and _needs_a_cart(branch.condition):
                    sentence = f"after {delay} there is no cart any more: it lives {_hours(lives)}"
                    hint = "do it sooner, or set 'cart_hours' in tenant.yaml"
                    whole.problems.warn(Span.of(branch.where), "never-holds", sentence, hint)


def _needs_a_cart(guard: Expression) -> bool:
    """Tell whether a guard that reads nothing but the cart cannot hold without one."""
    paths = guard.reading.paths
    if not paths or not all(path.startswith(_CART) for path in paths):
        return False
    try:
        return not guard.holds({"cart": _GONE})
    except RenderFailed:  # it asks more than the cart
        return False


def _hours(time: timedelta) -> str:
    hours = int(time.total_seconds()) // 3600
    return "an hour" if hours == 1 else f"{hours} hours"
