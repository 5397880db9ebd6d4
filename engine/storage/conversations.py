"""Conversations on disk; how a turn moves one is not decided here."""

from typing import Any

from engine.domain.conversation import Conversation, Position
from engine.domain.ids import CustomerKey, TenantId
from engine.storage.connection import Json, reachable
from engine.storage.tenancy import TenantCollection


class MongoConversations:
    """The conversations of one tenant: `engine.ports.ConversationRepository`."""

    def __init__(self, conversations: TenantCollection) -> None:
        self._conversations = conversations

    async def get(self, customer: CustomerKey) -> Conversation | None:
        """Give a customer's conversation."""
        key = conversation_id(self._conversations.tenant, customer)
        with reachable():
            found = await self._conversations.find_one({"_id": key})
        return None if found is None else conversation_from_disk(found)


def conversation_id(tenant: TenantId, customer: CustomerKey) -> str:
    """Name a conversation; a tenant has no colon in it, so no two have one name."""
    return f"{tenant}:{customer}"


def conversation_to_disk(conversation: Conversation) -> Json:
    """Write a conversation."""
    position = conversation.position
    return {
        "_id": conversation_id(conversation.tenant, conversation.customer),
        "customer": conversation.customer,
        "language": conversation.language,
        "version": conversation.version,
        "phone": conversation.phone,
        "userId": conversation.user_id,
        "name": conversation.name,
        "position": None if position is None else _position_to_disk(position),
        "entry": conversation.entry,
        "entries": conversation.entries,
        "misses": conversation.misses,
        "variables": conversation.variables,
        "cartExpiresAt": conversation.cart_expires_at,
        "updatedAt": conversation.updated_at,
        "spokeAt": conversation.spoke_at,
        "phoneNumberId": conversation.phone_number_id,
        "bundle": conversation.bundle,
    }


def conversation_from_disk(document: Json) -> Conversation:
    """Read a conversation back."""
    position: Any = document.get("position")
    return Conversation(
        tenant=TenantId(document["tenant"]),
        customer=CustomerKey(document["customer"]),
        language=document["language"],
        version=document["version"],
        phone=document.get("phone"),
        user_id=document.get("userId"),
        name=document.get("name"),
        position=None if position is None else _position_from_disk(position),
        entry=document["entry"],
        entries=document.get("entries") or {},
        misses=document["misses"],
        variables=document["variables"],
        cart_expires_at=document.get("cartExpiresAt"),
        updated_at=document.get("updatedAt"),
        spoke_at=document.get("spokeAt"),
        phone_number_id=document.get("phoneNumberId") or "",
        bundle=document.get("bundle") or "",
    )


def _position_to_disk(position: Position) -> Json:
    return {
        "chart": position.chart,
        "version": position.version,
        "structure": position.structure,
        "leaf": position.leaf,
        "path": list(position.path),
        "resume": position.resume,
    }


def _position_from_disk(part: Json) -> Position:
    return Position(
        chart=part["chart"],
        version=part["version"],
        structure=part["structure"],
        leaf=part["leaf"],
        path=tuple(part["path"]),
        resume=part.get("resume"),
    )
