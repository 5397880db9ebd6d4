"""Meta's Graph API over HTTP."""
