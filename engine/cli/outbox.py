"""`comanda outbox`: messages to customers that wait to be sent, or that could not be."""

from engine.cli.rows import row_commands

outbox = row_commands("outbox", "See messages to customers that wait or failed, and settle them.")
