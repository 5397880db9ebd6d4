"""Flow JSON: its components as a table, and everything WhatsApp would refuse in a document."""
