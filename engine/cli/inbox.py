"""`comanda inbox`: messages of customers that wait for their turn, or that no turn could take."""

from engine.cli.rows import row_commands

inbox = row_commands("inbox", "See messages of customers that wait or failed, and settle them.")
