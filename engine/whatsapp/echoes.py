"""What staff types on the business phone, as Meta's field `smb_message_echoes` tells it.

Meta's page webhooks/reference/smb_message_echoes was not at hand: the shape is from memory, so it
is read tolerantly. `value` has `metadata.phone_number_id` and `message_echoes`: messages with
`from` (the business number), `to` (the customer's number), `id`, `timestamp`, `type`. What the
engine sends itself has no echo.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.whatsapp.json_values import as_id, as_object, as_objects, as_phone, as_timestamp

FIELD: Final = "smb_message_echoes"
_MEMBERS: Final = ("message_echoes", "messages")


@dataclass(frozen=True, slots=True)
class Echo:
    """A message that a person typed on the business phone.

    Args:
        to: the customer's phone number in digits; None if only his user id is told.
        user_id: his business-scoped user id, if it is told.
        timestamp: Unix seconds; 0 if there is none that can be read.
    """

    wamid: str
    phone_number_id: str
    to: str | None
    user_id: str | None
    timestamp: int


def read_echoes(value: Mapping[str, Any]) -> Iterator[Echo]:
    """Read what can be told whom it went to; the rest is left out."""
    number = as_id(as_object(value.get("metadata")).get("phone_number_id"))
    contacts = as_objects(value.get("contacts"))
    for name in _MEMBERS:
        for echo in as_objects(value.get(name)):
            wamid, to = as_id(echo.get("id")), as_phone(echo.get("to"))
            user_id = as_id(echo.get("to_user_id")) or as_id(echo.get("recipient_user_id"))
            for contact in contacts:
                if to and as_phone(contact.get("wa_id")) == to:
                    user_id = user_id or as_id(contact.get("user_id"))
            if number and wamid and (to or user_id):
                at = as_timestamp(echo.get("timestamp"))
                yield Echo(wamid, number, to, user_id, at)
