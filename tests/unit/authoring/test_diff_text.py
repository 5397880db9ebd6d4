"""A diff as it is printed: for a terminal, as Markdown for a pull request, as JSON."""

import orjson

from engine.authoring.diff.changes import (
    Diff,
    Example,
    MessageChange,
    ScreenChange,
    SettingChange,
    WayChange,
)
from engine.authoring.diff.text import (
    MOST_MARKDOWN,
    markdown_diff,
    marked_lines,
    plain_diff,
    summary,
    text_diff,
)
from engine.domain.ids import TenantId

CORNER, KIOSK, STALL, VAN = map(TenantId, ("corner", "kiosk", "stall", "van"))
NOWHERE: dict[TenantId, tuple[str, ...]] = {CORNER: ()}
BOTH = {CORNER: ("anywhere", "cart"), KIOSK: ("anywhere", "cart")}
EMPTY_CART = MessageChange(
    "cart_empty", "en",
    (Example(("Your cart is empty.", "[See the menu]"), ("Nothing yet.", "[See the menu]")),),
    BOTH,
)  # fmt: skip
FULL = Diff(
    compared=(CORNER, KIOSK),
    added={STALL: ("customer: Hi!", "bot: Hello")},
    removed={VAN: ("customer: Hi!", "bot: Bye")},
    messages=(
        EMPTY_CART,
        MessageChange("specials", "en", (Example(None, ("Lasagne",)),), {CORNER: ("anywhere",)}),
        MessageChange("old", "es", (Example(("Adiós",), None),), NOWHERE),
        MessageChange("problem", "en", (Example(("Sorry",), ("Oh",)),), {CORNER: ("anywhere",)},
                      is_written=True),
    ),
    ways=(
        WayChange("now", ("customer taps: Specials",), Example(None, ("bot: Lasagne",)),
                  {CORNER: ("menu",)}, "main_menu", ("customer: Hi!",)),
        WayChange("no longer", ("customer: thanks",),
                  Example(("bot: Welcome",), ("bot: Pardon?",)), BOTH),
        WayChange("otherwise", tuple(f"customer: {n}" for n in range(11)),
                  Example(("bot: a",), ("bot: b",)), {KIOSK: ("menu",)}),
    ),
    screens=(
        ScreenChange("checkout", "en", "PAYMENT", Example(("┌ Payment", "└"), ("┌ Pay", "└")),
                     (CORNER,)),
    ),
    settings=(SettingChange(CORNER, "delivery.fee", "3.50", None),),
    notes=("catalog.yaml differs in corner.",),
)  # fmt: skip


def test_markdown_of_everything(snapshot):
    assert markdown_diff(FULL, before="main", after="the files now") == snapshot


def test_text_of_everything(snapshot):
    assert "\n".join(text_diff(FULL)) == snapshot


def test_nothing_is_said_in_a_sentence():
    assert summary(Diff((CORNER,))) == "customers notice nothing"
    assert "customers notice nothing" in markdown_diff(Diff((CORNER,)), before="a", after="b")
    assert list(text_diff(Diff((CORNER,)))) == []


def test_what_stays_of_a_long_message_is_left_out():
    before = tuple(str(n) for n in range(30))
    after = (*before[:15], "new", *before[16:])
    assert list(marked_lines(Example(before, after))) == [
        "  …", "  12", "  13", "  14", "- 15", "+ new", "  16", "  17", "  18", "  …",
    ]  # fmt: skip


def test_no_text_can_end_its_block_or_its_code():
    hostile = Example(("```", "</details>"), ("````js",))
    change = MessageChange("a`b", "en", (hostile,), {CORNER: ("x\ny",)})
    shown = markdown_diff(Diff((CORNER,), messages=(change,)), before="`", after="b")
    fences = [line for line in shown.splitlines() if line.startswith("`````")]
    assert fences == ["`````diff", "`````"]
    assert "`` a`b ``" in shown
    assert "`x y`" in shown


def test_what_does_not_fit_into_a_comment_is_cut_between_parts():
    example = Example(("x" * 900,), ("y" * 900,))
    many = tuple(MessageChange(f"message_{n}", "en", (example,), NOWHERE) for n in range(60))
    shown = markdown_diff(Diff((CORNER,), messages=many), before="a", after="b")
    assert len(shown) < MOST_MARKDOWN + 200
    assert shown.rstrip().splitlines()[-1].endswith("run `comanda diff` to see them._")
    assert shown.count("```") % 2 == 0


def test_json_holds_everything():
    read = orjson.loads(orjson.dumps(plain_diff(FULL)))
    assert read["is_empty"] is False
    assert read["messages"][0]["places"] == {
        CORNER: ["anywhere", "cart"],
        KIOSK: ["anywhere", "cart"],
    }
    assert read["ways"][0]["kind"] == "now"
    assert plain_diff(Diff())["is_empty"] is True
