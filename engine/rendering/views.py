"""Plain data for texts and guards: what a turn knows, as mappings, lists and scalars.

Templates never see a domain object, so a renamed field cannot break a tenant's text.
"""

from decimal import Decimal
from typing import Any

from engine.domain.cart import Cart, CartLine
from engine.domain.catalog import Category, ModifierGroup, Product
from engine.domain.order import Order
from engine.domain.pricing import Quote
from engine.domain.tenant import Estimate, Tenant, in_language

View = dict[str, Any]


def cart_view(cart: Cart) -> View:
    """Show a cart: `lines`, `count`, `subtotal`, `is_expired`."""
    return {
        "lines": [line_view(line) for line in cart.lines],
        "count": cart.count,
        "subtotal": cart.subtotal,
        "is_expired": cart.is_expired,
    }


def line_view(line: CartLine) -> View:
    """Show a line: `id`, `name`, `presentation`, `modifiers`, `quantity`, `total`."""
    return {
        "id": line.id,
        "product": line.product_id,
        "name": line.name,
        "presentation": line.presentation,
        "modifiers": [{"name": m.name, "price": m.price} for m in line.modifiers],
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "total": line.total,
    }


def priced_view(line: CartLine) -> View:
    """Show what a make-up costs: a line with `base`, `modifiers_total` and priced `modifiers`."""
    total = sum((m.price for m in line.modifiers), Decimal(0))
    modifiers = [{"name": m.name, "quantity": 1, "price": m.price} for m in line.modifiers]
    view = line_view(line) | {"modifiers": modifiers, "modifiers_total": total}
    return view | {"base": line.unit_price - total}


def category_view(category: Category) -> View:
    """Show a category: `id`, `name`, `products`."""
    return {"id": category.id, "name": category.name, "products": category.products}


def product_view(product: Product) -> View:
    """Show a product with its presentations and modifier groups."""
    return {
        "id": product.id,
        "name": product.name,
        "description": product.description,
        "category": {"id": product.category_id, "name": product.category},
        "price": product.lowest_price,
        "is_from_price": len({p.price for p in product.presentations if p.is_available}) > 1,
        "image": product.image_url,
        "is_available": not product.is_sold_out,
        "is_customizable": product.is_customizable,
        "presentations": [
            {"id": p.id, "name": p.name, "price": p.price, "is_available": p.is_available}
            for p in product.presentations
        ],
        "groups": [group_view(g, ()) for g in product.groups],
    }


def group_view(group: ModifierGroup, chosen: tuple[str, ...]) -> View:
    """Show a modifier group; `is_chosen` marks what the customer has taken."""
    return {
        "id": group.id,
        "name": group.name,
        "minimum": group.minimum,
        "maximum": group.maximum,
        "chosen": sum(1 for m in group.modifiers if m.id in chosen),
        "modifiers": [
            {
                "id": m.id,
                "name": m.name,
                "price": m.price,
                "is_available": m.is_available,
                "is_chosen": m.id in chosen,
            }
            for m in group.modifiers
        ],
    }


def quote_view(quote: Quote, tenant: Tenant) -> View:
    """Show a quote: `lines`, `subtotal`, `delivery_fee`, `tax`, `total`, `fingerprint`."""
    return {
        "lines": [line_view(line) for line in quote.lines],
        "subtotal": quote.subtotal,
        "delivery_fee": quote.delivery_fee,
        "tax": quote.tax,
        "tax_rate": tenant.tax.rate,
        "is_tax_included": tenant.tax.included,
        "total": quote.total,
        "fingerprint": quote.fingerprint,
    }


def order_view(order: Order, tenant: Tenant, language: str) -> View:
    """Show an order as the customer placed it, with the minutes it takes."""
    offer = tenant.delivery if order.type == "delivery" else tenant.pickup
    estimate = offer.estimate if offer else Estimate()
    method = tenant.payment_methods.get(order.payment_method)
    return quote_view(order.quote, tenant) | {
        "number": order.number,
        "status": order.status.value,
        "type": order.type.value,
        "address": address_text(order),
        "notes": order.notes,
        "payment": in_language(method.name, language) if method else order.payment_method,
        "instructions": in_language(method.instructions, language) if method else "",
        "created_at": order.created_at,
        "minutes": _minutes(estimate),
    }


def _minutes(estimate: Estimate) -> View:
    return {"minimum": estimate.minimum, "maximum": estimate.maximum}


def address_text(order: Order) -> str:
    """Write an address in a line."""
    if order.address is None:
        return ""
    place = order.address
    if place.text or place.latitude is None:
        return place.text
    return f"{place.latitude:.5f}, {place.longitude:.5f}"


def tenant_view(tenant: Tenant, language: str) -> View:
    """Show what texts may tell of a tenant."""
    delivery, pickup = tenant.delivery, tenant.pickup
    offers = (("delivery", delivery, delivery.fee if delivery else 0), ("pickup", pickup, 0))
    return {
        "name": tenant.name,
        "phone": tenant.phone,
        "address": tenant.address,
        "currency": tenant.currency,
        "time_zone": tenant.time_zone,
        "languages": list(tenant.languages),
        "hours": [{"day": day, "spans": list(spans)} for day, spans in tenant.hours.items()],
        "delivery": {
            "fee": delivery.fee,
            "free_from": delivery.free_from,
            "minimum_order": delivery.minimum_order,
            "minutes": _minutes(delivery.estimate),
        }
        if delivery
        else None,
        "pickup": {"minutes": _minutes(pickup.estimate)} if pickup else None,
        "receiving": [
            {"id": kind, "fee": fee, "minutes": _minutes(offer.estimate)}
            for kind, offer, fee in offers
            if offer
        ],
        "tax_rate": tenant.tax.rate,
        "payment_methods": [
            {"id": name, "name": in_language(m.name, language)}
            for name, m in tenant.payment_methods.items()
        ],
    }


def plain(value: Any) -> Any:
    """Make a value storable: Decimals become texts, tuples become lists."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value
