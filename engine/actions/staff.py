"""Actions of a hand-off: a person is called, and the conversation comes back to the bot."""

from datetime import datetime, timedelta
from typing import Any, Final

from engine.box_ports import Timer
from engine.charts.timers import HANDED_BACK
from engine.domain.refusals import Reason, Refusal
from engine.registry import Registry
from engine.rendering.views import order_view
from engine.staff_ports import Notice
from engine.turn import Turn

registry = Registry()
NOTIFIED: Final = "staff_notified"
"""The variable that tells when the staff was told of a customer last."""
AGAIN: Final = timedelta(minutes=10)
"""How soon the staff is told of the same customer again."""
LONGEST_WORDS: Final = 160
"""Characters of each of his messages that are shown."""
LONGEST_NAME: Final = 60


@registry.action("staff.notify", gives=("handoff", NOTIFIED))
async def notify(turn: Turn, *, message: str) -> None:
    """Tell the tenant's staff who wants a person, with a message in its first language.

    The message reads `handoff`: `id` (for its button `give_back`), `name` and `phone` of the
    customer, `words` (what he wrote last, each with `kind` and `text`), `state`, and his last
    `order` if there is one. Nobody is told again within ten minutes, nor if `tenant.yaml` has no
    `staff.phone`.
    """
    if turn.staff is None or _is_recent(turn):
        return
    line = await turn.staff.line()
    if line is None or line.phone == turn.conversation.phone:
        return
    talk, language = turn.conversation, turn.tenant.languages[0]
    order = await turn.orders.get_latest(talk.customer)
    words = await turn.staff.last_words()
    handoff = turn.ids.token()
    shown: dict[str, Any] = {
        "id": handoff,
        "name": _line(talk.name, LONGEST_NAME),
        "phone": f"+{talk.phone}" if talk.phone else None,
        "words": [{"kind": w.kind, "text": _line(w.text, LONGEST_WORDS)} for w in words],
        "state": talk.position.leaf if talk.position else None,
        "order": order_view(order, turn.tenant, language) if order else None,
    }
    turn.notices.append(Notice(message, handoff, line, {"handoff": shown}))
    turn.variables[NOTIFIED] = turn.now.isoformat()


@registry.action("staff.wait")
async def wait(turn: Turn) -> None:
    """Raise `handed_back` after the time of silence that `staff.after` in `tenant.yaml` says.

    It belongs to the state that is entered: who leaves it or enters it again is given the whole
    time anew.
    """
    talk = turn.conversation
    entry = talk.entry
    turn.timers.append(
        Timer(
            id=f"{talk.tenant}:{talk.customer}:{entry}:{HANDED_BACK}",
            tenant=talk.tenant,
            customer=talk.customer,
            event=HANDED_BACK,
            entry=entry,
            due=turn.now + turn.tenant.staff.silence,
            phone_number_id=talk.phone_number_id,
        )
    )


@registry.action("staff.give_back")
async def give_back(turn: Turn, *, handoff: str) -> Refusal | None:
    """Let the bot answer the customer of a hand-off again; only the tenant's staff may say so."""
    is_staff = turn.tenant.staff.has(turn.conversation.phone)
    if turn.staff is None or not is_staff or not await turn.staff.is_known(handoff):
        return Refusal(Reason.UNKNOWN_HANDOFF)
    turn.given_back.append(handoff)
    return None


def _is_recent(turn: Turn) -> bool:
    told = turn.variables.get(NOTIFIED)
    return isinstance(told, str) and turn.now - datetime.fromisoformat(told) < AGAIN


def _line(text: str | None, longest: int) -> str:
    said = " ".join((text or "").split())
    return said if len(said) <= longest else f"{said[: longest - 1]}…"
