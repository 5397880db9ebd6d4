"""A screen that a person has come to in a Flow: its data, and what the inputs on it hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.sandbox.device.checks import check_components, check_data, screen_of, version_of
from engine.sandbox.device.components import EMPTY, Component, empty_form, shown
from engine.sandbox.device.expressions import Scope, resolve
from engine.sandbox.device.form import NotPossible, entered
from engine.sandbox.device.screen import described
from engine.sandbox.envelope import JsonObject


@dataclass(slots=True)
class Visit:
    """A screen the person is on or has passed.

    Args:
        document: the Flow JSON.
        passed: the last visit of each screen, as expressions may refer to them.
        form: what the inputs hold, also those that are not shown.
        seen: the inputs that were shown; these have had their initial value.
        message: what is said at the bottom for a moment.
    """

    document: JsonObject
    screen: str
    data: JsonObject
    passed: Mapping[str, "Visit"]
    form: dict[str, object] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    title: str = ""
    components: list[Component] = field(default_factory=list)
    message: str | None = None

    def __post_init__(self) -> None:
        """Fill the form with nothing, and say what the data wants to be said."""
        self.form = empty_form(self.body["layout"]["children"])
        self.message = self.data.get("error_message") or None

    @property
    def body(self) -> JsonObject:
        """Return the screen's part of the Flow JSON.

        Raises:
            BadAnswer: the Flow has no such screen.
        """
        return screen_of(self.document, self.screen)

    def keep(self, before: "Visit") -> None:
        """Take over what was entered when the screen was here before."""
        self.form = dict(before.form)
        self.seen = set(before.seen)

    def resolve(self, template: object) -> Any:
        """Return a copy with the values in the place of references.

        Raises:
            ExpressionFault: an expression cannot be computed.
        """
        return resolve(template, self._scope())

    def draw(self) -> None:
        """Find what is to be seen; inputs seen for the first time get their initial values.

        Raises:
            BadAnswer: WhatsApp would not show it.
            ExpressionFault: an expression cannot be computed.
        """
        check_data(self.body, self.data)
        while self._settle():
            pass
        check_components(self.body, self.components, version_of(self.document))
        self.title = str(self.resolve(self.body.get("title", "")))

    def take(self, name: str, given: object) -> tuple[Component, object, object]:
        """Enter something in an input; return the input, what it held and what it holds.

        Raises:
            NotPossible: there is no such input, or it does not take this.
        """
        for component in self.components:
            if component.is_input and component.name == name:
                before = self.form[name]
                self.form[name] = entered(component, given)
                return component, before, self.form[name]
        raise NotPossible(f"The screen {self.screen} shows no input {name!r}")

    def described(self) -> JsonObject:
        """Describe the screen as the person sees it."""
        return described(self.screen, self.title, self.components, self.form, message=self.message)

    def _settle(self) -> bool:
        """Resolve the components once; tell whether that changed what the inputs hold."""
        self.components = list(shown(self.body["layout"]["children"], self._scope()))
        inputs = [one for one in self.components if one.is_input]
        fresh = [one for one in inputs if one.name not in self.seen]
        stale = [one for one in inputs if one.has_lost(self.form[one.name])]
        self.form |= {one.name: EMPTY[one.type] for one in stale}
        self.form |= {one.name: one.initial for one in fresh}
        self.seen |= {one.name for one in fresh}
        return bool(fresh or stale)

    def _scope(self) -> Scope:
        others = {name: {"data": one.data, "form": one.form} for name, one in self.passed.items()}
        return {"data": self.data, "form": self.form, "screen": others}
