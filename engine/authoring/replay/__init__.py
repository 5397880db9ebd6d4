"""Logged turns, decided again."""
