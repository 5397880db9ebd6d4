"""The trade: money, catalog, cart and order, with no I/O and no async."""
