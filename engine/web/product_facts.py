"""What a product's page says, to people and to programs; how it looks is not known here."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import quote, urlsplit

from engine.domain.catalog import Presentation, Product
from engine.domain.money import format_money
from engine.domain.native import item_id
from engine.domain.tenant import Tenant


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """A product as its shop sells it.

    Args:
        chosen: the presentation the page is about; None if it is about all.
        page: the address of the product's page, as the world knows it; empty if it does not.
    """

    tenant: Tenant
    product: Product
    chosen: Presentation | None = None
    page: str = ""

    @property
    def name(self) -> str:
        """Give the product's name; empty if it has none that can be shown."""
        return _text(self.product.name)

    @property
    def description(self) -> str:
        """Give the product's description, maybe empty."""
        return _text(self.product.description)

    @property
    def title(self) -> str:
        """Name what the page is about."""
        return f"{self.name} ({size_name(self.chosen)})" if self.chosen else self.name

    @property
    def address(self) -> str:
        """Give the address of what the page is about."""
        if self.chosen is None or not self.page:
            return self.page
        return f"{self.page}?size={quote(str(self.chosen.id), safe='')}"

    @property
    def image(self) -> str:
        """Give the address of its image; empty if it has none that is one."""
        url = _text(self.product.image_url)
        try:
            parts = urlsplit(url)
        except ValueError:
            return ""
        return url if parts.scheme in ("http", "https") and parts.netloc else ""

    @property
    def price(self) -> Decimal:
        """Give the price, or the lowest one."""
        if self.chosen:
            return self.chosen.price
        sizes = self.product.presentations
        if sizes and not any(size.is_available for size in sizes):
            return min(size.price for size in sizes)
        return self.product.lowest_price

    @property
    def is_lowest_price(self) -> bool:
        """Tell whether there are higher prices."""
        sizes = self.product.presentations
        return self.chosen is None and any(size.price > self.price for size in sizes)

    def is_sold_out(self, size: Presentation | None) -> bool:
        """Tell whether a size, or the product if it has none, cannot be ordered now."""
        return self.product.is_sold_out or (size is not None and not size.is_available)

    def money(self, amount: Decimal) -> str:
        """Write an amount for people."""
        tenant = self.tenant
        return format_money(amount, tenant.currency, tenant.locale(tenant.languages[0]))

    def properties(self) -> Iterator[tuple[str, str]]:
        """Give what Open Graph calls it; what is empty is to be left out."""
        product = self.product
        yield "og:type", "product"
        yield "og:title", self.title
        yield "og:description", self.description
        yield "og:image", self.image
        yield "og:url", self.address
        yield "og:site_name", self.tenant.name
        yield "product:brand", self.tenant.name
        yield "product:retailer_item_id", self._item(self.chosen)
        yield "product:item_group_id", product.id if product.presentations else ""
        yield "product:condition", "new"
        is_gone = self.is_sold_out(self.chosen)
        yield "product:availability", "out of stock" if is_gone else "in stock"
        yield "product:price:amount", self._figure(self.price)
        yield "product:price:currency", self.tenant.currency

    def linked(self) -> dict[str, object]:
        """Give what schema.org calls it."""
        sizes = (self.chosen,) if self.chosen else self.product.presentations or (None,)
        offers = [self._offer(size) for size in sizes]
        told: dict[str, object] = {
            "@context": "https://schema.org",
            "@type": "Product",
            "productID": self.product.id,
            "sku": self._item(self.chosen),
            "name": self.title,
            "description": self.description,
            "image": self.image,
            "url": self.address,
            "brand": {"@type": "Brand", "name": self.tenant.name},
            "offers": offers if len(offers) > 1 else offers[0],
        }
        return {name: value for name, value in told.items() if value}

    def _offer(self, size: Presentation | None) -> dict[str, object]:
        availability = "OutOfStock" if self.is_sold_out(size) else "InStock"
        offer: dict[str, object] = {
            "@type": "Offer",
            "sku": self._item(size),
            "price": self._figure(size.price if size else self.price),
            "priceCurrency": self.tenant.currency,
            "availability": f"https://schema.org/{availability}",
            "itemCondition": "https://schema.org/NewCondition",
        }
        return offer | {"name": size_name(size)} if size else offer

    def _item(self, size: Presentation | None) -> str:
        """Give Meta's id of a size, or of the product."""
        return item_id(self.product.id, size.id if size else None)

    def _figure(self, amount: Decimal) -> str:
        """Write an amount for programs."""
        return f"{self.tenant.money.round(amount):f}"


def size_name(size: Presentation) -> str:
    """Give the name of a size, or its id if it has none that can be shown."""
    return _text(size.name) or str(size.id)


def _text(value: object) -> str:
    """Give a text; the other back end may have left a number, or something that is no text."""
    return str(value).strip() if isinstance(value, str | int | float) else ""
