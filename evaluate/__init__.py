"""Is this answer any good, and is that one better."""
