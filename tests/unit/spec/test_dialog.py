"""Scripted conversations: a step is one thing."""

from datetime import datetime

import pytest
from pydantic import ValidationError

from engine.spec.dialog import Dialog, Step
from engine.spec.problems import Problems, SpecError
from tests.unit.spec.content import SHOP, lay, library


def test_a_step_is_one_thing():
    assert Step(say="hello").say == "hello"
    for keys in ({}, {"say": "a", "tap": "b"}, {"wait": "soon"}, {"sing": "a"}):
        with pytest.raises(ValidationError):
            Step.model_validate(keys)


def test_a_native_cart_has_items_that_can_be_ordered():
    order = Step.model_validate(
        {"order": {"items": [{"item": "prod:a|pres:b", "price": 2.5, "currency": "PEN"}]}}
    ).order
    assert order is not None
    assert (order.items[0].quantity, order.note) == (1, "")
    for item in ({}, {"item": "a"}, {"item": "a", "price": -1}, {"item": "a", "price": "x"},
                 {"item": "a", "price": 1, "quantity": 0},
                 {"item": "a", "price": 1, "currency": "soles"}):  # fmt: skip
        with pytest.raises(ValidationError):
            Step.model_validate({"order": {"items": [item]}})
    with pytest.raises(ValidationError):
        Step.model_validate({"order": {"items": []}})


def test_a_dialog_has_steps():
    with pytest.raises(ValidationError):
        Dialog.model_validate({"about": "nothing", "steps": []})


def test_a_dialog_is_read_from_its_file(tmp_path):
    text = "about: Hello.\nat: 2030-06-14T08:00:00\nsteps:\n  - say: hi\n  - {wait: 25h}\n"
    root = lay(tmp_path / "content", SHOP, files={"tenants/corner/dialogs/a.yaml": text})
    dialog = library(root).dialog(root / "tenants/corner/dialogs/a.yaml")
    assert [step.model_fields_set for step in dialog.steps] == [{"say"}, {"wait"}]
    assert dialog.at == datetime(2030, 6, 14, 8)  # noqa: DTZ001 - in the tenant's time zone


def test_a_dialog_outside_the_content_is_named_by_its_whole_path(tmp_path):
    path = tmp_path / "elsewhere.yaml"
    path.write_text("about: Hello.\nsteps:\n  - {say: hi, tap: hi}\n")
    with pytest.raises(SpecError, match=f"{path}:3:5: wrong-value: a step has exactly one key"):
        library(lay(tmp_path / "content", SHOP)).dialog(path)
    problems = Problems()
    with pytest.raises(SpecError):
        library(tmp_path / "content").dialog(path, problems)
    assert len(problems.errors) == 1


@pytest.mark.parametrize(
    "step",
    [{"say": None}, {"tap": None}, {"expect": {}}, {"change": {"product": "a"}}, {"order": None}],
    ids=str,
)
def test_a_step_says_something(step):
    with pytest.raises(ValidationError):
        Step.model_validate(step)


@pytest.mark.parametrize(
    ("at", "said"),
    [("2030-06-14T08:00:00Z", "leave the offset out"), ("0001-01-01T00:00:00", "between"),
     ("9999-12-31T23:59:59", "between"), ("Friday", "datetime")],
)  # fmt: skip
def test_a_dialog_begins_at_a_time_of_the_tenant(at, said):
    with pytest.raises(ValidationError, match=said):
        Dialog.model_validate({"about": "a", "at": at, "steps": [{"say": "hi"}]})


def test_a_step_is_named_as_an_author_would():
    assert str(Step(tap="Checkout")) == "tap: Checkout"
    assert str(Step.model_validate({"expect": {"cart": 1}})) == "expect"
    assert Step(wait="2h").kind == "wait"
