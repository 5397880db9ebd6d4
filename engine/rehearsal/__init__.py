"""Dialogs rehearsed: a made-up customer talks with a tenant's chart; nothing is stored or sent."""
