"""Merged, schema-valid data -> charts and vocabularies with compiled templates."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from engine.registry import Registry
from engine.spec.chart import Branch, Call, Chart, State, Value
from engine.spec.message import (
    Entry,
    FlowPart,
    Kind,
    Link,
    ListPart,
    Message,
    More,
    ProductsPart,
    Section,
    TemplateButton,
    TemplatePart,
)
from engine.spec.problems import Problems, Span, did_you_mean
from engine.spec.source import Layers, Path, Source
from engine.templating.filters import FILTERS
from engine.templating.language import Expression, Language, TemplateProblem, Text
from engine.templating.reading import Stray, stray_in

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one merged document.

    Args:
        places: where each part of it came from.
        problems: gets the templates and expressions that cannot be compiled.
    """

    places: Layers
    language: Language
    registry: Registry
    problems: Problems

    # Templates -------------------------------------------------------------------------------

    def text(self, data: Data, key: str, path: Path) -> Text | None:
        """Compile the text at a key, if there is one."""
        value = data.get(key)
        return None if value is None else self._text(str(value), (*path, key))

    def _text(self, source: str, path: Path) -> Text:
        span = self.places.value_at(path)
        try:
            text = self.language.text(source, str(span), self.places.folded_at(path))
        except TemplateProblem as problem:
            self._note(span, problem)
            return self.language.text("", str(span))
        self._left_over(span, text.reading.stray)
        return text

    def expression(self, data: Data, key: str, path: Path) -> Expression | None:
        """Compile the expression at a key, if there is one."""
        source = data.get(key)
        if source is None:
            return None
        span = self.places.value_at((*path, key))
        try:
            folded = self.places.folded_at((*path, key))
            return self.language.expression(str(source), str(span), folded)
        except TemplateProblem as problem:
            self._note(span, problem)
            return self.language.expression("none", str(span))

    def value(self, data: Any, path: Path) -> Value:
        """Compile an argument; its leaf texts are templates."""
        if isinstance(data, dict):
            return {key: self.value(part, (*path, key)) for key, part in data.items()}
        if isinstance(data, list):
            return [self.value(part, (*path, place)) for place, part in enumerate(data)]
        if not isinstance(data, str):
            return data
        span = self.places.value_at(path)
        if "{" not in data:
            self._left_over(span, stray_in(data))
            return data
        try:
            value = self.language.argument(data, str(span), self.places.folded_at(path))
        except TemplateProblem as problem:
            self._note(span, problem)
            return None
        self._left_over(span, value.reading.stray)
        return value

    def _left_over(self, span: Span, strays: Iterable[Stray]) -> None:
        """Note marks that customers would see."""
        for stray in strays:
            sentence = f"'{stray.mark}' is left over: it is a part of the text"
            hint = "a value is written '{{ name }}'"
            self.problems.warn(span.below(stray.line), "stray-mark", sentence, hint)

    def _note(self, span: Span, problem: TemplateProblem) -> None:
        lists = {"unknown-filter": FILTERS, "unknown-guard": self.registry.guards.keys()}
        known = lists.get(problem.code, ())
        hint = "" if problem.name in known else did_you_mean(problem.name, known)
        self.problems.add(span.below(problem.line), problem.code, problem.sentence, hint)

    # Charts ----------------------------------------------------------------------------------

    def chart(self, data: Data) -> Chart:
        """Read a chart."""
        states: dict[str, State] = {}
        self._states(data.get("states", {}), ("states",), None, states)
        return Chart(
            id=str(data.get("chart", "")),
            version=int(data.get("version", 1)),
            start=str(data.get("start", "")),
            states=states,
            anywhere=self._events(data.get("anywhere", {}), ("anywhere",)),
            prefixes=dict(data.get("prefixes", {})),
            renamed=dict(data.get("renamed", {})),
            careful=frozenset(data.get("careful", ())),
            digest=digest(data),
        )

    def _states(
        self, data: Data, path: Path, parent: str | None, states: dict[str, State]
    ) -> None:
        for name, body in data.items():
            here = (*path, name)
            if name in states:
                known = states[name].where
                self.problems.add(
                    self.places.at(here), "duplicate-state", f"'{name}' exists already",
                    f"the other is at {known}",
                )  # fmt: skip
                continue
            states[name] = self._state(name, body, here, parent)
            self._states(body.get("states", {}), (*here, "states"), name, states)

    def _state(self, name: str, body: Data, path: Path, parent: str | None) -> State:
        when = dict(self._events(body.get("when", {}), (*path, "when")))
        if "back" in body:
            here = (*path, "back")
            branch = Branch(where=str(self.places.at(here)), path=here, go=body["back"])
            when.setdefault("back", (branch,))
        return State(
            id=name,
            where=str(self.places.at(path)),
            path=path,
            parent=parent,
            calls=self._calls(body.get("do"), (*path, "do")),
            say=_listed(body.get("say")),
            when=when,
            after=self._events(body.get("after", {}), (*path, "after")),
            start=body.get("start"),
            finished=body.get("finished"),
            final=body.get("final", False),
            aside=body.get("aside", False),
        )

    def _events(self, data: Data, path: Path) -> Mapping[str, tuple[Branch, ...]]:
        return {event: tuple(self._branches(body, (*path, event))) for event, body in data.items()}

    def _branches(self, body: Any, path: Path) -> Iterator[Branch]:
        if not isinstance(body, list):
            yield self._branch(body, path)
            return
        for place, part in enumerate(body):
            yield self._branch(part, (*path, place))

    def _branch(self, body: Any, path: Path) -> Branch:
        where = str(self.places.at(path))
        if isinstance(body, str):
            return Branch(where=where, path=path, go=body)
        return Branch(
            where=where,
            path=path,
            condition=self.expression(body, "if", path),
            calls=self._calls(body.get("do"), (*path, "do")),
            say=_listed(body.get("say")),
            go=body.get("go"),
            error=self.text(body, "error", path),
            quiet=body.get("quiet", False),
        )

    def _calls(self, body: Any, path: Path) -> tuple[Call, ...]:
        if body is None:
            return ()
        if isinstance(body, list):
            calls = (self._call(part, (*path, place)) for place, part in enumerate(body))
        else:
            calls = (self._call(part, path) for part in (body,))
        return tuple(call for call in calls if call)

    def _call(self, body: Any, path: Path) -> Call | None:
        name, arguments = (body, {}) if isinstance(body, str) else next(iter(body.items()))
        verb = self.registry.actions.get(name)
        if verb is None:  # the schema has told
            return None
        place = path if isinstance(body, str) else (*path, name)
        values = {key: self.value(part, (*place, key)) for key, part in arguments.items()}
        return Call(verb, values, str(self.places.at(place)))

    # Messages --------------------------------------------------------------------------------

    def message(self, name: str, body: Data) -> Message:
        """Read a message."""
        path: Path = ("messages", name)
        return Message(
            id=name,
            kind=_kind(body),
            where=str(self.places.at(path)),
            text=self.text(body, "text", path),
            header=self.text(body, "header", path),
            footer=self.text(body, "footer", path),
            image=self.text(body, "image", path),
            condition=self.expression(body, "if", path),
            buttons=self._entries(body.get("buttons", {}), (*path, "buttons")),
            list=self._list(body.get("list"), (*path, "list")),
            link=self._link(body.get("link"), (*path, "link")),
            products=self._products(body, path),
            flow=self._flow(body.get("flow"), (*path, "flow")),
            template=self._template(body.get("template"), (*path, "template")),
        )

    def _entries(self, data: Data, path: Path) -> tuple[Entry, ...]:
        return tuple(self._entry(event, body, (*path, event)) for event, body in data.items())

    def _entry(self, event: str, body: Data, path: Path) -> Entry:
        where = str(self.places.at(path))
        return Entry(
            event=event,
            title=self.text(body, "title", path) or self._text("", path),
            where=where,
            description=self.text(body, "description", path),
            argument=self.text(body, "argument", path),
            id=self.text(body, "id", path),
            each=self.expression(body, "each", path),
            condition=self.expression(body, "if", path),
        )

    def _list(self, body: Data | None, path: Path) -> ListPart | None:
        if body is None:
            return None
        sections: list[Section] = []
        if "rows" in body:
            sections.append(Section(self._entries(body["rows"], (*path, "rows"))))
        for name, part in body.get("sections", {}).items():
            here = (*path, "sections", name)
            entries = self._entries(part.get("rows", {}), (*here, "rows"))
            sections.append(Section(entries, self.text(part, "title", here)))
        more = None
        if "more" in body:
            here = (*path, "more")
            title, wire_id = (self.text(body["more"], key, here) for key in ("title", "id"))
            more = More(title or self._text("", here), wire_id or self._text("", here))
        button = self.text(body, "button", path) or self._text("", path)
        return ListPart(button, tuple(sections), more)

    def _link(self, body: Data | None, path: Path) -> Link | None:
        if body is None:
            return None
        empty = self._text("", path)
        return Link(self.text(body, "title", path) or empty, self.text(body, "url", path) or empty)

    def _products(self, body: Data, path: Path) -> ProductsPart | None:
        for key in ("product", "products", "catalog"):
            if key in body:
                part, here = body[key], (*path, key)
                return ProductsPart(
                    catalog=self.text(part, "catalog", here) or self._text("", here),
                    product=self.text(part, "id", here),
                    products=self.expression(part, "each", here),
                    sections=self.expression(part, "sections", here),
                    title=self.text(part, "title", here),
                    thumbnail=self.text(part, "thumbnail", here),
                )
        return None

    def _flow(self, body: Data | None, path: Path) -> FlowPart | None:
        if body is None:
            return None
        cta = self.text(body, "cta", path) or self._text("", path)
        # What is missing of the form is told where the form is, not beside the words.
        beside = str(self.places.value_with(path, ("id", "token", "screen", "data")))
        wire_id, token = (
            self.text(body, key, path) or self.language.text("", beside) for key in ("id", "token")
        )
        data = self.value(body.get("data"), (*path, "data"))
        return FlowPart(cta, wire_id, token, self.text(body, "screen", path), data)

    def _template(self, body: Data | None, path: Path) -> TemplatePart | None:
        if body is None:
            return None
        here = (*path, "parameters")
        parameters = body.get("parameters", [])
        texts = tuple(self._text(part, (*here, place)) for place, part in enumerate(parameters))
        return TemplatePart(
            name=str(body.get("name", "")),
            where=str(self.places.at(path)),
            parameters=texts,
            category=str(body.get("category", "")),
            body=str(body.get("body", "")).strip(),
            footer=str(body.get("footer", "")).strip(),
            examples=tuple(map(str, body.get("examples", ()))),
            buttons=tuple(
                TemplateButton(event, str(title), str(self.places.at((*path, "buttons", event))))
                for event, title in body.get("buttons", {}).items()
            ),
            places={key: str(self.places.at((*path, key))) for key in body},
        )


_KINDS: tuple[tuple[str, Kind], ...] = (
    ("buttons", "buttons"), ("list", "list"), ("link", "link"), ("ask_location", "location"),
    ("product", "product"), ("products", "products"), ("catalog", "catalog"), ("flow", "flow"),
    ("image", "image"), ("text", "text"), ("template", "template"),
)  # fmt: skip

_BESIDE = frozenset({"image", "text", "template"})
"""Parts that other kinds have, too; a message of nothing else is of their kind."""


def kinds_of(body: Data) -> list[str]:
    """Name the parts of a message of which there may be one only."""
    return [key for key, _ in _KINDS if _has(body, key) and key not in _BESIDE]


def _kind(body: Data) -> Kind:
    return next((kind for key, kind in _KINDS if _has(body, key)), "text")


def _has(body: Data, key: str) -> bool:
    # A `catalog` needs nothing inside; a part whose entries an overlay deleted is none.
    return bool(body.get(key)) or (key == "catalog" and key in body)


def expand(source: Source) -> None:
    """Write out the short forms of a messages document, so that layers merge part by part.

    A message that is only a text is its `text`; a button or row that is one is its `title`.
    """
    for name in source.data.get("messages", {}):
        path: Path = ("messages", name)
        message = _expanded(source, source.data["messages"], path, "text")
        if message:
            rows = message.get("list") or {}
            _expand_entries(source, message.get("buttons"), (*path, "buttons"))
            _expand_entries(source, rows.get("rows"), (*path, "list", "rows"))
            for section, part in (rows.get("sections") or {}).items():
                here = (*path, "list", "sections", section, "rows")
                _expand_entries(source, (part or {}).get("rows"), here)


def _expand_entries(source: Source, entries: dict[str, Any] | None, path: Path) -> None:
    for event in entries or ():
        _expanded(source, entries or {}, (*path, event), "title")


def _expanded(source: Source, holder: dict[str, Any], path: Path, key: str) -> Any:
    value = holder[str(path[-1])]
    if isinstance(value, str):
        value = holder[str(path[-1])] = {key: value}
        source.values[(*path, key)] = source.values[path]
        if path in source.folded:
            source.folded[(*path, key)] = source.folded[path]
    return value


def _listed(value: str | list[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def digest(data: Any) -> str:
    """Name a document by its content."""
    packed = orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2s(packed, digest_size=8).hexdigest()
