"""Two contents rehearsed side by side."""
