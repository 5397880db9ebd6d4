"""A tenant's own settings, as written in its `tenant.yaml`; credentials are not among them."""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache, cached_property
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from babel.numbers import list_currencies
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from engine.domain.money import ZERO, Currency
from engine.domain.pricing import TaxRule

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Hours = Annotated[
    str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$")
]
Amount = Annotated[Decimal, Field(ge=0, le=10**6)]


class TenantPart(BaseModel):
    """A part of a tenant's settings: unknown keys are refused, values are fixed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(TenantPart):
    """A range of minutes."""

    minimum: Annotated[int, Field(ge=0, le=10_080)] = 30
    maximum: Annotated[int, Field(ge=0, le=10_080)] = 45

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError("maximum is smaller than minimum")
        return self


class Delivery(TenantPart):
    """How the tenant delivers."""

    fee: Amount = Field(default=ZERO, description="What a delivery costs the customer.")
    free_from: Amount | None = Field(
        default=None, description="Subtotal from which delivery is free."
    )
    minimum_order: Amount = Field(default=ZERO, description="Smallest subtotal that is delivered.")
    estimate: Estimate = Field(default=Estimate(), description="Minutes until it arrives.")


class Pickup(TenantPart):
    """How the customer fetches an order himself."""

    estimate: Estimate = Field(
        default=Estimate(minimum=15, maximum=20), description="Minutes until it is ready."
    )


class Tax(TenantPart):
    """The tax on what is sold."""

    rate: Annotated[Decimal, Field(ge=0, le=100)] = Field(default=ZERO, description="Percent.")
    included: bool = Field(default=False, description="The prices contain the tax already.")
    on_delivery: bool = Field(default=False, description="The delivery fee is taxed too.")


class PaymentMethod(TenantPart):
    """A way to pay."""

    name: str | dict[Language, str] = Field(
        description="What the customer reads: one text, or one per language."
    )
    kind: Literal["cash", "card", "digital_wallet"] = Field(
        description="What the back end is told."
    )
    instructions: str | dict[Language, str] = Field(
        default="", description="What the customer is told after he ordered."
    )


class CatalogMode(TenantPart):
    """How the catalog is mirrored at Meta."""

    mode: Literal["per_category", "single"] = Field(
        default="per_category",
        description="One Meta catalogue per category, or a single one (native product messages).",
    )


class Staff(TenantPart):
    """The people who answer a customer who asks for one."""

    phone: str = Field(
        default="",
        pattern=r"^(\+?[0-9][0-9 ()./-]{5,24})?$",
        description="Their WhatsApp number with its country code, such as +51 999 555 010: it is "
        "told who asks for a person. Not one of the shop's own numbers.",
    )
    after: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}[smhd]$")] = Field(
        default="4h",
        description="The bot answers again when nobody has written for so long, such as 30m.",
    )

    @cached_property
    def digits(self) -> str:
        """Give their number as WhatsApp's webhooks write it; empty if there is none."""
        return "".join(c for c in self.phone if c.isdigit())

    def has(self, phone: str | None) -> bool:
        """Tell whether a phone number, in digits, is theirs."""
        return bool(phone) and phone == self.digits

    @cached_property
    def silence(self) -> timedelta:
        """Tell after how much silence the bot answers again."""
        units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
        return timedelta(**{units[self.after[-1]]: int(self.after[:-1])})


class Tenant(TenantPart):
    """A shop or restaurant that sells over WhatsApp."""

    name: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        description="What customers call it."
    )
    languages: Annotated[tuple[Language, ...], Field(min_length=1)] = Field(
        description="Languages it speaks, the default first."
    )
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(
        description="ISO 3166 code; decides how amounts and times are written."
    )
    currency: str = Field(description="ISO 4217 code of all its prices.")
    time_zone: str = Field(description="IANA name, such as America/Lima.")
    phone_number_ids: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="Ids Meta gave its WhatsApp numbers."
    )
    waba_id: str = Field(
        default="", description="Id Meta gave its WhatsApp account; Flows are deployed to it."
    )
    business_id: str = Field(
        default="",
        description="Id Meta gave its business portfolio; catalogues are made in it.",
    )
    phone: str = Field(default="", description="Its number as customers dial it.")
    address: str = Field(default="", description="Where it is.")
    staff: Staff = Field(
        default=Staff(), description="Who answers a customer who asks for a person."
    )
    hours: dict[Weekday, tuple[Hours, ...]] = Field(
        default_factory=dict,
        description="Opening hours by weekday; one that runs past midnight ends the next day; "
        "none at all means always open.",
    )
    delivery: Delivery | None = Field(
        default=None, description="Leave out if it does not deliver."
    )
    pickup: Pickup | None = Field(default=None, description="Leave out if nobody can fetch.")
    tax: Tax = Field(default=Tax())
    payment_methods: Annotated[dict[str, PaymentMethod], Field(min_length=1, max_length=10)] = (
        Field(description="Ways to pay by id, in the order they are shown.")
    )
    catalog: CatalogMode = Field(default=CatalogMode())
    chart: str = Field(
        default="storefront", pattern=r"^[a-z][a-z0-9_]*$", description="The chart it runs."
    )
    cart_hours: Annotated[int, Field(ge=1, le=720)] = Field(
        default=24, description="Hours after which an untouched cart is emptied."
    )

    @field_validator("currency")
    @classmethod
    def _currency(cls, code: str) -> str:
        if code not in _currencies():
            raise ValueError(f"'{code}' is not a currency of ISO 4217")
        return code

    @field_validator("time_zone")
    @classmethod
    def _time_zone(cls, name: str) -> str:
        if name not in _time_zones():
            raise ValueError(f"'{name}' is not an IANA time zone")
        return name

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.delivery is None and self.pickup is None:
            raise ValueError("neither 'delivery' nor 'pickup' is offered")
        return self

    @cached_property
    def money(self) -> Currency:
        """Give its currency."""
        return Currency(self.currency)

    @cached_property
    def tax_rule(self) -> TaxRule:
        """Give its tax as the pricing ladder wants it."""
        return TaxRule(self.tax.rate, self.tax.included, self.tax.on_delivery)

    def delivery_fee(self, subtotal: Decimal) -> Decimal:
        """Tell what delivering an order of this subtotal costs."""
        if self.delivery is None:
            return ZERO
        free_from = self.delivery.free_from
        return ZERO if free_from is not None and subtotal >= free_from else self.delivery.fee

    def locale(self, language: str) -> str:
        """Name the locale of a language in its country, such as `es_PE`."""
        return f"{language}_{self.country}"

    def local_time(self, now: datetime) -> datetime:
        """Give a time as its clocks show it."""
        return now.astimezone(self.zone)

    @cached_property
    def zone(self) -> ZoneInfo:
        """Give its time zone."""
        return ZoneInfo(self.time_zone)

    def is_open(self, now: datetime) -> bool:
        """Tell whether it takes orders at a time."""
        if not self.hours:
            return True
        local = self.local_time(now)
        return self._covers(local, 0) or self._covers(local, 1)

    def _covers(self, local: datetime, days_ago: int) -> bool:
        day = WEEKDAYS[(local - timedelta(days=days_ago)).weekday()]
        minute = local.hour * 60 + local.minute + days_ago * 24 * 60
        for hours in self.hours.get(day, ()):
            start, end = (int(t[:2]) * 60 + int(t[3:]) for t in hours.split("-"))
            if start <= minute < (end if end > start else end + 24 * 60):
                return True
        return False


@cache
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def in_language(text: str | dict[Language, str], language: str) -> str:
    """Choose the text of a language, else the first one there is."""
    if isinstance(text, str):
        return text
    return text.get(language) or next(iter(text.values()), "")
