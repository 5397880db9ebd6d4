"""The HTTP doors of the engine."""
