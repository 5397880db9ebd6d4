"""`python -m engine` is the command `comanda`."""

from engine.cli import main

main()
