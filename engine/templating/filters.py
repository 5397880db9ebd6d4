"""The filters templates may use: Jinja's harmless ones, bounded, and ours."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context, Undefined
from jinja2.utils import pass_context, pass_environment

from engine.domain.money import LARGEST, format_money
from engine.domain.tenant import WEEKDAYS
from engine.templating.caps import MAX_OUTPUT

JINJA_ALLOWED = frozenset(
    {
        "abs", "capitalize", "count", "default", "first", "float", "int", "join", "last", "length",
        "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round", "select",
        "selectattr", "sort", "string", "sum", "title", "trim", "unique", "upper",
    }
)  # fmt: skip


_SHOWN = (str, int, float, Decimal, datetime, type(None), Undefined)


def shown(value: Any) -> Any:
    """Give back what may become a text; a list could hold itself a billion times over."""
    if not isinstance(value, _SHOWN):
        raise SecurityError(f"a {type(value).__name__} cannot be written")
    return value


def _amount(value: object) -> Decimal:
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(shown(value)))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) >= LARGEST:
        raise ValueError("not an amount")
    return amount


@pass_context
def _money(context: Context, amount: object) -> str:
    """Write an amount in the tenant's currency as the customer's language does."""
    return format_money(_amount(amount), context["tenant"]["currency"], context["locale"])


@pass_context
def _time(context: Context, at: object) -> str:
    """Write the time of day of a moment as the tenant's clocks show it, such as `19:30`."""
    if not isinstance(at, datetime):
        raise TypeError("not a moment")
    return at.astimezone(ZoneInfo(context["tenant"]["time_zone"])).strftime("%H:%M")


@pass_context
def _date(context: Context, at: object) -> str:
    """Write the day of a moment in the tenant's time zone, such as `2026-11-23`."""
    if not isinstance(at, datetime):
        raise TypeError("not a moment")
    return at.astimezone(ZoneInfo(context["tenant"]["time_zone"])).strftime("%Y-%m-%d")


@pass_context
def _weekday(context: Context, at: object) -> str:
    """Name the day of the week of a moment in the tenant's time zone, such as `friday`."""
    if not isinstance(at, datetime):
        raise TypeError("not a moment")
    return WEEKDAYS[at.astimezone(ZoneInfo(context["tenant"]["time_zone"])).weekday()]


def _number(value: object) -> str:
    """Write a number without a needless fraction, such as `8.875` or `18`."""
    return format(_amount(value).normalize(), "f")


def _plural(count: int, one: str, many: str) -> str:
    """Choose between two words by a count."""
    return one if count == 1 else many


def _replace(text: object, old: str, new: str) -> str:
    """Replace every occurrence of a text by another."""
    source, instead = str(shown(text)), str(shown(new))
    if not old or len(source) + source.count(old) * len(instead) > MAX_OUTPUT:
        raise SecurityError("'replace' would make a text that is too long")
    return source.replace(old, instead)


@pass_environment
def _join(
    environment: Environment,
    values: Iterable[Any],
    separator: object = "",
    attribute: str | None = None,
) -> str:
    """Join values to one text."""
    between, parts, size = str(shown(separator)), [], 0
    for value in values:
        for key in attribute.split(".") if attribute else ():
            value = environment.getitem(value, key)
        parts.append(str(shown(value)))
        size += len(parts[-1]) + len(between)
        if size > MAX_OUTPUT + len(between):
            raise SecurityError("'join' would make a text that is too long")
    return between.join(parts)


@pass_environment
def _sum(environment: Environment, values: Iterable[Any], attribute: str | None = None) -> Any:
    """Add up numbers; Jinja's own would join lists as well."""
    return JINJA_FILTERS["sum"](environment, values, attribute)


def _round(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Round a number."""
    if precision not in range(-9, 10):
        raise SecurityError("'round' takes a precision of -9 to 9")
    return JINJA_FILTERS["round"](value, precision, method)


@pass_context
def _map(context: Context, values: Any, *arguments: Any, **options: Any) -> list[Any]:
    """Take a filter to each value; only one that authors may use themselves."""
    if arguments and arguments[0] not in FILTERS:
        raise SecurityError(f"there is no filter '{arguments[0]}'")
    return list(JINJA_FILTERS["map"](context, values, *arguments, **options))


def _of_text(known: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(known)
    def filtered(value: Any, *arguments: Any, **options: Any) -> Any:
        return known(shown(value), *arguments, **options)

    return filtered


def _listing(known: Callable[..., Any]) -> Callable[..., Any]:
    """Make a filter give a list: the generator it gives counts as true even if it is empty."""

    @wraps(known)
    def filtered(*arguments: Any, **options: Any) -> Any:
        found = known(*arguments, **options)
        return found if isinstance(found, str) else list(found)

    return filtered


_OF_TEXT = ("capitalize", "lower", "string", "title", "trim", "upper")
_LISTING = ("reject", "rejectattr", "reverse", "select", "selectattr", "unique")
BOUNDED: Mapping[str, Callable[..., Any]] = {
    "join": _join,
    "map": _map,
    "sum": _sum,
    "round": _round,
    **{name: _of_text(JINJA_FILTERS[name]) for name in _OF_TEXT},
    **{name: _listing(JINJA_FILTERS[name]) for name in _LISTING},
}

OWN_FILTERS: Mapping[str, Callable[..., str]] = {
    "money": _money,
    "time": _time,
    "date": _date,
    "weekday": _weekday,
    "number": _number,
    "plural": _plural,
    "replace": _replace,
}
FILTERS = JINJA_ALLOWED | OWN_FILTERS.keys()
