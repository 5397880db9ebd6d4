"""How much a template may take: characters, rounds, time, depth."""

MAX_SOURCE = 8_000
"""Characters of one template."""
MAX_OUTPUT = 64_000
"""Characters of one rendered text; a full cart goes out in several messages of 4,096."""
MAX_STEPS = 4_000
"""Rounds of all loops of one rendering."""
MAX_SECONDS = 0.25
"""Processor time of one rendering; a stalled machine is not the template's fault."""
PROGRAMS = 4096
"""Compiled sources kept for others that are the same."""
MAX_LOOP_DEPTH = 2
MAX_NODE_DEPTH = 40
