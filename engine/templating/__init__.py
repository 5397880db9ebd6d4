"""The one language of texts, guards and arguments: Jinja2, cut down to what cannot do harm."""
