"""How fast the engine is, always beside something else measured in the same run.

`python -m tests.bench` prints a table; a ratio in it holds on any machine, a figure does not.
"""
