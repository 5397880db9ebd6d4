"""What a customer types, as the event it means."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.phrases import MAX_TEXT, Meaning, PhraseBook, closest, normalise

BOOK = PhraseBook(
    {
        "browse": ("menu", "show me the menu", "what do you have?", "qué hay"),
        "view_cart": ("cart", "my cart", "ver mi carrito"),
        "checkout": ("checkout", "pay"),
        "add": ("add {product} to my cart", "add {product}", "i want {product}"),
        "status": ("status of order {number}",),
        "yes": ("ok", "sí", "y"),
    }
)


@pytest.mark.parametrize(
    ("typed", "event"),
    [
        ("menu", "browse"),
        ("MENU", "browse"),
        ("  Menu!! ", "browse"),
        ("¿Qué hay?", "browse"),
        ("que hay", "browse"),
        ("QUÉ  HAY 🍕", "browse"),
        ("show\tme the\nmenu", "browse"),
        ("what do you have", "browse"),
        ("Ｍｅｎｕ", "browse"),  # full-width letters
        ("si", "yes"),
        ("Sí", "yes"),
        ("ok 👍", "yes"),
        ("my_cart", "view_cart"),
    ],
)
def test_case_accents_punctuation_and_emoji_do_not_matter(typed, event):
    assert BOOK.exact(typed) == Meaning(event)


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [
        ("add margherita", Meaning("add", "margherita")),
        ("Add a Margherita!", Meaning("add", "a margherita")),
        ("add margherita to my cart", Meaning("add", "margherita")),
        ("i want 2 margheritas", Meaning("add", "margheritas", 2)),
        ("add 3x coke", Meaning("add", "coke", 3)),
        ("add 3 x coke", Meaning("add", "coke", 3)),
        ("add 12 of the day's soup", Meaning("add", "the day s soup", 12)),
        ("add 2 de jamón", Meaning("add", "jamon", 2)),
        ("add 2 decaf coffees", Meaning("add", "decaf coffees", 2)),
        ("add 7up", Meaning("add", "7up")),
        ("add 1000 cokes", Meaning("add", "1000 cokes")),
        ("status of order #K7M2QX", Meaning("status", "k7m2qx")),
    ],
)
def test_a_phrase_with_a_slot_gives_what_stands_in_it(typed, meaning):
    assert BOOK.exact(typed) == meaning


@pytest.mark.parametrize("typed", ["add", "i want", "", "🍕", "!!", "men", "the menu please", "x"])
def test_another_text_is_not_the_very_phrase(typed):
    assert BOOK.exact(typed) is None


@pytest.mark.parametrize(
    ("typed", "event"),
    [("chekout", "checkout"), ("checkuot", "checkout"), ("show me teh menu", "browse"),
     ("ver mi carito", "view_cart"), ("mi cart", "view_cart")],
)  # fmt: skip
def test_a_typing_mistake_is_forgiven_in_a_longer_phrase(typed, event):
    assert BOOK.fuzzy(typed) == Meaning(event, certainty="fuzzy")


@pytest.mark.parametrize("typed", ["manu", "card", "pey", "oka", "", "🍕", "chicken", "y"])
def test_no_typing_mistake_is_guessed_in_a_short_word(typed):
    assert BOOK.fuzzy(typed) is None


@pytest.mark.parametrize(
    ("typed", "event"),
    [
        ("please show me the menu again", "browse"),
        ("can I pay now?", "checkout"),
        ("is there a menu?", "browse"),
        ("hm, ver mi carrito por favor", "view_cart"),
        ("the cart and then checkout", "checkout"),  # the longest phrase counts
    ],
)
def test_a_phrase_is_found_inside_a_text(typed, event):
    assert BOOK.contained(typed) == Meaning(event, certainty="contained")


@pytest.mark.parametrize("typed", ["menus", "cartoon", "payment", "ok then", "you"])
def test_only_whole_words_are_found_inside_and_no_very_short_ones(typed):
    assert BOOK.contained(typed) is None


def test_the_first_event_that_claims_a_phrase_has_it():
    assert PhraseBook({"a": ("hi",), "b": ("HI!", "hey")}).exact("hi") == Meaning("a")


@pytest.mark.parametrize("phrases", [{}, {"a": ()}, {"a": ("", "!!", "🍕")}, {"a": ("{x}",)}])
def test_a_book_may_have_nothing_in_it(phrases):
    book = PhraseBook(phrases)
    assert book.fuzzy("hello there") is None
    assert book.contained("hello there") is None
    assert book.exact("") is None


def test_a_long_text_means_no_command():
    assert BOOK.exact("menu" + " " * MAX_TEXT + "x") == Meaning("browse")
    assert BOOK.exact("add " + "x" * 500) == Meaning("add", "x" * (MAX_TEXT - 4))
    assert BOOK.contained("x " * MAX_TEXT + "menu") is None


@pytest.mark.parametrize(
    ("written", "reduced"),
    [("Ñandú", "nandu"), ("ﬁsh", "fish"), ("  a  b ", "a b"), ("O'Brien-Smith", "o brien smith"),
     ("½", "1 2"), ("Straße", "strasse"), ("क्षि", "कषि"), ("日本", "日本"), ("👍🏽", ""),
     ("_", "")],
)  # fmt: skip
def test_a_text_is_reduced_to_its_words(written, reduced):
    assert normalise(written) == reduced


# Names of products ---------------------------------------------------------------------------

NAMES = {
    "marg": "Margherita",
    "pepp": "Pepperoni Classic",
    "four": "Four Cheese Pizza",
    "cola": "Coca-Cola",
    "cola0": "Coca-Cola Zero",
    "lomo": "Lomo saltado",
    "aji": "Ají de gallina",
    "soup": "Soup of the day",
    "emoji": "🍕🍕",
}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Margherita", ["marg"]),
        ("margarita", ["marg"]),
        ("margherita pizza", ["marg"]),
        ("margheritas", ["marg"]),
        ("peperoni", ["pepp"]),
        ("pepperoni clasic", ["pepp"]),
        ("cheese", ["four"]),
        ("cola coca", ["cola", "cola0"]),
        ("coca cola", ["cola"]),
        ("AJI DE GALLINA", ["aji"]),
        ("lomo saltdo", ["lomo"]),
        ("a lomo saltado please", ["lomo"]),
        ("of the", ["soup"]),
        ("sushi", []),
        ("", []),
        ("🍕", []),
        ("x" * 1000, []),
    ],
)
def test_a_product_is_found_by_what_is_typed(typed, found):
    assert closest(typed, NAMES) == found


def test_a_name_without_a_word_is_never_meant():
    assert closest("anything at all", {"emoji": "🍕", "dash": "--", "blank": " "}) == []


def test_all_of_one_name_are_found_and_no_more_than_wanted():
    names = {str(n): "Soup" for n in range(20)}
    assert closest("soup", names) == [str(n) for n in range(10)]
    assert closest("soup", names, limit=3) == ["0", "1", "2"]


texts = st.one_of(
    st.text(max_size=40),
    st.text(st.characters(categories=("Cs", "Mn", "So", "Cc", "Zs", "Lo")), max_size=20),
    st.lists(
        st.sampled_from(
            ["add", "2x", "menu", "{", "}", "{x}", "🍕", "é", "\u0301", "\ud83d", "\0"]
        )
    ).map(" ".join),
)


@settings(max_examples=150, deadline=None)
@given(texts)
def test_any_text_has_a_meaning_or_none(typed):
    exact = BOOK.exact(typed)
    for meaning in (exact, BOOK.fuzzy(typed), BOOK.contained(typed)):
        assert meaning is None or meaning.event in {
            "browse", "view_cart", "checkout", "add", "status", "yes",
        }  # fmt: skip
    if exact and exact.quantity is not None:
        assert 0 <= exact.quantity <= 999


@settings(max_examples=150, deadline=None)
@given(typed=texts, names=st.dictionaries(st.text(max_size=3), texts, max_size=6))
def test_any_names_can_be_searched(typed, names):
    found = closest(typed, names)
    assert set(found) <= set(names)
    assert len(found) == len(set(found))


@settings(max_examples=100, deadline=None)
@given(phrase=texts)
def test_any_phrase_can_be_in_a_book_and_is_found_again(phrase):
    book = PhraseBook({"it": (phrase,)})
    if "{" not in phrase and normalise(phrase[:MAX_TEXT]):
        assert book.exact(phrase) == Meaning("it")


@settings(max_examples=100, deadline=None)
@given(name=st.text(max_size=40))
def test_a_name_that_is_typed_as_it_stands_is_found(name):
    if normalise(name):
        assert closest(name, {"it": name, "other": "Margherita " + name}) == ["it"]
