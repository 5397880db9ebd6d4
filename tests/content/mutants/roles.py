"""What each part of a file is for: a state's name, a guard, the title of a button, ...

It is told by where the part stands; whether it is right is not known.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.content.mutants.page import Page, Part, Path

STATE_KEYS = ("say", "do", "when", "back", "after", "start", "finished", "states")
BRANCH_KEYS = ("if", "do", "say", "go", "quiet", "error")
TEXTS = ("text", "header", "footer", "title", "description", "button", "cta")


@dataclass(frozen=True, slots=True)
class Role:
    """A part and what it is for.

    Args:
        name: `key`, `state`, `state_ref`, `event`, `delay`, `message_ref`, `action`, `argument`,
            `guard`, `template`, `branch`, `message`, `entry`, `text`, `intent`, `term`, `phrase`,
            `component`, `component_type`, `property`, `data`, `param`, `input`, `event_ref`.
        is_value: its value is meant, not its key.
    """

    name: str
    part: Part
    is_value: bool = False


Roles = Iterator[Role]


def kind_of(file: str) -> str:
    """Tell which kind of document a file is."""
    for folder, kind in (
        ("messages/", "messages"),
        ("flows/", "flow"),
        ("conversations/", "chart"),
    ):
        if folder in file:
            return kind
    return "tenant" if file.endswith("tenant.yaml") else "catalog"


def roles_of(page: Page) -> Roles:
    """Tell what every part is for that is not free text."""
    kind = kind_of(page.file)
    if kind in ("chart", "flow"):
        yield from _Chart(page).roles()
    elif kind == "messages":
        yield from _Messages(page).roles()
    else:
        yield from _settings(page)


def _settings(page: Page) -> Roles:
    """Tell the keys of tenant and catalog files; ids, languages and days are no words of ours."""
    for part in page.parts.values():
        is_id = ":" in part.name or part.path[-2:-1] in (("hours",), ("payment_methods",))
        is_language = part.path[-2:-1] in (("name",), ("instructions",))
        if part.key is not None and not is_id and not is_language:
            yield Role("key", part)


class _Chart:
    """Roles in a chart or a Flow."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.is_flow = kind_of(page.file) == "flow"

    def roles(self) -> Roles:
        for part in self.page.under():
            yield Role("key", part)
        yield from self._refs("state_ref", ("start",))
        for part in self.page.under("prefixes"):
            yield Role("event_ref", part, is_value=True)
        for part in self.page.under("careful"):
            yield Role("event_ref", part, is_value=True)
        for part in self.page.under("renamed"):
            yield Role("state_ref", part, is_value=True)
        for part in self.page.under("input"):
            yield Role("input", part)
        yield from self._events(("anywhere",))
        yield from self._states(("states",))

    def _states(self, path: Path) -> Roles:
        for state in self.page.under(*path):
            here = state.path
            yield Role("state", state)
            yield from (Role("key", part) for part in self.page.under(*here))
            yield from self._says((*here, "say"))
            yield from self._calls((*here, "do"))
            for key in ("back", "start", "finished"):
                yield from self._refs("state_ref", (*here, key))
            yield from self._events((*here, "when"))
            yield from self._events((*here, "after"), is_timer=True)
            yield from self._states((*here, "states"))
            if self.is_flow:
                yield from self._screen(here)

    def _refs(self, name: str, path: Path) -> Roles:
        part = self.page.at(*path)
        if part and part.text is not None:
            yield Role(name, part, is_value=True)

    def _events(self, path: Path, *, is_timer: bool = False) -> Roles:
        for event in self.page.under(*path):
            yield Role("delay" if is_timer else "event", event)
            if event.is_list():
                for branch in self.page.under(*event.path):
                    yield from self._branch(branch)
            else:
                yield from self._branch(event)

    def _branch(self, branch: Part) -> Roles:
        here = branch.path
        if branch.text is not None:
            yield Role("state_ref", branch, is_value=True)
            return
        yield Role("branch", branch)
        yield from (Role("key", part) for part in self.page.under(*here))
        guard = self.page.at(*here, "if")
        if guard:
            yield Role("guard", guard, is_value=True)
        yield from self._says((*here, "say"))
        yield from self._calls((*here, "do"))
        yield from self._refs("state_ref", (*here, "go"))
        yield from self._templates((*here, "error"))

    def _says(self, path: Path) -> Roles:
        part = self.page.at(*path)
        if part and part.is_list():
            yield from (Role("message_ref", one, is_value=True) for one in self.page.under(*path))
        elif part:
            yield Role("message_ref", part, is_value=True)

    def _calls(self, path: Path) -> Roles:
        part = self.page.at(*path)
        if part is None:
            return
        if part.text is not None:
            yield Role("action", part, is_value=True)
        elif part.is_list():
            for one in self.page.under(*path):
                yield from self._calls(one.path)
        else:
            for one in self.page.under(*path):
                yield Role("action", one)
                for argument in self.page.under(*one.path):
                    if one.name != "save":  # whose arguments are names of the author's own
                        yield Role("argument", argument)
                    yield from self._templates(argument.path)

    def _templates(self, path: Path) -> Roles:
        part = self.page.at(*path)
        if part and part.text is not None and "{" in part.text:
            yield Role("template", part, is_value=True)
        elif part:
            for one in self.page.under(*path):
                yield from self._templates(one.path)

    def _screen(self, path: Path) -> Roles:
        yield from self._templates((*path, "title"))
        for part in self.page.under(*path, "data"):
            yield Role("data", part)
            yield from self._values(part.path)
        for part in self.page.under(*path, "params"):
            yield Role("param", part)
            yield from self._templates(part.path)
        yield from self._layout((*path, "layout"))

    def _values(self, path: Path) -> Roles:
        part = self.page.at(*path)
        if part is None or part.text is not None:
            yield from self._templates(path)
            return
        for one in self.page.under(*path):
            if one.name == "each" and one.text is not None:
                yield Role("guard", one, is_value=True)
            else:
                yield from self._values(one.path)

    def _layout(self, path: Path) -> Roles:
        for component in self.page.under(*path):
            yield Role("component", component)
            for part in self.page.under(*component.path):
                if part.name == "type":
                    yield Role("component_type", part, is_value=True)
                elif part.name == "event":
                    yield Role("event_ref", part, is_value=True)
                    yield Role("property", part)
                else:
                    yield Role("property", part)
                yield from self._templates(part.path)


class _Messages:
    """Roles in a messages file."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def roles(self) -> Roles:
        yield from (Role("key", part) for part in self.page.under())
        for message in self.page.under("messages"):
            yield Role("message", message)
            if message.text is not None:
                yield Role("text", message, is_value=True)
            else:
                yield from self._body(message.path)
        for part in self.page.under("intents"):
            yield Role("intent", part)
            yield from (Role("phrase", one, is_value=True) for one in self.page.under(*part.path))
        yield from self._terms(("terms",))

    def _terms(self, path: Path) -> Roles:
        for part in self.page.under(*path):
            yield Role("term", part)
            yield from self._terms(part.path)

    def _body(self, path: Path) -> Roles:
        for part in self.page.under(*path):
            yield Role("key", part)
            yield from self._leaf(part)
            if part.name == "buttons":
                yield from self._entries(part.path)
            elif part.name == "list":
                yield from self._list(part.path)
            elif part.is_mapping():
                for one in self.page.under(*part.path):
                    yield Role("key", one)
                    yield from self._leaf(one)
                    yield from self._texts_in(one)

    def _texts_in(self, part: Part) -> Roles:
        if part.is_list():
            yield from (
                Role("template", one, is_value=True) for one in self.page.under(*part.path)
            )

    def _leaf(self, part: Part) -> Roles:
        if part.text is None:
            return
        if part.name in ("if", "each", "sections"):
            yield Role("guard", part, is_value=True)
        elif part.name in TEXTS:
            yield Role("text", part, is_value=True)
        elif "{" in part.text:
            yield Role("template", part, is_value=True)

    def _list(self, path: Path) -> Roles:
        for part in self.page.under(*path):
            yield Role("key", part)
            yield from self._leaf(part)
            if part.name == "rows":
                yield from self._entries(part.path)
            elif part.name == "more":
                for one in self.page.under(*part.path):
                    yield Role("key", one)
                    yield from self._leaf(one)

    def _entries(self, path: Path) -> Roles:
        for entry in self.page.under(*path):
            yield Role("entry", entry)
            if entry.text is not None:
                yield Role("text", entry, is_value=True)
            for one in self.page.under(*entry.path):
                yield Role("key", one)
                yield from self._leaf(one)
