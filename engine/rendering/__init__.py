"""Messages: an authored message and a turn's data -> WhatsApp's messages."""
