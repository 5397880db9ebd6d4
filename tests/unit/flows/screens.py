"""Flows of a few lines of YAML at La Tavola, and a customer who goes through them.

The ports are in memory and never wait, so no event loop is needed.
"""

from dataclasses import replace
from functools import cache
from typing import Any

from engine.domain.cart import Cart
from engine.flows.exchange import Asked, Screens, Shown
from engine.flows.form import Data, Form, form_of
from engine.spec.bundle import Bundle
from engine.spec.check_flow import FlowCheck
from engine.spec.flow import Flow
from engine.spec.problems import Problems
from engine.spec.read import Reader
from engine.spec.read_flow import read_flow
from engine.spec.schema import document_schema
from engine.spec.source import Layers, parse
from engine.spec.validate import Validator, validate
from engine.turn import Turn
from tests.unit.actions.shop import LIBRARY, VERBS, a_turn, bundle, wait

FILE = "flows/small.yaml"
_VALIDATOR = Validator(document_schema("flow", VERBS))
SCREENS = Screens()


def flow(text: str) -> Flow:
    """Read a Flow; nothing may be wrong with it."""
    problems = Problems()
    source = parse(text, FILE, problems)
    assert source is not None, problems.sorted()
    validate(source, _VALIDATOR, problems)
    problems.raise_if_any()
    layers = Layers((source,))
    made = read_flow(Reader(layers, LIBRARY.language, VERBS, problems), source.data)
    FlowCheck(made, layers, problems).run()
    problems.raise_if_any()
    return made


GO = "go: {type: Footer, label: Go, event: submit}"
END = "  END: {final: true}\n"


@cache
def one_screen(layout: str, *, data: str = "{}", footer: str = GO, takes: int = 0) -> Flow:
    """Make a Flow of one screen with the components of some lines."""
    lines = "".join(f"      {line}\n" for line in layout.strip("\n").split("\n"))
    takes_line = f"takes: {{presentations: 1, groups: {takes}, options: 20}}\n" if takes else ""
    return flow(
        f"flow: small\nstart: A\n{takes_line}states:\n"
        f"  A:\n    title: A\n    data: {data}\n    layout:\n{lines}      {footer}\n"
        f"    when: {{submit: END}}\n{END}"
    )


def form(layout: str, **more: Any) -> Form:
    """Read the form of a screen with the components of some lines."""
    return form_of(one_screen(layout, **more).screens["A"])


def shop(*flows: Flow) -> Bundle:
    """Give La Tavola with other Flows."""
    return replace(bundle(), flows={made.id: made for made in flows})


class Visitor:
    """A customer in a Flow; what he has seen and what was noted goes from exchange to exchange.

    Args:
        of: the Flow; the shipped one of that name, if it is a name.
        changes: what is different about products.
        turn: makes the turn of each exchange.
    """

    def __init__(
        self,
        of: Flow | str,
        *,
        changes: Any = None,
        cart: Cart | None = None,
        language: str = "en",
        turn: Any = a_turn,
        **opened: Any,
    ) -> None:
        self.flow = bundle().flows[of] if isinstance(of, str) else of
        self.opened = opened
        self.changes = changes
        self.trail: tuple[str, ...] = ()
        self.variables: Data = {}
        self._turn: Turn
        self._make = turn
        self._cart, self._language = cart, language

    def ask(self, action: str, screen: str | None = None, **data: Any) -> Shown:
        """Ask for a screen; the answer is remembered as a session remembers it."""
        shown = self.look(action, screen, **data)
        if shown.failure is None and (shown.screen or shown.params is not None):
            self.trail, self.variables = shown.trail, shown.variables
        return shown

    def look(self, action: str, screen: str | None = None, **data: Any) -> Shown:
        """Ask for a screen, and remember nothing of it."""
        turn = self._make(
            changes=self.changes, cart=self._cart, language=self._language, **self.variables
        )
        asked = Asked(action, screen, data, self.opened, self.trail)
        shown: Shown = wait(SCREENS.show(self.flow, bundle(), turn, asked))
        return shown

    def open(self) -> Shown:
        """Open the Flow."""
        return self.ask("INIT")

    def submit(self, **data: Any) -> Shown:
        """Tap the button of the screen he is on."""
        return self.ask("data_exchange", self.trail[-1], **data)
