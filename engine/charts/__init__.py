"""Executing: a checked chart compiled to python-statemachine, and one turn of it."""
