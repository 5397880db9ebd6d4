"""The adapters of `engine.ports` for MongoDB; no rules of the trade and no decisions of a turn."""
