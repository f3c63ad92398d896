"""How callers speak: each door reads its own wire format into the language in the middle, and writes it back."""
