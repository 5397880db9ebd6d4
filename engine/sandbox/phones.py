"""Phone numbers as WhatsApp writes them."""


def digits(phone: str) -> str:
    """Return a phone number as WhatsApp writes it in `wa_id`: digits only."""
    return "".join(character for character in phone if character in "0123456789")
