"""Screens of WhatsApp Flows that look otherwise, or lead elsewhere.

Two Flow JSON documents are compared as a customer sees their screens, with the fixed example that
each carries; names of screens and components are not compared.
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from engine.authoring.diff.changes import Example, Lines, ScreenChange
from engine.domain.ids import TenantId
from engine.flows.document import FlowJson
from engine.flows.rehearsal import compile_flows
from engine.rendering.views import tenant_view
from engine.spec.bundle import Bundle
from engine.spec.problems import Problems

Screens = dict[Hashable, ScreenChange]
_DATA = re.compile(r"\$\{data\.([A-Za-z0-9_]+)\}")
_READ = ("text", "label", "helper-text", "description", "title", "left-caption", "center-caption",
         "right-caption", "src")  # fmt: skip
_INSIDE = ("children", "then", "else")


async def screen_changes(tenant: TenantId, before: Bundle, after: Bundle) -> Screens:
    """Find the screens that differ, in every language."""
    if _look(before) == _look(after):
        return {}
    old = {(made.flow, made.language): made for made in await compile_flows(before, Problems())}
    new = {(made.flow, made.language): made for made in await compile_flows(after, Problems())}
    found: Screens = {}
    for flow, language in dict.fromkeys((*new, *old)):
        pairs = _pairs(old.get((flow, language)), new.get((flow, language)))
        for name, look in pairs:
            if look.before != look.after:
                key = (flow, language, name, look.before, look.after)
                found[key] = ScreenChange(flow, language, name, look, (tenant,))
    return found


def _look(bundle: Bundle) -> Hashable:
    """Name everything that a Flow JSON is made of."""
    words = [
        (name, str(words.terms), str(tenant_view(bundle.tenant, name)))
        for name, words in bundle.vocabularies.items()
    ]
    return tuple(words), tuple((flow.id, flow.digest) for flow in bundle.flows.values())


def _pairs(before: FlowJson | None, after: FlowJson | None) -> Iterator[tuple[str, Example]]:
    """Match the screens of two documents by their place in the order they have in common."""
    old = _screens(before.document) if before else {}
    new = _screens(after.document) if after else {}
    # A screen that only has another name is the same to a customer.
    looks = {lines: name for name, lines in new.items() if name not in old}
    names = [name if name in new else looks.get(old[name], name) for name in old]
    by_name = dict(zip(names, old.values(), strict=True))
    for name in dict.fromkeys((*new, *names)):
        yield name, Example(by_name.get(name), new.get(name))


def _screens(document: Mapping[str, Any]) -> dict[str, Lines]:
    titles = {screen["id"]: screen["title"] for screen in document["screens"]}
    return {
        screen["id"]: tuple(_screen(screen, titles, document["routing_model"]))
        for screen in document["screens"]
    }


def _screen(
    screen: Mapping[str, Any], titles: Mapping[str, str], routes: Mapping[str, list[str]]
) -> Iterator[str]:
    yield f"┌ {screen['title']}"
    examples = {key: value.get("__example__") for key, value in screen["data"].items()}
    for part in screen["layout"]["children"]:
        yield from (f"│ {line}" for line in _part(part, examples))
    leads = [titles.get(target, target) for target in routes.get(screen["id"], ())]
    if screen.get("terminal"):
        leads.append("the end")
    yield f"└ leads to: {'; '.join(leads) or 'nothing'}"


def _part(part: Mapping[str, Any], examples: Mapping[str, Any]) -> Iterator[str]:
    """Write a component: what is read on it, and what it asks for."""
    shown = [str(_filled(part[key], examples)) for key in _READ if part.get(key)]
    kind = part["type"]
    options = _filled(part.get("data-source"), examples)
    marks = [word for word in ("required", "visible", "enabled") if word in part]
    asked = "".join(f" ({word}: {_plain(part[word], examples)})" for word in marks)
    limits = "".join(
        f" ({key}: {_plain(part[key], examples)})"
        for key in ("max-length", "min-selected-items", "max-selected-items", "init-value")
        if key in part
    )
    yield f"{kind}: {' · '.join(shown)}{asked}{limits}"
    for option in options if isinstance(options, list) else ():
        about = f" - {option['description']}" if option.get("description") else ""
        yield f"  • {option.get('title', '')}{about}"
    for holder in _INSIDE:
        for inner in part.get(holder, ()):
            yield from (f"  {line}" for line in _part(inner, examples))
    for case, parts in part.get("cases", {}).items():
        yield f"  {case}:"
        for inner in parts:
            yield from (f"    {line}" for line in _part(inner, examples))


def _plain(value: Any, examples: Mapping[str, Any]) -> str:
    filled = _filled(value, examples)
    if isinstance(filled, bool):
        return "yes" if filled else "no"
    return "-" if filled is None else str(filled)


def _filled(value: Any, examples: Mapping[str, Any]) -> Any:
    """Put the example of the data into a property."""
    if not isinstance(value, str):
        return value
    alone = _DATA.fullmatch(value)
    if alone:
        return examples.get(alone[1])
    return _DATA.sub(lambda found: str(examples.get(found[1], "")), value)
