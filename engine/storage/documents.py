"""The shape of the trade on disk: the collections that a Node back end shares with us.

Python names become camelCase here. The documents are the contract, the indexes and the validation;
they are not what the hot paths build: repositories read and write the same shape as plain dicts,
and tests/unit/storage/test_documents.py holds the two together.
"""

from datetime import datetime
from typing import Any, Literal

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pymongo import ASCENDING, DESCENDING, IndexModel


def on_disk(name: str) -> str:
    """Give the name a field has on disk."""
    return "_id" if name == "id" else to_camel(name)


def index(*keys: str, **options: Any) -> IndexModel:
    """Describe an index by its fields on disk, `-` before a descending one."""
    parts = [(k.lstrip("-"), DESCENDING if k.startswith("-") else ASCENDING) for k in keys]
    return IndexModel(parts, **options)


class Part(BaseModel):
    """A part of a document."""

    model_config = ConfigDict(alias_generator=on_disk, populate_by_name=True)


class Row(Document):
    """A document; a class of its own only for the naming rule and to let ids be texts."""

    model_config = ConfigDict(alias_generator=on_disk, populate_by_name=True)

    id: Any = None


class BusinessDocument(Row):
    """A tenant's account: shared with the Node back end."""

    id: PydanticObjectId | None = None
    sub_domain: str
    name: str
    whatsapp_phone_number_ids: list[str] = Field(default_factory=list)
    whatsapp_enabled: bool = True
    is_active: bool = True
    waba_id: str | None = None
    fb_business_id: str | None = None
    fb_catalog_mapping: dict[str, str] | None = None
    fb_flow_mapping: dict[str, str] | None = None
    access_token: str = ""
    local_id: str | None = None

    class Settings:
        """Its collection."""

        name = "businesses"
        indexes = (
            index("whatsappPhoneNumberIds", "whatsappEnabled", "isActive"),
            index("subDomain", unique=True),
            index("wabaId"),  # ours: whose Flow a webhook of Meta tells of
            index("fbBusinessId"),  # ours: whose catalogue it tells of
        )


class CategoryDocument(Row):
    """A shelf of the menu: shared with the Node back end."""

    id: PydanticObjectId | None = None
    r_id: str
    sub_domain: str
    name: str
    is_active: bool = True
    sort_order: int = 0

    class Settings:
        """Its collection."""

        name = "categories"
        indexes = (index("rId", "subDomain"), index("subDomain", "isActive", "sortOrder"))


class ProductModifier(Part):
    """A modifier group inside a product: its rule, and the ids of the add-ons in it."""

    group_id: str
    name: str
    min: int = 0
    max: int = 1
    type: Literal["single", "multiple"] = "single"
    modifiers: list[str] = Field(default_factory=list)


class ProductDocument(Row):
    """A product: shared with the Node back end."""

    id: PydanticObjectId | None = None
    r_id: str
    sub_domain: str
    local_id: str | None = None
    name: str
    description: str = ""
    category_id: str
    category: str
    base_price: float
    is_active: bool = True
    is_available: bool = True
    sort_order: int = 0
    image_url: str | None = None
    presentations: list[str] = Field(default_factory=list)
    modifiers: list[ProductModifier] = Field(default_factory=list)
    stock: int | None = None

    class Settings:
        """Its collection."""

        name = "products"
        indexes = (
            index("rId", "subDomain"),
            index("subDomain", "categoryId", "isActive"),
            index("subDomain", "isAvailable", "sortOrder"),
            # Ours: to walk over a category or all, and go on where a walk was.
            index("subDomain", "categoryId", "rId"),
            # With `_id`, as Beanie takes two indexes of the same fields in another order for one.
            index("subDomain", "rId", "_id"),
        )


class PresentationDocument(Row):
    """A size or variant, shared with the Node back end; `product_id` if only that product's."""

    id: PydanticObjectId | None = None
    r_id: str
    sub_domain: str
    product_id: str | None = None
    name: str
    price: float
    is_available: bool = True

    class Settings:
        """Its collection."""

        name = "presentations"
        indexes = (index("rId", "subDomain"),)


class ModifierDocument(Row):
    """An add-on, shared with the Node back end; `group_id` if only that group's."""

    id: PydanticObjectId | None = None
    r_id: str
    sub_domain: str
    group_id: str | None = None
    name: str
    price: float
    is_available: bool = True

    class Settings:
        """Its collection."""

        name = "modifiers"
        indexes = (index("rId", "subDomain"),)


class ItemModifier(Part):
    """A chosen add-on of an item."""

    r_id: str
    name: str
    price: float


class OrderItem(Part):
    """A line of a cart or an order; `unit_price` has the add-ons in it."""

    product_id: str
    name: str
    presentation_id: str | None = None
    presentation: str | None = None
    modifiers: list[ItemModifier] = Field(default_factory=list)
    quantity: int
    unit_price: float
    total: float


class CartDocument(Row):
    """A customer's cart; `session_id` is his key."""

    id: PydanticObjectId | None = None
    session_id: str
    sub_domain: str
    items: list[OrderItem]
    subtotal: float
    expires_at: datetime | None = None

    class Settings:
        """Its collection."""

        name = "carts"
        indexes = (
            index("sessionId", "subDomain", unique=True),
            index("expiresAt", expireAfterSeconds=0),
        )


class OrderCustomer(Part):
    """Who ordered."""

    name: str | None = None
    phone: str | None = None
    user_id: str | None = None


class DeliveryAddress(Part):
    """Where an order goes."""

    text: str = ""
    latitude: float | None = None
    longitude: float | None = None


class FollowedMoves(Part):
    """What its customer knows of an order's moves: ours, the Node back end leaves it alone.

    `status` is the one that was seen last, `told` are those he was told, or need not be told.
    `place` is that of the last move among all changes, `at` when the last one was put in his
    inbox. Orders of before there was this have none, and are never told of.
    """

    status: str
    told: list[str] = Field(default_factory=list)
    place: Any = None
    at: datetime | None = None
    is_open: bool = True


class TakenStock(Part):
    """Units that an order took of a product."""

    product: str
    units: int


class OrderDocument(Row):
    """An order: the Node back end reads it and moves its status.

    `taken_stock` is what goes back when nobody gets it; `status_reason` is why.
    """

    id: PydanticObjectId | None = None
    order_number: str
    sub_domain: str
    local_id: str | None = None
    conversation_id: str
    customer: OrderCustomer
    items: list[OrderItem]
    subtotal: float
    tax: float
    delivery_fee: float
    total: float
    status: str
    type: Literal["delivery", "pickup"]
    payment_method: str
    payment_method_id: str
    source: Literal["whatsapp"] = "whatsapp"
    delivery_address: DeliveryAddress | None = None
    notes: str = ""
    created_at: datetime
    updated_at: datetime
    status_reason: str = ""
    followed: FollowedMoves | None = None
    taken_stock: list[TakenStock] = Field(default_factory=list)

    class Settings:
        """Its collection."""

        name = "orders"
        indexes = (
            # Ours: which may be moved yet, to find moves that no change stream told.
            index(
                "followed.isOpen",
                "createdAt",
                partialFilterExpression={"followed.isOpen": True},
            ),
            index("orderNumber", unique=True),
            index("subDomain", "status", "-createdAt"),
            index("conversationId"),
            index("customer.phone"),
        )
