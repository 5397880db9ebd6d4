"""Deployment: makes Meta's Flows of a tenant what his files say, and tells what is amiss."""
