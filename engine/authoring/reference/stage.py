"""Examples of branches and messages, played: each by itself, with one made-up customer.

All of a kind are laid over the storefront at once, as events of their own. What an example should
do is not known here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from textwrap import indent
from typing import Any

from engine.authoring.reference.shown import TENANT, Shop
from engine.rehearsal.acts import Act, says
from engine.rehearsal.menu import MenuCatalog
from engine.rehearsal.moment import Moment
from engine.rehearsal.rehearsal import Rehearsal, Scene
from engine.rendering.fitting import Context
from engine.spec.message import Message
from engine.spec.problems import Problems, SpecError
from engine.templating.language import Language
from engine.whatsapp.content import Raised

OPEN = datetime(2030, 6, 14, 18, 30, tzinfo=UTC)
"""A Friday afternoon in New York, when the shop is open."""
CHART = "conversations/storefront.yaml"
MESSAGES = "messages/storefront.yaml"


def event_of(name: str, *, word: str = "example") -> str:
    """Name the event under which an example is laid over the storefront."""
    return f"{word}_{name.replace('.', '_')}"


def block(name: str, text: str) -> str:
    """Write a part under its key."""
    return f"{name}:\n{indent(text.rstrip(), '  ')}\n"


@dataclass(slots=True)
class Stage:
    """A customer who has just said hello, in the shop with examples laid over it.

    Args:
        contexts: what the texts of each message read that was said, by its id.
    """

    rehearsal: Rehearsal
    language: Language
    moment: Moment
    contexts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    async def of(
        cls, shop: Shop, branches: Iterable[str], messages: Mapping[str, str] | None = None
    ) -> "Stage":
        """Lay examples over the storefront.

        Args:
            branches: entries of `anywhere`, each an event with what it does.
            messages: by id.

        Raises:
            SpecError: an example is wrong; the message names its line.
        """
        chart = "extends: storefront\n" + block("anywhere", "".join(branches))
        texts = "".join(block(name, text) for name, text in (messages or {}).items())
        shop.put({CHART: chart} | ({MESSAGES: block("messages", texts)} if texts else {}))
        problems = Problems()
        bundle = shop.library.check(TENANT, problems)
        menu = shop.library.menu(TENANT, problems)
        if bundle is None or menu is None or problems.errors:
            raise SpecError(problems.errors)
        contexts: dict[str, dict[str, Any]] = {}

        def heard(message: Message, context: Context) -> None:
            contexts[message.id] = dict(context)

        rehearsal = Rehearsal(
            bundle, MenuCatalog.of(menu), has_flows=True, has_native=True, heard=heard
        )
        first = await rehearsal.play(Moment(OPEN), says("hello"))
        return cls(rehearsal, shop.library.language, first.after, contexts)

    async def play(
        self, event: str, data: Mapping[str, Any] | None = None, *, given: str | None = None
    ) -> Scene:
        """Raise an event, after another one if there is something to be done before it."""
        moment = self.moment
        if given is not None:
            moment = (await self.rehearsal.play(moment, _raises(given, {}))).after
        return await self.rehearsal.play(moment, _raises(event, data or {}))

    def text(self, source: str) -> str:
        """Render a text as the storefront's first message would."""
        return self.language.text(source, "example:1:1").render(self.contexts["main_menu"])

    def holds(self, source: str) -> bool:
        """Tell whether an expression is true in the storefront's first message."""
        found = self.language.expression(source, "example:1:1")
        return found.holds(self.contexts["main_menu"])


def _raises(event: str, data: Mapping[str, Any]) -> Act:
    return Act(f"({event})", Raised(event, dict(data)))
