"""Declared message templates are created at Meta, and their approval is followed."""
