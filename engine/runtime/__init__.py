"""Running: inbox -> turn -> outbox -> relay, over the ports."""
