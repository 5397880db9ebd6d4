from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pydantic import ValidationError

from engine.domain.tenant import Tenant, in_language


def tenant(**more):
    return Tenant.model_validate(
        {
            "name": "Shop",
            "languages": ["en"],
            "country": "US",
            "currency": "USD",
            "time_zone": "America/New_York",
            "phone_number_ids": ["1"],
            "delivery": {"fee": 3.5, "free_from": 45, "minimum_order": 12},
            "payment_methods": {"cash": {"name": "Cash", "kind": "cash"}},
        }
        | more
    )


def at(day, hour, minute=0):
    """A time in New York in June (UTC-4) 2030; the 14th is a Friday."""
    return datetime(2030, 6, day, hour, minute, tzinfo=tenant().zone).astimezone(UTC)


HOURS = {"friday": ["12:00-15:00", "18:00-01:30"], "saturday": ["00:00-24:00"]}


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        (at(14, 11, 59), False),
        (at(14, 12), True),
        (at(14, 14, 59), True),
        (at(14, 15), False),
        (at(14, 23, 59), True),
        (at(15, 1, 29), True),
        (at(15, 23, 59), True),
        (at(16, 0), False),
        (at(13, 13), False),
    ],
)
def test_opening_hours_have_gaps_and_run_past_midnight(when, is_open):
    assert tenant(hours=HOURS).is_open(when) is is_open


def test_the_night_before_counts_only_until_its_end():
    shop = tenant(hours={"friday": ["18:00-01:30"]})
    assert shop.is_open(at(15, 1, 29))
    assert not shop.is_open(at(15, 1, 30))
    assert not shop.is_open(at(14, 1))


def test_no_hours_is_always_open():
    assert tenant().is_open(at(16, 4))


def test_delivery_is_free_from_a_subtotal_on():
    shop = tenant()
    assert shop.delivery_fee(Decimal("44.99")) == Decimal("3.5")
    assert shop.delivery_fee(Decimal(45)) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"currency": "USB"},
        {"time_zone": "America/New_Yrok"},
        {"hours": {"friday": ["25:00-26:00"]}},
        {"hours": {"funday": ["10:00-11:00"]}},
        {"payment_methods": {}},
        {"languages": []},
        {"delivery": None},
        {"delivery": {"fee": -1}},
        {"unknown": 1},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        tenant(**wrong)


def test_a_text_is_given_in_the_language_or_the_first_there_is():
    assert in_language("Cash", "es") == "Cash"
    assert in_language({"en": "Cash", "es": "Efectivo"}, "es") == "Efectivo"
    assert in_language({"en": "Cash"}, "es") == "Cash"
