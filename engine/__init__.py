"""Comanda: an engine that executes YAML state charts with which shops sell over WhatsApp."""
