"""What a tenant declares is made at Meta and edited there, as far as Meta lets it be."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.errors import GraphRetryable, GraphTerminal
from engine.whatsapp.templates import Definition
from tests.unit.message_templates.scene import DAY, READY, TOKEN, WABA
from tests.unit.storage.builders import PIZZERIA

EDITED = replace(READY, body="Good news: your order {{1}} is ready now.", footer="Thank you")
HOUR = timedelta(hours=1)


def said(steps):
    return [(step.verb, step.status, step.is_well) for step in steps]


async def approved(office, *definitions):
    """Make templates that Meta has approved."""
    await office.sync(*definitions)
    for definition in definitions or (READY,):
        await office.decide("APPROVED", definition.name)


async def test_what_is_missing_is_made_and_not_made_again(office):
    (step,) = await office.sync(is_checking=True)
    assert (step.verb, step.is_well) == ("missing", False)
    assert await office.at_meta() == []
    assert said(await office.sync()) == [("created", "PENDING", True)]
    assert await office.status() == "PENDING"
    assert said(await office.sync()) == [("known", "PENDING", True)]
    await office.decide("APPROVED")
    assert said(await office.sync()) == [("known", "APPROVED", True)]
    assert len(await office.at_meta()) == 1


@pytest.mark.parametrize(
    ("status", "is_well"), [("REJECTED", False), ("PAUSED", False), ("DISABLED", False)]
)
async def test_what_meta_will_not_have_sent_is_told_and_noted(office, status, is_well):
    await approved(office)
    office.is_deaf = True
    await office.decide(status, reason="ABUSIVE_CONTENT")
    assert await office.status() == "APPROVED"
    (step,) = await office.sync()
    assert (step.verb, step.status, step.is_well) == ("known", status, is_well)
    assert step.reason == "ABUSIVE_CONTENT"
    assert await office.status() == status


async def test_another_text_is_edited_and_waits_for_approval(office):
    await approved(office)
    (step,) = await office.sync(EDITED, is_checking=True)
    assert (step.verb, step.status, step.is_well) == ("different", "APPROVED", False)
    assert step.reason == "Meta has another text: without --check it is edited"
    assert said(await office.sync(EDITED)) == [("edited", "PENDING", True)]
    assert await office.status() == "PENDING"
    (made,) = await office.at_meta()
    assert [part.get("text") for part in made["components"]] == [EDITED.body, "Thank you"]
    assert made["components"][0]["example"] == {"body_text": [["K7M2QX"]]}
    assert (made["name"], made["language"], made["category"]) == (
        "order_ready", "en_US", "UTILITY",
    )  # fmt: skip
    await office.decide("APPROVED")
    assert said(await office.sync(EDITED)) == [("known", "APPROVED", True)]


async def test_how_an_edited_one_stands_meta_is_asked(office):
    """An approved one may be approved at once."""
    await approved(office)
    edit = office.calls.edit

    async def edited(template_id, definition, *, category):
        await edit(template_id, definition, category=category)
        office.is_deaf = True
        await office.decide("APPROVED")

    calls = Calls(office, edit=edited)
    office.calls = calls
    assert said(await office.sync(EDITED)) == [("edited", "APPROVED", True)]
    assert await office.status() == "APPROVED"


async def test_an_edited_one_is_pending_while_meta_does_not_answer(office):
    await approved(office)
    answers = [await office.calls.templates(WABA)]

    async def templates(waba_id):
        if not answers:
            raise GraphRetryable("Meta did not answer")
        return answers.pop()

    office.calls = Calls(office, templates=templates)
    assert said(await office.sync(EDITED)) == [("edited", "PENDING", True)]
    assert await office.status() == "PENDING"


class Calls:
    """The calls, some of them otherwise."""

    def __init__(self, office, **others):
        real = type(office.calls) if not isinstance(office.calls, Calls) else None
        self._real = office.calls if real else office.calls._real
        self._others = others

    def __getattr__(self, name):
        return self._others.get(name) or getattr(self._real, name)


async def test_an_approved_one_is_edited_once_in_24_hours(office):
    await approved(office)
    await office.sync(EDITED)
    await office.decide("APPROVED")
    office.clock.move(23 * HOUR)
    (step,) = await office.sync(READY)
    assert (step.verb, step.status, step.is_well) == ("later", "APPROVED", False)
    assert step.reason == (
        "Meta lets an approved template be edited once in 24 hours and 10 times in 30 days: run "
        "it again after 2026-03-15 12:30 UTC"
    )
    office.clock.move(HOUR)
    assert said(await office.sync(READY)) == [("edited", "PENDING", True)]


async def test_an_approved_one_is_edited_ten_times_in_30_days(office):
    await approved(office)
    texts = [EDITED, READY] * 6
    for definition in texts[:10]:
        assert said(await office.sync(definition)) == [("edited", "PENDING", True)]
        await office.decide("APPROVED")
        office.clock.move(DAY)
    (step,) = await office.sync(texts[10])
    assert step.verb == "later"
    assert step.reason.endswith("run it again after 2026-04-13 12:30 UTC")
    office.clock.move(20 * DAY)
    assert said(await office.sync(texts[10])) == [("edited", "PENDING", True)]


@pytest.mark.parametrize("status", ["REJECTED", "PAUSED"])
async def test_a_rejected_or_paused_one_is_edited_at_once_and_gets_another_category(
    office, status
):
    await approved(office)
    await office.sync(EDITED)
    await office.decide(status)
    assert said(await office.sync(READY)) == [("edited", "PENDING", True)]
    await office.decide(status)
    # The text is the same: it may have been rejected for its category.
    marketing = replace(READY, category="marketing")
    assert said(await office.sync(marketing)) == [("edited", "PENDING", True)]
    (made,) = await office.at_meta()
    assert made["category"] == "MARKETING"


async def test_an_approved_one_keeps_its_category(office):
    await approved(office)
    marketing = replace(READY, category="marketing")
    assert said(await office.sync(marketing)) == [("known", "APPROVED", True)]
    again = replace(EDITED, category="marketing")
    assert said(await office.sync(again)) == [("edited", "PENDING", True)]
    (made,) = await office.at_meta()
    assert made["category"] == "UTILITY"


async def test_one_that_meta_looks_at_is_edited_later(office):
    await office.sync()
    (step,) = await office.sync(EDITED)
    assert (step.verb, step.status, step.is_well) == ("later", "PENDING", False)
    assert (
        step.reason == "Meta still looks at its text of before: run it again when it has decided"
    )


async def test_a_disabled_one_is_not_edited(office):
    await approved(office)
    await office.decide("DISABLED")
    (step,) = await office.sync(EDITED)
    assert (step.verb, step.is_well) == ("different", False)
    assert step.reason == (
        "Meta lets nobody edit a template that is disabled: give the declared one another 'name'"
    )


async def test_what_somebody_else_made_is_left_to_him(office):
    """Two tenants may share an account: each would edit the other's."""
    await office.calls.create(WABA, READY)
    await office.decide("APPROVED")
    (step,) = await office.sync(EDITED)
    assert (step.verb, step.status, step.is_well) == ("different", "APPROVED", False)
    assert step.reason.startswith("Meta has another text, which somebody else made")
    (made,) = await office.at_meta()
    assert made["components"][0]["text"] == READY.body


async def test_what_meta_refuses_is_one_sentence_and_the_others_go_on(office):
    other = replace(READY, name="order_late")
    await approved(office, other, READY)
    # Somebody has edited it by hand meanwhile, which we do not know of.
    first = (await office.at_meta())[0]["id"]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    body = {"components": EDITED.to_wire()["components"]}
    answer = await office.meta.post(f"/v26.0/{first}", json=body, headers=headers)
    assert answer.json() == {"success": True}
    await office.decide("APPROVED", "order_late")
    wanted = [replace(each, body="Look: your order {{1}} is here now.") for each in (other, READY)]
    steps = await office.sync(*wanted)
    assert said(steps) == [("refused", "APPROVED", False), ("edited", "PENDING", True)]
    assert steps[0].reason == (
        "Meta did not take the edit: (#100) Invalid parameter An approved template can be edited "
        "once in a 24 hour window"
    )
    # It was not edited: it may go out as it is.
    assert await office.status("order_late") == "APPROVED"


@pytest.mark.parametrize(
    ("error", "verb"),
    [(GraphTerminal("no", code=100), "refused"), (GraphRetryable("later", code=4), "later")],
)
async def test_what_is_not_taken_is_told(office, error, verb):
    async def failing(*_, **__):
        raise error

    office.calls = Calls(office, create=failing)
    assert [step.verb for step in await office.sync()] == [verb]
    office.calls = Calls(office)
    await approved(office)
    office.calls = Calls(office, edit=failing)
    (step,) = await office.sync(EDITED)
    assert (step.verb, step.status) == (verb, "APPROVED")


async def test_no_more_are_made_in_an_hour_than_meta_takes(office):
    many = [
        Definition(f"news_{n}", "en_US", "utility", "There is news for you.") for n in range(101)
    ]
    steps = await office.sync(*many)
    assert [step.verb for step in steps] == ["created"] * 100 + ["later"]
    assert steps[-1].reason == "Meta takes 100 in an hour: run it again in an hour"
    office.clock.move(HOUR + timedelta(minutes=1))
    steps = await office.sync(*many)
    assert [step.verb for step in steps] == ["known"] * 100 + ["created"]
    assert len(await office.known.all(PIZZERIA)) == 101
