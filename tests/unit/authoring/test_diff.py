"""What an edit changes for customers: states do not matter, what is read and tapped does."""

import pytest

from tests.unit.authoring.edits import (
    CHART,
    ENGLISH,
    LUCHA,
    SHAPES,
    SPANISH,
    TAVOLA,
    diffed,
    edited,
    only,
)

OWN = "tenants/dona-lucha/conversations/storefront.yaml"
RENAMED = (
    (CHART, "      payment:\n", "      paying:\n"),
    (CHART, "go: payment", "go: paying"),
    (CHART, "back: payment", "back: paying"),
)


def message(found, name, language="en"):
    held = [c for c in found.messages if (c.message, c.language) == (name, language)]
    assert held, [(c.message, c.language) for c in found.messages]
    return held[0]


def way(found, kind, act):
    held = [c for c in found.ways if c.kind == kind and act in c.acts]
    assert held, [(c.kind, c.acts, c.offered_in) for c in found.ways]
    return held[0]


# Nothing that a customer notices ---------------------------------------------------------------


def test_nothing_edited_is_no_difference():
    found = only(edited())
    assert found.is_empty
    assert found.compared == (LUCHA, TAVOLA)


@pytest.mark.parametrize("hint", ["", "renamed: {payment: paying}\n"])
def test_a_renamed_state_is_no_difference(hint):
    texts = edited(*RENAMED, (CHART, "start: menu\n", f"start: menu\n{hint}"))
    found = only(texts)
    assert found.is_empty, found


def test_a_renamed_message_and_a_renamed_event_are_no_difference():
    everywhere = [ENGLISH, SPANISH, SHAPES, CHART]
    found = only(
        edited(
            *((name, "edit_cart", "alter_cart") for name in everywhere),
            *((name, "cart_cleared", "emptied") for name in (ENGLISH, SPANISH, CHART)),
        ),
        TAVOLA,
    )
    assert found.is_empty, found


# Messages --------------------------------------------------------------------------------------

LUCHAS_OWN = "tenants/dona-lucha/messages/storefront.es.yaml"


@pytest.fixture(scope="module")
def reworded():
    return only(
        edited(
            (ENGLISH, "🛒 Your cart is empty. Add", "🧺 There is nothing yet. Add"),
            (ENGLISH, "That is too short for an address.", "Too short."),
            (ENGLISH, "❌ Sold out right now", "❌ Not today"),
            (ENGLISH, "💰 ", "Price: "),
            (ENGLISH, "  moved: ", "  moved: Oh! "),
            (ENGLISH, "choose_payment: ", "choose_payment: Hey! "),
            (ENGLISH, "address_help: ", "address_help: Hint! "),
            (SPANISH, "Elige una categoría", "Escoge una categoría"),
            (LUCHAS_OWN, "¿Qué se te antoja hoy?", "¿Qué te provoca hoy?"),
        )
    )


def test_edited_texts_are_messages_and_nothing_else(reworded):
    assert {(c.message, c.language) for c in reworded.messages} == {
        ("cart_empty", "en"), ("address_too_short", "en"), ("product", "en"), ("moved", "en"),
        ("terms.flow.choose_payment", "en"), ("categories", "es"), ("main_menu", "es"),
    }  # fmt: skip
    assert not reworded.ways


def test_a_shared_text_lists_every_tenant_and_place_it_touches(reworded):
    change = message(reworded, "cart_empty")
    assert change.places == {LUCHA: ("anywhere",), TAVOLA: ("anywhere",)}
    assert not change.is_written
    (example, *_) = change.examples
    assert example.before[0] == "🛒 Your cart is empty. Add something first."
    assert example.after[0] == "🧺 There is nothing yet. Add something first."
    assert message(reworded, "address_too_short").places == {
        LUCHA: ("address",),
        TAVOLA: ("address",),
    }


def test_a_text_in_the_language_that_is_not_the_first_is_found(reworded):
    change = message(reworded, "categories", "es")
    assert not change.is_written
    assert tuple(change.places) == (LUCHA, TAVOLA)
    assert any("Elige una" in line for line in change.examples[0].before)
    assert any("Escoge una" in line for line in change.examples[0].after)


def test_a_tenants_own_text_touches_only_him(reworded):
    assert tuple(message(reworded, "main_menu", "es").places) == (LUCHA,)


def test_a_text_of_many_products_is_told_in_few_examples(reworded):
    assert 1 <= len(message(reworded, "product").examples) <= 3


def test_a_text_that_nobody_was_told_is_shown_as_it_is_written(reworded):
    change = message(reworded, "moved")
    assert change.is_written
    assert change.places == {LUCHA: ("anywhere",), TAVOLA: ("anywhere",)}
    assert change.examples[0].after[0].startswith("Oh! ")


def test_a_word_that_only_flows_use_is_told_when_no_screen_shows_it(reworded):
    change = message(reworded, "terms.flow.choose_payment")
    assert change.is_written
    assert change.examples[0].after[0].startswith("Hey! ")


def test_a_label_of_a_flow_shows_on_its_screen_in_every_tenant(reworded):
    assert [(c.flow, c.language, c.screen) for c in reworded.screens] == [
        ("checkout", "en", "ADDRESS")
    ]
    change = reworded.screens[0]
    assert change.tenants == (LUCHA, TAVOLA)
    assert any("Hint! " in line for line in change.look.after)
    assert not any("Hint! " in line for line in change.look.before)


# Ways ------------------------------------------------------------------------------------------

SPECIALS = (
    (CHART, "  help: help\n", "  help: help\n  specials: {say: specials, go: menu}\n"),
    (SHAPES, "cart.count == 0}\n      help: {}\n",
     "cart.count == 0}\n      help: {}\n      specials: {}\n"),
    (ENGLISH, "My last order\n      help: Help\n",
     "My last order\n      help: Help\n      specials: Daily specials\n"),
    (SPANISH, "pedido\n      help: Ayuda\n",
     "pedido\n      help: Ayuda\n      specials: Ofertas\n"),
    (ENGLISH, "messages:\n", "messages:\n  specials: Lasagne for two, today only.\n"),
    (SPANISH, "messages:\n", "messages:\n  specials: Lasaña para dos, solo hoy.\n"),
)  # fmt: skip


@pytest.fixture(scope="module")
def rerouted():
    return only(
        edited(
            *SPECIALS,
            (CHART, "  thank_you: {say: you_are_welcome}\n", ""),
            (CHART, "edit_cart: {if: cart.count > 0, ", "edit_cart: {if: cart.count > 900, "),
            (ENGLISH, "  help: [", "  help: [mayday mayday, "),
            (OWN, "2h: ", "3h: "),
        )
    )


def test_a_new_button_is_something_customers_can_do_now(rerouted):
    now = way(rerouted, "now", "customer taps: Daily specials")
    assert now.offered_in == "main_menu"
    assert now.answer.before is None
    assert "bot: Lasagne for two, today only." in now.answer.after
    assert message(rerouted, "specials").examples[0].before is None
    spanish = message(rerouted, "specials", "es")
    assert spanish.examples[0].after == ("Lasaña para dos, solo hoy.",)


def test_a_button_that_is_gone_is_something_they_can_do_no_longer():
    found = only(edited(), TAVOLA, before=edited(*SPECIALS))
    gone = way(found, "no longer", "customer taps: Daily specials")
    assert gone.answer.after is None
    assert message(found, "specials").examples[0].after is None


def test_a_deleted_reaction_is_told_with_what_is_answered_instead(rerouted):
    gone = way(rerouted, "no longer", "customer: thanks")
    assert gone.acts == ("customer: gracias", "customer: thanks")
    assert gone.answer.before == ("bot: ¡De nada! 😊",)
    assert gone.answer.after[0] == 'bot: No encontré nada parecido a "gracias" en nuestro menú.'
    assert {"menu", "cart", "products"} <= set(gone.places[TAVOLA]) & set(gone.places[LUCHA])


def test_a_new_phrase_is_something_customers_can_do_now(rerouted):
    now = way(rerouted, "now", "customer: mayday mayday")
    assert any("bot: " in line for line in now.answer.after)


def test_a_reminder_that_comes_later_is_told(rerouted):
    gone = way(rerouted, "no longer", "(2h without a word)")
    assert gone.answer.after == ()
    assert set(gone.places[LUCHA]) == {"added", "cart"}
    assert way(rerouted, "now", "(3h without a word)").places == gone.places


def test_a_guard_that_never_holds_takes_a_way_away(rerouted):
    assert way(rerouted, "no longer", "customer taps: Change cart").places[TAVOLA]


def test_one_edit_makes_no_noise_elsewhere(rerouted):
    """What has parted once is not told again and again, nor in messages nobody has edited."""
    assert {c.message for c in rerouted.messages} == {"specials", "main_menu"}
    assert len(rerouted.ways) < 30


def test_an_act_that_leads_elsewhere_is_told_once_with_its_states():
    found = only(edited((CHART, "  greet: menu\n", "  greet: categories\n")), TAVOLA)
    changed = [c for c in found.ways if c.kind == "otherwise" and "customer: hi" in c.acts]
    assert changed
    assert any("Here's our menu" in line for c in changed for line in c.answer.after)
    assert sum(len(c.places[TAVOLA]) for c in changed) > 5


# Settings, catalogues, tenants -------------------------------------------------------------------


def test_a_fee_shows_as_a_setting_and_in_the_messages():
    name = f"tenants/{TAVOLA}/tenant.yaml"
    found = only(edited((name, "fee: 3.50", "fee: 4.25")))
    assert [(s.tenant, s.setting, s.before, s.after) for s in found.settings] == [
        (TAVOLA, "delivery.fee", "3.5", "4.25")
    ]
    lines = [line for e in message(found, "summary").examples for line in e.after]
    assert "Delivery: $4.25" in lines
    assert {tenant for c in found.messages for tenant in c.places} == {TAVOLA}


def test_hours_show_as_settings_and_in_what_is_refused():
    name = f"tenants/{TAVOLA}/tenant.yaml"
    found = only(edited((name, '"11:30-01:00"', '"20:00-21:00"')), TAVOLA)
    assert [s.setting for s in found.settings] == ["hours.friday"]
    refused = [c for c in found.ways if c.kind in ("otherwise", "no longer")]
    assert any("closed" in line.lower() for c in refused for line in c.answer.after or ())


def test_prices_do_not_show_unless_each_side_has_its_own_catalogue():
    texts = edited((f"tenants/{TAVOLA}/catalog.yaml", "price: 12.00", "price: 13.75"))
    plain = only(texts, TAVOLA)
    assert plain.is_empty
    assert "--with-catalog" in plain.notes[0]
    own = only(texts, TAVOLA, has_own_catalog=True)
    assert "--with-catalog" not in own.notes[0]
    assert any("$13.75" in line for c in own.messages for e in c.examples for line in e.after)


def test_added_and_removed_tenants_are_told():
    texts = edited()
    new = {
        name.replace(TAVOLA, "trattoria"): text.replace("La Tavola", "Trattoria")
        for name, text in texts.items()
        if f"tenants/{TAVOLA}/" in name
    }
    found = only(texts | new)
    assert tuple(found.added) == ("trattoria",)
    assert "bot: Welcome to *Trattoria*! 👋" in found.added["trattoria"]
    assert not found.messages
    gone = only(edited(without=[f"tenants/{LUCHA}/"]))
    assert tuple(gone.removed) == (LUCHA,)
    assert gone.compared == (TAVOLA,)


def test_a_tenant_with_an_error_is_not_compared_and_its_side_is_told():
    found, problems = diffed(edited((OWN, "say: daily_menu", "say: dayly_menu")))
    assert found.compared == (TAVOLA,)
    assert list(problems) == ["after"]
    assert {problem.code for problem in problems["after"]} >= {"unknown-message"}


# Flows -------------------------------------------------------------------------------------------


def test_a_component_that_goes_and_a_screen_with_another_name():
    name = "flows/checkout.yaml"
    notes = """      notes:
        type: TextArea
        label: "{{ terms.flow.notes }}"
        helper-text: "{{ terms.flow.notes_help }}"
        max-length: 300
        required: false
"""
    calls = ', {checkout.notes: {text: "{{ event.notes }}"}}'
    param = "      notes: \"{{ notes or '' }}\"\n"
    found = only(edited((name, notes, ""), (name, calls, ""), (name, param, "")), TAVOLA)
    screens = {(c.screen, c.language) for c in found.screens}
    assert screens == {("PAYMENT", "en"), ("PAYMENT", "es")}
    assert only(edited((name, "ADDRESS", "STREET")), TAVOLA).is_empty
