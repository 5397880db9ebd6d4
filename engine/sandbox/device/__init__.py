"""The phone on which a customer opens a Flow, as WhatsApp shows it."""
