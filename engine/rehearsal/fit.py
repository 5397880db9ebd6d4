"""Fit: everything a walk heard, in every language, against WhatsApp's limits.

A message is rendered with the longest texts and the most choices it was heard with, and with the
longest that the tenant's own menu can bring in. What WhatsApp or a template refuses is an error,
in the conversation that shows it; what is cut is a warning; what an overflow rule of the author or
of the engine takes care of is a note.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.domain.catalog import Product
from engine.domain.conversation import Conversation
from engine.domain.ids import CustomerKey
from engine.errors import RenderFailed
from engine.rehearsal.acts import says
from engine.rehearsal.findings import Finding, Judge
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import CUSTOMER
from engine.rehearsal.shelves import extremes
from engine.rehearsal.shorten import shortened
from engine.rehearsal.trail import Node, played_again
from engine.rehearsal.walk import Walk
from engine.rendering.fitting import FITTED, Context, Fitted
from engine.rendering.messages import render_all, render_template
from engine.rendering.views import group_view, product_view, tenant_view
from engine.spec.bundle import Bundle
from engine.spec.check import templates_in
from engine.spec.message import Message
from engine.spec.placed import sources
from engine.spec.problems import Problems, Span
from engine.transcript import choices
from engine.whatsapp import content as wire
from engine.whatsapp import limits

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_MOST_WAYS = 12
"""Conversations in which a message is heard that are tried in another language."""
_SLOT = re.compile(r"\{\w+\}")
_DATA_LIMITS = frozenset({limits.ROW_TITLE, limits.ROW_DESCRIPTION})
"""Where a name of the menu stands alone, as a row: that it is cut there is no surprise."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hearing:
    """A message as it was heard, and where.

    Args:
        is_extreme: it was never longer, or never had more choices.
    """

    message: Message
    context: Context
    node: Node
    is_extreme: bool = True


@dataclass(slots=True, repr=False)
class Fit:
    """What was found.

    Args:
        findings: with the conversation that shows each.
        notes: by place and kind, what became of something that did not fit.
        nodes: where each was heard.
        sources: by place, what was written there.
    """

    findings: dict[tuple[str, str], Finding]
    notes: dict[tuple[str, str], Fitted]
    nodes: dict[tuple[str, str], Node]
    sources: dict[str, str]


async def fit(walk: Walk, catalog: MenuCatalog, like: Bundle | None = None) -> Fit:
    """Hold everything a walk heard against WhatsApp's limits.

    Args:
        like: a bundle that differs from the walk's in messages alone; then only these are looked
            at, and a finding has a conversation of the other tenant.
    """
    bundle = like or walk.bundle
    made = Fit({}, {}, {}, {})
    largest = extremes(catalog)
    judge = Judge(bundle)
    for hearing in heard(walk, bundle):
        for language in bundle.tenant.languages:
            message = bundle.vocabulary(language).messages.get(hearing.message.id)
            known = walk.bundle.vocabulary(language).messages.get(hearing.message.id)
            if message is None or (like and message is known):
                continue
            context = in_language(hearing.context, bundle, language)
            is_own = language == hearing.context["language"] and not like
            if is_own and not hearing.is_extreme:
                continue  # it was said so
            failed = _render(message, context, hearing.node, made)
            if failed and not is_own:
                where, said = judge.placed(failed, message.where)
                finding = Finding("turn-fails", where, said, hearing.node)
                if finding.key not in made.findings:
                    spoken = await _spoken(finding, language, judge, walk, message.id)
                    made.findings[finding.key] = spoken
            for other in _fuller(context, largest) if hearing.is_extreme else ():
                _render(message, other, hearing.node, made)
    return made


def heard(walk: Walk, bundle: Bundle) -> Iterator[Hearing]:
    """Give each message with the contexts that matter to it.

    They are those in which it was longest, and had most choices; and one of each kind in which
    other parts of it are said, for what is said of them only then may fail.

    Args:
        bundle: whose messages are meant; of one like the walk's, those that differ from its.
    """
    reads = {name: _reads(name, bundle) for name in _differing(walk, bundle)}
    longest: dict[str, tuple[int, Hearing]] = {}
    fullest: dict[str, tuple[int, Hearing]] = {}
    others: dict[tuple[object, ...], Hearing] = {}
    for node in walk.nodes:
        told = [(message, context) for message, context in node.heard if message.id in reads]
        if not told:
            continue
        size = sum(len(str(entry.payload)) for entry in node.scene.said)
        count = sum(len(choices(entry.payload)) for entry in node.scene.said)
        for message, context in told:
            name = message.id
            hearing = Hearing(message, context, node)
            if name not in longest or size > longest[name][0]:
                longest[name] = size, hearing
            if name not in fullest or count > fullest[name][0]:
                fullest[name] = count, hearing
            kind = (name, *(_kind(context, *read) for read in reads[name].items()))
            others.setdefault(kind, replace(hearing, is_extreme=False))
    for name, (_, hearing) in longest.items():
        yield hearing
        other = fullest[name][1]
        if other.node is not hearing.node:
            yield other
    yield from others.values()


def _differing(walk: Walk, bundle: Bundle) -> frozenset[str]:
    """Name the messages of a bundle that are not the walk's own."""
    return frozenset(
        name
        for language, words in bundle.vocabularies.items()
        for name, message in words.messages.items()
        if bundle is walk.bundle
        or message is not walk.bundle.vocabulary(language).messages.get(name)
    )


def _reads(name: str, bundle: Bundle) -> Mapping[str, frozenset[str]]:
    """Name the values a message reads in any language, with the words it holds them against."""
    said = (words.messages.get(name) for words in bundle.vocabularies.values())
    readings = [part.reading for message in said if message for part in templates_in(message)]
    compared = [one for reading in readings for one in reading.compared]
    return {
        path: frozenset(one.word for one in compared if one.path == path)
        for path in sorted({path for reading in readings for path in reading.paths})
    }


def _kind(context: Context, path: str, words: frozenset[str]) -> object:
    """Tell what decides about a value what is said: whether there is any, or which word it is."""
    value: Any = context
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value in words else bool(value)


def in_language(context: Context, bundle: Bundle, language: str) -> Context:
    """Give what a message reads as it is for a customer who speaks a language."""
    tenant = bundle.tenant
    return {
        **context,
        "language": language,
        "locale": tenant.locale(language),
        "terms": bundle.vocabulary(language).terms,
        "tenant": tenant_view(tenant, language),
    }


def _fuller(context: Context, largest: tuple[Product, ...]) -> Iterator[Context]:
    """Bring in the extreme products in the place of the one that was shown."""
    shown = context.get("product")
    if not isinstance(shown, Mapping):
        return
    for product in largest:
        view = product_view(product)
        if view["is_available"] != shown["is_available"] or view["id"] == shown["id"]:
            continue
        changed: dict[str, Any] = {"product": view}
        if isinstance(context.get("group"), Mapping):
            if not product.groups:
                continue
            group = max(product.groups, key=lambda held: len(held.modifiers))
            changed["group"] = group_view(group, ())
        yield {**context, **changed}


def _render(message: Message, context: Context, node: Node, made: Fit) -> str | None:
    """Render a message and note what did not fit; tell why it cannot be rendered."""
    noted: list[Fitted] = []
    local = {**context, FITTED: noted}
    try:
        if render_all(message, local):
            render_template(message, local)
    except RenderFailed as error:
        return str(error)
    for one in noted:
        made.sources.setdefault(one.where, sources(message).get(one.where, ""))
        key = one.where, one.how
        if key not in made.notes or one.size > made.notes[key].size:
            made.notes[key], made.nodes[key] = one, node
    return None


async def _spoken(finding: Finding, language: str, judge: Judge, walk: Walk, name: str) -> Finding:
    """Let a customer speak the language in which something fails, until it does."""
    ways = [node for node in walk.nodes if any(message.id == name for message, _ in node.heard)]
    for node in (finding.node, *sorted(ways, key=lambda node: node.depth)[:_MOST_WAYS]):
        start = node.start
        moment = _speaking(start.moment, node.world.rehearsal.bundle, language)
        path = [_said_in(each, language) for each in node.path()]
        again = await played_again(replace(start, moment=moment), path)
        if again and any(found.key == finding.key for found in judge.findings(again)):
            return await shortened(replace(finding, node=again), judge)
    return replace(finding, hint=f"in '{language}', at the end of such a conversation")


def _said_in(node: Node, language: str) -> Node:
    """Let a customer say a phrase as it is in another language: his own would be taken for it."""
    act, bundle = node.tried.act, node.world.rehearsal.bundle
    if act is None or not isinstance(act.content, wire.Text):
        return node
    meaning = bundle.vocabulary(bundle.tenant.languages[0]).intents.exact(act.content.body)
    if meaning is None:
        return node
    phrases = bundle.vocabulary(language).intents.phrases.get(meaning.event, ())
    is_slotted = meaning.argument is not None
    for phrase in phrases:
        if ("{" in phrase) is is_slotted:
            said = _SLOT.sub(lambda _: meaning.argument or "", phrase)
            return replace(node, tried=replace(node.tried, act=says(said)))
    return node


def _speaking(moment: Moment, bundle: Bundle, language: str) -> Moment:
    conversation = moment.conversation
    if conversation is None:
        conversation = Conversation(bundle.tenant_id, CustomerKey(CUSTOMER), language)
    return replace(moment, conversation=replace(conversation, language=language))


_SAID: Mapping[str, str] = {
    "cut": "with the longest of the menu it has {size} characters and is cut to {limit}",
    "left_out": "{size} do not fit: WhatsApp takes {limit}, the others cannot be chosen",
    "paged": "{size} rows are shown on pages of {limit}",
    "as_list": "{size} buttons are shown as a list; WhatsApp takes {limit} buttons",
    "split": "{size} characters are sent in two messages; WhatsApp takes {limit} in one",
}


def note_fit(found: Fit, problems: Problems, *, is_verbose: bool) -> None:
    """Tell the author what was found."""
    for finding in found.findings.values():
        finding.note(problems)
    for key, fitted in found.notes.items():
        code = _code(fitted, found.sources.get(fitted.where, ""))
        if code == "overflow" and not is_verbose:
            continue
        sentence = _SAID[fitted.how].format(size=fitted.size, limit=fitted.limit)
        hint = f"'{_shown(fitted)}'" if fitted.how == "cut" else ""
        transcript = found.nodes[key].transcript() if code != "overflow" else ()
        problems.warn(Span.of(fitted.where), code, sentence, hint, transcript)


def _code(fitted: Fitted, source: str) -> str:
    if fitted.how == "left_out":
        return "left-out"
    if fitted.how != "cut":
        return "overflow"
    # A name that stands alone is cut as any other; words of the author beside it are lost.
    words = _TAG.sub(" ", source).split()
    is_authored = any(word in fitted.text for word in words if word.isalpha())
    return "cut-text" if is_authored and fitted.limit not in _DATA_LIMITS else "overflow"


def _shown(fitted: Fitted) -> str:
    return limits.fit(" ".join(fitted.text.split()), min(fitted.limit, limits.ROW_DESCRIPTION))
