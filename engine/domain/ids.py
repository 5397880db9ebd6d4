"""Names of things, as types: an id of one kind cannot stand where another is wanted."""

from typing import NewType

TenantId = NewType("TenantId", str)
"""The tenant's `sub_domain`."""
CustomerKey = NewType("CustomerKey", str)
"""WhatsApp's business-scoped user id when there is one, else the phone number."""
CategoryId = NewType("CategoryId", str)
ProductId = NewType("ProductId", str)
PresentationId = NewType("PresentationId", str)
GroupId = NewType("GroupId", str)
ModifierId = NewType("ModifierId", str)
LineId = NewType("LineId", str)
OrderNumber = NewType("OrderNumber", str)
