"""Refusals: why the trade says no, as values with a code; the texts are the tenant's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why something is not done; the chart routes on `refused.<reason>`."""

    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_PRODUCT = "unknown_product"
    UNKNOWN_PRESENTATION = "unknown_presentation"
    UNKNOWN_MODIFIER = "unknown_modifier"
    UNKNOWN_LINE = "unknown_line"
    UNKNOWN_ORDER = "unknown_order"
    UNKNOWN_PAYMENT = "unknown_payment"
    UNKNOWN_LANGUAGE = "unknown_language"
    WRONG_CATALOG = "wrong_catalog"
    NOT_FOUND = "not_found"
    SOLD_OUT = "sold_out"
    PRESENTATION_NEEDED = "presentation_needed"
    CUSTOMIZATION_NEEDED = "customization_needed"
    TOO_FEW_MODIFIERS = "too_few_modifiers"
    TOO_MANY_MODIFIERS = "too_many_modifiers"
    QUANTITY_OUT_OF_RANGE = "quantity_out_of_range"
    NO_DRAFT = "no_draft"
    CART_EMPTY = "cart_empty"
    CART_FULL = "cart_full"
    BELOW_MINIMUM = "below_minimum"
    CLOSED = "closed"
    PRICE_CHANGED = "price_changed"
    INVALID = "invalid"
    CHECKOUT_INCOMPLETE = "checkout_incomplete"
    UNKNOWN_HANDOFF = "unknown_handoff"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One refusal.

    Args:
        reason: why.
        details: plain values a text may use, such as `{"product": "Margherita"}`.
    """

    reason: Reason
    details: Mapping[str, Any] = field(default_factory=dict)
