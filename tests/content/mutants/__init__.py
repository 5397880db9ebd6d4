"""Mistakes planted into the shipped content, and a judge who does not know the checker."""
