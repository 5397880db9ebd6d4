"""The wire: WhatsApp's messages as typed values, with no I/O."""
