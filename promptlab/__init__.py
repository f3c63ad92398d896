"""Prompts as versioned values, and the web page where they are compared."""
