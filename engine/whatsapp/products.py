"""Messages that show products of Meta's catalogue: one, a list, or all; none is sent here.

Each checks itself when it is made; whether the catalogue has the products only Meta knows. Wire
shapes and rules: Meta's pages catalogs/share-products.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any

from engine.whatsapp import limits
from engine.whatsapp.frame import check_frame, framed
from engine.whatsapp.rules import (
    allow_text,
    given,
    require_count,
    require_section_titles,
    require_text,
)


@dataclass(frozen=True, slots=True)
class ProductMessage:
    """One product of the catalogue linked to the WhatsApp account; such a message has no header.

    Args:
        catalog_id: Meta's id of the catalogue.
        product_id: our id of the product, Meta's `product_retailer_id`.
        body: a text below the product.
        footer: a small text below that.
    """

    catalog_id: str
    product_id: str
    _: KW_ONLY
    body: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        require_text("product.catalog_id", self.catalog_id)
        require_text("product.product_id", self.product_id)
        allow_text("product.body", self.body, limit=limits.INTERACTIVE_BODY)
        allow_text("product.footer", self.footer, limit=limits.FOOTER)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {"catalog_id": self.catalog_id, "product_retailer_id": self.product_id}
        return framed("product", body=self.body, action=action, footer=self.footer)


@dataclass(frozen=True, slots=True)
class ProductSection:
    """A group of products of a product list; it needs a title when the list has more than one."""

    title: str | None
    product_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProductListMessage:
    """A list of products of the catalogue linked to the WhatsApp account.

    Args:
        catalog_id: Meta's id of the catalogue.
        header: a text above the body; this kind of message must have one.
        body: the text.
        sections: the products in groups, by our ids, at most thirty in all.
        footer: a small text below the body.
    """

    catalog_id: str
    header: str
    _: KW_ONLY
    body: str
    sections: tuple[ProductSection, ...]
    footer: str | None = None

    def __post_init__(self) -> None:
        require_text("product_list.catalog_id", self.catalog_id)
        require_text("product_list.header", self.header, limit=limits.HEADER_TEXT)
        check_frame("product_list", body=self.body, footer=self.footer)
        require_count("product_list.sections", self.sections, limit=limits.PRODUCT_LIST_SECTIONS)
        require_section_titles("product_list", [section.title for section in self.sections])
        products = [product for section in self.sections for product in section.product_ids]
        require_count("product_list.products", products, limit=limits.PRODUCT_LIST_ITEMS)
        for index, section in enumerate(self.sections):
            field = f"product_list.sections[{index}].product_ids"
            require_count(field, section.product_ids, limit=limits.PRODUCT_LIST_ITEMS)
            for position, product in enumerate(section.product_ids):
                require_text(f"{field}[{position}]", product)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        action = {
            "catalog_id": self.catalog_id,
            "sections": [
                {
                    **given(title=section.title),
                    "product_items": [{"product_retailer_id": id_} for id_ in section.product_ids],
                }
                for section in self.sections
            ],
        }
        return framed(
            "product_list", body=self.body, action=action, header=self.header, footer=self.footer
        )


@dataclass(frozen=True, slots=True)
class CatalogMessage:
    """A text with a button that opens the whole catalogue.

    Args:
        body: the text.
        thumbnail_product_id: our id of the product whose picture is shown instead of the first.
        footer: a small text below the body.
    """

    body: str
    _: KW_ONLY
    thumbnail_product_id: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        check_frame("catalog", body=self.body, footer=self.footer)
        allow_text("catalog.thumbnail_product_id", self.thumbnail_product_id)

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        parameters = given(thumbnail_product_retailer_id=self.thumbnail_product_id)
        action = {
            "name": "catalog_message",
            **({"parameters": parameters} if parameters else {}),
        }
        return framed("catalog_message", body=self.body, action=action, footer=self.footer)
